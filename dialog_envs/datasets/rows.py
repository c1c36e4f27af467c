"""Figures as sentences and rows of tables: the card and the report say the same, each in its own form."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dialog_envs.datasets.disclosure import Disclosure
from dialog_envs.datasets.diversity import QUANTILES, Lexical, Semantic
from dialog_envs.datasets.labels import Labels
from dialog_envs.datasets.stats import Stats

Row = tuple[Any, ...]
Rows = tuple[Row, list[Row]]
"""A table: its header, and its rows. ``None`` is no figure."""
VERDICTS = ("kept", "revised", "dropped")


def size_rows(stats: Stats) -> list[tuple[str, str]]:
    """(figure, value) pairs of how much there is."""
    return [
        ("dialogues", f"{stats.whole.episodes:,}"),
        ("turns", f"{stats.turns:,}"),
        ("agent turns a dialogue", f"{stats.whole.agent_turns:.2f} (median {stats.agent_turns_median:g}, "
         f"most {stats.agent_turns_most})"),
        ("words a turn", ", ".join(f"{name} {value:.1f}" for name, value in stats.words.items())),
        ("personas, scenarios", f"{stats.personas:,}, {stats.scenarios:,}"),
    ]  # fmt: skip


def rewarded(manifest: Mapping[str, Any]) -> str:
    """A sentence on where the rewards come from."""
    if manifest.get("mode") == "imported":
        return "The rewards are those that came with the dialogues; where a persona came, too, they are the task's own."
    scheme = manifest.get("reward_scheme", "unknown scheme")
    return f"The rewards are the task's own ({scheme}), computed from persona and trace, never by a model."


def repetition(stats: Stats) -> str:
    """A sentence on what stands there more than once."""
    return (
        f"{stats.near_duplicates:,} dialogues are near-duplicates of an earlier one (four fifths of their word "
        f"triples); {stats.distinct_user_turns:.1%} of the user's turns are like no other, and "
        f"{stats.repeated_long_user_turns:.1%} of those of more than six words stand elsewhere word for word."
    )


def disclosed(found: Disclosure) -> str:
    """A sentence on what the user tells, and when."""
    return (
        f"A dialogue tells {found.elicited[-1]:.2f} things because of what the agent did, and "
        f"{found.volunteered[-1]:.2f} unasked, each counted once. Means over all dialogues; one that has ended stays "
        "as it was."
    )


def disclosure_rows(found: Disclosure) -> Rows:
    """Things told after each agent turn."""
    rows: list[Row] = [
        (k, f"{found.elicited[k]:.2f}", f"{found.volunteered[k]:.2f}", f"{found.going_on[k]:.0%}")
        for k in range(len(found.elicited))
    ]
    return ("agent turns so far", "elicited", "volunteered", "still talking"), rows


def word_rows(lexical: Mapping[str, Lexical]) -> Rows:
    """Distinct-n, by speaker."""
    budget = max([one.budget for one in lexical.values()], default=0)
    within = f"in {budget:,} words" if budget else "in a budget"
    rows: list[Row] = [
        (name, one.words, one.distinct[1], one.distinct[2], one.distinct[3],
         *(one.distinct_in_budget[n] if one.budget else None for n in (2, 3)))
        for name, one in lexical.items()
    ]  # fmt: skip
    header = (
        "who", "words", "distinct-1", "distinct-2", "distinct-3", f"distinct-2 {within}", f"distinct-3 {within}"
    )  # fmt: skip
    return header, rows


def vector_rows(semantic: Mapping[str, Semantic]) -> Rows:
    """Similarity and Vendi score, by kind of text."""
    rows: list[Row] = [
        (name, one.texts, one.sampled, f"{one.vendi:.1f}", f"{one.vendi / one.sampled:.1%}", one.mean,
         *(one.quantiles[q] for q in QUANTILES), one.nearest)
        for name, one in semantic.items()
    ]  # fmt: skip
    header = (
        "texts", "there are", "compared", "Vendi score", "of compared", "mean similarity",
        *(f"{q:.0%}" for q in QUANTILES), "nearest",
    )  # fmt: skip
    return header, rows


def verdict_counts(critique: Mapping[str, Any]) -> tuple[list[tuple[str, int]], int]:
    """(verdict, dialogues) pairs, and how many dialogues the critique saw (at least 1, to divide by)."""
    counts = [(name, int(critique.get(name, 0))) for name in VERDICTS]
    return counts, max(sum(number for _, number in counts), 1)


def criterion_rows(critique: Mapping[str, Any]) -> Rows:
    """Who failed what, before revision."""
    _, attempts = verdict_counts(critique)
    rows: list[Row] = []
    for name, row in critique.get("failed", {}).items():
        revised, dropped = int(row.get("revised", 0)), int(row.get("dropped", 0))
        rows.append((name, f"{(revised + dropped) / attempts:.1%}", revised, dropped))
    return ("criterion failed by", "share", "then revised", "then dropped"), rows


def label_agreement(found: Labels) -> str:
    """A sentence on how often label and kernel say the same."""
    kappa = f", Cohen's kappa {found.kappa:.2f}" if math.isfinite(found.kappa) else ""
    return f"Label and the kernel's own reward agree in {found.agree:.1%} of {found.episodes:,} dialogues{kappa}."


def label_rows(found: Labels) -> Rows:
    """What was wanted against what the kernel finds."""
    rows: list[Row] = [
        (f"imagined as a {name}", found.table[f"label {name}, kernel success"],
         found.table[f"label {name}, kernel failure"])
        for name in ("success", "failure")
    ]  # fmt: skip
    return ("label", "kernel: success", "kernel: failure"), rows


def reading_rows(reading: Mapping[str, Any], episodes: int) -> list[tuple[str, str]]:
    """(figure, value) pairs of what the kernel reads in ``episodes`` dialogues that it did not play."""
    turns = max(int(reading["user_turns"]), 1)
    told = max(int(reading["elicited"]) + int(reading["volunteered"]), 1)
    return [
        (
            "dialogues that the kernel could have produced exactly",
            f"{reading['possible'] / max(episodes, 1):.1%}",
        ),
        ("user turns that this persona can say", f"{1 - reading['drift_turns'] / turns:.1%}"),
        ("user turns that were no answer, but true", f"{reading['untimely_turns'] / turns:.1%}"),
        ("user turns in which nothing could be read", f"{reading['unread_turns'] / turns:.1%}"),
        ("facts told because of what the agent said", f"{reading['elicited'] / told:.1%}"),
        ("lines after the end, left out", f"{reading['left_out']:,}"),
    ]


def spent(cost: Mapping[str, Any]) -> str:
    """A sentence on what the calls took."""
    return f"{cost['usd']:.4f} US dollars, {cost['usd_per_dialogue']:.6f} a dialogue that was kept."


def thrown_away(told: Mapping[str, Any]) -> str:
    """A sentence on replies that could not be used (the manifest's ``imagination``)."""
    rejected = dict(told.get("rejected") or {})
    thrown = ", ".join(f"{number:,} in '{step}'" for step, number in rejected.items()) or "none"
    return (
        f"Replies thrown away and asked for again: {thrown}; attempts that came to no dialogue: "
        f"{told.get('no_usable_reply', 0):,} of {told.get('attempts', 0):,}."
    )


def cost_rows(cost: Mapping[str, Any]) -> Rows:
    """Calls, tokens and dollars, by role."""
    rows: list[Row] = [
        (
            str(role),
            int(row["calls"]),
            int(row["tokens_in"]),
            int(row["tokens_out"]),
            f"{row['cost_usd']:.4f}",
        )
        for role, row in cost.get("usage", {}).items()
    ]
    return ("role", "calls", "tokens read", "tokens written", "US dollars"), rows


def shown(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Rows with a dash where there is no figure."""
    return [["–" if value is None else value for value in row] for row in rows]
