"""All students that could be sitting there, and the kernel's judgements evaluated on all of them at once.

:class:`Students` holds a column for each part of the kernel's state; its methods mirror ``kernel._Turn`` step by step
with the kernel's own constants. Each takes the act that was observed and returns the probability that each student
gave to it, and moves the states on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.instruction.acts import BACKGROUNDS, KINDS, STATUSES
from dialog_envs.tasks.instruction.kernel import misfit
from dialog_envs.tasks.instruction.lesson import COST
from dialog_envs.tasks.instruction.persona import (
    BACKGROUND,
    MANNERS,
    POSITIONS,
    STYLE,
    InstructionPersona,
    InstructionPrior,
    knowledge,
    project,
)

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Ints = NDArray[np.int16]
FAMILIES = tuple(MANNERS)
KNOWN, UNKNOWN, MISCONCEIVED = range(len(STATUSES))
TASTES = tuple((background, style) for background in BACKGROUNDS for style in STYLE[background])
"""Background and style together: the second axis of the grid."""


def _by_family(name: str) -> NDArray[np.float64]:
    return np.array([float(getattr(manner, name)) for manner in MANNERS.values()])


_OPENNESS, _FRANK, _NODS = (_by_family(name) for name in ("openness", "frank", "nods"))
_ATTENTION = np.array([manner.attention for manner in MANNERS.values()], dtype=np.int16)
_STUBBORN, _RESTLESS, _DEFLECTS = (_by_family(n).astype(bool) for n in ("stubborn", "restless", "deflects"))
_OVER, _UNDER = (np.array([m.believes == how for m in MANNERS.values()]) for how in ("over", "under"))
_MISFIT = {
    (kind, why): np.array([misfit(background, style, kind) == why for background, style in TASTES])
    for kind in KINDS
    for why in ("", "technical", "childish")
}
_PREFERRED = {kind: np.array([style == kind for _, style in TASTES]) for kind in KINDS}


@dataclass(eq=False)
class Students:
    """Hypothetical students; every array has the shape (students,) or (students, ideas).

    Attributes:
        needs: for each idea the positions it rests on.
        family, taste: codes into :data:`FAMILIES` and :data:`TASTES`.
        origin: row of :attr:`patterns` that each student began with.
        patterns: (patterns, ideas) what a student may hold at first.
        status, believed, tried: as in the kernel's state; ``tried`` is a bit for each kind.
        used: attention used up.
    """

    needs: tuple[tuple[int, ...], ...]
    family: NDArray[np.int8]
    taste: NDArray[np.int8]
    origin: NDArray[np.int32]
    patterns: NDArray[np.int8]
    status: NDArray[np.int8]
    believed: Mask
    tried: NDArray[np.int8]
    used: Ints

    def __len__(self) -> int:
        return len(self.family)

    def subset(self, alive: Mask) -> Students:
        """The students where ``alive`` holds, as an object of its own."""
        columns = ("family", "taste", "origin", "status", "believed", "tried", "used")
        return replace(self, **{name: getattr(self, name)[alive] for name in columns})

    @property
    def left(self) -> Ints:
        """Attention left."""
        return np.asarray(_ATTENTION[self.family] - self.used, dtype=np.int16)

    def satisfied(self) -> Mask:
        """Whether each thinks that it knows every idea."""
        return np.asarray(self.believed.all(axis=1))

    def understood(self) -> Mask:
        """Whether each knows every idea."""
        return np.asarray((self.status == KNOWN).all(axis=1))

    def charge(self, points: int, who: Mask | None = None) -> None:
        """Use up attention, of all or of some."""
        if points:
            self.used += np.int16(points) if who is None else (who * np.int16(points)).astype(np.int16)

    def charge_length(self, length: str) -> None:
        """A long turn."""
        if length:
            self.charge(COST[length])
            self.charge(2 * COST[length], _RESTLESS[self.family])

    def corrected(self, idea: int, got: Act, name: str, exposed: bool) -> Array:
        """A correction."""
        wrong = self.status[:, idea] == MISCONCEIVED
        self.charge(COST["no mistake there"], ~wrong)
        argues = wrong & _STUBBORN[self.family] & (not exposed)
        like = np.where(wrong, 0.0, self._own(idea) == _claim(got, name))
        like = np.where(wrong & ~argues, float(got == Act("insight", item=name)), like)
        like = np.where(argues, float(got == Act("object", item=name)), like)
        learns = wrong & ~argues
        self.status[learns, idea] = UNKNOWN
        self.believed[learns, idea] = False
        return like

    def explained(self, idea: int, kind: str, length: str, got: Act, items: Sequence[str]) -> Array:
        """An explanation."""
        name = items[idea]
        status, nods = self.status[:, idea], _NODS[self.family]
        follow, plain = float(got == Act("follow", item=name)), float(got == Act("puzzled", item=name))
        lengthy = _RESTLESS[self.family] if length == "long" else np.full(len(self), length == "very_long")
        wrong = ~lengthy & (status == MISCONCEIVED)
        bored = ~lengthy & ~wrong & self.believed[:, idea]
        timid = ~lengthy & ~wrong & ~bored & (status == KNOWN)
        open_ = ~(lengthy | wrong | bored | timid)
        like = lengthy * float(got == Act("puzzled", "long", item=name))
        pretends = np.where(_STUBBORN[self.family], 1.0, nods)
        objects = float(got == Act("object", item=name))
        like = like + wrong * (pretends * follow + (1.0 - pretends) * objects)
        like = like + bored * float(got == Act("claim", value="known", item=name)) + timid * follow
        self.charge(COST["known already"], bored)
        return np.asarray(like + self._taught(idea, kind, got, items, open_, follow, plain))

    def _taught(
        self,
        idea: int,
        kind: str,
        got: Act,
        items: Sequence[str],
        open_: Mask,
        follow: float,
        plain: float,
    ) -> Array:
        """Likelihood and effect of an explanation for those (``open_``) who know that they do not know the idea."""
        nods, frank = _NODS[self.family], _FRANK[self.family]
        like = np.zeros(len(self))
        lost = np.zeros(len(self), bool)

        def fails(who: Mask, says: Act) -> Array:
            return np.asarray(
                who * (nods * follow + (1 - nods) * (frank * (got == says) + (1 - frank) * plain))
            )

        for need in self.needs[idea]:
            first = open_ & ~lost & (self.status[:, need] != KNOWN)
            like += fails(first, Act("puzzled", "basis", item=items[need]))
            lost |= first
        self.charge(COST["no basis"], lost)
        for why in ("technical", "childish"):
            misses = open_ & ~lost & _MISFIT[kind, why][self.taste]
            if misses.any():
                like += fails(misses, Act("puzzled", why, item=items[idea]))
                self.charge(COST["wrong level"], misses)
                lost = lost | misses
        bit = 1 << KINDS.index(kind)
        listens = open_ & ~lost
        learns = listens & (_PREFERRED[kind][self.taste] | ((self.tried[:, idea] & ~bit) > 0))
        unsure = listens & ~learns
        like += learns * follow + unsure * (nods * follow + (1.0 - nods) * plain)
        self.charge(COST["not the style"], unsure)
        self.tried[unsure, idea] |= bit
        self.status[learns, idea] = KNOWN
        self.believed[learns, idea] = ~_UNDER[self.family[learns]]
        return like

    def quizzed(self, idea: int, got: Act, name: str, checked: bool) -> Array:
        """A quiz."""
        dodges = _DEFLECTS[self.family] & (not checked)
        status = self.status[:, idea]
        shows = ("right", "gap", "misconception")
        seen = (
            shows.index(got.value) if got.kind == "show" and got.item == name and got.value in shows else -1
        )
        like = np.where(dodges, float(got == Act("counter", item=name)), status == seen)
        self.believed[~dodges & (status == KNOWN), idea] = True
        self.believed[~dodges & (status == UNKNOWN), idea] = False
        return np.asarray(like)

    def asked_about(self, idea: int, got: Act, name: str) -> Array:
        """ "Do you know …?" """
        openness = np.where(_DEFLECTS[self.family], 0.0, _OPENNESS[self.family])
        if got == Act("claim", value="unsure", item=name):
            return np.asarray(1.0 - openness)
        return np.asarray(openness * (self._own(idea) == _claim(got, name)))

    def asked_slot(self, slot: str, got: Act, told: bool) -> Array:
        """A question about background or style."""
        openness = np.ones(len(self)) if told else _OPENNESS[self.family]
        if got == Act("evade", slot):
            return np.asarray(1.0 - openness)
        if got.kind != "answer" or got.slot != slot:
            return np.zeros(len(self))
        axis = 0 if slot == "background" else 1
        return np.asarray(openness * np.array([taste[axis] == got.value for taste in TASTES])[self.taste])

    def asked_openly(self, got: Act, items: Sequence[str], otherwise: Act) -> Array:
        """ "What is unclear?" """
        satisfied, openness = self.satisfied(), _OPENNESS[self.family]
        if got == Act("claim", value="known"):
            return satisfied.astype(float)
        if got == otherwise:
            return np.asarray(~satisfied * (1.0 - openness))
        if got.item not in items or got != Act("claim", value="unknown", item=got.item):
            return np.zeros(len(self))
        first = ~satisfied & (np.argmin(self.believed, axis=1) == items.index(got.item))
        return np.asarray(first * openness)

    def confirmed(self, idea: int, got: Act, name: str) -> Array:
        """ "Does that make sense?" """
        follow, nods = float(got == Act("follow", item=name)), _NODS[self.family]
        own, known = self.believed[:, idea], self.status[:, idea] == KNOWN
        unsure, puzzled = (
            float(got == Act("claim", value="unsure", item=name)),
            float(got == Act("puzzled", item=name)),
        )
        doubts = nods * follow + (1.0 - nods) * puzzled
        return np.where(own, follow, np.where(known, unsure, doubts))

    def encouraged(self, ideas: frozenset[int]) -> None:
        """Praise."""
        for idea in ideas:
            self.believed[:, idea] |= self.status[:, idea] == KNOWN

    def _own(self, idea: int) -> NDArray[np.int8]:
        """What each would claim of an idea: 0 known, 1 unknown."""
        return np.asarray(np.where(self.believed[:, idea], 0, 1), dtype=np.int8)


def _claim(got: Act, name: str) -> int:
    """0 or 1 for a claim that the idea is known or unknown, -1 for another act."""
    if got.kind != "claim" or got.item != name:
        return -1
    return {"known": 0, "unknown": 1}.get(got.value or "", -1)


@lru_cache(maxsize=64)
def everybody(needs: tuple[tuple[int, ...], ...], families: tuple[str, ...]) -> tuple[Students, Array]:
    """All students for a concept, and their prior probabilities (students,). Not to be changed: take a ``subset``.

    Positions that the concept does not reach, and statuses that its graph makes the same, are summed out.
    """
    tables = [_projected(needs, name) for name in families]
    patterns = list(dict.fromkeys(pattern for table in tables for pattern in table))
    rows = {pattern: i for i, pattern in enumerate(patterns)}
    tastes = np.array([BACKGROUND[background] * STYLE[background][style] for background, style in TASTES])
    family, origin, weight = [], [], []
    for name, table in zip(families, tables, strict=True):
        share = InstructionPrior.weights[name]
        family += [FAMILIES.index(name)] * len(table)
        origin += [rows[pattern] for pattern in table]
        weight += [share * p for p in table.values()]
    count = len(TASTES)
    students = _students(
        needs,
        np.repeat(np.array(family, dtype=np.int8), count),
        np.tile(np.arange(count, dtype=np.int8), len(family)),
        np.repeat(np.array(origin, dtype=np.int32), count),
        patterns,
    )
    mass = np.outer(np.array(weight), tastes).ravel()
    return students, mass / mass.sum()


def these(
    personas: Sequence[InstructionPersona], needs: tuple[tuple[int, ...], ...]
) -> tuple[Students, Array]:
    """Given students only, with their prior probabilities, normalised."""
    prior = InstructionPrior()
    projected = [project(persona.ideas, needs) for persona in personas]
    patterns = list(dict.fromkeys(projected))
    students = _students(
        needs,
        np.array([FAMILIES.index(persona.family) for persona in personas], dtype=np.int8),
        np.array([TASTES.index((persona.background, persona.style)) for persona in personas], dtype=np.int8),
        np.array([patterns.index(pattern) for pattern in projected], dtype=np.int32),
        patterns,
    )
    mass = np.exp([prior.log_prob(persona) for persona in personas])
    return students, np.asarray(mass / mass.sum())


def _projected(needs: tuple[tuple[int, ...], ...], family: str) -> dict[tuple[str, ...], float]:
    """P(what a member of a family holds of each idea of a concept)."""
    found: dict[tuple[str, ...], float] = {}
    for ideas, p in knowledge(family).items():
        pattern = project(ideas, needs)
        found[pattern] = found.get(pattern, 0.0) + p
    return found


def _students(
    needs: tuple[tuple[int, ...], ...],
    family: NDArray[np.int8],
    taste: NDArray[np.int8],
    origin: NDArray[np.int32],
    patterns: list[tuple[str, ...]],
) -> Students:
    codes = np.array([[STATUSES.index(s) for s in pattern] for pattern in patterns], dtype=np.int8)
    status = codes[origin]
    over, under = _OVER[family][:, None], _UNDER[family][:, None]
    believed = over | (status == MISCONCEIVED) | (~under & (status == KNOWN))
    assert len(needs) <= POSITIONS
    return Students(
        needs,
        family,
        taste,
        origin,
        codes,
        status,
        np.asarray(believed),
        np.zeros(status.shape, np.int8),
        np.zeros(len(family), np.int16),
    )
