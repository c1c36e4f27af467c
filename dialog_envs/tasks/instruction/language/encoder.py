"""What a sentence means, its words in their order: a small convolutional encoder that :mod:`learning_encoder` distils
from a large one, all-MiniLM-L6-v2 (Apache License 2.0; see ``NOTICE``).

Two convolutions of three words (Kim, 2014) over word vectors, the second beside a shortcut; the mean and the largest of
what they find; and a linear map to the first principal components of the large encoder's vectors. Weights and what
passes from layer to layer are whole numbers, small enough that sums of float32 are exact, so that a sentence has the
same vector, to the bit, on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import vectors
from .vectors import Ints

MOST = 48
"""Tokens of a sentence that are read."""
WORD_STEPS = 4
"""Steps of a word's own row in one step of :mod:`vectors`."""
TOP = 127
"""The largest number of a weight, and of what a convolution finds."""
PARTS = 16
"""Parts of one in which means are taken."""
START, END, NUMBER = "<s>", "</s>", "<n>"
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Encoder:
    """The weights, as whole numbers.

    Attributes:
        words: tokens that have a row of their own -> its place; place 0 is of all others.
        rows: (words + 1, numbers of a word vector): what is added to :mod:`vectors`' row of a token.
        first, second: (3 tokens x inputs, channels): the convolutions.
        biases: (2, channels): of the convolutions.
        scales: (2,): what a unit of a convolution's sums is in units of what it hands on.
        last: (2 x channels, numbers of a vector): from the means and the largest to the vector.
        bias: (numbers of a vector,): of the vector.
        scale: what a unit of the last sums is in units of a vector.
    """

    words: dict[str, int]
    rows: Ints
    first: Floats
    second: Floats
    biases: Floats
    scales: Floats
    last: Ints
    bias: Ints
    scale: float

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Encoder:
        """From its arrays, as :mod:`learning_encoder` makes them."""
        words = bytes(arrays["words"]).decode("utf-8").split("\n")
        return cls(
            {word: i for i, word in enumerate(words, 1)},
            arrays["rows"].astype(np.int64),
            arrays["first"].astype(np.float32),
            arrays["second"].astype(np.float32),
            arrays["biases"].astype(np.float32),
            arrays["scales"],
            arrays["last"].astype(np.int64),
            arrays["bias"].astype(np.int64),
            float(arrays["scale"]),
        )

    def encode(self, tokens: Sequence[str]) -> Ints:
        """The vector of a sentence, two to three times ``vectors.UNIT`` long: ``vectors.unit`` makes likeness of it."""
        seen = [START, *map(sign, tokens[:MOST]), END]
        own = self.rows[[self.words.get(token, 0) for token in seen]]
        places = [vectors.row(token) for token in seen]
        common = np.where(np.array(places)[:, None] >= 0, vectors.table()[1][places], 0)
        found = (own + WORD_STEPS * common.astype(np.int64)).astype(np.float32)
        hidden = self._convolved(found, self.first, 0)
        hidden += self._convolved(hidden, self.second, 1)
        whole = hidden.astype(np.int64)
        pooled = np.concatenate((whole.sum(axis=0) * PARTS // len(seen), whole.max(axis=0) * PARTS))
        return np.rint((pooled @ self.last + self.bias) * self.scale).astype(np.int64)

    def _convolved(self, row: Floats, kernel: Floats, layer: int) -> Floats:
        padded = np.zeros((len(row) + 2, row.shape[1]), np.float32)
        padded[1:-1] = row
        sums = np.hstack((padded[:-2], padded[1:-1], padded[2:])) @ kernel + self.biases[layer]
        found: Floats = np.clip(np.rint(sums * self.scales[layer]), 0, TOP)
        return found


def sign(token: str) -> str:
    """A token, or the sign for all numbers."""
    return NUMBER if token[:1].isdigit() else token


@lru_cache(maxsize=1)
def encoder() -> Encoder:
    """The encoder of the package."""
    path = files(__package__) / "grammar" / "encoder.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
        return Encoder.of(data)


def encoded(tokens: tuple[str, ...]) -> Ints:
    """The vector of a sentence by the package's encoder; it cannot be written to."""
    return _encoded(tokens[:MOST])


@lru_cache(maxsize=4_096)
def _encoded(tokens: tuple[str, ...]) -> Ints:
    found = encoder().encode(tokens)
    found.flags.writeable = False
    return found
