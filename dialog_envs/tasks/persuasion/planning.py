"""The information-gain policy: plans with the exact posterior, without seeing the persona.

The practical ceiling of the task. A turn is put together from what the posterior says is most probably in the way:
an objection that was named, too little trust, too little willingness; with the appeal of the highest expected gain,
and the question that tells most about what is still hidden. It asks for money when the chance that nothing is in the
way any more is high enough, or patience is running out.
"""

from __future__ import annotations

import numpy as np

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.persuasion import dynamics as d
from dialog_envs.tasks.persuasion.acts import BANDS, STRATEGIES
from dialog_envs.tasks.persuasion.crowd import CODES, FAMILIES, NONE, Bools, appeal_gain
from dialog_envs.tasks.persuasion.persona import DOMAINS, MANNERS
from dialog_envs.tasks.persuasion.policies import Acts, Policy, appeal
from dialog_envs.tasks.persuasion.posterior import Belief

SURE = 0.75
"""Ask for money at this chance that nothing is in the way."""
LATE = 300
"""Expected patience left below which it asks at once."""


class InformationGainPolicy(Policy):
    """See the module's text."""

    def start(self, brief: str, rng: np.random.Generator) -> None:
        """Begin an episode with the prior over all families."""
        super().start(brief, rng)
        self.belief = Belief()
        self._read = 0

    def decide(self) -> Acts:
        """Request, or prepare the request."""
        for agent_acts, user_acts in self.reader.exchanges[self._read :]:
            self.belief.update(agent_acts, user_acts)
        self._read = len(self.reader.exchanges)
        crowd, public = self.belief.crowd, self.belief.public
        unready = crowd.unready(public.informed)
        ready = ~np.logical_or.reduce(list(unready.values()))
        chance = self._p(ready)
        if chance >= SURE or (chance > 0.1 and self._patience() < LATE):
            return self._request(ready)
        prepared = self._prepare({name: self._p(here) for name, here in unready.items()})
        return prepared or self._request(ready)

    def _p(self, where: Bools) -> float:
        return float(self.belief.mass[where].sum())

    def _patience(self) -> float:
        """Expected patience left."""
        most = np.array([MANNERS[name].patience for name in FAMILIES])[self.belief.crowd.family]
        return float(np.dot(self.belief.mass, np.maximum(most - self.belief.crowd.used, 0)))

    def _request(self, ready: Bools) -> Acts:
        """The amount that is worth most times its chance; with a commitment once a promise was made."""
        limits = self.belief.crowd.limits()
        known = self.reader.tracker
        band = "small"
        if not known.promised:
            for name in BANDS[2:]:
                enough = self._p(ready & (limits >= BANDS.index(name)))
                if enough > 0.7 * max(self._p(ready), 1e-9) and self._patience() > LATE:
                    band = name
        promise_first = self.belief.crowd.family == FAMILIES.index("yes_sayer")
        hard = known.promised or self._p(promise_first) > 0.3
        return (Act("propose", value=band), *((Act("commit"),) if hard else ()))

    def _prepare(self, blocked: dict[str, float]) -> Acts:
        """A turn that removes what is in the way and asks what is unknown."""
        acts = [*self._objections(), *self._trust(blocked["trust"], blocked["evidence"])]
        if blocked["will"] > 0.15 and len(acts) < d.POINTS_A_TURN:
            acts += self._appeal()
        question = self._question(blocked)
        room = len(acts) < d.POINTS_A_TURN or (question == "concern" and len(acts) == d.POINTS_A_TURN)
        if question is not None and room:
            acts.append(Act("ask", question))
        elif blocked["will"] > 0.15 and room:
            acts += self._fact([act.slot for act in acts if act.kind == "inform"])
        return tuple(acts)

    def _objections(self) -> list[Act]:
        """Meet what was named and is (probably) unmet."""
        crowd, informed = self.belief.crowd, self.belief.public.informed
        found: list[Act] = []
        for slot in d.SUPPORT:
            spoken = (crowd.objection == CODES["objection"][slot]) & crowd.raised_spoken & ~crowd.met_spoken
            hidden = (crowd.hidden == CODES["hidden"][slot]) & crowd.raised_hidden & ~crowd.met_hidden
            if self._p(spoken | hidden) > 0.5:
                fact = d.SUPPORT[slot]
                found.append(Act("address", slot))
                found += [Act("inform", fact)] if fact is not None and fact not in informed else []
        return found

    def _trust(self, lacking: float, evidence: float) -> list[Act]:
        public = self.belief.public
        if evidence > 0.3:
            return [Act("inform", "evidence")]
        if lacking < 0.2:
            return []
        order = [*sorted(public.doubts), "credibility", "evidence", "spending"]
        return [Act("inform", fact) for fact in order if fact not in public.informed][:1]

    def _fact(self, told: list[str | None]) -> list[Act]:
        """A fact that moves, if there is one left."""
        crowd, informed = self.belief.crowd, self.belief.public.informed
        gains = {
            fact: float(
                np.dot(
                    self.belief.mass,
                    np.array([d.FACT_WILL[taste].get(fact, 0) for taste in DOMAINS["taste"]])[crowd.taste],
                )
            )
            for fact in ("impact", "story", "evidence", "mission")
            if fact not in informed and fact not in told
        }
        best = max(gains, key=lambda fact: gains[fact], default=None)
        return [Act("inform", best)] if best is not None and gains[best] > 4 else []

    def _appeal(self) -> list[Act]:
        """The appeal of the highest expected gain."""
        value_p = self.belief.marginals()["value"]
        likely = max(value_p, key=lambda name: value_p[name])
        best: Acts = ()
        most = 0.0
        for slot in STRATEGIES:
            for value in (None, likely):
                if value is not None and slot in d.VALUE_FREE:
                    continue
                gain = appeal_gain(self.belief.crowd, slot, value, self.belief.public.appealed)
                expected = float(np.dot(self.belief.mass, gain))
                if expected > most:
                    best, most = appeal(slot, value), expected
        floor = 24.0 if value_p[likely] < 0.8 else 5.0
        return list(best) if most >= floor else []

    def _question(self, blocked: dict[str, float]) -> str | None:
        """What to ask: the value while it is open, else what is in the way while something may be."""
        crowd, known = self.belief.crowd, self.reader.tracker
        value_p = self.belief.marginals()["value"]
        if max(value_p.values()) < 0.8 and blocked["will"] > 0.15 and "values" not in known.evaded:
            return "values"
        spoken = (crowd.objection != NONE) & ~crowd.raised_spoken
        hidden = (crowd.hidden != NONE) & ~crowd.raised_hidden
        unnamed = self._p(spoken | hidden)
        if unnamed > 0.25:
            return "concern"
        return "values" if max(value_p.values()) < 0.8 and blocked["will"] > 0.15 else None
