"""The exact posterior over the persona, from the kernel.

The support is finite: what a student may hold of the concept's ideas, background and style, and family; 3,000 to
50,000 points. Each point carries the kernel's state for that student. A user turn's likelihood is evaluated for all of
them at once; a property test compares it with Bayes' rule over :meth:`InstructionKernel.distribution`. Points that a
turn rules out are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dialog_envs.core.belief import belief_trace as trace_of
from dialog_envs.core.dialogue import Act, Turn
from dialog_envs.tasks.instruction.acts import BACKGROUNDS, KINDS, STATUSES
from dialog_envs.tasks.instruction.kernel import UNSETTLING
from dialog_envs.tasks.instruction.lesson import (
    CONTENT_FROM,
    TIRED,
    AgentTurn,
    Lesson,
    agent_turn,
    public_cost,
)
from dialog_envs.tasks.instruction.likelihood import (
    FAMILIES,
    TASTES,
    Array,
    Ints,
    Mask,
    Students,
    everybody,
    these,
)
from dialog_envs.tasks.instruction.persona import InstructionPersona, InstructionPrior
from dialog_envs.tasks.instruction.scenario import InstructionScenario

_NOTHING = Act("")


class Belief:
    """P(persona | what was said so far), exact.

    Attributes:
        students: the students that are still possible, with the state that each would be in.
        mass: (students,) probabilities that sum to 1.
        lesson: the public record.
        impossible: user turns that no persona could have said (misread text, another simulator); they were left out.
    """

    def __init__(
        self,
        scenario: InstructionScenario,
        families: Sequence[str] | None = None,
        personas: Sequence[InstructionPersona] | None = None,
    ) -> None:
        """The prior. ``families``: which ones an agent reckons with (default: all); ``personas``: these only."""
        self.scenario = scenario
        if personas is not None:
            self.students, self.mass = these(personas, scenario.needs)
        else:
            names = tuple(families) if families is not None else InstructionPrior().families
            self.students, self.mass = everybody(scenario.needs, names)
        self.lesson = Lesson()
        self.impossible = 0

    def update(self, agent_acts: tuple[Act, ...], user_acts: tuple[Act, ...]) -> None:
        """Bayes' rule for one exchange. A user turn that nobody could have said moves the states on, no more."""
        turn = agent_turn(agent_acts, self.scenario.items)
        students = self.students.subset(np.ones(len(self.students), bool))
        mass = self.mass * _likelihood(students, self.lesson, turn, user_acts, self.scenario.items)
        total = float(mass.sum())
        if total > 0:
            alive = mass > 0
            self.mass, self.students = mass[alive] / total, students.subset(alive)
        else:
            self.impossible += 1
            self.students = students
        self.lesson = self.lesson.after(turn, user_acts, self.scenario.items)

    def entropy_bits(self) -> float:
        """Entropy of knowledge at the start, background and style (families summed out), in bits."""
        cells = self.students.origin.astype(np.int64) * len(TASTES) + self.students.taste
        p = np.bincount(cells, weights=self.mass)
        p = p[p > 0]
        return max(0.0, float(-(p * np.log2(p)).sum()))

    def marginals(self) -> dict[str, dict[str, float]]:
        """Probability of each value of family, background and style, and of what was held of each idea at first."""
        students = self.students
        family = np.bincount(students.family, weights=self.mass, minlength=len(FAMILIES))
        taste = np.bincount(students.taste, weights=self.mass, minlength=len(TASTES))
        found = {"family": dict(zip(FAMILIES, family.tolist(), strict=True))}
        for axis, (slot, values) in enumerate((("background", BACKGROUNDS), ("style", KINDS))):
            found[slot] = {
                value: float(sum(p for p, pair in zip(taste, TASTES, strict=True) if pair[axis] == value))
                for value in values
            }
        begun = students.patterns[students.origin]
        for i, item in enumerate(self.scenario.items):
            p = np.bincount(begun[:, i], weights=self.mass, minlength=len(STATUSES))
            found[item] = dict(zip(STATUSES, p.tolist(), strict=True))
        return found

    def now(self) -> Array:
        """(ideas, statuses) probability of what is held of each idea by now."""
        status = self.students.status
        return np.stack(
            [
                np.bincount(status[:, i], weights=self.mass, minlength=len(STATUSES))
                for i in range(status.shape[1])
            ]
        )

    def probability(self, who: Mask) -> float:
        """P(the student is one of ``who``)."""
        return float(self.mass[who].sum())


