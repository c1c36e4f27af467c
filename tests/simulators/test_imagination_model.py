"""Dialogues that a model imagines: any task, any nonsense, any kill; who is in them, and what is kept of the making."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

from dialog_envs.agents import training
from dialog_envs.benchmarks.cli import main
from dialog_envs.core.dialogue import AGENT, USER, transcript
from dialog_envs.core.seeding import stream
from dialog_envs.datasets import read_dropped, validate
from dialog_envs.datasets.labels import by_label
from dialog_envs.errors import (
    BudgetExceeded,
    ChatModelError,
    DatasetError,
    ModelUnavailable,
    SimulatorError,
    UsageError,
)
from dialog_envs.registration import ENVIRONMENTS, TASKS, get_task
from dialog_envs.simulators.imagination import engine, imagine
from dialog_envs.simulators.imagination.asking import Unusable
from dialog_envs.simulators.imagination.engine import Standing
from dialog_envs.simulators.imagination.imagining import parse_dialogue
from dialog_envs.simulators.imagination.judging import NO_VERDICT
from dialog_envs.simulators.imagination.reading import read_dialogue
from dialog_envs.simulators.imagination.space import NONE, persona_space
from dialog_envs.simulators.llm import ChatReply, ChatRequest, Usage
from dialog_envs.simulators.llm.embedded_file import find_model_file
from dialog_envs.simulators.llm.replay import RecordingModel, ReplayModel
from tests.docs.blocks import read_blocks
from tests.simulators.imagination_stub import Imaginer

ROOT = Path(__file__).parents[2]
TASK = "PreferenceElicitation-v0"
TASK_IDS = (TASK, "Instruction-v0", "Persuasion-v0")


def hashes(folder: Path) -> dict[str, str]:
    """Every file of a dataset, by content."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def imagined(out: Path, model: Any = None, task: str = TASK, episodes: int = 12, **options: Any) -> Any:
    """A small imagined dataset; people are drawn from the prior unless told otherwise."""
    options = {"personas": 0, "mode": "imagine", **options}
    return imagine(task, out, episodes, 3, imaginer=model or Imaginer(get_task(task)), **options)


@pytest.fixture
def guess_city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The task that the documentation builds, as its page has it."""
    for block in read_blocks((ROOT / "docs" / "how-to" / "add-a-task.md").read_text("utf-8")):
        if block.file is not None and block.file.startswith("guess_city/"):
            file = tmp_path / block.file
            file.parent.mkdir(exist_ok=True)
            file.write_text(block.code, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield "guess_city:GuessCity-v0"
    for name in [name for name in sys.modules if name.partition(".")[0] == "guess_city"]:
        del sys.modules[name]
    for table in (TASKS, ENVIRONMENTS, gym.registry):
        for name in [name for name in table if name.startswith("GuessCity")]:
            del table[name]


def embedded_here() -> bool:
    """Whether the embedded model's package is installed."""
    try:
        find_model_file()
    except ModelUnavailable:
        return False
    return True


# ---- any task, and a model that talks nonsense half the time ---------------------------------------------------------


def check_made(task_id: str, out: Path) -> None:
    task = get_task(task_id)
    dataset = imagined(out, Imaginer(task, nonsense=0.5, cost=0.001), task_id, personas=8)
    assert len(dataset) == 12 and validate(out).valid
    manifest = dataset.manifest
    assert manifest["mode"] == "imagined" and {e.provenance.mode for e in dataset.episodes} == {"imagined"}
    families = {episode.family for episode in dataset.episodes}
    assert families <= set(task.prior.typical), "nobody of a held-out family"
    told = manifest["imagination"]
    people = told["personas"]
    sizes = people["families"].values()
    assert people["used"] == 8 and max(sizes) - min(sizes) <= 1, "as many of each family as of any other"
    assert all(told["rejected"][step] for step in ("reason", "map", "imagine", "critique"))
    thrown = [json.loads(line) for line in (out / "rejected.jsonl").read_text("utf-8").splitlines()]
    assert Counter(row["step"] for row in thrown) == told["rejected"] and all(
        row["problem"] for row in thrown
    )
    cost = manifest["cost"]
    assert set(cost["usage"]) == {"reason", "imagination", "critic"}
    assert cost["usd"] == pytest.approx(0.001 * sum(row["calls"] for row in cost["usage"].values()))
    card = (out / "card.md").read_text("utf-8")
    for part in ("## People", "## Labels", "## What the kernel reads", "## Thrown away", "## Cost"):
        assert part in card


