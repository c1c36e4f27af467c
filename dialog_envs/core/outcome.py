"""What an episode came to: a pure function of persona and trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

REWARDS = ("binary", "graded", "dense")
"""Reward schemes of every environment: the paper's terminal 0 or 1, the graded score, and one with shaping."""


def _no_metrics() -> Mapping[str, float]:
    return {}


@dataclass(frozen=True)
class Outcome:
    """The result of an episode.

    Attributes:
        success: the paper's binary reward: the user ends with what truly suits them.
        graded: in [0, 1]: how good the result is relative to the best that was to be had.
        ended_by: ``"accept"``, ``"leave"``, ``"agent"`` (it said goodbye) or ``"cap"`` (turn limit).
        dense: reward of every agent turn under ``reward="dense"``; their sum is the dense return.
        reward_parts: what the scores are made of, by name.
        compute_metrics: makes :attr:`metrics` when they are first asked for, because the exact posterior
            costs a thousand times what a step costs.
    """

    success: bool
    graded: float
    ended_by: str
    dense: tuple[float, ...] = ()
    reward_parts: Mapping[str, float] = field(default_factory=dict)
    compute_metrics: Callable[[], Mapping[str, float]] = field(default=_no_metrics, repr=False, compare=False)

    @cached_property
    def metrics(self) -> Mapping[str, float]:
        """Counts (turns, questions …) and information (bits); computed on first use and kept."""
        return self.compute_metrics()

    def rewards(self, scheme: str) -> tuple[float, ...]:
        """Reward of each agent turn under a scheme of :data:`REWARDS`."""
        if scheme == "dense" or not self.dense:
            return self.dense
        final = float(self.success) if scheme == "binary" else self.graded
        return (0.0,) * (len(self.dense) - 1) + (final,)

    def to_json(self, metrics: bool = True) -> dict[str, Any]:
        """Plain JSON; ``metrics=False`` leaves out what is costly to compute."""
        data: dict[str, Any] = {
            "success": self.success,
            "graded": self.graded,
            "ended_by": self.ended_by,
            "reward_parts": dict(self.reward_parts),
        }
        if metrics:
            data["metrics"] = dict(self.metrics)
        return data
