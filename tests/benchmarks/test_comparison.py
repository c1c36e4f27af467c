"""Agents side by side over all of their trainings: rows pooled, pairs seed by seed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from dialog_envs.benchmarks.comparison import comparison
from dialog_envs.benchmarks.html import told_apart
from dialog_envs.benchmarks.leaderboard import build_leaderboard
from dialog_envs.benchmarks.overall import overall
from dialog_envs.benchmarks.record import EpisodeRecord
from dialog_envs.benchmarks.stats import difference_interval, mean_interval, rate_interval


def _played(agent: str, wins: list[int], task: str = "A-v0", family: str = "grim") -> Iterator[EpisodeRecord]:
    users = "hard" if family == "grim" else "typical"
    for i, won in enumerate(wins):
        outcome = {"success": bool(won), "return": float(won), "parts": {}}
        yield EpisodeRecord(agent, task, users, family, i, i, persona={"number": i}, outcome=outcome)


def _board(*records: Iterator[EpisodeRecord]) -> tuple[list[EpisodeRecord], object]:
    together = [record for part in records for record in part]
    return together, build_leaderboard(together, "s", "scripted", "bc", {"tasks": {}})


def test_the_name_of_a_training() -> None:
    assert EpisodeRecord("ilql#3", "A-v0", "hard", "grim", 0, 0).trained == ("ilql", 3)
    for name in ("ilql", "#3", "ilql#", "ilql#three"):
        assert EpisodeRecord(name, "A-v0", "hard", "grim", 0, 0).trained == (name, None)


def test_one_row_over_all_trainings_and_pairs_seed_by_seed() -> None:
    records, board = _board(
        _played("bc#0", [0, 0, 1, 0]),
        _played("bc#1", [1, 1, 1, 0]),
        _played("ilql#0", [1, 0, 1, 0]),
        _played("ilql#1", [1, 1, 1, 1]),
        _played("random", [0, 0, 0, 1]),
    )
    assert set(board.agents("A-v0")) == {"bc", "ilql", "random"}
    row = board.row("A-v0", "ilql", "hard")
    assert row.episodes == 8 and row.success.mean == 0.75 and row.trainings == {0: 0.5, 1: 1.0}
    assert row.to_json()["trainings"] == {"0": 0.5, "1": 1.0}
    assert board.row("A-v0", "random", "hard").trainings == {}
    pair = board.pair("A-v0", "ilql", "hard")
    assert pair.episodes == 8 and pair.difference.mean == 0.25  # (1 + 0 + 0 + 0) and (0 + 0 + 0 + 1) of 8
    against = board.pair("A-v0", "random", "hard")
    assert against.episodes == 8  # one that was not trained meets every training of the baseline
    assert against.difference.mean == pytest.approx(1 / 4 - 4 / 8)
    text = comparison(board)
    assert "| ilql | – | 75 [" in text and "| 50 to 100 (2) |" in text and "two-way" in text
    shown = told_apart(records, "scripted")
    assert [record.agent for record in shown].count(
        "ilql"
    ) == 4  # the first training's dialogues stand for all


def test_without_trainings_nothing_is_compared() -> None:
    _, board = _board(_played("bc", [0, 1, 1]), _played("random", [0, 0, 1]))
    assert comparison(board) == "" and "two-way" not in board.method


def test_one_figure_over_tasks_knows_that_trainings_differ() -> None:
    records: list[EpisodeRecord] = []
    for task in ("A-v0", "B-v0"):
        records += [*_played("random", [0] * 30, task), *_played("oracle", [1] * 30, task)]
        for seed, wins in enumerate((3, 3, 27, 27)):
            records += _played(f"wild#{seed}", [1] * wins + [0] * (30 - wins), task)
            records += _played(f"bc#{seed}", [1, 0] * 15, task)
    rows = {row.agent: row.score for row in overall(records, "bc")}
    assert rows["wild"].mean == pytest.approx(rows["bc"].mean) == 0.5
    assert rows["wild"].high - rows["wild"].low > 1.5 * (rows["bc"].high - rows["bc"].low)


@pytest.mark.parametrize("kind", ["rate", "mean", "difference"])
def test_coverage_where_trainings_vary_as_well(kind: str) -> None:
    rng = np.random.default_rng(3)
    people, seeds, rounds = 40, 5, 600
    names = np.tile(np.arange(people), seeds)
    runs = np.repeat(np.arange(seeds), people)
    hits = plain = 0
    for _ in range(rounds):
        chance = 0.5 + rng.uniform(-0.2, 0.2, people)[names] + rng.normal(0, 0.08, seeds)[runs]
        x = (rng.random(names.size) < chance).astype(float)
        truth, method = 0.5, rate_interval if kind == "rate" else mean_interval
        if kind == "difference":
            x -= rng.random(names.size) < 0.3
            truth, method = 0.2, difference_interval
        both, one = method(x, names, list(runs)), method(x, names)
        hits += both.low <= truth <= both.high
        plain += one.low <= truth <= one.high
    assert 0.92 <= hits / rounds <= 0.995
    assert plain < hits
