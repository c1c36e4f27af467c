"""Small pictures for the leaderboard page and for reports on datasets, as inline SVG.

Widths are in per cent and heights in pixels, so that a picture fits a phone and its text stays readable. Colours come
from the page's style sheet by class.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from dialog_envs.benchmarks.stats import Interval

__all__ = ["Mark", "Series", "axis", "bar", "columns", "lines", "share_bar", "strip"]

Mark = tuple[str, Interval, str]
"""(class, interval, text for a pointer that rests on it)"""
Series = tuple[str, str, Sequence[float]]
"""(class, name, a value for each place on the axis)"""


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


def share_bar(share: float, kind: str, text: str) -> str:
    """A plain bar of a share in [0, 1], for a row of a plot. ``text`` is for a pointer that rests on it."""
    return (
        f'<svg class="share {kind}" width="100%" height="18" role="img"><title>{escape(text)}</title>'
        f'<rect class="track" x="0" y="4" width="100%" height="10" rx="3"/>'
        f'<rect class="fill" x="0" y="4" width="{_percent(share)}" height="10" rx="3"/></svg>'
    )


def columns(
    heights: Sequence[float], texts: Sequence[str], labels: Sequence[tuple[float, str]], kind: str
) -> str:
    """A histogram: columns beside each other, with labels below.

    Args:
        heights: of the columns, at least one; the tallest fills the picture.
        texts: for a pointer that rests on a column.
        labels: (place, text); places count columns: 0 is the left edge of the first, 0.5 its middle.
        kind: class of the columns.
    """
    tall, low = 130, max([*heights, 1e-12])
    width = 100 / len(heights)
    gap = min(0.6, width / 8)
    parts = [f'<svg class="columns {kind}" width="100%" height="{tall + 22}" role="img">']
    for i, (height, text) in enumerate(zip(heights, texts, strict=True)):
        size = max(1.5 if height else 0.0, tall * height / low)
        parts.append(
            f'<g><title>{escape(text)}</title><rect class="fill" x="{i * width + gap:.3f}%" y="{tall - size:.1f}" '
            f'width="{width - 2 * gap:.3f}%" height="{size:.1f}"/></g>'
        )
    parts.append(f'<line class="zero" x1="0" x2="100%" y1="{tall}" y2="{tall}"/>')
    for place, text in labels:
        at = 100 * place / len(heights)
        anchor = "start" if at <= 0 else "end" if at >= 100 else "middle"
        parts.append(f'<text x="{at:.2f}%" y="{tall + 16}" text-anchor="{anchor}">{escape(text)}</text>')
    return "".join(parts) + "</svg>"


def lines(series: Sequence[Series], top: float, ticks: Sequence[tuple[float, str]], x_title: str) -> str:
    """Lines over the places 0, 1, 2 … of one axis.

    Args:
        series: what to draw.
        top: upper end of the axis of values; the lower one is 0.
        ticks: (value, text) of horizontal lines.
        x_title: what a place is, for a pointer that rests on a point: ``turn``.
    """
    tall, above = 170, 14
    last = max(1, max(len(values) for _, _, values in series) - 1)

    def across(i: int) -> str:
        return f"{3 + 94 * i / last:.2f}%"

    def down(value: float) -> str:
        return f"{above + (tall - above) * (1 - min(1.0, max(0.0, value / top))):.1f}"

    parts = [f'<svg class="lines" width="100%" height="{tall + 24}" role="img">']
    for value, text in ticks:
        y = down(value)
        parts.append(f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="0" y="{float(y) - 3:.1f}" text-anchor="start">{escape(text)}</text>')
    for kind, name, values in series:
        parts.append(f'<g class="{kind}">')
        for i in range(len(values) - 1):
            parts.append(
                f'<line class="stroke" x1="{across(i)}" x2="{across(i + 1)}" y1="{down(values[i])}" '
                f'y2="{down(values[i + 1])}"/>'
            )
        for i, value in enumerate(values):
            parts.append(
                f'<circle class="dot" cx="{across(i)}" cy="{down(value)}" r="3"><title>'
                f"{escape(f'{name}, {x_title} {i}: {value:.2f}')}</title></circle>"
            )
        parts.append("</g>")
    step = max(1, -(-last // 8))
    for i in range(0, last + 1, step):
        parts.append(f'<text x="{across(i)}" y="{tall + 17}" text-anchor="middle">{i}</text>')
    return "".join(parts) + "</svg>"


def _ends(interval: Interval) -> tuple[float, float]:
    if not math.isfinite(interval.low):
        return interval.mean, interval.mean
    return interval.low, interval.high


def _percent(value: float, low: float = 0.0, high: float = 1.0) -> str:
    return f"{100 * min(1.0, max(0.0, (value - low) / (high - low))):.2f}%"
