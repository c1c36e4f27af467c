"""What suits a persona: hard constraints, soft preferences, and which activities are good enough."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from dialog_envs.tasks.preference.catalogue import Item, item
from dialog_envs.tasks.preference.persona import HARD, SECOND_THEME, SOFT, PreferencePersona

WEIGHTS = {"theme": 2.0, "setting": 1.5, "pace": 1.5, "crowd": 1.5}
"""Weight of a preference; a slot without preference weighs nothing."""
PRIORITY_BONUS = 2.0
"""Added to the weight of what matters most."""
FLOOR = 0.1
"""Utility of an activity that is possible but meets no wish: better than nothing."""
CLOSE = 0.04
"""An activity is *among the best* when its utility is within this of the best one's."""
EXCUSES = ("crowd", "pace", "setting", "theme")
"""Order in which unmet wishes come up in a refusal: what shows on the surface first, taste itself last."""
SECOND_RATE = 0.7
"""Share of the best utility for which somebody settles whose patience runs out."""
_LEVEL = {"low": 0, "medium": 1, "any": 2, "high": 2}
_LENGTH = {"short": 0, "half_day": 1, "any": 2, "full_day": 2}


def feasible(entry: Item, persona: PreferencePersona) -> bool:
    """Whether the activity meets all hard constraints."""
    return broken_constraint(entry, persona) is None


def broken_constraint(entry: Item, persona: PreferencePersona) -> str | None:
    """The first hard slot that the activity breaks (need, budget, time), or ``None``."""
    for slot in HARD:
        if breaks(entry, slot, getattr(persona, slot)):
            return slot
    return None


def breaks(entry: Item, slot: str, value: str) -> bool:
    """Whether the activity breaks one constraint, for example ``breaks(entry, "budget", "low")``."""
    if slot == "need":
        return value != "none" and not meets_need(entry, value)
    if slot == "budget":
        return _LEVEL[entry.cost_level] > _LEVEL[value]
    return _LENGTH[entry.duration] > _LENGTH[value]


def meets_need(entry: Item, need: str) -> bool:
    """Whether the activity is right for somebody with this need."""
    if need == "step_free":
        return entry.step_free
    if need == "no_heights":
        return not entry.heights
    if need == "no_water":
        return not entry.water
    return need != "vegetarian" or entry.vegetarian


def match(entry: Item, slot: str, value: str) -> float:
    """How well a soft attribute matches a wish, in [0, 1]. ``any`` is matched by everything."""
    if value == "any":
        return 1.0
    have: str = getattr(entry, slot)
    if have == value:
        return 1.0
    if slot == "theme":
        return 0.5 if SECOND_THEME.get(value) == have else 0.0
    return 0.5 if have in ("moderate", "mixed") else 0.0


def weight(persona: PreferencePersona, slot: str) -> float:
    """Weight of a soft slot for this persona."""
    if getattr(persona, slot) == "any":
        return 0.0
    return WEIGHTS[slot] + (PRIORITY_BONUS if slot == persona.priority else 0.0)


def utility(entry: Item, persona: PreferencePersona) -> float:
    """0 if a hard constraint is broken; else from ``FLOOR`` up to 1, by the weighted share of wishes that are met."""
    return _utility(entry, persona, _wishes(persona))


def _wishes(persona: PreferencePersona) -> list[tuple[str, str, float]]:
    """(slot, value, weight) of each soft attribute on which the persona has a preference."""
    shares = [(slot, getattr(persona, slot), weight(persona, slot)) for slot in SOFT]
    return [wish for wish in shares if wish[2]]


def _utility(entry: Item, persona: PreferencePersona, wishes: list[tuple[str, str, float]]) -> float:
    if not feasible(entry, persona):
        return 0.0
    total = got = 0.0
    for slot, value, share in wishes:
        total += share
        got += share * match(entry, slot, value)
    return FLOOR + (1.0 - FLOOR) * got / total


def complaint(entry: Item, persona: PreferencePersona) -> str | None:
    """The slot that a refusal names: a broken constraint, else the first unmet wish of :data:`EXCUSES`."""
    hard = broken_constraint(entry, persona)
    if hard is not None:
        return hard
    return next((slot for slot in EXCUSES if match(entry, slot, getattr(persona, slot)) < 1.0), None)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a persona thinks of each activity of a scenario.

    Attributes:
        utilities: activity id → utility in [0, 1].
        best: the greatest utility.
        acceptable: ids that meet the constraints and are among the best.
    """

    utilities: dict[str, float]
    best: float
    acceptable: frozenset[str]


@lru_cache(maxsize=512)
def verdicts(items: tuple[str, ...], persona: PreferencePersona) -> Verdicts:
    """Judge the activities ``items`` for a persona."""
    wishes = _wishes(persona)
    utilities = {name: _utility(item(name), persona, wishes) for name in items}
    best = max(utilities.values())
    return Verdicts(
        utilities, best, frozenset(n for n, u in utilities.items() if u > 0 and u >= best - CLOSE)
    )
