"""What a report compares a dataset with: dialogues of good policies, and what an ideal listener would know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dialog_envs.core.seeding import derive
from dialog_envs.core.task import Task
from dialog_envs.datasets.schema import Episode
from dialog_envs.errors import DialogEnvsError
from dialog_envs.simulators.imagination.rollout import Cast, play

REFERENCES = ("heuristic", "information-gain")
"""Scripted policies that see only the text, and are better than those that datasets are rolled out with."""


def reference_dialogues(
    task: Task[Any, Any, Any], policy: str, families: Sequence[str], count: int, seed: int
) -> list[Episode]:
    """Dialogues of one scripted policy with typical users; none if ``families`` names no typical one.

    Args:
        task: the task.
        policy: one of its scripted policies.
        families: of the users; held-out ones are left out.
        count: how many.
        seed: of the report. The dialogues' own seeds follow from it, as a dataset's do, by a stream of this name.
    """
    typical = tuple(name for name in task.prior.typical if name in families)
    if not typical:
        return []
    cast = Cast(task, derive(seed, "report", "reference"), {policy: 1.0}, typical)
    return [episode for _, episode in play(cast, [cast.attempt(index) for index in range(count)])]


def entropies(task: Task[Any, Any, Any], episodes: Sequence[Episode]) -> list[list[float] | None]:
    """Bits of the exact posterior before the first and after each exchange; ``None`` where there is no posterior."""
    return [_entropies(task, episode) for episode in episodes]


def _entropies(task: Task[Any, Any, Any], episode: Episode) -> list[float] | None:
    try:
        trace = task.belief_trace(task.scenario_from_json(episode.scenario), episode.turns)
    except (DialogEnvsError, ArithmeticError, ValueError, KeyError, LookupError):
        return None  # somebody imagined what no persona of the task can say
    return [float(step["entropy_bits"]) for step in trace]