@pytest.mark.parametrize("task_id", TASK_IDS)
def test_nonsense_costs_retries_and_no_data(task_id: str, tmp_path: Path) -> None:
    check_made(task_id, tmp_path / "ds")


def test_the_documented_task_needs_no_code_of_its_own(guess_city: str, tmp_path: Path) -> None:
    check_made(guess_city, tmp_path / "ds")


@pytest.mark.parametrize("task_id", TASK_IDS)
def test_the_kernel_reads_what_a_real_user_would_say(task_id: str, tmp_path: Path) -> None:
    """Dialogues of scripted users in the prompt's own scene: possible, and the label is true."""
    dataset = imagined(tmp_path / "ds", task=task_id, success_share=0.25)
    labels = [episode.outcome["label"] for episode in dataset.episodes]
    assert sum(labels) == 3, "the stated share"
    told = dataset.manifest["imagination"]
    assert told["label"]["agree"] >= 0.75 and told["label"]["success_label"] == 0.25
    assert told["reading"]["possible"] >= 8 and told["reading"]["drift_turns"] == 0
    task = get_task(task_id)
    for episode in dataset.episodes:
        persona, scenario = task.persona_from_json(episode.persona), task.scenario_from_json(episode.scenario)
        outcome = task.score(persona, scenario, episode.turns, str(episode.outcome["ended_by"]))
        assert outcome.success == episode.outcome["success"] and episode.reward == float(outcome.success)
        assert episode.turns[-1].speaker == USER, "the goodbye after the end is left out"


# ---- people ----------------------------------------------------------------------------------------------------------


def test_what_cannot_be_mapped_is_kept_and_shown(tmp_path: Path) -> None:
    class Narrow(Imaginer):
        """Knows one easygoing person, again and again; and people who are nobody here."""

        def form(self, schema: Any, rng: Any) -> Any:
            if "family" not in schema["properties"]:
                return super().form(schema, rng)
            one = persona_space(self.task).flat(self.task.prior.sample(stream(0, "one"), "easygoing"))
            return one if rng.random() < 0.6 else one | {"family": NONE}

    imagined(tmp_path / "ds", Narrow(get_task(TASK)), personas=4)
    data = json.loads((tmp_path / "ds" / "personas.json").read_text("utf-8"))
    assert data["used"] == 1 and data["families"] == {"easygoing": 1}
    problems = Counter(one["problem"] for one in data["proposals"])
    assert set(problems) == {
        "",
        "the same persona as another one",
        "not mapped: none of the typical families",
    }
    assert "the same persona as another one" in (tmp_path / "ds" / "card.md").read_text("utf-8")
    asked = {one["asked"] for one in data["proposals"]}
    assert asked == {"", "focused", "reserved", "hesitant"}, "who is missing is asked for by manner"


@pytest.mark.parametrize("task_id", TASK_IDS)
def test_the_persona_space_is_the_tasks_own(task_id: str) -> None:
    task = get_task(task_id)
    space = persona_space(task)
    rng = stream(1, "people")
    for _ in range(50):
        persona = task.prior.sample(rng, "typical")
        assert space.persona(space.flat(persona)) == persona
    hard = space.flat(task.prior.sample(rng, "hard"))
    with pytest.raises(Unusable, match="held out"):
        space.persona(hard)
    with pytest.raises(Unusable):
        space.persona(space.flat(persona) | {"family": "nobody"})


def test_nobody_at_all(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match="--personas 0"):
        imagined(tmp_path / "ds", Imaginer(get_task(TASK), nonsense=1.0), personas=2)


# ---- reading what was written ----------------------------------------------------------------------------------------

