"""Scenarios of PreferenceElicitation-v0: a place, an occasion, and 12 to 16 activities to choose from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from dialog_envs.errors import UnknownName, UsageError
from dialog_envs.tasks.preference.catalogue import Item, facts, item, places

OCCASIONS: tuple[tuple[str, str], ...] = (
    ("a free day on a business trip", "solo"),
    ("a week of travelling alone", "solo"),
    ("a stop on a long train journey alone", "solo"),
    ("a wedding anniversary", "couple"),
    ("a long weekend for two", "couple"),
    ("a honeymoon", "couple"),
    ("a holiday with two children", "family"),
    ("a visit with the grandparents and the children", "family"),
    ("the school holidays with the family", "family"),
    ("a birthday with old friends", "friends"),
    ("a reunion of school friends", "friends"),
    ("a few days away with friends", "friends"),
)
"""What the trip is for, and the company that it implies (both public)."""
_BRIEF = re.compile(
    r"You are a travel agent\. A traveller is in (?P<place>.+?) for (?P<occasion>.+?) and wants one"
)
MIN_ITEMS, MAX_ITEMS = 12, 16
SURE_ITEMS = 2
"""Activities of a scenario that fit every budget, schedule and need, so that nobody is left without a choice."""


@dataclass(frozen=True)
class PreferenceScenario:
    """A place, an occasion, and the ids of the activities on offer."""

    place: str
    occasion: str
    company: str
    items: tuple[str, ...]

    @cached_property
    def activities(self) -> tuple[Item, ...]:
        """The catalogue's entries for :attr:`items`."""
        return tuple(item(name) for name in self.items)

    @cached_property
    def item_names(self) -> tuple[str, ...]:
        """Names in the order of :attr:`items`."""
        return tuple(entry.name for entry in self.activities)

    @cached_property
    def brief(self) -> str:
        """The scenario in words: the agent's part, the place and occasion, and a line an activity."""
        lines = [
            f"You are a travel agent. A traveller is in {self.place} for {self.occasion} and wants one activity. "
            "Find out what suits them and suggest it; they have not told you yet what they like, need or can spend. "
            "You have 12 turns, and their patience has an end.",
            "Activities:",
        ]
        lines += map(_line, self.items)
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The four fields by name."""
        return {
            "place": self.place,
            "occasion": self.occasion,
            "company": self.company,
            "items": list(self.items),
        }


@lru_cache(maxsize=4096)
def _line(name: str) -> str:
    """What a brief says of one activity."""
    entry = item(name)
    return f"- {entry.name}: {entry.blurb}. {facts(entry)}."


def sample_scenario(rng: np.random.Generator) -> PreferenceScenario:
    """Draw a place, an occasion and 12 to 16 of the place's activities that suit the company."""
    draws = rng.random(3)
    place = places()[int(draws[0] * len(places()))]
    occasion, company = OCCASIONS[int(draws[1] * len(OCCASIONS))]
    sure, rest = _pools(place.slug, company)
    size = min(MIN_ITEMS + int(draws[2] * (MAX_ITEMS - MIN_ITEMS + 1)), len(sure) + len(rest))
    shuffled = _shuffled(sure, rng)
    others = _shuffled((*shuffled[SURE_ITEMS:], *rest), rng)
    chosen = shuffled[:SURE_ITEMS] + others[: size - SURE_ITEMS]
    return PreferenceScenario(place.name, occasion, company, tuple(_shuffled(chosen, rng)))


def _shuffled(names: Sequence[str], rng: np.random.Generator) -> list[str]:
    return [names[i] for i in rng.permutation(len(names)).tolist()]


@lru_cache(maxsize=256)
def _pools(slug: str, company: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids of a place's activities that suit the company: those that fit everybody, and the others."""
    entries = next(place.items for place in places() if place.slug == slug)
    fitting = [entry for entry in entries if company in entry.suits]
    sure = tuple(entry.id for entry in fitting if fits_everybody(entry))
    return sure, tuple(entry.id for entry in fitting if not fits_everybody(entry))


def fits_everybody(entry: Item) -> bool:
    """Cheap, short, step-free, dry, on the ground, and a vegetarian can eat there."""
    hazards = entry.heights or entry.water or not entry.step_free or not entry.vegetarian
    return entry.cost_level == "low" and entry.duration == "short" and not hazards


def scenario_from_json(data: Mapping[str, Any]) -> PreferenceScenario:
    """Inverse of ``to_json``.

    Raises:
        UsageError: a field is missing or has a wrong type; place, occasion or an activity is unknown; or an activity
            stands twice or in another place. So every scenario can be read back from its brief.
    """
    fields = {"place", "occasion", "company", "items"}
    if not isinstance(data, Mapping) or set(data) != fields:
        raise UsageError(
            f"a scenario needs exactly the fields {', '.join(sorted(fields))}; got: {data!r:.200}"
        )
    names = data["items"]
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise UsageError("scenario: items must be a list of activity ids")
    if not 1 <= len(names) <= MAX_ITEMS or len(set(names)) != len(names):
        raise UsageError(
            f"scenario: items must hold 1 to {MAX_ITEMS} activities, each once; got {len(names)}"
        )
    if (data["occasion"], data["company"]) not in OCCASIONS:
        pairs = "; ".join(f"{occasion} ({company})" for occasion, company in OCCASIONS)
        raise UsageError(
            f"scenario: occasion and company must be one of: {pairs}; got {data['occasion']!r:.80}"
        )
    place = next((place for place in places() if place.name == data["place"]), None)
    if place is None:
        known = ", ".join(place.name for place in places())
        raise UsageError(f"scenario: place must be one of {known}; got {data['place']!r:.80}")
    for name in names:
        try:
            found = item(name)
        except UnknownName as error:
            raise UsageError(f"scenario: {error}") from error
        if found.place != place.slug:
            raise UsageError(f"scenario: {name} is not in {place.name}")
    return PreferenceScenario(place.name, data["occasion"], data["company"], tuple(names))


@lru_cache(maxsize=4096)
def scenario_from_brief(brief: str) -> PreferenceScenario:
    """The scenario that a brief describes: what an agent knows that has read it.

    Raises:
        UsageError: the text is no brief of this task.
    """
    found = _BRIEF.match(brief)
    place = next((place for place in places() if found and place.name == found["place"]), None)
    if found is None or place is None:
        raise UsageError(f"not a brief of PreferenceElicitation-v0: {brief[:80]!r}")
    ids = {entry.name: entry.id for entry in place.items}
    listed = [line[2:].partition(": ")[0] for line in brief.splitlines() if line.startswith("- ")]
    company = dict(OCCASIONS).get(found["occasion"], "solo")
    return PreferenceScenario(
        place.name, found["occasion"], company, tuple(ids[n] for n in listed if n in ids)
    )
