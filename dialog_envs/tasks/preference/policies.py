"""Scripted policies of a travel agent, good and bad, at the level of acts. They see only what an agent sees: text.

The bad ones are the behaviour policies of imagined datasets: they ask too little, too much or at random, suggest too
early, ignore refusals. The good ones are the baselines ``heuristic`` and ``information-gain``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.policy import FollowingPolicy
from dialog_envs.tasks.preference.persona import SLOTS, PreferencePersona
from dialog_envs.tasks.preference.scenario import PreferenceScenario
from dialog_envs.tasks.preference.tracker import Follower
from dialog_envs.tasks.preference.utility import verdicts

QUESTIONNAIRE = ("theme", "need", "budget", "crowd", "pace", "time", "setting")
"""A fixed good order of questions: what decides most comes first."""


@dataclass(frozen=True)
class Style:
    """How a behaviour policy behaves.

    Attributes:
        questions: fewest and most questions before the first suggestion (drawn once an episode).
        per_turn: fewest and most questions in one turn (drawn once an episode).
        shuffled: ask in a random order instead of :data:`QUESTIONNAIRE`.
        opens: probability of beginning with an open question.
        wild: probability that a suggestion is any activity rather than the best one by the wishes heard.
        deaf: probability of going on as planned after a refusal, without using what it told.
        asks_again: probability of a question after a refusal instead of another suggestion.
        pushes, compares: probability of suggesting again, or setting two side by side, when the user cannot decide.
        chaos: probability of a random act in any turn.
        repeats: probability of asking something that was answered already.
    """

    questions: tuple[int, int] = (3, 5)
    per_turn: tuple[int, int] = (1, 1)
    shuffled: bool = False
    opens: float = 0.3
    wild: float = 0.0
    deaf: float = 0.0
    asks_again: float = 0.5
    pushes: float = 0.4
    compares: float = 0.4
    chaos: float = 0.0
    repeats: float = 0.0


STYLES: dict[str, Style] = {
    "hasty": Style(questions=(0, 1), asks_again=0.2),
    "brief": Style(questions=(2, 3), shuffled=True, opens=0.4, asks_again=0.3, wild=0.1),
    "surveyor": Style(questions=(4, 8), per_turn=(2, 4), shuffled=True, opens=0.1),
    "thorough": Style(questions=(7, 8), opens=0.6, repeats=0.15),
    "stubborn": Style(questions=(1, 3), wild=0.6, deaf=0.7, asks_again=0.1, pushes=0.1, compares=0.0),
    "scattered": Style(questions=(2, 5), shuffled=True, chaos=0.5, wild=0.3, repeats=0.2),
    "competent": Style(questions=(4, 6), opens=0.4, chaos=0.1, repeats=0.05),
}
"""Behaviour policies by name, beside ``random`` (:class:`RandomPolicy`)."""
MIXTURE: dict[str, float] = {
    "hasty": 0.2,
    "surveyor": 0.2,
    "stubborn": 0.15,
    "scattered": 0.15,
    "thorough": 0.1,
    "competent": 0.1,
    "brief": 0.05,
    "random": 0.05,
}
"""Default shares of behaviour policies in an imagined dataset."""


class Policy(FollowingPolicy[Follower]):
    """Base: what the policies below share."""

    follower = Follower

    @property
    def undecided(self) -> str | None:
        """The activity that the user hesitated about in their last turn."""
        return next((act.item for act in self.reader.user_acts if act.kind == "hesitate"), None)

    def ranked(self) -> list[str]:
        """Ids of activities not refused, the best by the wishes first."""
        tracker = self.reader.tracker
        return [item for item, _ in tracker.ranking() if item not in tracker.refused]

    def random_acts(self) -> tuple[Act, ...]:
        """A question or a suggestion, blindly."""
        if self.chance(0.5):
            items = self.reader.scenario.items
            return (Act("suggest", item=items[int(self.rng.integers(len(items)))]),)
        slots = (*SLOTS, "open")
        return (Act("ask", slot=slots[int(self.rng.integers(len(slots)))]),)


class RandomPolicy(Policy):
    """Random questions and suggestions."""

    def decide(self) -> tuple[Act, ...]:
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
        self.budget = int(rng.integers(style.questions[0], style.questions[1] + 1))
        self.per_turn = int(rng.integers(style.per_turn[0], style.per_turn[1] + 1))
        order = list(QUESTIONNAIRE)
        if style.shuffled:
            order = [order[i] for i in rng.permutation(len(order))]
        self.plan = (["open"] if self.chance(style.opens) else []) + order
        self.asked = 0

    def decide(self) -> tuple[Act, ...]:
        """Follow the plan, as well as the style allows."""
        style, reader = self.style, self.reader
        if style.chaos and self.chance(style.chaos):
            return self.random_acts()
        if self.undecided and self.chance(style.pushes + style.compares):
            return self.settle(self.undecided)
        refused = any(act.kind == "reject" for act in reader.user_acts)
        if refused and not (style.deaf and self.chance(style.deaf)) and self.chance(style.asks_again):
            return self.question(1) or self.suggestion()
        if self.asked < self.budget:
            return self.question(min(self.per_turn, self.budget - self.asked)) or self.suggestion()
        return self.suggestion()

    def settle(self, item: str) -> tuple[Act, ...]:
        """Help somebody decide: set another beside it, or suggest it again."""
        others = [name for name in self.ranked() if name != item]
        total = self.style.pushes + self.style.compares
        if others and self.chance(self.style.compares / total):
            return (Act("suggest", item=item), Act("suggest", item=others[0]))
        return (Act("suggest", item=item),)

    def question(self, count: int) -> tuple[Act, ...]:
        """The next questions of the plan that are still open."""
        known = self.reader.tracker.wishes
        if self.style.repeats and known and self.chance(self.style.repeats):
            slots = list(known)
            return (Act("ask", slot=slots[int(self.rng.integers(len(slots)))]),)
        self.plan = [slot for slot in self.plan if slot not in known]
        chosen, self.plan = self.plan[:count], self.plan[count:]
        self.asked += len(chosen)
        return tuple(Act("ask", slot=slot) for slot in chosen)

    def suggestion(self) -> tuple[Act, ...]:
        """One activity: the best by the wishes, or any."""
        style, tracker = self.style, self.reader.tracker
        items = self.reader.scenario.items
        if style.wild and self.chance(style.wild):
            return (Act("suggest", item=items[int(self.rng.integers(len(items)))]),)
        ranking = tracker.ranking()
        if style.deaf and self.chance(style.deaf):
            tracker = replace(tracker, refused=set())
            ranking = tracker.ranking()
        top = [
            item for item, score in ranking if score >= ranking[0][1] - 1e-9 and item not in tracker.refused
        ]
        top = top or [ranking[0][0]]
        return (Act("suggest", item=top[int(self.rng.integers(len(top)))]),)


class HeuristicPolicy(Policy):
    """A fixed good questionnaire, one question a turn, then the best by what was heard; compares for the undecided."""

    QUESTIONS = 6

    def start(self, brief: str, rng: np.random.Generator) -> None:
        """Begin an episode."""
        super().start(brief, rng)
        self.plan = list(QUESTIONNAIRE[: self.QUESTIONS])

    def decide(self) -> tuple[Act, ...]:
        """Ask down the list; then suggest down the ranking."""
        ranked = self.ranked() or list(self.reader.scenario.items)
        if self.undecided:
            others = [name for name in ranked if name != self.undecided]
            return tuple(Act("suggest", item=name) for name in [self.undecided, *others[:1]])
        known = self.reader.tracker.wishes
        self.plan = [slot for slot in self.plan if slot not in known]
        if self.plan and self.reader.tracker.leaders() > 1:
            return (Act("ask", slot=self.plan.pop(0)),)
        return (Act("suggest", item=ranked[0]),)


class OraclePolicy(Policy):
    """Sees the persona and suggests what suits it: the upper end of the scale."""

    def __init__(self) -> None:
        self.persona: PreferencePersona | None = None

    def reveal(self, persona: PreferencePersona, scenario: PreferenceScenario) -> None:
        """Be shown what is hidden."""
        self.persona = persona

    def decide(self) -> tuple[Act, ...]:
        """The best activity, and once more if the user hesitates."""
        if self.persona is None:
            raise RuntimeError("the oracle was not shown the persona")
        persona = self.persona
        if any(act.kind == "change" for _, user in self.reader.exchanges for act in user):
            persona = persona.changed()
        judged = verdicts(self.reader.scenario.items, persona)
        fitting = [name for name in self.reader.scenario.items if name in judged.acceptable]
        return (Act("suggest", item=(fitting or self.reader.scenario.items)[0]),)


BASELINES = ("random", "heuristic", "information-gain", "oracle")
"""Policies that play as agents on the leaderboard."""
POLICIES = tuple(dict.fromkeys((*BASELINES, *STYLES)))
"""All policies by name."""


def make_policy(name: str) -> Policy:
    """A policy by name: one of :data:`POLICIES`."""
    from dialog_envs.tasks.preference.planning import InformationGainPolicy

    makers: dict[str, Callable[[], Policy]] = {
        "heuristic": HeuristicPolicy,
        "information-gain": InformationGainPolicy,
        "oracle": OraclePolicy,
        "random": RandomPolicy,
    }
    if name in makers:
        return makers[name]()
    return BehaviourPolicy(STYLES[name])
