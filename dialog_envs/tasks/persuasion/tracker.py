"""What an agent can know from the text alone: what the person has said, and what has been tried.

Reads the brief and the words, never the scenario's or the persona's records. Learned agents see a summary of it as a
note before each of their turns (:mod:`dialog_envs.tasks.persuasion.view`); the scripted policies use it directly.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace

from dialog_envs.core.dialogue import AGENT, Act, TurnView
from dialog_envs.tasks.persuasion.dynamics import SUPPORT, appeal_of
from dialog_envs.tasks.persuasion.language.reading import read
from dialog_envs.tasks.persuasion.language.understanding import understand
from dialog_envs.tasks.persuasion.scenario import scenario_from_brief

Exchange = tuple[tuple[Act, ...], tuple[Act, ...]]


@dataclass
class Tracker:
    """Where the talk stands, as read from it.

    Attributes:
        told: values, means and experience, as far as the person has said them.
        evaded: questions that brought no answer, and have not since.
        objections: objections named so far, in order; ``hidden`` those of them that stood behind another.
        met: objections that the person called answered.
        clear: whether the person has said that nothing (more) is in the way.
        doubts: facts asked for and not given yet.
        informed: facts given.
        appealed: (strategy, value) of the appeals so far.
        warm, cool: strategies that went down well, or badly.
        refusals: requests refused.
        promised, agreed, bristled: what the person has done.
        offered: the band last on the table (after a counteroffer: theirs).
        heard: user turns that answered the agent.
    """

    told: dict[str, str] = field(default_factory=dict)
    evaded: set[str] = field(default_factory=set)
    objections: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    met: set[str] = field(default_factory=set)
    clear: bool = False
    doubts: list[str] = field(default_factory=list)
    informed: list[str] = field(default_factory=list)
    appealed: list[tuple[str, str | None]] = field(default_factory=list)
    warm: list[str] = field(default_factory=list)
    cool: list[str] = field(default_factory=list)
    refusals: int = 0
    promised: bool = False
    agreed: bool = False
    bristled: bool = False
    offered: str | None = None
    heard: int = 0

    def hear(self, agent_acts: Sequence[Act], user_acts: Sequence[Act]) -> None:
        """Take in one exchange."""
        self.heard += 1
        for act in agent_acts:
            if act.kind == "inform" and act.slot and act.slot not in self.informed:
                self.informed.append(act.slot)
            elif act.kind == "propose" and act.value:
                self.offered = act.value
        strategy, value, _ = appeal_of(agent_acts)
        if strategy is not None:
            self.appealed.append((strategy, value))
        self.doubts = [fact for fact in self.doubts if fact not in self.informed]
        for act in user_acts:
            self._take(act)

    def _take(self, act: Act) -> None:
        kind, slot, value = act.kind, act.slot, act.value
        if kind in ("answer", "told") and slot in ("values", "means", "experience") and value:
            self.told[slot] = value
            self.evaded -= {slot, "open"}
        elif kind == "answer" and slot == "concern":
            self.clear = True
            self.evaded.discard("concern")
        elif kind == "evade" and slot:
            self.evaded.add(slot)
        elif kind in ("object", "reveal") and slot:
            self._object(slot, kind == "reveal")
        elif kind == "resolved" and slot in SUPPORT:
            self.met.add(slot)
        elif kind in ("warm", "cool") and slot:
            ours, others = (self.warm, self.cool) if kind == "warm" else (self.cool, self.warm)
            ours += [slot] if slot not in ours else []
            others[:] = [name for name in others if name != slot]
        elif kind == "doubt" and slot and slot not in self.informed and slot not in self.doubts:
            self.doubts.append(slot)
        elif kind == "counteroffer" and value:
            self.offered = value
        self.refusals += kind in ("decline", "doubt")
        self.promised |= kind == "promise"
        self.agreed |= kind == "agree"
        self.bristled |= kind == "bristle"

    def _object(self, slot: str, hidden: bool) -> None:
        self.clear = False
        self.evaded.discard("concern")
        self.met.discard(slot)
        if slot not in self.objections:
            self.objections.append(slot)
        if hidden:
            self.hidden.add(slot)

    @property
    def open_objections(self) -> list[str]:
        """Named and not met, the earliest first."""
        return [slot for slot in self.objections if slot not in self.met]


class Follower:
    """Reads a dialogue turn by turn, as an agent that sees only text.

    Attributes:
        scenario: what the brief describes.
        tracker: where the talk stands.
        exchanges: (agent acts, user acts) as read, one a complete exchange.
        user_acts: what the user did last.
    """

    def __init__(self, brief: str) -> None:
        """Raises :class:`dialog_envs.errors.UsageError` if the brief is none of this task."""
        self.scenario = scenario_from_brief(brief)
        self.tracker = Tracker()
        self.exchanges: list[Exchange] = []
        self.user_acts: tuple[Act, ...] = ()
        self._agent_acts: tuple[Act, ...] | None = None
        self._seen = 0

    def copy(self) -> Follower:
        """A reader that has read the same, and goes on by itself."""
        twin, known = copy(self), self.tracker
        twin.tracker = replace(
            known, told=dict(known.told), evaded=set(known.evaded), objections=list(known.objections),
            hidden=set(known.hidden), met=set(known.met), doubts=list(known.doubts), informed=list(known.informed),
            appealed=list(known.appealed), warm=list(known.warm), cool=list(known.cool),
        )  # fmt: skip
        twin.exchanges = list(self.exchanges)
        return twin

    def catch_up(self, dialogue: Sequence[TurnView]) -> None:
        """Read the turns that were not read yet."""
        for i in range(self._seen, len(dialogue)):
            turn = dialogue[i]
            if turn["speaker"] == AGENT:
                self._agent_acts = understand(turn["text"], self.scenario, dialogue[:i])
                continue
            user_acts = read(turn["text"], self.scenario, dialogue[:i])
            if self._agent_acts is None:
                self.user_acts = user_acts
            else:
                self.take_in(self._agent_acts, user_acts)
        self._seen = len(dialogue)

    def take_in(self, agent_acts: tuple[Act, ...], user_acts: tuple[Act, ...]) -> None:
        """Take in one exchange that is read already."""
        self.user_acts = user_acts
        self.tracker.hear(agent_acts, user_acts)
        self.exchanges.append((agent_acts, user_acts))
