"""How many turns a second are written to a dataset's shards, and read from them.

Dialogues of scripted policies with scripted users, all of them different, as ``dialog-envs imagine`` makes them. Beside
it stands plain JSON in the same process: the same dialogues as dictionaries, ``json.dumps`` and ``json.loads`` a line,
nothing looked at. Each figure is the best of several rounds; what makes the dialogues is not counted. Turns of the user
count like turns of the agent. Writing ends when the file is on the disk (fsync); reading makes the episodes and checks
types and consistency, and, where it says so, the shards' hashes. Nothing is put off: every turn and act is there.

``--clock cpu`` counts the processor's time instead of the wall's: for a machine that does other things, too. The goals
were set on a machine that wrote plain JSON lines at 500,000 turns a second and read them at 1,300,000: so they are
shares of plain JSON, too, which hold on any machine.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dialog_envs.datasets import DatasetWriter, Episode, iterate_dataset, read_dataset
from dialog_envs.registration import TASKS
from dialog_envs.simulators.imagination import imagine

GOALS = {"write": 300_000, "read": 700_000}
"""Turns a second that are wanted."""
SHARES = {"write": 0.60, "read": 0.54}
"""The same as shares of plain JSON: see the module's text."""
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def measure(task: str, episodes: int, rounds: int, clock: str = "wall") -> dict[str, Any]:
    """Rates of one task's dialogues, in turns a second of a clock of :data:`CLOCKS`."""
    now = CLOCKS[clock]
    with tempfile.TemporaryDirectory() as folder:
        made = imagine(task, Path(folder) / "made", episodes, 0)
        rows, out, plain = made.episodes, Path(folder) / "data", Path(folder) / "plain.jsonl"
        turns = sum(len(episode.turns) for episode in rows)
        data = [episode.to_json() for episode in rows]
        found = {
            "write": _rate(turns, lambda: _write(out, rows), rounds, now),
            "plain write": _rate(turns, lambda: _write_plain(plain, data), rounds, now),
            "read": _rate(turns, lambda: read_dataset(out), rounds, now),
            "read without hashes": _rate(turns, lambda: read_dataset(out, verify=False), rounds, now),
            "read one by one": _rate(turns, lambda: sum(1 for _ in iterate_dataset(out)), rounds, now),
            "plain read": _rate(turns, lambda: _read_plain(plain), rounds, now),
        }
        size = sum(file.stat().st_size for file in out.glob("*.jsonl"))
    return {"turns": turns, "episodes": episodes, "bytes_per_turn": size / turns, "turns_per_second": found}


def _write(out: Path, rows: Sequence[Episode]) -> None:
    shutil.rmtree(out, ignore_errors=True)
    with DatasetWriter(out, {"task": rows[0].task}) as writer:
        writer.write_all(rows)


def _write_plain(file: Path, data: Sequence[Any]) -> None:
    with file.open("w", encoding="utf-8") as lines:
        for row in data:
            lines.write(json.dumps(row) + "\n")
        lines.flush()
        os.fsync(lines.fileno())


def _read_plain(file: Path) -> list[Any]:
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _rate(turns: int, work: Callable[[], object], rounds: int, now: Callable[[], float]) -> float:
    """Turns a second, the best of some rounds, without the search for cyclic garbage for either side."""
    best = float("inf")
    gc.disable()
    try:
        for _ in range(rounds):
            begin = now()
            work()
            best = min(best, now() - begin)
    finally:
        gc.enable()
    return turns / best


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--episodes", type=int, default=1000, help="dialogues of each task")
    parser.add_argument("--rounds", type=int, default=7, help="of which the best one counts")
    parser.add_argument("--task", action="append", help="only this one; repeatable")
    parser.add_argument(
        "--clock", choices=sorted(CLOCKS), default="wall", help="cpu: for a machine that is busy"
    )
    parser.add_argument("--json", action="store_true")


def run_command(options: argparse.Namespace) -> None:
    """Measure, and print."""
    tasks = options.task or list(TASKS)
    result = {task: measure(task, options.episodes, options.rounds, options.clock) for task in tasks}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    if options.json:
        print(
            json.dumps(
                {"tasks": result, "goals": GOALS, "shares": SHARES, "cores": os.cpu_count(), "load": load}
            )
        )
        return
    print(
        f"thousands of turns a second ({options.clock}), best of {options.rounds}; {os.cpu_count()} cores, "
        f"load {load or 0:.1f}"
    )
    print(
        f"  {'task':<26}{'turns':>8}{'bytes/turn':>12}{'write':>8}{'plain':>8}{'ratio':>8}"
        f"{'read':>8}{'no hash':>9}{'plain':>8}{'ratio':>8}"
    )
    for task, row in result.items():
        rate = row["turns_per_second"]
        print(
            f"  {task:<26}{row['turns']:>8,}{row['bytes_per_turn']:>12.0f}"
            f"{rate['write'] / 1000:>8,.0f}{rate['plain write'] / 1000:>8,.0f}"
            f"{rate['write'] / rate['plain write']:>8.0%}{rate['read'] / 1000:>8,.0f}"
            f"{rate['read without hashes'] / 1000:>9,.0f}{rate['plain read'] / 1000:>8,.0f}"
            f"{rate['read'] / rate['plain read']:>8.0%}"
        )
    print(
        f"  wanted: {GOALS['write'] / 1000:,.0f} written, {GOALS['read'] / 1000:,.0f} read; on any machine "
        f"{SHARES['write']:.0%} and {SHARES['read']:.0%} of plain JSON"
    )
