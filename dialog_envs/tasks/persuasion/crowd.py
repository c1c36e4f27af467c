"""All personas of the support at once, as columns, with the state that a dialogue has brought each of them to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dialog_envs.tasks.persuasion import dynamics as d
from dialog_envs.tasks.persuasion.acts import BANDS
from dialog_envs.tasks.persuasion.persona import DOMAINS, FACTORS, MANNERS, MOST, PRIOR, PersuasionPrior

Ints = NDArray[np.int16]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
FAMILIES = tuple(MANNERS)
CODES = {factor: {value: i for i, value in enumerate(values)} for factor, values in DOMAINS.items()}
REASON, NONE = CODES["taste"]["reason"], CODES["objection"]["none"]
TOLD = ("values", "means", "experience")


@dataclass(slots=True)
class Crowd:
    """Personas as columns of shape (points,), and where each stands.

    Attributes:
        family, value, taste, means, trust0, objection, hidden: the persona, as positions in its domains.
        will, trust, used: as in the kernel's state.
        met_spoken, met_hidden, raised_spoken, raised_hidden: objections.
        told: (3, points) values, means, experience.
        refusals: requests refused.
        promised, stepped: as in the kernel's state.
    """

    family: Ints
    value: Ints
    taste: Ints
    means: Ints
    trust0: Ints
    objection: Ints
    hidden: Ints
    will: Ints
    trust: Ints
    used: Ints
    refusals: Ints
    met_spoken: Bools
    met_hidden: Bools
    raised_spoken: Bools
    raised_hidden: Bools
    promised: Bools
    stepped: Bools
    told: Bools

    def __len__(self) -> int:
        return len(self.family)

    def subset(self, alive: Bools) -> Crowd:
        """The columns where ``alive`` holds."""
        return Crowd(**{field.name: getattr(self, field.name)[..., alive] for field in fields(self)})

    def copy(self) -> Crowd:
        """With state arrays of its own."""
        names = [field.name for field in fields(self)][7:]
        return replace(self, **{name: getattr(self, name).copy() for name in names})

    def column(self, factor: str) -> Ints:
        """A factor of the persona, as positions in its domain."""
        column: Ints = getattr(self, "trust0" if factor == "trust" else factor)
        return column

    def limits(self) -> Ints:
        """(points,) position in ``BANDS`` of the largest band given now; 0 below readiness."""
        levels = sum((self.will >= level).astype(np.int16) for level in d.LEVELS.values())
        most = np.array([BANDS.index(MOST[means]) for means in DOMAINS["means"]], dtype=np.int16)
        return np.asarray(np.minimum(levels, most[self.means]), dtype=np.int16)

    def unready(self, informed: frozenset[str]) -> dict[str, Bools]:
        """What is in the way of giving, by name, in the order in which a request meets it."""
        evidence_only = self.family == FAMILIES.index("evidence_only")
        return {
            "spoken": (self.objection != NONE) & ~self.met_spoken,
            "trust": self.trust < d.TRUSTED,
            "evidence": evidence_only & ("evidence" not in informed),
            "will": self.will < d.READY,
            "hidden": (self.hidden != NONE) & ~self.met_hidden,
        }


@dataclass(frozen=True, slots=True)
class Public:
    """The part of the kernel's state that both sides' acts tell, whoever the persona is."""

    appealed: tuple[str, ...] = ()
    informed: frozenset[str] = frozenset()
    doubts: frozenset[str] = frozenset()
    offered: str | None = None
    pushes: int = 0
    greeted: bool = False


@lru_cache(maxsize=8)
def full_crowd(families: tuple[str, ...]) -> tuple[Crowd, Floats]:
    """Every persona of some families at the start of a dialogue, and its probability (sums to 1)."""
    personas = [persona for family in families for persona in PersuasionPrior().support(family)]
    columns = {
        factor: np.array([CODES[factor][getattr(z, factor)] for z in personas], dtype=np.int16)
        for factor in FACTORS
    }
    weights = np.ones(len(personas))
    for factor in FACTORS:
        weights *= np.array([PRIOR[factor][value] for value in DOMAINS[factor]])[columns[factor]]
    family = np.array([FAMILIES.index(z.family) for z in personas], dtype=np.int16)
    for name in families:
        rows = family == FAMILIES.index(name)
        weights[rows] *= PersuasionPrior.weights[name] / weights[rows].sum()
    size, start = len(personas), [d.TRUST_START[trust] for trust in DOMAINS["trust"]]

    def numbers() -> Ints:
        return np.zeros(size, dtype=np.int16)

    def flags() -> Bools:
        return np.zeros(size, dtype=bool)

    crowd = Crowd(
        family=family, value=columns["value"], taste=columns["taste"], means=columns["means"],
        trust0=columns["trust"], objection=columns["objection"], hidden=columns["hidden"], will=numbers(),
        trust=np.array(start, dtype=np.int16)[columns["trust"]], used=numbers(), refusals=numbers(),
        met_spoken=flags(), met_hidden=flags(), raised_spoken=flags(), raised_hidden=flags(), promised=flags(),
        stepped=flags(), told=np.zeros((len(TOLD), size), dtype=bool),
    )  # fmt: skip
    return crowd, weights / weights.sum()


def appeal_gain(crowd: Crowd, slot: str, value: str | None, appealed: Sequence[str]) -> Ints:
    """(points,) what an appeal adds to willingness; mirrors the kernel's ``gain``."""
    times = list(appealed).count(slot)
    gain = np.array([d.FIT[taste][slot] for taste in DOMAINS["taste"]], dtype=np.int16)[crowd.taste]
    if slot not in d.VALUE_FREE and value is None:
        gain = gain * 0 if slot in d.NEEDS_VALUE else gain // 2
    if times == 1:
        gain = gain // 2
    gain = np.where(crowd.trust < d.WARY, gain // 2, gain)
    if times > 1:
        gain = np.full_like(gain, d.MISSED)
    elif value is not None and slot not in d.VALUE_FREE:
        gain = np.where(crowd.value == CODES["value"].get(value, -1), gain, d.MISSED)
    if slot in d.SENTIMENTAL:
        gain = np.where(crowd.family == FAMILIES.index("evidence_only"), d.OFFENDED, gain)
    return gain.astype(np.int16)
