"""``dialog-envs study``: one question about imagined data, answered by a table."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command ``study`` to the application."""

    @app.command("study")
    def command(
        name: Annotated[str | None, typer.Argument(help="A study, or a .toml file; none: list them.")] = None,
        task: Annotated[
            str | None, typer.Option("--task", "-t", help="Another task than the study's.")
        ] = None,
        size: Annotated[
            str, typer.Option(help="minutes: two cores, no server. full: with --model.")
        ] = "minutes",
        model: Annotated[
            list[str] | None,
            typer.Option(help="Who imagines: openai:MODEL …; repeatable where arms are models."),
        ] = None,
        out: Annotated[
            Path | None, typer.Option("--out", "-o", help="Run folder [default: runs/study-NAME-SIZE].")
        ] = None,
        split: Annotated[str, typer.Option(help="report, or validation to choose settings.")] = "report",
        dialogues: Annotated[int | None, typer.Option(min=1, help="In a dataset.")] = None,
        seeds: Annotated[int | None, typer.Option(min=1, help="Trainings an arm.")] = None,
        episodes: Annotated[
            int | None, typer.Option(min=1, help="Played a user family and training.")
        ] = None,
        jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Stages at the same time.")] = 1,
        as_json: Annotated[bool, typer.Option("--json", help="Print study.json.")] = False,
    ) -> None:
        """Compare ways to make data: imagine, train and score every arm of a study. Run again: it goes on."""
        from dialog_envs.benchmarks.study.report import markdown
        from dialog_envs.benchmarks.study.running import run_study
        from dialog_envs.benchmarks.study.spec import load_study, study_names
        from dialog_envs.registration import get_task

        if name is None:
            for each in study_names():
                typer.echo(f"{each:22} {load_study(each).question}")
            return
        study = load_study(name)
        if task is not None:
            study = replace(study, task=task)
        get_task(study.task)
        chosen = study.size(size, model or (), dialogues=dialogues, seeds=seeds, episodes=episodes)
        parts = ["study", study.name, *([task] if task else []), size]
        found = run_study(study, chosen, out or Path("runs") / "-".join(parts), split=split, jobs=jobs)
        text = (
            json.dumps(found.to_json(), indent=1, ensure_ascii=False) + "\n" if as_json else markdown(found)
        )
        sys.stdout.write(text)
