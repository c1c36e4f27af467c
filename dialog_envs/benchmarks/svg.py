"""Small pictures for the leaderboard page, as inline SVG.

Widths are in per cent and heights in pixels, so that a picture fits a phone and its text stays readable. Colours come
from the page's style sheet by class.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from dialog_envs.benchmarks.stats import Interval

__all__ = ["Mark", "axis", "bar", "strip"]

Mark = tuple[str, Interval, str]
"""(class, interval, text for a pointer that rests on it)"""


def bar(interval: Interval, kind: str) -> str:
    """A bar from 0 to the mean, with its interval, for a table cell. ``kind`` is its class."""
    if not math.isfinite(interval.mean):
        return ""
    low, high = _ends(interval)
    return (
        f'<svg class="bar {kind}" width="100%" height="10" aria-hidden="true" focusable="false">'
        f'<rect class="track" x="0" y="3" width="100%" height="4" rx="2"/>'
        f'<rect class="fill" x="0" y="3" width="{_percent(interval.mean)}" height="4" rx="2"/>'
        f'<line class="whisker" x1="{_percent(low)}" x2="{_percent(high)}" y1="5" y2="5"/>'
        f'<circle class="dot" cx="{_percent(interval.mean)}" cy="5" r="3.5"/></svg>'
    )


def strip(marks: Sequence[Mark], low: float, high: float, ticks: Sequence[float]) -> str:
    """One row of a plot: a point with its interval for each mark, the marks below each other.

    Args:
        marks: what to draw.
        low, high: ends of the axis.
        ticks: where vertical lines stand.
    """
    height = 10 + 16 * len(marks)
    parts = [f'<svg class="strip" width="100%" height="{height}" role="img">']
    for tick in ticks:
        at = _percent(tick, low, high)
        kind = "zero" if tick == 0 and low < 0 else "grid"
        parts.append(f'<line class="{kind}" x1="{at}" x2="{at}" y1="0" y2="{height}"/>')
    for number, (kind, interval, text) in enumerate(marks):
        if not math.isfinite(interval.mean):
            continue
        y = 13 + 16 * number
        left, right = (_percent(end, low, high) for end in _ends(interval))
        at = _percent(interval.mean, low, high)
        shape = (
            f'<circle class="dot" cx="{at}" cy="{y}" r="5"/>'
            if kind != "hard"
            else f'<svg x="{at}" y="{y}" overflow="visible"><rect class="dot" x="-4.5" y="-4.5" width="9" height="9" '
            'transform="rotate(45)"/></svg>'
        )
        parts.append(
            f'<g class="{kind}"><title>{escape(text)}</title>'
            f'<line class="whisker" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>{shape}</g>'
        )
    return "".join(parts) + "</svg>"


def axis(labels: Sequence[tuple[float, str]], low: float, high: float) -> str:
    """The labels of the axis that belongs to :func:`strip`."""
    parts = ['<svg class="axis" width="100%" height="20" aria-hidden="true">']
    for value, text in labels:
        anchor = "start" if value <= low else "end" if value >= high else "middle"
        parts.append(
            f'<text x="{_percent(value, low, high)}" y="14" text-anchor="{anchor}">{escape(text)}</text>'
        )
    return "".join(parts) + "</svg>"


def _ends(interval: Interval) -> tuple[float, float]:
    if not math.isfinite(interval.low):
        return interval.mean, interval.mean
    return interval.low, interval.high


def _percent(value: float, low: float = 0.0, high: float = 1.0) -> str:
    return f"{100 * min(1.0, max(0.0, (value - low) / (high - low))):.2f}%"
