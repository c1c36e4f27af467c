"""Fidelity: how well somebody plays the persona that they were given. Measured on the trace alone, by the kernel.

==================  =================================================================================================
consistency         share of user turns in which nothing was said or done that this persona cannot say or do
elicited            share of the facts told that the agent's turn brought out; the others were volunteered
agreement           share of dialogues that end content if and only if they end in success
variety             1 - mean overlap (Jaccard, pairs of words in a row) of the user's words in two dialogues
==================  =================================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

from dialog_envs.core.dialogue import AGENT, Turn, TurnView
from dialog_envs.core.task import Task
from dialog_envs.simulators.users.following import Following

_WORD = re.compile(r"[^\W_]+")
_MOST_DIALOGUES = 40


def fidelity(
    task: Task[Any, Any, Any], persona: Any, scenario: Any, turns: Sequence[Turn], ended_by: str
) -> dict[str, float]:
    """Counts over one dialogue.

    Args:
        task, persona, scenario: of the episode.
        turns: both sides, with acts as read.
        ended_by: as in the outcome.

    Returns:
        ``user_turns``, ``drift_turns`` (with something that this persona cannot mean), ``untimely_turns`` (something
        true that was no answer), ``unread_turns`` (nothing could be read), ``elicited`` and ``volunteered`` facts.
    """
    following = Following(task, persona, scenario)
    counts = dict.fromkeys(
        ("user_turns", "drift_turns", "untimely_turns", "unread_turns", "elicited", "volunteered"), 0.0
    )
    dialogue: list[TurnView] = []
    for number, turn in enumerate(turns):
        dialogue.append(turn.view())
        if turn.speaker != AGENT or number + 1 >= len(turns) or turns[number + 1].speaker == AGENT:
            continue
        said = turns[number + 1].acts
        verdict = following.judge(turn.acts, said, dialogue)
        counts["user_turns"] += 1
        counts["drift_turns"] += bool(verdict.drift)
        counts["untimely_turns"] += bool(verdict.untimely)
        counts["unread_turns"] += not said
        counts["elicited"] += len(verdict.elicited)
        counts["volunteered"] += len(verdict.volunteered)
        last = number + 2 >= len(turns)
        following.follow(turn.acts, said, ended_by if last and ended_by not in ("cap", "") else None)
    return counts


def consistency(counts: Sequence[Mapping[str, float]]) -> float | None:
    """Share of user turns without drift, over dialogues; ``None`` without any turn."""
    return _share(counts, "user_turns", minus="drift_turns")


def elicited_share(counts: Sequence[Mapping[str, float]]) -> float | None:
    """Share of the facts told that were elicited; ``None`` if none was told."""
    told = sum(one.get("elicited", 0.0) + one.get("volunteered", 0.0) for one in counts)
    return sum(one.get("elicited", 0.0) for one in counts) / told if told else None


def variety(dialogues: Sequence[Sequence[str]]) -> float | None:
    """How different the user's words are from dialogue to dialogue, 0 (the same) to 1; ``None`` below two dialogues.

    Args:
        dialogues: the user's turns of each. The first 40 are compared.
    """
    sets = [found for texts in dialogues[:_MOST_DIALOGUES] if (found := _pairs(texts))]
    overlaps = [len(a & b) / len(a | b) for a, b in combinations(sets, 2)]
    return 1.0 - sum(overlaps) / len(overlaps) if overlaps else None


def _share(counts: Sequence[Mapping[str, float]], whole: str, minus: str) -> float | None:
    total = sum(one.get(whole, 0.0) for one in counts)
    return 1.0 - sum(one.get(minus, 0.0) for one in counts) / total if total else None


def _pairs(texts: Sequence[str]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for text in texts:
        words = [word.casefold() for word in _WORD.findall(text)]
        found.update(pairwise(words))
    return found
