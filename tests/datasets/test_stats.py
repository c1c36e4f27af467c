"""Statistics: by hand on few episodes, and sensible on an imagined dataset."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dialog_envs.core.dialogue import Act, Turn
from dialog_envs.datasets import Episode, Provenance, compute_stats, read_dataset
from dialog_envs.datasets.diversity import near_duplicates
from dialog_envs.datasets.markdown import critique_lines, dialogue_lines, stats_lines, table

Make = Callable[..., Episode]


def test_by_hand(make_episode: Make) -> None:
    lost = make_episode(
        1,
        turns=(
            Turn(1, "Hi.", (Act("greet"),)),
            Turn(0, "Tiles?", (Act("suggest", item="x"),)),
            Turn(1, "No, something quiet and cheap near us please.",
                 (Act("reject", "crowd", "quiet", "x"), Act("volunteer", "budget", "low"))),
        ),
        rewards=(0.0,), reward=0.0, outcome={"success": False, "graded": 0.0, "ended_by": "leave"},
        provenance=Provenance("rollout", "random", "scripted"),
    )  # fmt: skip
    stats = compute_stats([make_episode(), lost])
    assert stats.whole.episodes == 2 and stats.whole.reward == stats.whole.success == 0.5
    assert stats.whole.agent_turns == 1.5 and stats.agent_turns_most == 2
    assert stats.by_policy["hasty"].success == 1.0 and stats.by_policy["random"].success == 0.0
    assert set(stats.by_end) == {"accept", "leave"} and set(stats.by_family) == {"focused"}
    assert stats.acts["agent"] == {"suggest": 2, "ask": 1}
    assert (stats.elicited, stats.volunteered) == (1.0, 0.5)
    assert (stats.personas, stats.scenarios, stats.turns) == (1, 1, 8)
    assert stats.distinct_user_turns == 1.0 and stats.repeated_long_user_turns == 0.0


def test_repetition(make_episode: Make) -> None:
    long = Turn(1, "one two three four five six seven", (Act("nudge"),))
    same = [
        make_episode(i, turns=(Turn(1, "Hi."), Turn(0, "a b c d"), long), rewards=(1.0,)) for i in range(3)
    ]
    stats = compute_stats(same)
    assert stats.distinct_user_turns == 0.0 and stats.repeated_long_user_turns == 1.0
    assert stats.near_duplicates == 2


def test_near_duplicates_are_near() -> None:
    words = [f"word{i}" for i in range(200)]
    text = " ".join(words)
    nearly = " ".join([*words[:100], "other", *words[101:]])
    half = " ".join([*words[:100], *(f"new{i}" for i in range(100))])
    assert near_duplicates([text, nearly, half, "", "a", "a b"]) == 1


def test_an_imagined_dataset_reads_well(imagined: Path) -> None:
    dataset = read_dataset(imagined)
    stats = compute_stats(dataset.episodes, dataset.manifest)
    text = "\n".join([*stats_lines(stats), *critique_lines(stats.critique)])
    for word in (
        "policy",
        "family",
        "ended by",
        "act of the user",
        "elicited",
        "criterion failed by",
        "no-loops",
    ):
        assert word in text
    assert json.loads(json.dumps(stats.to_json()))["whole"]["episodes"] == 40
    shown = "\n".join(dialogue_lines(dataset.episodes[0]))
    assert dataset.episodes[0].turns[-1].text in shown and "persona: " in shown


def test_tables_are_markdown() -> None:
    assert table(("name", "n"), [("a|b", 1000), ("c", 2)]) == [
        "| name |     n |",
        "| ---- | ----: |",
        "| a\\|b | 1,000 |",
        "| c    |     2 |",
    ]
    assert critique_lines({}) == ["No critique: every dialogue stands as it was made."]


@pytest.mark.parametrize("count", [1, 3])
def test_one_and_few_episodes(make_episode: Make, count: int) -> None:
    assert compute_stats([make_episode(i) for i in range(count)]).whole.episodes == count
