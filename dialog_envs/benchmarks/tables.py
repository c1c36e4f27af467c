"""The leaderboard as Markdown and as a table in the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dialog_envs.benchmarks.leaderboard import Leaderboard, Paired, Row
from dialog_envs.benchmarks.overall import METHOD as overall_method
from dialog_envs.benchmarks.overall import Overall
from dialog_envs.benchmarks.playing import METHOD as FIDELITY
from dialog_envs.benchmarks.progress import duration
from dialog_envs.benchmarks.stats import Interval

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["markdown", "number", "percent", "print_leaderboard", "seconds", "table"]

GROUPS = ("typical", "hard")


_WORDS = "Success in per cent with its 95 % interval, the other figures a mean an episode."


def percent(interval: Interval | None, sign: str = "") -> str:
    """``62 [55, 69]``: per cent with its interval; ``–`` where there is none."""
    if interval is None or not math.isfinite(interval.mean):
        return "–"
    mean = f"{100 * interval.mean:{sign}.0f}"
    if not math.isfinite(interval.low):
        return mean
    return f"{mean} [{100 * interval.low:{sign}.0f}, {100 * interval.high:{sign}.0f}]"


def number(value: float | None, digits: int = 1) -> str:
    """A figure for people; ``–`` where it is not known."""
    return "–" if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"


def small(value: float) -> str:
    """A figure that may be tiny: three digits that matter."""
    return "–" if not math.isfinite(value) else "0" if value == 0 else f"{value:.3g}"


def seconds(value: float) -> str:
    """``<1 ms``, ``86 ms``, ``1.2 s``, ``3 min 05 s``."""
    if not math.isfinite(value):
        return "–"
    if value < 0.9995:
        return f"{1000 * value:.0f} ms" if value >= 0.001 else "<1 ms"
    return f"{value:.1f} s" if value < 60 else duration(value)


# ---- Markdown --------------------------------------------------------------------------------------------------------


def markdown(board: Leaderboard) -> str:
    """The whole leaderboard as Markdown (tables of GitHub's kind)."""
    lines = [f"# Leaderboard: suite {_cell(board.suite)}", "", *_overall_lines(board), *_task_lines(board)]
    for track in board.tracks[1:]:
        lines += _task_lines(board.on(track), f", users: {track}")
    lines += [*crossing_lines(board), *_fidelity_lines(board)]
    lines += [f"{board.method}.", "", "Versions: " + ", ".join(version_words(board)) + "."]
    return "\n".join(lines) + "\n"


def _task_lines(board: Leaderboard, where: str = "") -> list[str]:
    lines: list[str] = []
    for task in board.tasks:
        lines += [f"## {_cell(task + where)}", "", _WORDS, ""]
        lines += table(_GROUP_HEAD, [_group_cells(board, task, agent) for agent in board.agents(task)])
        families = [users for users in board.users(task) if users not in GROUPS]
        if families:
            head = ["Success on", *families]
            body = [
                [agent, *(percent(_success(board.row(task, agent, users))) for users in families)]
                for agent in board.agents(task)
            ]
            lines += ["", *table(head, body)]
        pairs = [pair for pair in board.pairs(task) if pair.users in GROUPS]
        if pairs:
            baseline = _cell(pairs[0].baseline)
            lines += [
                "",
                f"Difference from {baseline} on the same personas, scenarios and seeds, in points:",
                "",
            ]
            lines += table(["Agent", "Users", "Difference", "Pairs"], [_pair_cells(pair) for pair in pairs])
        lines.append("")
    return lines


def crossing_lines(board: Leaderboard) -> list[str]:
    """The table of agents × tracks, where there are several tracks."""
    if not board.across:
        return []
    head, body = crossing_cells(board)
    return [
        "## Who plays the user",
        "",
        f"{CROSSING_WORDS.format(track=board.track)}.",
        "",
        *table(head, body),
        "",
    ]


CROSSING_WORDS = (
    "Success on the episodes that an agent played on both tracks, with other users and with those of the track "
    "{track}, and the difference in points"
)


def crossing_cells(board: Leaderboard) -> tuple[list[str], list[list[str]]]:
    """Head and rows: an agent on a task and a group of users, on another track and on the main one."""
    head = ["Agent", "Task", "Users", "Played by", "Success", f"With {board.track}", "Difference", "Episodes"]
    body = [
        [
            one.agent,
            one.task,
            one.users,
            one.track,
            percent(one.success),
            percent(one.main),
            percent(one.difference, "+"),
            str(one.episodes),
        ]
        for one in board.across
    ]
    return head, body


def _fidelity_lines(board: Leaderboard) -> list[str]:
    if not board.fidelity:
        return []
    head, body = fidelity_cells(board)
    return ["## How well users played their personas", "", f"{FIDELITY}.", "", *table(head, body), ""]


def fidelity_cells(board: Leaderboard) -> tuple[list[str], list[list[str]]]:
    """Head and rows: a track on a task."""
    head = [
        "Users", "Task", "Consistency", "Elicited", "Agreement", "Variety", "Asked again", "Held back", "Time",
        "Tokens", "Cost, $", "Episodes",
    ]  # fmt: skip
    body = [
        [
            row.track,
            row.task,
            percent(row.consistency),
            number(None if row.elicited is None else 100 * row.elicited, 0),
            percent(row.agreement),
            number(row.variety, 2),
            number(row.asked_again, 2),
            number(row.held_back, 2),
            seconds(row.seconds),
            number(row.tokens, 0),
            small(row.cost_usd),
            f"{row.episodes:,}" + (f" ({row.unscored} unscored)" if row.unscored else ""),
        ]
        for row in board.fidelity
    ]
    return head, body


def _overall_lines(board: Leaderboard) -> list[str]:
    if not board.overall:
        return []
    agents = dict.fromkeys(row.agent for row in board.overall)
    compared = f"Difference from {board.baseline}, " if board.baseline else ""
    head = ["Agent", *(f"{users.capitalize()} users" for users in GROUPS)]
    head += [f"{compared}{users}" for users in GROUPS] if compared else []
    body = []
    for agent in agents:
        rows = [overall_row(board, agent, users) for users in GROUPS]
        cells = [agent, *(percent(row.score if row else None) for row in rows)]
        cells += [percent(row.difference if row else None, "+") for row in rows] if compared else []
        body.append(cells)
    return ["## All tasks", "", f"{overall_method}.", "", *table(head, body), ""]


def overall_row(board: Leaderboard, agent: str, users: str) -> Overall | None:
    """An agent's figure over all tasks, if it has one."""
    return next((row for row in board.overall if (row.agent, row.users) == (agent, users)), None)


_GROUP_HEAD = [
    "Agent",
    "Typical users",
    "Hard users",
    "Return, hard",
    "Turns",
    "Questions",
    "Bits learned",
    "Time",
    "Tokens",
    "Cost, $",
    "Episodes",
]


def _group_cells(board: Leaderboard, task: str, agent: str) -> list[str]:
    rows = {users: board.row(task, agent, users) for users in GROUPS}
    shown = rows["hard"] or rows["typical"]
    successes = [percent(_success(rows[users])) for users in GROUPS]
    if shown is None:
        return [agent, *successes, *("–" for _ in _GROUP_HEAD[3:])]
    return [
        agent,
        *successes,
        number(shown.figures["return"].mean, 2),
        number(shown.figures["turns"].mean),
        number(shown.figures["questions"].mean),
        number(shown.figures["information_bits"].mean),
        seconds(shown.seconds_per_episode),
        number(shown.tokens, 0),
        small(shown.cost_usd),
        episode_words([row for row in rows.values() if row is not None]),
    ]


def episode_words(rows: Sequence[Row]) -> str:
    """``80 (2 unscored, 1 failed)``."""
    extra = [
        f"{count} {word}"
        for count, word in (
            (sum(r.unscored for r in rows), "unscored"),
            (sum(r.errors for r in rows), "failed"),
        )
        if count
    ]
    return f"{sum(row.episodes for row in rows):,}" + (f" ({', '.join(extra)})" if extra else "")


def version_words(board: Leaderboard) -> list[str]:
    """``["dialog_envs 0.1.0", "PreferenceElicitation-v0 1", …]``."""
    words = []
    for name, value in board.versions.items():
        if isinstance(value, str):
            words.append(f"{name} {value}")
        elif name in ("tasks", "users"):
            words += [f"{key} {version}" for key, version in value.items()]
    return words


def _pair_cells(pair: Paired) -> list[str]:
    return [pair.agent, pair.users, percent(pair.difference, "+"), str(pair.episodes)]


def _success(row: Row | None) -> Interval | None:
    return None if row is None else row.success


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---", *("---:" for _ in head[1:])]
    return ["| " + " | ".join(map(_cell, cells)) + " |" for cells in (head, rule, *body)]


def _cell(text: str) -> str:
    """Text that stays within its cell and is no markup."""
    flat = " ".join(text.split()).replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;")
    for mark in "|*_`[]":
        if mark in "[]" and flat[-1:] == "]" and flat[:1].isdigit() | (flat[:1] in "+-"):
            continue  # an interval
        flat = flat.replace(mark, "\\" + mark)
    return flat


# ---- the terminal ----------------------------------------------------------------------------------------------------


def print_leaderboard(board: Leaderboard, console: Console) -> None:
    """The leaderboard as tables in a terminal, with a bar for success."""
    for track in board.tracks:
        here = board.on(track)
        for task in here.tasks:
            console.print()
            console.print(_terminal_table(here, task, console.width))
    if board.overall:
        console.print()
        console.print(_overall_table(board, console.width))
        console.print(overall_method + ".", style="dim", markup=False)
    _print_users(board, console)
    if board.baseline is not None:
        words = f"Difference: points of success from {board.baseline} on the same personas and seeds"
        console.print(f"{words}; ● excludes 0.", style="dim", markup=False)
    console.print(board.method + ".", style="dim", markup=False)


def _print_users(board: Leaderboard, console: Console) -> None:
    """Agents × tracks, and how well users played, where a model plays some of them."""
    if board.across:
        console.print()
        console.print(_plain_table("who plays the user", *crossing_cells(board)))
        console.print(f"{CROSSING_WORDS.format(track=board.track)}.", style="dim", markup=False)
    if board.fidelity:
        console.print()
        console.print(_plain_table("how well users played their personas", *fidelity_cells(board)))
        console.print(f"{FIDELITY}.", style="dim", markup=False)


def _plain_table(title: str, head: Sequence[str], body: Sequence[Sequence[str]]) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=title, title_style="bold", pad_edge=False)
    for name in head:
        table.add_column(name.lower())
    for cells in body:
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _terminal_table(board: Leaderboard, task: str, width: int) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    title = f"{task} · suite {board.suite}"
    title += f" · users: {board.track}" if len(board.tracks) > 1 else ""
    table = Table(box=box.SIMPLE_HEAD, title=title, title_style="bold", pad_edge=False)
    compared = board.baseline is not None and width >= 80
    bars = width >= (150 if compared else 120)
    extras = ("turns", "questions", "bits", "time", "episodes") if width >= 125 else ()
    table.add_column("agent")
    for users in GROUPS:
        table.add_column(f"{users} users, % success", no_wrap=bars)
        if compared:
            table.add_column("difference", justify="right", no_wrap=True)
    for name in extras:
        table.add_column(name, justify="right", no_wrap=True)
    for agent in board.agents(task):
        cells: list[Any] = [Text(agent, style="bold")]
        for users in GROUPS:
            cells.append(Text(_bar(_success(board.row(task, agent, users)), 10 if bars else 0)))
            if compared:
                cells.append(Text(_difference(board.pair(task, agent, users)), style="dim"))
        found = [row for users in GROUPS if (row := board.row(task, agent, users)) is not None]
        shown = found[-1] if found else None
        means = [
            shown.figures[name].mean if shown else None for name in ("turns", "questions", "information_bits")
        ]
        cells += [number(mean) for mean in means]
        cells += [seconds(shown.seconds_per_episode) if shown else "–", episode_words(found)]
        table.add_row(*cells[: len(table.columns)])
    return table


