"""``dialog-envs imagine`` and ``dialog-envs data``, as a person runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dialog_envs.benchmarks.cli import main
from dialog_envs.benchmarks.cli.imagine import parse_policies
from dialog_envs.errors import UsageError

TASK = "PreferenceElicitation-v0"


@pytest.fixture
def dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """A dataset made on the command line."""
    assert main(["imagine", TASK, "--episodes", "20", "--seed", "3", "-o", str(tmp_path / "ds")]) == 0
    out, err = capsys.readouterr()
    assert "20 dialogues" in out and "criterion failed by" in out and "card.md" in out
    assert "imagine: 20 dialogues" in err
    return str(tmp_path / "ds")


def test_imagine_again_does_nothing(dataset: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["imagine", TASK, "--episodes", "20", "--seed", "3", "-o", dataset, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["counts"]["episodes"] == 20 and err == ""
    assert main(["imagine", TASK, "--episodes", "21", "--seed", "3", "-o", dataset]) == 2
    assert "holds another dataset" in capsys.readouterr().err
    assert main(["imagine", TASK, "-n", "5", "--policy", "hasty=1", "-o", dataset, "--replace"]) == 0
    assert "5 dialogues" in capsys.readouterr().out


def test_show(dataset: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "show", dataset, "-n", "2"]) == 0
    text = capsys.readouterr().out
    assert text.count("persona: family") == 2 and "agent  " in text and "[" in text and "ended by" in text
    assert main(["data", "show", dataset, "--id", "3-000000", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "3-000000"
    assert main(["data", "show", dataset, "--id", "nope"]) == 2
    assert "has no dialogue with id 'nope'" in capsys.readouterr().err


def test_stats(dataset: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "stats", dataset]) == 0
    assert "mean reward" in capsys.readouterr().out
    assert main(["data", "stats", dataset, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["whole"]["episodes"] == 20


def test_validate(dataset: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "validate", dataset]) == 0
    assert "valid, 20 episodes" in capsys.readouterr().out
    shard = Path(dataset) / "episodes-00000.jsonl"
    shard.write_text(shard.read_text("utf-8").replace('"ended_by":"accept"', '"ended_by":"leave"'), "utf-8")
    assert main(["data", "validate", dataset, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["valid"] is False and found["count"]["kernel"] >= 1


@pytest.mark.parametrize("verb", ["show", "stats", "validate"])
def test_no_dataset(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", verb, str(tmp_path / "nowhere")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, says in (
        ([TASK, "--family", "terse"], "held out"),
        (["Nothing-v0"], "unknown task"),
        ([TASK, "--policy", "hasty"], "write --policy NAME=WEIGHT"),
        ([TASK, "--model", "no-such-model"], "error:"),
    ):
        assert main(["imagine", *arguments, "-n", "3", "-o", str(tmp_path / "ds")]) == 2
        assert says in capsys.readouterr().err
    assert not (tmp_path / "ds").exists()


def test_policies_on_the_command_line() -> None:
    assert parse_policies([]) is None
    assert parse_policies(["hasty=2", "competent=.5"]) == {"hasty": 2.0, "competent": 0.5}
    for wrong in ("hasty", "=1", "hasty=much"):
        with pytest.raises(UsageError):
            parse_policies([wrong])
