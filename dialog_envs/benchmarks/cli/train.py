"""``dialog-envs train``: a dataset becomes an agent's checkpoint."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dialog_envs.agents.algorithms import ALGORITHMS
from dialog_envs.agents.training import train
from dialog_envs.errors import UsageError


def _parse(assignments: Sequence[str]) -> dict[str, Any]:
    """``["beta=8", "trunk=separate"]`` -> ``{"beta": 8, "trunk": "separate"}``."""
    settings: dict[str, Any] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"'{text}' is no setting: write --set NAME=VALUE, for example --set epochs=2.")
        try:
            settings[key.strip().replace("-", "_")] = json.loads(value)
        except ValueError:
            settings[key.strip().replace("-", "_")] = value
    return settings


def register(app: typer.Typer) -> None:
    """Adds the command ``train`` to the application."""

    @app.command("train")
    def command(
        algorithm: Annotated[str, typer.Argument(help=f"One of: {', '.join(ALGORITHMS)}.")],
        data: Annotated[Path, typer.Option(help="Dataset folder.")],
        out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the checkpoint.")],
        backbone: Annotated[str, typer.Option(help="'small', a hub id or a folder.")] = "small",
        init: Annotated[Path | None, typer.Option(help="Checkpoint to start from (ILQL: a BC one).")] = None,
        settings: Annotated[
            list[str] | None, typer.Option("--set", help="NAME=VALUE of the algorithm's config; repeatable.")
        ] = None,
        task: Annotated[
            str | None, typer.Option(help="Task id, if the dataset shall be read as another's.")
        ] = None,
        seed: Annotated[int, typer.Option(min=0, help="Of weights and batches.")] = 0,
        threads: Annotated[int | None, typer.Option(min=1, help="Threads of torch.")] = None,
        device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
        as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
    ) -> None:
        """Train an agent on a dataset."""
        from dialog_envs.agents.language_model import ModelConfig

        result = train(
            algorithm, data, out, task=task, settings=_parse(settings or []), model=ModelConfig(backbone=backbone),
            init=init, seed=seed, threads=threads, device=device,
        )  # fmt: skip
        if as_json:
            sys.stdout.write(json.dumps(result.record) + "\n")
        else:
            done = "trained" if result.trained else "was trained before"
            report = result.record["report"]
            sys.stdout.write(
                f"{result.path}: {algorithm} {done}, {report['steps']} steps, {report['seconds']:.0f} s\n"
            )
