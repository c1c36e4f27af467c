"""What an agent can know from the text alone: who the student seems to be, and how it stands with each idea.

Reads the brief and the words, never the scenario's or the persona's records. Learned agents see a summary of it as a
note before each of their turns (:mod:`dialog_envs.tasks.instruction.view`); scripted policies use it directly.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field

from dialog_envs.core.dialogue import AGENT, Act, TurnView
from dialog_envs.tasks.instruction.acts import KINDS
from dialog_envs.tasks.instruction.language.reading import read
from dialog_envs.tasks.instruction.language.understanding import understand
from dialog_envs.tasks.instruction.lesson import agent_turn
from dialog_envs.tasks.instruction.scenario import InstructionScenario, scenario_from_brief

OPEN, SAYS, GAP, MISC, TOLD, RIGHT = "open", "says", "gap", "misc", "told", "right"
"""Marks of an idea: nothing heard; "I know that", untested; not known, as the student said or showed; a misconception
showed; explained, and the student followed; a quiz answered right."""


@dataclass
class Tracker:
    """How a lesson stands, as read from the dialogue.

    Attributes:
        scenario: what the brief describes.
        background, style: what the student answered, if so.
        marks: idea → its mark.
        failed: idea → kinds of explanation that it was not understood in.
        unsuited: kinds that failed, on any idea.
        worked: the kind that last was understood at once.
        evaded: slots that were asked about without an answer.
        tired, satisfied, too_long: whether the student said so.
        encouraged: whether the agent has encouraged since it last explained or quizzed.
        heard: user turns so far.
    """

    scenario: InstructionScenario
    background: str | None = None
    style: str | None = None
    marks: dict[str, str] = field(default_factory=dict)
    failed: dict[str, set[str]] = field(default_factory=dict)
    unsuited: set[str] = field(default_factory=set)
    worked: str | None = None
    evaded: set[str] = field(default_factory=set)
    tired: bool = False
    satisfied: bool = False
    too_long: bool = False
    encouraged: bool = False
    heard: int = 0

    def __post_init__(self) -> None:
        self.marks = self.marks or dict.fromkeys(self.scenario.items, OPEN)

    def copy(self) -> Tracker:
        """Another one that stands where this one stands."""
        twin = copy(self)
        twin.marks = dict(self.marks)
        twin.failed = {item: set(kinds) for item, kinds in self.failed.items()}
        twin.unsuited, twin.evaded = set(self.unsuited), set(self.evaded)
        return twin

    def hear(self, agent_acts: Sequence[Act], user_acts: Sequence[Act]) -> None:
        """Take in one exchange."""
        self.heard += 1
        turn = agent_turn(tuple(agent_acts), self.scenario.items)
        explained = self.scenario.items[turn.explain] if turn.explain is not None else None
        self.encouraged = turn.encourage or (self.encouraged and explained is None and turn.quiz is None)
        for act in user_acts:
            if act.kind == "answer" and act.slot in ("background", "style"):
                setattr(self, act.slot, act.value)
            elif act.kind == "evade" and act.slot:
                self.evaded.add(act.slot)
            elif act.kind == "tired":
                self.tired = True
            elif act.kind == "claim" and act.item is None:
                self.satisfied = True
            elif act.kind == "puzzled":
                self._puzzled(act, explained, turn.kind)
            elif act.item in self.marks:
                self._about(act, act.item, explained, turn.kind)

    def _about(self, act: Act, item: str, explained: str | None, kind: str) -> None:
        """What the student did about an idea by name."""
        mark = self.marks[item]
        if act.kind == "show":
            self.marks[item] = {"right": RIGHT, "gap": GAP}.get(act.value or "", MISC)
        elif act.kind == "object":
            self.marks[item] = MISC
        elif act.kind == "insight":
            self.marks[item] = GAP
        elif act.kind == "follow":
            if item == explained and mark != MISC:
                self.marks[item] = mark if mark == RIGHT else TOLD
                if not self.failed.get(item):
                    self.worked = kind
        elif act.kind == "claim":
            if act.value == "unknown":
                self.marks[item] = GAP
            elif act.value == "known" and mark in (OPEN, SAYS, GAP):
                self.marks[item] = SAYS

    def _puzzled(self, act: Act, explained: str | None, kind: str) -> None:
        """An explanation did not work."""
        if explained is not None and self.marks[explained] != MISC:
            self.marks[explained] = GAP
        if act.slot == "basis" and act.item in self.marks:
            if self.marks[act.item] != MISC:
                self.marks[act.item] = GAP
        elif act.slot == "long":
            self.too_long = True
        elif explained is not None:
            self.failed.setdefault(explained, set()).add(kind)
            self.unsuited.add(kind)
            self.worked = None if self.worked == kind else self.worked
        elif act.item in self.marks and self.marks[act.item] == TOLD:
            self.marks[act.item] = GAP

    def ready(self, item: str) -> bool:
        """Whether all that an idea rests on seems to be known, or has not been looked at."""
        scenario = self.scenario
        return all(
            self.marks[scenario.items[need]] not in (GAP, MISC)
            for need in scenario.needs[scenario.index[item]]
        )

    def marked(self, *marks: str) -> list[str]:
        """Ideas with one of these marks, in teaching order."""
        return [item for item, mark in self.marks.items() if mark in marks]

    def fitting(self) -> tuple[str, ...]:
        """Kinds of explanation that are not above or below the student, by what it said about itself."""
        if self.background == "child":
            return ("analogy", "example", "plain")
        if self.background == "professional":
            return ("technical", "example", "plain")
        return ("example", "plain", "analogy", "technical")

    def best_kind(self, item: str) -> str:
        """The kind of explanation that an idea is most likely to be understood in."""
        failed = self.failed.get(item, set())
        for kind in (self.style, self.worked):
            if kind in KINDS and kind not in failed:
                return kind
        suitable = [kind for kind in self.fitting() if kind not in failed]
        fresh = [kind for kind in suitable if kind not in self.unsuited]
        return (fresh or suitable or ["plain"])[0]


class Follower:
    """Reads a dialogue turn by turn, as an agent that sees only text.

    Attributes:
        scenario: what the brief describes.
        tracker: how the lesson stands.
        exchanges: (agent acts, user acts) as read, one a complete exchange.
        user_acts: what the user did last.
    """

    def __init__(self, brief: str) -> None:
        """Raises :class:`dialog_envs.errors.UsageError` if the brief is none of this task."""
        self.scenario = scenario_from_brief(brief)
        self.tracker = Tracker(self.scenario)
        self.exchanges: list[tuple[tuple[Act, ...], tuple[Act, ...]]] = []
        self.user_acts: tuple[Act, ...] = ()
        self._agent_acts: tuple[Act, ...] | None = None
        self._seen = 0

    def copy(self) -> Follower:
        """A reader that has read the same, and goes on by itself."""
        twin = copy(self)
        twin.tracker = self.tracker.copy()
        twin.exchanges = list(self.exchanges)
        return twin

    def catch_up(self, dialogue: Sequence[TurnView]) -> None:
        """Read the turns that were not read yet."""
        for i in range(self._seen, len(dialogue)):
            turn = dialogue[i]
            if turn["speaker"] == AGENT:
                self._agent_acts = understand(turn["text"], self.scenario, dialogue[:i])
            elif self._agent_acts is not None:
                self.hear(self._agent_acts, read(turn["text"], self.scenario, dialogue[:i]))
        self._seen = len(dialogue)

    def hear(self, agent_acts: tuple[Act, ...], user_acts: tuple[Act, ...]) -> None:
        """Take in one exchange, read already."""
        self.user_acts = user_acts
        self.tracker.hear(agent_acts, user_acts)
        self.exchanges.append((agent_acts, user_acts))
