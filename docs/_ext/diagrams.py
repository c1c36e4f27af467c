"""Kernels as diagrams: what the agent does, what decides, what the user does, and how a talk ends.

``python -m docs._ext.diagrams`` draws ``docs/_static/kernel-NAME.svg`` from the tables below; colours follow the
reader's light or dark scheme.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "_static"

Row = tuple[str, str, str]
"""(what the agent does, what decides, what the user does)"""


@dataclass(frozen=True, slots=True)
class Diagram:
    """A kernel for people.

    Attributes:
        title: the environment's id.
        hidden: the persona's parts.
        state: what changes in the course of a talk.
        rows: one for each kind of agent turn.
        ends: how a talk ends.
    """

    title: str
    hidden: str
    state: str
    rows: Sequence[Row]
    ends: Sequence[str]


DIAGRAMS = {
    "preference": Diagram(
        "PreferenceElicitation-v0",
        "theme, setting, pace, crowd (one matters most) · budget, time, need · family",
        "patience · what was said · what was refused or pondered · a change of mind",
        (
            (
                "asks about one thing",
                "openness of the family; −0.3 patience",
                "answers, or “hard to say”; sometimes adds something",
            ),
            ("asks several things", "−0.75 for each further one", "answers; of three or more only the first"),
            ("asks what was said already", "−1.0 patience", "says it again, less gladly"),
            (
                "suggests one activity",
                "limits, then how well it fits; −2.0 if refused",
                "accepts, hesitates, or refuses and names one thing that shows",
            ),
            ("suggests four or more", "−1.5 patience", "considers none"),
            (
                "chats, or cannot be understood",
                "−0.5, −1.0 patience",
                "“so, any ideas?”, “what do you mean?”",
            ),
        ),
        (
            "accepts: success if it meets every limit and is among the best",
            "patience is gone: leaves, or settles for second best (some families)",
            "the agent says goodbye · 12 turns: cut off",
        ),
    ),
    "instruction": Diagram(
        "Instruction-v0",
        "known, unknown or misconceived for each idea · background, preferred style · family",
        "attention · what is understood, what is believed to be understood · what was tested, explained, corrected",
        (
            (
                "asks who the student is",
                "openness; −2 attention",
                "tells background and style, or “hard to say”",
            ),
            (
                "asks “do you know …?”",
                "what the student believes; −2",
                "claims: right, too much, or too little",
            ),
            (
                "quizzes an idea",
                "what is understood; −5",
                "shows it, a gap or the mistake; some ask back first",
            ),
            (
                "explains an idea",
                "basis understood? level and style? no live mistake, short? −4",
                "understands; or is puzzled, objects “but I thought …”, or just nods",
            ),
            (
                "corrects a mistake",
                "a mistake is there (stubborn: was voiced first); −4",
                "“oh, so it is not …”; now it can be explained",
            ),
            ("explains what is known, lectures, chats", "−7, −5 to −12, −3 to −5", "gets tired"),
        ),
        (
            "thinks it knows every idea: ends the lesson content; success if it is true of all of them",
            "attention is used up: leaves",
            "the agent ends the lesson: success if all is understood and the student is content · 16 turns: cut off",
        ),
    ),
    "persuasion": Diagram(
        "Persuasion-v0",
        "value, taste (reason, feeling) · means, trust · an objection at hand, and a hidden one · family",
        "willingness · trust · objections named and met · appeals used · patience",
        (
            (
                "asks what matters, what is in the way",
                "openness, trust; −0.4 patience",
                "answers, evades; the hidden objection comes second",
            ),
            (
                "appeals to reason, feeling, a value",
                "taste, value, trust, repetition; −0.4",
                "warms or cools; willingness rises or falls",
            ),
            ("tells a fact of the brief", "was it asked for? −0.25", "trust rises; a doubt is met"),
            (
                "speaks of an objection",
                "named before? taste and trust",
                "it is met; or trust falls, if there was none",
            ),
            (
                "proposes an amount, or asks for a yes",
                "objection, trust, evidence, willingness, hidden objection, means",
                "gives, offers less, promises, doubts, objects, or says no",
            ),
            ("pushes, or invents facts", "−0.2 or −0.4 trust; −1.5 patience", "resents it; some walk out"),
        ),
        (
            "gives: success; graded by the most that they would ever give",
            "patience is gone: leaves",
            "the agent says goodbye · 14 turns: cut off",
        ),
    ),
}

_WIDTHS = (230, 250, 300)
_LEFT, _GAP, _LINE = 20, 34, 17
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1d2733 }
.head { font-weight: 600 } svg { background: #ffffff }
rect { fill: #f3f6f9; stroke: #b7c3cf; rx: 8px }
.hidden { fill: #fdf3e1; stroke: #d9a441 } .end { fill: #e6f4ea; stroke: #5fa777 }
path { stroke: #7c8b9a; fill: none } marker path { fill: #7c8b9a; stroke: none }
@media (prefers-color-scheme: dark) {
  svg { background: #14191f } text { fill: #e3e9ef } rect { fill: #232b34; stroke: #4a5866 }
  .hidden { fill: #3a301b; stroke: #b98a35 } .end { fill: #1e3326; stroke: #4c8a61 }
}
"""


