"""Reading: what the task's kernel makes of a dialogue that somebody else wrote.

Acts are read from the words, as in every environment; the first turn in which the user accepts or leaves is the end,
whatever was written after it; and the reward is the task's own, from persona and trace. The label under which a
dialogue was imagined is kept beside it and decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn, TurnView
from dialog_envs.core.task import Task
from dialog_envs.datasets.replay import impossible_turn
from dialog_envs.simulators.imagination.imagining import Line
from dialog_envs.simulators.users.fidelity import fidelity
from dialog_envs.simulators.users.following import Branch, Following

COUNTS = ("user_turns", "drift_turns", "untimely_turns", "unread_turns", "elicited", "volunteered")
"""What is counted of each dialogue, see :func:`dialog_envs.simulators.users.fidelity.fidelity`."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A dialogue as the kernel reads it.

    Attributes:
        turns: with acts.
        ended_by: ``accept``, ``leave``, ``agent`` (it said goodbye) or ``cap``.
        left_out: lines after the end.
        possible: whether the kernel could have produced exactly this.
        counts: :data:`COUNTS`.
    """

    turns: tuple[Turn, ...]
    ended_by: str
    left_out: int
    possible: bool
    counts: dict[str, int]

    def facts(self) -> dict[str, Any]:
        """For the episode's outcome."""
        return {"possible": self.possible, "left_out": self.left_out, **self.counts}


def read_dialogue(task: Task[Any, Any, Any], persona: Any, scenario: Any, lines: Sequence[Line]) -> Reading:
    """The acts of a dialogue, its end, and whether this persona could have said so.

    Args:
        task, persona, scenario: of the dialogue.
        lines: in turns, the user first.
    """
    turns, views = list[Turn](), list[TurnView]()
    following = Following(task, persona, scenario)
    ended_by = "cap"
    for speaker, text in lines:
        view: TurnView = {"speaker": speaker, "text": text}
        if speaker == AGENT:
            if sum(turn.speaker == AGENT for turn in turns) >= task.max_turns:
                break
            acts = task.language.understand(text, scenario, tuple(views))
        else:
            acts = task.language.read(text, scenario, tuple(views))
        turns.append(Turn(speaker, text, acts))
        views.append(view)
        if speaker == AGENT or len(turns) == 1:
            continue
        heard = turns[-2].acts
        end = _end(task, acts, following.branches(heard))
        if end is not None:
            ended_by = end
            break
        following.follow(heard, acts)
    if turns and turns[-1].speaker == AGENT:
        turns.pop()  # nobody answered
    found = tuple(turns)
    counts = fidelity(task, persona, scenario, found, ended_by)
    possible = impossible_turn(task, persona, scenario, found, ended_by) is None
    return Reading(
        found, ended_by, len(lines) - len(found), possible, {name: int(counts[name]) for name in COUNTS}
    )


def _end(task: Task[Any, Any, Any], said: tuple[Act, ...], branches: Sequence[Branch]) -> str | None:
    """Who ends the dialogue with this exchange, if anybody does: the user by what is said, or the agent, if the kernel
    takes the agent's turn for a goodbye, whatever the answer."""
    kinds = {act.kind for act in said}
    if not kinds.isdisjoint(task.act_roles.accepts):
        return "accept"
    if not kinds.isdisjoint(task.act_roles.leaves):
        return "leave"
    return "agent" if branches and all(branch.ended_by == "agent" for branch in branches) else None


def scored(
    task: Task[Any, Any, Any], persona: Any, scenario: Any, reading: Reading, scheme: str, label: bool
) -> tuple[tuple[float, ...], dict[str, Any]]:
    """Rewards and outcome of a dialogue, by the task; the label and the kernel's reading stand beside them."""
    outcome = task.score(persona, scenario, reading.turns, reading.ended_by)
    found = outcome.to_json(metrics=False)
    return outcome.rewards(scheme), found | {"label": label, "reading": reading.facts()}


def spoken(turns: Sequence[Turn]) -> tuple[Line, ...]:
    """The words of a dialogue."""
    return tuple((AGENT if turn.speaker == AGENT else USER, turn.text) for turn in turns)
