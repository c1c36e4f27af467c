"""Which transcripts a leaderboard page shows, and what it shows of them.

For each family: the first episode, and the one on which the agents disagree the most. All agents that played them are
shown, so that a reader compares agents on the same person.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dialog_envs.benchmarks.record import EpisodeRecord
from dialog_envs.core.dialogue import AGENT
from dialog_envs.errors import DialogEnvsError

__all__ = ["RULE", "choose", "transcript_data"]

RULE = "Of each family: the first episode, and the one on which the agents disagree the most."

_LONGEST_TEXT = 4000
_Group = tuple[str, str, int]


def choose(records: Sequence[EpisodeRecord], agents: Sequence[str] = ()) -> list[list[EpisodeRecord]]:
    """Groups of records of the same episode, one group after another as the page shows them.

    Args:
        records: the episodes of a run.
        agents: the order of agents within a group; those not named come last.
    """
    place = {agent: number for number, agent in reversed(list(enumerate(agents)))}
    episodes: dict[_Group, list[EpisodeRecord]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record.seed):
        if not record.unscored:
            episodes[record.task, record.family, record.seed].append(record)
    families: dict[tuple[str, str], list[_Group]] = defaultdict(list)
    for key in episodes:
        families[key[:2]].append(key)
    chosen = []
    for keys in families.values():
        first = min(keys, key=lambda key: key[2])
        most = max(
            keys, key=lambda key: (key != first, _disagreement(episodes[key]), len(episodes[key]), -key[2])
        )
        chosen += [
            sorted(episodes[key], key=lambda record: place.get(record.agent, len(place)))
            for key in dict.fromkeys((first, most))
        ]
    return chosen


def _disagreement(group: Sequence[EpisodeRecord]) -> float:
    """How evenly success and failure are spread, times how many agents played: most for half and half."""
    rate = sum(_succeeded(record) for record in group) / len(group)
    return rate * (1 - rate) * len(group)


def transcript_data(
    groups: Sequence[Sequence[EpisodeRecord]], get_task: Callable[[str], Any]
) -> list[dict[str, Any]]:
    """The chosen episodes as plain JSON for the page: persona, brief, and each agent's dialogue with beliefs."""
    return [_episode(group, _find(get_task, group[0].task)) for group in groups]


def _find(get_task: Callable[[str], Any], name: str) -> Any:
    try:
        return get_task(name)
    except DialogEnvsError:
        return None  # a task that is not installed here: its transcripts are shown without card and belief


def _episode(group: Sequence[EpisodeRecord], task: Any) -> dict[str, Any]:
    first = group[0]
    card = [[str(key), str(value)] for key, value in first.persona.items()]
    brief = ""
    if task is not None:
        card = [list(pair) for pair in task.persona_card(task.persona_from_json(first.persona))]
        brief = task.scenario_from_json(first.scenario).brief
    return {
        "task": first.task,
        "users": first.users,
        "family": first.family,
        "seed": first.seed,
        "card": card,
        "brief": brief,
        "plays": [_play(record, task) for record in group],
    }


def _play(record: EpisodeRecord, task: Any) -> dict[str, Any]:
    outcome = record.outcome or {}
    beliefs = _beliefs(record, task)
    turns = []
    exchanges = 0
    for turn in record.turns:
        acts = [str(act) for act in turn.acts]
        shown: dict[str, Any] = {"who": turn.speaker, "text": _cut(turn.text), "acts": acts}
        if turn.speaker == AGENT:
            exchanges += 1
        elif exchanges < len(beliefs):
            shown["belief"] = beliefs[exchanges]
        turns.append(shown)
    return {
        "agent": record.agent,
        "success": bool(outcome.get("success")),
        "graded": outcome.get("graded", 0.0),
        "end": outcome.get("ended_by", ""),
        "error": record.error,
        "turns": turns,
    }


def _beliefs(record: EpisodeRecord, task: Any) -> list[dict[str, Any]]:
    """Entropy and, a factor, its likeliest value before the first exchange and after each; whether it is the truth."""
    trace = getattr(task, "belief_trace", None)
    if trace is None:
        return []
    try:
        steps = trace(task.scenario_from_json(record.scenario), record.turns)
    except NotImplementedError:
        return []
    shown: list[dict[str, Any]] = []
    start: Mapping[str, Mapping[str, float]] = steps[0].get("marginals", {}) if steps else {}
    for step in steps:
        tops = []
        for factor, marginal in step.get("marginals", {}).items():
            value, chance = max(marginal.items(), key=lambda pair: pair[1])
            truth = str(record.persona.get(factor)) == value if factor in record.persona else None
            tops.append(
                [_divergence(marginal, start.get(factor, {})), factor, value, round(chance, 2), truth]
            )
        tops.sort(key=lambda top: -top[0])  # what the dialogue has told the most about comes first
        shown.append(
            {
                "bits": round(float(step["entropy_bits"]), 2),
                "top": [top[1:] for top in tops if top[0] > _LITTLE],
            }
        )
    return shown


_LITTLE = 0.02
"""Bits: a factor whose belief moved less since the start is not shown."""


def _divergence(now: Mapping[str, float], start: Mapping[str, float]) -> float:
    """Bits by which a marginal has moved away from where it began (Kullback-Leibler)."""
    return sum(
        p * math.log2(p / start[value]) for value, p in now.items() if p > 0 and start.get(value, 0) > 0
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]} … ({len(text):,} characters)"


def _succeeded(record: EpisodeRecord) -> bool:
    return bool(record.outcome and record.outcome["success"])
