"""``dialog-envs tasks``: what there is to play."""

from __future__ import annotations

import inspect
import json
import sys
from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Adds the command ``tasks`` to the application."""

    @app.command("tasks")
    def command(
        task: Annotated[str | None, typer.Argument(help="Show this task's page.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    ) -> None:
        """List the tasks and their user families, or show one task's page."""
        from dialog_envs.registration import TASKS, get_task

        facts = [_facts(get_task(name)) for name in ([task] if task else TASKS)]
        if as_json:
            sys.stdout.write(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
            return
        for fact in facts:
            lines = [f"{fact['id']}  (version {fact['version']}, at most {fact['max_turns']} turns)"]
            lines += [f"  {line}" for line in fact["description"].splitlines()]
            lines += [f"  {group} users: {', '.join(fact[group])}" for group in ("typical", "hard")]
            sys.stdout.write("\n".join(lines) + "\n")
        if task:
            sys.stdout.write("\n" + _page(task) + "\n")


def _facts(task: Any) -> dict[str, Any]:
    return {
        "id": task.id,
        "version": task.version,
        "max_turns": task.max_turns,
        "description": str(getattr(task, "description", "")).strip(),
        "typical": list(task.prior.typical),
        "hard": list(task.prior.hard),
    }


def _page(task: str) -> str:
    from dialog_envs.core.user import resolve
    from dialog_envs.registration import ENVIRONMENTS

    return inspect.getdoc(resolve(ENVIRONMENTS[task])) or ""
