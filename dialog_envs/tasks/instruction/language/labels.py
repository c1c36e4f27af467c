"""Labelled utterances of the instruction task: how :mod:`dialog_envs.tasks.language.measure` scores them.

An act counts only with the right idea, an explanation only at the right level as well: the classes are
``explain(analogy)``, ``explain(plain)`` …, ``ask(idea)``, ``ask(background)`` …, ``quiz``, ``correct`` and the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....core.dialogue import Act
from ..scenario import InstructionScenario
from .understanding import understand

SEALED = "instruction_sealed.jsonl"


def scene(row: Mapping[str, Any]) -> InstructionScenario:
    """The lesson of the row's ``concept``."""
    return InstructionScenario(row["concept"])


def class_of(act: Act) -> str:
    """``ask(SLOT)``, ``explain(LEVEL)``, else the kind."""
    detail = {"ask": act.slot, "explain": act.value}.get(act.kind)
    return f"{act.kind}({detail})" if detail else act.kind


def key_of(act: Act) -> Act:
    """All of it: kind, slot, level and idea."""
    return act


__all__ = ["SEALED", "class_of", "key_of", "scene", "understand"]