def svg(diagram: Diagram) -> str:
    """The picture, as text."""
    parts: list[str] = []
    width = 2 * _LEFT + sum(_WIDTHS) + 2 * _GAP
    y = 34
    parts.append(
        f'<text class="head" x="{_LEFT}" y="{y}" style="font-size:16px">{escape(diagram.title)}</text>'
    )
    y += 16
    for kind, label, text in (("hidden", "hidden: ", diagram.hidden), ("", "state: ", diagram.state)):
        lines = textwrap.wrap(label + text, 118)
        parts.append(_box(_LEFT, y, width - 2 * _LEFT, lines, kind))
        y += _height(lines) + 10
    y += 14
    columns = [_LEFT, _LEFT + _WIDTHS[0] + _GAP, _LEFT + _WIDTHS[0] + _WIDTHS[1] + 2 * _GAP]
    for x, head in zip(columns, ("the agent …", "what decides", "the user …"), strict=True):
        parts.append(f'<text class="head" x="{x}" y="{y}">{head}</text>')
    y += 10
    for row in diagram.rows:
        cells = [textwrap.wrap(text, size // 7) for text, size in zip(row, _WIDTHS, strict=True)]
        height = max(map(_height, cells))
        for x, size, lines in zip(columns, _WIDTHS, cells, strict=True):
            parts.append(_box(x, y, size, lines, "", height))
        for i in (1, 2):
            parts.append(
                f'<path d="M{columns[i] - _GAP + 3} {y + height / 2}H{columns[i] - 8}" marker-end="url(#a)"/>'
            )
        y += height + 10
    y += 8
    for text in diagram.ends:
        lines = textwrap.wrap(text, 118)
        parts.append(_box(_LEFT, y, width - 2 * _LEFT, lines, "end"))
        y += _height(lines) + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y + 8}" width="{width}" role="img" '
        f'aria-label="The kernel of {escape(diagram.title)}"><style>{_STYLE}</style><defs><marker id="a" '
        'viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z"/></marker></defs>' + "".join(parts) + "</svg>\n"
    )


def _height(lines: Sequence[str]) -> int:
    return _LINE * len(lines) + 12


def _box(x: int, y: int, width: int, lines: Sequence[str], kind: str, height: int | None = None) -> str:
    whole = height or _height(lines)
    first = y + (whole - _LINE * len(lines)) / 2 + 13
    texts = "".join(
        f'<text x="{x + 10}" y="{first + _LINE * i:g}">{escape(line)}</text>' for i, line in enumerate(lines)
    )
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{whole}"/>{texts}'


def main() -> None:
    """Draw all of them."""
    for name, diagram in DIAGRAMS.items():
        (FOLDER / f"kernel-{name}.svg").write_text(svg(diagram), encoding="utf-8")


if __name__ == "__main__":
    main()
