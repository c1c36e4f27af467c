"""What a training says of itself: progress on stderr, metrics as JSONL, and trackers."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from dialog_envs.agents.tracking import Tracker

LINES = 200


class TrainingLog:
    """Progress on stderr and metrics as JSONL, about 200 lines a training whatever its length.

    Args:
        name: of the algorithm.
        steps: how many there will be.
        path: file that gets the lines, or None.
        progress: whether to report on stderr.
        trackers: who else is told.
    """

    def __init__(
        self, name: str, steps: int, path: Path | None, progress: bool, trackers: Sequence[Tracker] = ()
    ) -> None:
        self.name, self.steps, self.progress, self.trackers = name, steps, progress, trackers
        self.file: IO[str] | None = path.open("a", encoding="utf-8") if path is not None else None
        self.every = max(1, steps // LINES)
        self.began = self.shown = time.perf_counter()
        self.done = 0
        """Steps of this process: after a resumption the remaining time is told from these."""
        self.before = 0.0
        """Seconds of the processes before this one."""
        self.tokens = 0
        self.window: list[Mapping[str, Tensor | float]] = []
        self.last: dict[str, float] = {}

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            self.file.close()

    @property
    def seconds(self) -> float:
        """Since the training began, breaks left out."""
        return self.before + time.perf_counter() - self.began

    def to_json(self) -> dict[str, Any]:
        """What a state holds of the log."""
        window = [{k: float(v) for k, v in figures.items()} for figures in self.window]
        return {"seconds": self.seconds, "tokens": self.tokens, "window": window, "last": self.last}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state."""
        self.before, self.tokens = float(state["seconds"]), int(state["tokens"])
        self.window, self.last = list(state["window"]), dict(state["last"])

    def step(self, step: int, tokens: int, rate: float, figures: Mapping[str, Tensor]) -> None:
        """Notes one optimiser step; ``step`` counts from 0."""
        self.tokens += tokens
        self.done += 1
        self.window.append(figures)
        if (step + 1) % self.every and step + 1 < self.steps:
            return
        count = len(self.window)
        self.last = {k: round(sum(float(p[k]) for p in self.window) / count, 6) for k in figures}
        self.window.clear()
        speed = self.tokens / max(self.seconds, 1e-9)
        pace: dict[str, Any] = {"lr": rate, "tokens_per_second": round(speed)}
        self._write({"algorithm": self.name, "step": step + 1} | pace | self.last)
        self._track(step + 1, pace | self.last)
        self._show(step + 1, speed)

    def validation(self, step: int, figures: Mapping[str, float]) -> None:
        """Notes what an evaluation in the middle of the training found."""
        self._write({"algorithm": self.name, "step": step, "validation": dict(figures)})
        self._track(step, {f"validation/{name}": value for name, value in figures.items()})
        if self.progress:
            found = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
            self._say(f"{self.name}: validation at step {step}: {found}", True)

    def finish(self, validation: Mapping[str, float]) -> None:
        """Notes the figures on held-out personas."""
        self._write({"algorithm": self.name, "validation": dict(validation)})
        self._track(self.steps, {f"validation/{name}": value for name, value in validation.items()})

    def _write(self, line: Mapping[str, Any]) -> None:
        if self.file is not None:
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()

    def _track(self, step: int, figures: Mapping[str, float]) -> None:
        for tracker in self.trackers:
            tracker.log(step, {f"{self.name}/{name}": value for name, value in figures.items()})

    def _show(self, step: int, speed: float) -> None:
        now = time.perf_counter()
        terminal = sys.stderr.isatty()
        if not self.progress or (now - self.shown < (0.2 if terminal else 10.0) and step < self.steps):
            return
        self.shown = now
        left = (now - self.began) / self.done * (self.steps - step)
        line = f"{self.name}: step {step}/{self.steps}, loss {self.last['loss']:.3f}, {speed:,.0f} tokens/s"
        self._say(f"{line}, {left:.0f} s left", not terminal or step == self.steps)

    def _say(self, line: str, ends: bool) -> None:
        end = "\n" if ends else ""
        sys.stderr.write(f"\r\x1b[2K{line}{end}" if sys.stderr.isatty() else f"{line}\n")
        sys.stderr.flush()
