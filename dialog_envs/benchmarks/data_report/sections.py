"""What a report says, in order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dialog_envs.benchmarks.data_report.blocks import (
    Bars,
    Block,
    Charts,
    Columns,
    Lines,
    Rates,
    Section,
    Shares,
    Table,
    Text,
    Verbatim,
)
from dialog_envs.benchmarks.data_report.figures import Reference, Report
from dialog_envs.benchmarks.tables import percent
from dialog_envs.datasets import rows as said
from dialog_envs.datasets.coverage import ENOUGH
from dialog_envs.datasets.markdown import dialogue_lines
from dialog_envs.datasets.people import effective_number
from dialog_envs.datasets.stats import Group

MOST_VALUES = 8
"""Values of a trait that a table lists."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure at the top of the page."""

    value: str
    name: str


def subtitle(report: Report) -> str:
    """What it is, in a line."""
    manifest = report.manifest
    how = {"imagined": "imagined by a language model", "rollout": "rolled out in the environment"}
    made = how.get(str(manifest.get("mode")), str(manifest.get("mode", "")))
    models = ", ".join(sorted({str(name) for name in dict(manifest.get("models") or {}).values() if name}))
    parts = [f"{manifest['task']} (version {manifest.get('task_version', '?')})", made]
    parts += [f"models: {models}"] if models else []
    return " · ".join(part for part in parts if part)


def tiles(report: Report) -> list[Tile]:
    """The figures that one asks for first."""
    stats, dialogues = report.stats, report.semantic.get("dialogues")
    found = [
        Tile(f"{stats.whole.episodes:,}", "dialogues"),
        Tile(f"{stats.turns:,}", "turns"),
        Tile(f"{stats.whole.success:.0%}", "end in success"),
        Tile(f"{stats.personas:,}", "personas"),
    ]
    if dialogues is not None:
        found.append(Tile(f"{dialogues.vendi:.1f}", f"Vendi score of {dialogues.sampled:,} dialogues"))
    if report.labels is not None:
        found.append(Tile(f"{report.labels.agree:.0%}", "label and kernel agree"))
    if report.coverage and report.coverage[-1].levels:
        one = report.coverage[-1]
        found.append(
            Tile(f"{one.levels[0].covered.mean:.0%}", f"steps of {one.policy} found in the same situation")
        )
    return found


def sections(report: Report) -> list[Section]:
    """All sections; those that this dataset has nothing for are left out."""
    makers = (
        _origin, _size, _reward, _people, _acts, _disclosure, _diversity, _critique, _labels, _coverage, _cost,
        _examples, _method,
    )  # fmt: skip
    return [section for maker in makers if (section := maker(report)) is not None]


def _origin(report: Report) -> Section | None:
    command = report.manifest.get("command")
    return Section("Made by", "", [Verbatim(str(command))]) if command else None


def _size(report: Report) -> Section:
    charts = Charts(
        [
            Columns("Length", report.turns, "agent turns"),
            _bars_of_groups("How it ended", "end", report.stats.by_end),
        ]
    )
    return Section("Size", "", [charts, Table(("figure", "value"), said.size_rows(report.stats))])


def _bars_of_groups(title: str, name: str, groups: Mapping[str, Group]) -> Bars:
    total = max(sum(group.episodes for group in groups.values()), 1)
    rows = [
        (key, group.episodes / total, f"{group.episodes:,}, success {group.success:.0%}")
        for key, group in groups.items()
    ]
    return Bars(title, name, sorted(rows, key=lambda row: -row[1]))


def _reward(report: Report) -> Section:
    charts: list[Block] = [Columns("Return", report.returns, "return", kind="three")]
    if report.graded is not None:
        charts.append(Columns("Graded score", report.graded, "graded score", kind="three"))
    rates = Rates("Success by policy", "policy", _rates(report.by_policy, report.stats.by_policy))
    lead = f"{percent(report.success)} per cent end in success. {said.rewarded(report.manifest)}"
    return Section("Reward", lead, [Charts(charts), rates])


def _rates(rates: Mapping[str, Any], groups: Mapping[str, Group]) -> list[tuple[str, Any, str]]:
    return [(name, rate, f"{groups[name].episodes:,} dialogues") for name, rate in rates.items()]


