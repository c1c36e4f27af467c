"""Splits by persona."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dialog_envs.datasets import Episode, split_by_persona
from dialog_envs.errors import UsageError

Make = Callable[..., Episode]


def test_no_persona_on_both_sides(make_episode: Make) -> None:
    episodes = [make_episode(i) for i in range(40)]  # 20 personas
    train, validation = split_by_persona(episodes, 0.25, seed=3)
    assert len(train) == 30 and len(validation) == 10
    assert not {e.persona_key for e in train} & {e.persona_key for e in validation}
    assert sorted([*train, *validation], key=lambda e: e.seed) == episodes


def test_seeded_and_independent_of_order(make_episode: Make) -> None:
    episodes = [make_episode(i) for i in range(40)]
    ids = [{e.id for e in split_by_persona(rows, 0.25, seed)[1]} for rows, seed in
           ((episodes, 0), (episodes[::-1], 0), (episodes, 1))]  # fmt: skip
    assert ids[0] == ids[1] != ids[2]


def test_edges(make_episode: Make) -> None:
    one = [make_episode()]
    assert split_by_persona(one, 0.9) == (one, [])
    assert split_by_persona([], 0.5) == ([], [])
    with pytest.raises(UsageError, match="below 1"):
        split_by_persona(one, 1.0)
