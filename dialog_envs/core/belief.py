"""The exact posterior over personas, by enumeration: Bayes' rule with the kernel as the likelihood.

For tasks whose prior has at most some thousands of personas this is all that is needed; larger ones bring a
vectorised belief of their own. Wordings count for nothing here: evidence is what the acts say.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from dialog_envs.core.dialogue import AGENT, Act, Turn
from dialog_envs.errors import UsageError

MOST = 20_000
"""Personas up to which a prior is enumerated."""

Exchange = tuple[tuple[Act, ...], tuple[Act, ...]]
"""(agent acts, user acts)"""


class EnumeratedBelief:
    """P(persona | acts so far), and the user's state for each persona.

    Args:
        task: its prior has a ``support``, its kernel a ``distribution``.
        scenario: the public context.

    Raises:
        UsageError: the prior's support is too large to enumerate.
    """

    def __init__(self, task: Any, scenario: Any) -> None:
        self._kernel = task.kernel
        self._states: dict[Any, dict[Any, float]] = {}
        for persona in task.prior.support():
            if len(self._states) >= MOST:
                raise UsageError(
                    f"{task.id} has more than {MOST:,} personas: it needs a belief_trace of its own, see "
                    "dialog_envs.tasks.preference.posterior."
                )
            weight = math.exp(task.prior.log_prob(persona))
            self._states[persona] = {task.kernel.start(scenario, persona): weight}
        self._normalise()

    def update(self, agent_acts: tuple[Act, ...], user_acts: tuple[Act, ...]) -> None:
        """Take in one exchange. What cannot have happened changes nothing: an agent may have misread it."""
        updated: dict[Any, dict[Any, float]] = {}
        for persona, states in self._states.items():
            following: dict[Any, float] = defaultdict(float)
            for state, weight in states.items():
                for p, acts, after, _ in self._kernel.distribution(state, agent_acts):
                    if acts == user_acts:
                        following[after] += weight * p
            if following:
                updated[persona] = dict(following)
        if updated:
            self._states = updated
            self._normalise()

    def probabilities(self) -> dict[Any, float]:
        """Persona → probability; the values sum to 1."""
        return {persona: sum(states.values()) for persona, states in self._states.items()}

    def entropy_bits(self) -> float:
        """Entropy over personas."""
        return max(0.0, -sum(p * math.log2(p) for p in self.probabilities().values() if p > 0))

    def marginals(self) -> dict[str, dict[str, float]]:
        """Field of the persona's JSON → value (as text) → probability."""
        tables: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for persona, p in self.probabilities().items():
            for name, value in persona.to_json().items():
                tables[name][str(value)] += p
        return {name: dict(table) for name, table in tables.items()}

    def _normalise(self) -> None:
        total = sum(weight for states in self._states.values() for weight in states.values())
        self._states = {
            persona: {state: weight / total for state, weight in states.items()}
            for persona, states in self._states.items()
        }


def exchanges(turns: Sequence[Turn]) -> list[Exchange]:
    """(agent acts, user acts) of each exchange of a dialogue."""
    return [
        (turn.acts, turns[i + 1].acts)
        for i, turn in enumerate(turns[:-1])
        if turn.speaker == AGENT and turns[i + 1].speaker != AGENT
    ]


def belief_trace(belief: Any, turns: Sequence[Turn], marginals: bool = True) -> list[dict[str, Any]]:
    """The belief before the first exchange and after each: entropy in bits, and marginals if wanted.

    Args:
        belief: fresh; anything with ``update``, ``entropy_bits`` and ``marginals``.
        turns: of both sides, with acts.
        marginals: whether each step shall have them.
    """
    steps: list[dict[str, Any]] = []
    for exchange in (None, *exchanges(turns)):
        if exchange is not None:
            belief.update(*exchange)
        step: dict[str, Any] = {"entropy_bits": belief.entropy_bits()}
        if marginals:
            step["marginals"] = belief.marginals()
        steps.append(step)
    return steps
