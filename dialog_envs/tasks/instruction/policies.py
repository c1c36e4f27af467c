"""Scripted policies of a teacher, good and bad, at the level of acts. They see only what an agent sees: text.

The bad ones are the behaviour policies of imagined datasets: each does some things right (tests, or corrects, or suits
its words to the student) and others wrong. The good ones are the baselines ``heuristic`` and ``information-gain``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.instruction.acts import KINDS
from dialog_envs.tasks.instruction.kernel import MISCONCEIVED, InstructionKernel
from dialog_envs.tasks.instruction.persona import InstructionPersona
from dialog_envs.tasks.instruction.scenario import InstructionScenario
from dialog_envs.tasks.instruction.tracker import GAP, MISC, OPEN, SAYS, TOLD, Follower
from dialog_envs.tasks.policy import FollowingPolicy

Acts = tuple[Act, ...]
MOST_TRIES = 3
"""A behaviour policy explains an idea so often at most."""


@dataclass(frozen=True)
class Style:
    """How a behaviour policy behaves; all numbers are probabilities.

    Attributes:
        asks_style, asks_background: of asking about it at the beginning.
        checks: of finding out about an idea before explaining it (else it is explained unseen).
        quizzes: of doing so by a quiz (else by "do you know …?", or an open question).
        believes: of leaving "I know that" untested.
        corrects: of meeting a misconception head-on (else it is explained over).
        adapts: of choosing the kind of explanation by what is known of the student.
        kind: the kind that is used otherwise; ``None``: any.
        order: of going through the ideas in teaching order (else any).
        retries: of explaining once more what was not understood (else it goes on to the next idea).
        verifies: of a quiz after an explanation that the student followed.
        confirms: of "does that make sense?" after an explanation.
        encourages: of praise when all is gone through, or when the student is unsure.
        crams: of a second explanation in a turn.
        closes: of ending the lesson in any turn from the fifth on.
        chaos: of a random act in any turn.
    """

    asks_style: float = 0.3
    asks_background: float = 0.3
    checks: float = 0.5
    quizzes: float = 0.5
    believes: float = 0.5
    corrects: float = 0.5
    adapts: float = 0.5
    kind: str | None = None
    order: float = 0.9
    retries: float = 0.7
    verifies: float = 0.1
    confirms: float = 0.1
    encourages: float = 0.3
    crams: float = 0.0
    closes: float = 0.0
    chaos: float = 0.0


STYLES: dict[str, Style] = {
    "lecturer": Style(
        asks_style=0.9, checks=0.15, corrects=0.9, adapts=1.0, retries=1.0, crams=0.1, encourages=0.6
    ),
    "examiner": Style(
        asks_style=0.5, checks=1.0, quizzes=1.0, believes=0.0, corrects=0.9, adapts=0.8, retries=0.9
    ),
    "storyteller": Style(
        checks=0.9, quizzes=0.8, believes=0.2, corrects=0.95, adapts=0.4, kind="analogy", retries=1.0
    ),
    "professor": Style(
        checks=0.9, quizzes=0.9, believes=0.2, corrects=1.0, adapts=0.4, kind="technical", retries=1.0
    ),
    "credulous": Style(
        asks_style=1.0,
        checks=1.0,
        quizzes=0.1,
        believes=0.9,
        corrects=1.0,
        adapts=1.0,
        retries=1.0,
        encourages=0.9,
    ),
    "corrector": Style(
        asks_style=0.6, checks=1.0, quizzes=0.9, believes=0.1, corrects=1.0, adapts=0.9, closes=0.05
    ),
    "scattered": Style(
        asks_style=0.9, checks=0.9, quizzes=0.8, corrects=0.8, adapts=0.95, order=0.4, chaos=0.08, retries=0.9
    ),
    "competent": Style(
        asks_style=1.0,
        checks=1.0,
        quizzes=0.9,
        believes=0.15,
        corrects=1.0,
        adapts=0.97,
        retries=1.0,
        chaos=0.02,
    ),
}
"""Behaviour policies by name, beside ``random`` (:class:`RandomPolicy`)."""
MIXTURE: dict[str, float] = {
    "lecturer": 0.18,
    "examiner": 0.16,
    "competent": 0.14,
    "credulous": 0.14,
    "corrector": 0.1,
    "storyteller": 0.08,
    "professor": 0.08,
    "scattered": 0.08,
    "random": 0.04,
}
"""Default shares of behaviour policies in an imagined dataset."""


class Policy(FollowingPolicy[Follower]):
    """Base: what the policies below share."""

    follower = Follower

    def random_acts(self) -> Acts:
        """A question, a quiz, an explanation, a correction or a phrase, blindly."""
        item, kind = self.one_of(self.reader.scenario.items), self.one_of(KINDS)
        choices: tuple[Act, ...] = (
            Act("explain", value=kind, item=item),
            Act("explain", value=kind, item=item),
            Act("quiz", item=item),
            Act("correct", item=item),
            Act("ask", "idea", item=item),
            Act("ask", self.one_of(("background", "style", "open"))),
            Act(self.one_of(("confirm", "encourage", "recap", "close"))),
        )
        return (choices[int(self.rng.integers(len(choices)))],)

    def explain(self, item: str, kind: str | None = None) -> Act:
        """An explanation, of the kind that suits best if none is given."""
        return Act("explain", value=kind or self.reader.tracker.best_kind(item), item=item)


class RandomPolicy(Policy):
    """Random acts about random ideas."""

    def decide(self) -> Acts:
        """Blind."""
        return self.random_acts()


class BehaviourPolicy(Policy):
    """A policy with a :class:`Style`."""

    def __init__(self, style: Style) -> None:
        self.style = style

    def start(self, brief: str, rng: np.random.Generator) -> None:
        """Begin an episode: what will be asked, and the order of ideas."""
        super().start(brief, rng)
        style, items = self.style, list(self.reader.scenario.items)
        self.first = [
            slot
            for slot, p in (("style", style.asks_style), ("background", style.asks_background))
            if self.chance(p)
        ]
        if not self.chance(style.order):
            items = [items[i] for i in rng.permutation(len(items)).tolist()]
        self.plan = items
        self.seen = {item for item in items if not self.chance(style.checks)}
        self.given_up: set[str] = set()
        self.given: dict[str, int] = {}
        self.verified: set[str] = set()
        self.praised = False

    def decide(self) -> Acts:
        """The next step of the lesson, by habit."""
        style, tracker = self.style, self.reader.tracker
        if style.chaos and self.chance(style.chaos):
            return self.random_acts()
        if self.first:
            return (Act("ask", self.first.pop(0)),)
        if style.closes and tracker.heard >= 4 and self.chance(style.closes):
            return (Act("close"),)
        for item in self.plan:
            done = self.step(item)
            if done:
                return done
        if not self.praised and self.chance(style.encourages):
            self.praised = True
            return (Act("encourage"),)
        return (Act("close"),)

    def step(self, item: str) -> Acts:
        """What is still to be done about an idea; () if nothing."""
        style, mark = self.style, self.reader.tracker.marks[item]
        if item in self.given_up:
            return ()
        if mark == SAYS and self.chance(style.believes):
            self.given_up.add(item)
            return ()
        if mark == TOLD and item not in self.verified:
            self.verified.add(item)
            if self.chance(style.verifies):
                return (Act("quiz", item=item),)
        if mark in (OPEN, SAYS) and item not in self.seen:
            self.seen.add(item)
            return (Act("quiz", item=item) if self.chance(style.quizzes) else Act("ask", "idea", item=item),)
        if mark == SAYS:
            self.given_up.add(item)
            return (Act("quiz", item=item),)
        if mark == MISC:
            return self.mend(item)
        return self.teach(item) if mark in (OPEN, GAP) else ()

    def mend(self, item: str) -> Acts:
        """Meet a misconception, or explain over it."""
        if self.chance(self.style.corrects):
            both = (Act("correct", item=item), self.teach_act(item))
            return both if self.chance(0.5) else both[:1]
        self.given_up.add(item)
        return (self.teach_act(item),)

    def teach(self, item: str) -> Acts:
        """Explain, perhaps with something beside it."""
        given = self.given[item] = self.given.get(item, 0) + 1
        if given > MOST_TRIES or (given > 1 and not self.chance(self.style.retries)):
            self.given_up.add(item)
            return ()
        acts = [self.teach_act(item)]
        later = self.plan[self.plan.index(item) + 1 :]
        if later and self.chance(self.style.crams):
            acts.append(self.teach_act(later[0]))
        elif self.chance(self.style.confirms):
            acts.append(Act("confirm"))
        return tuple(acts)

    def teach_act(self, item: str) -> Act:
        """An explanation in the kind that habit or the student calls for."""
        if self.chance(self.style.adapts):
            return self.explain(item)
        return self.explain(item, self.style.kind or self.one_of(KINDS))


class HeuristicPolicy(Policy):
    """A sensible lesson: asks which style suits, quizzes each idea in order, corrects, explains, encourages, closes."""

    def start(self, brief: str, rng: np.random.Generator) -> None:
        """Begin an episode."""
        super().start(brief, rng)
        self.quizzed: dict[str, int] = {}

    def decide(self) -> Acts:
        """The first thing that is not done yet."""
        tracker = self.reader.tracker
        if tracker.heard == 0:
            return (Act("ask", "background"), Act("ask", "style"))
        for item in (*tracker.marked(MISC), *tracker.marked(GAP)):
            if not tracker.ready(item):
                continue
            if tracker.marks[item] == MISC:
                return (Act("correct", item=item), self.explain(item))
            if len(tracker.failed.get(item, ())) < 3:
                return (self.explain(item),)
        for item in tracker.marked(OPEN, SAYS):
            if self.quizzed.get(item, 0) < 1:
                self.quizzed[item] = self.quizzed.get(item, 0) + 1
                return (Act("quiz", item=item),)
            if tracker.marks[item] == OPEN:
                return (self.explain(item),)
        return (Act("close"),) if tracker.encouraged else (Act("encourage"),)


class OraclePolicy(Policy):
    """Sees the persona, follows what it learns, and says just what is missing: the upper end of the scale."""

    def __init__(self) -> None:
        self.persona: InstructionPersona | None = None
        self.kernel = InstructionKernel()

    def reveal(self, persona: InstructionPersona, scenario: InstructionScenario) -> None:
        """Be shown what is hidden."""
        self.persona = persona
        self.state = self.kernel.start(scenario, persona)
        self.read = 0

    def decide(self) -> Acts:
        """The first idea that is not understood, in the style that works; then make the student believe it."""
        if self.persona is None:
            raise RuntimeError("the oracle was not shown the persona")
        from dialog_envs.tasks.instruction.scoring import follow

        for exchange in self.reader.exchanges[self.read :]:
            self.state = follow(self.state, *exchange)
        self.read = len(self.reader.exchanges)
        state, items = self.state, self.reader.scenario.items
        for i, status in enumerate(state.status):
            if status == MISCONCEIVED:
                if self.persona.manner.stubborn and i not in state.lesson.exposed:
                    return (Act("quiz", item=items[i]),)
                return (Act("correct", item=items[i]), self.explain(items[i], self.persona.style))
            if status != "known":
                if state.believed[i]:
                    return (Act("quiz", item=items[i]),)
                return (self.explain(items[i], self.persona.style),)
        unsure = [i for i, believed in enumerate(state.believed) if not believed]
        if not unsure:
            return (Act("close"),)
        if all(i in state.lesson.touched for i in unsure):
            return (Act("encourage"),)
        return (Act("quiz", item=items[next(i for i in unsure if i not in state.lesson.touched)]),)


BASELINES = ("random", "heuristic", "information-gain", "oracle")
"""Policies that play as agents on the leaderboard."""
POLICIES = tuple(dict.fromkeys((*BASELINES, *STYLES)))
"""All policies by name."""


def make_policy(name: str) -> Policy:
    """A policy by name: one of :data:`POLICIES`."""
    from dialog_envs.tasks.instruction.planning import InformationGainPolicy

    makers: dict[str, Callable[[], Policy]] = {
        "heuristic": HeuristicPolicy,
        "information-gain": InformationGainPolicy,
        "oracle": OraclePolicy,
        "random": RandomPolicy,
    }
    if name in makers:
        return makers[name]()
    return BehaviourPolicy(STYLES[name])
