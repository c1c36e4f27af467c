"""Personas of PreferenceElicitation-v0: tastes, hard constraints and manner, with an explicit prior.

Tastes are seven finite factors and a priority; manner belongs to the family. Hence the support is finite and the
exact posterior can be computed (:mod:`dialog_envs.tasks.preference.posterior`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from dialog_envs.core.persona import PersonaPrior
from dialog_envs.core.sampling import pick
from dialog_envs.errors import UnknownFamily, UsageError
from dialog_envs.tasks.preference.catalogue import THEMES

SOFT = ("theme", "setting", "pace", "crowd")
"""Attributes that persons weigh against each other."""
HARD = ("need", "budget", "time")
"""Attributes that must fit, in the order in which a person names what does not."""
SLOTS = ("theme", "setting", "pace", "crowd", "budget", "time", "need")
"""All attributes that can be asked about."""

PRIOR: dict[str, dict[str, float]] = {
    "theme": dict.fromkeys(THEMES, 1 / 8),
    "setting": {"indoors": 0.4, "outdoors": 0.4, "any": 0.2},
    "pace": {"relaxed": 0.4, "active": 0.4, "any": 0.2},
    "crowd": {"quiet": 0.4, "lively": 0.4, "any": 0.2},
    "budget": {"low": 0.3, "medium": 0.35, "any": 0.35},
    "time": {"short": 0.25, "half_day": 0.35, "any": 0.4},
    "need": {"none": 0.5, "step_free": 0.15, "no_heights": 0.1, "no_water": 0.1, "vegetarian": 0.15},
}
"""P(value) of each factor; they are independent, but for what a family fixes."""
PRIORITY = {"theme": 0.25, "setting": 0.25, "pace": 0.25, "crowd": 0.25}
"""P(what matters most), renormalised over the attributes on which the persona has a preference."""
VALUES = {slot: tuple(table) for slot, table in PRIOR.items()}
"""The values of each slot, in a fixed order."""

NO_PREFERENCE = {slot: "none" if slot == "need" else "any" for slot in SLOTS}
SECOND_THEME = {
    "art": "craft",
    "craft": "art",
    "history": "food",
    "food": "history",
    "nature": "sport",
    "sport": "nature",
    "music": "wellness",
    "wellness": "music",
}
"""The theme that a lover of a theme likes half as much, and the one that a changeable persona changes to."""
OPPOSITE = {
    "indoors": "outdoors",
    "outdoors": "indoors",
    "relaxed": "active",
    "active": "relaxed",
    "quiet": "lively",
    "lively": "quiet",
}


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody talks; fixed by the family.

    Attributes:
        talk: ``"low"``, ``"mid"`` or ``"high"``: how many words, and how often something is said unasked.
        patience: what questions, surveys and bad suggestions use up; at 0 the user leaves.
        openness: probability that a question brings its answer.
        volunteers: probability that a turn adds something unasked.
        hesitates: probability of not taking a fitting suggestion at once, when nothing is set beside it.
        reasons: probability that a refusal comes with its reason.
        decided: whether the persona knows what they want (``hesitates`` is 0).
        settles: takes something second-rate when patience runs out.
    """

    talk: str
    patience: float
    openness: float
    volunteers: float
    hesitates: float = 0.0
    reasons: float = 1.0
    settles: bool = False

    @property
    def decided(self) -> bool:
        """True if the persona takes what fits without hesitation."""
        return self.hesitates == 0.0


MANNERS: dict[str, Manner] = {
    # typical families: what datasets may be imagined from
    "easygoing": Manner("high", 4.0, 0.95, 0.35, settles=True),
    "focused": Manner("mid", 3.5, 0.95, 0.1),
    "reserved": Manner("low", 4.0, 0.75, 0.03),
    "hesitant": Manner("mid", 4.0, 0.85, 0.15, hesitates=0.5),
    # hard families: held out
    "cost_averse": Manner("mid", 3.5, 0.9, 0.1),
    "indecisive": Manner("high", 4.0, 0.7, 0.1, hesitates=1.0),
    "terse": Manner("low", 3.5, 0.6, 0.0, reasons=0.5),
    "impatient": Manner("low", 2.4, 0.9, 0.05, settles=True),
    "changeable": Manner("mid", 4.0, 0.9, 0.15),
    "contradictory": Manner("high", 4.0, 0.95, 0.2),
}
TYPICAL = ("easygoing", "focused", "reserved", "hesitant")
HARD_FAMILIES = ("cost_averse", "indecisive", "terse", "impatient", "changeable", "contradictory")
CHANGE_AT = 3
"""The user turn (counted from 1) at which a changeable persona changes to the second theme."""


