"""Measuring commands do measure: no figure is asserted, they depend on the machine."""

from __future__ import annotations

import json

import pytest

from dialog_envs.benchmarks.speed import main


def test_whole_trainings_are_timed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["fit", "--dialogues", "8", "--threads", "1", "--optimizers", "--json"])
    found = json.loads(capsys.readouterr().out)
    adamw = ["bc, AdamW alone", "bc, AdamW alone, half the rate"]
    assert [row["agent"] for row in found["rows"]] == ["bc", "ilql", *adamw]
    assert all(row["steps"] > 0 and row["tokens"] > 0 for row in found["rows"])
    assert found["seconds"] == pytest.approx(sum(row["seconds"] for row in found["rows"][:2]))
