"""Does a dataset hold what a better policy than any of its own would need?

An offline learner that stitches (ILQL, CQL …) follows one dialogue to a situation, and another one from there. That
needs every step of a good dialogue, *this situation, then this move*, somewhere in the data, but not all of them in one
dialogue. So: play a good policy, cut its dialogues into steps, and look each step up.

**Step.** What stood before an agent turn, and what the agent then did, both without names:

- *known*: which of the things that an agent can ask about were told or evaded, and of everything else that the user
  has spoken of (activities, ideas, objections, kinds of appeal) how the user spoke of it last, counted:
  ``told crowd, theme; 1 reject``;
- *reply*: the kinds of acts of the user's last turn: ``hesitate``;
- *move*: the agent's acts; a thing that can be asked about keeps its name, any other becomes what the user said of it
  last (``explain(puzzled)``), ``again`` if only the agent has spoken of it, else ``new``; a value counts as ``told`` if
  it is one that the user has told: ``suggest(new)``, ``ask(crowd)``, ``appeal(warm)``.

Three levels of "the same": ``situation`` compares (known, reply, move); ``reply`` only (reply, move), two turns in a
row; ``act`` (reply, act) for each act of the move by itself, which a learner would have to put together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dialog_envs.core.dialogue import AGENT, Act
from dialog_envs.core.task import ActRoles
from dialog_envs.datasets.schema import Episode

LEVELS = ("situation", "reply", "act")
"""How much must be the same for two steps to be the same one, the strictest first."""
ENOUGH = 5
"""Dialogues that hold a step often enough to learn from."""
MOST_ROWS = 25
"""Steps that a table lists."""
JOIN = " + "
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A step without names: see the module's text."""

    known: str
    reply: str
    move: str

    def keys(self, level: str) -> tuple[Key, ...]:
        """What must be in the data at a level of :data:`LEVELS` for the step to be there: all of it."""
        if level == "situation":
            return ((self.known, self.reply, self.move),)
        if level == "reply":
            return ((self.reply, self.move),)
        return tuple((self.reply, act) for act in dict.fromkeys(self.move.split(JOIN)))


@dataclass(frozen=True, slots=True)
class Held:
    """What a dataset holds of one dialogue of the reference, at one level.

    Attributes:
        persona: whom the reference talked with.
        counts: of each step, how many dialogues of the dataset hold it.
        whole: whether one dialogue of the dataset holds all of them.
    """

    persona: str
    counts: tuple[int, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class LevelCoverage:
    """Coverage at one level.

    Attributes:
        level: one of :data:`LEVELS`.
        different: different steps (of level ``act``: pairs of reply and act) in the dataset.
        covered: share of the reference's steps that some dialogue holds.
        often: share that at least :data:`ENOUGH` dialogues hold.
        stitched: share of the reference's dialogues of which every step is in some dialogue.
        whole: share of them of which one dialogue holds every step: what could be had without stitching.
        held: the same, dialogue by dialogue of the reference.
    """

    level: str
    different: int
    covered: float
    often: float
    stitched: float
    whole: float
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of the reference.

    Attributes:
        step: the step.
        used: how often the reference takes it.
        dialogues: level → dialogues of the dataset that hold it.
        reward: mean reward of those that hold it at level ``situation``; ``None`` where there is none.
    """

    step: Step
    used: int
    dialogues: dict[str, int]
    reward: float | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far a dataset holds the steps of a reference policy's successful dialogues.

    Attributes:
        policy: the reference.
        played: dialogues that it played.
        success: share of them that succeeded; only these count below.
        steps: agent turns in them.
        levels: the coverage at each level; empty if no dialogue succeeded.
        rows: the reference's most frequent steps, at most :data:`MOST_ROWS`.
    """

    policy: str
    played: int
    success: float
    steps: int
    levels: tuple[LevelCoverage, ...]
    rows: tuple[StepRow, ...]


@dataclass(slots=True)
class _Memory:
    """What has been said of what, in one dialogue."""

    roles: ActRoles
    askable: frozenset[str]
    asked: dict[str, str] = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)
    values: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    reply: str = "-"

    def step(self, acts: Sequence[Act]) -> Step:
        """The step that an agent turn is."""
        states: dict[str, list[str]] = defaultdict(list)
        for slot, state in self.asked.items():
            states[state].append(slot)
        parts = [f"{state} {', '.join(sorted(states[state]))}" for state in sorted(states, reverse=True)]
        parts += [f"{number} {state}" for state, number in sorted(Counter(self.things.values()).items())]
        move = JOIN.join(sorted(self.move(act) for act in acts)) or "-"
        for act in acts:
            self.named.update(name for name in (act.slot, act.item) if name)
        return Step("; ".join(parts) or "nothing", self.reply, move)

    def move(self, act: Act) -> str:
        """An agent act without names."""
        inside = []
        if act.slot:
            inside.append(act.slot if act.slot in self.askable else self.state(act.slot))
        if act.item:
            inside.append(self.state(act.item))
        if act.value:
            if act.value in self.values:
                inside.append("as told")
            elif not act.slot and not act.item:
                inside.append(act.value)
        return f"{act.kind}({', '.join(inside)})" if inside else act.kind

    def state(self, name: str) -> str:
        """What became of a thing: what the user said of it last, or who has spoken of it."""
        return self.things.get(name) or ("again" if name in self.named else "new")

    def hear(self, acts: Sequence[Act]) -> None:
        """Take in a user turn."""
        for act in acts:
            if act.slot in self.askable:
                is_told = self.roles.subject(act) == act.slot or act.value is not None
                if is_told or act.slot not in self.asked:
                    self.asked[str(act.slot)] = "told" if is_told else "evaded"
            elif act.slot:
                self.things[act.slot] = act.kind
            if act.item:
                self.things[act.item] = f"{act.kind} {act.value}" if act.value and not act.slot else act.kind
            if act.value and act.slot:
                self.values.add(act.value)
        self.reply = JOIN.join(sorted({act.kind for act in acts})) or "-"


