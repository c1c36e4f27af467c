"""How long BC, and then ILQL from its weights, take on so many dialogues: whole trainings, with the demo's settings.

Dialogues are rolled out by scripts. The aim is 180 seconds for both on 2,000 dialogues of the default task. With
``--optimizers`` BC is also trained by AdamW alone, at its own rate and at half of it, to show what Muon takes and
gives: the loss of held-out personas stands beside the seconds.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from pathlib import Path
from typing import Any

from dialog_envs.benchmarks.suite import load_suite

AIM = 180.0
"""Seconds for both."""
AGENTS = ("bc", "ilql")
ADAMW = {"bc, AdamW alone": 1.0, "bc, AdamW alone, half the rate": 0.5}
"""Trainings that ``--optimizers`` adds: factor of the learning rate."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--task", default="PreferenceElicitation-v0")
    parser.add_argument("--dialogues", type=int, default=2000)
    parser.add_argument("--threads", type=int, help="of torch; as many as it takes without")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--optimizers", action="store_true", help="train BC by AdamW alone, too")
    parser.add_argument("--json", action="store_true")


def run_command(options: argparse.Namespace) -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(
            options.task, options.dialogues, Path(folder), options.threads, options.seed, options.optimizers
        )
    together = sum(row["seconds"] for row in rows if row["agent"] in AGENTS)
    if options.json:
        print(json.dumps({"rows": rows, "seconds": together, "aim": AIM}))
        return
    for row in rows:
        print(
            f"{row['agent']:<30} {row['seconds']:6.1f} s ({row['cpu_seconds']:.1f} s of processor time), "
            f"{row['steps']} steps, {row['tokens']:,} tokens, {row['tokens_per_second']:,} tokens/s in the loop, "
            f"held-out loss {math.nan if row['held_out_loss'] is None else row['held_out_loss']:.3f}"
        )
    print(
        f"{'both':<30} {together:6.1f} s for {options.dialogues:,} dialogues of {options.task} (at most {AIM:.0f})"
    )


def measure(
    task: str,
    dialogues: int,
    folder: Path,
    threads: int | None = None,
    seed: int = 0,
    optimizers: bool = False,
) -> list[dict[str, Any]]:
    """Seconds of each training, from the dataset's folder to the checkpoint's, and what it reached."""
    from dialog_envs.agents.algorithms import make_algorithm
    from dialog_envs.agents.training import train
    from dialog_envs.simulators.imagination import imagine

    suite = load_suite("demo")
    imagine(task, folder / "data", episodes=dialogues, seed=1)
    rows = []
    for agent in (*AGENTS, *(ADAMW if optimizers else ())):
        algorithm = agent.partition(",")[0]
        settings = suite.training_for(task, algorithm)
        start = settings.pop("init", None)
        settings.pop("seed", None)
        if agent in ADAMW:
            rate = make_algorithm(algorithm, settings).config.training.learning_rate
            settings |= {"learning_rate": rate * ADAMW[agent], "optimizer": "adamw"}
        begin, cpu = time.perf_counter(), time.process_time()
        result = train(
            algorithm, folder / "data", folder / agent, task=task, settings=settings, seed=seed, threads=threads,
            init=folder / "bc" if start is not None else None, progress=False,
        )  # fmt: skip
        report = result.record["report"]
        rows.append(
            {
                "agent": agent,
                "seconds": time.perf_counter() - begin,
                "cpu_seconds": time.process_time() - cpu,
                "held_out_loss": report["validation"].get("loss"),
                **{name: report[name] for name in ("steps", "tokens", "tokens_per_second")},
            }
        )
    return rows
