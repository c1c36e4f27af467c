"""The leaderboard as one HTML page that opens from disk: no network, no other file, and nothing in it can run scripts.

Whatever agents, users and tasks wrote is escaped, or put into the page as text by the one script, whose hash the
page's content policy names.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape
from typing import Any

from dialog_envs import registration
from dialog_envs.benchmarks.leaderboard import Leaderboard, Row
from dialog_envs.benchmarks.overall import METHOD as OVERALL_METHOD
from dialog_envs.benchmarks.page import asset, document
from dialog_envs.benchmarks.playing import METHOD as FIDELITY
from dialog_envs.benchmarks.record import EpisodeRecord
from dialog_envs.benchmarks.stats import Interval
from dialog_envs.benchmarks.svg import axis, bar, strip
from dialog_envs.benchmarks.tables import (
    CROSSING_WORDS,
    GROUPS,
    crossing_cells,
    episode_words,
    fidelity_cells,
    number,
    overall_row,
    percent,
    seconds,
    small,
    version_words,
)
from dialog_envs.benchmarks.transcripts import RULE, choose, transcript_data

__all__ = ["html_page"]


def html_page(
    board: Leaderboard, records: Sequence[EpisodeRecord], get_task: Callable[[str], Any] | None = None
) -> str:
    """The whole page.

    Args:
        board: the figures.
        records: the episodes, of which some are shown in full.
        get_task: where tasks come from (for persona cards and beliefs); the registered ones by default.
    """
    find = get_task or registration.get_task
    style, script = asset("page.css"), asset("page.js")
    agents = [agent for task in board.tasks for agent in board.agents(task)]
    transcripts = transcript_data(choose(told_apart(records, board.track), agents), find)
    body = [_header(board, records), _overall(board)]
    for track in board.tracks:
        here = board.on(track)
        for task in here.tasks:
            body += [_plot(here, task), _table(here, task), _families(here, task), _paired(here, task)]
    body += [_across(board), _fidelity(board), _transcripts(transcripts), _notes(board)]
    return document(
        f"Leaderboard · {board.suite}",
        "\n".join(part for part in body if part),
        style,
        script,
        f'<script type="application/json" id="transcripts">{_embedded(transcripts)}</script>',
    )


# ---- sections --------------------------------------------------------------------------------------------------------


def _header(board: Leaderboard, records: Sequence[EpisodeRecord]) -> str:
    scored = [record for record in records if not record.unscored]
    personas = len({record.persona_key for record in scored})
    facts = [
        f"{len(board.tasks)} task" + ("s" if len(board.tasks) != 1 else ""),
        f"{len({record.agent for record in scored})} agents",
        f"{len(scored):,} episodes",
        f"{personas:,} personas",
        f"users: {', '.join(board.tracks)}",
    ]
    split = board.versions.get("split", "report")
    mark = "" if split == "report" else f' <span class="flag">{escape(str(split))} seeds</span>'
    return (
        f'<header><p class="eyebrow">dialog-envs · suite {escape(board.suite)}{mark}</p><h1>Leaderboard</h1>'
        f'<p class="facts">{" · ".join(map(escape, facts))}</p></header>'
    )


_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)


def _overall(board: Leaderboard) -> str:
    """All tasks in one figure an agent, where there are several."""
    if not board.overall:
        return ""
    rows = []
    for agent in dict.fromkeys(row.agent for row in board.overall):
        marks, words = [], []
        for users in GROUPS:
            row = overall_row(board, agent, users)
            if row is None:
                continue
            marks.append(
                (users, row.score, f"{agent}, {users} users: {percent(row.score)}, {row.cells} cells")
            )
            words.append(f"{users} {percent(row.score)}")
        about = f'<span class="about">{escape(" · ".join(words))}</span>'
        rows.append(f'<div class="name">{escape(agent)}{about}</div>{strip(marks, 0, 1, _QUARTERS)}')
    labels = axis([(tick, f"{100 * tick:.0f}") for tick in _QUARTERS], 0, 1)
    return (
        f'<section><h2>All tasks</h2><p class="lead">{escape(OVERALL_METHOD)}.</p>{_LEGEND}'
        f'<div class="plot">{"".join(rows)}<div class="name"></div>{labels}</div></section>'
    )


_LEGEND = (
    '<p class="legend"><span class="typical">● typical users</span> '
    '<span class="hard">◆ hard users, held out of all training data</span></p>'
)


def _plot(board: Leaderboard, task: str) -> str:
    rows = []
    for agent in board.agents(task):
        marks = []
        for users in GROUPS:
            row = board.row(task, agent, users)
            if row is not None:
                marks.append((users, row.success, f"{agent}, {users} users: {percent(row.success)} %"))
        rows.append(f'<div class="name">{escape(agent)}</div>{strip(marks, 0, 1, _QUARTERS)}')
    labels = axis([(tick, f"{100 * tick:.0f}{' %' if tick == 1 else ''}") for tick in _QUARTERS], 0, 1)
    return (
        f'<section><h2>{escape(task + _where(board))}</h2><p class="lead">How often the talk ends in success. '
        f"Whiskers are 95 % intervals over personas; all agents met the same people.</p>{_LEGEND}"
        f'<div class="plot">{"".join(rows)}<div class="name"></div>{labels}</div></section>'
    )


_COLUMNS = (
    ("Return", "return", 2),
    ("Turns", "turns", 1),
    ("Questions", "questions", 1),
    ("Bits learned", "information_bits", 1),
)


def _table(board: Leaderboard, task: str) -> str:
    figures = (name for name, _, _ in _COLUMNS)
    heads = ["Agent", "Typical users", "Hard users", *figures, "Time", "Tokens", "Cost, $", "Episodes"]
    cells = "".join(
        f'<th scope="col" class="{"success" if name.endswith("users") else ""}" '
        f'aria-sort="{"descending" if name == "Hard users" else "none"}">'
        f'<button type="button">{escape(name)}</button></th>'
        for name in heads
    )
    body = "".join(_table_row(board, task, agent) for agent in board.agents(task))
    return (
        '<section><h3>All figures</h3><div class="scroll"><table class="sortable"><thead><tr>'
        f"{cells}</tr></thead><tbody>{body}</tbody></table></div>"
        '<p class="small">Success in per cent with its 95 % interval. The other figures are means an episode, on hard '
        "users (point at one for its interval): return under the suite’s reward, the agent’s turns and questions, "
        "bits of the exact posterior learned about the persona, the agent’s thinking time, and its model’s tokens."
        "</p></section>"
    )


def _table_row(board: Leaderboard, task: str, agent: str) -> str:
    rows = {users: board.row(task, agent, users) for users in GROUPS}
    shown = rows["hard"] or rows["typical"]
    about = board.versions.get("agents", {}).get(agent, {}).get("description", "")
    note = f'<span class="about">{escape(about)}</span>' if about else ""
    cells = [f'<th scope="row" data-sort="{escape(agent)}">{escape(agent)}{note}</th>']
    cells += [_success_cell(rows[users], users) for users in GROUPS]
    for _, name, digits in _COLUMNS:
        cells.append(_figure_cell(shown.figures[name] if shown else None, digits))
    extras = (shown.seconds_per_episode, shown.tokens, shown.cost_usd) if shown else (math.nan,) * 3
    texts = (seconds(extras[0]), number(extras[1], 0), small(extras[2]))
    cells += [_cell(value, text) for value, text in zip(extras, texts, strict=True)]
    both = [row for row in rows.values() if row is not None]
    cells.append(_cell(sum(row.episodes for row in both), episode_words(both)))
    return f"<tr>{''.join(cells)}</tr>"


def _success_cell(row: Row | None, users: str) -> str:
    if row is None or not math.isfinite(row.success.mean):
        return '<td class="success" data-sort="-1">–</td>'
    mean, interval = _split(row.success)
    return (
        f'<td class="success" data-sort="{row.success.mean:.6f}"><b>{mean}</b> <span class="interval">{interval}</span>'
        f"{bar(row.success, users)}</td>"
    )


def _figure_cell(interval: Interval | None, digits: int) -> str:
    if interval is None or not math.isfinite(interval.mean):
        return _cell(math.nan, "–")
    title = (
        f"{number(interval.low, digits)} to {number(interval.high, digits)}"
        if math.isfinite(interval.low)
        else ""
    )
    return _cell(interval.mean, number(interval.mean, digits), title)


def _cell(value: float, text: str, title: str = "") -> str:
    key = f"{value:.6f}" if math.isfinite(value) else "-1"
    hint = f' title="{escape(title)}"' if title else ""
    return f'<td data-sort="{key}"{hint}>{escape(text)}</td>'


def _families(board: Leaderboard, task: str) -> str:
    """Agents × families: success as a shade, with its interval."""
    families = [users for users in board.users(task) if users not in GROUPS]
    if not families:
        return ""
    head = "".join(f'<th scope="col">{escape(users)}</th>' for users in families)
    body = ""
    for agent in board.agents(task):
        cells = "".join(_shade(board.row(task, agent, users)) for users in families)
        body += f'<tr><th scope="row">{escape(agent)}</th>{cells}</tr>'
    return (
        '<section><h3>By user family</h3><div class="scroll"><table class="shades"><thead><tr><th></th>'
        f"{head}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _shade(row: Row | None) -> str:
    if row is None or not math.isfinite(row.success.mean):
        return '<td class="s0">–</td>'
    mean, interval = _split(row.success)
    return f'<td class="s{round(10 * row.success.mean)}"><b>{mean}</b><span class="interval">{interval}</span></td>'


def _paired(board: Leaderboard, task: str) -> str:
    pairs = [pair for pair in board.pairs(task) if pair.users in GROUPS]
    if not pairs:
        return ""
    intervals = [pair.difference for pair in pairs]
    ends = [abs(end) for i in intervals for end in (i.low, i.high, i.mean) if math.isfinite(end)]
    reach = min(1.0, max(0.1, math.ceil(max(ends, default=1.0) * 10) / 10))
    ticks = (-reach, -reach / 2, 0.0, reach / 2, reach)
    rows = []
    for agent in dict.fromkeys(pair.agent for pair in pairs):
        marks, words = [], []
        for users in GROUPS:
            pair = board.pair(task, agent, users)
            if pair is not None:
                text = percent(pair.difference, "+")
                marks.append(
                    (users, pair.difference, f"{agent}, {users} users: {text} points, {pair.episodes} pairs")
                )
                sure = ' class="sure"' if pair.difference.excludes(0.0) else ""
                words.append(f"<span{sure}>{escape(users)} {escape(text)}</span>")
        name = f'<div class="name">{escape(agent)}<span class="about">{" ".join(words)}</span></div>'
        rows.append(name + strip(marks, -reach, reach, ticks))
    labels = axis([(tick, f"{100 * tick:+.0f}" if tick else "0") for tick in ticks], -reach, reach)
    baseline = escape(pairs[0].baseline)
    return (
        f'<section><h3>Compared with {baseline}</h3><p class="lead">Success minus that of {baseline} on the same '
        "personas, scenarios and seeds, in points. An interval that leaves out 0 is set in bold.</p>"
        f'<div class="plot">{"".join(rows)}<div class="name"></div>{labels}</div></section>'
    )


def _where(board: Leaderboard) -> str:
    """Said of a track only where there are several."""
    return f" · users: {board.track}" if len(board.tracks) > 1 else ""


def told_apart(records: Sequence[EpisodeRecord], main: str) -> list[EpisodeRecord]:
    """The same dialogues under names that say who played the user, where that is not the main track."""
    firsts: dict[str, int] = {}
    for name, seed in (record.trained for record in records):
        if seed is not None:
            firsts[name] = min(seed, firsts.get(name, seed))
    # Of an agent that was trained several times, the first training stands for all.
    shown = [replace(r, agent=r.trained[0]) for r in records if r.trained[1] == firsts.get(r.trained[0])]
    return [r if r.track == main else replace(r, agent=f"{r.agent} · users: {r.track}") for r in shown]


def _across(board: Leaderboard) -> str:
    """Agents × tracks."""
    if not board.across:
        return ""
    words = CROSSING_WORDS.format(track=board.track)
    return _plain("Who plays the user", words, *crossing_cells(board))


def _fidelity(board: Leaderboard) -> str:
    """How well users played."""
    return (
        _plain("How well users played their personas", FIDELITY, *fidelity_cells(board))
        if board.fidelity
        else ""
    )


def _plain(title: str, words: str, head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    rows = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
        for first, *cells in body
    )
    return (
        f'<section><h2>{escape(title)}</h2><p class="lead">{escape(words)}.</p><div class="scroll"><table><thead><tr>'
        f"{heads}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _transcripts(transcripts: Sequence[Any]) -> str:
    if not transcripts:
        return ""
    return (
        '<section id="read"><h2>Read the dialogues</h2>'
        f'<p class="lead">{RULE} After each reply stand the acts, and what an ideal listener would then believe '
        "about the person: bits still unknown, and the likeliest value of whatever the talk has told about "
        "(✓ where it is the truth).</p>"
        '<div class="chooser" id="people" role="group" aria-label="Person"></div>'
        '<div class="chooser" id="agents" role="group" aria-label="Agent"></div>'
        '<div class="reader"><aside id="persona"></aside><div id="dialogue" aria-live="polite"></div></div>'
        "<noscript><p>The dialogues need JavaScript; they also stand in episodes.jsonl.</p></noscript></section>"
    )


def _notes(board: Leaderboard) -> str:
    words = " · ".join(map(escape, version_words(board)))
    return f'<footer><p class="small">{escape(board.method)}.</p><p class="small">{words}</p></footer>'


# ---- parts -----------------------------------------------------------------------------------------------------------


def _split(interval: Interval) -> tuple[str, str]:
    """``("62", "55–69")`` in per cent."""
    mean = f"{100 * interval.mean:.0f}"
    if not math.isfinite(interval.low):
        return mean, ""
    return mean, f"{100 * interval.low:.0f}–{100 * interval.high:.0f}"


def _embedded(data: Any) -> str:
    """JSON that cannot end its script element early: ``<`` never appears in it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
