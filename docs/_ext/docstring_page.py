"""Pages made from docstrings: a line ``<!-- docstring: module:Class -->`` becomes the docstring, as Markdown.

So an environment's page is what ``help(...)`` shows, and cannot fall behind it.
"""

from __future__ import annotations

import importlib
import inspect
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

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

    return MARK.sub(docstring, text)


def _on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    source[0] = expand(source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx's hook."""
    app.connect("source-read", _on_source_read)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
