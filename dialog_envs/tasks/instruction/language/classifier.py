"""A linear classifier of sentences: which act a sentence does, by hashed features and by what its words mean.

Trained by :mod:`learning`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .encoder import encoded
from .features import BUCKETS, bucket
from .sentences import Sentence
from .vectors import UNIT, Ints, total, unit

LABELS = (
    "none", "greet", "acknowledge", "encourage", "close", "refuse", "recap", "inform", "confirm", "open",
    "background", "style", "idea", "quiz", "correct", "explain",
)  # fmt: skip
"""What a sentence may do. ``none``: nothing of its own ("So.")."""
STRETCH = 4.0
"""How much a vector of length 1 is stretched, so that its numbers are about as large as features of 0 or 1."""
FINE = 4096
"""Steps of the weights of meaning in one of the weights of features."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Trained weights, in whole numbers, so that sums are exact whatever the order.

    Attributes:
        features: (BUCKETS, labels), in steps of a 127th of the largest.
        meaning: (numbers of :func:`meant`, labels), in ``FINE`` steps of that unit a number.
    """

    features: NDArray[Any]
    meaning: NDArray[Any]

    @classmethod
    def of(cls, features: NDArray[np.float32], meaning: NDArray[np.float32]) -> Weights:
        """Real weights in whole numbers."""
        scale = float(np.abs(features).max()) / 127
        fine = np.rint(meaning * (STRETCH / UNIT / scale * FINE)).astype(np.int32)
        return cls(np.rint(features / scale).astype(np.int8), fine)


@lru_cache(maxsize=1)
def weights() -> Weights:
    """The weights of the package."""
    path = files(__package__) / "grammar" / "weights.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
        return Weights(data["weights"], data["meaning"].astype(np.int64))


def meant(now: Sentence) -> Ints:
    """What a sentence means: the sum of its words' vectors, of length ``UNIT``, and its own by :mod:`encoder`, which is
    two to three times as long."""
    return np.concatenate((unit(total(now.tokens)), encoded(now.whole)))


def score(names: list[str], meaning: Ints, table: Weights | None = None) -> Ints:
    """How likely each of :data:`LABELS` is by features and meaning: log-odds in ``FINE`` steps of the weights' unit."""
    table = weights() if table is None else table
    rows = [bucket(name) for name in names]
    found: Ints = table.features[rows].sum(axis=0, dtype=np.int64) * FINE + meaning @ table.meaning
    return found


__all__ = ["BUCKETS", "LABELS", "Weights", "meant", "score", "weights"]
