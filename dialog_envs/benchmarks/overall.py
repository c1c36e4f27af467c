"""One figure over all tasks: the interquartile mean of normalised success.

A *cell* is a task and a user family. An agent's success in a cell is normalised so that the agent ``random`` is 0 and
the agent ``oracle`` is 100; the interquartile mean (Agarwal et al., 2021, "Deep Reinforcement Learning at the Edge of
the Statistical Precipice", NeurIPS) is the mean over the middle half of the cells: one task that is easy for an agent,
or one family that defeats it, does not decide its figure.

Intervals come from the bootstrap: in each cell the personas are drawn anew with replacement, the same draw for all
agents, ``random`` and ``oracle`` among them, so that the uncertainty of the scale is part of the interval. Where agents
were trained several times, the trainings of a task are drawn anew as well, apart from the personas (Owen, 2007, "The
pigeonhole bootstrap"): the same seeds for all agents, and for all families of the task.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dialog_envs.benchmarks.record import EpisodeRecord
from dialog_envs.benchmarks.stats import Interval
from dialog_envs.core.seeding import stream

__all__ = ["CEILING", "FLOOR", "METHOD", "Overall", "interquartile_mean", "overall"]

FLOOR, CEILING = "random", "oracle"
"""The agents that stand for 0 and 100."""
METHOD = (
    "Interquartile mean over tasks × user families of success, normalised so that random is 0 and oracle 100; "
    "95 % percentile bootstrap over personas, and over trainings where there are several"
)
_RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Overall:
    """An agent's interquartile mean on a group of users.

    Attributes:
        agent, users: whose figure it is.
        cells: how many pairs of a task and a family it is taken over.
        score: 0 is ``random``, 1 is ``oracle``.
        difference: from the baseline, on the same draws; ``None`` for the baseline itself, or without one.
    """

    agent: str
    users: str
    cells: int
    score: Interval
    difference: Interval | None

    def to_json(self) -> dict[str, Any]:
        """As in ``leaderboard.json``."""
        difference = None if self.difference is None else self.difference.to_json()
        return {
            "agent": self.agent,
            "users": self.users,
            "cells": self.cells,
            "score": self.score.to_json(),
            "difference": difference,
        }


def interquartile_mean(values: np.ndarray) -> np.ndarray:
    """Mean of the middle half along the first axis: (cells, …) → (…). A quarter is cut at each end, fractions too."""
    ordered = np.sort(values, axis=0)
    n = len(ordered)
    # How much of each value's share [i, i + 1) lies within [n / 4, 3 n / 4).
    begin = np.clip(np.arange(n), n / 4, 3 * n / 4)
    end = np.clip(np.arange(1, n + 1), n / 4, 3 * n / 4)
    mean: np.ndarray = np.tensordot((end - begin) / (n / 2), ordered, axes=1)
    return mean


def overall(records: Sequence[EpisodeRecord], baseline: str) -> list[Overall]:
    """A figure for each agent that played every cell of a group, the best on hard users first.

    Args:
        records: each episode once.
        baseline: the agent that the others are compared with.

    Returns:
        Nothing where ``random`` or ``oracle`` did not play.
    """
    found: list[Overall] = []
    for users in dict.fromkeys(record.users for record in records):
        scores = _scores([r for r in records if r.users == users and not r.unscored])
        reference = scores.get(baseline)
        for agent, (point, draws, cells) in scores.items():
            difference = None
            if reference is not None and agent != baseline:
                difference = _interval(point - reference[0], draws - reference[1])
            found.append(Overall(agent, users, cells, _interval(point, draws), difference))
    hard = {row.agent: row.score.mean for row in found if row.users == "hard"}
    return sorted(found, key=lambda row: (-hard.get(row.agent, -np.inf), row.agent, row.users != "typical"))


def _interval(point: float, draws: np.ndarray) -> Interval:
    low, high = np.quantile(draws, (0.025, 0.975))
    return Interval(float(point), float(low), float(high))


def _scores(records: Sequence[EpisodeRecord]) -> dict[str, tuple[float, np.ndarray, int]]:
    """Agent → interquartile mean, the same on each resample, and the number of cells."""
    cells: dict[tuple[str, str], list[EpisodeRecord]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record.seed):
        cells[record.task, record.family].append(record)
    rates = [_rates(key, cell) for key, cell in sorted(cells.items())]
    if not rates or not all(FLOOR in cell and CEILING in cell for cell in rates):
        return {}
    agents = [agent for agent in rates[0] if all(agent in cell for cell in rates)]
    result = {}
    for agent in agents:
        normalised = np.stack([_normalised(cell[agent], cell[FLOOR], cell[CEILING]) for cell in rates])
        means = interquartile_mean(normalised)  # (1 + resamples,); the first is the data itself
        result[agent] = (float(means[0]), means[1:], len(rates))
    return result


def _normalised(rate: np.ndarray, floor: np.ndarray, ceiling: np.ndarray) -> np.ndarray:
    # An oracle that does no better than random talk leaves no scale; half a point keeps the figure finite.
    scaled: np.ndarray = (rate - floor) / np.maximum(ceiling - floor, 0.005)
    return scaled


def _rates(key: tuple[str, str], cell: Sequence[EpisodeRecord]) -> Mapping[str, np.ndarray]:
    """Agent → success in a cell: on the data, then on each resample of its personas: (1 + resamples,)."""
    number = {persona: i for i, persona in enumerate(dict.fromkeys(r.persona_key for r in cell))}
    n = len(number)
    draws = stream(0, "bootstrap", *key).multinomial(n, np.full(n, 1.0 / n), size=_RESAMPLES)
    weights = np.vstack([np.ones((1, n)), draws])  # (1 + resamples, personas)
    sums: dict[str, dict[int | None, np.ndarray]] = defaultdict(lambda: defaultdict(lambda: np.zeros((2, n))))
    for record in cell:
        won = float(bool(record.outcome and record.outcome["success"]))
        agent, training = record.trained
        sums[agent][training][:, number[record.persona_key]] += (won, 1.0)
    seeds = sorted({seed for found in sums.values() for seed in found if seed is not None})
    counts = _training_weights(key[0], seeds)
    rates = {}
    for agent, found in sums.items():
        wins = sum(counts[seed] * (weights @ won) for seed, (won, _) in found.items())
        played = sum(counts[seed] * (weights @ plays) for seed, (_, plays) in found.items())
        # An agent that played few episodes may have none of a resample's personas: there its plain rate stands.
        plain = sum(won.sum() for won, _ in found.values()) / sum(plays.sum() for _, plays in found.values())
        rates[agent] = np.where(played > 0, wins / np.maximum(played, 1e-9), plain)
    return rates


def _training_weights(task: str, seeds: Sequence[int]) -> dict[int | None, np.ndarray]:
    """How often each training counts: once on the data, then as drawn on each resample: (1 + resamples,)."""
    once = np.ones(1 + _RESAMPLES)
    if len(seeds) < 2:
        return {None: once, **dict.fromkeys(seeds, once)}
    n = len(seeds)
    drawn = stream(0, "bootstrap", "trainings", task).multinomial(n, np.full(n, 1.0 / n), size=_RESAMPLES)
    counts = np.vstack([np.ones((1, n)), drawn])
    return {None: once, **{seed: counts[:, place] for place, seed in enumerate(seeds)}}
