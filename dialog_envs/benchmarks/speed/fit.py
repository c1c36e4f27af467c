"""How long BC, and then ILQL from its weights, take on so many dialogues: whole trainings, as the demo does them.

Dialogues are rolled out by scripts, settings are those of the suite ``demo``. The aim is 180 seconds for both on 2,000
dialogues of the default task.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from dialog_envs.benchmarks.suite import load_suite

AIM = 180.0
"""Seconds for both."""
AGENTS = ("bc", "ilql")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--task", default="PreferenceElicitation-v0")
    parser.add_argument("--dialogues", type=int, default=2000)
    parser.add_argument("--threads", type=int, help="of torch; as many as it takes without")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")


def run_command(options: argparse.Namespace) -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(options.task, options.dialogues, Path(folder), options.threads, options.seed)
    together = sum(row["seconds"] for row in rows)
    if options.json:
        print(json.dumps({"rows": rows, "seconds": together, "aim": AIM}))
        return
    for row in rows:
        print(
            f"{row['agent']:<5} {row['seconds']:6.1f} s ({row['cpu_seconds']:.1f} s of processor time), "
            f"{row['steps']} steps, {row['tokens']:,} tokens, {row['tokens_per_second']:,} tokens/s in the loop"
        )
    print(
        f"both  {together:6.1f} s for {options.dialogues:,} dialogues of {options.task} (at most {AIM:.0f})"
    )


def measure(
    task: str, dialogues: int, folder: Path, threads: int | None = None, seed: int = 0
) -> list[dict[str, Any]]:
    """Seconds of each training, from the dataset's folder to the checkpoint's."""
    from dialog_envs.agents.training import train
    from dialog_envs.simulators.imagination import imagine

    suite = load_suite("demo")
    imagine(task, folder / "data", episodes=dialogues, seed=1)
    rows = []
    for agent in AGENTS:
        settings = suite.training_for(task, agent)
        start = settings.pop("init", None)
        settings.pop("seed", None)
        begin, cpu = time.perf_counter(), time.process_time()
        result = train(
            agent, folder / "data", folder / agent, task=task, settings=settings, seed=seed, threads=threads,
            init=folder / start if start is not None else None, progress=False,
        )  # fmt: skip
        report = result.record["report"]
        rows.append(
            {
                "agent": agent,
                "seconds": time.perf_counter() - begin,
                "cpu_seconds": time.process_time() - cpu,
                **{name: report[name] for name in ("steps", "tokens", "tokens_per_second")},
            }
        )
    return rows
