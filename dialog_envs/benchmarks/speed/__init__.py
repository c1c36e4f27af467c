"""``python -m dialog_envs.benchmarks.speed WHAT``: how fast the parts are, measured here and now.

Each part is a module of this package with ``add_arguments(parser)`` and ``run_command(options)``; :data:`PARTS` names
them.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence

from dialog_envs.benchmarks.collector import collect_rarely

PARTS = {
    "env": "the scripted environment, beside an empty text one",
    "fit": "whole trainings of BC and ILQL, as the demo does them",
    "rl": "a training step of ILQL, beside a plain language-model step",
    "imagine": "dialogues a second out of the imagination engine, by scripts and through a chat model's endpoint",
    "data": "writing and reading of datasets, beside plain JSON of the same dialogues",
    "decoding": "batched decoding with value heads, beside the same backbone without; episodes of an evaluation",
    "llm": "turns a second through a chat model's endpoint and out of its cache",
}
"""Module of this package → what it measures."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m dialog_envs.benchmarks.speed", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    for name, what in PARTS.items():
        module = importlib.import_module(f"{__name__}.{name}")
        command = commands.add_parser(name, help=what, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run_command)
    options = parser.parse_args(arguments)
    collect_rarely()  # as the command line does
    options.run(options)
