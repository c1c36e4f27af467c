"""Grammar data of the persuasion task (TOML); the notation is that of :mod:`dialog_envs.tasks.language.grammar`."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any

from dialog_envs.tasks.language import grammar


@lru_cache(maxsize=4)
def load(name: str) -> dict[str, Any]:
    """The file ``<name>.toml`` with every list expanded to a bank of strings; tables keep their nesting."""
    return grammar.load(__name__, name)


@lru_cache(maxsize=4)
def cues(name: str) -> list[tuple[str, str]]:
    """The file ``<name>.toml`` of tagged phrases as (tag, comma-separated phrases), in order."""
    data = tomllib.loads((files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))
    return [(tag, " ".join(phrases.split())) for tag, phrases in data.items()]
