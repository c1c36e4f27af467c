"""The leaderboard: episodes in, rows with intervals out.

A row is one agent on one group of users (``typical``, ``hard``, and every family) of one track. Every agent played the
same personas, scenarios and seeds, so agents are also compared pairwise with the baseline on the episodes that both
played.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dialog_envs.benchmarks.crossing import Crossing, crossings
from dialog_envs.benchmarks.metrics import FIGURES, figures
from dialog_envs.benchmarks.overall import Overall, overall
from dialog_envs.benchmarks.playing import Fidelity, fidelity_rows
from dialog_envs.benchmarks.record import EpisodeRecord
from dialog_envs.benchmarks.stats import (
    METHOD,
    TRAININGS,
    Interval,
    difference_interval,
    mean_interval,
    rate_interval,
)
from dialog_envs.benchmarks.tracks import SCRIPTED

__all__ = ["SCHEMA", "Leaderboard", "Paired", "Row", "build_leaderboard"]

_Cell = tuple[str, str, str, str]  # (track, task, agent, users)
SCHEMA = 1
"""Version of ``leaderboard.json``."""


@dataclass(frozen=True, slots=True)
class Row:
    """One agent on one group of users.

    Attributes:
        agent, task, users, track: whose figures these are.
        episodes: how many are scored.
        unscored: how many broke through no fault of the agent, and count nowhere else.
        errors: how many scored 0 because the agent raised an error.
        figures: mean and interval of success, return, turns, questions and information (bits).
        seconds_per_episode: the agent's wall time.
        tokens, cost_usd: means an episode.
    """

    agent: str
    task: str
    users: str
    track: str
    episodes: int
    unscored: int
    errors: int
    figures: Mapping[str, Interval]
    seconds_per_episode: float
    tokens: float
    cost_usd: float
    trainings: Mapping[int, float] = field(default_factory=dict)
    """Success of each training, by its seed, of an agent that was trained several times: ``NAME#SEED`` in a run."""

    @property
    def success(self) -> Interval:
        """Rate of success."""
        return self.figures["success"]

    def to_json(self) -> dict[str, Any]:
        """As in ``leaderboard.json``."""
        return {
            "agent": self.agent,
            "task": self.task,
            "users": self.users,
            "track": self.track,
            "episodes": self.episodes,
            "unscored": self.unscored,
            **{name: interval.to_json() for name, interval in self.figures.items()},
            "seconds_per_episode": _rounded(self.seconds_per_episode),
            "tokens": _rounded(self.tokens),
            "cost_usd": _rounded(self.cost_usd),
            **(
                {"trainings": {str(s): _rounded(v) for s, v in self.trainings.items()}}
                if self.trainings
                else {}
            ),
        }