def _people(report: Report) -> Section:
    stats = report.stats
    total = stats.whole.episodes
    bars = Bars(
        "Families",
        "family",
        [
            (name, group.episodes / total, f"{group.episodes:,}{_in_prior(report, name)}")
            for name, group in stats.by_family.items()
        ],
    )
    rows = [
        (
            trait.name,
            len(trait.values),
            round(trait.effective, 2),
            ", ".join(
                f"{value} {number / sum(trait.values.values()):.0%}"
                for value, number in list(trait.values.items())[:MOST_VALUES]
            )
            + (" …" if len(trait.values) > MOST_VALUES else ""),
        )
        for trait in report.traits
    ]
    blocks: list[Block] = [
        Charts([bars, Columns("Dialogues a persona", report.per_persona, "dialogues", "personas")]),
        Rates("Success by family", "family", _rates(report.by_family, stats.by_family)),
    ]
    if rows:
        blocks.append(
            Table(
                ("trait", "values", "effective number", "share of personas"), rows, "Traits of the personas"
            )
        )
    held = [name for name in stats.by_family if report.prior and name not in report.prior]
    lead = f"{stats.personas:,} different personas in {total:,} dialogues."
    if held:
        lead += (
            f" Held-out families occur: {', '.join(held)}. Agents trained on this must not be scored on them."
        )
    return Section("People", lead, blocks)


def _in_prior(report: Report, family: str) -> str:
    return f", prior {report.prior[family]:.0%}" if family in report.prior else ""


def _acts(report: Report) -> Section | None:
    charts: list[Block] = []
    for (name, acts), kind in zip(report.stats.acts.items(), ("one", "two"), strict=False):
        total = sum(acts.values())
        if total:
            rows = [(act, number / total, f"{number:,}") for act, number in acts.items()]
            title = f"Acts of the {name} (effective number {effective_number(acts):.1f})"
            charts.append(Bars(title, "act", rows, kind))
    if not charts:
        return None
    return Section(
        "Acts", "What turns do, the opening left out. A turn may do several things.", [Charts(charts)]
    )


def _disclosure(report: Report) -> Section:
    found = report.disclosure
    most = max([*(a + b for a, b in zip(found.elicited, found.volunteered, strict=True)), 1.0])
    top = float(math.ceil(most))
    charts: list[Block] = [
        Lines(
            "Things told so far",
            [("one", "elicited", found.elicited), ("two", "volunteered", found.volunteered)],
            top,
        ),
        Lines("Still talking", [("three", "share of dialogues", found.going_on)], 1.0, as_percent=True),
    ]
    lead = said.disclosed(found)
    if found.bits:
        charts.insert(
            1,
            Lines("Share of the persona told, in bits", [("one", "told", found.bits)], 1.0, as_percent=True),
        )
        lead += (
            f" In bits: an agent lacks {found.bits_prior:.1f} at the beginning, and the exact posterior after the last "
            f"turn holds {1 - found.bits[-1]:.0%} of them still (mean of {found.bits_episodes} dialogues"
            + (f"; {found.contradictory} more have no posterior" if found.contradictory else "")
            + ")."
        )
    return Section("Disclosure by turn", lead, [Charts(charts)])


def _diversity(report: Report) -> Section:
    one = next(iter(report.semantic.values()), None)
    embedding = one.embedding if one is not None else report.options.embedding
    blocks: list[Block] = [
        Table(*said.word_rows(report.lexical), "Words"),
        Table(*said.vector_rows(report.semantic), f"Vectors ({embedding})"),
        Shares(
            "{name}, pair by pair",
            "cosine similarity",
            [(name.capitalize(), one.histogram) for name, one in report.semantic.items()],
        ),
    ]
    return Section("Diversity", said.repetition(report.stats), blocks)


def _critique(report: Report) -> Section | None:
    critique = report.stats.critique
    if not critique.get("criteria"):
        return Section("Critique", "No critique: every dialogue stands as it was made.")
    counts, attempts = said.verdict_counts(critique)
    verdicts = Bars(
        "Verdicts", "verdict", [(name, number / attempts, f"{number:,}") for name, number in counts], "three"
    )
    failed = Table(*said.criterion_rows(critique), "By criterion, before revision")
    lead = f"Of {attempts:,} dialogues that the critique saw; one may fail several criteria."
    return Section("Critique", lead, [Charts([verdicts]), failed])


