"""The information-gain policy: plans with the exact posterior, without seeing the persona.

The practical ceiling of the task. It goes through the ideas in teaching order and stops at the first that may not be
understood. For this one it weighs what explaining, correcting, quizzing or an open question would waste of the
student's attention, in expectation over everybody who could be sitting there, and does what wastes least.
"""

from __future__ import annotations

import numpy as np

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.instruction.acts import KINDS
from dialog_envs.tasks.instruction.lesson import COST
from dialog_envs.tasks.instruction.likelihood import (
    KNOWN,
    MISCONCEIVED,
    TASTES,
    UNKNOWN,
    Array,
    Mask,
)
from dialog_envs.tasks.instruction.persona import MANNERS
from dialog_envs.tasks.instruction.policies import Acts, Policy
from dialog_envs.tasks.instruction.posterior import Belief

SURE = ((20.0, 0.99), (10.0, 0.96), (4.0, 0.88), (-1e9, 0.7))
"""(attention to spare, probability): an idea is passed over when it is understood with this probability."""
DOUBT = 0.03
"""Encourage, or quiz, while the student does not trust its own knowledge of an idea with this probability."""
ENDING = 60.0
"""What the end of the lesson before its time counts for, in points of attention."""
SUITS = 0.75
"""Ask which style suits while no kind of explanation works at once with this probability."""
MOST_ASKED = 3
"""Ask so often at most."""
_OPENNESS = np.array([manner.openness for manner in MANNERS.values()])
_DEFLECTS = np.array([manner.deflects for manner in MANNERS.values()])
_STUBBORN = np.array([manner.stubborn for manner in MANNERS.values()])


class InformationGainPolicy(Policy):
    """See the module's text."""

    def start(self, brief: str, rng: np.random.Generator) -> None:
        """Begin an episode with the prior over all families."""
        super().start(brief, rng)
        self.belief = Belief(self.reader.scenario)
        self._read = 0
        self._asked = 0

    def decide(self) -> Acts:
        """The turn that is expected to waste least."""
        for exchange in self.reader.exchanges[self._read :]:
            self.belief.update(*exchange)
        self._read = len(self.reader.exchanges)
        target = self.target()
        if target is None:
            return self.finish()
        about = self.about(target)
        if (
            self._asked < MOST_ASKED
            and self.belief.lesson.told.isdisjoint({"style"})
            and self.style_unclear()
        ):
            self._asked += 1
            quiz = [act for act in about if act.kind == "quiz"]
            return (Act("ask", "style"), *quiz)
        return about

    def chance_of(self, who: Mask) -> float:
        """P(the student is one of ``who``)."""
        return self.belief.probability(who)

    def target(self) -> int | None:
        """The first idea that may not be understood, those first that are known to lack."""
        now = self.belief.now()
        lacking = 1.0 - now[:, KNOWN]
        spare = self.spare(now)
        sure = next(p for points, p in SURE if spare >= points)
        return next((i for i, p in enumerate(lacking.tolist()) if p > 1.0 - sure), None)

    def spare(self, now: Array) -> float:
        """Expected attention that is left when all that is lacking has been taught."""
        left = float(np.dot(self.belief.mass, np.maximum(self.belief.students.left, 0)))
        each = (
            COST["explanation"] * now[:, UNKNOWN]
            + (COST["explanation"] + COST["correction"]) * now[:, MISCONCEIVED]
        )
        return left - float(each.sum())

    def style_unclear(self) -> bool:
        """Whether no kind of explanation is likely enough to be the preferred one."""
        taste = np.bincount(self.belief.students.taste, weights=self.belief.mass, minlength=len(TASTES))
        styles = {
            kind: sum(p for p, (_, style) in zip(taste, TASTES, strict=True) if style == kind)
            for kind in KINDS
        }
        return max(styles.values()) < SUITS

    def best_kind(self, idea: int) -> str:
        """The kind that most of those learn from who would listen."""
        students, mass = self.belief.students, self.belief.mass
        tried = students.tried[:, idea]

        def learns(kind: str) -> float:
            bit = 1 << KINDS.index(kind)
            likes = np.array([style == kind for _, style in TASTES])[students.taste]
            wrong = np.array(
                [
                    style != kind
                    and (background, kind) in (("child", "technical"), ("professional", "analogy"))
                    for background, style in TASTES
                ]
            )[students.taste]
            return float(mass[likes | (((tried & ~bit) > 0) & ~wrong)].sum()) - 0.1 * float(mass[wrong].sum())

        heard = {kind for i, kind in self.belief.lesson.heard if i == idea}
        return max(KINDS, key=lambda kind: learns(kind) - 0.15 * (kind in heard))

    def about(self, idea: int) -> Acts:
        """What to do about one idea."""
        students, lesson = self.belief.students, self.belief.lesson
        items = self.reader.scenario.items
        name, status, believed = items[idea], students.status[:, idea], students.believed[:, idea]
        p_wrong = self.chance_of(status == MISCONCEIVED)
        p_known = self.chance_of((status == KNOWN) & believed)
        p_false = self.chance_of((status == UNKNOWN) & believed)
        dodges = self.chance_of(_DEFLECTS[students.family]) if idea not in lesson.checked else 0.0
        stubborn = idea not in lesson.exposed and self.chance_of(
            _STUBBORN[students.family] & (status == MISCONCEIVED)
        )
        explanation = Act("explain", value=self.best_kind(idea), item=name)
        ends = students.satisfied() & ~students.understood()
        again = COST["same words again"] * ((idea, explanation.value) in lesson.heard)
        wasted = {
            "explain": COST["known already"] * (p_known + p_false)
            + COST["explanation"] * (p_wrong + p_known + p_false)
            + ENDING * self.chance_of(ends & ((status != MISCONCEIVED) | _STUBBORN[students.family]))
            + again,
            "quiz": COST["quiz again" if idea in lesson.right | lesson.gaps else "quiz"]
            + COST["quiz"] * dodges,
            "correct": (COST["correction"] + COST["no mistake there"]) * (1.0 - p_wrong) + 6 * stubborn,
        }
        first = ~students.satisfied() & (np.argmin(students.believed, axis=1) == idea)
        resolved = float((self.belief.mass * _OPENNESS[students.family])[first].sum())
        wasted["ask"] = (
            COST["question"] + (1.0 - resolved) * min(wasted.values()) + ENDING * self.chance_of(ends)
        )
        best = min(wasted, key=lambda way: (wasted[way], way))
        if best == "explain":
            return (explanation,)
        if best == "correct":
            return (Act("correct", item=name), explanation)
        return (Act("quiz", item=name),) if best == "quiz" else (Act("ask", "open"),)

    def finish(self) -> Acts:
        """All is understood, it seems: let the student think so too, and close."""
        students, lesson = self.belief.students, self.belief.lesson
        doubts = [
            i
            for i in range(len(self.reader.scenario.items))
            if self.chance_of(~students.believed[:, i]) > DOUBT
        ]
        if not doubts:
            return (Act("close"),)
        untouched = [i for i in doubts if i not in lesson.touched]
        if untouched:
            return (Act("quiz", item=self.reader.scenario.items[untouched[0]]),)
        if not lesson.encouraged:
            return (Act("encourage"),)
        least = max(doubts, key=lambda i: self.chance_of(~students.believed[:, i]))
        return (Act("quiz", item=self.reader.scenario.items[least]),)
