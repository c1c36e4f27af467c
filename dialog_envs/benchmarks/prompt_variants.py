"""How much the score of a prompted agent depends on how its prompts are worded.

The same agent plays the same episodes with every paraphrase of its prompts. Some spread between them is chance, because
a model draws its words: how much is found by permutation. Within each persona the paraphrases' labels are shuffled,
which is what the null hypothesis "wording does not matter" allows, and the spread is computed again; ``chance`` is its
mean over :data:`PERMUTATIONS` shuffles, and ``p`` the share of shuffles with at least the spread that was seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dialog_envs.agents.registry import AgentSpec, resolve_agent
from dialog_envs.benchmarks.record import EpisodeRecord
from dialog_envs.benchmarks.stats import Interval, rate_interval
from dialog_envs.core.seeding import stream
from dialog_envs.errors import UsageError

__all__ = ["PERMUTATIONS", "VariantRow", "VariantTable", "markdown", "variant_tables", "variants_of"]

MARK = "@"
"""Between an agent's name and its paraphrase's."""
PERMUTATIONS = 2_000
_CHUNK = 100
"""Shuffles at once, a bound on memory."""


@dataclass(frozen=True, slots=True)
class VariantRow:
    """One paraphrase.

    Attributes:
        variant: its name.
        success: on all users, over the episodes that all paraphrases have played.
        groups: rate of success by user group.
        tokens, cost_usd: means an episode.
    """

    variant: str
    success: Interval
    groups: Mapping[str, float]
    tokens: float
    cost_usd: float


@dataclass(frozen=True, slots=True)
class VariantTable:
    """An agent's paraphrases on a task.

    Attributes:
        agent, task, track: whose.
        episodes: how many all paraphrases have played; only these count.
        rows: a paraphrase each, the best first.
        mean: success over the paraphrases.
        spread: the best one's success minus the worst one's.
        deviation: standard deviation between paraphrases.
        chance: the spread to expect if wording did not matter.
        p: probability of at least the spread that was seen, if wording did not matter.
    """

    agent: str
    task: str
    track: str
    episodes: int
    rows: tuple[VariantRow, ...]
    mean: float
    spread: float
    deviation: float
    chance: float
    p: float

    def to_json(self) -> dict[str, Any]:
        """As in ``prompt-variants.json``."""
        figures = ("mean", "spread", "deviation", "chance", "p")
        return {
            "agent": self.agent,
            "task": self.task,
            "track": self.track,
            "episodes": self.episodes,
            **{name: round(getattr(self, name), 6) for name in figures},
            "variants": [
                {
                    "variant": row.variant,
                    "success": row.success.to_json(),
                    **{group: round(rate, 6) for group, rate in row.groups.items()},
                    "tokens": round(row.tokens, 3),
                    "cost_usd": round(row.cost_usd, 6),
                }
                for row in self.rows
            ],
        }


def variants_of(
    agents: Sequence[str | AgentSpec], checkpoints: Sequence[str | Path], settings: Mapping[str, str]
) -> list[AgentSpec]:
    """Each prompted agent once a paraphrase of its prompts; other agents as they are.

    Raises:
        UsageError: none of them is prompted, or the paraphrase is among the settings already.
        DialogEnvsError: as :func:`dialog_envs.agents.registry.resolve_agent`.
    """
    from dialog_envs.agents.prompted import variant_names

    if "variant" in settings:
        raise UsageError("--prompt-variants plays every variant: leave the setting variant=… out.")
    specs: list[AgentSpec] = []
    found = False
    for agent in agents:
        spec = resolve_agent(agent, checkpoints) if isinstance(agent, str) else agent
        if not isinstance(agent, str) or spec.source.partition(":")[0] != "prompted":
            specs.append(resolve_agent(agent, checkpoints, settings) if isinstance(agent, str) else agent)
            continue
        spec = resolve_agent(agent, checkpoints, settings)
        found = True
        for variant in variant_names(settings.get("prompts")):
            varied = resolve_agent(agent, checkpoints, {**settings, "variant": variant})
            specs.append(replace(varied, name=f"{spec.name}{MARK}{variant}"))
    if not found:
        raise UsageError(
            "--prompt-variants is for prompted agents: give one, as in --agent prompted:cot:openai:MODEL."
        )
    return specs


def variant_tables(records: Sequence[EpisodeRecord]) -> list[VariantTable]:
    """A table for each agent, task and track of a run that was played with several paraphrases."""
    cells: dict[tuple[str, str, str], dict[str, dict[tuple[str, int], EpisodeRecord]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for record in records:
        agent, mark, variant = record.agent.rpartition(MARK)
        if mark and not record.unscored:
            cells[agent, record.task, record.track][variant][record.family, record.seed] = record
    tables = (_table(*key, variants) for key, variants in cells.items() if len(variants) > 1)
    return [table for table in tables if table is not None]


def _table(
    agent: str, task: str, track: str, variants: Mapping[str, Mapping[tuple[str, int], EpisodeRecord]]
) -> VariantTable | None:
    shared = sorted(set.intersection(*(set(played) for played in variants.values())))
    if not shared:
        return None
    names = list(variants)
    first = variants[names[0]]
    personas = [first[key].persona_key for key in shared]
    success = np.array(
        [[_success(variants[name][key]) for key in shared] for name in names]
    )  # (variants, episodes)
    rows = [_row(name, [variants[name][key] for key in shared], personas) for name in names]
    rates = success.mean(1)
    spread = float(np.ptp(rates))
    shuffled = _shuffled_spreads(success, personas)
    return VariantTable(
        agent, task, track, len(shared), tuple(sorted(rows, key=lambda row: -row.success.mean)), float(rates.mean()),
        spread, float(rates.std(ddof=1)), float(shuffled.mean()), float((shuffled >= spread - 1e-9).mean()),
    )  # fmt: skip


def _row(variant: str, records: Sequence[EpisodeRecord], personas: Sequence[str]) -> VariantRow:
    groups = {
        users: float(np.mean([_success(record) for record in records if record.users == users]))
        for users in sorted({record.users for record in records}, reverse=True)  # typical, hard
    }
    tokens = float(np.mean([record.tokens for record in records]))
    cost = float(np.mean([record.cost_usd for record in records]))
    return VariantRow(variant, rate_interval([_success(r) for r in records], personas), groups, tokens, cost)


def _success(record: EpisodeRecord) -> float:
    return float(bool(record.outcome and record.outcome["success"]))


def _shuffled_spreads(success: np.ndarray, personas: Sequence[str]) -> np.ndarray:
    """Spreads between the rows of `success` (variants, episodes) with the rows shuffled within each persona."""
    codes = np.unique(np.array(personas), return_inverse=True)[1]
    groups, rng = int(codes.max()) + 1, stream(0, "prompt variants")
    sums = np.stack(
        [np.bincount(codes, weights=row, minlength=groups) for row in success], -1
    )  # (personas, variants)
    parts = []
    for start in range(0, PERMUTATIONS, _CHUNK):
        many = np.broadcast_to(sums, (min(_CHUNK, PERMUTATIONS - start), *sums.shape))
        parts.append(np.ptp(rng.permuted(many, axis=2).sum(1), axis=1) / success.shape[1])
    return np.concatenate(parts)


def markdown(tables: Sequence[VariantTable]) -> str:
    """The tables as Markdown."""
    return "\n".join(line for table in tables for line in _lines(table))


def _lines(table: VariantTable) -> list[str]:
    groups = list(table.rows[0].groups)
    head = ["Prompts", "Success", *groups, "Tokens", "Cost ($)"]
    body = [
        [
            row.variant,
            _percent(row.success),
            *(f"{100 * row.groups[group]:.0f}" for group in groups),
            f"{row.tokens:,.0f}",
            f"{row.cost_usd:.4f}",
        ]
        for row in table.rows
    ]
    where = table.task if table.track == "scripted" else f"{table.task}, {table.track}"
    verdict = "more than chance explains" if table.p < 0.05 else "no more than chance explains"
    return [
        f"## How much success depends on the wording: {table.agent}, {where}",
        "",
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(cells)} |" for cells in body),
        "",
        f"Mean {100 * table.mean:.0f} %, spread {100 * table.spread:.0f} points (standard deviation "
        f"{100 * table.deviation:.1f}) over {len(table.rows)} paraphrases and {table.episodes} episodes each. If the "
        f"wording did not matter, {100 * table.chance:.0f} points were to be expected (p = {table.p:.2g}): {verdict}.",
        "",
    ]


def _percent(interval: Interval) -> str:
    if not np.isfinite(interval.low):
        return f"{100 * interval.mean:.0f}"
    return f"{100 * interval.mean:.0f} [{100 * interval.low:.0f}, {100 * interval.high:.0f}]"
