"""The exact posterior over the persona, from the kernel.

The support has 32,670 points; a user turn's likelihood is evaluated for all of them at once
(:mod:`dialog_envs.tasks.persuasion.likelihood`), and points that a turn rules out are dropped. A property test
compares it with Bayes' rule over :meth:`PersuasionKernel.distribution`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dialog_envs.core.dialogue import AGENT, Act, Turn
from dialog_envs.tasks.persuasion.crowd import CODES, FAMILIES, Crowd, Floats, Public, full_crowd
from dialog_envs.tasks.persuasion.likelihood import Exchange
from dialog_envs.tasks.persuasion.persona import FACTORS, HARD_FAMILIES, TYPICAL, PersuasionPersona


class Belief:
    """P(persona | what was said so far), exact.

    Attributes:
        crowd: the personas that are still possible, with the state that each would be in.
        mass: (points,) their probabilities; sums to 1.
        public: what both sides' acts tell of the state, whoever the persona is.
        impossible: user turns that no persona could have said (misread text, another simulator); they were left out.
    """

    def __init__(self, families: Sequence[str] | None = None) -> None:
        """The prior. ``families``: which ones an agent reckons with (default: all)."""
        names = tuple(families) if families is not None else (*TYPICAL, *HARD_FAMILIES)
        crowd, mass = full_crowd(names)
        self.crowd: Crowd = crowd
        self.mass: Floats = mass
        self.public = Public()
        self.impossible = 0

    def update(self, agent_acts: tuple[Act, ...], user_acts: tuple[Act, ...]) -> None:
        """Bayes' rule for one exchange. A user turn that nobody could have said leaves the masses as they were."""
        exchange = Exchange(self.crowd, self.public, agent_acts, user_acts)
        mass = self.mass * exchange.like
        total = float(mass.sum())
        self.crowd, self.public = exchange.crowd, exchange.public
        if total > 0:
            alive = mass > 0
            self.mass = mass[alive] / total
            self.crowd = self.crowd.subset(alive)
        else:
            self.impossible += 1

    def entropy_bits(self) -> float:
        """Entropy of the factors (families summed out), in bits."""
        key = np.zeros(len(self.crowd), dtype=np.int64)
        for factor in FACTORS:
            key = key * len(CODES[factor]) + self.crowd.column(factor)
        p = np.bincount(key, weights=self.mass)
        p = p[p > 0]
        return float(max(-(p * np.log2(p)).sum(), 0.0))

    def marginals(self) -> dict[str, dict[str, float]]:
        """Probability of each value of each factor, and of each family."""
        found = {
            factor: self._marginal(self.crowd.column(factor), tuple(CODES[factor])) for factor in FACTORS
        }
        found["family"] = self._marginal(self.crowd.family, FAMILIES)
        return found

    def _marginal(self, column: Any, names: tuple[str, ...]) -> dict[str, float]:
        sums = np.bincount(column, weights=self.mass, minlength=len(names))
        return dict(zip(names, sums.tolist(), strict=True))

    def probability(self, persona: PersuasionPersona) -> float:
        """Of one persona."""
        hit = self.crowd.family == FAMILIES.index(persona.family)
        for factor in FACTORS:
            hit &= self.crowd.column(factor) == CODES[factor][getattr(persona, factor)]
        return float(self.mass[hit].sum())


def exchanges(turns: Sequence[Turn]) -> list[tuple[tuple[Act, ...], tuple[Act, ...]]]:
    """(agent acts, user acts) of each exchange of a dialogue."""
    return [
        (turn.acts, turns[i + 1].acts)
        for i, turn in enumerate(turns[:-1])
        if turn.speaker == AGENT and turns[i + 1].speaker != AGENT
    ]


def belief_trace(turns: Sequence[Turn], marginals: bool = True) -> list[dict[str, Any]]:
    """The belief before the first exchange and after each: entropy in bits, and marginals if wanted."""
    belief = Belief()
    steps: list[dict[str, Any]] = []
    for exchange in (None, *exchanges(turns)):
        if exchange is not None:
            belief.update(*exchange)
        step: dict[str, Any] = {"entropy_bits": belief.entropy_bits()}
        if marginals:
            step["marginals"] = belief.marginals()
        steps.append(step)
    return steps
