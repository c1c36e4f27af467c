"""Which objections a user's words hold: the context in which an agent's words meet a doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from dialog_envs.core.dialogue import USER, Turn
from dialog_envs.tasks.language.tokens import tokenise
from dialog_envs.tasks.persuasion.acts import OBJECTIONS
from dialog_envs.tasks.persuasion.language.amounts import amounts
from dialog_envs.tasks.persuasion.language.grammar import cues, load
from dialog_envs.tasks.persuasion.language.matching import Cues

RECENT = 2
"""How many of the last user turns an objection is looked for in."""


@lru_cache(maxsize=1)
def _table() -> Cues:
    """Phrases of objections: those of the users' grammar, and those that other people use."""
    table = Cues([group for group in cues("user_cues") if group[0].startswith("objection.")])
    for slot, words in load("frames")["objection"].items():
        for text in (*words["clause"], *words["np"], *words["low"]):
            table.add(tokenise(text.rstrip("?")), f"objection.{slot}")
    return table


@lru_cache(maxsize=8_192)
def objections_in(text: str) -> frozenset[str]:
    """The objections that a user's text names."""
    return frozenset(tag.partition(".")[2] for _, _, tag in _table().find(tokenise(text)))


@lru_cache(maxsize=8_192)
def numbers_in(text: str) -> frozenset[float]:
    """The numbers that a text holds."""
    return frozenset(amount.value for amount in amounts(tokenise(text)))


@lru_cache(maxsize=8_192)
def money_in(text: str) -> tuple[float, ...]:
    """The amounts of money that a text names, in euros, in order."""
    return tuple(amount.value for amount in amounts(tokenise(text)) if amount.money)


def raised(dialogue: Sequence[Any]) -> tuple[str, ...]:
    """The objections of the last user turn that has any, of the last :data:`RECENT`, in the order of the vocabulary."""
    for turn in reversed(user_texts(dialogue)[-RECENT:]):
        found = objections_in(turn)
        if found:
            return tuple(slot for slot in OBJECTIONS if slot in found)
    return ()


def user_texts(dialogue: Sequence[Any]) -> list[str]:
    """What the user said, the first turn first."""
    said: list[str] = []
    for turn in dialogue:
        if isinstance(turn, Turn):
            if turn.speaker == USER:
                said.append(turn.text)
        elif isinstance(turn, Mapping) and turn.get("speaker") == USER:
            said.append(str(turn.get("text", "")))
    return said
