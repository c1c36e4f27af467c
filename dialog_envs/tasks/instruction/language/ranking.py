"""Which idea sentences are about: the likeliest by a softmax over the concept's ideas, trained by :mod:`learning`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

import numpy as np

from .meaning import Meaning
from .sentences import Sentence
from .setting import Setting
from .vectors import Ints

NAT = 1 << 20
"""Odds of 1, in whole numbers."""


@lru_cache(maxsize=1)
def weights() -> Ints:
    """The weight of each of ``meaning.FEATURES``, in whole numbers."""
    path = files(__package__) / "grammar" / "ranking.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
        found: Ints = data["weights"].astype(np.int64)
    return found


def odds(
    members: Sequence[Sentence],
    tables: Meaning,
    setting: Setting,
    current: int,
    kind: str,
    learned: Ints | None = None,
) -> Ints:
    """The log-odds of each idea, in the units of the weights."""
    found: Ints = tables.features(members, setting, current, kind) @ (
        weights() if learned is None else learned
    )
    return found
