"""``dialog-envs board``: look at a run again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from dialog_envs.errors import RunFolderError


def register(app: typer.Typer) -> None:
    """Adds the command ``board`` to the application."""

    @app.command("board")
    def command(
        run: Annotated[
            list[Path] | None,
            typer.Argument(help="Run folder [default: the newest in runs/]; several are shown side by side."),
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print leaderboard.json.")] = False,
        as_markdown: Annotated[bool, typer.Option("--markdown", help="Print leaderboard.md.")] = False,
    ) -> None:
        """Show a run's leaderboard, and write its JSON, Markdown and HTML again from the episodes.

        With several runs of the same suite: how each agent's score changes with who plays the users.
        """
        from dialog_envs.benchmarks.cli.output import show_leaderboard
        from dialog_envs.benchmarks.evaluation import write_leaderboard
        from dialog_envs.benchmarks.runner import read_run, read_runs
        from dialog_envs.benchmarks.tables import markdown

        folders = run or [newest_run(Path("runs"))]
        if len(folders) > 1:
            board, _ = read_runs(folders)
        else:
            board, records = read_run(folders[0])
            write_leaderboard(folders[0], board, records, always=True)
        if as_json:
            sys.stdout.write(json.dumps(board.to_json(), indent=1, ensure_ascii=False) + "\n")
        elif as_markdown:
            sys.stdout.write(markdown(board))
        else:
            show_leaderboard(board)
        if len(folders) == 1:
            typer.echo(f"page: {folders[0] / 'leaderboard.html'}", err=True)


def newest_run(folder: Path) -> Path:
    """The run in ``folder`` that was finished last. Raises RunFolderError if there is none."""
    runs = sorted(folder.glob("*/manifest.json"), key=lambda file: file.stat().st_mtime)
    if not runs:
        raise RunFolderError(
            f"there is no run in '{folder}': make one with 'dialog-envs eval' or name its folder."
        )
    return runs[-1].parent