BRIEF = get_task(TASK).task_brief
GOOD = "Traveller: Hi!\nAgent: Food?\nTraveller: Yes.\nAgent: The lake walk?\nTraveller: Fine."
PARSED = (
    (USER, "Hi!"), (AGENT, "Food?"), (USER, "Yes."), (AGENT, "The lake walk?"), (USER, "Fine.")
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```\n{GOOD}\n```",
        f"Here is the conversation:\n\n{GOOD}",
        GOOD.replace("Traveller:", "**Traveller:**").replace("Agent:", "**Agent**:"),
        GOOD.replace("\n", "\n\n").replace("Fine.", '"Fine."'),
        GOOD.removeprefix("Traveller: Hi!\n"),
        GOOD.replace("Yes.", "*smiles* Yes. (nods slowly)").replace("Food?", "\nFood?"),
        f"<think>What could they say?</think>{GOOD}",
    ],
)
def test_a_dialogue_is_read(text: str) -> None:
    assert parse_dialogue(text, BRIEF, "Hi!") == PARSED


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begins with 'Traveller:'"),
        ("Sorry, I cannot do that.", "begins with"),
        (GOOD.replace("Agent: The", "Traveller: The"), "twice in a row"),
        (GOOD.replace("Fine.", "[name of activity]"), "blank"),
        (GOOD.replace("Yes.", "..."), "says nothing"),
        (GOOD.replace("Yes.", "Yes. Agent: And?"), "both speakers"),
        (GOOD.replace("Yes.", "Yes. " * 400), "too long"),
        ("Traveller: Hi!\nAgent: Hello.\nTraveller: Bye.", "fewer than"),
        (f"One.\nTwo.\n{GOOD}", "before the first turn"),
    ],
)
def test_what_is_no_dialogue_is_refused(text: str, says: str) -> None:
    with pytest.raises(Unusable, match=says.replace("(", r"\(")):
        parse_dialogue(text, BRIEF, "Hi!")


def test_the_end_is_the_first_end(tmp_path: Path) -> None:
    task = get_task(TASK)
    rng = stream(0, "end")
    persona, scenario = task.prior.sample(rng, "focused"), task.sample_scenario(rng)
    lines = [*PARSED[:4], (USER, "I'm leaving. Goodbye."), (AGENT, "Wait!"), (USER, "Perfect, let's do it.")]
    reading = read_dialogue(task, persona, scenario, lines)
    assert reading.ended_by == "leave" and len(reading.turns) == 5 and reading.left_out == 2
    many = [(USER, "Hi."), *[(AGENT, "Do you like art?"), (USER, "Hm.")] * 20, (AGENT, "Well?")]
    reading = read_dialogue(task, persona, scenario, many)
    assert reading.ended_by == "cap" and len(reading.turns) == 1 + 2 * task.max_turns and not reading.possible


# ---- critique --------------------------------------------------------------------------------------------------------


def test_both_versions_and_all_verdicts_are_kept(tmp_path: Path) -> None:
    dataset = imagined(tmp_path / "ds", Imaginer(get_task(TASK), strict=0.15), rounds=2, episodes=20)
    critique = dataset.manifest["critique"]
    assert critique["revised"] > 0 and "model:sentiment" in critique["criteria"]
    rows = [
        json.loads(line) for line in (tmp_path / "ds" / "critiques.jsonl").read_text("utf-8").splitlines()
    ]
    log = {row["id"]: row["versions"] for row in rows}
    dropped = read_dropped(dataset.path)
    assert set(log) == {episode.id for episode in (*dataset.episodes, *dropped)}
    for episode in (*dataset.episodes, *dropped):
        versions = log[episode.id]
        assert [version["did"] for version in versions[:-1]] == ["revised"] * (len(versions) - 1)
        assert len(versions) <= 3 and all(
            row["reason"] for row in versions[0]["criteria"] if "model:" in row["name"]
        )
        first = [(row["name"], row["passed"]) for row in versions[0]["criteria"]]
        assert first == [(row.name, row.passed) for row in episode.critique.criteria], "as it was made"
        last = versions[-1] if episode.critique.verdict != "dropped" else versions[0]
        assert [line["text"] for line in last["lines"]] == [turn.text for turn in episode.turns]
        if episode.critique.verdict == "revised":
            assert all(row["passed"] for row in versions[-1]["criteria"])
        if episode.critique.verdict == "dropped":
            assert not all(row["passed"] for row in versions[-1]["criteria"])


