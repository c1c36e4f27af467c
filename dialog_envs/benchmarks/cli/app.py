"""The application: one module a verb, each with ``register(app)``. None imports anything heavy at its top."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Annotated, Any

import typer

__all__ = ["VERBS", "build_app", "build_command"]

VERBS = ("tasks", "play", "imagine", "data", "train", "eval", "diagnose", "board", "demo", "study", "doctor")
"""In the order of a first visit."""

_MODULES = {"eval": "evaluate"}
"""Verbs whose module has another name, because theirs is a Python builtin's."""


def build_app() -> typer.Typer:
    """The typer application with all verbs."""
    app = typer.Typer(
        name="dialog-envs",
        help="Train and compare goal-directed dialogue agents. Start with: dialog-envs demo",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help needs no rich, so it comes at once
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def top(
        version: Annotated[
            bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
        ] = False,
    ) -> None:
        pass

    for verb in VERBS:
        module = f"dialog_envs.benchmarks.cli.{_MODULES.get(verb, verb)}"
        if importlib.util.find_spec(module) is not None:
            importlib.import_module(module).register(app)
    return app


def build_command() -> Any:
    """The application as a click command."""
    return typer.main.get_command(build_app())


def _print_version(wanted: bool) -> None:
    if wanted:
        from dialog_envs import __version__

        typer.echo(f"dialog-envs {__version__}")
        raise typer.Exit
