"""What a report is made of: sections of blocks, each of which knows itself as Markdown and as HTML.

A picture's Markdown is a table of the same numbers, so that ``report.md`` leaves nothing out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from typing import Any, Protocol

from dialog_envs.benchmarks.data_report.figures import Histogram
from dialog_envs.benchmarks.stats import Interval
from dialog_envs.benchmarks.svg import Mark, axis, columns, lines, share_bar, strip
from dialog_envs.benchmarks.tables import percent
from dialog_envs.datasets.markdown import fenced, table

QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)


class Block(Protocol):
    """A part of a section."""

    def markdown(self) -> list[str]:
        """Its lines."""

    def html(self) -> str:
        """Its markup, with everything escaped."""


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. Plain words; ``small`` sets it small in HTML."""

    words: str
    small: bool = False

    def markdown(self) -> list[str]:
        """One line."""
        return [self.words]

    def html(self) -> str:
        """A paragraph."""
        return f'<p class="{"small" if self.small else "lead"}">{escape(self.words)}</p>'


@dataclass(frozen=True, slots=True)
class Table:
    """A table. Numbers stand right; floats get three digits, anything else is shown as it is."""

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    title: str = ""

    def markdown(self) -> list[str]:
        """A table of GitHub's kind, under its title in bold."""
        rows = [["–" if value is None else value for value in row] for row in self.rows]
        return [*([f"**{self.title}**", ""] if self.title else []), *table(self.header, rows)]

    def html(self) -> str:
        """A table that scrolls by itself where it is too wide."""
        words = [any(isinstance(row[i], str) for row in self.rows) for i in range(len(self.header))]
        kinds = [' class="text"' if word else "" for word in words]
        head = "".join(
            f'<th scope="col"{kind}>{escape(name)}</th>'
            for name, kind in zip(self.header, kinds, strict=True)
        )
        body = ""
        for first, *rest in self.rows:
            cells = "".join(
                f"<td{kind}>{escape(_shown(value))}</td>" for value, kind in zip(rest, kinds[1:], strict=True)
            )
            body += f'<tr><th scope="row">{escape(_shown(first))}</th>{cells}</tr>'
        title = f"<h3>{escape(self.title)}</h3>" if self.title else ""
        return (
            f'<div class="block">{title}<div class="scroll"><table><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div></div>"
        )


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}" if math.isfinite(value) else "–"
    return f"{value:,}" if isinstance(value, int) else str(value)


@dataclass(frozen=True, slots=True)
class Bars:
    """Shares as bars below each other: (name, share in [0, 1], what stands beside it)."""

    title: str
    name: str
    rows: Sequence[tuple[str, float, str]]
    kind: str = "one"

    def markdown(self) -> list[str]:
        """A table."""
        rows = [(name, f"{share:.1%}", text) for name, share, text in self.rows]
        return [f"**{self.title}**", "", *table((self.name, "share", "number"), rows)]

    def html(self) -> str:
        """Bars, the longest as long as there is room."""
        most = max([share for _, share, _ in self.rows] + [1e-9])
        rows = "".join(
            f'<div class="name">{escape(name)}</div>{share_bar(share / most, self.kind, f"{name}: {share:.1%}")}'
            f'<div class="value">{share:.1%} · {escape(text)}</div>'
            for name, share, text in self.rows
        )
        return f'<div><h3>{escape(self.title)}</h3><div class="bars">{rows}</div></div>'


