"""The runner: same episodes for every agent, resume, blame, caps, and folders that do not fit."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import dialog_envs
from dialog_envs.agents.base import Usage
from dialog_envs.agents.registry import AgentSpec
from dialog_envs.benchmarks.journal import RunFolder, read_episodes
from dialog_envs.benchmarks.suite import Suite
from dialog_envs.errors import AgentError, ChatModelError, ModelUnavailable, RunFolderError

EPISODES = 12 * 2 + 10
ROOT = str(Path(dialog_envs.__file__).parents[1])


def test_every_agent_plays_the_same_episodes(run_tea: Any, asking: AgentSpec, green: AgentSpec) -> None:
    run = run_tea(asking, green)
    assert (run.played, run.missing) == (2 * EPISODES, 0)
    episodes: dict[str, set[Any]] = {"asking": set(), "green": set()}
    for record in read_episodes(run.folder):
        assert record.turns[0].text == "Tea, please."
        episodes[record.agent].add(
            (record.family, record.seed, record.persona_key, json.dumps(record.scenario))
        )
    assert episodes["asking"] == episodes["green"]
    assert len(episodes["green"]) == EPISODES


def test_personas_are_shared_as_the_suite_says(run_tea: Any, green: AgentSpec) -> None:
    records = {(r.family, r.index): r for r in read_episodes(run_tea(green).folder)}
    for index in (0, 4, 10):
        first, second = records["chatty", index], records["chatty", index + 1]
        assert first.persona == second.persona
        assert first.seed != second.seed


def test_running_again_plays_nothing(run_tea: Any, green: AgentSpec, tmp_path: Path) -> None:
    run_tea(green)
    before = (tmp_path / "run" / "episodes.jsonl").read_bytes()
    again = run_tea(green)
    assert again.played == 0
    assert (tmp_path / "run" / "episodes.jsonl").read_bytes() == before


def test_interrupted_run_keeps_what_is_finished(run_tea: Any, spec: Any, tmp_path: Path) -> None:
    count = 0

    def stops(observation: Any) -> str:
        nonlocal count
        count += 1
        if count == 10:
            raise KeyboardInterrupt
        return "Have green and black."

    with pytest.raises(KeyboardInterrupt):
        run_tea(spec("both", stops))
    assert len(read_episodes(tmp_path / "run")) == 9
    assert run_tea(spec("both", stops)).played == EPISODES - 9


def test_torn_last_line_is_cut_off(run_tea: Any, green: AgentSpec, tmp_path: Path) -> None:
    run_tea(green)
    file = tmp_path / "run" / "episodes.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-40])
    assert run_tea(green).played == 1
    assert len(read_episodes(tmp_path / "run")) == EPISODES
    assert file.read_bytes().endswith(b"\n")


def test_edited_line_is_named(run_tea: Any, green: AgentSpec, tmp_path: Path) -> None:
    run_tea(green)
    file = tmp_path / "run" / "episodes.jsonl"
    lines = file.read_text().splitlines()
    lines[4] = lines[4][:50]
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(RunFolderError, match="line 5 is no episode"):
        run_tea(green)


def test_simulator_failure_is_unscored_and_tried_again(run_tea: Any, green: AgentSpec) -> None:
    broken = 10_000_003
    first = run_tea(green, fail_on=[broken])
    record = next(r for r in read_episodes(first.folder) if r.seed == broken)
    assert (record.unscored, record.blame, record.error) == (True, "simulator", "the user fell silent.")
    row = first.leaderboard.row("Tea-v0", "green", "typical")
    assert (first.missing, row.episodes, row.unscored) == (1, 23, 1)
    second = run_tea(green)
    assert (second.played, second.missing) == (1, 0)
    assert second.leaderboard.row("Tea-v0", "green", "typical").unscored == 0


@pytest.mark.parametrize(
    ("error", "blame", "unscored"),
    [
        (ValueError("bad luck"), "agent", False),
        (AgentError("no text"), "agent", False),
        (ChatModelError("server down"), "model", True),
        (ConnectionResetError("reset"), "network", True),
    ],
)
def test_blame(run_tea: Any, spec: Any, error: Exception, blame: str, unscored: bool) -> None:
    def fails(observation: Any) -> str:
        if observation["brief"][6] in "123":
            raise error
        return "Have green."

    run = run_tea(spec("fails", fails))
    broken = [r for r in read_episodes(run.folder) if r.blame]
    assert broken
    assert {(r.blame, r.unscored) for r in broken} == {(blame, unscored)}
    assert all(str(error) in r.error for r in broken)
    if not unscored:
        assert all(not r.outcome["success"] and r.value == 0 for r in broken)


@pytest.mark.parametrize(("answer", "part"), [(None, "NoneType"), ("x" * 2000, "2,000 characters")])
def test_wrong_answers_are_the_agents_fault(run_tea: Any, spec: Any, answer: Any, part: str) -> None:
    record = read_episodes(run_tea(spec("wrong", lambda observation: answer)).folder)[0]
    assert record.blame == "agent"
    assert part in record.error


def test_agent_whose_model_is_down_is_given_up(run_tea: Any, spec: Any, green: AgentSpec) -> None:
    def down(observation: Any) -> str:
        raise ChatModelError("server down")

    run = run_tea(spec("down", down), green)
    assert run.played == 8 + EPISODES
    assert run.missing == EPISODES


def test_cap_plays_the_first_of_every_family(run_tea: Any, green: AgentSpec) -> None:
    run = run_tea(green, cap=2)
    assert {(r.family, r.index) for r in read_episodes(run.folder)} == {
        (family, index) for family in ("calm", "chatty", "hasty") for index in (0, 1)
    }


class Batched:
    """Answers in batches, uses tokens, and fails on one scenario."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.used = Usage()

    def act_batch(self, observations: Any, seeds: Any) -> list[str]:
        self.sizes.append(len(observations))
        if any(o["brief"].startswith("Table 1") for o in observations):
            raise ValueError("table one")
        self.used = self.used + Usage(10 * len(observations), len(observations), 0.001 * len(observations))
        return [f"Have {'green' if seed % 2 else 'black'}." for seed in seeds]

    def usage(self) -> Usage:
        return self.used


