"""Agent acts into words, for scripted policies and for the datasets that learned agents copy.

Explanations, quizzes and corrections are the sentences of the teaching material, with a few lead-ins; everything else
has a few short variants with a small vocabulary. `understand` reads it all back.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.instruction.acts import LENGTHS
from dialog_envs.tasks.instruction.content import concept
from dialog_envs.tasks.instruction.language.grammar import load
from dialog_envs.tasks.language.grammar import Bank
from dialog_envs.tasks.language.voice import cap

_SENTENCES = re.compile(r"(?<=[.!?])\s+")


def say(acts: tuple[Act, ...], scenario: Any, rng: np.random.Generator) -> str:
    """The text of an agent turn.

    ``lengthy`` makes a turn long by words that tell nothing. ``inform`` says something general, and ``recap`` names
    the concept's ideas, because the acts do not tell which.

    Args:
        acts: agent acts, in the order in which they shall be said.
        scenario: gives the ideas that acts name.
        rng: the only source of chance.

    Raises:
        KeyError: an act of an unknown kind, slot, value or idea.
    """
    draws = rng.random(len(acts) + 1).tolist()
    parts = [
        _sentence(act, scenario, draw)
        for act, draw in zip(acts, draws, strict=False)
        if act.kind != "lengthy"
    ]
    for act in acts:
        if act.kind == "lengthy":
            parts.extend(_filler(" ".join(parts), LENGTHS[act.value or "long"], draws[-1]))
    return " ".join(parts)


def _sentence(act: Act, scenario: Any, draw: float) -> str:
    bank = load("agent")
    if act.kind == "ask":
        text = _pick(bank["ask"][act.slot or "open"], draw)
        return text if act.item is None else text.replace("{x}", scenario.idea(act.item).name)
    if act.kind not in ("explain", "quiz", "correct"):
        return _other(act.kind, scenario, draw)
    idea = scenario.idea(act.item)
    if act.kind == "explain":
        kind = act.value or "plain"
        return _pick(bank["explain"][kind], draw).replace("{x}", idea.name) + idea.text(kind)
    text = idea.quiz if act.kind == "quiz" else idea.misconceptions[0].correction
    return _pick(bank[act.kind]["text"], draw).replace("{x}", idea.name) + text


def _other(kind: str, scenario: Any, draw: float) -> str:
    text = _pick(load("agent")["other"][kind], draw)
    if "{n}" in text:
        return text.replace("{n}", str(len(scenario.item_names)))
    if "{list}" in text:
        names = scenario.item_names
        text = text.replace("{list}", f"{', '.join(names[:-1])} and {names[-1]}")
    return text


@lru_cache(maxsize=512)
def _said_of(concept_id: str) -> frozenset[str]:
    """The sentences that :func:`say` may say in a lesson on a concept, but for those of the material."""
    bank, names = load("agent"), [idea.name for idea in concept(concept_id).ideas]
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    frames = [text for part in ("ask", "other", "filler") for row in bank[part].values() for text in row]
    found: set[str] = set()
    for frame in frames:
        for name in names if "{x}" in frame else names[:1]:
            text = frame.replace("{x}", name).replace("{n}", str(len(names))).replace("{list}", listed)
            found.update(_SENTENCES.split(cap(text)))
    return frozenset(found)


def scripted(text: str, concept_id: str) -> bool:
    """Whether a turn is all made of such sentences."""
    return _said_of(concept_id).issuperset(_SENTENCES.split(text))


def _filler(text: str, least: int, draw: float) -> list[str]:
    """Sentences that make a turn of ``text`` longer than ``least`` words."""
    bank: Bank = load("agent")["filler"]["text"]
    words, found, i = len(text.split()), [], int(draw * len(bank))
    while words <= least:
        found.append(cap(bank[i % len(bank)]))
        words += len(found[-1].split())
        i += 1
    return found


def _pick(bank: Bank, draw: float) -> str:
    return bank[int(draw * len(bank))]
