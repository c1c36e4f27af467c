"""What the kernel says of a user whom somebody else plays: what this persona could do now, and what it never could.

Reading gives acts; the kernel gives every response that it allows to the agent's turn. The response that comes closest
to what was read is the one that the state follows. No task-specific code: acts are compared by what they tell and of
what they speak, and what a persona could say at all is found by asking the kernel about every turn on the task's menu.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dialog_envs.core.dialogue import Act, TurnView, UserTurn
from dialog_envs.core.task import ActRoles, Task

Key = tuple[str, ...]
"""What an act does, without the difference between telling something asked and unasked."""

FACT = "tells"
"""First part of the key of a fact about the persona; subject and value follow."""
HARMLESS = frozenset(("greet", "thanks", "acknowledge"))
"""Kinds of acts that anybody may add to anything."""


def keys(acts: Iterable[Act], roles: ActRoles) -> frozenset[Key]:
    """Acts by what they do: ``answer(theme, art)`` and ``volunteer(theme, art)`` tell the same."""
    found: set[Key] = set()
    for act in acts:
        if act.kind in HARMLESS:
            continue
        subject = roles.subject(act)
        if subject is None:
            found.add((act.kind, *(part for part in (act.item, act.slot, act.value) if part)))
            continue
        found.add((FACT, subject, act.value or act.kind))
        if act.item and act.item != subject:
            found.add((act.kind, act.item))
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Branch:
    """A response that the kernel allows."""

    probability: float
    acts: tuple[Act, ...]
    state: Any
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the kernel says of one user turn.

    Attributes:
        drift: what was done that this persona cannot do: not now, and not in answer to any turn on the menu.
        untimely: what is true of the persona, but was no answer to this turn.
        elicited: facts that the agent's turn brought out.
        volunteered: facts told unasked, the kernel's own ones included.
    """

    drift: frozenset[Key]
    untimely: frozenset[Key]
    elicited: frozenset[Key]
    volunteered: frozenset[Key]


class Following:
    """A persona's state along a dialogue.

    Args:
        task, persona, scenario: of the episode.
    """

    def __init__(self, task: Task[Any, Any, Any], persona: Any, scenario: Any) -> None:
        self._task, self._scenario = task, scenario
        self._roles = task.act_roles
        self.state = task.kernel.start(scenario, persona)
        self._told: frozenset[Key] = frozenset()

    def branches(self, heard: tuple[Act, ...]) -> list[Branch]:
        """Every response to these agent acts, the likeliest first."""
        found = [Branch(*one) for one in self._task.kernel.distribution(self.state, heard)]
        return sorted((branch for branch in found if branch.probability > 0), key=lambda b: -b.probability)

    def judge(self, heard: tuple[Act, ...], said: tuple[Act, ...], dialogue: Sequence[TurnView]) -> Verdict:
        """What these user acts are, in answer to those agent acts. Changes nothing.

        Args:
            heard: the agent's acts.
            said: the user's, as read.
            dialogue: up to the agent's turn.
        """
        done = keys(said, self._roles)
        branches = self.branches(heard)
        now = _union(keys(branch.acts, self._roles) for branch in branches)
        asked = _union(
            keys((act for act in branch.acts if act.kind in self._roles.discloses), self._roles)
            for branch in branches
        )
        other = done - now
        possible = self._sayable(dialogue) | self._told if other else frozenset()
        facts = frozenset(key for key in done if key[0] == FACT)
        return Verdict(other - possible, other & possible, facts & asked, facts - asked - self._told)

    def follow(self, heard: tuple[Act, ...], said: tuple[Act, ...], ended_by: str | None = None) -> None:
        """Go on to the state of the response that comes closest."""
        done = keys(said, self._roles)

        def closeness(branch: Branch) -> tuple[float, ...]:
            mine = keys(branch.acts, self._roles)
            alike = branch.ended_by == ended_by
            return (len(mine & done) - len(mine ^ done) / 2 + alike, branch.probability)

        branches = self.branches(heard)
        if branches:
            self.state = max(branches, key=closeness).state
        self._told |= frozenset(key for key in done if key[0] == FACT)

    def _sayable(self, dialogue: Sequence[TurnView]) -> frozenset[Key]:
        """What the persona could do now in answer to any turn on the task's menu."""
        try:
            turns = self._task.menu(self._scenario.brief, dialogue)[1]
        except NotImplementedError:
            return frozenset()
        return _union(
            keys(branch.acts, self._roles) for acts in turns for branch in self.branches(tuple(acts))
        )


class Crowd:
    """Other people in the same dialogue: what anybody might do, whoever they are.

    Args:
        task, scenario: of the episode.
        rng: draws the people.
        size: how many.
    """

    def __init__(
        self, task: Task[Any, Any, Any], scenario: Any, rng: np.random.Generator, size: int = 12
    ) -> None:
        people = [task.prior.sample(rng) for _ in range(size)]
        self._followings = [Following(task, persona, scenario) for persona in people]

    def responses(self, heard: tuple[Act, ...]) -> list[tuple[tuple[Act, ...], str | None]]:
        """What each of them would most likely do, and how that ends the talk; each response once."""
        likeliest = (following.branches(heard)[0] for following in self._followings)
        return list(dict.fromkeys((branch.acts, branch.ended_by) for branch in likeliest))

    def follow(self, heard: tuple[Act, ...], turn: UserTurn) -> None:
        """Go on after what was really said."""
        for following in self._followings:
            following.follow(heard, turn.acts, turn.ended_by)


def _union(sets: Iterable[frozenset[Key]]) -> frozenset[Key]:
    return frozenset().union(*sets)
