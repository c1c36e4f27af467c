"""Grammars of speech: TOML files of sentences in a small notation.

In a string, ``(a|b|)`` stands for either alternative; several make their product. Everything is expanded once, when
a bank is first used, so that speaking is picking from tuples.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any

Bank = tuple[str, ...]

_INNERMOST = re.compile(r"\(([^()]*)\)")


def expand(pattern: str) -> list[str]:
    """All strings that a pattern stands for: ``"so (a|b)"`` → ``["so a", "so b"]``."""
    match = _INNERMOST.search(pattern)
    if match is None:
        return [re.sub(r" +([.,?!])", r"\1", re.sub(r"  +", " ", pattern))]
    before, after = pattern[: match.start()], pattern[match.end() :]
    return [text for choice in match.group(1).split("|") for text in expand(before + choice + after)]


def bank(patterns: list[str]) -> Bank:
    """All strings of several patterns, in order."""
    return tuple(text for pattern in patterns for text in expand(pattern))


@lru_cache(maxsize=32)
def load(package: str, name: str) -> dict[str, Any]:
    """The file ``<name>.toml`` of a package with every list expanded to a :data:`Bank`; tables keep their nesting."""
    expanded = _expanded(tomllib.loads((files(package) / f"{name}.toml").read_text(encoding="utf-8")))
    assert isinstance(expanded, dict)
    return expanded


def _expanded(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _expanded(child) for key, child in node.items()}
    return bank(node)
