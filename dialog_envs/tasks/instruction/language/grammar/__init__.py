"""Grammar data of the instruction task (TOML)."""

from __future__ import annotations

from typing import Any

from dialog_envs.tasks.language import grammar


def load(name: str) -> dict[str, Any]:
    """The file ``<name>.toml`` with every list expanded; see :func:`dialog_envs.tasks.language.grammar.load`."""
    return grammar.load(__name__, name)