@dataclass(frozen=True, slots=True)
class Columns:
    """A histogram; ``unit`` says what is counted, ``scale`` what the places are."""

    title: str
    histogram: Histogram
    scale: str
    unit: str = "dialogues"
    kind: str = "one"

    def markdown(self) -> list[str]:
        """A table of the bins that hold something."""
        total = max(sum(self.histogram.counts), 1)
        rows = [
            (name, count, f"{count / total:.1%}")
            for name, count in zip(self._names(), self.histogram.counts, strict=True)
            if count
        ]
        return [f"**{self.title}**", "", *table((self.scale, self.unit, "share"), rows)]

    def html(self) -> str:
        """Columns."""
        counts = self.histogram.counts
        total = max(sum(counts), 1)
        texts = [
            f"{self.scale} {name}: {count:,} {self.unit} ({count / total:.1%})"
            for name, count in zip(self._names(), counts, strict=True)
        ]
        drawn = columns(counts, texts, self._labels(), self.kind)
        return f'<div><h3>{escape(self.title)}</h3>{drawn}<p class="small">{escape(self.scale)}</p></div>'

    def _names(self) -> list[str]:
        edges = self.histogram.edges
        if self.histogram.discrete:
            return [f"{edge:g}" for edge in edges]
        return [f"{low:.3g} to {high:.3g}" for low, high in pairwise(edges)]

    def _labels(self) -> list[tuple[float, str]]:
        edges = self.histogram.edges
        step = -(-len(edges) // 9)
        shift = 0.5 if self.histogram.discrete else 0.0
        return [(i + shift, f"{edges[i]:.3g}") for i in range(0, len(edges), step)]


@dataclass(frozen=True, slots=True)
class Shares:
    """A histogram of shares over [0, 1], several kinds below each other: kind → share in each bin."""

    title: str
    scale: str
    rows: Sequence[tuple[str, Sequence[float]]]

    def markdown(self) -> list[str]:
        """Nothing: the quantiles stand in the table above."""
        return []

    def html(self) -> str:
        """Columns for each kind."""
        return Charts([self._one(name, shares) for name, shares in self.rows]).html()

    def _one(self, name: str, shares: Sequence[float]) -> _Drawn:
        size = 1 / len(shares)
        texts = [
            f"{self.scale} {i * size:.2f} to {(i + 1) * size:.2f}: {share:.1%}"
            for i, share in enumerate(shares)
        ]
        labels = [(len(shares) * tick, f"{tick:g}") for tick in QUARTERS]
        drawn = columns(shares, texts, labels, "one")
        title = escape(self.title.format(name=name))
        return _Drawn(f'<div><h3>{title}</h3>{drawn}<p class="small">{escape(self.scale)}</p></div>')


@dataclass(frozen=True, slots=True)
class _Drawn:
    markup: str

    def markdown(self) -> list[str]:
        """Nothing."""
        return []

    def html(self) -> str:
        """What was drawn."""
        return self.markup


@dataclass(frozen=True, slots=True)
class Lines:
    """Values by turn: (class, name, values)."""

    title: str
    series: Sequence[tuple[str, str, Sequence[float]]]
    top: float
    scale: str = "agent turns so far"
    as_percent: bool = False

    def markdown(self) -> list[str]:
        """A table, a row a turn."""
        length = max(len(values) for _, _, values in self.series)
        rows = [
            (k, *(self._text(values[k]) if k < len(values) else "" for _, _, values in self.series))
            for k in range(length)
        ]
        header = (self.scale, *(name for _, name, _ in self.series))
        return [f"**{self.title}**", "", *table(header, rows)]

    def html(self) -> str:
        """Lines with a legend."""
        ticks = [(self.top * part, self._text(self.top * part)) for part in (0.0, 0.5, 1.0)]
        names = "".join(f'<span class="{kind}">● {escape(name)}</span>' for kind, name, _ in self.series)
        return (
            f'<div><h3>{escape(self.title)}</h3><p class="legend">{names}</p>'
            f'{lines(self.series, self.top, ticks, "after turn")}<p class="small">{escape(self.scale)}</p></div>'
        )

    def _text(self, value: float) -> str:
        return f"{value:.0%}" if self.as_percent else f"{value:.2f}"


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates with intervals below each other: (name, interval, what stands beside it)."""

    title: str
    name: str
    rows: Sequence[tuple[str, Interval, str]]

    def markdown(self) -> list[str]:
        """A table."""
        rows = [(name, percent(rate), text) for name, rate, text in self.rows]
        return [f"**{self.title}**", "", *table((self.name, "per cent", "dialogues"), rows)]

    def html(self) -> str:
        """Points with whiskers."""
        rows = ""
        for name, rate, text in self.rows:
            mark: Mark = ("typical", rate, f"{name}: {percent(rate)} %")
            about = escape(f"{percent(rate)} · {text}")
            rows += (
                f'<div class="name">{escape(name)}<span class="about">{about}</span></div>'
                f"{strip([mark], 0, 1, QUARTERS)}"
            )
        labels = axis([(tick, f"{100 * tick:.0f}{' %' if tick == 1 else ''}") for tick in QUARTERS], 0, 1)
        return (
            f'<div class="block"><h3>{escape(self.title)}</h3><div class="plot">{rows}<div class="name"></div>{labels}'
            "</div></div>"
        )


@dataclass(frozen=True, slots=True)
class Charts:
    """Blocks beside each other where there is room."""

    blocks: Sequence[Block]

    def markdown(self) -> list[str]:
        """One after the other."""
        return joined([block.markdown() for block in self.blocks])

    def html(self) -> str:
        """A grid."""
        return f'<div class="charts">{"".join(block.html() for block in self.blocks)}</div>'


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text as it is: commands, transcripts."""

    text: str

    def markdown(self) -> list[str]:
        """A fenced block that the text cannot end early."""
        return fenced(self.text.split("\n"), "text")

    def html(self) -> str:
        """Preformatted."""
        return f"<pre>{escape(self.text)}</pre>"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report under its heading."""

    title: str
    lead: str
    blocks: Sequence[Block] = field(default=())

    @property
    def anchor(self) -> str:
        """Its name in the page."""
        return "".join(c if c.isalnum() else "-" for c in self.title.casefold())

    def markdown(self) -> list[str]:
        """Heading, lead, blocks."""
        parts = [[self.lead]] if self.lead else []
        return [f"## {self.title}", "", *joined([*parts, *(block.markdown() for block in self.blocks)])]

    def html(self) -> str:
        """A section."""
        lead = f'<p class="lead">{escape(self.lead)}</p>' if self.lead else ""
        body = "".join(block.html() for block in self.blocks)
        return f'<section id="{self.anchor}"><h2>{escape(self.title)}</h2>{lead}{body}</section>'


def joined(parts: Sequence[Sequence[str]]) -> list[str]:
    """Parts with an empty line after each; empty ones are left out."""
    return [line for part in parts if part for line in (*part, "")]
