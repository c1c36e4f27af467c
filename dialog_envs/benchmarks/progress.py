"""Progress on standard error: what is going on, how far it is, how fast, and how long it will take."""

from __future__ import annotations

import sys
import time
from typing import IO

__all__ = ["Progress", "duration", "note"]


def note(text: str, stream: IO[str] | None = None) -> None:
    """One line for a person, on standard error."""
    print(text, file=stream or sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """``42 s``, ``3 min 05 s``, ``1 h 20 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Progress:
    """A line that counts. On a terminal it is redrawn in place; elsewhere a line is printed now and then.

    Args:
        label: what is counted.
        total: how many there are to do.
        unit: what one is called.
        every: seconds between two lines where there is no terminal.
        stream: where to; standard error by default. ``None`` total or ``quiet`` shows nothing.
    """

    def __init__(
        self,
        label: str,
        total: int,
        unit: str = "episodes",
        *,
        every: float = 10.0,
        stream: IO[str] | None = None,
        quiet: bool = False,
    ) -> None:
        self.label, self.total, self.unit = label, total, unit
        self.done = 0
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._every = 0.1 if self._terminal else every
        self._quiet = quiet
        self._begun = self._shown = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close(interrupted=exc[0] is not None)

    def advance(self, count: int = 1, extra: str = "") -> None:
        """``count`` more are done; ``extra`` is shown behind the figures."""
        self.done += count
        now = time.monotonic()
        if not self._quiet and now - self._shown >= self._every:
            self._shown = now
            self._write(self._figures(now) + (f" · {extra}" if extra else ""))

    def close(self, interrupted: bool = False) -> None:
        """The last line: how many in what time."""
        if self._quiet:
            return
        took = time.monotonic() - self._begun
        rate = f", {self.done / took:.3g} a second" if took > 0.5 and self.done else ""
        state = " so far" if interrupted else ""
        self._write(f"{self.label}: {self.done:,} {self.unit}{state} in {duration(took)}{rate}", last=True)

    def _figures(self, now: float) -> str:
        took = now - self._begun
        rate = self.done / took if took > 0 else 0.0
        left = f", {duration((self.total - self.done) / rate)} left" if rate > 0 else ""
        return f"{self.label}: {self.done:,} of {self.total:,} {self.unit}, {rate:.3g} a second{left}"

    def _write(self, text: str, last: bool = False) -> None:
        if self._terminal:
            self._stream.write("\r\x1b[2K" + text + ("\n" if last else ""))
        else:
            self._stream.write(text + "\n")
        self._stream.flush()
