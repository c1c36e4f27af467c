"""Pages made from what the project holds already, so that they cannot fall behind it.

A line ``<!-- docstring: module:Class -->`` becomes the docstring, as Markdown: an environment's page is what
``help(...)`` shows. A line ``<!-- transcripts: TASK-ID -->`` becomes the task's golden transcripts, one a family.
"""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
TRANSCRIPTS = re.compile(r"^<!-- transcripts: (?P<task>[\w-]+) -->$", re.MULTILINE)
MARK = re.compile(r"^<!-- docstring: (?P<module>[\w.]+):(?P<name>\w+) -->$", re.MULTILINE)


def expand(text: str) -> str:
    """The page with every mark replaced. Raises if there is no such object, or no docstring."""

    def docstring(match: re.Match[str]) -> str:
        found = inspect.getdoc(getattr(importlib.import_module(match["module"]), match["name"]))
        if not found:
            raise ValueError(
                f"{match['module']}:{match['name']} has no docstring, and a page is made from it"
            )
        return found

    return TRANSCRIPTS.sub(transcripts, MARK.sub(docstring, text))


def transcripts(match: re.Match[str]) -> str:
    """The golden transcripts of a task: typical families first."""
    from dialog_envs.registration import get_task

    task = get_task(match["task"])
    folder = GOLDEN / type(task).__module__.split(".")[-2]
    parts = []
    for family in task.prior.families:
        group = "typical" if family in task.prior.typical else "hard, held out"
        text = (folder / f"{family}.txt").read_text("utf-8").strip()
        parts.append(f"### {family} ({group})\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def _on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    source[0] = expand(source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx's hook."""
    app.connect("source-read", _on_source_read)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
