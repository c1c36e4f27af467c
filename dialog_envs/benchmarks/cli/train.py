"""``dialog-envs train``: a dataset becomes an agent's checkpoint."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dialog_envs.agents.algorithms import ALGORITHMS
from dialog_envs.agents.training import TrainResult, train
from dialog_envs.errors import UsageError


def parse_settings(assignments: Sequence[str]) -> dict[str, Any]:
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
        backbone: Annotated[
            str, typer.Option(help="'small', 'embedded', a folder, or an id of the Hugging Face Hub.")
        ] = "small",
        layers: Annotated[int, typer.Option(min=1, help="Of the small backbone.")] = 4,
        width: Annotated[
            int, typer.Option(min=4, help="Of the small backbone, a multiple of its 4 attention heads.")
        ] = 128,
        lora_rank: Annotated[
            int,
            typer.Option(min=0, help="Train adapters of this rank instead of the whole backbone (0: whole)."),
        ] = 0,
        init: Annotated[Path | None, typer.Option(help="Checkpoint to start from (ILQL: a BC one).")] = None,
        settings: Annotated[
            list[str] | None, typer.Option("--set", help="NAME=VALUE of the algorithm's config; repeatable.")
        ] = None,
        task: Annotated[
            str | None, typer.Option(help="Task id, if the dataset shall be read as another's.")
        ] = None,
        seed: Annotated[int, typer.Option(min=0, help="Of weights and batches.")] = 0,
        threads: Annotated[int | None, typer.Option(min=1, help="Threads of torch.")] = None,
        device: Annotated[str, typer.Option(help="cpu, cuda, or auto: cuda where there is one.")] = "cpu",
        save_every: Annotated[
            int | None,
            typer.Option(
                min=0, help="Steps between two states to resume from (0: none). [default: about a minute]"
            ),
        ] = None,
        track: Annotated[
            list[str] | None,
            typer.Option(help="tensorboard, trackio or wandb, beside metrics.jsonl; repeatable."),
        ] = None,
        push_to_hub: Annotated[
            str | None,
            typer.Option(help="Repository OWNER/NAME of the Hugging Face Hub that gets the checkpoint."),
        ] = None,
        reward: Annotated[
            str, typer.Option(help="kernel, or label: the end that imagined dialogues were to have.")
        ] = "kernel",
        as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
    ) -> None:
        """Train an agent on a dataset. The same command again resumes what was broken off, and repeats nothing."""
        from dialog_envs.agents.language_model import ModelConfig

        model = ModelConfig(backbone=backbone, layers=layers, width=width, lora_rank=lora_rank)
        result = train(
            algorithm, data, out, task=task, settings=parse_settings(settings or []), model=model, init=init, seed=seed,
            threads=threads, device=device, save_every=save_every, track=track or (), push_to_hub=push_to_hub,
            reward=reward,
        )  # fmt: skip
        if not result.main:
            return
        if as_json:
            sys.stdout.write(json.dumps(result.record) + "\n")
        else:
            sys.stdout.write(_words(algorithm, result))


def _words(algorithm: str, result: TrainResult) -> str:
    done = "trained" if result.trained else "was trained before"
    report = result.record["report"]
    text = f"{result.path}: {algorithm} {done}, {report['steps']} steps, {report['seconds']:.0f} s\n"
    return text + (f"uploaded to {result.address}\n" if result.address else "")
