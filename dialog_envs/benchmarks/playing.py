"""How well the users of a track played their personas: rows of fidelity for the leaderboard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dialog_envs.benchmarks.record import EpisodeRecord
from dialog_envs.benchmarks.stats import Interval, mean_interval, rate_interval
from dialog_envs.core.dialogue import USER
from dialog_envs.simulators.users.fidelity import consistency, elicited_share, variety

__all__ = ["METHOD", "Fidelity", "fidelity_rows"]

METHOD = (
    "Consistency: share of user turns in which nothing is said or done that the persona cannot say or do, as the "
    "task's kernel has it. Elicited: share of the facts told that the agent's turn brought out; the rest came unasked. "
    "Agreement: share of dialogues that end content if and only if they end in success. Variety: 1 minus the mean "
    "overlap of the user's words in two dialogues"
)


@dataclass(frozen=True, slots=True)
class Fidelity:
    """The users of one track on one task, over all agents.

    Attributes:
        track, task: whose figures these are.
        episodes: scored ones.
        unscored: given up, because no turn could be had that was fit to be said, or a model failed.
        consistency: mean an episode.
        elicited: over all facts; ``None`` where none was told.
        agreement: share of dialogues.
        variety: ``None`` below two dialogues.
        asked_again: requests a user turn that were thrown away and asked anew.
        held_back: turns, an episode, that would have leaked.
        tokens, cost_usd, seconds: of the user's model, means an episode.
    """

    track: str
    task: str
    episodes: int
    unscored: int
    consistency: Interval
    elicited: float | None
    agreement: Interval
    variety: float | None
    asked_again: float
    held_back: float
    tokens: float
    cost_usd: float
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """As in ``leaderboard.json``."""
        return {
            "track": self.track,
            "task": self.task,
            "episodes": self.episodes,
            "unscored": self.unscored,
            "consistency": self.consistency.to_json(),
            "elicited": _rounded(self.elicited),
            "agreement": self.agreement.to_json(),
            "variety": _rounded(self.variety),
            "asked_again": _rounded(self.asked_again),
            "held_back": _rounded(self.held_back),
            "tokens": _rounded(self.tokens),
            "cost_usd": _rounded(self.cost_usd),
            "seconds": _rounded(self.seconds),
        }


def fidelity_rows(records: Sequence[EpisodeRecord]) -> list[Fidelity]:
    """A row for each track with a model behind its users and each task, in order of appearance."""
    cells: dict[tuple[str, str], list[EpisodeRecord]] = defaultdict(list)
    for record in sorted(records, key=lambda record: (record.task, record.seed)):
        cells[record.track, record.task].append(record)
    rows = (_row(track, task, cell) for (track, task), cell in cells.items())
    return [row for row in rows if row is not None]


def _row(track: str, task: str, cell: Sequence[EpisodeRecord]) -> Fidelity | None:
    played = [record for record in cell if not record.unscored and record.user]
    if not played:
        return None
    personas = [record.persona_key for record in played]
    kept = [(record, share) for record in played if (share := consistency([record.user])) is not None]
    agreed = [_agrees(record) for record in played]
    words = [[turn.text for turn in record.turns if turn.speaker == USER][1:] for record in played]
    return Fidelity(
        track,
        task,
        len(played),
        sum(record.unscored for record in cell),
        mean_interval([share for _, share in kept], [record.persona_key for record, _ in kept]),
        elicited_share([record.user for record in played]),
        rate_interval(agreed, personas),
        variety(words),
        _ratio(played, "again", "user_turns"),
        _mean(record.user.get("leaks", 0.0) for record in played),
        _mean(record.user.get("tokens", 0.0) for record in played),
        _mean(record.user.get("cost_usd", 0.0) for record in played),
        _mean(record.seconds - record.agent_seconds for record in played),
    )


def _agrees(record: EpisodeRecord) -> float:
    outcome = record.outcome or {}
    return float((outcome.get("ended_by") == "accept") == bool(outcome.get("success")))


def _ratio(records: Sequence[EpisodeRecord], part: str, whole: str) -> float:
    total = sum(record.user.get(whole, 0.0) for record in records)
    return sum(record.user.get(part, 0.0) for record in records) / total if total else 0.0


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