@dataclass(frozen=True, slots=True)
class Paired:
    """An agent's success minus the baseline's on the episodes that both played."""

    agent: str
    baseline: str
    task: str
    users: str
    episodes: int
    difference: Interval
    track: str = SCRIPTED

    def to_json(self) -> dict[str, Any]:
        """As in ``leaderboard.json``."""
        return {
            "agent": self.agent,
            "baseline": self.baseline,
            "task": self.task,
            "users": self.users,
            "track": self.track,
            "difference": self.difference.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """All rows and comparisons of a run, best agent on hard users first.

    A run may hold several tracks. What is asked by agent and users is answered for the track :attr:`track`; :meth:`on`
    gives the same board for another one.

    Attributes:
        suite: the suite's name.
        versions: of the package, the tasks, the user simulator and the agents: only like compares with like.
        rows, paired: see :class:`Row` and :class:`Paired`.
        overall: one figure an agent over all tasks, where several are played, on the main track; see
            :mod:`dialog_envs.benchmarks.overall`.
        track: who plays the user.
        across: the other tracks beside the main one; see :mod:`dialog_envs.benchmarks.crossing`.
        fidelity: how well users played their personas; see :mod:`dialog_envs.benchmarks.playing`.
    """

    suite: str
    versions: Mapping[str, Any]
    rows: tuple[Row, ...]
    paired: tuple[Paired, ...]
    overall: tuple[Overall, ...] = ()
    track: str = SCRIPTED
    across: tuple[Crossing, ...] = ()
    fidelity: tuple[Fidelity, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The content of ``leaderboard.json``."""
        return {
            "schema": SCHEMA,
            "suite": self.suite,
            "versions": dict(self.versions),
            "rows": [row.to_json() for row in self.rows],
            "paired": [pair.to_json() for pair in self.paired],
            "overall": [row.to_json() for row in self.overall],
            "track": self.track,
            "across": [row.to_json() for row in self.across],
            "fidelity": [row.to_json() for row in self.fidelity],
        }

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task ids, in order of appearance."""
        return tuple(dict.fromkeys(row.task for row in self._rows))

    @property
    def tracks(self) -> tuple[str, ...]:
        """All tracks, the main one first."""
        return tuple(dict.fromkeys((self.track, *(row.track for row in self.rows))))

    def on(self, track: str) -> Leaderboard:
        """The board of another track."""
        return self if track == self.track else replace(self, track=track, overall=(), across=())

    @property
    def method(self) -> str:
        """How intervals were made."""
        return f"{METHOD}. {TRAININGS}" if any(len(row.trainings) > 1 for row in self.rows) else METHOD

    @property
    def baseline(self) -> str | None:
        """The agent that the others are compared with, if it played."""
        return next((pair.baseline for pair in self.paired if pair.track == self.track), None)

    def pairs(self, task: str) -> tuple[Paired, ...]:
        """Comparisons with the baseline on a task."""
        return tuple(pair for pair in self.paired if (pair.task, pair.track) == (task, self.track))

    @property
    def _rows(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.track == self.track)

    def agents(self, task: str) -> tuple[str, ...]:
        """Agents that played a task, the best first."""
        return tuple(dict.fromkeys(row.agent for row in self._rows if row.task == task))

    def users(self, task: str) -> tuple[str, ...]:
        """Groups, then families."""
        return tuple(dict.fromkeys(row.users for row in self._rows if row.task == task))

    def row(self, task: str, agent: str, users: str) -> Row | None:
        """One row, if it is there."""
        wanted = (task, agent, users)
        return next((row for row in self._rows if (row.task, row.agent, row.users) == wanted), None)

    def pair(self, task: str, agent: str, users: str) -> Paired | None:
        """One comparison with the baseline, if it is there."""
        wanted = (task, agent, users)
        pairs = self.pairs(task)
        return next((pair for pair in pairs if (pair.task, pair.agent, pair.users) == wanted), None)


def build_leaderboard(
    records: Sequence[EpisodeRecord], suite: str, track: str, baseline: str, versions: Mapping[str, Any]
) -> Leaderboard:
    """Average the episodes.

    Args:
        records: each episode once.
        suite: the suite's name.
        track: the main track.
        baseline: the agent to compare the others with; no comparison where it did not play.
        versions: what to state beside the figures.
    """
    cells: dict[_Cell, list[EpisodeRecord]] = defaultdict(list)
    # By seed, so that the order in which episodes happened to end shows nowhere.
    for record in sorted(records, key=lambda record: record.seed):
        for users in dict.fromkeys((record.users, record.family)):
            cells[record.track, record.task, record.trained[0], users].append(record)
    # What an episode counts for is worked out once, though it stands in two rows.
    measured = {
        id(record): (figures(record), record.persona_key) for record in records if not record.unscored
    }
    rows = [
        _row(task, agent, users, where, cell, measured) for (where, task, agent, users), cell in cells.items()
    ]
    paired = [
        _paired(task, agent, users, where, baseline, cell, cells[where, task, baseline, users])
        for (where, task, agent, users), cell in list(cells.items())
        if agent != baseline and (where, task, baseline, users) in cells
    ]
    place = _order(rows, track)
    rows.sort(key=lambda row: place[row.track, row.task, row.agent, row.users])
    paired.sort(key=lambda pair: place[pair.track, pair.task, pair.agent, pair.users])
    mine = [record for record in records if record.track == track]
    several = len({record.task for record in mine}) > 1
    return Leaderboard(
        suite,
        versions,
        tuple(rows),
        tuple(pair for pair in paired if pair.episodes),
        tuple(overall(mine, baseline)) if several else (),
        track,
        tuple(_sorted(crossings(records, track), place)),
        tuple(fidelity_rows(records)),
    )


def _sorted(found: Iterable[Crossing], place: Mapping[_Cell, tuple[Any, ...]]) -> list[Crossing]:
    return sorted(found, key=lambda one: place[one.track, one.task, one.agent, one.users][1:])


def _row(
    task: str,
    agent: str,
    users: str,
    track: str,
    cell: Sequence[EpisodeRecord],
    measured: Mapping[int, tuple[Mapping[str, float | None], str]],
) -> Row:
    scored = [record for record in cell if not record.unscored]
    intervals = {}
    for name in FIGURES:
        known = [
            (value, measured[id(record)][1], record.trained[1])
            for record in scored
            if (value := measured[id(record)][0][name]) is not None
        ]
        method = rate_interval if name == "success" else mean_interval
        intervals[name] = method([v for v, _, _ in known], [p for _, p, _ in known], [t for _, _, t in known])
    return Row(
        agent,
        task,
        users,
        track,
        episodes=len(scored),
        unscored=len(cell) - len(scored),
        errors=sum(record.blame == "agent" for record in scored),
        figures=intervals,
        seconds_per_episode=_mean(record.agent_seconds for record in scored),
        tokens=_mean(record.tokens for record in scored),
        cost_usd=_mean(record.cost_usd for record in scored),
        trainings=_trainings(scored),
    )


def _trainings(scored: Sequence[EpisodeRecord]) -> dict[int, float]:
    """Success by training seed; empty for an agent that was trained once, or not at all."""
    wins: dict[int, list[float]] = defaultdict(list)
    for record in scored:
        if (seed := record.trained[1]) is not None:
            wins[seed].append(_success(record))
    return {seed: _mean(wins[seed]) for seed in sorted(wins)}


def _paired(
    task: str,
    agent: str,
    users: str,
    track: str,
    baseline: str,
    cell: Sequence[EpisodeRecord],
    against: Sequence[EpisodeRecord],
) -> Paired:
    theirs: dict[tuple[str, int], list[EpisodeRecord]] = defaultdict(list)
    for record in against:
        if not record.unscored:
            theirs[record.family, record.seed].append(record)
    pairs = [
        (record, other, _one_training(record, other))
        for record in cell
        if not record.unscored
        for other in theirs.get((record.family, record.seed), ())
        if _comparable(record, other)
    ]
    differences = [_success(mine) - _success(other) for mine, other, _ in pairs]
    personas = [mine.persona_key for mine, _, _ in pairs]
    interval = difference_interval(differences, personas, [training for _, _, training in pairs])
    return Paired(agent, baseline, task, users, len(pairs), interval, track)


def _comparable(mine: EpisodeRecord, other: EpisodeRecord) -> bool:
    """Trainings are compared seed by seed (one may start from the other's weights); others with every training."""
    seeds = mine.trained[1], other.trained[1]
    return None in seeds or seeds[0] == seeds[1]


def _one_training(mine: EpisodeRecord, other: EpisodeRecord) -> int | None:
    return mine.trained[1] if mine.trained[1] is not None else other.trained[1]


def _order(rows: Iterable[Row], main: str) -> dict[_Cell, tuple[Any, ...]]:
    """Sorting keys: the main track, then the others; task, then the agent's success on hard users and on typical ones,
    then groups before families."""
    rows = list(rows)
    means = {_cell(row): -row.success.mean for row in rows if math.isfinite(row.success.mean)}
    groups = {"typical": 0, "hard": 1}
    families = {users: 2 + place for place, users in enumerate(dict.fromkeys(row.users for row in rows))}
    tracks = list(dict.fromkeys((main, *(row.track for row in rows))))
    return {
        _cell(row): (
            tracks.index(row.track),
            row.task,
            *(means.get((row.track, row.task, row.agent, users), math.inf) for users in ("hard", "typical")),
            row.agent,
            groups.get(row.users, families[row.users]),
        )
        for row in rows
    }


def _cell(row: Row) -> _Cell:
    return (row.track, row.task, row.agent, row.users)


def _success(record: EpisodeRecord) -> float:
    return float(bool(record.outcome and record.outcome["success"]))


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else math.nan


def _rounded(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
