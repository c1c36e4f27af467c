"""Progress, as people read it."""

from __future__ import annotations

from typing import Any

from dialog_envs.benchmarks.progress import Progress, duration


def test_durations() -> None:
    assert [duration(s) for s in (0.4, 42, 185, 4800)] == ["0 s", "42 s", "3 min 05 s", "1 h 20 min"]


def test_progress_without_a_terminal(capsys: Any) -> None:
    with Progress("random", 3, every=0.0) as progress:
        for _ in range(3):
            progress.advance()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("random: 1 of 3 episodes")
    assert lines[-1].startswith("random: 3 episodes in 0 s")
