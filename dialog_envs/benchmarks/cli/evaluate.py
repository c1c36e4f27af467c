"""``dialog-envs eval``: agents meet a suite."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from dialog_envs.benchmarks.cli.options import (
    AgentArgsOption,
    AgentsOption,
    CheckpointsOption,
    JsonOption,
    MaxCostOption,
    OutOption,
    RedoOption,
    SplitOption,
    TaskOption,
    UserModelOption,
    UserOption,
)


def register(app: typer.Typer) -> None:
    """Adds the command ``eval`` to the application."""

    @app.command("eval")
    def command(
        agent: AgentsOption = None,
        suite: Annotated[
            str, typer.Option("--suite", "-s", help="quick, demo, full, or a .toml file.")
        ] = "quick",
        task: TaskOption = None,
        out: OutOption = None,
        only: Annotated[
            bool, typer.Option("--only", help="Only the agents given, not the suite's own.")
        ] = False,
        split: SplitOption = "report",
        checkpoints: CheckpointsOption = None,
        episodes: Annotated[
            int | None, typer.Option(min=1, help="At most so many episodes a family, for the agents given.")
        ] = None,
        redo: RedoOption = None,
        jobs: Annotated[
            int | None,
            typer.Option("--jobs", "-j", min=1, help="Processes for built-in agents [default: one a core]."),
        ] = None,
        user: UserOption = None,
        user_model: UserModelOption = None,
        as_json: JsonOption = False,
        quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
        agent_args: AgentArgsOption = None,
        prompt_variants: Annotated[
            bool,
            typer.Option(
                "--prompt-variants", help="Play prompted agents with every paraphrase of their prompts."
            ),
        ] = False,
        max_cost: MaxCostOption = None,
    ) -> None:
        """Score agents on a suite. Run it again to finish or extend a run: only what is missing is played."""
        from dialog_envs.benchmarks.cli.output import show_leaderboard
        from dialog_envs.benchmarks.evaluation import evaluate
        from dialog_envs.benchmarks.suite import load_suite

        run = evaluate(
            load_suite(suite).only(task or ()),
            agent or [],
            out=out,
            only=only,
            split=split,
            checkpoints=checkpoints,
            episodes=episodes,
            redo=redo or [],
            jobs=jobs,
            quiet=quiet,
            user=user,
            user_model=user_model,
            agent_args=agent_args or [],
            prompt_variants=prompt_variants,
            max_cost=max_cost,
        )
        tables = (run.folder / f"prompt-variants.{kind}" for kind in ("json", "md"))
        variants, shown = (file.read_text("utf-8") if prompt_variants else "" for file in tables)
        if as_json:
            extra = {"prompt_variants": json.loads(variants)} if variants else {}
            board = {**run.leaderboard.to_json(), **extra}
            sys.stdout.write(json.dumps(board, indent=1, ensure_ascii=False) + "\n")
        else:
            show_leaderboard(run.leaderboard)
            sys.stdout.write(f"\n{shown}" if shown else "")
        if not quiet:
            typer.echo(f"run folder: {run.folder}   page: {run.folder / 'leaderboard.html'}", err=True)
        if run.missing:
            typer.echo(f"{run.missing} episodes are still unscored: run the same command again.", err=True)
            raise typer.Exit(1)
