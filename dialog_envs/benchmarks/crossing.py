"""How an agent's score changes with who plays the user: the same episodes on two tracks, compared pairwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dialog_envs.benchmarks.record import EpisodeRecord
from dialog_envs.benchmarks.stats import Interval, difference_interval, rate_interval

__all__ = ["Crossing", "crossings"]


@dataclass(frozen=True, slots=True)
class Crossing:
    """An agent on another track, beside itself on the main one.

    Attributes:
        agent, task, users, track: whose figures these are.
        episodes: how many it played on both tracks; the figures are over these alone.
        main: success on the main track.
        success: success on this one.
        difference: this one's minus the main one's.
    """

    agent: str
    task: str
    users: str
    track: str
    episodes: int
    main: Interval
    success: Interval
    difference: Interval

    def to_json(self) -> dict[str, Any]:
        """As in ``leaderboard.json``."""
        return {
            "agent": self.agent,
            "task": self.task,
            "users": self.users,
            "track": self.track,
            "episodes": self.episodes,
            "main": self.main.to_json(),
            "success": self.success.to_json(),
            "difference": self.difference.to_json(),
        }


def crossings(records: Sequence[EpisodeRecord], main: str) -> list[Crossing]:
    """Every agent × other track × task × group of users with episodes that were played on both tracks.

    Args:
        records: each episode once.
        main: the track that the others are compared with.
    """
    scored = [record for record in records if not record.unscored]
    known = {_episode(record): record for record in scored if record.track == main}
    pairs: dict[tuple[str, str, str, str], list[tuple[EpisodeRecord, EpisodeRecord]]] = defaultdict(list)
    for record in sorted(scored, key=lambda record: record.seed):
        if record.track != main and _episode(record) in known:
            cell = (record.task, record.track, record.agent, record.users)
            pairs[cell].append((record, known[_episode(record)]))
    return [_crossing(task, track, agent, users, cell) for (task, track, agent, users), cell in pairs.items()]


def _crossing(
    task: str, track: str, agent: str, users: str, pairs: Sequence[tuple[EpisodeRecord, EpisodeRecord]]
) -> Crossing:
    personas = [here.persona_key for here, _ in pairs]
    here, there = [_success(record) for record, _ in pairs], [_success(record) for _, record in pairs]
    return Crossing(
        agent,
        task,
        users,
        track,
        len(pairs),
        rate_interval(there, personas),
        rate_interval(here, personas),
        difference_interval([a - b for a, b in zip(here, there, strict=True)], personas),
    )


def _episode(record: EpisodeRecord) -> tuple[str, str, str, int]:
    return (record.agent, record.task, record.family, record.seed)


def _success(record: EpisodeRecord) -> float:
    return float(bool(record.outcome and record.outcome["success"]))
