"""Studies: what ships can be read and planned, a run resumes, and a wrong file says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dialog_envs.benchmarks.cli import main
from dialog_envs.benchmarks.study.running import expand, plan
from dialog_envs.benchmarks.study.spec import UnknownStudy, load_study, parse_study, study_names
from dialog_envs.errors import ConfigError, UsageError

SMALL = """
schema = 1
name = "small"
question = "Does anything differ?"
task = "PreferenceElicitation-v0"
baseline = "a"
[imagine]
mode = "imagine"
personas = 0
[train]
algorithm = "filtered-bc"
[sizes.minutes]
dialogues = 16
seeds = 1
episodes = 1
models = ["flawed"]
train = { layers = 1, width = 16, epochs = 1.0, save_every = 0 }
[[arms]]
name = "a"
imagine = { critique = "off" }
[[arms]]
name = "b"
train = { reward = "label" }
imagine = { critique = "off" }
"""


@pytest.mark.parametrize("name", study_names())
def test_shipped_studies_can_be_planned(name: str, tmp_path: Path) -> None:
    study = load_study(name)
    for size in study.sizes:
        chosen = study.size(size, ["openai:model"] if size == "full" else ())
        arms = expand(study, chosen)
        stages, agents, _ = plan(study, chosen, arms, tmp_path)
        assert len({stage.name for stage in stages}) == len(stages) and agents
        if not any(arm.each_model for arm in study.arms):
            assert study.baseline in [arm.name for arm in arms]


def test_arms_that_imagine_alike_share_their_data(tmp_path: Path) -> None:
    study = parse_study(SMALL, "small")
    size = study.size("minutes")
    stages, _, data = plan(study, size, expand(study, size), tmp_path)
    assert [stage.name for stage in stages] == [
        "a-0/imagine",
        "a-0/train-filtered-bc",
        "b-0/train-filtered-bc",
    ]
    assert data["a"] == data["b"]


def test_a_study_runs_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "small.toml"
    file.write_text(SMALL, "utf-8")
    command = ["study", str(file), "-o", str(tmp_path / "run")]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "| a " in out and "| b " in out and "heuristic" in out and "[" in out
    found = json.loads((tmp_path / "run" / "study.json").read_text("utf-8"))
    assert found["data"]["a"]["dialogues"] == 16 and found["paired"]
    assert "16 dialogues, " in out and "The widest interval of a difference is ±" in out
    assert (tmp_path / "run" / "study.svg").read_text("utf-8").startswith("<svg")
    assert main(command) == 0
    again = capsys.readouterr()
    assert again.out == out and "step" not in again.err, "nothing is made twice"


def test_mistakes_are_told() -> None:
    with pytest.raises(UnknownStudy, match="critique"):
        load_study("critic")
    with pytest.raises(ConfigError, match="unknown key 'colour'"):
        parse_study(SMALL.replace("[imagine]", "colour = 1\n[imagine]"), "small")
    with pytest.raises(UsageError, match="needs a language model"):
        load_study("critique").size("full")
