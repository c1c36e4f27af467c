"""Personas of Persuasion-v0: what moves them, what is in the way, and manner, with an explicit prior.

Six finite factors; manner belongs to the family. Hence the support is finite and the exact posterior can be computed
(:mod:`dialog_envs.tasks.persuasion.posterior`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from dialog_envs.core.persona import PersonaPrior
from dialog_envs.core.sampling import pick
from dialog_envs.errors import UnknownFamily, UsageError
from dialog_envs.tasks.persuasion.acts import VALUES

TRUST = ("low", "mid", "high")
"""How much somebody trusts charities to begin with; tells what they say of earlier experience."""
EXPERIENCE = {"low": "bad", "mid": "none", "high": "good"}
"""Answer to ``ask(experience)`` by trust."""
MOST = {"tight": "small", "modest": "medium", "comfortable": "large"}
"""The largest band that somebody of these means would ever give."""

PRIOR: dict[str, dict[str, float]] = {
    "value": dict.fromkeys(VALUES, 1 / 6),
    "taste": {"reason": 0.5, "feeling": 0.5},
    "means": {"tight": 0.3, "modest": 0.4, "comfortable": 0.3},
    "trust": {"low": 0.3, "mid": 0.4, "high": 0.3},
    "objection": {
        "cost": 0.17, "waste": 0.15, "effect": 0.15, "local": 0.11, "trust": 0.09, "time": 0.09, "none": 0.24
    },
    "hidden": {
        "cost": 0.1, "waste": 0.12, "effect": 0.12, "local": 0.08, "trust": 0.12, "time": 0.06, "none": 0.4
    },
}  # fmt: skip
"""P(value) of each factor. Independent, but that the hidden objection is another one than the spoken one (``none``
may stand twice), and for what a family fixes."""
FACTORS = tuple(PRIOR)
"""Names of the hidden factors."""
DOMAINS = {factor: tuple(table) for factor, table in PRIOR.items()}
"""The values of each factor, in a fixed order."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody talks and gives; fixed by the family.

    Attributes:
        talk: ``"low"``, ``"mid"`` or ``"high"``: how many words.
        patience: what agent turns use up, in hundredths; at 0 the user leaves.
        openness: probability that a question brings its answer.
        volunteers: probability that a turn adds something unasked.
        confides: probability that a refusal names the hidden objection unasked.
        promises: probability that a first yes is only a promise; a commitment must be asked for.
        foot: a first small step makes the later yes easier (Freedman and Fraser, 1966).
        reactant: takes pressure twice as ill (Brehm, 1966).
    """

    talk: str
    patience: int
    openness: float
    volunteers: float
    confides: float
    promises: float = 0.0
    foot: bool = False
    reactant: bool = False


MANNERS: dict[str, Manner] = {
    # typical families: what datasets may be imagined from
    "warm": Manner("high", 1050, 0.95, 0.25, 0.4, promises=0.3, foot=True),
    "practical": Manner("mid", 900, 0.9, 0.1, 0.3),
    "cautious": Manner("mid", 980, 0.8, 0.05, 0.2, promises=0.2, foot=True),
    "busy": Manner("low", 750, 0.85, 0.05, 0.3, promises=0.4),
    # hard families: held out
    "guarded": Manner("low", 880, 0.7, 0.0, 0.0),
    "yes_sayer": Manner("high", 880, 0.9, 0.1, 0.0, promises=1.0, foot=True),
    "reactant": Manner("mid", 860, 0.8, 0.1, 0.2, reactant=True),
    "evidence_only": Manner("mid", 860, 0.9, 0.1, 0.3),
}
TYPICAL = ("warm", "practical", "cautious", "busy")
HARD_FAMILIES = ("guarded", "yes_sayer", "reactant", "evidence_only")


@dataclass(frozen=True, slots=True)
class PersuasionPersona:
    """Somebody who could give.

    Attributes:
        family: fixes the manner.
        value: what moves them, one of ``acts.VALUES``.
        taste: ``reason`` or ``feeling``: which appeals they like.
        means: ``tight``, ``modest`` or ``comfortable``: what they would give at most (:data:`MOST`).
        trust: ``low``, ``mid`` or ``high``.
        objection: what they say is in the way, one of ``acts.OBJECTIONS`` or ``none``.
        hidden: what is in the way besides, and stays unsaid until it is found; another one, or ``none``.
    """

    family: str
    value: str
    taste: str
    means: str
    trust: str
    objection: str
    hidden: str

    @property
    def manner(self) -> Manner:
        """How this family talks and gives."""
        return MANNERS[self.family]

    @property
    def most(self) -> str:
        """The largest band that they would ever give."""
        return MOST[self.means]

    def says(self, slot: str) -> str:
        """What the persona answers when asked about ``values``, ``means`` or ``experience``."""
        if slot == "values":
            return self.value
        return self.means if slot == "means" else EXPERIENCE[self.trust]

    def to_json(self) -> dict[str, Any]:
        """All factors by name."""
        return asdict(self)


def allowed(persona: PersuasionPersona) -> bool:
    """Whether the persona lies in the prior's support."""
    if persona.objection == persona.hidden != "none":
        return False
    if persona.family == "guarded":  # what they say is a pretext
        return persona.objection != "none" and persona.hidden != "none"
    if persona.family == "yes_sayer":
        return persona.hidden != "none"
    return persona.family != "evidence_only" or persona.taste == "reason"