def _labels(report: Report) -> Section | None:
    found = report.labels
    if found is None:
        return None
    lead = f"{said.label_agreement(found)} Training uses the kernel's reward unless told otherwise."
    blocks: list[Block] = [Table(*said.label_rows(found))]
    reading = dict(report.manifest.get("imagination") or {}).get("reading")
    if isinstance(reading, Mapping):
        blocks.append(
            Table(("figure", "value"), said.reading_rows(reading, found.episodes), "What the kernel reads")
        )
    return Section("Labels", lead, blocks)


def _coverage(report: Report) -> Section | None:
    if not report.coverage:
        return None
    blocks: list[Block] = []
    rows = []
    for one in report.coverage:
        rows += [
            (one.policy if i == 0 else "", level.level, percent(level.covered), percent(level.often),
             percent(level.stitched), percent(level.whole))
            for i, level in enumerate(one.levels)
        ]  # fmt: skip
    header = (
        "policy", "same", "steps found, %", f"in {ENOUGH} dialogues", "dialogues, stitched", "dialogues, whole"
    )  # fmt: skip
    blocks.append(Table(header, rows))
    blocks.append(
        Text(
            "A step is what stood before an agent turn, and what the agent then did, without names. The same "
            "situation: same things told, same last reply, same move; the same reply: the last reply and the move; "
            "the same act: the reply and each act of the move by itself. Stitched: every step stands in some "
            "dialogue; whole: one dialogue holds all of them, so that copying it would do. Intervals: what other "
            "dialogues of the policy with other people could have shown (95 %, Wilson, clustered by persona).",
            small=True,
        )
    )
    blocks += [_step_table(one) for one in report.coverage if one.rows]
    played = ", ".join(
        f"{one.policy} {percent(one.success)} per cent of {one.played}" for one in report.coverage
    )
    lead = (
        "Does the data hold what a better policy would do? Scripted policies that see only the text talked with "
        f"typical users; the steps of their successful dialogues are looked up. Success: {played}."
    )
    return Section("Coverage", lead, blocks)


def _step_table(one: Reference) -> Table:
    rows = [
        (row.step.move, row.step.reply, row.step.known, row.used, row.dialogues["situation"], row.dialogues["reply"],
         row.dialogues["act"], row.reward)
        for row in one.rows
    ]  # fmt: skip
    header = (
        "move", "after", "known", "used", "dialogues: situation", "reply", "act", "their reward"
    )  # fmt: skip
    return Table(header, rows, f"Most frequent steps of {one.policy}")


def _cost(report: Report) -> Section | None:
    cost = report.manifest.get("cost")
    if not cost:
        return None
    lead = f"{said.spent(cost)} {said.thrown_away(report.manifest.get('imagination') or {})}"
    return Section("Cost", lead, [Table(*said.cost_rows(cost))])


def _examples(report: Report) -> Section:
    blocks = [Verbatim("\n".join(dialogue_lines(one))) for one in report.examples]
    return Section("Two dialogues", "The first success and the first failure of a common length.", blocks)


def _method(report: Report) -> Section:
    options = report.options
    sampled: Sequence[str] = [
        f"{one.sampled:,} of {one.texts:,} {name}"
        for name, one in report.semantic.items()
        if one.sampled < one.texts
    ]
    drawn = f"Samples, drawn with seed {options.seed}: " + ("; ".join(sampled) if sampled else "none") + "."
    words = (
        "Success has Wilson's 95 % interval, clustered by persona. Distinct-n: different over all n-grams of "
        "words (Li et al., 2016); it falls with length, so compare datasets at the same number of words. "
        "Near-duplicates: Jaccard similarity of word triples of at least 0.8, by MinHash (Broder, 1997). Vendi "
        "score: the exponential of the entropy of the eigenvalues of the similarity matrix divided by its size "
        "(Friedman and Dieng, 2023), the effective number of different texts: 1 if all are the same, the number "
        "of texts if no two have anything in common. It grows with the number of texts and depends on the "
        "embedding: compare like with like. Nearest: mean similarity of a text to the one most like it."
    )
    blocks: list[Block] = [Text(words, small=True), Text(drawn, small=True)]
    blocks += [Text(note, small=True) for note in report.notes]
    return Section("How it was computed", "", blocks)
