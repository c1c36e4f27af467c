"""What a study found, as a table with intervals, JSON, Markdown and a picture."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from dialog_envs.benchmarks.journal import write_text
from dialog_envs.benchmarks.leaderboard import Leaderboard
from dialog_envs.benchmarks.stats import Interval
from dialog_envs.benchmarks.study.spec import Arm, Size, Study
from dialog_envs.benchmarks.svg import axis, strip
from dialog_envs.datasets import read_dataset
from dialog_envs.datasets.diversity import vendi_score_of_kernel
from dialog_envs.datasets.markdown import table
from dialog_envs.datasets.people import personas

__all__ = ["StudyReport", "report", "write_report"]

USERS = ("typical", "hard")
_VENDI_PEOPLE = 300
FINE = 0.05
"""Half the width of an interval that tells apart what is worth telling apart."""


@dataclass(frozen=True)
class StudyReport:
    """What was found.

    Attributes:
        study, size: what was done.
        arms: those of the size.
        board: success and differences; a row is over all trainings of an arm.
        data: figures of each arm's datasets, means over them.
    """

    study: Study
    size: Size
    arms: tuple[Arm, ...]
    board: Leaderboard
    data: Mapping[str, Mapping[str, float]]

    def to_json(self) -> dict[str, Any]:
        """The content of ``study.json``."""
        return {
            "schema": 1,
            "study": self.study.name,
            "question": self.study.question,
            "task": self.study.task,
            "baseline": self.study.baseline,
            "size": asdict(self.size),
            "arms": [{"name": arm.name, "about": arm.about} for arm in self.arms],
            "rows": [row.to_json() for row in self.board.rows if row.users in USERS],
            "paired": [pair.to_json() for pair in self.board.paired if pair.users in USERS],
            "data": {name: dict(figures) for name, figures in self.data.items()},
        }


def report(
    study: Study, size: Size, arms: Sequence[Arm], data: Mapping[str, Sequence[Path]], board: Leaderboard
) -> StudyReport:
    """Put it together."""
    figures = {name: _mean([_figures(path) for path in paths]) for name, paths in data.items()}
    return StudyReport(study, size, tuple(arms), board, figures)


def write_report(folder: Path, found: StudyReport) -> None:
    """Write ``study.json``, ``.md`` and ``.svg``. Raises :class:`RunFolderError`."""
    write_text(folder / "study.svg", svg(found))
    write_text(folder / "study.md", markdown(found))
    write_text(folder / "study.json", json.dumps(found.to_json(), indent=1, ensure_ascii=False) + "\n")


# ---- data ------------------------------------------------------------------------------------------------------------


def _figures(path: Path) -> dict[str, float]:
    """What a dataset is like, in numbers."""
    dataset = read_dataset(path)
    manifest, episodes = dataset.manifest, dataset.episodes
    critique, told = manifest.get("critique", {}), manifest.get("imagination", {})
    attempts = max(int(told.get("attempts", critique.get("attempts", len(episodes)))), 1)
    people = [one.persona for one in personas(episodes).values()]
    found = {
        "dialogues": float(len(episodes)),
        "attempts": float(attempts),
        "dropped": critique.get("dropped", 0) / attempts,
        "revised": critique.get("revised", 0) / attempts,
        "thrown away": float(sum(told.get("rejected", {}).values())),
        "success": float(np.mean([bool(episode.outcome["success"]) for episode in episodes])),
        "people": float(len(people)),
        "diversity of people": _people_vendi(people),
        "cost": float(manifest.get("cost", {}).get("usd", 0.0)),
    }
    if "label" in told:
        found["label agrees"] = float(told["label"]["agree"])
    return found


def _people_vendi(people: Sequence[Mapping[str, Any]]) -> float:
    """Vendi score of personas, whose likeness is the share of equal fields; of the first :data:`_VENDI_PEOPLE`."""
    rows = [[json.dumps(one[key], sort_keys=True) for key in sorted(one)] for one in people[:_VENDI_PEOPLE]]
    if not rows or len({len(row) for row in rows}) > 1:
        return math.nan
    codes = np.stack([np.unique(column, return_inverse=True)[1] for column in np.array(rows).T], -1)
    return vendi_score_of_kernel((codes[:, None, :] == codes[None, :, :]).mean(-1))


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {key: round(float(np.mean([row[key] for row in rows])), 6) for key in rows[0]}


# ---- words -----------------------------------------------------------------------------------------------------------


def markdown(found: StudyReport) -> str:
    """The tables, as Markdown that reads well as plain text."""
    study, size, board = found.study, found.size, found.board
    lines = [f"# {study.name}: {study.question}", ""]
    made = f"{size.dialogues:,} dialogues, {size.seeds} trainings an arm, " if found.data else ""
    played = f"{size.episodes} episodes a user family{' and training' if found.data else ''}"
    models = ", ".join(size.models) or "none"
    lines += [f"{study.task}, size '{size.name}': {made}{played}. Model: {models}.", ""]
    lines += table(
        ("arm", *(f"{users}, %" for users in USERS), *(f"difference, {users}" for users in USERS)),
        [(name, *_cells(found, name)) for name in _names(found)],
    )
    if found.data:
        heads = list(next(iter(found.data.values())))
        heads += [key for row in found.data.values() for key in row if key not in heads][:1]
        body = [(name, *(_number(key, row.get(key)) for key in heads)) for name, row in found.data.items()]
        lines += ["", *table(("data of", *heads), body)]
    lines += ["", *(f"- {arm.name}: {arm.about}" for arm in found.arms if arm.about), ""]
    lines += [study.note.strip(), ""] if study.note else []
    lines += [
        f"Differences are points of success from '{study.baseline}', on the same people, scenarios and training seeds; "
        "* leaves 0 out.",
        *_resolution(found),
        f"{board.method}.",
    ]
    return "\n".join(lines) + "\n"


def _resolution(found: StudyReport) -> list[str]:
    """How small a difference can be and still be seen: the widest interval of an arm, and what halving it would take.

    An interval shrinks with the root of the number of people, if nothing but people varies.
    """
    own = {arm.name for arm in found.arms}
    widths = {
        users: [(p.difference.high - p.difference.low) / 2 for p in found.board.paired
                if p.users == users and p.agent in own and math.isfinite(p.difference.low)]
        for users in USERS
    }  # fmt: skip
    said = [
        f"±{100 * max(one):.0f} points for {users} users ({(max(one) / FINE) ** 2:.0f} times the episodes would bring "
        f"it to ±{100 * FINE:.0f})"
        for users, one in widths.items()
        if one and max(one) > 0
    ]
    more = " Trainings vary, too: more of them narrow it as well." if found.data else ""
    return [f"The widest interval of a difference is {', '.join(said)}.{more}"] if said else []


def _names(found: StudyReport) -> list[str]:
    own = [arm.name for arm in found.arms]
    return own + [name for name in found.board.agents(found.study.task) if name not in own]


def _cells(found: StudyReport, name: str) -> list[str]:
    task, cells = found.study.task, []
    for users in USERS:
        row = found.board.row(task, name, users)
        cells.append("" if row is None else _percent(row.success))
    for users in USERS:
        pair = found.board.pair(task, name, users)
        mark = " *" if pair is not None and pair.difference.excludes(0.0) else ""
        cells.append("" if pair is None else _percent(pair.difference, "+") + mark)
    return cells


def _percent(interval: Interval, sign: str = "") -> str:
    def one(value: float) -> str:
        return f"{100 * value:{sign}.0f}" if math.isfinite(value) else "?"

    return f"{one(interval.mean)} [{one(interval.low)}, {one(interval.high)}]"


def _number(key: str, value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return ""
    if key in ("dropped", "revised", "success", "label agrees"):
        return f"{100 * value:.0f} %"
    return f"${value:.2f}" if key == "cost" else f"{value:,.1f}".removesuffix(".0")


# ---- picture ---------------------------------------------------------------------------------------------------------

_STYLE = (
    "text{font:13px sans-serif;fill:#555}.grid{stroke:#ccc}.typical .dot{fill:#2a6fb0}.hard .dot{fill:#c0582b}"
    ".typical .whisker{stroke:#2a6fb0;stroke-width:2}.hard .whisker{stroke:#c0582b;stroke-width:2}"
)
_LEFT, _WIDE, _ROW = 190, 460, 46


def svg(found: StudyReport) -> str:
    """Success of each arm with its interval; circles: typical users, diamonds: hard ones."""
    names, parts = _names(found), []
    for number, name in enumerate(names):
        marks = []
        for users in USERS:
            row = found.board.row(found.study.task, name, users)
            if row is not None:
                marks.append((users, row.success, f"{name}, {users} users: {_percent(row.success)} %"))
        top = 10 + _ROW * number
        parts.append(f'<text x="{_LEFT - 12}" y="{top + 24}" text-anchor="end">{escape(name)}</text>')
        parts.append(
            f'<svg x="{_LEFT}" y="{top}" width="{_WIDE}" height="{_ROW}">'
            f"{strip(marks, 0, 1, (0.0, 0.25, 0.5, 0.75, 1.0))}</svg>"
        )
    end = 10 + _ROW * len(names)
    ticks = axis([(tick, f"{100 * tick:.0f}") for tick in (0.0, 0.25, 0.5, 0.75, 1.0)], 0, 1)
    parts.append(f'<svg x="{_LEFT}" y="{end}" width="{_WIDE}" height="20">{ticks}</svg>')
    legend = "success, %: circles typical users, diamonds hard users; 95 % intervals"
    parts.append(f'<text x="{_LEFT}" y="{end + 38}">{legend}</text>')
    size = f'width="{_LEFT + _WIDE + 30}" height="{end + 50}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{_STYLE}</style>{"".join(parts)}</svg>\n'
