"""The engine: reproducible to the byte, resumable after a kill, and typical families only."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dialog_envs.core.dialogue import AGENT, Observation
from dialog_envs.core.env import DialogEnv
from dialog_envs.datasets import read_dataset, read_dropped, validate
from dialog_envs.errors import (
    DatasetError,
    SimulatorError,
    UnknownFamily,
    UnknownName,
    UnknownTask,
    UsageError,
)
from dialog_envs.registration import get_task
from dialog_envs.simulators.imagination import imagine
from dialog_envs.simulators.imagination.rollout import BATCH

TASK = "PreferenceElicitation-v0"
ROOT = Path(__file__).parents[2]
QUESTIONS = (
    "What kind of activity do you enjoy?",
    "Do you like it quiet or lively?",
    "Do you have a budget?",
)


def hashes(folder: Path) -> dict[str, str]:
    """Every file of a dataset, by content."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


class Speaker:
    """Asks three questions, then names the first activity; answers many at once."""

    description = "counts to three"
    prompt = "Ask three questions."

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.fail_after = 10**9

    def act_batch(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        if len(self.batches) >= self.fail_after:
            raise SimulatorError("the model is gone")
        assert len(observations) == len(seeds)
        self.batches.append(len(seeds))
        return [self.say(observation) for observation in observations]

    def say(self, observation: Observation) -> str:
        said = sum(turn["speaker"] == AGENT for turn in observation["dialogue"])
        first = observation["brief"].partition("\n- ")[2].partition(":")[0]
        return QUESTIONS[said] if said < len(QUESTIONS) else f"How about the {first}?"


class OneByOne:
    """The same, an episode at a time."""

    def start(self, brief: str, seed: int) -> None:
        self.seed = seed

    def act(self, observation: Observation) -> str:
        return Speaker().say(observation)


# ---- what it makes ---------------------------------------------------------------------------------------------------


def test_makes_a_valid_dataset(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    dataset = imagine(TASK, tmp_path / "ds", 60, 1, progress=lambda done, total: calls.append((done, total)))
    assert validate(tmp_path / "ds").valid
    assert len(dataset) == 60 and calls[-1] == (60, 60)
    assert sorted(file.name for file in dataset.path.iterdir()) == [
        "card.md", "dropped.jsonl", "episodes-00000.jsonl", "manifest.json"
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["ds"], "nothing is left beside it"
    task = get_task(TASK)
    assert {episode.family for episode in dataset.episodes} == set(task.prior.typical)
    assert {e.provenance.policy for e in dataset.episodes} <= set(task.behaviour_mixture)
    manifest = dataset.manifest
    assert manifest["task_version"] == task.version and manifest["user_version"]
    assert manifest["command"] == f"dialog-envs imagine {TASK} --episodes 60 --seed 1 -o DIR"
    critique = manifest["critique"]
    assert critique["kept"] + critique["revised"] == 60
    assert critique["attempts"] == 60 + critique["dropped"]
    assert len(read_dropped(dataset.path)) == critique["dropped"]


def test_the_card_is_for_people(tmp_path: Path) -> None:
    imagine(TASK, tmp_path / "ds", 30, 1)
    text = (tmp_path / "ds" / "card.md").read_text("utf-8")
    for part in ("# PreferenceElicitation-v0: 30 dialogues", "dialog-envs imagine", "## Policies",
                 "## Critique", "## Figures", "## Disclosure by turn", "## Diversity", "## Samples",
                 "ended by accept: success"):  # fmt: skip
        assert part in text


def test_replaying_the_agent_meets_the_same_user(tmp_path: Path) -> None:
    """Data equals environment: same seed, same agent turns, same user turns and reward."""
    dataset = imagine(TASK, tmp_path / "ds", 40, 2, reward="dense", critique=False)
    env = DialogEnv(get_task(TASK), reward="dense")
    for episode in dataset.episodes:
        env.reset(seed=episode.seed, options={"family": episode.family})
        rewards = [float(env.step(turn.text)[1]) for turn in episode.turns if turn.speaker == AGENT]
        assert env.persona.to_json() == episode.persona and env.scenario.to_json() == episode.scenario
        assert tuple(env.turns) == episode.turns
        assert rewards == pytest.approx(episode.rewards)


def test_shares_are_kept(tmp_path: Path) -> None:
    dataset = imagine(TASK, tmp_path / "ds", 120, 0, {"hasty": 3, "thorough": 1}, critique=False)
    counts = Counter(episode.provenance.policy for episode in dataset.episodes)
    assert set(counts) == {"hasty", "thorough"} and 70 <= counts["hasty"] <= 108
    assert dataset.manifest["policies"]["hasty"] == {
        "share": 0.75,
        "episodes": counts["hasty"],
        "model": None,
    }
    assert dataset.manifest["critique"]["criteria"] == []
    assert "--policy hasty=0.75 --policy thorough=0.25 --no-critique" in dataset.manifest["command"]


def test_a_family_of_ones_own(tmp_path: Path) -> None:
    dataset = imagine(TASK, tmp_path / "ds", 10, 0, families=["reserved"])
    assert {episode.family for episode in dataset.episodes} == {"reserved"}


# ---- reproducible ----------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    mixture = {"hasty": 1.0, "stubborn": 1.0}
    imagine(TASK, tmp_path / "a", 30, 7, mixture)
    imagine(TASK, tmp_path / "b", 30, 7, dict(reversed(mixture.items())))
    imagine(TASK, tmp_path / "c", 30, 8, mixture)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert hashes(tmp_path / "a") != hashes(tmp_path / "c")


_CHILD = f"""
import sys
sys.path.insert(0, sys.argv[1])
from dialog_envs.simulators.imagination import imagine
from dialog_envs.simulators.imagination.rollout import BATCH
imagine({TASK!r}, sys.argv[2], int(sys.argv[3]), 7, progress=lambda done, total: print(done, flush=True))
"""


def child(out: Path, episodes: int, hash_seed: str = "0") -> subprocess.Popen[bytes]:
    """``imagine`` in a process of its own."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(ROOT), str(out), str(episodes)],
        stdout=subprocess.PIPE,
        env=environment,
    )


def test_the_same_bytes_in_other_processes(tmp_path: Path) -> None:
    children = [child(tmp_path / seed, 25, seed) for seed in ("1", "42")]
    for process in children:
        process.communicate()
        assert process.returncode == 0
    imagine(TASK, tmp_path / "here", 25, 7)
    assert hashes(tmp_path / "here") == hashes(tmp_path / "1") == hashes(tmp_path / "42")


# ---- resumable -------------------------------------------------------------------------------------------------------


def test_a_kill_loses_only_what_was_in_flight(tmp_path: Path) -> None:
    process = child(tmp_path / "ds", 5000)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 40:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "ds").exists()
    journal = next(tmp_path.glob(".ds.partial-*/attempts.jsonl"))
    lines = journal.read_bytes().splitlines(keepends=True)
    assert len(lines) >= 40
    journal.write_bytes(b"".join(lines) + b'{"index": 3, "episode": {"id"')  # torn in the middle of a line
    calls: list[int] = []
    imagine(TASK, tmp_path / "ds", 60, 7, progress=lambda done, total: calls.append(done))
    imagine(TASK, tmp_path / "through", 60, 7)
    assert len(calls) <= 60 - 40 + 5, "what was finished is not made again"
    assert hashes(tmp_path / "ds") == hashes(tmp_path / "through")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ds", "through"]


def test_a_damaged_journal_is_made_again_from_there(tmp_path: Path) -> None:
    speaker = Speaker()
    speaker.fail_after = 2
    arguments: dict[str, Any] = {"policies": {"hasty": 1.0, "talker": 1.0}, "speakers": {"talker": speaker}}
    with pytest.raises(SimulatorError, match="the model is gone"):
        imagine(TASK, tmp_path / "ds", 20, 3, **arguments)
    journal = next(tmp_path.glob(".ds.partial-*/attempts.jsonl"))
    lines = journal.read_bytes().splitlines(keepends=True)
    assert lines, "the scripted policies' dialogues are kept although the model failed"
    journal.write_bytes(lines[0] + b'{"index": 1}\n' + b"".join(lines[2:]))
    speaker.fail_after = 10**9
    assert len(imagine(TASK, tmp_path / "ds", 20, 3, **arguments)) == 20
    assert validate(tmp_path / "ds").valid


def test_a_finished_dataset_is_returned_at_once(tmp_path: Path) -> None:
    first = imagine(TASK, tmp_path / "ds", 20, 1)
    calls: list[int] = []
    again = imagine(TASK, tmp_path / "ds", 20, 1, progress=lambda done, total: calls.append(done))
    assert again.episodes == first.episodes and not calls


def test_another_dataset_is_not_overwritten(tmp_path: Path) -> None:
    imagine(TASK, tmp_path / "ds", 20, 1)
    with pytest.raises(DatasetError, match="holds another dataset"):
        imagine(TASK, tmp_path / "ds", 20, 2)
    assert imagine(TASK, tmp_path / "ds", 20, 2, replace_existing=True).manifest["seed"] == 2
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("")
    with pytest.raises(DatasetError, match="is no dataset"):
        imagine(TASK, tmp_path / "other", 20, 1, replace_existing=True)


def test_two_processes_do_not_make_the_same_dataset(tmp_path: Path) -> None:
    speaker = Speaker()

    class Nested(Speaker):
        def act_batch(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
            imagine(TASK, tmp_path / "ds", 4, 1, {"talker": 1.0}, speakers={"talker": speaker})
            return []

    with pytest.raises(DatasetError, match="another process is making the same dataset"):
        imagine(TASK, tmp_path / "ds", 4, 1, {"talker": 1.0}, speakers={"talker": Nested()})


# ---- speakers --------------------------------------------------------------------------------------------------------


def test_a_speaker_takes_its_share_side_by_side(tmp_path: Path) -> None:
    speaker = Speaker()
    dataset = imagine(TASK, tmp_path / "ds", 60, 1, speakers={"talker": speaker}, model_share=0.3)
    mine = [episode for episode in dataset.episodes if episode.provenance.policy == "talker"]
    assert 8 <= len(mine) <= 30
    assert speaker.batches[0] == BATCH, "they are played side by side"
    assert {episode.provenance.model for episode in mine} == {"counts to three"}
    assert dataset.manifest["models"] == {"talker": "counts to three"}
    assert dataset.manifest["prompts"] == {"talker": hashlib.sha256(speaker.prompt.encode()).hexdigest()}
    assert dataset.manifest["policies"]["talker"]["model"] == "counts to three"
    assert validate(tmp_path / "ds").valid


def test_alone_equals_in_a_batch(tmp_path: Path) -> None:
    batched = imagine(TASK, tmp_path / "a", 12, 1, {"talker": 1.0}, speakers={"talker": Speaker()}, model="m")
    alone = imagine(TASK, tmp_path / "b", 12, 1, {"talker": 1.0}, speakers={"talker": OneByOne()}, model="m")
    assert batched.episodes == alone.episodes


def test_a_speaker_that_miscounts(tmp_path: Path) -> None:
    class Short(Speaker):
        def act_batch(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
            return []

    with pytest.raises(SimulatorError, match="gave 0 texts for 4 dialogues"):
        imagine(TASK, tmp_path / "ds", 4, 1, {"talker": 1.0}, speakers={"talker": Short()})


def test_nonsense_is_thrown_away_and_told(tmp_path: Path) -> None:
    class Babbler(Speaker):
        def say(self, observation: Observation) -> str:
            return "blargh fnord"

    speakers = {"babbler": Babbler()}
    dataset = imagine(TASK, tmp_path / "ds", 30, 1, {"hasty": 1, "babbler": 1}, speakers=speakers)
    assert len(dataset) == 30, "what is dropped is made up for"
    assert {episode.provenance.policy for episode in dataset.episodes} == {"hasty"}
    critique = dataset.manifest["critique"]
    assert critique["dropped"] >= 15 and critique["failed"]["learnable"]["dropped"] >= 15
    dropped = read_dropped(dataset.path)
    assert len(dropped) == critique["dropped"] and all(e.critique.verdict == "dropped" for e in dropped)
    with pytest.raises(DatasetError, match="the critique kept 0"):
        imagine(TASK, tmp_path / "nothing", 30, 1, {"babbler": 1}, speakers=speakers)


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["hard", "terse", "contradictory"])
def test_held_out_families_are_refused(tmp_path: Path, family: str) -> None:
    with pytest.raises(UsageError, match="held out"):
        imagine(TASK, tmp_path / "ds", 5, 0, families=["focused", family])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"task": "Nothing-v0"}, UnknownTask, "There is"),
        ({"episodes": 0}, UsageError, "at least one episode"),
        ({"seed": -1}, UsageError, "seed"),
        ({"families": ["grumpy"]}, UnknownFamily, "grumpy"),
        ({"families": []}, UsageError, "at least one user family"),
        ({"policies": {"hasti": 1}}, UnknownName, "Did you mean 'hasty'"),
        ({"policies": {"hasty": -1}}, UsageError, "at least 0"),
        ({"policies": {"hasty": float("nan")}}, UsageError, "at least 0"),
        ({"policies": {"hasty": 0}}, UsageError, "sum to 0"),
        ({"policies": {"oracle": 1}}, UsageError, "sees the persona"),
        ({"speakers": {"talker": OneByOne()}, "model_share": 2}, UsageError, "between 0 and 1"),
        ({"user": "nobody"}, UnknownName, "scripted"),
        ({"reward": "much"}, UsageError, "binary"),
    ],
)
def test_wrong_arguments(
    tmp_path: Path, arguments: dict[str, Any], error: type[Exception], says: str
) -> None:
    given = {"task": TASK, "episodes": 5, "seed": 0, **arguments}
    with pytest.raises(error, match=says):
        imagine(given.pop("task"), tmp_path / "ds", given.pop("episodes"), given.pop("seed"), **given)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="cannot write"):
        imagine(TASK, tmp_path / "file" / "ds", 5, 0)


def test_the_manifest_is_plain_json(tmp_path: Path) -> None:
    dataset = imagine(TASK, tmp_path / "ds", 5, 0)
    assert (
        json.loads((tmp_path / "ds" / "manifest.json").read_text("utf-8"))
        == read_dataset(dataset.path).manifest
    )