class PersuasionPrior(PersonaPrior[PersuasionPersona]):
    """The prior: 60 % typical families, 40 % hard ones. A family's restrictions are conditions on the table."""

    typical = TYPICAL
    hard = HARD_FAMILIES
    weights = dict.fromkeys(TYPICAL, 0.6 / 4) | dict.fromkeys(HARD_FAMILIES, 0.4 / 4)

    def sample(self, rng: np.random.Generator, family: str | None = None) -> PersuasionPersona:
        """Draw a persona (rejection sampling over the independent table)."""
        name = self.sample_family(rng, family)
        while True:
            draws = rng.random(len(FACTORS)).tolist()
            factors = {factor: pick(PRIOR[factor], draw) for factor, draw in zip(FACTORS, draws, strict=True)}
            persona = PersuasionPersona(name, **factors)
            if allowed(persona):
                return persona

    def log_prob(self, persona: PersuasionPersona) -> float:
        """Log probability in nats; ``-inf`` outside the support."""
        if persona.family not in self.weights or not allowed(persona):
            return -math.inf
        p = self.weights[persona.family] * _weight(persona) / _norm(persona.family)
        return math.log(p) if p > 0 else -math.inf

    def support(self, family: str | None = None) -> Iterator[PersuasionPersona]:
        """All personas of positive probability: 4,644 a family, fewer of the restricted ones."""
        for name in self.group(family):
            yield from _points(name)


def _points(family: str) -> Iterator[PersuasionPersona]:
    for factors in product(*DOMAINS.values()):
        persona = PersuasionPersona(family, *factors)
        if allowed(persona):
            yield persona


@lru_cache(maxsize=16)
def _norm(family: str) -> float:
    """What the table's entries sum to over the personas that a family allows."""
    return sum(_weight(persona) for persona in _points(family))


def _weight(persona: PersuasionPersona) -> float:
    """Product of the table's entries."""
    return math.prod(PRIOR[factor].get(getattr(persona, factor), 0.0) for factor in FACTORS)


def persona_from_json(data: Mapping[str, Any]) -> PersuasionPersona:
    """Inverse of ``to_json``; every factor must be there and in the support.

    Raises:
        UnknownFamily: no such family.
        UsageError: a factor is missing, unknown, or together they cannot occur.
    """
    fields = {"family", *FACTORS}
    if not isinstance(data, Mapping) or set(data) != fields:
        raise UsageError(
            f"a persona needs exactly the fields {', '.join(sorted(fields))}; got: {data!r:.200}"
        )
    if not all(isinstance(value, str) for value in data.values()):
        raise UsageError(f"persona: every field is a word; got: {data!r:.200}")
    if data["family"] not in MANNERS:
        raise UnknownFamily(data["family"], MANNERS)
    for factor in FACTORS:
        if data[factor] not in DOMAINS[factor]:
            known = ", ".join(DOMAINS[factor])
            raise UsageError(f"persona: {factor} must be one of {known}; got {data[factor]!r:.80}")
    persona = PersuasionPersona(**data)
    if not allowed(persona):
        raise UsageError(f"this persona cannot occur in family {persona.family}: {persona.to_json()}")
    return persona
