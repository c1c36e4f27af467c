"""The information-gain policy: plans with the exact posterior, without seeing the persona.

The practical ceiling of the task. Before each turn it weighs suggesting the activity that most probably suits the
user against asking the question whose answer would raise that probability most (one step of expected value of
information), and minds how much patience is likely to be left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.preference.likelihood import CODES
from dialog_envs.tasks.preference.persona import MANNERS, SLOTS
from dialog_envs.tasks.preference.policies import Policy
from dialog_envs.tasks.preference.posterior import Belief

Array = NDArray[np.float64]

SURE = 0.85
"""Suggest at once what suits with this probability."""
WORTH = 0.01
"""Least rise of that probability for which a question is asked."""
SPARE = 1.3
"""Patience that a refused suggestion needs: below it (expected), ask no more."""


class InformationGainPolicy(Policy):
    """See the module's text."""

    def start(self, brief: str, rng: np.random.Generator) -> None:
        """Begin an episode with the prior over all families."""
        super().start(brief, rng)
        self.belief = Belief(self.reader.scenario)
        self._read = 0
        self._evaded: dict[str, int] = {}

    def decide(self) -> tuple[Act, ...]:
        """Suggest or ask, whichever promises more."""
        for agent_acts, user_acts in self.reader.exchanges[self._read :]:
            self.belief.update(agent_acts, user_acts)
            for act in user_acts:
                if act.kind == "evade" and act.slot:
                    self._evaded[act.slot] = self._evaded.get(act.slot, 0) + 1
        self._read = len(self.reader.exchanges)
        chances = self.belief.acceptance()
        for name in self.belief.rejected:
            if name in self.reader.scenario.items and not self._has_changed():
                chances[self.reader.scenario.items.index(name)] = -1.0
        order = np.argsort(-chances, kind="stable")
        best = float(chances[order[0]])
        items = self.reader.scenario.items
        if self.undecided:
            others = [items[i] for i in order if items[i] != self.undecided]
            return tuple(Act("suggest", item=name) for name in [self.undecided, *others[:1]])
        slot, gain = self._best_question(best)
        if best < SURE and slot is not None and gain > WORTH and self._patience() > SPARE:
            return (Act("ask", slot=slot),)
        return (Act("suggest", item=items[order[0]]),)

    def _has_changed(self) -> bool:
        return any(act.kind == "change" for _, user in self.reader.exchanges[-1:] for act in user)

    def _patience(self) -> float:
        """Expected patience left."""
        weights = self.belief.mass.sum(axis=1)
        left = [MANNERS[name].patience - self.belief.used for name in self.belief.families]
        return float(np.dot(weights, np.maximum(left, 0.0)))

    def _best_question(self, best: float) -> tuple[str | None, float]:
        """The slot whose answer most raises the chance of the best activity, and by how much."""
        joint = self.belief.now(
            self.belief.mass, lambda tastes: tastes.acceptable(self.reader.scenario.items)
        )
        found: tuple[str | None, float] = (None, 0.0)
        for slot in SLOTS:
            if slot in self.belief.told:
                continue
            column = self.belief.tastes.columns[slot]
            answers = [
                joint[column == code].sum(axis=0).max()
                for code in CODES[slot].values()
                if (column == code).any()
            ]
            gain = (float(sum(answers)) - best) * 0.7 ** self._evaded.get(slot, 0)
            if gain > found[1]:
                found = (slot, gain)
        return found