def _likelihood(
    students: Students, lesson: Lesson, turn: AgentTurn, user_acts: tuple[Act, ...], items: tuple[str, ...]
) -> Array:
    """(students,) probability of a user turn; mirrors ``kernel._Turn`` step by step, and moves ``students`` on."""
    acts = list(user_acts)
    satisfied_before, left_before = students.satisfied(), students.left
    students.charge(public_cost(lesson, turn))
    students.charge_length(turn.length)
    like = np.ones(len(students))
    argued = False
    if turn.correct is not None:
        got = _next(acts)
        like *= students.corrected(turn.correct, got, items[turn.correct], turn.correct in lesson.exposed)
        argued = got.kind == "object"
    if turn.explain is not None and not argued:
        like *= students.explained(turn.explain, turn.kind, turn.length, _next(acts), items)
    if turn.quiz is not None:
        like *= students.quizzed(turn.quiz, _next(acts), items[turn.quiz], turn.quiz in lesson.checked)
    for slot, idea in turn.asks:
        got = _next(acts)
        if idea is not None:
            like *= students.asked_about(idea, got, items[idea])
        elif slot == "open":
            like *= students.asked_openly(got, items, Act("evade", "open"))
        else:
            like *= students.asked_slot(slot, got, slot in lesson.told)
    if turn.encourage:
        here = {turn.explain} if turn.explain is not None else set()
        students.encouraged(lesson.touched | here)
    if not turn.teaches and not turn.ends:
        like *= _small_talk(students, lesson, turn, _next(acts), items)
    calm = not any(act.kind in UNSETTLING for act in user_acts)
    return like * _ending(students, lesson, turn, acts, satisfied_before, calm, left_before)


def _small_talk(
    students: Students, lesson: Lesson, turn: AgentTurn, got: Act, items: tuple[str, ...]
) -> Array:
    if turn.confirm and lesson.last is not None:
        return students.confirmed(lesson.last, got, items[lesson.last])
    if turn.confirm or turn.recap:
        return students.asked_openly(got, items, Act("nudge"))
    if turn.encourage:
        expected = "thanks"
    elif turn.puzzling:
        expected = "clarify"
    else:
        expected = "greet" if turn.pleasant and turn.greets else "nudge"
    return np.full(len(students), float(got == Act(expected)))


def _ending(
    students: Students,
    lesson: Lesson,
    turn: AgentTurn,
    acts: list[Act],
    satisfied_before: Mask,
    calm: bool,
    left_before: Ints,
) -> Array:
    """Likelihood of how the turn ends: content, gone, tired or none of these."""
    got = "".join(act.kind for act in acts)
    satisfied, left = students.satisfied(), students.left
    if turn.ends:
        return np.where(satisfied, float(got == "thanks"), float(got == "leave"))
    rests = satisfied_before & (not turn.challenges) & (lesson.turns + 1 >= CONTENT_FROM)
    done = satisfied & calm & (rests | (left <= 0))
    gone = ~done & (left <= 0)
    tired = ~done & ~gone & (left <= TIRED) & (left_before > TIRED)
    code = np.select([done, gone, tired], [0, 1, 2], 3)
    expected = {"content": 0, "leave": 1, "tired": 2, "": 3}.get(got, -1)
    return np.asarray((code == expected).astype(float))


def _next(acts: list[Act]) -> Act:
    """The next act of the user turn, taken off; an act that nobody does, if there is none."""
    return acts.pop(0) if acts else _NOTHING


def belief_trace(
    scenario: InstructionScenario, turns: Sequence[Turn], marginals: bool = True
) -> list[dict[str, Any]]:
    """The belief before the first exchange and after each: entropy in bits, and marginals if wanted."""
    return trace_of(Belief(scenario), turns, marginals)
