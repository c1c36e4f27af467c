"""What scripted policies of all tasks share: they read the dialogue as it grows, then decide."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np

from dialog_envs.core.dialogue import Act, Observation, TurnView


class Reader(Protocol):
    """Follows a dialogue from its text alone."""

    def catch_up(self, dialogue: Sequence[TurnView]) -> None:
        """Read the turns that were not read yet."""


R = TypeVar("R", bound=Reader)


class FollowingPolicy(abc.ABC, Generic[R]):
    """Follows the dialogue with a reader, and decides acts.

    Attributes:
        follower: makes the reader of an episode from its brief; a task sets it.
        reader: what the text told so far.
        rng: all of the policy's chance.
    """

    follower: ClassVar[type[Any]]

    def start(self, brief: str, rng: np.random.Generator) -> None:
        """Begin an episode."""
        self.rng = rng
        self.reader: R = type(self).follower(brief)

    def acts(self, observation: Observation) -> tuple[Act, ...]:
        """What to do now."""
        self.reader.catch_up(observation["dialogue"])
        return self.decide()

    @abc.abstractmethod
    def decide(self) -> tuple[Act, ...]:
        """What to do, once everything is read."""

    def chance(self, p: float) -> bool:
        """True with probability ``p``."""
        return bool(self.rng.random() < p)

    def one_of(self, choices: Sequence[str]) -> str:
        """Any of the choices."""
        return choices[int(self.rng.integers(len(choices)))]
