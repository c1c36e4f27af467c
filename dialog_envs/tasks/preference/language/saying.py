"""Agent acts into words, for scripted policies and for the datasets that learned agents copy.

A few short variants for each act, with a small vocabulary. `understand` reads every one of them back.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.language.grammar import Bank
from dialog_envs.tasks.preference.catalogue import item
from dialog_envs.tasks.preference.language.grammar import load
from dialog_envs.tasks.preference.language.references import with_article


def say(acts: tuple[Act, ...], scenario: Any, rng: np.random.Generator) -> str:
    """The text of an agent turn.

    Neighbouring suggestions become one sentence (a question between two, a list of more); three or more neighbouring
    questions may become one request. ``inform`` says something general, because the act does not tell what.

    Args:
        acts: agent acts, in the order in which they shall be said.
        scenario: unused but for symmetry with the task's other functions; names come from the catalogue.
        rng: the only source of chance.

    Raises:
        KeyError: an act of an unknown kind or slot.
        UnknownName: a suggestion of an activity that is not in the catalogue.
    """
    draws = rng.random(len(acts) + 1).tolist()
    parts = []
    for group, draw in zip(_grouped(acts), draws, strict=False):
        parts.append(_SAY[group[0].kind](group, draw) if group[0].kind in _SAY else _other(group, draw))
    return " ".join(parts)


def _grouped(acts: tuple[Act, ...]) -> list[list[Act]]:
    """Neighbouring suggestions together, and neighbouring questions together."""
    groups: list[list[Act]] = []
    for act in acts:
        if groups and act.kind == groups[-1][0].kind and act.kind in ("suggest", "ask"):
            groups[-1].append(act)
        else:
            groups.append([act])
    return groups


def _ask(acts: list[Act], draw: float) -> str:
    topics = load("agent")["topic"]
    named = all(act.slot in topics and act.value is None for act in acts)
    if named and len(acts) > 2 and draw < 0.3:
        words = [topics[act.slot][0] for act in acts]
        text = _pick(load("agent")["survey"]["text"], draw / 0.3)
        return text.replace("{topics}", f"{', '.join(words[:-1])} and {words[-1]}")
    return " ".join(_question(act, draw * (position + 7) % 1.0) for position, act in enumerate(acts))


def _question(act: Act, draw: float) -> str:
    slot, bank = act.slot or "open", _yes_no(act.slot, act.value)
    return _pick(bank, draw) if bank else _pick(load("agent")["ask"][slot], draw)


@lru_cache(maxsize=128)
def _yes_no(slot: str | None, value: str | None) -> Bank:
    """Questions that name a value; none for values that nobody asks about by name."""
    frames = load("agent")["yes_no"].get(slot) if value else None
    if frames is None or value is None:
        return ()
    if isinstance(frames, dict):
        found: Bank = frames.get(value, ())
        return found
    if value in ("any", "none"):
        return ()
    word = {"craft": "crafts", "moderate": "moderately active", "mixed": "moderately busy"}.get(value, value)
    return tuple(frame.replace("{v}", word) for frame in frames)


def _suggest(acts: list[Act], draw: float) -> str:
    names = [with_article(item(act.item or "").name) for act in acts]
    bank = load("agent")["suggest"]
    if len(names) == 1:
        return _pick(bank["one"], draw).replace("{x}", names[0])
    if len(names) == 2:
        text = _pick(bank["two"], draw).replace("{x}", names[0]).replace("{y}", names[1])
        return text.replace("{X}", names[0][0].upper() + names[0][1:])
    return _pick(bank["many"], draw).replace("{list}", f"{', '.join(names[:-1])} or {names[-1]}")


def _other(acts: list[Act], draw: float) -> str:
    return _pick(load("agent")["other"][acts[0].kind], draw)


def _pick(bank: Bank, draw: float) -> str:
    return bank[int(draw * len(bank))]


_SAY = {"ask": _ask, "suggest": _suggest}
