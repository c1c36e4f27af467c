"""A dataset's folder: whole or not there, and never believed blindly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dialog_envs.core.dialogue import Turn
from dialog_envs.datasets import (
    Dataset,
    DatasetWriter,
    Episode,
    fingerprint,
    iterate_dataset,
    read_dataset,
    read_dropped,
)
from dialog_envs.errors import DatasetError

Make = Callable[..., Episode]
FACTS = {"task": "PreferenceElicitation-v0", "task_version": "0.1"}


@pytest.fixture
def dataset(make_episode: Make, tmp_path: Path) -> Dataset:
    """Seven episodes in three shards."""
    with DatasetWriter(tmp_path / "ds", FACTS, shard_episodes=3) as writer:
        writer.write_all(make_episode(i) for i in range(7))
    return read_dataset(tmp_path / "ds")


def test_reads_what_was_written(dataset: Dataset, make_episode: Make) -> None:
    assert dataset.episodes == [make_episode(i) for i in range(7)]
    assert list(iterate_dataset(dataset.path, verify=True)) == dataset.episodes
    assert len(dataset) == 7 and dataset.task == FACTS["task"]
    manifest = dataset.manifest
    assert manifest["counts"] == {"episodes": 7, "turns": 35, "agent_turns": 14}
    assert manifest["families"] == {"focused": 7}
    assert manifest["reward"] == {"mean": 1.0, "success": 1.0}
    assert [shard["episodes"] for shard in manifest["shards"]] == [3, 3, 1]
    assert read_dropped(dataset.path) == []


def test_the_fingerprint_names_the_data(dataset: Dataset, make_episode: Make, tmp_path: Path) -> None:
    assert fingerprint(dataset) == fingerprint(dataset.path) == fingerprint(dataset.manifest)
    for name, number in (("same", 7), ("other", 6)):
        with DatasetWriter(tmp_path / name, FACTS, shard_episodes=3) as writer:
            writer.write_all(make_episode(i) for i in range(number))
    assert fingerprint(tmp_path / "same") == fingerprint(dataset)
    assert fingerprint(tmp_path / "other") != fingerprint(dataset)


def test_half_a_surrogate_pair_can_be_stored(make_episode: Make, tmp_path: Path) -> None:
    episode = make_episode(turns=(Turn(1, "\ud83d ü"), Turn(0, "\udc00")), rewards=(1.0,))
    with DatasetWriter(tmp_path / "ds", FACTS) as writer:
        writer.write(episode)
    assert read_dataset(tmp_path / "ds").episodes == [episode]


def test_an_error_leaves_nothing(make_episode: Make, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), DatasetWriter(tmp_path / "ds", FACTS) as writer:
        writer.write(make_episode())
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_refuses_what_does_not_belong(make_episode: Make, tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "ds", FACTS) as writer:
        writer.write(make_episode())
        with pytest.raises(DatasetError, match="there already"):
            writer.write(make_episode())
        with pytest.raises(DatasetError, match="task 'Other-v0'"):
            writer.write(make_episode(1, task="Other-v0"))
    with pytest.raises(DatasetError, match="there is a dataset in"):
        DatasetWriter(tmp_path / "ds", FACTS)
    with DatasetWriter(tmp_path / "ds", FACTS, replace=True) as writer:
        writer.write_all([make_episode(1), make_episode(2)])
    assert len(read_dataset(tmp_path / "ds")) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["ds"]


def test_never_replaces_what_is_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.tex").write_text("…")
    with pytest.raises(DatasetError, match="is no dataset"):
        DatasetWriter(tmp_path / "precious", FACTS, replace=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    with (
        pytest.raises(DatasetError, match="cannot read or write"),
        DatasetWriter(tmp_path / "locked" / "ds", FACTS),
    ):
        pass


def test_a_place_that_cannot_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(DatasetError, match="cannot read or write"),
        DatasetWriter(tmp_path / "file" / "ds", FACTS),
    ):
        pass


_ENDLESS = """
import itertools, sys
sys.path.insert(0, {root!r})
from dataclasses import replace
from dialog_envs.datasets import DatasetWriter
from dialog_envs.datasets.schema import parse_line
episode = parse_line({line!r})
with DatasetWriter({out!r}, {facts!r}, shard_episodes=10) as writer:
    for i in itertools.count():
        writer.write(replace(episode, id=str(i)))
        if i == 100:
            print("writing", flush=True)
"""


def test_a_kill_leaves_no_half_dataset(make_episode: Make, tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    out = tmp_path / "ds"
    code = _ENDLESS.format(root=root, line=make_episode().to_line(), out=str(out), facts=FACTS)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"writing\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not out.exists()
    assert [path.name for path in tmp_path.iterdir()] == [f".ds.new-{process.pid}"]
    with DatasetWriter(out, FACTS) as writer:
        writer.write(make_episode())
    assert [path.name for path in tmp_path.iterdir()] == ["ds"], "the next writer clears away what was left"


# ---- damage ----------------------------------------------------------------------------------------------------------


def test_damage_is_told_with_file_and_line(dataset: Dataset) -> None:
    shard = dataset.path / "episodes-00001.jsonl"
    whole = shard.read_bytes()
    lines = whole.splitlines(keepends=True)
    shard.write_bytes(b"".join(lines[:2]))
    with pytest.raises(DatasetError, match=r"episodes-00001\.jsonl' line 2: the file ends here"):
        read_dataset(dataset.path)
    shard.write_bytes(whole[:-20])
    with pytest.raises(DatasetError, match=r"episodes-00001\.jsonl' line 3: the file ends here"):
        read_dataset(dataset.path)
    shard.write_bytes(lines[0] + b"{]\n" + lines[2])
    with pytest.raises(DatasetError, match=r"episodes-00001\.jsonl' line 2: no JSON"):
        read_dataset(dataset.path)
    shard.write_bytes(whole.replace(b"quiet", b"noisy"))
    with pytest.raises(DatasetError, match="was changed after it was written"):
        read_dataset(dataset.path)
    assert len(read_dataset(dataset.path, verify=False)) == 7
    shard.write_bytes(lines[0] + lines[0] + lines[2])
    with pytest.raises(DatasetError, match="line 2 repeats the id 'e3'"):
        read_dataset(dataset.path, verify=False)
    shard.unlink()
    with pytest.raises(DatasetError, match=r"cannot read or write .*episodes-00001"):
        read_dataset(dataset.path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": 99}, "has schema 99; this version reads schema 1"),
        ({"task": None}, "lacks 'task'"),
        ({"shards": {}}, "lacks 'task' or 'shards'"),
        ({"shards": [{"file": "../../etc/passwd", "episodes": 1, "sha256": ""}]}, "a shard is"),
        ({"shards": [{"file": "/etc/passwd.jsonl", "episodes": 1, "sha256": ""}]}, "a shard is"),
        ({"dropped": {"file": "..", "episodes": 1, "sha256": ""}}, "a shard is"),
    ],
)
def test_manifests_that_cannot_be_used(dataset: Dataset, change: dict[str, object], says: str) -> None:
    file = dataset.path / "manifest.json"
    file.write_text(json.dumps({**dataset.manifest, **change}))
    with pytest.raises(DatasetError, match=says):
        read_dataset(dataset.path)


def test_no_dataset_at_all(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not exist: make one"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match=r"manifest\.json is missing"):
        read_dataset(tmp_path)
    (tmp_path / "manifest.json").write_bytes(b"\xff{")
    with pytest.raises(DatasetError, match="is damaged"):
        read_dataset(tmp_path)
