"""``dialog-envs data``: everything one does with a dataset that is there."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Adds the group ``data`` to the application."""
    from dialog_envs.benchmarks.cli.data import combine, exchange, look, shipped

    data = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Look into a dataset, describe it, check it, cut it, join it, bring it to other formats and back.",
    )
    app.add_typer(data, name="data")
    for module in (look, shipped, combine, exchange):
        module.register(data)
