"""The datasets that come with the package: whole, valid, of typical families, and what their commands make."""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path

import pytest

from dialog_envs.benchmarks.cli import main
from dialog_envs.datasets import DatasetWriter, load, read_dataset, read_manifest, shipped
from dialog_envs.datasets.shipped import PREFIX, ROOT
from dialog_envs.errors import DatasetError
from dialog_envs.registration import TASKS, get_task
from dialog_envs.simulators.imagination import imagine
from dialog_envs.testing import check_dataset

NAMES = tuple(f"{task}/{name}" for task in TASKS for name in ("language-model", "scripted"))
SCRIPTED = f"{PREFIX}PreferenceElicitation-v0/scripted"
MOST = 3_000_000


loaded = cache(load)


def test_two_for_each_task() -> None:
    assert set(NAMES) <= set(shipped())


@pytest.mark.parametrize("name", NAMES)
def test_small_valid_and_what_the_environment_says(name: str) -> None:
    """Hashes, schema, rewards, acts and counts are checked whole, and a sample is played again."""
    folder = ROOT / name
    files = sorted(file.name for file in folder.iterdir())
    assert {"card.md", "manifest.json"} < set(files)
    assert sum(file.stat().st_size for file in folder.iterdir()) <= MOST
    assert check_dataset(PREFIX + name, number=25) == 25


@pytest.mark.parametrize("name", NAMES)
def test_who_speaks(name: str) -> None:
    dataset = loaded(name)
    task = get_task(dataset.task)
    assert dataset.task == name.partition("/")[0] and dataset.manifest["task_version"] == task.version
    families = {episode.family for episode in dataset.episodes}
    assert families == set(task.prior.typical) and not families & set(task.prior.hard)
    models = {episode.provenance.model for episode in dataset.episodes} - {None}
    assert bool(models) == name.endswith("language-model")
    assert {bool(episode.outcome["success"]) for episode in dataset.episodes} == {False, True}


@pytest.mark.parametrize("name", NAMES)
def test_the_card_has_the_command(name: str) -> None:
    card, facts = (ROOT / name / "card.md").read_text("utf-8"), read_manifest(PREFIX + name)
    assert f"```\n{facts['command']}\n```" in card
    asked = (
        "--model embedded --model-share 0.2 --compress xz -o DIR"
        if facts["models"]
        else "--compress xz -o DIR"
    )
    assert str(facts["command"]).endswith(asked)
    assert ("on one machine" in card) == bool(facts["models"])


@pytest.mark.parametrize("name", NAMES)
def test_the_card_has_the_manifests_figures(name: str) -> None:
    """As ``data card`` prints them today: whoever makes the data again, or counts otherwise, writes the card again."""
    card, facts = (ROOT / name / "card.md").read_text("utf-8"), read_manifest(PREFIX + name)
    counts, critique = facts["counts"], facts["critique"]
    assert card.startswith(f"# {facts['task']}: {counts['episodes']:,} dialogues\n")
    assert f"(version {facts['task_version']})" in card and f"users: {', '.join(facts['families'])};" in card
    cells = {
        tuple(cell.strip() for cell in line.split("|")[1:3]) for line in card.splitlines() if "|" in line
    }
    assert {("turns", f"{counts['turns']:,}"), ("mean reward", f"{facts['reward']['mean']:.3f}")} <= cells
    assert {("success", f"{facts['reward']['success']:.1%}")} <= cells
    assert {(family, f"{number:,}") for family, number in facts["families"].items()} <= cells
    seen = sum(critique[verdict] for verdict in ("kept", "revised", "dropped"))
    assert all(f"{critique[verdict]:,} {verdict} (" in card for verdict in ("kept", "revised", "dropped"))
    assert f"Of {seen:,} dialogues:" in card and f"`{facts['dropped']['file']}` what the critique" in card
    assert ("## Cost" in card) == ("cost" in facts) == bool(facts["models"])
    told = re.search(r"told a dialogue +\| ([\d.]+) elicited, ([\d.]+) volunteered", card)
    assert told and f"tells {told[1]} things because of what the agent did, and {told[2]} unasked" in card
    assert float(told[1]) > 0 and "Vendi score" in card and "distinct-2" in card


@pytest.mark.parametrize("task", TASKS)
def test_the_command_makes_it(task: str, tmp_path: Path) -> None:
    """Its first dialogues, which do not depend on how many follow."""
    dataset = loaded(f"{task}/scripted")
    made = imagine(task, tmp_path / "ds", 40, int(dataset.manifest["seed"]), compress="xz")
    assert made.episodes == dataset.episodes[:40]
    with DatasetWriter(tmp_path / "again", {"task": task}) as writer:
        writer.write_all(dataset.episodes)
    (one,) = dataset.manifest["shards"]
    (other,) = read_manifest(tmp_path / "again")["shards"]
    assert (one["sha256"], one["bytes"]) == (other["sha256"], other["bytes"]), "packed or not"


# ---- as folders ------------------------------------------------------------------------------------------------------


def test_names_stand_for_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list"]) == 0
    assert SCRIPTED in (out := capsys.readouterr().out) and "--episodes 1000 --seed 0" in out
    assert main(["data", "list", "--json"]) == 0
    assert {row["name"] for row in json.loads(capsys.readouterr().out)} >= {PREFIX + name for name in NAMES}
    for command in (["show", "-n", "1"], ["stats"]):
        assert main(["data", command[0], SCRIPTED, *command[1:]]) == 0
        assert "PreferenceElicitation" in (out := capsys.readouterr().out) or "reward" in out
    parts = [str(tmp_path / part) for part in ("train", "validation")]
    assert main(["data", "split", SCRIPTED, "--train", parts[0], "--validation", parts[1]]) == 0
    assert len(read_dataset(parts[0])) + len(read_dataset(parts[1])) == 1000


def test_other_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DatasetError, match=f"no dataset 'nothing' is shipped. There is .*{SCRIPTED}"):
        load("nothing")
    assert main(["data", "stats", f"{PREFIX}../core"]) == 2
    assert "is shipped. There is" in capsys.readouterr().err
    with pytest.raises(DatasetError, match="one that is shipped"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="not written to"):
        imagine("PreferenceElicitation-v0", SCRIPTED, 5, 0, replace_existing=True)


def test_a_copy_is_found_out(tmp_path: Path) -> None:
    """Whoever changes a word, changes the hash."""
    shutil.copytree(ROOT / NAMES[0], tmp_path / "ds")  # of 300 dialogues
    file = tmp_path / "ds" / "manifest.json"
    file.write_text(file.read_text("utf-8").replace('"sha256": "', '"sha256": "0', 1), "utf-8")
    with pytest.raises(AssertionError, match="sha256 differs"):
        check_dataset(tmp_path / "ds")
