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

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.core.task import ActRoles
from dialog_envs.datasets.schema import Criterion, Critique, Episode

TOO_MUCH = 4
"""Attributes told in one turn, or volunteered in all, from which a user gives everything away."""
REPEATED = 3
"""Times that the agent may not say the same."""
_ROLES = ActRoles()
_LETTERS = re.compile(r"\W+")

Rule = Callable[[Episode, ActRoles], str | None]
"""An episode, and what its task's acts are for → why it fails the criterion, or ``None`` if it meets it."""


def gradual(episode: Episode, roles: ActRoles) -> str | None:
    """What is hidden comes out gradually: not all in one turn, and not mostly unasked."""
    volunteered: set[str] = set()
    elicited: set[str] = set()
    said: Sequence[Act] = ()
    for i, turn in enumerate(episode.turns):
        if turn.speaker != USER:
            said = turn.acts
            continue
        told = [(act, subject) for act in turn.acts if (subject := roles.subject(act)) is not None]
        if len({subject for _, subject in told}) >= TOO_MUCH:
            return f"turn {i + 1} tells {', '.join(subject for _, subject in told)} at once"
        for act, subject in told:
            (volunteered if roles.unasked(act, said) else elicited).add(subject)
    if len(volunteered) >= TOO_MUCH and len(volunteered) > len(elicited):
        return f"{len(volunteered)} things come unasked, and {len(elicited)} because of what the agent said"
    return None


def fitting_end(episode: Episode, roles: ActRoles) -> str | None:
    """The end fits the outcome. Accepting with a reward of 0 is legitimate: the user settled for something else."""
    ended_by, success = episode.outcome["ended_by"], episode.outcome["success"]
    last = episode.turns[-1] if episode.turns else None
    if last is None or last.speaker != USER or not last.text.strip():
        return "the user does not have the last word"
    kinds = {act.kind for act in last.acts}
    accepted, left = not kinds.isdisjoint(roles.accepts), not kinds.isdisjoint(roles.leaves)
    if accepted != (ended_by == "accept"):
        return f"the user {'accepts' if accepted else 'accepts nothing'}, and the episode is ended by '{ended_by}'"
    if left and ended_by not in ("leave", "agent"):
        return f"the user leaves, and the episode is ended by '{ended_by}'"
    if ended_by == "leave" and not left:
        return "the user stays, and the episode is ended by 'leave'"
    if success and left:
        return "it counts as a success, and the user left"
    ends = roles.accepts | roles.leaves
    if any(act.kind in ends for turn in episode.turns[:-1] if turn.speaker == USER for act in turn.acts):
        return "the user had accepted or left before the end"
    return None


def no_loops(episode: Episode, roles: ActRoles) -> str | None:
    """The agent does not say the same again and again, in the same words or others, nor goes back and forth."""
    texts = agent_texts(episode)
    for said in (texts, agent_acts(episode)):
        for what, times in Counter(said).most_common(1):
            if times >= REPEATED:
                return f"the agent says {what[:60]!r} {times} times"
    if looped(texts):
        return "the agent goes back and forth between two sentences"
    return None


def learnable(episode: Episode, roles: ActRoles) -> str | None:
    """There is something to learn: the agent does something that users answer, and is mostly understood."""
    acts = [turn.acts for turn in episode.turns if turn.speaker == AGENT]
    if not acts:
        return "the agent does not speak"
    if not any(act.kind in roles.moves for turn in acts for act in turn):
        return f"the agent does nothing to learn from ({', '.join(sorted(roles.moves))})"
    lost = sum(all(act.kind in roles.lost for act in turn) for turn in acts)
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


def criticise(
    episode: Episode, roles: ActRoles = _ROLES, criteria: Sequence[str] = tuple(CRITERIA)
) -> Episode:
    """The episode with its verdicts: ``kept`` if it meets all criteria, else ``dropped``.

    Args:
        episode: with acts in every turn.
        roles: what the acts of its task are for.
        criteria: which ones, by name.
    """
    found = []
    for name in criteria:
        reason = CRITERIA[name](episode, roles)
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
