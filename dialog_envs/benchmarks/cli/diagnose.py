"""``dialog-envs diagnose``: what a learned agent believes, and what its settings change."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from dialog_envs.benchmarks.cli.train import parse_settings

CheckpointArgument = Annotated[
    Path, typer.Argument(help="Checkpoint with value heads (ilql, mc, cql, qsft).")
]
DataOption = Annotated[
    Path | None,
    typer.Option(help="Dataset. Of the one that it learned from, only what the training held out is taken."),
]
PlayOption = Annotated[
    int, typer.Option(min=0, help="So many dialogues of its own with scripted users, instead of --data.")
]
UsersOption = Annotated[str, typer.Option(help="Users to play with: typical or hard, or a family.")]
AgentArguments = Annotated[
    list[str] | None,
    typer.Option("--agent-args", help="NAME=VALUE: how it speaks with --play, such as beta=4; repeatable."),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Adds the command ``diagnose`` and its three verbs to the application."""
    diagnose = typer.Typer(
        help="Look into a learned agent: calibration, advantages over transcripts, sweeps.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    diagnose.command("calibration")(calibration)
    diagnose.command("advantages")(advantages)
    diagnose.command("sweep")(sweep)
    app.add_typer(diagnose, name="diagnose")


def calibration(
    checkpoint: CheckpointArgument,
    data: DataOption = None,
    play: PlayOption = 0,
    users: UsersOption = "typical",
    bins: Annotated[int, typer.Option(min=1, help="Of equally many turns.")] = 10,
    plot: Annotated[Path | None, typer.Option(help="Draw it: .png, .svg or .pdf (extra: plots).")] = None,
    agent_args: AgentArguments = None,
    as_json: JsonFlag = False,
) -> None:
    """Values beside the returns that followed."""
    from dialog_envs.agents.diagnostics import calibration as calibrate
    from dialog_envs.benchmarks.diagnostics import calibrate as shown
    from dialog_envs.benchmarks.diagnostics.dialogues import look

    seen = look(checkpoint, data=data, play=play, users=users, options=_options(agent_args))
    found = calibrate(seen.spoken, bins)
    title = f"{seen.record['algorithm']} on {seen.source}"
    if plot is not None:
        shown.plot(found, title, plot)
    _print(
        {"checkpoint": str(checkpoint), "on": seen.source, **found.to_json()},
        shown.table(found, title),
        as_json,
    )
    if plot is not None:
        typer.echo(f"drawn: {plot}", err=True)


def advantages(
    checkpoint: CheckpointArgument,
    data: DataOption = None,
    play: PlayOption = 0,
    users: UsersOption = "typical",
    episode: Annotated[
        list[str] | None, typer.Option("--episode", "-e", help="Id of a dialogue of --data; repeatable.")
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Without -e: the worst so many.")] = 3,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write a page (.html).")] = None,
    agent_args: AgentArguments = None,
    as_json: JsonFlag = False,
) -> None:
    """Which word lost: the advantage of every word, over the transcript."""
    from dataclasses import asdict

    from dialog_envs.benchmarks.diagnostics import transcript
    from dialog_envs.benchmarks.diagnostics.dialogues import look

    seen = look(
        checkpoint, data=data, play=play, users=users, names=episode or (), options=_options(agent_args)
    )
    reads = transcript.read(seen)
    reads = reads if episode else transcript.losses(reads, count)
    _print([asdict(one) for one in reads], "\n".join(transcript.as_text(one) for one in reads), as_json)
    if out is not None:
        title = f"Advantages: {seen.record['algorithm']} on {seen.source}"
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(transcript.as_page(reads, title), encoding="utf-8")
        typer.echo(f"open {out.resolve().as_uri()}", err=True)


def sweep(
    data: Annotated[Path, typer.Option(help="Dataset.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the trainings and of sweep.jsonl.")],
    algorithm: Annotated[str, typer.Option(help="With value heads.")] = "ilql",
    beta: Annotated[list[float] | None, typer.Option(help="Repeatable [default: 0 4 16 32].")] = None,
    expectile: Annotated[list[float] | None, typer.Option(help="tau; repeatable [default: 0.7].")] = None,
    size: Annotated[
        list[int] | None, typer.Option(help="Dialogues of the dataset; repeatable [all].")
    ] = None,
    play: Annotated[int, typer.Option(min=2, help="Dialogues a point.")] = 60,
    users: UsersOption = "typical",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE of every training; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the trainings.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Train small agents over beta, tau and the amount of data, and play each. Run again: it goes on."""
    from dialog_envs.benchmarks.diagnostics import sweep as sweeping

    chosen: dict[str, Any] = {}
    if beta:
        chosen["betas"] = tuple(beta)
    if expectile:
        chosen["expectiles"] = tuple(expectile)
    grid = sweeping.Grid(
        algorithm=algorithm, sizes=tuple(size or ()), settings=tuple(parse_settings(settings or []).items()),
        play=play, users=users, seed=seed, **chosen,
    )  # fmt: skip
    cells = list(sweeping.sweep(data, out, grid, tell=lambda text: typer.echo(text, err=True)))
    _print([cell.to_json() for cell in cells], sweeping.table(cells), as_json)


def _options(assignments: list[str] | None) -> dict[str, Any]:
    from dialog_envs.agents.arguments import parse_assignments, read_arguments
    from dialog_envs.agents.learned import LearnedAgent

    return read_arguments(LearnedAgent.from_pretrained, parse_assignments(assignments or []), "learned")


def _print(data: Any, text: str, as_json: bool) -> None:
    sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n" if as_json else text)
