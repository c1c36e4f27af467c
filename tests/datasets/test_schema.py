"""The format of an episode: the same in both directions, and strict."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialog_envs.core.dialogue import Turn
from dialog_envs.datasets.schema import Episode, parse_line
from dialog_envs.errors import DatasetError

Make = Callable[..., Episode]


def test_line_is_the_documented_json_and_reads_back(make_episode: Make) -> None:
    episode = make_episode()
    data = json.loads(episode.to_line())
    assert data == episode.to_json()
    assert list(data) == [
        "id", "task", "seed", "family", "persona", "scenario", "turns", "rewards", "reward", "outcome", "critique",
        "provenance",
    ]  # fmt: skip
    assert data["turns"][1] == {
        "speaker": 0, "text": 'Do you like it "quiet"?\n', "acts": [{"kind": "ask", "slot": "crowd", "value": "quiet"}]
    }  # fmt: skip
    assert parse_line(episode.to_line()) == episode


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(texts=st.lists(st.text(st.characters(exclude_categories=())), min_size=2, max_size=2))
def test_any_text_survives(make_episode: Make, texts: list[str]) -> None:
    """Line separators, control characters and half surrogate pairs included."""
    base = make_episode()
    episode = make_episode(turns=(Turn(1, texts[0]), Turn(0, texts[1])), rewards=(1.0,))
    line = episode.to_line()
    assert "\n" not in line
    assert parse_line(line) == episode
    assert parse_line(base.to_line()) == base


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("seed",), "7", "'seed' must be a whole number"),
        (("seed",), True, "'seed' must be a whole number"),
        (("seed",), -1, "must not be negative"),
        (("turns", 0, "speaker"), 2, "a turn is"),
        (("turns", 0, "speaker"), True, "a turn is"),
        (("turns", 0, "text"), None, "a turn is"),
        (("turns", 0, "acts"), [{"slot": "theme"}], "a turn is"),
        (("turns", 0, "acts"), [{"kind": ["x"]}], "a turn is"),
        (("turns", 0, "acts"), [{"kind": "ask", "__class__": "x"}], "a turn is"),
        (("turns", 0, "acts"), ["ask"], "a turn is"),
        (("turns", 0), {"speaker": 0, "text": "", "acts": [], "more": 1}, "a turn is"),
        (("rewards",), [0.0], "2 agent turns, but 1 rewards"),
        (("rewards",), [0.0, "1"], "no number"),
        (("rewards",), [0.0, 10**400], "too large"),
        (("reward",), 0.5, "'reward' is 0.5, but the rewards sum to 1.0"),
        (("outcome", "success"), 1, "'outcome' must say"),
        (("critique", "verdict"), "fine", "'critique' is"),
        (("critique", "criteria"), [{"name": "x"}], "a criterion is"),
        (("provenance", "mode"), "dreamt", "'provenance' is"),
        (("provenance", "model"), 5, "'provenance' is"),
    ],
)
def test_wrong_values_are_told(make_episode: Make, path: tuple[Any, ...], value: Any, says: str) -> None:
    data = make_episode().to_json()
    target: Any = data
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with pytest.raises(DatasetError, match=says):
        Episode.from_json(data)


def test_missing_and_unknown_fields_are_named(make_episode: Make) -> None:
    data = make_episode().to_json()
    del data["seed"]
    data["sede"] = 1
    with pytest.raises(DatasetError, match="lacks seed and has the unknown field sede"):
        Episode.from_json(data)
    del data["sede"], data["provenance"]["user"]
    with pytest.raises(DatasetError, match="'provenance' lacks user"):
        Episode.from_json({**data, "seed": 1})


@pytest.mark.parametrize(
    "line", ["", "[]", "null", '{"id":', "NaN", '{"id": NaN}', "[" * 100_000, b"\xff\xfe"]
)
def test_lines_that_are_no_episode(line: str | bytes) -> None:
    with pytest.raises(DatasetError):
        parse_line(line)