def askable(episodes: Iterable[Episode], roles: ActRoles) -> frozenset[str]:
    """Slots that agents ask about in some dialogues."""
    return frozenset(
        act.slot
        for episode in episodes
        for turn in episode.turns
        if turn.speaker == AGENT
        for act in turn.acts
        if act.slot and act.kind in roles.asks
    )


def steps(episode: Episode, roles: ActRoles, slots: frozenset[str]) -> list[Step]:
    """The steps of a dialogue, one an agent turn.

    Args:
        episode: the dialogue, with acts.
        roles: what the task's acts are for.
        slots: what can be asked about (:func:`askable`).
    """
    memory = _Memory(roles, slots)
    found = []
    for i, turn in enumerate(episode.turns):
        if turn.speaker == AGENT:
            found.append(memory.step(turn.acts))
        elif i:  # the opening tells nothing
            memory.hear(turn.acts)
    return found


def coverage(
    episodes: Sequence[Episode], reference: Sequence[Episode], roles: ActRoles, policy: str = ""
) -> Coverage:
    """Look the steps of a good policy up in a dataset.

    Args:
        episodes: the dataset.
        reference: dialogues of the good policy; those that failed count for nothing.
        roles: what the task's acts are for.
        policy: the good policy's name.
    """
    slots = askable([*episodes, *reference], roles)
    rows = [steps(episode, roles, slots) for episode in episodes]
    won = [one for one in reference if one.outcome["success"]]
    good, people = [steps(one, roles, slots) for one in won], [one.persona_key for one in won]
    levels, where = [], {}
    for level in LEVELS if good else ():
        where[level] = index = _index(rows, level)
        levels.append(_at_level(level, index, good, people))
    used = Counter(step for one in good for step in one)
    return Coverage(
        policy=policy,
        played=len(reference),
        success=len(good) / max(len(reference), 1),
        steps=sum(map(len, good)),
        levels=tuple(levels),
        rows=tuple(
            _row(step, number, where, [episode.reward for episode in episodes])
            for step, number in sorted(used.items(), key=lambda item: -item[1])[:MOST_ROWS]
        ),
    )


def _index(rows: Sequence[Sequence[Step]], level: str) -> dict[Key, set[int]]:
    """Key → numbers of the dialogues that hold it."""
    found: dict[Key, set[int]] = defaultdict(set)
    for i, row in enumerate(rows):
        for step in row:
            for key in step.keys(level):
                found[key].add(i)
    return found


def _holding(index: dict[Key, set[int]], step: Step, level: str) -> set[int]:
    """The dialogues that hold a step; one of several acts may be spread over dialogues, and then the rarest counts."""
    return min((index.get(key, set()) for key in step.keys(level)), key=len)


def _at_level(
    level: str, index: dict[Key, set[int]], good: Sequence[Sequence[Step]], people: Sequence[str]
) -> LevelCoverage:
    held = tuple(_held(level, index, one, persona) for one, persona in zip(good, people, strict=True))
    counts = [count for one in held for count in one.counts]
    return LevelCoverage(
        level=level,
        different=len(index),
        covered=sum(count > 0 for count in counts) / len(counts),
        often=sum(count >= ENOUGH for count in counts) / len(counts),
        stitched=sum(all(one.counts) for one in held) / len(held),
        whole=sum(one.whole for one in held) / len(held),
        held=held,
    )


def _held(level: str, index: dict[Key, set[int]], one: Sequence[Step], persona: str) -> Held:
    all_of_it = set.intersection(*(index.get(key, set()) for step in one for key in step.keys(level)))
    return Held(persona, tuple(len(_holding(index, step, level)) for step in one), bool(all_of_it))


def _row(step: Step, used: int, where: dict[str, dict[Key, set[int]]], rewards: Sequence[float]) -> StepRow:
    held = {level: _holding(index, step, level) for level, index in where.items()}
    exact = held["situation"]
    return StepRow(
        step=step,
        used=used,
        dialogues={level: len(found) for level, found in held.items()},
        reward=sum(rewards[i] for i in exact) / len(exact) if exact else None,
    )
