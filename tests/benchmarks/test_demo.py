"""The stages of the demo: skipped when their product was made from the same, done again when not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dialog_envs.benchmarks.demo import Stage, run_stages
from dialog_envs.benchmarks.progress import Progress, duration


def _stage(folder: Path, name: str, made_from: Mapping[str, Any], log: list[str]) -> Stage:
    product = folder / name

    def work() -> None:
        log.append(name)
        product.write_text("x")

    return Stage(name, product, lambda: made_from, work)


def test_stages_are_skipped_when_nothing_changed(tmp_path: Path) -> None:
    log: list[str] = []
    stages = [_stage(tmp_path, "a", {"seed": 1}, log), _stage(tmp_path, "b", {"seed": 1}, log)]
    assert run_stages(tmp_path, stages) == ["a", "b"]
    assert run_stages(tmp_path, stages) == []
    stages[1] = _stage(tmp_path, "b", {"seed": 2}, log)
    assert run_stages(tmp_path, stages) == ["b"]
    (tmp_path / "a").unlink()
    assert run_stages(tmp_path, stages) == ["a"]
    assert log == ["a", "b", "b", "a"]


def test_stopped_stage_is_done_again(tmp_path: Path) -> None:
    log: list[str] = []
    whole = _stage(tmp_path, "a", {"seed": 1}, log)
    run_stages(tmp_path, [whole])

    def stopped() -> None:
        whole.work()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stages(tmp_path, [Stage("a", whole.product, lambda: {"seed": 2}, stopped)])
    # Neither the old settings nor the new ones may vouch for what was left behind.
    assert run_stages(tmp_path, [whole]) == ["a"]


def test_durations() -> None:
    assert [duration(s) for s in (0.4, 42, 185, 4800)] == ["0 s", "42 s", "3 min 05 s", "1 h 20 min"]


def test_progress_without_a_terminal(capsys: Any) -> None:
    with Progress("random", 3, every=0.0) as progress:
        for _ in range(3):
            progress.advance()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("random: 1 of 3 episodes")
    assert lines[-1].startswith("random: 3 episodes in 0 s")
