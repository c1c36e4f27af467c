"""The critique: criteria that a dialogue must meet to be worth learning from.

Each criterion is a pure function of an episode. The first two are the paper's (what is hidden comes out gradually; the
end fits the outcome), in a form that code can decide because every turn carries its acts; the others keep out dialogues
that go round in circles or hold nothing to learn.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from dialog_envs.core.dialogue import AGENT, USER, Turn
from dialog_envs.datasets.schema import Criterion, Critique, Episode

TOO_MUCH = 4
"""Attributes told in one turn, or volunteered in all, from which a user gives everything away."""
REPEATED = 3
"""Times that the agent may not say the same."""
DISCLOSING = frozenset(("answer", "volunteer", "change", "reject"))
"""User acts that tell something new about the persona, if they name an attribute and a value."""
TELLING = frozenset(("ask", "suggest"))
"""Agent acts whose effect on the user can be learned from."""
LOST = frozenset(("unknown", "refuse"))
"""Agent acts that say nothing a user can answer."""

_LETTERS = re.compile(r"\W+")

Rule = Callable[[Episode], str | None]
"""An episode → why it fails the criterion, or ``None`` if it meets it."""


def gradual(episode: Episode) -> str | None:
    """What is hidden comes out gradually: not all in one turn, and not mostly unasked."""
    volunteered: set[str] = set()
    elicited: set[str] = set()
    for i, turn in enumerate(episode.turns):
        if turn.speaker != USER:
            continue
        told = [act for act in turn.acts if act.kind in DISCLOSING and act.slot and act.value]
        if len({act.slot for act in told}) >= TOO_MUCH:
            return f"turn {i + 1} tells {', '.join(str(act.slot) for act in told)} at once"
        for act in told:
            (volunteered if act.kind == "volunteer" else elicited).add(str(act.slot))
    if len(volunteered) >= TOO_MUCH and len(volunteered) > len(elicited):
        return (
            f"{len(volunteered)} attributes come unasked, and {len(elicited)} because of what the agent said"
        )
    return None


def fitting_end(episode: Episode) -> str | None:
    """The end fits the outcome. Accepting with a reward of 0 is legitimate: the user settled for something else."""
    ended_by, success = episode.outcome["ended_by"], episode.outcome["success"]
    last = episode.turns[-1] if episode.turns else None
    if last is None or last.speaker != USER or not last.text.strip():
        return "the user does not have the last word"
    kinds = {act.kind for act in last.acts}
    accepted, left = "accept" in kinds, "leave" in kinds
    if accepted != (ended_by == "accept"):
        return f"the user {'accepts' if accepted else 'accepts nothing'}, and the episode is ended by '{ended_by}'"
    if left != (ended_by in ("leave", "agent")):
        return f"the user {'leaves' if left else 'stays'}, and the episode is ended by '{ended_by}'"
    if success and not accepted:
        return "it counts as a success, and the user accepted nothing"
    if any(
        act.kind in ("accept", "leave")
        for turn in episode.turns[:-1]
        if turn.speaker == USER
        for act in turn.acts
    ):
        return "the user had accepted or left before the end"
    return None


def no_loops(episode: Episode) -> str | None:
    """The agent does not say the same again and again, in the same words or others, nor goes back and forth."""
    texts = agent_texts(episode)
    for said in (texts, agent_acts(episode)):
        for what, times in Counter(said).most_common(1):
            if times >= REPEATED:
                return f"the agent says {what[:60]!r} {times} times"
    if looped(texts):
        return "the agent goes back and forth between two sentences"
    return None


def learnable(episode: Episode) -> str | None:
    """There is something to learn: the agent asks or suggests, and is mostly understood."""
    acts = [turn.acts for turn in episode.turns if turn.speaker == AGENT]
    if not acts:
        return "the agent does not speak"
    if not any(act.kind in TELLING for turn in acts for act in turn):
        return "the agent neither asks nor suggests anything"
    lost = sum(all(act.kind in LOST for act in turn) for turn in acts)
    if 2 * lost > len(acts):
        return f"{lost} of {len(acts)} agent turns say nothing that can be understood"
    return None


CRITERIA: dict[str, Rule] = {
    "gradual": gradual,
    "fitting-end": fitting_end,
    "no-loops": no_loops,
    "learnable": learnable,
}
"""All criteria by name, in the order in which they are reported."""


def criticise(episode: Episode, criteria: Sequence[str] = tuple(CRITERIA)) -> Episode:
    """The episode with its verdicts: ``kept`` if it meets all criteria, else ``dropped``."""
    found = []
    for name in criteria:
        reason = CRITERIA[name](episode)
        found.append(Criterion(name, reason is None, reason or ""))
    verdict = "kept" if all(criterion.passed for criterion in found) else "dropped"
    return replace(episode, critique=Critique(verdict, tuple(found)))


def failed(episode: Episode) -> list[str]:
    """Names of the criteria that an episode failed, as its critique states them."""
    return [criterion.name for criterion in episode.critique.criteria if not criterion.passed]


def agent_texts(episode: Episode) -> list[str]:
    """The agent's turns without case and punctuation."""
    return [plain(turn.text) for turn in episode.turns if turn.speaker == AGENT]


def agent_acts(episode: Episode) -> list[str]:
    """What each of the agent's turns does, in writing."""
    return [act_text(turn) for turn in episode.turns if turn.speaker == AGENT and turn.acts]


def act_text(turn: Turn) -> str:
    """A turn's acts in writing."""
    return ", ".join(map(str, turn.acts))


def plain(text: str) -> str:
    """A text without case and punctuation."""
    return _LETTERS.sub(" ", text.casefold()).strip()


def looped(texts: Sequence[str]) -> bool:
    """Whether A, B, A, B stands somewhere in a row."""
    return any(
        texts[i] == texts[i + 2] and texts[i + 1] == texts[i + 3] and texts[i] != texts[i + 1]
        for i in range(len(texts) - 3)
    )
