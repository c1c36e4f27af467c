"""Personas of Instruction-v0: knowledge, background, preferred style and manner, with an explicit prior.

What a persona knows is a status for each of seven positions, so that personas do not depend on the concept;
:func:`project` lays it on a concept's graph. The support is finite.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, product
from typing import Any

import numpy as np

from dialog_envs.core.persona import PersonaPrior
from dialog_envs.core.sampling import pick
from dialog_envs.errors import UnknownFamily, UsageError
from dialog_envs.tasks.instruction.acts import BACKGROUNDS, KINDS, STATUSES

POSITIONS = 7
"""Length of :attr:`InstructionPersona.ideas`; a concept of fewer ideas uses the first ones."""
STATUS = {"known": 0.4, "unknown": 0.36, "misconceived": 0.24}
"""P(status) of a position, before :func:`possible` rules out combinations."""
MOST_MISCONCEPTIONS = 2
"""A persona holds at most so many misconceptions."""
BACKGROUND = {"child": 0.3, "student": 0.4, "professional": 0.3}
"""P(background)."""
STYLE: dict[str, dict[str, float]] = {
    "child": {"analogy": 0.4, "plain": 0.25, "example": 0.35},
    "student": {"analogy": 0.25, "plain": 0.25, "technical": 0.25, "example": 0.25},
    "professional": {"analogy": 0.15, "plain": 0.25, "technical": 0.35, "example": 0.25},
}
"""P(style | background)."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody learns and talks; fixed by the family.

    Attributes:
        talk: ``"low"``, ``"mid"`` or ``"high"``: how many words.
        attention: points that turns use up; at 0 the student leaves.
        openness: probability that a question about oneself brings an answer rather than "hard to say".
        frank: probability of saying what was wrong with an explanation (the basis, the level), not only that it was.
        nods: probability of "I see" after an explanation that did not work.
        believes: what somebody thinks of an idea that nobody has tested: ``"honest"`` (known and misconceived ones are
            thought known), ``"over"`` (all of them are) or ``"under"`` (none is, not even after an explanation).
        stubborn: a misconception stands the first attack that it does not expect.
        restless: long turns cost three times as much and teach nothing.
        deflects: the first check of each idea brings a question, and "do you know …?" only "not sure".
    """

    talk: str
    attention: int
    openness: float
    frank: float
    nods: float = 0.0
    believes: str = "honest"
    stubborn: bool = False
    restless: bool = False
    deflects: bool = False


MANNERS: dict[str, Manner] = {
    # typical families: what datasets may be imagined from
    "curious": Manner("high", 62, 0.95, 0.95),
    "quiet": Manner("low", 64, 0.6, 0.4, nods=0.25),
    "chatty": Manner("high", 56, 0.95, 0.7, nods=0.1),
    "busy": Manner("mid", 48, 0.9, 0.9, nods=0.1),
    # hard families: held out
    "overclaims": Manner("high", 60, 0.9, 0.8, believes="over"),
    "underclaims": Manner("low", 60, 0.8, 0.7, believes="under"),
    "stubborn": Manner("mid", 58, 0.9, 0.8, stubborn=True),
    "restless": Manner("mid", 46, 0.8, 0.8, nods=0.1, restless=True),
    "deflects": Manner("high", 60, 0.6, 0.6, nods=0.1, deflects=True),
}
TYPICAL = ("curious", "quiet", "chatty", "busy")
HARD_FAMILIES = ("overclaims", "underclaims", "stubborn", "restless", "deflects")


@dataclass(frozen=True, slots=True)
class InstructionPersona:
    """A student: who they are, how they like things explained, and what they hold of seven ideas.

    Attributes:
        family: fixes the manner.
        background: one of ``BACKGROUNDS``.
        style: the kind of explanation that always works, one of ``KINDS``.
        ideas: a status for each position.
    """

    family: str
    background: str
    style: str
    ideas: tuple[str, ...]

    @property
    def manner(self) -> Manner:
        """How this family learns and talks."""
        return MANNERS[self.family]

    def to_json(self) -> dict[str, Any]:
        """The fields by name."""
        return {
            "family": self.family,
            "background": self.background,
            "style": self.style,
            "ideas": list(self.ideas),
        }


@lru_cache(maxsize=65_536)
def project(ideas: tuple[str, ...], needs: tuple[tuple[int, ...], ...]) -> tuple[str, ...]:
    """What a persona holds of each idea of a concept.

    An idea is known if its position is and all that it rests on is known; misconceived if its position is; else
    unknown.

    Args:
        ideas: a status for each position.
        needs: for each idea of the concept the positions it rests on, all earlier.
    """
    found: list[str] = []
    for status, basis in zip(ideas, needs, strict=False):
        shaky = status == "known" and any(found[i] != "known" for i in basis)
        found.append("unknown" if shaky else status)
    return tuple(found)


def possible(family: str, ideas: Sequence[str]) -> bool:
    """Whether such knowledge can occur: there is something to teach, and a family can show what makes it hard.

    At least two of the first four are not known and at most two of all misconceived. Over-claimers have a gap,
    and the stubborn a misconception, among the first four.
    """
    first = ideas[:4]
    if first.count("known") > 2 or ideas.count("misconceived") > MOST_MISCONCEPTIONS:
        return False
    if family == "overclaims" and "unknown" not in first:
        return False
    return not (family == "stubborn" and "misconceived" not in first)


@lru_cache(maxsize=16)
def knowledge(family: str) -> dict[tuple[str, ...], float]:
    """All that a member of a family can know of seven positions, with probabilities that sum to 1."""
    found = {
        ideas: math.prod(STATUS[status] for status in ideas)
        for ideas in product(STATUSES, repeat=POSITIONS)
        if possible(family, ideas)
    }
    total = sum(found.values())
    return {ideas: p / total for ideas, p in found.items()}


@lru_cache(maxsize=16)
def _cumulative(family: str) -> tuple[tuple[tuple[str, ...], ...], list[float]]:
    table = knowledge(family)
    return tuple(table), list(accumulate(table.values()))


class InstructionPrior(PersonaPrior[InstructionPersona]):
    """The mixture of families: typical 60 %, hard 40 %."""

    weights = dict.fromkeys(TYPICAL, 0.15) | dict.fromkeys(HARD_FAMILIES, 0.08)
    typical = TYPICAL
    hard = HARD_FAMILIES

    def sample(self, rng: np.random.Generator, family: str | None = None) -> InstructionPersona:
        """Draw a persona; four numbers from ``rng``."""
        name = self.sample_family(rng, family)
        draws = rng.random(3)
        background = pick(BACKGROUND, float(draws[0]))
        rows, edges = _cumulative(name)
        place = int(np.searchsorted(edges, float(draws[2]) * edges[-1], side="right"))
        ideas = rows[min(place, len(rows) - 1)]
        return InstructionPersona(name, background, pick(STYLE[background], float(draws[1])), ideas)

    def log_prob(self, persona: InstructionPersona) -> float:
        """Log probability in nats; ``-inf`` outside the support."""
        if persona.family not in self.weights:
            return -math.inf
        p = self.weights[persona.family] * BACKGROUND.get(persona.background, 0.0)
        p *= STYLE.get(persona.background, {}).get(persona.style, 0.0)
        p *= knowledge(persona.family).get(persona.ideas, 0.0)
        return math.log(p) if p > 0 else -math.inf

    def support(self, family: str | None = None) -> Iterator[InstructionPersona]:
        """All personas of positive probability (about 12,000 a family)."""
        for name in self.group(family):
            for background in BACKGROUNDS:
                for style in STYLE[background]:
                    for ideas in knowledge(name):
                        yield InstructionPersona(name, background, style, ideas)


def persona_from_json(data: Mapping[str, Any]) -> InstructionPersona:
    """Inverse of ``to_json``; every field must be there and in the support.

    Raises:
        UnknownFamily: no such family.
        UsageError: a field is missing, unknown, or together they cannot occur.
    """
    fields = {"family", "background", "style", "ideas"}
    if not isinstance(data, Mapping) or set(data) != fields:
        raise UsageError(
            f"a persona needs exactly the fields {', '.join(sorted(fields))}; got: {data!r:.200}"
        )
    if data["family"] not in MANNERS:
        raise UnknownFamily(data["family"], MANNERS)
    if data["background"] not in BACKGROUNDS:
        raise UsageError(
            f"persona: background must be one of {', '.join(BACKGROUNDS)}; got {data['background']!r:.80}"
        )
    if data["style"] not in KINDS:
        raise UsageError(f"persona: style must be one of {', '.join(KINDS)}; got {data['style']!r:.80}")
    if not isinstance(data["ideas"], (list, tuple)) or len(data["ideas"]) != POSITIONS:
        raise UsageError(f"persona: ideas must be a list of {POSITIONS} statuses; got {data['ideas']!r:.200}")
    persona = InstructionPersona(data["family"], data["background"], data["style"], tuple(data["ideas"]))
    if not all(status in STATUSES for status in persona.ideas):
        raise UsageError(
            f"persona: a status is one of {', '.join(STATUSES)}; got {list(persona.ideas)!r:.200}"
        )
    if InstructionPrior().log_prob(persona) == -math.inf:
        raise UsageError(f"this persona cannot occur in family {persona.family}: {persona.to_json()}")
    return persona
