"""Agents that were trained several times, side by side: ``comparison.md`` of a run, as the documentation shows it."""

from __future__ import annotations

from collections.abc import Sequence

from dialog_envs.benchmarks.leaderboard import Leaderboard, Row
from dialog_envs.benchmarks.stats import Interval
from dialog_envs.benchmarks.tables import GROUPS, overall_row, percent, table

__all__ = ["comparison"]

_WORDS = (
    "Success in per cent with its 95 % interval over personas and trainings, and that of the worst and of the best "
    "training. Differences are points from {baseline} on the same personas, scenarios and seeds, training seed by "
    "training seed; ● excludes 0."
)
_ALL = (
    "All tasks in one figure: the interquartile mean over tasks × user families of success, normalised so that random "
    "is 0 and oracle 100."
)


def comparison(board: Leaderboard) -> str:
    """The tables as Markdown; empty where no agent was trained several times."""
    if not any(len(row.trainings) > 1 for row in board.rows):
        return ""
    baseline = board.baseline or "the baseline"
    lines = [_WORDS.format(baseline=baseline), ""]
    if board.overall:
        lines += ["## All tasks", "", _ALL, "", *_overall(board), ""]
    for task in board.tasks:
        lines += [f"## {task}", "", *_task(board, task), ""]
    return "\n".join([*lines, f"{board.method}."]) + "\n"


def _task(board: Leaderboard, task: str) -> list[str]:
    head = ["Agent", *_columns(), *(f"Trainings, {users}" for users in GROUPS), "Turns", "Episodes"]
    body = []
    for agent in board.agents(task):
        rows = [board.row(task, agent, users) for users in GROUPS]
        known = [row for row in rows if row is not None]
        pairs = [board.pair(task, agent, users) for users in GROUPS]
        body.append(
            [
                agent,
                *(percent(row.success if row else None) for row in rows),
                *(_difference(pair.difference if pair else None) for pair in pairs),
                *(_spread(row) for row in rows),
                f"{sum(r.figures['turns'].mean * r.episodes for r in known) / _episodes(known):.1f}",
                f"{sum(row.episodes for row in known):,}",
            ]
        )
    return table(head, body)


def _overall(board: Leaderboard) -> list[str]:
    body = []
    for agent in dict.fromkeys(row.agent for row in board.overall):
        rows = [overall_row(board, agent, users) for users in GROUPS]
        scores = [percent(row.score if row else None) for row in rows]
        body.append([agent, *scores, *(_difference(row.difference if row else None) for row in rows)])
    return table(["Agent", *_columns()], body)


def _columns() -> list[str]:
    groups = [f"{users.capitalize()} users" for users in GROUPS]
    return [*groups, *(f"Difference, {users}" for users in GROUPS)]


def _episodes(rows: Sequence[Row]) -> int:
    return max(1, sum(row.episodes for row in rows))


def _spread(row: Row | None) -> str:
    """Success of the worst and of the best training, and how many there are."""
    if row is None or len(row.trainings) < 2:
        return "–"
    found = [round(100 * value) for value in row.trainings.values()]
    return f"{min(found)} to {max(found)} ({len(found)})"


def _difference(interval: Interval | None) -> str:
    if interval is None:
        return "–"
    return percent(interval, "+") + (" ●" if interval.excludes(0.0) else "")
