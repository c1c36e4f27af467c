"""Statistics and dialogues as Markdown or plain text, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dialog_envs.core.dialogue import AGENT
from dialog_envs.datasets.rows import criterion_rows, size_rows, verdict_counts
from dialog_envs.datasets.schema import Episode
from dialog_envs.datasets.stats import Group, Stats


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """A Markdown table whose columns are aligned, so that it reads well as plain text, too. Numbers stand right."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(header), *cells]) for i in range(len(header))]
    right = [all(not isinstance(row[i], str) for row in rows) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        parts = [text.rjust(w) if r else text.ljust(w) for text, w, r in zip(row, widths, right, strict=True)]
        return f"| {' | '.join(parts)} |"

    rule = [("-" * (w - 1) + ":") if r else "-" * w for w, r in zip(widths, right, strict=True)]
    return [line(header), f"| {' | '.join(rule)} |", *(line(row) for row in cells)]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|").replace("\n", " ")


def fenced(lines: Sequence[str], language: str = "") -> list[str]:
    """Lines as they are in a Markdown block, which none of them can end early."""
    fence = "```"
    while any(fence in line for line in lines):
        fence += "`"
    return [f"{fence}{language}", *lines, fence]


def stats_lines(stats: Stats) -> list[str]:
    """Statistics as Markdown tables."""
    whole = stats.whole
    lines = table(
        ("figure", "value"),
        [
            *size_rows(stats),
            ("mean reward", f"{whole.reward:.3f}"),
            ("success", f"{whole.success:.1%}"),
            ("told a dialogue", f"{stats.elicited:.2f} elicited, {stats.volunteered:.2f} volunteered"),
            ("user turns unlike any other", f"{stats.distinct_user_turns:.1%}"),
            ("longer than six words, and repeated", f"{stats.repeated_long_user_turns:.1%}"),
            ("near-duplicate dialogues", f"{stats.near_duplicates:,}"),
        ],
    )
    for heading, groups in (
        ("policy", stats.by_policy), ("family", stats.by_family), ("ended by", stats.by_end)
    ):  # fmt: skip
        lines += ["", *_group_table(heading, groups)]
    for name, acts in stats.acts.items():
        total = max(sum(acts.values()), 1)
        rows = [(kind, number, f"{number / total:.1%}") for kind, number in acts.items()]
        lines += ["", *table((f"act of the {name}", "number", "share"), rows)]
    return lines


def _group_table(heading: str, groups: Mapping[str, Group]) -> list[str]:
    rows = [
        (name, group.episodes, float(group.reward), float(group.success), float(group.agent_turns))
        for name, group in groups.items()
    ]
    return table((heading, "dialogues", "mean reward", "success", "agent turns"), rows)


def critique_lines(critique: Mapping[str, Any]) -> list[str]:
    """What the critique did, as Markdown. Empty where there was none."""
    if not critique.get("criteria"):
        return ["No critique: every dialogue stands as it was made."]
    counts, attempts = verdict_counts(critique)
    parts = [f"{number:,} {name} ({number / attempts:.1%})" for name, number in counts]
    lines = [f"Of {attempts:,} dialogues: {', '.join(parts)}.", ""]
    return lines + table(*criterion_rows(critique))


def dialogue_lines(episode: Episode, persona: Sequence[tuple[str, str]] = (), acts: bool = True) -> list[str]:
    """One episode as text: who the user is, what was said with acts, and how it ended.

    Args:
        episode: the episode.
        persona: (heading, text) pairs; the persona's own fields by default.
        acts: show the acts behind each turn.
    """
    source = episode.provenance
    by = f"{source.policy} ({source.model})" if source.model else source.policy
    pairs = persona or [(str(key), str(value)) for key, value in episode.persona.items()]
    lines = [
        f"{episode.id} · {episode.task} · agent: {by} · user: {source.user}, {episode.family} · "
        f"{episode.critique.verdict}",
        "persona: " + "; ".join(f"{heading.lower()} {text}" for heading, text in pairs),
        "scenario: " + ", ".join(str(v) for v in episode.scenario.values() if isinstance(v, str)),
        "",
    ]
    for turn in episode.turns:
        found = f"   [{', '.join(map(str, turn.acts))}]" if acts and turn.acts else ""
        lines.append(f"{'agent' if turn.speaker == AGENT else 'user '}  {' '.join(turn.text.split())}{found}")
    end = episode.outcome
    graded = end.get("graded")
    score = f", graded {graded:.2f}" if isinstance(graded, float) else ""
    success = "success" if end["success"] else "no success"
    lines += ["", f"ended by {end['ended_by']}: {success}, reward {episode.reward:g}{score}"]
    lines += [f"critique: {row.name}: {row.reason}" for row in episode.critique.criteria if not row.passed]
    return lines
