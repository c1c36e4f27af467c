"""Labelled utterances of the instruction task: how :mod:`dialog_envs.tasks.language.measure` scores them.

An act counts only with the right idea; a question about the student by its slot (``ask(style)``). The level of an
explanation is counted apart, like the values of questions in the preference task.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....core.dialogue import Act
from ..scenario import InstructionScenario
from .understanding import understand

SEALED: tuple[str, ...] = (
    "instruction_sealed.jsonl",
    "instruction_sealed2.jsonl",
    "instruction_sealed3.jsonl",
)


def scene(row: Mapping[str, Any]) -> InstructionScenario:
    """The lesson of the row's ``concept``."""
    return InstructionScenario(row["concept"])


def class_of(act: Act) -> str:
    """``ask(SLOT)``, else the kind."""
    return f"ask({act.slot})" if act.kind == "ask" else act.kind


def key_of(act: Act) -> tuple[str, str | None, str | None]:
    """Kind, slot and idea."""
    return act.kind, act.slot, act.item


__all__ = ["SEALED", "class_of", "key_of", "scene", "understand"]
