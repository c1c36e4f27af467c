"""Validation finds what was tampered with, also where the hashes were made to fit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dialog_envs.datasets import read_dataset, validate
from dialog_envs.errors import DatasetError
from dialog_envs.registration import get_task

Change = Callable[[dict[str, Any]], None]


def tamper(folder: Path, change: Change, line: int = 0) -> None:
    """Change an episode, and put the new hash into the manifest."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    shard = manifest["shards"][0]
    lines = (folder / shard["file"]).read_text("utf-8").splitlines()
    data = json.loads(lines[line])
    change(data)
    lines[line] = json.dumps(data)
    raw = ("\n".join(lines) + "\n").encode("utf-8")
    (folder / shard["file"]).write_bytes(raw)
    shard["sha256"] = hashlib.sha256(raw).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")


def test_what_the_engine_makes_is_valid(imagined: Path) -> None:
    found = validate(imagined)
    assert found.valid and found.episodes == 40
    assert found.to_text().endswith("valid, 40 episodes checked")
    assert found.to_json()["valid"] is True


def win(data: dict[str, Any]) -> None:
    """Claim the other outcome."""
    data["outcome"]["success"] = not data["outcome"]["success"]
    data["reward"] = float(data["outcome"]["success"])
    data["rewards"] = [0.0] * (len(data["rewards"]) - 1) + [data["reward"]]


def held_out(data: dict[str, Any]) -> None:
    data["family"] = data["persona"]["family"] = "terse"


def unsaid(data: dict[str, Any]) -> None:
    data["turns"][1]["text"] = "Xylophone."


def generous(data: dict[str, Any]) -> None:
    """The user answers what nobody asked."""
    persona = data["persona"]
    data["turns"][2]["acts"] = [
        {"kind": "answer", "slot": s, "value": persona[s]} for s in ("theme", "pace", "time")
    ]


def regraded(data: dict[str, Any]) -> None:
    data["outcome"]["graded"] = 0.123


def thrown_away(data: dict[str, Any]) -> None:
    data["critique"]["verdict"] = "dropped"


def nobody(data: dict[str, Any]) -> None:
    data["persona"]["theme"] = "plumbing"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (win, "reward"), (held_out, "held-out family"), (unsaid, "acts"), (generous, "kernel"), (regraded, "reward"),
        (thrown_away, "critique"), (nobody, "schema"),
    ],
)  # fmt: skip
def test_tampering_is_found(imagined: Path, change: Change, kind: str) -> None:
    tamper(imagined, change, line=3)
    found = validate(imagined)
    assert not found.valid and found.count[kind] == 1
    assert any("episodes-00000.jsonl line 4" in text for text in found.problems)
    assert "NOT valid" in found.to_text()


def test_changed_shards_and_manifests_are_found(imagined: Path) -> None:
    shard = imagined / "episodes-00000.jsonl"
    whole = shard.read_bytes()
    shard.write_bytes(whole.replace(b'"kept"', b'"revised"', 1))
    assert {"file", "manifest"} <= set(validate(imagined).count)
    shard.write_bytes(whole)
    manifest = json.loads((imagined / "manifest.json").read_text("utf-8"))
    manifest["reward"]["mean"] = 0.99
    manifest["task_version"] = "0.0"
    (imagined / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    assert set(validate(imagined).count) == {"manifest", "version"}


def test_problems_are_counted_beyond_those_described(imagined: Path) -> None:
    for line in range(5):
        tamper(imagined, regraded, line)
    found = validate(imagined, limit=2)
    assert found.count["reward"] == 5 and len(found.problems) == 2
    assert "… and 3 more" in found.to_text()


def test_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        validate(tmp_path)


def test_held_out_families_never_occur(imagined: Path) -> None:
    hard = set(get_task("PreferenceElicitation-v0").prior.hard)
    assert not hard & {episode.family for episode in read_dataset(imagined).episodes}
