"""A training step of ILQL beside a plain language-model step of the same backbone: time and memory, as ratios.

The plain step makes the logits of all tokens, their cross-entropy, backward, fused AdamW.
The step of ILQL is what ``dialog-envs train ilql`` does on a shared trunk: policy, both Q heads, V and the targets on
the agent's tokens, which are half of the same batch; backward, fused AdamW, and the averaging of the targets.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--shape", nargs="*", help="which backbones; all without")
    parser.add_argument("--variant", nargs="*", help="which steps; all without")
    parser.add_argument(
        "--repeats", type=int, default=5, help="steps of each kind, in turns; the median counts"
    )
    parser.add_argument("--tokens", type=int, help="tokens of a batch, instead of each shape's own number")
    parser.add_argument(
        "--threads", type=int, default=1, help="of torch; with one, processor time is measured"
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--no-memory", action="store_true", help="leave peak memory out")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peak-of", nargs=2, metavar=("SHAPE", "STEP"), help=argparse.SUPPRESS)


def run_command(options: argparse.Namespace) -> None:
    """Measure, and print."""
    from dialog_envs.benchmarks.speed import training

    if options.peak_of:
        shape, step = options.peak_of
        print(training.peak_bytes(training.shape_of(shape, options.tokens), step, options.device))
        return
    shapes = [training.shape_of(name, options.tokens) for name in options.shape or training.SHAPES]
    rows = []
    for shape in shapes:
        for name in options.variant or training.usable_variants(options.device):
            row = training.measure(shape, name, options.repeats, options.threads, options.device)
            if not options.no_memory:
                row |= _memory(shape.name, name, options)
            rows.append(row)
            if not options.json:
                print(training.line(row), flush=True)
    if options.json:
        print(json.dumps({"device": options.device, "threads": options.threads, "rows": rows}))


def _memory(shape: str, variant: str, options: argparse.Namespace) -> dict[str, Any]:
    """Peak memory of the step and of the plain one, each in a fresh process."""
    from dialog_envs.benchmarks.speed.training import VARIANTS

    peaks = []
    for step in (variant, VARIANTS[variant].beside):
        command = [
            sys.executable, "-m", "dialog_envs.benchmarks.speed", "rl", "--peak-of", shape, step,
            "--device", options.device, *(["--tokens", str(options.tokens)] if options.tokens else []),
        ]  # fmt: skip
        peaks.append(int(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return {
        "megabytes": peaks[0] / 2**20,
        "beside_megabytes": peaks[1] / 2**20,
        "memory_ratio": peaks[0] / peaks[1],
    }
