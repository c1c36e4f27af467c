"""What a user simulator is, and how one is found by name.

The core never imports a simulator: an environment names its user by a string, resolved when it is made.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from dialog_envs.core.dialogue import TurnView, UserTurn
from dialog_envs.core.task import Task
from dialog_envs.errors import UnknownName, UsageError


class UserSimulator(Protocol):
    """Plays the persona. Users differ in who chooses the acts (kernel, model, person) and who finds the words."""

    version: str
    """Changes whenever the same seed would give another user turn; stands in every result."""

    def start(self, task: Task[Any, Any, Any], persona: Any, scenario: Any, rng: np.random.Generator) -> None:
        """Begin an episode. All of the user's chance comes from ``rng``."""

    def opening(self) -> UserTurn | None:
        """What the user says before the agent speaks (``None``: the agent begins)."""

    def reply(self, dialogue: Sequence[TurnView]) -> UserTurn:
        """Answer the last turn of ``dialogue``, which is the agent's.

        Raises:
            SimulatorError: no reply could be made; the episode is unscored.
        """


class BatchedUser(Protocol):
    """A user simulator that answers for many episodes at once (one batch to a model, concurrent requests)."""

    def reply_batch(
        self, users: Sequence[UserSimulator], dialogues: Sequence[Sequence[TurnView]]
    ) -> list[UserTurn]:
        """One reply an episode, in order."""


USERS: dict[str, str] = {
    "scripted": "dialog_envs.simulators.users.scripted:ScriptedUser",
    "grounded": "dialog_envs.simulators.users.grounded:GroundedUser",
    "llm": "dialog_envs.simulators.users.llm:LLMUser",
}
"""Simulators by name, as ``module:attribute``."""


def resolve(spec: str) -> Any:
    """The object that ``"module:attribute"`` names.

    Raises:
        UsageError: there is no such module or attribute.
    """
    module, _, attribute = spec.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, TypeError, ValueError) as error:  # the last two: ":x" and ".x:y"
        raise UsageError(f"cannot find {spec!r}: {error}") from error


def make_user(user: Any, **options: Any) -> UserSimulator:
    """A user simulator from a name of :data:`USERS`, a ``"module:attribute"``, or a factory.

    Raises:
        UnknownName: there is no such user.
        UsageError: it does not take these options.
    """
    factory = user
    if isinstance(user, str):
        if user not in USERS and ":" not in user:
            raise UnknownName(user, USERS, "These are the user simulators; or name your own as module:Class.")
        factory = resolve(USERS.get(user, user))
    if not callable(factory):
        raise UsageError(f"user must be a name, 'module:Class' or a factory; got {type(user).__name__}")
    try:
        simulator: UserSimulator = factory(**options)
    except TypeError as error:
        raise UsageError(f"user {user!r:.80} does not take these options: {error}") from error
    return simulator