def test_without_rounds_what_fails_is_dropped(tmp_path: Path) -> None:
    model = Imaginer(get_task(TASK), strict=0.1)
    critique = imagined(tmp_path / "a", model, rounds=0).manifest["critique"]
    assert critique["revised"] == 0 and critique["dropped"] > 0
    off = imagined(tmp_path / "b", model, critique=False).manifest
    assert off["critique"]["criteria"] == [] and "critic" not in off["cost"]["usage"]


def test_a_critic_without_verdicts_passes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PATIENCE", 1)
    critic = Imaginer(get_task(TASK), nonsense=1.0)
    with pytest.raises(DatasetError, match="a stronger model"):
        imagined(tmp_path / "ds", critic=critic, rounds=0, attempts=1, episodes=2)
    journal = next(tmp_path.glob(".ds.partial-*/attempts.jsonl")).read_text("utf-8")
    assert NO_VERDICT in journal


def test_a_critic_judges_rollouts_too(tmp_path: Path) -> None:
    critic = Imaginer(get_task(TASK), strict=0.1)
    dataset = imagine(TASK, tmp_path / "ds", 20, 1, critic=critic)
    critique = dataset.manifest["critique"]
    assert validate(dataset.path).valid and critique["failed"]["model:listed"]["dropped"] > 0
    assert dataset.manifest["mode"] == "rollout" and set(dataset.manifest["cost"]["usage"]) == {"critic"}
    assert "--critic stub" in dataset.manifest["command"]


def test_rollouts_with_people_whom_a_model_proposed(tmp_path: Path) -> None:
    dataset = imagine(TASK, tmp_path / "ds", 20, 1, imaginer=Imaginer(get_task(TASK)), personas=6)
    assert validate(dataset.path).valid
    people = json.loads((tmp_path / "ds" / "personas.json").read_text("utf-8"))["proposals"]
    cast = [one["persona"] for one in people if not one["problem"]]
    assert len(cast) == 6 and all(episode.persona in cast for episode in dataset.episodes)


# ---- killed, replayed, out of money ----------------------------------------------------------------------------------


def test_it_goes_on_behind_the_last_reply(tmp_path: Path) -> None:
    through = Imaginer(get_task(TASK), nonsense=0.3)
    imagined(tmp_path / "through", through, personas=4)
    broken = Imaginer(get_task(TASK), nonsense=0.3)
    broken.fail_after = 40
    with pytest.raises(ChatModelError, match="the server is gone"):
        imagined(tmp_path / "ds", broken, personas=4)
    again = Imaginer(get_task(TASK), nonsense=0.3)
    imagined(tmp_path / "ds", again, personas=4)
    assert again.calls == through.calls - 40, "no reply is asked for twice"
    assert hashes(tmp_path / "ds") == hashes(tmp_path / "through")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ds", "through"]


_CHILD = f"""
import sys, time
sys.path.insert(0, sys.argv[1])
from dialog_envs.registration import get_task
from dialog_envs.simulators.imagination import imagine
from tests.simulators.imagination_stub import Imaginer

class Slow(Imaginer):
    def reply(self, request):
        time.sleep(0.002)
        print(self.calls, flush=True)
        return super().reply(request)

imagine({TASK!r}, sys.argv[2], 12, 3, mode="imagine", imaginer=Slow(get_task({TASK!r})), personas=4)
"""


