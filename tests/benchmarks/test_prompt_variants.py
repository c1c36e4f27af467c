"""How much success depends on the wording of prompts: the figures, and what counts as chance."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dialog_envs.benchmarks.prompt_variants import markdown, variant_tables, variants_of
from dialog_envs.benchmarks.record import EpisodeRecord
from dialog_envs.errors import UsageError


def record(
    agent: str, seed: int, success: bool, persona: int | None = None, **fields: object
) -> EpisodeRecord:
    outcome = {"success": success, "graded": float(success), "ended_by": "accept", "reward_parts": {}}
    users = "typical" if seed % 2 else "hard"
    who = {"number": seed if persona is None else persona}
    return EpisodeRecord(
        agent, "T-v0", users, "calm", seed, seed, persona=who, outcome=outcome, tokens=100, **fields
    )  # type: ignore[arg-type]


def records(rates: dict[str, float], episodes: int, rng: np.random.Generator) -> list[EpisodeRecord]:
    return [
        record(f"mine@{name}", seed, bool(rng.random() < rate))
        for name, rate in rates.items()
        for seed in range(episodes)
    ]


def test_the_figures_of_a_table() -> None:
    wins = {"plain": (1, 1, 1, 0), "terse": (1, 0, 0, 0)}
    played = [record(f"a=b@{name}", i, bool(won)) for name, row in wins.items() for i, won in enumerate(row)]
    (table,) = variant_tables([*played, record("other", 0, True), record("a=b@terse", 9, True)])
    assert (table.agent, table.task, table.episodes) == ("a=b", "T-v0", 4)  # seed 9 was played by one only
    assert (table.mean, table.spread) == (0.5, 0.5) and table.deviation == pytest.approx(0.5 / 2**0.5)
    assert [(row.variant, row.success.mean) for row in table.rows] == [("plain", 0.75), ("terse", 0.25)]
    assert table.rows[0].groups == {"hard": 1.0, "typical": 0.5} and table.rows[0].tokens == 100
    text = markdown([table])
    assert "| plain | 75 [" in text and "Mean 50 %, spread 50 points" in text
    json.dumps(table.to_json())


def test_chance_is_not_taken_for_dependence_and_dependence_is_found() -> None:
    rng = np.random.default_rng(0)
    same = [variant_tables(records(dict.fromkeys("abcde", 0.4), 40, rng))[0] for _ in range(40)]
    assert np.mean([table.p < 0.05 for table in same]) <= 0.15
    assert np.mean([table.spread for table in same]) == pytest.approx(
        np.mean([t.chance for t in same]), rel=0.15
    )
    (differs,) = variant_tables(records({"a": 0.8, "b": 0.4, "c": 0.4, "d": 0.4, "e": 0.2}, 60, rng))
    assert differs.p < 0.01 and differs.spread > 2 * differs.chance


def test_personas_are_shuffled_as_a_whole() -> None:
    """Ten episodes of one persona say as much as one: a difference between two personas is no evidence."""
    played = [
        record(f"mine@{name}", seed, won, persona=seed // 10)
        for name, won in (("a", True), ("b", False))
        for seed in range(20)
    ]
    (table,) = variant_tables(played)
    assert table.spread == 1.0 and table.p == pytest.approx(0.5, abs=0.05)


def test_each_prompted_agent_is_multiplied_and_others_stay() -> None:
    specs = variants_of(["prompted:cot", "heuristic"], (), {})
    assert [spec.name for spec in specs][:2] == ["prompted:cot@plain", "prompted:cot@courteous"]
    assert len(specs) == 6 and specs[-1].name == "heuristic"
    assert len({spec.fingerprint for spec in specs}) == 6
    with pytest.raises(UsageError, match="is for prompted agents"):
        variants_of(["heuristic"], (), {})
