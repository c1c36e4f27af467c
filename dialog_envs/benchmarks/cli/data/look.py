"""``dialog-envs data show|stats|report|card|validate``: look into a dataset, describe it, check it."""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialog_envs.errors import DatasetError, DialogEnvsError

if TYPE_CHECKING:
    from dialog_envs.datasets import Episode

Folder = Annotated[Path, typer.Argument(help="Dataset folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]


def register(data: typer.Typer) -> None:
    """Adds the commands to the group ``data``."""

    @data.command("show")
    def show(
        folder: Folder,
        number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many dialogues.")] = 3,
        id: Annotated[str | None, typer.Option("--id", help="Only this one.")] = None,
        policy: Annotated[str | None, typer.Option(help="Only dialogues of this policy.")] = None,
        dropped: Annotated[bool, typer.Option("--dropped", help="What the critique threw away.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Print dialogues with their acts and the persona behind them."""
        for i, episode in enumerate(chosen(folder, number, id, policy, dropped)):
            if as_json:
                sys.stdout.write(json.dumps(episode.to_json()) + "\n")
            else:
                sys.stdout.write(
                    ("\n" + "─" * 80 + "\n\n" if i else "") + "\n".join(_dialogue(episode)) + "\n"
                )

    @data.command("stats")
    def stats(folder: Folder, as_json: AsJson = False) -> None:
        """Describe a dataset: size, rewards, policies, families, acts, repetition, critique."""
        from dialog_envs.datasets import compute_stats, read_dataset
        from dialog_envs.datasets.markdown import critique_lines, stats_lines

        dataset = read_dataset(folder)
        if not dataset.episodes:
            raise DatasetError(f"'{folder}' holds no episode: there is nothing to describe.")
        found = compute_stats(dataset.episodes, dataset.manifest)
        if as_json:
            sys.stdout.write(json.dumps(found.to_json(), indent=1) + "\n")
        else:
            lines = [*stats_lines(found), "", *critique_lines(found.critique)]
            sys.stdout.write("\n".join(lines) + "\n")

    @data.command("card")
    def card(folder: Folder) -> None:
        """Print the page that says what a dataset is."""
        from dialog_envs.datasets import read_dataset
        from dialog_envs.datasets.card import dataset_card

        sys.stdout.write(dataset_card(read_dataset(folder)))

    @data.command("validate")
    def validate(folder: Folder, as_json: AsJson = False) -> None:
        """Check hashes, schema, rewards, families, acts and counts; exit code 1 if anything is wrong."""
        from dialog_envs.datasets import validate as check

        found = check(folder)
        sys.stdout.write((json.dumps(found.to_json(), indent=1) if as_json else found.to_text()) + "\n")
        if not found.valid:
            raise typer.Exit(1)

    _register_report(data)


def _register_report(data: typer.Typer) -> None:
    @data.command("report")
    def report(
        folder: Folder,
        out: Annotated[
            Path | None,
            typer.Option(
                "--out", "-o", help="Folder for report.md, .html and .json; without it: Markdown here."
            ),
        ] = None,
        embedding: Annotated[
            str, typer.Option(help="How texts become vectors: tfidf, wordllama, minilm, or auto.")
        ] = "auto",
        sample: Annotated[
            int | None,
            typer.Option(min=2, max=10_000, help="Most texts of a kind to compare; 500 by default."),
        ] = None,
        beliefs: Annotated[int, typer.Option(min=0, help="Dialogues to follow the exact posterior of.")] = 40,
        reference: Annotated[
            list[str] | None, typer.Option(help="Scripted policy whose steps are looked up; repeatable.")
        ] = None,
        reference_dialogues: Annotated[int, typer.Option(min=0, help="Dialogues each of them plays.")] = 40,
        seed: Annotated[int, typer.Option(min=0, help="Of all samples.")] = 0,
        as_json: AsJson = False,
    ) -> None:
        """All that can be said of a dataset: reward, people, acts, disclosure, diversity, critique, coverage, cost."""
        from dialog_envs.benchmarks.data_report import Options, make_report, markdown, write_report
        from dialog_envs.datasets import read_dataset
        from dialog_envs.datasets.diversity import SAMPLE

        names = tuple(reference) if reference else None
        options = Options(embedding, sample or SAMPLE, beliefs, names, reference_dialogues, seed)
        if out is None:
            made = make_report(read_dataset(folder), options, _say)
        else:
            made = write_report(folder, out, options, _say)
        if as_json:
            sys.stdout.write(json.dumps(made.to_json(), indent=1) + "\n")
        elif out is None:
            sys.stdout.write(markdown(made))
        else:
            sys.stdout.write(f"{out / 'report.html'}\n")


def _say(text: str) -> None:
    typer.echo(f"{text} …", err=True)


def chosen(folder: Path, number: int, id: str | None, policy: str | None, dropped: bool) -> list[Episode]:
    """The episodes to show. Raises DatasetError if there is none."""
    from dialog_envs.datasets import iterate_dataset, read_dropped

    rows = (
        episode
        for episode in (read_dropped(folder) if dropped else iterate_dataset(folder))
        if id in (None, episode.id) and policy in (None, episode.provenance.policy)
    )
    found = list(islice(rows, 1 if id is not None else number))
    if not found:
        asked = [f"id '{id}'"] if id else []
        asked += [f"policy '{policy}'"] if policy else []
        what = "dropped dialogue" if dropped else "dialogue"
        raise DatasetError(f"'{folder}' has no {what}{' with ' + ' and '.join(asked) if asked else ''}.")
    return found


def _dialogue(episode: Episode) -> list[str]:
    """A transcript, with the persona in the task's words where the task is known here."""
    from dialog_envs.datasets.markdown import dialogue_lines
    from dialog_envs.registration import get_task

    persona: list[tuple[str, str]] = []
    try:
        task: Any = get_task(episode.task)
        persona = task.persona_card(task.persona_from_json(episode.persona))
    except DialogEnvsError:
        pass  # a task of somebody else's: the persona's own fields are shown
    return dialogue_lines(episode, persona)
