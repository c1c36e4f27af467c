"""Agent acts into words, for scripted policies and for the datasets that learned agents copy.

A few short variants for each act, with a small vocabulary; facts are those of the brief, word by word. What is said is
understood as it was meant (:mod:`understanding`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.language.grammar import Bank
from dialog_envs.tasks.language.voice import Draws
from dialog_envs.tasks.persuasion.acts import EUROS, LENGTHS
from dialog_envs.tasks.persuasion.language.facts import fact_table
from dialog_envs.tasks.persuasion.language.grammar import load

_INVENTED = (93, 61, 72, 83, 97)
"""Numbers of inventions; the first that the brief does not hold is said."""


def say(acts: tuple[Act, ...], scenario: Any, rng: np.random.Generator) -> str:
    """The text of an agent turn.

    A turn with ``lengthy`` is drawn out with idle talk beyond its length; without it, it is as short as its acts are.

    Args:
        acts: agent acts, in the order in which they shall be said.
        scenario: its charity's facts are told.
        rng: the only source of chance.

    Raises:
        KeyError: an act of an unknown kind, slot or value.
    """
    draws = Draws(rng)
    told: set[str] = set()
    parts = [_sentence(act, scenario, draws, told) for act in acts if act.kind != "lengthy"]
    length = next((LENGTHS[act.value or ""] for act in acts if act.kind == "lengthy"), 0)
    if length:
        _draw_out(parts, length, draws)
    return " ".join(parts)


def _sentence(act: Act, scenario: Any, draws: Draws, told: set[str]) -> str:
    """What one act says."""
    banks = load("agent")
    if act.kind == "ask":
        named = banks["yes_no"].get(act.slot, {}).get(act.value) if act.value else None
        return draws.pick(named or banks["ask"][act.slot])
    if act.kind == "appeal":
        return draws.pick(banks["named"][act.value] if act.value else banks["appeal"][act.slot])
    if act.kind == "inform":
        return _fact(act.slot or "mission", scenario, draws, told)
    if act.kind == "propose":
        if act.value in (None, "token"):
            return draws.pick(banks["propose"][act.value or "none"])
        return draws.pick(banks["propose"]["amount"]).replace("{a}", str(EUROS[act.value]))
    if act.kind == "address":
        return draws.pick(banks["address"][act.slot])
    if act.kind == "pressure":
        return draws.pick(banks["pressure"][act.value])
    if act.kind == "fabricate":
        numbers = fact_table(scenario.charity.id).numbers
        number = next(number for number in _INVENTED if number not in numbers)
        return draws.pick(banks["fabricate"]["text"]).replace("{n}", str(number))
    return draws.pick(banks["other"][act.kind])


def _fact(kind: str, scenario: Any, draws: Draws, told: set[str]) -> str:
    """A fact of the brief behind a few words; another one if the turn tells the first already."""
    texts = tuple(
        text for text in scenario.charity.texts(kind) if text not in told
    ) or scenario.charity.texts(kind)
    text = draws.pick(texts)
    told.add(text)
    return draws.pick(_leads(kind)).replace("{f}", text)


@lru_cache(maxsize=8)
def _leads(kind: str) -> Bank:
    bank: Bank = load("agent")["inform"][kind]
    return bank


def _draw_out(parts: list[str], length: int, draws: Draws) -> None:
    """Idle talk behind the first part until the turn is longer than ``length`` words."""
    bank = load("agent")["filler"]["text"]
    place = int(draws.draw() * len(bank))
    while sum(len(part.split()) for part in parts) <= length:
        parts.insert(1, bank[place % len(bank)])
        place += 1
