"""Scenarios of Persuasion-v0: a charity, and where the talk takes place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from dialog_envs.errors import UnknownName, UsageError
from dialog_envs.tasks.persuasion.content import Charity, charities, charity

PLACES: dict[str, str] = {
    "stall": "at your stall on the market square",
    "door": "at their front door",
    "street": "in the shopping street",
    "phone": "on the phone; they had asked to be called back",
    "chat": "in the chat on the charity's website",
    "fair": "at a neighbourhood fair",
    "library": "in the hall of the public library",
    "concert": "in the break of a benefit concert",
}
"""Where the talk takes place, as the brief says it. It changes nothing but words."""
_BRIEF = re.compile(
    r"You raise funds for (?P<name>.+?), a charity that .+?\. You talk with somebody (?P<place>.+?)\. "
)


@dataclass(frozen=True)
class PersuasionScenario:
    """A charity's id, and a key of :data:`PLACES`."""

    charity_id: str
    place: str

    @cached_property
    def charity(self) -> Charity:
        """The charity with its facts."""
        return charity(self.charity_id)

    @cached_property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """(kind, text) of every fact in the brief."""
        return self.charity.facts

    @cached_property
    def brief(self) -> str:
        """The scenario in words: the agent's part, and a line a fact, numbered where a kind has several."""
        lines = [
            f"You raise funds for {self.charity.name}, a charity that {self.charity.pitch}. You talk with somebody "
            f"{PLACES[self.place]}. Win a donation (about 10, 25 or 50 euros) by honest means: find out what moves "
            "them and what is in the way, and say nothing as a fact that is not listed here. You have 14 turns, and "
            "their patience has an end.",
            "Facts:",
        ]
        for kind, text in self.facts:
            texts = self.charity.texts(kind)
            number = f" {texts.index(text) + 1}" if len(texts) > 1 else ""
            lines.append(f"- {kind}{number}: {text}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Both fields by name."""
        return {"charity": self.charity_id, "place": self.place}


def sample_scenario(rng: np.random.Generator) -> PersuasionScenario:
    """Draw a charity and a place, uniformly."""
    draws = rng.random(2)
    entries, places = charities(), tuple(PLACES)
    return PersuasionScenario(entries[int(draws[0] * len(entries))].id, places[int(draws[1] * len(places))])


def scenario_from_json(data: Mapping[str, Any]) -> PersuasionScenario:
    """Inverse of ``to_json``.

    Raises:
        UsageError: a field is missing or unknown.
    """
    if not isinstance(data, Mapping) or set(data) != {"charity", "place"}:
        raise UsageError(f"a scenario needs exactly the fields charity and place; got: {data!r:.200}")
    if data["place"] not in PLACES:
        raise UsageError(f"scenario: place must be one of {', '.join(PLACES)}; got {data['place']!r:.80}")
    try:
        charity(data["charity"])
    except (UnknownName, TypeError) as error:
        raise UsageError(f"scenario: {error}") from error
    return PersuasionScenario(data["charity"], data["place"])


@lru_cache(maxsize=4096)
def scenario_from_brief(brief: str) -> PersuasionScenario:
    """The scenario that a brief describes: what an agent knows that has read it.

    Raises:
        UsageError: the text is no brief of this task.
    """
    found = _BRIEF.match(brief)
    entry = next((entry for entry in charities() if found and entry.name == found["name"]), None)
    place = next((key for key, words in PLACES.items() if found and words == found["place"]), None)
    if entry is None or place is None:
        raise UsageError(f"not a brief of Persuasion-v0: {brief[:80]!r}")
    return PersuasionScenario(entry.id, place)
