"""One figure over all tasks."""

from __future__ import annotations

import numpy as np
import pytest

from dialog_envs.benchmarks.overall import interquartile_mean, overall
from dialog_envs.benchmarks.record import EpisodeRecord


def test_interquartile_mean_by_hand() -> None:
    assert interquartile_mean(np.array([5.0])) == 5.0
    assert interquartile_mean(np.array([0.0, 1.0, 2.0, 100.0])) == 1.5
    # Of three values a quarter (0.75 of one) goes at each end: (0.25 · 1 + 2 + 0.25 · 6) / 1.5
    assert interquartile_mean(np.array([6.0, 1.0, 2.0])) == pytest.approx(2.5)
    many = np.random.default_rng(0).normal(size=(400, 3))
    middle = np.sort(many, axis=0)[100:300].mean(axis=0)
    assert np.allclose(interquartile_mean(many), middle)


def _records(agent: str, task: str, family: str, wins: int, plays: int = 40) -> list[EpisodeRecord]:
    users = "hard" if family == "grim" else "typical"
    return [
        EpisodeRecord(
            agent=agent,
            task=task,
            users=users,
            family=family,
            index=i,
            seed=i,
            persona={"number": i},
            outcome={"success": i < wins},
        )
        for i in range(plays)
    ]


def test_normalised_so_that_random_is_0_and_oracle_100() -> None:
    records = []
    for task in ("A-v0", "B-v0"):
        for family in ("calm", "grim"):
            records += _records("random", task, family, 4) + _records("oracle", task, family, 36)
            records += _records("bc", task, family, 12) + _records("mine", task, family, 20)
    rows = {(row.agent, row.users): row for row in overall(records, "bc")}
    assert rows["random", "hard"].score.mean == 0.0 and rows["oracle", "typical"].score.mean == 1.0
    mine = rows["mine", "hard"]
    assert mine.cells == 2 and mine.score.mean == pytest.approx(0.5)
    assert mine.score.low < 0.5 < mine.score.high
    assert mine.difference is not None and mine.difference.mean == pytest.approx(0.25)
    assert mine.difference.low > 0.0 and rows["bc", "hard"].difference is None
    assert [row.agent for row in overall(records, "bc")][::2] == ["oracle", "mine", "bc", "random"]


def test_an_agent_that_missed_a_task_has_no_figure_and_no_scale_means_none() -> None:
    records = _records("random", "A-v0", "calm", 4) + _records("oracle", "A-v0", "calm", 40)
    records += _records("mine", "A-v0", "calm", 20)
    assert {row.agent for row in overall(records, "bc")} == {"random", "oracle", "mine"}
    more = records + _records("random", "B-v0", "calm", 1) + _records("oracle", "B-v0", "calm", 39)
    assert {row.agent for row in overall(more, "bc")} == {"random", "oracle"}
    assert overall([record for record in records if record.agent != "random"], "bc") == []
