"""Code blocks of a Markdown page: which there are, and what running the page means.

- ``python`` blocks of one page run in order, in one namespace, in an empty folder.
- A ``python`` or ``toml`` block whose first line is a comment with nothing but a file name (``# my_agent.py``) is
  written to that file instead.
- ``bash`` blocks run in the same folder; ``console``, ``text``, ``json`` and others are shown, not run.
- ``no-run`` after the language (```` ```bash no-run ````) says that a block is not run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from docs._ext.docstring_page import expand

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<code>.*?)^(?P=indent)```[ ]*$", re.MULTILINE | re.DOTALL
)
FILE_NAME = re.compile(r"#\s*(?P<name>[\w./-]+\.(?:py|toml))\s*\n")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its code, the line of its first code line, and the file it is written to."""

    language: str
    code: str
    line: int
    file: str | None
    run: bool


def read_blocks(text: str) -> list[Block]:
    """All fenced blocks of a page, in order."""
    blocks = []
    for match in FENCE.finditer(text):
        language, *flags = match["info"].split() or [""]
        indent = match["indent"]
        code = "".join(line.removeprefix(indent) for line in match["code"].splitlines(keepends=True))
        name = FILE_NAME.match(code) if language in ("python", "toml") else None
        line = text.count("\n", 0, match.start("code")) + 1
        blocks.append(Block(language, code, line, name["name"] if name else None, "no-run" not in flags))
    return blocks


def read_page(path: Path) -> str:
    """A page's text, with the docstrings that it is made from."""
    return expand(path.read_text(encoding="utf-8"))


def pages(root: Path) -> list[Path]:
    """README and every page of the documentation."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
