"""A linear classifier of sentences: which act a sentence does, by hashed features. Trained by :mod:`learning`."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .features import BUCKETS, bucket

LABELS = (
    "none", "greet", "acknowledge", "encourage", "close", "refuse", "recap", "inform", "confirm", "open",
    "background", "style", "idea", "quiz", "correct", "explain",
)  # fmt: skip
"""What a sentence may do. ``none``: nothing of its own ("So.")."""


@lru_cache(maxsize=1)
def weights() -> NDArray[np.int32]:
    """The trained weights, (BUCKETS, labels), in units of the file's ``scale``: whole numbers, so that sums are exact
    whatever the order of features."""
    path = files(__package__) / "grammar" / "weights.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
        table: NDArray[np.int32] = data["weights"].astype(np.int32)
    return table


def score(names: list[str], table: NDArray[Any] | None = None) -> NDArray[Any]:
    """How likely each of :data:`LABELS` is by features: log-odds in the units of ``table``."""
    table = weights() if table is None else table
    rows = [bucket(name) for name in names]
    total: NDArray[Any] = table[rows].sum(axis=0)
    return total


__all__ = ["BUCKETS", "LABELS", "score", "weights"]
