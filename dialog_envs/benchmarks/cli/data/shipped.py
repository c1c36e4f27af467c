"""``dialog-envs data list``: the datasets that come with the package."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer


def register(data: typer.Typer) -> None:
    """Adds the command to the group ``data``."""

    @data.command("list")
    def list_(as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
        """The datasets that come with the package, by the names that stand for their folders."""
        found = rows()
        if as_json:
            sys.stdout.write(json.dumps(found, indent=1) + "\n")
            return
        from dialog_envs.datasets.markdown import table

        names = ("name", "dialogues", "turns", "success")
        cells = [[row["name"], row["episodes"], row["turns"], f"{row['success']:.1%}"] for row in found]
        lines = [*table(names, cells), "", *(f"{row['name']}: {row['command']}" for row in found)]
        sys.stdout.write("\n".join(lines) + "\n")


def rows() -> list[dict[str, Any]]:
    """What the manifests say."""
    from dialog_envs.datasets import read_manifest, shipped
    from dialog_envs.datasets.shipped import PREFIX

    found = []
    for name in shipped():
        facts = read_manifest(PREFIX + name)
        counts = {key: facts["counts"][key] for key in ("episodes", "turns")}
        found.append(
            {"name": PREFIX + name, "task": facts["task"], **counts, "success": facts["reward"]["success"]}
            | {"models": facts["models"], "command": facts["command"]}
        )
    return found
