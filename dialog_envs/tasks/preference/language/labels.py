"""Labelled utterances of the preference task: how :mod:`dialog_envs.tasks.language.measure` scores them.

A question counts by its slot (``ask(budget)``), a suggestion only with the right activity; the value that a question
names is counted apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ....core.dialogue import Act
from .understanding import understand

SEALED: tuple[str, ...] = ("test_set.jsonl",)


@dataclass(frozen=True, slots=True)
class _Scene:
    items: tuple[str, ...]


def scene(row: Mapping[str, Any]) -> _Scene:
    """The activities of the row's scenario, ``scenario_items``."""
    return _Scene(tuple(row["scenario_items"]))


def class_of(act: Act) -> str:
    """``ask(SLOT)``, else the kind."""
    return f"ask({act.slot})" if act.kind == "ask" else act.kind


def key_of(act: Act) -> tuple[str, str | None, str | None]:
    """Kind, slot and activity."""
    return act.kind, act.slot, act.item


__all__ = ["SEALED", "class_of", "key_of", "scene", "understand"]
