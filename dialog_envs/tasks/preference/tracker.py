"""What an agent can know from the text alone: the user's wishes so far, and how the activities rank by them.

Reads the brief and the words, never the scenario's or the persona's records. Learned agents see a summary of it as a
note before each of their turns (:mod:`dialog_envs.tasks.preference.view`); the heuristic agent uses it directly.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace

from dialog_envs.core.dialogue import AGENT, Act, TurnView
from dialog_envs.tasks.preference.catalogue import Item
from dialog_envs.tasks.preference.language.reading import read
from dialog_envs.tasks.preference.language.understanding import understand
from dialog_envs.tasks.preference.persona import HARD, NO_PREFERENCE, SLOTS, SOFT
from dialog_envs.tasks.preference.scenario import scenario_from_brief
from dialog_envs.tasks.preference.utility import WEIGHTS, breaks, match

FIRST_BONUS = 2.0
"""Extra weight for what the user named first without being asked for it by name: it is what matters most."""


@dataclass
class Tracker:
    """Wishes and refusals, as read from a dialogue.

    Attributes:
        activities: what the brief lists, with their attributes.
        wishes: slot → value, the latest word on each; "no preference" included.
        evaded: slots that were asked about without an answer.
        refused: ids of refused activities.
        pondered: ids of activities the user liked without deciding, the latest last.
        foremost: the slot that an open question or the user's own word put first.
        overwhelmed: whether the user has complained of too much at once.
        heard: user turns so far.
    """

    activities: Sequence[Item]
    wishes: dict[str, str] = field(default_factory=dict)
    evaded: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    pondered: list[str] = field(default_factory=list)
    foremost: str | None = None
    overwhelmed: bool = False
    heard: int = 0

    def hear(self, agent_acts: Sequence[Act], user_acts: Sequence[Act]) -> None:
        """Take in one exchange."""
        self.heard += 1
        asked = {act.slot for act in agent_acts if act.kind == "ask"}
        for act in user_acts:
            if (
                act.kind in ("answer", "volunteer", "told", "change", "reject")
                and act.slot in SLOTS
                and act.value
            ):
                self.wishes[act.slot] = act.value
                self.evaded.discard(act.slot)
                unprompted = act.slot not in asked and act.kind in ("answer", "volunteer")
                if self.foremost is None and unprompted and act.slot in SOFT:
                    self.foremost = act.slot
            if act.kind == "evade" and act.slot:
                self.evaded.add(act.slot)
            if act.kind == "reject" and act.item:
                self.refused.add(act.item)
            if act.kind == "hesitate" and act.item:
                self.pondered.append(act.item)
            if act.kind == "change":
                self.refused.clear()
            if act.kind == "overwhelmed":
                self.overwhelmed = True

    def score(self, activity: Item) -> float:
        """Agreement with the wishes: weighted matches, minus 10 for each limit that is broken."""
        total = 0.0
        for slot, value in self.wishes.items():
            if value == NO_PREFERENCE[slot]:
                continue
            if slot in HARD:
                total -= 10.0 * breaks(activity, slot, value)
            else:
                weight = WEIGHTS[slot] + (FIRST_BONUS if slot == self.foremost else 0.0)
                total += weight * match(activity, slot, value)
        return total

    def ranking(self) -> list[tuple[str, float]]:
        """(id, score) of all activities, the best first; refused ones last, a pondered one first."""
        rows = [(entry.id, self.score(entry)) for entry in self.activities]
        pondered = self.pondered[-1] if self.pondered and self.pondered[-1] not in self.refused else None

        def place(row: tuple[str, float]) -> tuple[bool, bool, float]:
            return (row[0] in self.refused, row[0] != pondered, -row[1])

        return sorted(rows, key=place)

    def leaders(self) -> int:
        """How many activities share the best score (refused ones left out)."""
        scores = [self.score(entry) for entry in self.activities if entry.id not in self.refused]
        return sum(score >= max(scores) - 1e-9 for score in scores) if scores else 0


class Follower:
    """Reads a dialogue turn by turn, as an agent that sees only text.

    Attributes:
        scenario: what the brief describes.
        tracker: wishes so far.
        exchanges: (agent acts, user acts) as read, one a complete exchange.
        user_acts: what the user did last.
    """

    def __init__(self, brief: str) -> None:
        """Raises :class:`dialog_envs.errors.UsageError` if the brief is none of this task."""
        self.scenario = scenario_from_brief(brief)
        self.tracker = Tracker(self.scenario.activities)
        self.exchanges: list[tuple[tuple[Act, ...], tuple[Act, ...]]] = []
        self.user_acts: tuple[Act, ...] = ()
        self._agent_acts: tuple[Act, ...] | None = None
        self._seen = 0

    def copy(self) -> Follower:
        """A reader that has read the same, and goes on by itself."""
        twin, tracker = copy(self), self.tracker
        twin.tracker = replace(
            tracker,
            wishes=dict(tracker.wishes),
            evaded=set(tracker.evaded),
            refused=set(tracker.refused),
            pondered=list(tracker.pondered),
        )
        twin.exchanges = list(self.exchanges)
        return twin

    def catch_up(self, dialogue: Sequence[TurnView]) -> None:
        """Read the turns that were not read yet."""
        for i in range(self._seen, len(dialogue)):
            turn = dialogue[i]
            if turn["speaker"] == AGENT:
                self._agent_acts = understand(turn["text"], self.scenario, dialogue[:i])
                continue
            self.user_acts = read(turn["text"], self.scenario, dialogue[:i])
            self.tracker.hear(self._agent_acts or (), self.user_acts)
            if self._agent_acts is not None:
                self.exchanges.append((self._agent_acts, self.user_acts))
        self._seen = len(dialogue)