@dataclass(frozen=True, slots=True)
class PreferencePersona:
    """A traveller: what they like, what must fit, and (through the family) how they talk."""

    family: str
    theme: str
    setting: str
    pace: str
    crowd: str
    budget: str
    time: str
    need: str
    priority: str

    @property
    def manner(self) -> Manner:
        """How this family talks."""
        return MANNERS[self.family]

    def says(self, slot: str) -> str:
        """What the persona answers when asked about ``slot``. Not always the truth: see the hard families."""
        value: str = getattr(self, slot)
        if self.family == "cost_averse" and slot == "budget":
            return "any"
        if self.family == "contradictory" and slot == lie_slot(self):
            return OPPOSITE[value]
        return value

    def changed(self) -> PreferencePersona:
        """The persona after a change of mind."""
        return replace(self, theme=SECOND_THEME[self.theme])

    def ranked(self) -> tuple[str, ...]:
        """Soft slots on which the persona has a preference, the most important first."""
        rest = tuple(slot for slot in SOFT if slot != self.priority and getattr(self, slot) != "any")
        return (self.priority, *rest)

    def to_json(self) -> dict[str, Any]:
        """All factors by name."""
        return asdict(self)


def lie_slot(persona: PreferencePersona) -> str | None:
    """The soft slot on which a contradictory persona says the opposite of what they accept (``None``: none)."""
    return next((slot for slot in ("crowd", "pace", "setting") if getattr(persona, slot) != "any"), None)


def allowed(persona: PreferencePersona) -> bool:
    """Whether the persona lies in the prior's support."""
    if persona.priority not in SOFT or getattr(persona, persona.priority) == "any":
        return False
    if persona.family == "cost_averse" and persona.budget != "low":
        return False
    return persona.family != "contradictory" or lie_slot(persona) is not None


class PreferencePrior(PersonaPrior[PreferencePersona]):
    """The prior: 60 % typical families, 40 % hard ones, each with independent tastes."""

    typical = TYPICAL
    hard = HARD_FAMILIES
    weights = dict.fromkeys(TYPICAL, 0.6 / 4) | dict.fromkeys(HARD_FAMILIES, 0.4 / 6)

    def sample(self, rng: np.random.Generator, family: str | None = None) -> PreferencePersona:
        """Draw a persona. A family's restrictions are conditions (rejection sampling), so the prior stays explicit."""
        name = self.sample_family(rng, family)
        while True:
            draws = iter(rng.random(len(SLOTS) + 1).tolist())
            taste = {slot: pick(PRIOR[slot], next(draws)) for slot in SLOTS}
            choices = {slot: p for slot, p in PRIORITY.items() if taste[slot] != "any"}
            persona = PreferencePersona(name, **taste, priority=pick(choices, next(draws)))
            if name == "cost_averse":
                persona = replace(persona, budget="low")
            if allowed(persona):
                return persona

    def log_prob(self, persona: PreferencePersona) -> float:
        """Log probability in nats; ``-inf`` outside the support."""
        if persona.family not in self.weights or not allowed(persona):
            return -math.inf
        p = self.weights[persona.family]
        for slot in SLOTS:
            if not (persona.family == "cost_averse" and slot == "budget"):
                p *= PRIOR[slot].get(getattr(persona, slot), 0.0)
        p *= PRIORITY[persona.priority] / sum(
            q for slot, q in PRIORITY.items() if getattr(persona, slot) != "any"
        )
        if persona.family == "contradictory":
            p /= 1.0 - math.prod(PRIOR[slot]["any"] for slot in ("crowd", "pace", "setting"))
        return math.log(p) if p > 0 else -math.inf

    def support(self, family: str | None = None) -> Iterator[PreferencePersona]:
        """All personas of positive probability (about 29,000 a family, 9,720 of the cost-averse)."""
        for name in self.group(family):
            for index in np.ndindex(*(len(VALUES[slot]) for slot in SLOTS), len(SOFT)):
                taste = {slot: VALUES[slot][i] for slot, i in zip(SLOTS, index, strict=False)}
                persona = PreferencePersona(name, **taste, priority=SOFT[index[-1]])
                if allowed(persona):
                    yield persona


def persona_from_json(data: Mapping[str, Any]) -> PreferencePersona:
    """Inverse of ``to_json``; every factor must be there and in the support.

    Raises:
        UnknownFamily: no such family.
        UsageError: a factor is missing, unknown, or together they cannot occur.
    """
    fields = {"family", "priority", *SLOTS}
    if not isinstance(data, Mapping) or set(data) != fields:
        raise UsageError(
            f"a persona needs exactly the fields {', '.join(sorted(fields))}; got: {data!r:.200}"
        )
    if not all(isinstance(value, str) for value in data.values()):
        raise UsageError(f"persona: every field is a word; got: {data!r:.200}")
    if data["family"] not in MANNERS:
        raise UnknownFamily(data["family"], MANNERS)
    for slot in SLOTS:
        if data[slot] not in PRIOR[slot]:
            raise UsageError(
                f"persona: {slot} must be one of {', '.join(VALUES[slot])}; got {data[slot]!r:.80}"
            )
    if data["priority"] not in SOFT:
        raise UsageError(f"persona: priority must be one of {', '.join(SOFT)}; got {data['priority']!r:.80}")
    persona = PreferencePersona(**data)
    if not allowed(persona):
        raise UsageError(f"this persona cannot occur in family {persona.family}: {persona.to_json()}")
    return persona
