"""Means with 95 % intervals, clustered by persona.

Episodes of one persona are not independent, so the persona is the unit of analysis. With ``G`` personas,
residuals ``e`` and ``N`` episodes, the variance of a mean is

    V = G / (G - 1) · Σ_g (Σ_{i in g} e_i)² / N²           (the cluster-robust, "CR1", sandwich of a mean)

and intervals use Student's t with ``G - 1`` degrees of freedom. Two cases need more than that, because the plain
interval collapses to a point when all episodes agree:

- a *rate* (success): Wilson's score interval at the effective sample size ``n = p (1 - p) / V`` (Franco, Little,
  Louis and Slud, 2019, "Comparative study of confidence intervals for proportions in complex sample surveys");
  where V is 0, ``n`` is the number of personas;
- a *paired difference of rates* (each pair −1, 0 or 1): Bonett and Price (2012): the interval is computed with two
  pairs added, one of each sign. The mean shown is the plain one.

Of an agent that was trained several times, with every training meeting the same personas, two things vary: whom it met,
and how its training went. Then the variance is clustered both ways (Cameron, Gelbach and Miller, 2011, "Robust
Inference with Multiway Clustering"), ``V = V_personas + V_trainings − V_both``, at least the larger of the first two,
with Satterthwaite's degrees of freedom: five trainings tell little about how trainings vary, and intervals say so.

``tests/benchmarks/test_stats.py`` measures the coverage of all of them by simulation.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

__all__ = ["METHOD", "TRAININGS", "Interval", "difference_interval", "mean_interval", "rate_interval"]

METHOD = (
    "95 % intervals, clustered by persona: cluster-robust t; success: Wilson score at the effective sample size; "
    "paired differences of success: cluster-robust t with two pairs added (Bonett and Price)"
)

TRAININGS = (
    "Agents that were trained several times: intervals are clustered by persona and by training (two-way, with "
    "Satterthwaite's degrees of freedom)"
)

_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95 % interval. ``low`` and ``high`` are NaN where fewer than two personas were seen."""

    mean: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """Rounded to six digits; NaN becomes ``None``, because JSON has no NaN."""
        return {name: _finite(getattr(self, name)) for name in ("mean", "low", "high")}

    def excludes(self, value: float = 0.0) -> bool:
        """Whether the interval does not hold ``value``."""
        return self.low > value or self.high < value


def _finite(value: float) -> float | None:
    return round(value, 6) + 0.0 if math.isfinite(value) else None


def mean_interval(
    values: Sequence[float] | np.ndarray,
    clusters: Sequence[Hashable],
    trainings: Sequence[Hashable] | None = None,
) -> Interval:
    """Mean of ``values`` with its cluster-robust t interval.

    Args:
        values: one number an episode.
        clusters: the persona of each episode.
        trainings: which training of the agent played it, if there are several.
    """
    x = np.asarray(values, dtype=float)
    if x.size == 0:
        return Interval(math.nan, math.nan, math.nan)
    mean = float(x.mean())
    variance, degrees, groups = _spread(x, clusters, trainings)
    if groups < 2:
        return Interval(mean, math.nan, math.nan)
    half = _quantile(degrees) * math.sqrt(variance)
    return Interval(mean, mean - half, mean + half)


def rate_interval(
    successes: Sequence[float] | np.ndarray,
    clusters: Sequence[Hashable],
    trainings: Sequence[Hashable] | None = None,
) -> Interval:
    """Rate of 0/1 values with Wilson's interval at the effective sample size. It never leaves [0, 1]."""
    x = np.asarray(successes, dtype=float)
    if x.size == 0:
        return Interval(math.nan, math.nan, math.nan)
    rate = float(x.mean())
    variance, degrees, groups = _spread(x, clusters, trainings)
    if groups < 2:
        return Interval(rate, math.nan, math.nan)
    effective = rate * (1 - rate) / variance if variance > 0 else float(groups)
    # An effective size above the number of episodes is luck of the draw, not information.
    n = min(effective, float(x.size))
    z2 = _quantile(degrees) ** 2
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return Interval(rate, max(0.0, centre - half), min(1.0, centre + half))


def difference_interval(
    differences: Sequence[float] | np.ndarray,
    clusters: Sequence[Hashable],
    trainings: Sequence[Hashable] | None = None,
) -> Interval:
    """Mean of paired differences of rates, each −1, 0 or 1, with its interval.

    Args:
        differences: agent minus baseline, one an episode that both played.
        clusters: the persona of each episode.
        trainings: which training each pair is of, if there are several.
    """
    x = np.asarray(differences, dtype=float)
    plain = mean_interval(x, clusters, trainings)
    if not math.isfinite(plain.low):
        return plain
    both = [*clusters, ("added", 1), ("added", -1)]
    runs = None if trainings is None else [*trainings, trainings[0], trainings[0]]
    padded = mean_interval(np.append(x, (1.0, -1.0)), both, runs)
    return Interval(plain.mean, max(-1.0, padded.low), min(1.0, padded.high))


def _spread(
    x: np.ndarray, clusters: Sequence[Hashable], trainings: Sequence[Hashable] | None
) -> tuple[float, float, int]:
    """Variance of the mean of ``x``, its degrees of freedom, and the number of personas."""
    personas, groups = _variance(x, clusters)
    runs = 0 if trainings is None else len(set(trainings))
    if trainings is None or runs < 2 or groups < 2:
        return personas, groups - 1, groups
    between, _ = _variance(x, trainings)
    both, _ = _variance(x, list(zip(clusters, trainings, strict=True)))
    total = max(personas + between - both, personas, between)
    if total <= 0:
        return total, groups - 1, groups
    degrees = total**2 / (personas**2 / (groups - 1) + between**2 / (runs - 1))
    return total, max(degrees, min(groups, runs) - 1), groups


def _variance(x: np.ndarray, clusters: Sequence[Hashable]) -> tuple[float, int]:
    """Cluster-robust variance of the mean of ``x``, and the number of clusters."""
    numbers: dict[Hashable, int] = {}
    codes = np.fromiter(
        (numbers.setdefault(cluster, len(numbers)) for cluster in clusters), dtype=int, count=x.size
    )
    groups = len(numbers)
    if groups < 2:
        return math.nan, groups
    sums = np.bincount(codes, weights=x - x.mean(), minlength=groups)  # (groups,)
    return float(groups / (groups - 1) * np.sum(sums**2) / x.size**2), groups


def _quantile(degrees: float) -> float:
    return float(stdtrit(degrees, 0.5 + _LEVEL / 2))
