"""Grammar data of the persuasion task (TOML); the notation is that of :mod:`dialog_envs.tasks.language.grammar`."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any

from dialog_envs.tasks.language import grammar

_WORDS = frozenset(("text", "low", "frame", "clause", "np", "reason"))
"""Names of the banks that hold the words of an act, and not what is put before or behind them."""


@lru_cache(maxsize=4)
def load(name: str) -> Any:
    """The file ``<name>.toml`` with every list expanded to a bank of strings; tables keep their nesting."""
    return _trimmed(grammar.load(__name__, name))


def _trimmed(node: Any, key: str = "") -> Any:
    """Without the blanks that an alternative left open leaves at the end of a sentence's words."""
    if isinstance(node, dict):
        return {name: _trimmed(child, name) for name, child in node.items()}
    return tuple(text.strip() for text in node) if key in _WORDS else node


@lru_cache(maxsize=4)
def cues(name: str) -> list[tuple[str, str]]:
    """The file ``<name>.toml`` of tagged phrases as (tag, comma-separated phrases), in order."""
    data = tomllib.loads((files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))
    return [(tag, " ".join(phrases.split())) for tag, phrases in data.items()]


@lru_cache(maxsize=1)
def load_examples() -> dict[str, list[str]]:
    """Example sentences of each class of agent acts."""
    return tomllib.loads((files(__name__) / "examples.toml").read_text(encoding="utf-8"))