def test_batched_agent(run_tea: Any) -> None:
    agent = Batched()
    run = run_tea(AgentSpec("batched", "test", "1", lambda task: agent, shared=True))  # type: ignore[arg-type,return-value]
    records = read_episodes(run.folder)
    assert agent.sizes[0] == EPISODES
    for record in records:
        failed = str(record.scenario["number"]).startswith("1")
        assert (record.blame == "agent") == failed
        assert failed or record.tokens == 11 * record.agent_turns
    assert run.leaderboard.row("Tea-v0", "batched", "typical").tokens > 0


def test_oracle_is_shown_the_persona(run_tea: Any) -> None:
    class Oracle:
        needs_persona = True

        def start(self, brief: str, seed: int) -> None:
            self.tea = ""

        def reveal(self, persona: Any, scenario: Any) -> None:
            self.tea = persona.tea

        def act(self, observation: Any) -> str:
            return f"Have {self.tea}."

    run = run_tea(AgentSpec("oracle", "test", "1", lambda task: Oracle()))
    assert run.leaderboard.row("Tea-v0", "oracle", "hard").success.mean == 1


def test_other_settings_are_refused(run_tea: Any, green: AgentSpec, suite: Suite) -> None:
    run_tea(green)
    with pytest.raises(RunFolderError, match=r"split = 'report'.*split = 'validation'.*--out"):
        run_tea(green, split="validation")
    with pytest.raises(RunFolderError, match="cannot be compared"):
        run_tea(green, suite=replace(suite, reward="binary"))


def test_changed_agent_is_refused_or_scored_afresh(run_tea: Any, spec: Any, green: AgentSpec) -> None:
    run_tea(green)
    changed = spec("green", lambda observation: "Have black.", fingerprint="2")
    with pytest.raises(RunFolderError, match="--redo green"):
        run_tea(changed)
    assert run_tea(changed, redo=["green"]).played == EPISODES
    assert (
        run_tea(spec("green", lambda observation: "", fingerprint="3"), redo=["changed"]).played == EPISODES
    )


def test_optional_agent_is_left_out(
    suite: Suite, tmp_path: Path, tea_task: Any, tea_env: Any, capsys: Any
) -> None:
    from dialog_envs.benchmarks.runner import Contestant, run_suite

    def build(task: Any) -> Any:
        raise ModelUnavailable("no model here.")

    missing = AgentSpec("prompted", "prompted", "1", build)
    options: Any = {"get_task": lambda name: tea_task, "make_env": lambda name: tea_env()}
    run = run_suite(suite, [Contestant(missing, optional=True)], tmp_path / "run", **options)
    assert (run.played, run.missing) == (0, 0)
    assert "left out of Tea-v0: no model here." in capsys.readouterr().err
    with pytest.raises(ModelUnavailable):
        run_suite(suite, [Contestant(missing)], tmp_path / "run", **options)


def test_folder_in_use(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", {"a": 1}):
        code = (
            f"import sys; sys.path.insert(0, {ROOT!r}); from dialog_envs.benchmarks.journal import RunFolder\n"
            "from dialog_envs.errors import RunFolderError\n"
            "try:\n    RunFolder(sys.argv[1], {'a': 1}).__enter__()\n"
            "except RunFolderError as error:\n    print(error)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "run")], capture_output=True, text=True
        )
    assert "in use by another process" in done.stdout, done.stderr


def test_folder_without_permission(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="cannot write to the run folder"):
        RunFolder(tmp_path / "file" / "run", {}).__enter__()


def test_worker_that_cannot_make_its_agent_says_why() -> None:
    from dialog_envs.benchmarks.parallel import Job, NotMade, play_in_workers
    from dialog_envs.benchmarks.suite import Unit

    unit = Unit("PreferenceElicitation-v0", "hard", "terse", 0, 1, 1)
    job = Job("ilql=no/such/folder", unit.task, "scripted", "binary", 0)
    with pytest.raises(NotMade, match="no checkpoint folder"):
        list(play_in_workers(job, [unit], 1))


def test_worker_that_dies_is_told(tmp_path: Path) -> None:
    from dialog_envs.benchmarks.parallel import Job, play_in_workers
    from dialog_envs.benchmarks.suite import Unit

    (tmp_path / "dies.py").write_text("import os\ndef agent(observation):\n    os._exit(3)\n")
    unit = Unit("PreferenceElicitation-v0", "hard", "terse", 0, 1, 1)
    job = Job(f"{tmp_path}/dies.py:agent", unit.task, "scripted", "binary", 0)
    with pytest.raises(AgentError, match=r"exit code 3.*--jobs 1"):
        list(play_in_workers(job, [unit], 1))
