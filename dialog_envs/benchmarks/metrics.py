"""What is measured on an episode, by name. The leaderboard averages these."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dialog_envs.benchmarks.record import EpisodeRecord

__all__ = ["FIGURES", "figures"]


def _success(record: EpisodeRecord) -> float | None:
    return float(bool(record.outcome and record.outcome["success"]))


def _from_outcome(name: str) -> Callable[[EpisodeRecord], float | None]:
    def read(record: EpisodeRecord) -> float | None:
        metrics: Mapping[str, float] = (record.outcome or {}).get("metrics", {})
        value = metrics.get(name)
        return None if value is None else float(value)

    return read


FIGURES: dict[str, Callable[[EpisodeRecord], float | None]] = {
    "success": _success,
    "return": lambda record: record.value,
    "turns": lambda record: float(record.agent_turns),
    "questions": _from_outcome("questions"),
    "information_bits": _from_outcome("information_bits"),
}
"""Figures with an interval. ``None``: not measured on this episode."""


def figures(record: EpisodeRecord) -> dict[str, float | None]:
    """All figures of a scored episode."""
    return {name: read(record) for name, read in FIGURES.items()}