def test_a_kill_at_any_point_loses_only_what_was_in_flight(tmp_path: Path) -> None:
    through = Imaginer(get_task(TASK))
    imagined(tmp_path / "through", through, personas=4)
    command = [sys.executable, "-c", _CHILD, str(ROOT), str(tmp_path / "ds")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONHASHSEED": "7"})
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 25:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    again = Imaginer(get_task(TASK))
    imagined(tmp_path / "ds", again, personas=4)
    assert again.calls <= through.calls - 24
    assert hashes(tmp_path / "ds") == hashes(tmp_path / "through")


def test_a_replay_gives_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = RecordingModel(tmp_path / "calls.sqlite", Imaginer(get_task(TASK), nonsense=0.3, cost=0.01))
    imagined(tmp_path / "a", recording, personas=4)
    recording.close()
    replay = ReplayModel(tmp_path / "calls.sqlite")
    imagined(tmp_path / "b", replay, personas=4)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    spec = f"replay:{tmp_path / 'calls.sqlite'}"
    arguments = ["imagine", TASK, "--mode", "imagine", "--model", spec, "-n", "12", "--seed", "3"]
    arguments += ["--personas", "4", "--critique", "on", "--success-share", "0.5", "--rounds", "1"]
    assert main([*arguments, "-o", str(tmp_path / "c")]) == 0
    out, err = capsys.readouterr()
    assert hashes(tmp_path / "c") == hashes(tmp_path / "a")
    assert "people: 4 of" in out and "label and the kernel's reward agree in" in out and "cost: $" in out
    assert "reason: 4 people" in err and "imagine: 12 dialogues" in err
    assert main([*arguments, "--critique", "off", "-o", str(tmp_path / "d")]) == 0


def test_it_stops_before_it_costs_more(tmp_path: Path) -> None:
    through = Imaginer(get_task(TASK), cost=0.01)
    whole = imagined(tmp_path / "through", through).manifest["cost"]["usd"]
    seen: list[Standing] = []
    with pytest.raises(BudgetExceeded, match="larger --max-cost"):
        imagined(
            tmp_path / "ds", Imaginer(get_task(TASK), cost=0.01), max_cost=0.7 * whole, watch=seen.append
        )
    assert seen[-1].cost_usd < whole and seen[-1].expected_usd == pytest.approx(whole, rel=0.5)
    again = Imaginer(get_task(TASK), cost=0.01, served=False)
    imagined(tmp_path / "ds", again, max_cost=10.0)
    assert again.calls < through.calls
    assert hashes(tmp_path / "ds") == hashes(tmp_path / "through"), "the limit is no part of the data"


def test_training_by_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's reward is what is trained on, unless somebody wants the paper's."""
    dataset = imagined(tmp_path / "ds", critique=False, personas=4)  # the stub does not know these people
    labelled = by_label(dataset.episodes)
    assert [e.reward for e in labelled] == [float(e.outcome["label"]) for e in dataset.episodes]
    assert [e.reward for e in labelled] != [e.reward for e in dataset.episodes]
    assert all(len(e.rewards) == e.agent_turns and sum(e.rewards) == e.reward for e in labelled)
    with pytest.raises(DatasetError, match="has no label"):
        by_label(imagine(TASK, tmp_path / "played", 3, 1).episodes)
    seen: list[tuple[str, float]] = []

    def run(order: Any, episodes: Any) -> None:
        seen.append((order.record["fingerprint"], sum(episode.reward for episode in episodes)))
        raise DatasetError("enough")

    monkeypatch.setattr(training, "_run", run)
    for reward in ("kernel", "label"):
        with pytest.raises(DatasetError, match="enough"):
            training.train("bc", dataset.path, tmp_path / reward, reward=reward, progress=False)
    assert seen[0][0] != seen[1][0] and seen[1][1] == sum(e.outcome["label"] for e in dataset.episodes) == 6
    with pytest.raises(UsageError, match="kernel, label"):
        training.train("bc", dataset.path, tmp_path / "other", reward="opinion", progress=False)


class Asks:
    """An agent whose turns a model writes, and that hands its requests over or asks for them itself."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def request(self, observation: Any, seed: int) -> ChatRequest:
        content = transcript(observation["dialogue"]) or "Hello."
        return ChatRequest(({"role": "user", "content": content},), seed=seed, episode="mine")

    def act_batch(self, observations: Any, seeds: Any) -> list[str]:
        requests = [self.request(one, seed) for one, seed in zip(observations, seeds, strict=True)]
        return [reply.text for reply in self.model.complete(requests)]


class HandsOver(Asks):
    """The same, through the engine."""

    def asking(self, observation: Any, seed: int) -> Any:
        (reply,) = yield (self.request(observation, seed),)
        return reply.text


class Asker(Imaginer):
    """Asks something, whatever it is told."""

    def reply(self, request: ChatRequest) -> ChatReply:
        said = ("What kind of activity do you enjoy?", "Do you have a budget?", "How about the museum?")
        return ChatReply(
            said[len(request.messages[0]["content"]) % 3], Usage(10, 5, 0.001), "stop", self.version
        )


def test_rollouts_whose_requests_the_engine_has_in_flight(tmp_path: Path) -> None:
    """The same dialogues as an agent that asks for itself, with every reply kept and counted."""
    datasets = [
        imagine(
            TASK, tmp_path / kind.__name__, 20, 1, {"mine": 1.0, "hasty": 1.0}, speakers={"mine": kind(model)}
        )
        for kind, model in ((Asks, Asker(get_task(TASK))), (HandsOver, Asker(get_task(TASK))))
    ]
    assert datasets[0].episodes == datasets[1].episodes
    usage = datasets[1].manifest["cost"]["usage"]
    turns = sum(e.agent_turns for e in datasets[1].episodes if e.provenance.policy == "mine")
    assert set(usage) == {"agent"} and usage["agent"]["calls"] >= turns > 0
    broken = Asker(get_task(TASK))
    broken.fail_after = 10
    arguments: dict[str, Any] = {"policies": {"mine": 1.0, "hasty": 1.0}}
    with pytest.raises(ChatModelError):
        imagine(TASK, tmp_path / "again", 20, 1, speakers={"mine": HandsOver(broken)}, **arguments)
    again = Asker(get_task(TASK))
    made = imagine(TASK, tmp_path / "again", 20, 1, speakers={"mine": HandsOver(again)}, **arguments)
    assert made.episodes == datasets[1].episodes and again.calls == usage["agent"]["calls"] - 10


# ---- prompts of one's own --------------------------------------------------------------------------------------------


def test_prompts_of_ones_own(tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "imagine.mine.md").write_text("${brief}\n${persona}\n${outcome}\nMy own words.", "utf-8")
    dataset = imagined(tmp_path / "ds", prompts=folder, policies={"mine": 1.0})
    digest = hashlib.sha256((folder / "imagine.mine.md").read_bytes()).hexdigest()
    assert dataset.manifest["prompts"]["imagine.mine"] == digest
    assert "imagine.plain" not in dataset.manifest["prompts"], "only what was used"
    assert {episode.provenance.policy for episode in dataset.episodes} == {"imagine.mine"}
    assert "--policy imagine.mine=1 --prompts DIR" in dataset.manifest["command"]
    (folder / "critique.md").write_text("${dialog}", "utf-8")
    with pytest.raises(UsageError, match="may hold"):
        imagined(tmp_path / "other", prompts=folder)
    (folder / "critique.md").rename(folder / "critic.md")
    with pytest.raises(UsageError, match="is no prompt"):
        imagined(tmp_path / "other", prompts=folder)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"mode": "dream"}, "mode"),
        ({"success_share": 1.5}, "between 0 and 1"),
        ({"rounds": -1}, "rounds"),
        ({"personas": -1}, "personas"),
        ({"prompts": "nowhere"}, "no folder"),
        ({"policies": {"plain": 0.0}}, "sum to 0"),
    ],
)
def test_wrong_options(tmp_path: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        imagined(tmp_path / "ds", **options)
    assert not (tmp_path / "ds").exists()


def test_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["imagine", TASK, "--mode", "imagine", "-o", str(tmp_path / "ds")]) == 2
    assert "name one, as in --model" in capsys.readouterr().err


def test_reading_is_quick() -> None:
    """A dialogue a millisecond or so: the kernel must not hold up 64 requests in flight."""
    task = get_task(TASK)
    rng = stream(0, "quick")
    persona, scenario = task.prior.sample(rng, "focused"), task.sample_scenario(rng)
    begin = time.process_time()
    for _ in range(20):
        read_dialogue(task, persona, scenario, PARSED)
    assert time.process_time() - begin < 2.0


@pytest.mark.embedded
@pytest.mark.slow
@pytest.mark.skipif(not embedded_here(), reason="the embedded model is not installed")
def test_the_embedded_model_imagines_a_few(tmp_path: Path) -> None:
    """It is a poor writer; what was kept is valid all the same, and nobody needs a server to see how it works."""
    dataset = imagine(
        TASK, tmp_path / "ds", 2, 0, mode="imagine", imaginer="embedded", personas=1, critique=False
    )
    assert len(dataset) == 2 and validate(dataset.path).valid
    assert dataset.manifest["imagination"]["personas"]["used"] == 1
    assert "SmolLM2" in dataset.manifest["models"]["imaginer"] and "critic" not in dataset.manifest["models"]
