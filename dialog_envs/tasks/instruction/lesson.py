"""What both sides of a lesson know: what an agent turn does to which idea, and the public record of the talk.

Kernel and posterior share this module. A record is a function of the acts alone, so that whatever a student is charged
for having been asked before is the same for every persona that could be sitting there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.instruction.acts import KINDS, LENGTHS

COST = {
    "question": 2,
    "another question": 3,
    "asked before": 5,
    "quiz": 5,
    "quiz again": 8,
    "explanation": 4,
    "known already": 7,
    "wrong level": 5,
    "no basis": 4,
    "not the style": 1,
    "same words again": 6,
    "correction": 4,
    "no mistake there": 8,
    "overload": 8,
    "long": 5,
    "very_long": 12,
    "small": 3,
    "idle": 5,
    "not understood": 10,
}
"""Attention that things use up, in points; a turn adds up all that it does."""
TIRED = 15
"""From this much attention left on (or less), the student says that it is tired, once."""
CONTENT_FROM = 3
"""The user turn (counted from 1) from which a satisfied student ends the lesson."""
MOST_QUESTIONS = 2
"""Of more questions in a turn, only so many are answered."""


@dataclass(frozen=True, slots=True)
class AgentTurn:
    """What an agent turn does; ideas by their position in the scenario.

    Attributes:
        correct, explain, quiz: the idea corrected, explained, quizzed: one of each kind in a turn.
        kind: kind of the explanation.
        asks: questions about the student as (slot, idea), the ones that are answered.
        overload: further explanations, corrections and quizzes, and an explanation of another idea than the one
            corrected: not listened to.
        questions: how many questions about the student there are in all.
        confirm, recap, encourage, close: whether the turn does it.
        length: ``"long"``, ``"very_long"`` or ``""``.
        puzzling: it cannot be understood, or refuses.
        pleasant: it is a greeting or thanks, nothing else.
        greets: it greets.
    """

    correct: int | None = None
    explain: int | None = None
    kind: str = "plain"
    quiz: int | None = None
    asks: tuple[tuple[str, int | None], ...] = ()
    overload: int = 0
    questions: int = 0
    confirm: bool = False
    recap: bool = False
    encourage: bool = False
    close: bool = False
    length: str = ""
    puzzling: bool = False
    pleasant: bool = False
    greets: bool = False

    @property
    def teaches(self) -> bool:
        """Whether anything is to be reacted to by name: a correction, explanation, quiz or question."""
        return bool(self.asks) or not (self.correct is None and self.explain is None and self.quiz is None)

    @property
    def challenges(self) -> bool:
        """Whether it gives a satisfied student something to do, so that the lesson goes on."""
        asked = any(slot != "open" for slot, _ in self.asks)
        return asked or self.quiz is not None or self.correct is not None

    @property
    def ends(self) -> bool:
        """Whether the agent ends the lesson. "That is all. Or is something unclear?" still waits for an answer."""
        return self.close and self.quiz is None and not self.asks and not self.confirm


@lru_cache(maxsize=65_536)
def agent_turn(acts: tuple[Act, ...], items: tuple[str, ...]) -> AgentTurn:
    """What the acts of a turn do, for a concept whose ideas are ``items``. Acts about no idea of it are idle talk."""
    first: dict[str, int] = {}
    kind, extra = "plain", 0
    for act in dict.fromkeys(acts):
        if act.kind not in ("correct", "explain", "quiz") or act.item not in items:
            continue
        if act.kind in first:
            extra += 1
            continue
        first[act.kind] = items.index(act.item)
        if act.kind == "explain" and act.value in KINDS:
            kind = act.value
    if "correct" in first and first.get("explain", first["correct"]) != first["correct"]:
        del first["explain"]
        extra += 1
    asks = _questions(acts, items)
    kinds = {act.kind for act in acts}
    return AgentTurn(
        first.get("correct"),
        first.get("explain"),
        kind,
        first.get("quiz"),
        asks[:MOST_QUESTIONS],
        extra,
        len(asks),
        "confirm" in kinds,
        "recap" in kinds,
        "encourage" in kinds,
        "close" in kinds,
        next((act.value for act in acts if act.kind == "lengthy" and act.value in LENGTHS), "") or "",
        not kinds or bool(kinds & {"unknown", "refuse"}),
        bool(kinds) and kinds <= {"greet", "acknowledge"},
        "greet" in kinds,
    )


def _questions(acts: tuple[Act, ...], items: tuple[str, ...]) -> tuple[tuple[str, int | None], ...]:
    """Questions about the student, each once; one about no idea of the concept is an open one."""
    found: list[tuple[str, int | None]] = []
    for act in acts:
        if act.kind != "ask":
            continue
        if act.slot in ("background", "style"):
            found.append((act.slot, None))
        elif act.slot == "idea" and act.item in items:
            found.append(("idea", items.index(act.item)))
        else:
            found.append(("open", None))
    return tuple(dict.fromkeys(found))


_NONE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Lesson:
    """The record of a lesson so far: a function of the acts of both sides. Ideas by their position.

    Attributes:
        turns: user turns.
        told: slots (background, style) that the student has answered.
        asked: ideas that the student was asked to judge.
        checked: ideas that were quizzed.
        right, gaps: ideas whose last quiz was answered right; and those answered "no idea" and not explained since.
        exposed: ideas on which the student has voiced a misconception.
        touched: ideas explained or shown right: what encouragement can reach.
        heard: (idea, kind) of explanations given.
        last: the idea explained last.
        greeted, encouraged: whether the free pleasantry is used; whether encouraged since the last explanation or quiz.
    """

    turns: int = 0
    told: frozenset[str] = frozenset()
    asked: frozenset[int] = _NONE
    checked: frozenset[int] = _NONE
    right: frozenset[int] = _NONE
    gaps: frozenset[int] = _NONE
    exposed: frozenset[int] = _NONE
    touched: frozenset[int] = _NONE
    heard: frozenset[tuple[int, str]] = frozenset()
    last: int | None = None
    greeted: bool = False
    encouraged: bool = False

    def after(self, turn: AgentTurn, user_acts: tuple[Act, ...], items: tuple[str, ...]) -> Lesson:
        """The record after an exchange."""
        taught, quizzed = _one(turn.explain), _one(turn.quiz)
        shown, voiced, told = None, _NONE, self.told
        for act in user_acts:
            if act.kind == "show":
                shown = act.value
            elif act.kind == "object" and act.item in items:
                voiced = _one(items.index(act.item))
            elif act.kind == "answer" and act.slot is not None:
                told = told | {act.slot}
        right = quizzed if shown == "right" else _NONE
        gap = quizzed if shown == "gap" else _NONE
        mistaken = quizzed if shown == "misconception" else _NONE
        judged = [i for slot, i in turn.asks if slot == "idea" and i is not None] if turn.asks else []
        return Lesson(
            turns=self.turns + 1,
            told=told,
            asked=self.asked.union(judged) if judged else self.asked,
            checked=self.checked | quizzed,
            right=self.right - quizzed | right,
            gaps=self.gaps - taught - quizzed | gap,
            exposed=self.exposed | voiced | mistaken,
            touched=self.touched | taught | right,
            heard=self.heard if turn.explain is None else self.heard | {(turn.explain, turn.kind)},
            last=self.last if turn.explain is None else turn.explain,
            greeted=self.greeted or turn.pleasant,
            encouraged=turn.encourage or (self.encouraged and turn.explain is None and turn.quiz is None),
        )


def _one(idea: int | None) -> frozenset[int]:
    return _NONE if idea is None else frozenset((idea,))


def public_cost(lesson: Lesson, turn: AgentTurn) -> int:
    """Attention that a turn uses up whoever the student is."""
    total = COST["overload"] * turn.overload
    if turn.questions:
        total += COST["question"] + COST["another question"] * (turn.questions - 1)
        for slot, idea in turn.asks:
            if slot in lesson.told or (slot == "idea" and idea in lesson.asked):
                total += COST["asked before"]
    if turn.quiz is not None:
        again = turn.quiz in lesson.right or turn.quiz in lesson.gaps
        total += COST["quiz again" if again else "quiz"]
    if turn.correct is not None:
        total += COST["correction"]
    if turn.explain is not None:
        total += COST["explanation"]
        if (turn.explain, turn.kind) in lesson.heard:
            total += COST["same words again"]
    if turn.teaches:
        return total
    if turn.confirm or turn.recap:
        return total + COST["small"]
    if turn.encourage:
        return total + COST["idle" if lesson.encouraged else "small"]
    if turn.puzzling:
        return total + COST["not understood"]
    if turn.close or (turn.pleasant and not lesson.greeted):
        return total
    return total + COST["idle"]
