"""``dialog-envs data merge|split|diff``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def register(data: typer.Typer) -> None:
    """Adds the commands to the group ``data``."""

    @data.command("merge")
    def merge(
        folders: Annotated[list[Path], typer.Argument(help="Dataset folders, two or more.")],
        out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the new dataset.")],
        replace: Annotated[
            bool, typer.Option("--replace", help="Take the place of another dataset.")
        ] = False,
    ) -> None:
        """One dataset out of several of the same task."""
        from dialog_envs.datasets.combine import merge as join

        made = join(folders, out, replace_existing=replace)
        sys.stdout.write(f"{out}: {len(made):,} dialogues of {len(folders)} datasets\n")

    @data.command("split")
    def split(
        folder: Annotated[Path, typer.Argument(help="Dataset folder.")],
        train: Annotated[Path, typer.Option(help="Folder of the training part.")],
        validation: Annotated[Path, typer.Option(help="Folder of the validation part.")],
        share: Annotated[float, typer.Option(help="Share of personas in the validation part.")] = 0.1,
        seed: Annotated[int, typer.Option(min=0, help="Another seed, another split.")] = 0,
    ) -> None:
        """Two datasets out of one, so that no persona talks in both."""
        from dialog_envs.datasets.combine import split as cut

        for part in cut(folder, train, validation, share, seed):
            sys.stdout.write(f"{part.path}: {len(part):,} dialogues\n")

    @data.command("diff")
    def diff(
        left: Annotated[Path, typer.Argument(help="Dataset folder.")],
        right: Annotated[Path, typer.Argument(help="Another.")],
        as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    ) -> None:
        """How two datasets differ, episode by episode; exit code 1 if they do."""
        from dialog_envs.datasets.combine import diff as compare

        found = compare(left, right)
        if as_json:
            sys.stdout.write(json.dumps(found.to_json(), indent=1) + "\n")
        else:
            parts = [
                f"{found.same:,} dialogues are the same",
                f"{len(found.changed):,} differ",
                f"{len(found.only_left):,} stand in {left} only",
                f"{len(found.only_right):,} stand in {right} only",
            ]
            sys.stdout.write("; ".join(parts) + ".\n")
            for name, (one, other) in found.facts.items():
                sys.stdout.write(f"{name}: {json.dumps(one)[:100]} | {json.dumps(other)[:100]}\n")
        if not found.equal:
            raise typer.Exit(1)