def _overall_table(board: Leaderboard, width: int) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD, title=f"all tasks · suite {board.suite}", title_style="bold", pad_edge=False
    )
    bars = 10 if width >= 120 else 0
    table.add_column("agent")
    for users in GROUPS:
        table.add_column(f"{users} users, normalised", no_wrap=bool(bars))
        table.add_column("difference", justify="right", no_wrap=True)
    for agent in dict.fromkeys(row.agent for row in board.overall):
        cells = [Text(agent, style="bold")]
        for users in GROUPS:
            row = overall_row(board, agent, users)
            difference = row.difference if row else None
            mark = " ●" if difference is not None and difference.excludes(0.0) else "  "
            cells.append(Text(_bar(row.score if row else None, bars)))
            cells.append(Text(percent(difference, "+") + mark if difference else "", style="dim"))
        table.add_row(*cells)
    return table


def _bar(success: Interval | None, width: int) -> str:
    """``██████▌    62 [55, 69]``; without the bar where ``width`` is 0."""
    if success is None or not math.isfinite(success.mean):
        return " " * width + "  –"
    if width == 0:
        return percent(success)
    eighths = round(max(0.0, success.mean) * width * 8)
    bar = "█" * (eighths // 8) + ("", *"▏▎▍▌▋▊▉")[eighths % 8]
    return f"{bar:<{width}} {percent(success):>12}"


def _difference(pair: Paired | None) -> str:
    if pair is None:
        return ""
    return percent(pair.difference, "+") + (" ●" if pair.difference.excludes(0.0) else "  ")
