"""Trainings for several seeds: what is made, where it goes, and that nothing is made twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialog_envs.benchmarks.demo import run_demo
from dialog_envs.benchmarks.repeats import repeat_stages, train_and_score
from dialog_envs.benchmarks.suite import load_suite
from dialog_envs.errors import ConfigError

SUITE = """
schema = 1
name = "small"
tasks = ["PreferenceElicitation-v0"]
information_per_family = 0
[users.typical]
families = ["easygoing"]
episodes_per_family = 2
[users.hard]
episodes_per_family = 1
[seeds]
report = 10_000_000
validation = 20_000_000
training = [0, 1]
[[agents]]
name = "random"
[[agents]]
name = "bc"
[[agents]]
name = "mc"
[dataset]
episodes = 12
[training.bc]
epochs = 1.0
layers = 1
width = 16
[training.mc]
init = "bc"
epochs = 1.0
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    from dialog_envs.registration import get_task

    family = get_task("PreferenceElicitation-v0").prior.typical[0]
    path = tmp_path / "small.toml"
    path.write_text(SUITE.replace("easygoing", family), "utf-8")
    return path


def test_a_seed_at_a_time_and_one_row_over_all(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trainings run here instead of in processes of their own: starting those takes most of the time."""
    from dialog_envs.benchmarks import demo
    from dialog_envs.datasets import read_dataset
    from dialog_envs.simulators.imagination import imagine

    suite, out = load_suite(file), tmp_path / "run"
    task = suite.tasks[0]
    imagine(task, out / "datasets" / task, episodes=12, seed=1)
    assert len(list(read_dataset(out / "datasets" / task).episodes)) == 12
    done: list[str] = []

    def run_stages(folder: Path, stages: list[object], jobs: int, clock: object) -> None:
        for stage in stages:
            if stage.kind == "trainings" and not stage.product.exists():
                seed = int(stage.command[5])
                train_and_score(suite, task, seed, folder)
                done.append(stage.name)

    monkeypatch.setattr(demo, "run_stages", run_stages)
    run = run_demo(suite, out, jobs=1)
    assert done == [f"{task}/seed-0/trainings", f"{task}/seed-1/trainings"]
    assert set(run.leaderboard.agents(task)) == {"bc", "mc", "random"} and not run.missing
    row = run.leaderboard.row(task, "mc", "typical")
    assert row.episodes == 4 and set(row.trainings) == {0, 1}
    assert run.leaderboard.pair(task, "mc", "typical").episodes == 4
    assert (out / "checkpoints" / "seed-1" / task / "mc" / "training.json").is_file()
    assert "| mc |" in (out / "comparison.md").read_text("utf-8")
    lines = (out / "episodes.jsonl").read_text("utf-8")
    again = run_demo(suite, out, jobs=1)
    assert len(done) == 2 and again.leaderboard.to_json() == run.leaderboard.to_json()
    assert (out / "episodes.jsonl").read_text("utf-8") == lines


def test_stages_are_remade_when_what_they_are_made_of_changes(file: Path, tmp_path: Path) -> None:
    suite, out = load_suite(file), tmp_path / "run"
    data = out / "datasets" / suite.tasks[0] / "manifest.json"
    data.parent.mkdir(parents=True)
    data.write_text("{}", "utf-8")
    first, second = repeat_stages(suite, out, "report")
    before = first.made_from()
    assert first.after == second.after == (f"{suite.tasks[0]}/imagine",) and first.command[3] == str(file)
    file.write_text(file.read_text("utf-8").replace("width = 16", "width = 32"), "utf-8")
    assert repeat_stages(load_suite(file), out, "report")[0].made_from() != before
    data.write_text('{"other": 1}', "utf-8")
    assert first.made_from() != before


def test_mistakes_are_named(file: Path) -> None:
    from dataclasses import replace

    with pytest.raises(ConfigError, match="give its name or its file"):
        repeat_stages(replace(load_suite(file), source=""), file.parent, "report")
    text = file.read_text("utf-8")
    file.write_text(text.replace("[0, 1]", "[1, 1]"), "utf-8")
    with pytest.raises(ConfigError, match="names a seed twice"):
        load_suite(file)


def test_the_shipped_suite_trains_every_algorithm_for_five_seeds() -> None:
    from dialog_envs.agents.algorithms import ALGORITHMS

    suite = load_suite("algorithms")
    assert set(ALGORITHMS) <= set(suite.training) <= {agent.name for agent in suite.agents}
    assert len(suite.training_seeds) == 5 and suite.baseline == "bc"
    assert {"random", "oracle"} <= {agent.name for agent in suite.agents}  # the scale of normalised scores
