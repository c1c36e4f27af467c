"""Scripted policies of a fund-raiser, good and bad, at the level of acts. They see only what an agent sees: text.

The bad ones are the behaviour policies of imagined datasets: each does something well that another does badly, and
none does everything. The good ones are the baselines ``heuristic`` and ``information-gain``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from dialog_envs.core.dialogue import Act
from dialog_envs.core.sampling import pick
from dialog_envs.tasks.persuasion import dynamics as d
from dialog_envs.tasks.persuasion.acts import (
    BANDS,
    FACTS,
    OBJECTIONS,
    PRESSURES,
    QUESTIONS,
    STRATEGIES,
    VALUES,
)
from dialog_envs.tasks.persuasion.kernel import PersuasionKernel, PersuasionState, gain
from dialog_envs.tasks.persuasion.persona import PersuasionPersona
from dialog_envs.tasks.persuasion.scenario import PersuasionScenario
from dialog_envs.tasks.persuasion.styles import STYLES, Style
from dialog_envs.tasks.persuasion.tracker import Follower
from dialog_envs.tasks.policy import FollowingPolicy

Acts = tuple[Act, ...]


def appeal(strategy: str, value: str | None) -> Acts:
    """An appeal, and the value that it is tied to, if any ("If you care about nature, …")."""
    if strategy == "values":
        return (Act("appeal", "values", value),)
    tied = (Act("appeal", "values", value),) if value and strategy not in d.VALUE_FREE else ()
    return (*tied, Act("appeal", strategy))


class Policy(FollowingPolicy[Follower]):
    """Base: what the policies below share."""

    follower = Follower

    def draw(self, weights: Mapping[str, float]) -> str:
        """One of several, by weight."""
        return pick(weights, float(self.rng.random()))

    def random_acts(self) -> Acts:
        """Any act, blindly."""
        kind = self.one_of(("ask", "appeal", "inform", "address", "propose"))
        if kind == "ask":
            return (Act("ask", self.one_of(QUESTIONS)),)
        if kind == "appeal":
            return appeal(self.one_of(STRATEGIES), self.one_of(VALUES) if self.chance(0.7) else None)
        if kind == "inform":
            return (Act("inform", self.one_of(FACTS)),)
        if kind == "address":
            return (Act("address", self.one_of(OBJECTIONS)),)
        return (Act("propose", value=self.one_of(BANDS)),)


class RandomPolicy(Policy):
    """Random questions, appeals, facts and requests."""

    def decide(self) -> Acts:
        """Blind."""
        return self.random_acts()


class BehaviourPolicy(Policy):
    """A policy with a :class:`Style`."""

    def __init__(self, style: Style) -> None:
        self.style = style

    def start(self, brief: str, rng: np.random.Generator) -> None:
        """Begin an episode: draw what is fixed within it."""
        super().start(brief, rng)
        style = self.style
        self.plan = [slot for slot in style.questions if self.chance(style.curious)]
        self.first_request = int(rng.integers(style.proposes_at[0], style.proposes_at[1] + 1))
        self.band = self.draw(style.bands)
        self.token = self.chance(style.token)

    def decide(self) -> Acts:
        """Follow the style."""
        style, known = self.style, self.reader.tracker
        if style.chaos and self.chance(style.chaos):
            return self.random_acts()
        last = {act.kind for act in self.reader.user_acts}
        if "promise" in last:
            return (Act("commit"),) if self.chance(style.commits) else (Act("acknowledge"), Act("close"))
        if "counteroffer" in last:
            return (Act("propose", value=known.offered),)
        head = (Act("acknowledge"),) if style.thanks and self.chance(style.thanks) else ()
        if (known.open_objections or known.doubts) and self.chance(style.answers):
            return (*head, *self.meet())
        if "decline" in last or "object" in last or "doubt" in last:
            return (*head, *self.after_refusal())
        if self.plan:
            return (*head, Act("ask", self.plan.pop(0)))
        if known.heard + 1 >= self.first_request:
            return self.request()
        return (*head, *self.argue())

    def meet(self) -> Acts:
        """Meet an objection or a doubt, as well as the style can."""
        style, known = self.style, self.reader.tracker
        if known.doubts:
            return (Act("inform", known.doubts[0]),) if self.chance(0.8) else self.argue()
        slot = known.open_objections[0]
        fact = d.SUPPORT[slot]
        words = (Act("address", slot),) if self.chance(style.words) else ()
        new = fact is not None and fact not in known.informed
        facts = (Act("inform", fact),) if new and self.chance(style.backs) else ()
        return (*words, *facts) or self.argue()

    def after_refusal(self) -> Acts:
        """Dig, push, retry, or argue on."""
        style = self.style
        if not self.reader.tracker.clear and self.chance(style.digs):
            return (Act("ask", "concern"),)
        if style.pushes and self.chance(style.pushes):
            return (Act("pressure", value=self.one_of(PRESSURES)), *self.request())
        if style.invents and self.chance(style.invents):
            return (Act("fabricate"),)
        return self.request() if self.chance(style.retries) else self.argue()

    def request(self) -> Acts:
        """A small step first, if that is the style; then the amount, smaller after each refusal."""
        known = self.reader.tracker
        if self.token and not known.agreed:
            self.token = False
            return (Act("propose", value="token"),)
        if known.refusals and self.chance(0.5):
            self.band = "small"
        if known.heard + 1 < self.first_request:
            return self.argue()
        if self.chance(0.5) and known.heard + 1 > self.first_request and self.style.proposes_at[0] > 1:
            return self.argue()
        return (Act("propose", value=self.band),)

    def argue(self) -> Acts:
        """An appeal, perhaps with a fact."""
        style, known = self.style, self.reader.tracker
        used = [name for name, _ in known.appealed]
        fresh = {name: weight for name, weight in style.appeals.items() if used.count(name) < 2}
        strategy = self.draw(fresh or style.appeals)
        value = known.told.get("values")
        if value is None and style.guesses and self.chance(style.guesses):
            value = self.one_of(VALUES)
        elif value is not None and not self.chance(style.names):
            value = None
        if value is None and strategy in d.NEEDS_VALUE:
            strategy = "logical" if self.chance(0.5) else "emotional"
        left = {fact: weight for fact, weight in style.facts.items() if fact not in known.informed}
        facts = []
        for _ in range(min(style.facts_a_turn, len(left))):
            fact = self.draw(left)
            del left[fact]
            facts.append(Act("inform", fact))
        return (*appeal(strategy, value), *facts)


class HeuristicPolicy(Policy):
    """A fixed good order: what matters to them, what is in the way, meet it, two appeals that fit, ask, commit."""

    def start(self, brief: str, rng: np.random.Generator) -> None:
        """Begin an episode."""
        super().start(brief, rng)
        self.asked: list[str] = []

    def decide(self) -> Acts:
        """The first step of the order that is still to be done."""
        known = self.reader.tracker
        last = {act.kind for act in self.reader.user_acts}
        if "promise" in last or "agree" in last:
            return (Act("commit"),)
        if "counteroffer" in last:
            return (Act("propose", value=known.offered),)
        if known.doubts:
            return (Act("inform", known.doubts[0]),)
        if known.open_objections:
            slot = known.open_objections[0]
            fact = d.SUPPORT[slot]
            new = (Act("inform", fact),) if fact and fact not in known.informed else ()
            return (Act("address", slot), *new)
        for slot in ("values", "concern"):
            if slot not in self.asked:
                return self.ask(slot)
        if "decline" in last:
            return self.ask("concern") if not known.clear else self.appeal()
        if len(known.appealed) < 2:
            return self.appeal()
        return (Act("propose", value="small"),) if "warm" not in last else (Act("propose", value="medium"),)

    def ask(self, slot: str) -> Acts:
        """A question, remembered."""
        self.asked.append(slot)
        return (Act("ask", slot),)

    def appeal(self) -> Acts:
        """The next kind of appeal that is not worn out, to the value that was told."""
        known = self.reader.tracker
        value = known.told.get("values")
        used = [strategy for strategy, _ in known.appealed]
        order = ("values", "logical", "emotional", "story") if value else ("logical", "emotional", "story")
        fresh = [slot for slot in order if slot not in used and slot not in known.cool]
        strategy = (fresh or ["logical"])[0]
        return appeal(strategy, value)


class OraclePolicy(Policy):
    """Sees the persona, and so knows its exact state: the upper end of the scale."""

    def __init__(self) -> None:
        self.persona: PersuasionPersona | None = None

    def reveal(self, persona: PersuasionPersona, scenario: PersuasionScenario) -> None:
        """Be shown what is hidden."""
        self.persona = persona

    def start(self, brief: str, rng: np.random.Generator) -> None:
        """Begin an episode."""
        super().start(brief, rng)
        self._kernel = PersuasionKernel()
        self._state: PersuasionState | None = None
        self._read = 0

    def decide(self) -> Acts:
        """Meet what is in the way, win trust, appeal as fits, and ask for as much as they would ever give."""
        if self.persona is None:
            raise RuntimeError("the oracle was not shown the persona")
        state = self._catch_up(self.persona)
        persona = self.persona
        own = [
            slot for slot in (persona.objection, persona.hidden) if slot != "none" and slot not in state.met
        ]
        if own:
            proofs = [d.SUPPORT[slot] for slot in own if slot in state.raised]
            return (*(Act("address", slot) for slot in own), *_new(state, proofs))
        if state.trust < d.TRUSTED or (
            persona.family == "evidence_only" and "evidence" not in state.informed
        ):
            order = ("evidence", "credibility", "spending")
            wanted = _new(state, (*sorted(state.doubts), *order))[:2]
            if wanted:
                return wanted
        spare = persona.manner.patience - state.used
        if state.will < (d.LEVELS[persona.most] if spare > 200 else d.READY):
            best, won = self._best_appeal(state)
            if won > 0:
                facts = _new(state, ("impact", "story" if persona.taste == "feeling" else "evidence"))
                return (*best, *facts[:1])
        bands = [band for band, level in d.LEVELS.items() if state.will >= level]
        band = min((bands or ["small"])[-1], persona.most, key=BANDS.index)
        return (Act("propose", value=band), Act("commit"))

    def _catch_up(self, persona: PersuasionPersona) -> PersuasionState:
        state = self._state or self._kernel.start(self.reader.scenario, persona)
        for agent_acts, user_acts in self.reader.exchanges[self._read :]:
            outcomes = self._kernel.distribution(state, agent_acts)
            state = max(outcomes, key=lambda outcome: -len(set(outcome[1]) ^ set(user_acts)))[2]
        self._read = len(self.reader.exchanges)
        self._state = state
        return state

    @staticmethod
    def _best_appeal(state: PersuasionState) -> tuple[Acts, int]:
        z = state.persona
        options = [(gain(z, state.trust, state.appealed, slot, z.value), slot) for slot in STRATEGIES]
        best, slot = max(options, key=lambda option: option[0])
        return appeal(slot, z.value), best


def _new(state: PersuasionState, facts: Sequence[str | None]) -> Acts:
    """Facts that were not told, each once."""
    names = [fact for fact in dict.fromkeys(facts) if fact and fact not in state.informed]
    return tuple(Act("inform", fact) for fact in names)


BASELINES = ("random", "heuristic", "information-gain", "oracle")
"""Policies that play as agents on the leaderboard."""
POLICIES = tuple(dict.fromkeys((*BASELINES, *STYLES)))
"""All policies by name."""


def make_policy(name: str) -> Policy:
    """A policy by name: one of :data:`POLICIES`."""
    from dialog_envs.tasks.persuasion.planning import InformationGainPolicy

    makers: dict[str, Callable[[], Policy]] = {
        "heuristic": HeuristicPolicy,
        "information-gain": InformationGainPolicy,
        "oracle": OraclePolicy,
        "random": RandomPolicy,
    }
    if name in makers:
        return makers[name]()
    return BehaviourPolicy(STYLES[name])
