"""The hidden parameter of a HiP-MDP and its prior."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from dialog_envs.core.sampling import pick
from dialog_envs.errors import UnknownFamily

GROUPS = ("typical", "hard")
"""Names that stand for several families: those that datasets may be imagined from, and those held out."""


class Persona(Protocol):
    """A hidden parameter z: a frozen record with the family it belongs to."""

    @property
    def family(self) -> str:
        """The family that the persona was drawn from."""

    def to_json(self) -> dict[str, Any]:
        """The persona as plain JSON."""


Z = TypeVar("Z", bound=Persona)


class PersonaPrior(Generic[Z]):
    """An explicit prior over personas, a mixture of families.

    Attributes:
        weights: probability of every family; the values sum to 1.
        typical: families that training data may hold.
        hard: families held out for evaluation.
    """

    weights: dict[str, float]
    typical: tuple[str, ...]
    hard: tuple[str, ...]

    @property
    def families(self) -> tuple[str, ...]:
        """All families, the typical ones first."""
        return self.typical + self.hard

    def group(self, family: str | None) -> tuple[str, ...]:
        """The families that a name stands for: ``None`` all, ``"typical"``, ``"hard"``, or one family.

        Raises:
            UnknownFamily: there is no such family or group.
        """
        if family is None:
            return self.families
        if family in GROUPS:
            return self.typical if family == "typical" else self.hard
        if not isinstance(family, str) or family not in self.weights:
            raise UnknownFamily(family, (*self.families, *GROUPS))
        return (family,)

    def sample_family(self, rng: np.random.Generator, family: str | None = None) -> str:
        """One family out of ``group(family)``, by weight. Takes one number from ``rng`` in any case."""
        return pick({name: self.weights[name] for name in self.group(family)}, float(rng.random()))

    def sample(self, rng: np.random.Generator, family: str | None = None) -> Z:
        """Draw a persona, from all families or from ``group(family)``."""
        raise NotImplementedError

    def log_prob(self, persona: Z) -> float:
        """Log probability (nats) of a persona under the whole prior; ``-inf`` outside its support."""
        raise NotImplementedError

    def support(self, family: str | None = None) -> Iterator[Z]:
        """All personas of positive probability, where they are finite."""
        raise NotImplementedError
