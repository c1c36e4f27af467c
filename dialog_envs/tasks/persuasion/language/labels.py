"""How labelled utterances of the persuasion task are read and scored; see :mod:`dialog_envs.tasks.language.measure`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.persuasion.language.understanding import understand
from dialog_envs.tasks.persuasion.scenario import PersuasionScenario

SEALED: tuple[str, ...] = ("persuasion_sealed.jsonl",)
_BY_SLOT = frozenset(("ask", "appeal", "inform", "address"))


def scene(row: Mapping[str, Any]) -> PersuasionScenario:
    """The scenario of a row, which names its charity; the place changes nothing."""
    return PersuasionScenario(row["charity"], "street")


def class_of(act: Act) -> str:
    """``ask(values)``, ``inform(story)`` …; other acts count by their kind."""
    return f"{act.kind}({act.slot})" if act.kind in _BY_SLOT else act.kind


def key_of(act: Act) -> Hashable:
    """Kind, slot and value must agree; only the value of a question is counted apart."""
    return (act.kind, act.slot, None if act.kind == "ask" else act.value)


__all__ = ["SEALED", "class_of", "key_of", "scene", "understand"]
