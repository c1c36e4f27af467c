"""``dialog-envs demo``: from nothing to a leaderboard."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from dialog_envs.benchmarks.cli.options import (
    JsonOption,
    MaxCostOption,
    OutOption,
    SplitOption,
    TaskOption,
    UserModelOption,
    UserOption,
)


def register(app: typer.Typer) -> None:
    """Adds the command ``demo`` to the application."""

    @app.command("demo")
    def command(
        suite: Annotated[str, typer.Option("--suite", "-s", help="demo, or a .toml file.")] = "demo",
        out: OutOption = None,
        split: SplitOption = "report",
        task: TaskOption = None,
        train_seed: Annotated[int, typer.Option(min=0, help="Added to the seed of every training.")] = 0,
        jobs: Annotated[
            int | None,
            typer.Option("--jobs", "-j", min=1, help="Stages at the same time [default: one a core]."),
        ] = None,
        user: UserOption = None,
        user_model: UserModelOption = None,
        max_cost: MaxCostOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Imagine datasets, train on them, score everything, and show the leaderboard. Run again: it goes on."""
        from dialog_envs.benchmarks.cli.output import show_leaderboard
        from dialog_envs.benchmarks.demo import run_demo
        from dialog_envs.benchmarks.suite import load_suite

        run = run_demo(
            load_suite(suite).only(task or ()),
            out,
            split=split,
            train_seed=train_seed,
            jobs=jobs,
            user=user,
            user_model=user_model,
            max_cost=max_cost,
        )
        if as_json:
            sys.stdout.write(json.dumps(run.leaderboard.to_json(), indent=1, ensure_ascii=False) + "\n")
        else:
            show_leaderboard(run.leaderboard)
        page = (run.folder / "leaderboard.html").resolve()
        typer.echo(f"\nopen {page.as_uri()}", err=True)
        if run.missing:
            typer.echo(f"{run.missing} episodes are still unscored: run the same command again.", err=True)
            raise typer.Exit(1)
