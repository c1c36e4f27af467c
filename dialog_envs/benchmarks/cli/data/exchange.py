"""``dialog-envs data export|import``: other people's formats."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialog_envs.errors import UsageError

if TYPE_CHECKING:
    from dialog_envs.datasets.formats import JsonlMapping

EXPORTS = ("huggingface", "minari", "trl", "trl-unpaired")
IMPORTS = ("huggingface", "minari", "jsonl")


def register(data: typer.Typer) -> None:
    """Adds the commands to the group ``data``."""

    @data.command("export")
    def export(
        folder: Annotated[Path, typer.Argument(help="Dataset folder.")],
        to: Annotated[str, typer.Option("--to", help=f"One of {', '.join(EXPORTS)}.")],
        out: Annotated[
            str,
            typer.Option(
                "--out", "-o", help="Folder (huggingface), file (trl), or Minari's id: dialog/NAME-v0."
            ),
        ],
    ) -> None:
        """Write a dataset in another format."""
        from dialog_envs.datasets import formats, read_dataset

        _known("--to", to, EXPORTS)
        dataset = read_dataset(folder)
        if to == "huggingface":
            formats.export_huggingface(dataset, out)
        elif to == "minari":
            formats.export_minari(dataset, out)
        else:
            formats.export_trl(dataset, out, "unpaired" if to == "trl-unpaired" else "chat")
        sys.stdout.write(f"{out}: {len(dataset):,} dialogues\n")

    @data.command("import")
    def import_(
        source: Annotated[str, typer.Argument(help="Folder, file, Minari's id, or a name on the Hub.")],
        out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the new dataset.")],
        source_format: Annotated[
            str, typer.Option("--from", help=f"One of {', '.join(IMPORTS)}.")
        ] = "huggingface",
        task: Annotated[str | None, typer.Option(help="Task id; jsonl needs it.")] = None,
        names: Annotated[
            list[str] | None,
            typer.Option(
                "--map", help="jsonl: FIELD=NAME, as in messages=chat or reward=meta.score; repeatable."
            ),
        ] = None,
    ) -> None:
        """Read a dataset from another format; jsonl: anyone's lines of role and content."""
        from dialog_envs.datasets import formats

        _known("--from", source_format, IMPORTS)
        if source_format == "jsonl":
            if task is None:
                raise UsageError(
                    "importing jsonl needs --task: the id of the task that the dialogues belong to."
                )
            made = formats.import_jsonl(source, task, out, mapping(names or []))
        elif source_format == "minari":
            made = formats.import_minari(source, out)
        else:
            made = formats.import_huggingface(source, out)
        sys.stdout.write(f"{out}: {len(made):,} dialogues\n")


def mapping(assignments: Sequence[str]) -> JsonlMapping:
    """``["messages=chat", "reward=meta.score"]`` → where things stand in a line.

    Raises:
        UsageError: one is no ``FIELD=NAME`` of a known field.
    """
    from dialog_envs.datasets.formats import JsonlMapping

    known = [field.name for field in dataclasses.fields(JsonlMapping)]
    found = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not value or name not in known:
            raise UsageError(f"'{text}' is no --map FIELD=NAME. Fields: {', '.join(known)}.")
        found[name] = value
    return JsonlMapping(**found)


def _known(option: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise UsageError(f"{option} must be one of {', '.join(choices)}; got '{value}'.")
