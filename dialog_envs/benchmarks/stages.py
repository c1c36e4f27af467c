"""Stages: commands that leave products, run in order, side by side where they may, and never twice for nothing.

A stage is one command, usually of ``dialog-envs`` itself, so that whatever a demo does can be done by hand as well.
A note in ``stages/NAME.json`` says what its product was made from: a stage whose product was made from the same is
skipped, so running again is instant, and goes on where it was stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialog_envs.benchmarks.journal import write_text
from dialog_envs.benchmarks.parallel import worker_environment
from dialog_envs.benchmarks.progress import duration, note
from dialog_envs.errors import DialogEnvsError, RunFolderError

__all__ = ["Clock", "Stage", "run_stages"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A step that leaves a product.

    Attributes:
        name: for people and for the note, for example ``Instruction-v0/train-bc``.
        product: the folder or file it leaves.
        command: what makes it: a program and its arguments. It writes progress to standard error.
        made_from: everything that decides the product, as JSON; called when the stages before it are done.
        after: names of the stages that it needs.
    """

    name: str
    product: Path
    command: Sequence[str]
    made_from: Callable[[], Mapping[str, Any]]
    after: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What it does, whatever the task: ``train-bc``."""
        return self.name.rpartition("/")[2]


def run_stages(folder: Path, stages: Sequence[Stage], jobs: int = 1, clock: Clock | None = None) -> list[str]:
    """Do the stages whose product is missing or was made from something else; returns their names.

    Args:
        folder: the run folder, for the notes.
        stages: in an order in which one could do them one by one.
        jobs: how many may run at the same time, each in a process of one thread.
        clock: says how long it will still take.

    Raises:
        DialogEnvsError: a stage failed; what the others finished is kept.
        RunFolderError: the folder cannot be written to.
    """
    clock = clock or Clock({}, 1)
    waiting, finished, done = list(stages), set[str](), list[str]()
    running: dict[str, _Running] = {}
    lines: queue.Queue[tuple[str, str | int]] = queue.Queue()
    screen = _Screen()
    try:
        while waiting or running:
            for stage in [stage for stage in waiting if finished.issuperset(stage.after)]:
                fingerprint = _digest(stage.made_from())
                if stage.product.exists() and _fingerprint_in(_record(folder, stage)) == fingerprint:
                    waiting.remove(stage)
                    finished.add(stage.name)
                    clock.skip(stage)
                elif len(running) < jobs:
                    waiting.remove(stage)
                    clock.begin(stage, screen)
                    running[stage.name] = _Running(stage, fingerprint, folder, lines)
            if not running:
                continue
            name, message = lines.get()
            if isinstance(message, str):
                screen.show(name, message)
                running[name].last = message
                continue
            running.pop(name).finish(message, folder)
            screen.forget(name)
            finished.add(name)
            done.append(name)
            clock.finish(name)
    finally:
        for left in running.values():
            left.stop()
        screen.end()
    return done


class _Running:
    """A stage's process."""

    def __init__(
        self, stage: Stage, fingerprint: str, folder: Path, lines: queue.Queue[tuple[str, str | int]]
    ) -> None:
        self.stage, self.fingerprint, self.last = stage, fingerprint, ""
        self.begun = time.monotonic()
        record = _record(folder, stage)
        try:
            record.parent.mkdir(parents=True, exist_ok=True)
            record.unlink(missing_ok=True)  # until the product is whole, nothing vouches for it
        except OSError as error:
            reason = error.strerror or error
            raise RunFolderError(
                f"cannot write to '{folder}': {reason}. Choose another with --out."
            ) from error
        self.process = subprocess.Popen(
            list(stage.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=worker_environment(),
        )
        threading.Thread(target=self._listen, args=(lines,), daemon=True).start()

    def _listen(self, lines: queue.Queue[tuple[str, str | int]]) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                if text := line.strip():
                    lines.put((self.stage.name, text))
        lines.put((self.stage.name, self.process.wait()))

    def finish(self, code: int, folder: Path) -> None:
        """Note what the product was made from.

        Raises:
            DialogEnvsError: the process failed.
        """
        if code != 0:
            reason = self.last.removeprefix("error: ") or f"exit code {code}"
            raise DialogEnvsError(f"{self.stage.name}: {reason}")
        facts = {"fingerprint": self.fingerprint, "seconds": round(time.monotonic() - self.begun, 1)}
        write_text(_record(folder, self.stage), json.dumps(facts) + "\n")

    def stop(self) -> None:
        """End the process, politely at first: it may have something to put down."""
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class _Screen:
    """What the running stages say: the last word of each on one line of a terminal; elsewhere line by line."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._last: dict[str, str] = {}

    def show(self, name: str, text: str) -> None:
        """A stage said something."""
        if not self._terminal:
            note(f"  {name}: {text}")
            return
        self._last[name] = text
        self._draw()

    def forget(self, name: str) -> None:
        """A stage ended."""
        self._last.pop(name, None)
        self._draw()

    def announce(self, text: str) -> None:
        """A line that stays."""
        if self._terminal:
            sys.stderr.write("\r\x1b[2K")
        note(text)
        self._draw()

    def end(self) -> None:
        """Clear what is not meant to stay."""
        self._last.clear()
        self._draw()

    def _draw(self) -> None:
        if not self._terminal:
            return
        room = shutil.get_terminal_size().columns - 1
        share = max(20, room // max(1, len(self._last)) - 3)
        line = " │ ".join(text[:share] for text in self._last.values())
        sys.stderr.write("\r\x1b[2K" + line[:room])
        sys.stderr.flush()


class Clock:
    """Says which stage begins, and about how long everything will still take.

    Args:
        expected: seconds of each stage, by name, and of whatever else comes.
        jobs: how many stages run side by side.
    """

    def __init__(self, expected: Mapping[str, float], jobs: int) -> None:
        self._expected, self._jobs = dict(expected), jobs
        self._left = dict(expected)
        self._begun = time.monotonic()
        self._started: dict[str, float] = {}
        self._worked: dict[str, float] = {}

    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._begun

    def skip(self, stage: Stage) -> None:
        """The stage was done before."""
        self._left.pop(stage.name, None)

    def finish(self, name: str) -> None:
        """The stage is done."""
        self._worked[name] = time.monotonic() - self._started[name]
        self._left.pop(name, None)

    def begin(self, stage: Stage | str, screen: _Screen | None = None) -> None:
        """Announce a stage. The estimate scales with how this machine did so far."""
        name = stage if isinstance(stage, str) else stage.name
        self._started[name] = time.monotonic()
        known = [done for done in self._worked if done in self._expected]
        expected, took = sum(self._expected[s] for s in known), sum(self._worked[s] for s in known)
        pace = took / expected if expected >= 10 else 1.0
        left = pace * sum(self._left.values()) / self._jobs
        number = len(self._expected) - len(self._left) + 1 + len(self._running(name))
        place = f"[{number}/{len(self._expected)}] " if name in self._left else ""
        text = f"{place}{name}" + (f" (about {duration(left)} left in all)" if left else "")
        screen.announce(text) if screen is not None else note(text)

    def _running(self, but: str) -> list[str]:
        return [name for name in self._started if name in self._left and name != but]


def _record(folder: Path, stage: Stage) -> Path:
    return folder / "stages" / f"{stage.name}.json"


def _fingerprint_in(record: Path) -> str | None:
    try:
        found = json.loads(record.read_text("utf-8"))["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(found)


def _digest(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()


def own_command(*arguments: str) -> tuple[str, ...]:
    """The command that runs ``dialog-envs`` with these arguments, as this very installation."""
    return (sys.executable, "-m", "dialog_envs", *(os.fspath(argument) for argument in arguments))
