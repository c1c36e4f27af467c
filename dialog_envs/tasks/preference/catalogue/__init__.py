"""The activity catalogue: real places, and for each the activities that scenarios draw from.

One JSON file a place lies beside this module: `{"place": ..., "slug": ..., "items": [...]}`. Each item carries every
attribute that a persona may care about; `facts` states them in words, and `parse_facts` reads such words back, so an
agent that sees only the text of a brief knows exactly what the kernel knows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.resources import files
from typing import Any

from dialog_envs.errors import UnknownName, UsageError

THEMES = ("art", "history", "nature", "food", "music", "sport", "craft", "wellness")
SETTINGS = ("indoors", "outdoors")
PACES = ("relaxed", "moderate", "active")
CROWDS = ("quiet", "mixed", "lively")
DURATIONS = ("short", "half_day", "full_day")
COMPANIES = ("solo", "couple", "family", "friends")
LOW_COST, MEDIUM_COST = 20, 60
"""Highest price in euros per person of the cost levels "low" and "medium"."""

_DURATION_WORDS = {"short": "up to two hours", "half_day": "half a day", "full_day": "a full day"}
_CROWD_WORDS = {"quiet": "quiet", "mixed": "moderately busy", "lively": "lively"}
_COMPANY_WORDS = {"solo": "solo visitors", "couple": "couples", "family": "families", "friends": "friends"}


@dataclass(frozen=True, slots=True)
class Item:
    """One activity. `cost` is in euros per person (0: free); `duration` "short" means at most two hours.

    `step_free`: no stairs and no rough ground; `heights`: high up, or a drop beside one; `water`: on or in water;
    `vegetarian`: False only for food that a vegetarian cannot eat.
    """

    id: str
    name: str
    blurb: str
    theme: str
    setting: str
    pace: str
    crowd: str
    cost: int
    duration: str
    suits: tuple[str, ...]
    step_free: bool
    heights: bool
    water: bool
    vegetarian: bool

    @property
    def cost_level(self) -> str:
        """ "low" (at most 20 euros), "medium" (at most 60) or "high"."""
        if self.cost <= LOW_COST:
            return "low"
        return "medium" if self.cost <= MEDIUM_COST else "high"

    @property
    def place(self) -> str:
        """The slug of the item's place: what stands before the "/" of its id."""
        return self.id.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Place:
    """A city or region with its activities."""

    slug: str
    name: str
    items: tuple[Item, ...]


@lru_cache(maxsize=1)
def places() -> tuple[Place, ...]:
    """All places, in the order of their slugs."""
    found = sorted((f for f in files(__name__).iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    return tuple(_place(json.loads(f.read_text(encoding="utf-8"))) for f in found)


def item(id: str) -> Item:
    """The item with this id, such as "lisbon/alfama-tile-workshop"; raises UnknownName for any other."""
    found = _items().get(id)
    if found is None:
        slug = id.partition("/")[0]
        same_place = [known for known in _items() if known.startswith(f"{slug}/")]
        raise UnknownName(id, same_place or [place.slug for place in places()], "An id is PLACE/ACTIVITY.")
    return found


def facts(item: Item) -> str:
    """Every attribute of the item in words, always in the same order and form; `parse_facts` is its inverse.

    Example: "Craft, indoors, relaxed pace, quiet; 18 euros; up to two hours; for couples and friends; step-free".
    """
    parts = [
        f"{item.theme.capitalize()}, {item.setting}, {item.pace} pace, {_CROWD_WORDS[item.crowd]}",
        f"{item.cost} euros" if item.cost else "free",
        _DURATION_WORDS[item.duration],
        _company_words(item.suits),
        "step-free" if item.step_free else "stairs or rough ground",
    ]
    if item.heights:
        parts.append("high up")
    if item.water:
        parts.append("on the water")
    if item.theme == "food":
        parts.append("vegetarian options" if item.vegetarian else "no vegetarian options")
    return "; ".join(parts)


def parse_facts(text: str) -> dict[str, Any]:
    """The attributes that a clause made by `facts` states (all fields of `Item` but id, name and blurb).

    A full stop at the end is allowed. Raises UsageError, naming the text, where it is no such clause.
    """
    try:
        kind, price, time, company, steps, *extras = text.strip().removesuffix(".").split("; ")
        theme, setting, pace, crowd = kind.split(", ")
        if not _known(theme.lower(), setting, pace, steps, extras):
            raise ValueError(kind)
        return {
            "theme": theme.lower(),
            "setting": setting,
            "pace": pace.removesuffix(" pace"),
            "crowd": _key(_CROWD_WORDS, crowd),
            "cost": 0 if price == "free" else int(price.removesuffix(" euros")),
            "duration": _key(_DURATION_WORDS, time),
            "suits": _companies(company),
            "step_free": steps == "step-free",
            "heights": "high up" in extras,
            "water": "on the water" in extras,
            "vegetarian": "no vegetarian options" not in extras,
        }
    except (ValueError, KeyError) as error:
        message = f"not a clause of facts about an activity: {text!r}; it must read as facts(item) writes it"
        raise UsageError(message) from error


@lru_cache(maxsize=1)
def _items() -> dict[str, Item]:
    return {found.id: found for place in places() for found in place.items}


def _place(data: dict[str, Any]) -> Place:
    names = [f.name for f in fields(Item)]
    rows = ({name: row[name] for name in names} | {"suits": tuple(row["suits"])} for row in data["items"])
    return Place(data["slug"], data["place"], tuple(Item(**row) for row in rows))


def _company_words(suits: tuple[str, ...]) -> str:
    if set(suits) == set(COMPANIES):
        return "for anyone"
    words = [_COMPANY_WORDS[company] for company in COMPANIES if company in suits]
    return "for " + " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _companies(words: str) -> tuple[str, ...]:
    if words == "for anyone":
        return COMPANIES
    named = words.removeprefix("for ").replace(" and ", ", ").split(", ")
    return tuple(_key(_COMPANY_WORDS, word) for word in named)


def _key(table: dict[str, str], words: str) -> str:
    """The key under which the words stand; raises KeyError where there is none."""
    return {value: key for key, value in table.items()}[words]


def _known(theme: str, setting: str, pace: str, steps: str, extras: list[str]) -> bool:
    """Whether the words that are not looked up in a table are words that `facts` writes."""
    return (
        theme in THEMES
        and setting in SETTINGS
        and pace in {f"{p} pace" for p in PACES}
        and steps in ("step-free", "stairs or rough ground")
        and {*extras} <= {"high up", "on the water", "vegetarian options", "no vegetarian options"}
    )


__all__ = [
    "COMPANIES", "CROWDS", "DURATIONS", "PACES", "SETTINGS", "THEMES",
    "Item", "Place", "facts", "item", "parse_facts", "places",
]  # fmt: skip
