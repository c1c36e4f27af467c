"""Intervals: known values, and coverage measured by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dialog_envs.benchmarks.stats import Interval, difference_interval, mean_interval, rate_interval


def test_mean_of_independent_values_is_students_interval() -> None:
    values = [1.0, 2.0, 3.0, 4.0]
    interval = mean_interval(values, range(4))
    half = 3.182446 * np.std(values, ddof=1) / 2
    assert interval.mean == 2.5
    assert interval.low == pytest.approx(2.5 - half, abs=1e-5)


def test_repeating_a_persona_adds_no_information() -> None:
    once = mean_interval([0.0, 1.0, 3.0], "abc")
    thrice = mean_interval([0.0, 1.0, 3.0] * 3, "abc" * 3)
    assert thrice == Interval(*(pytest.approx(value) for value in (once.mean, once.low, once.high)))


def test_rate_of_all_successes_still_has_width() -> None:
    interval = rate_interval([1.0] * 50, range(50))
    assert (interval.mean, interval.high) == (1.0, 1.0)
    assert 0.90 < interval.low < 0.95
    assert rate_interval([0.0] * 50, range(50)).high == pytest.approx(1 - interval.low)


def test_difference_of_equal_agents_still_has_width() -> None:
    interval = difference_interval([0.0] * 100, range(100))
    assert interval.mean == 0
    assert interval.low < 0 < interval.high
    assert interval.high < 0.05


def test_few_data_give_no_interval() -> None:
    assert math.isnan(mean_interval([], []).mean)
    one = rate_interval([1.0, 0.0], ["same", "same"])
    assert one.mean == 0.5
    assert one.to_json() == {"mean": 0.5, "low": None, "high": None}
    assert not one.excludes(0)


def _coverage(kind: str, rate: float, personas: int, each: int, rounds: int = 1500) -> float:
    """How often the interval holds the truth, with a persona effect between episodes."""
    rng = np.random.default_rng(7)
    names = np.repeat(np.arange(personas), each)
    hits = 0
    for _ in range(rounds):
        # A persona's own rate: a Beta with mean `rate`; episodes of a persona are correlated by 1/4.
        own = rng.beta(3 * rate, 3 * (1 - rate), size=personas)[names]
        x = (rng.random(names.size) < own).astype(float)
        if kind == "rate":
            interval, truth = rate_interval(x, names), rate
        else:
            other = (rng.random(names.size) < own * 0.8).astype(float)
            interval, truth = difference_interval(x - other, names), rate * 0.2
        hits += interval.low <= truth <= interval.high
    return hits / rounds


@pytest.mark.parametrize(
    ("kind", "rate", "personas", "each"),
    [
        ("rate", 0.5, 40, 4),
        ("rate", 0.1, 60, 2),
        ("rate", 0.95, 80, 1),
        ("rate", 0.5, 12, 3),
        ("difference", 0.5, 40, 4),
        ("difference", 0.3, 100, 2),
        ("difference", 0.8, 60, 1),
    ],
)
def test_coverage_is_near_its_level(kind: str, rate: float, personas: int, each: int) -> None:
    assert 0.925 <= _coverage(kind, rate, personas, each) <= 0.99
