"""What words mean, as short vectors: a table of stems that :mod:`learning_vectors` makes from a sentence encoder,
all-MiniLM-L6-v2 (Apache License 2.0; see ``NOTICE``).

Everything is in whole numbers, so that sums are exact whatever their order and however a machine multiplies.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from .stems import stem

Ints = NDArray[np.int64]
UNIT = 127
"""The length of a vector that :func:`unit` returns; the likeness of two is their product over ``UNIT ** 2``."""


@lru_cache(maxsize=1)
def _file() -> tuple[dict[str, int], NDArray[np.int8], int]:
    path = files(__package__) / "grammar" / "vectors.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
        words = bytes(data["words"]).decode("ascii").split("\n")
        rows: NDArray[np.int8] = data["rows"]
        return {word: i for i, word in enumerate(words)}, rows, int(data["english"])


def table() -> tuple[dict[str, int], NDArray[np.int8]]:
    """Stem -> its row; and the rows, (stems, numbers). Rarer words have longer rows: a sum needs no other weights."""
    return _file()[:2]


def is_english(word: str) -> bool:
    """Whether a lower-case word shares its stem with one of the encoder's own words; by chance a typo may, too."""
    return 0 <= row(word) < _file()[2]


def size() -> int:
    """Numbers in a vector."""
    return int(table()[1].shape[1])


@lru_cache(maxsize=32_768)
def row(word: str) -> int:
    """The row of a lower-case word, or -1."""
    return table()[0].get(stem(word), -1)


def total(words: Iterable[str]) -> Ints:
    """The sum of the rows of words."""
    places = [place for place in map(row, words) if place >= 0]
    found: Ints = table()[1][places].sum(axis=0, dtype=np.int64)
    return found


def unit(vector: Ints) -> Ints:
    """A vector scaled to length :data:`UNIT`, in whole numbers; zeros stay."""
    length = math.sqrt(int(vector @ vector))
    if not length:
        return vector
    found: Ints = np.rint(vector * (UNIT / length)).astype(np.int64)
    return found
