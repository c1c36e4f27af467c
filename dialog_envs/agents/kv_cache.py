"""Keys and values that attention has computed: buffers for a batch, and what earlier turns left behind.

A dialogue grows turn by turn, and an agent reads all of it before each of its turns. What has been read before need
not be read again: the keys and values of a token depend on the tokens before it alone. Whether the dialogue really
begins as it did is not believed but compared, token by token, so a view may rewrite what it showed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from transformers import Cache

SHORTEST = 256
"""Tokens that a buffer has room for at least. A longer one has twice as many, and so on."""


class Buffer:
    """Preallocated keys and values of one trunk for a batch of rows: (layers, 2, rows, time, heads, size).

    Rows are written at their own positions, so they need not be equally long. What stands behind a row's last
    token is never attended to.
    """

    def __init__(self) -> None:
        self.data: Tensor | None = None
        self._wanted = (0, 0, 0)

    def reserve(self, layers: int, rows: int, time: int) -> None:
        """Room for a new batch; what was there is lost. Memory is taken when the shapes of keys are known."""
        self._wanted = (layers, rows, time)
        if self.data is not None and (self.data.shape[2] < rows or self.data.shape[3] < time):
            self.data = None

    def layer(self, index: int, like: Tensor) -> Tensor:
        """Keys and values of a layer, (2, rows, time, heads, size). ``like``: new keys, (rows, time, heads, size)."""
        if self.data is None:
            layers, rows, time = self._wanted
            time = max(SHORTEST, 1 << (time - 1).bit_length())
            self.data = like.new_zeros(layers, 2, rows, time, like.shape[2], like.shape[3])
        return self.data[index]

    def load(self, row: int, entry: Tensor, length: int) -> None:
        """Puts the first ``length`` tokens of an entry into a row."""
        self.layer(0, entry[0, 0][None])
        assert self.data is not None
        self.data[:, :, row, :length] = entry[:, :, :length]

    def copy(self, source: int, target: int, length: int) -> None:
        """One row over another."""
        assert self.data is not None
        self.data[:, :, target, :length] = self.data[:, :, source, :length]

    def entry(self, row: int, length: int) -> Tensor:
        """A row's tokens: (layers, 2, time, heads, size), a copy."""
        assert self.data is not None
        return self.data[:, :, row, :length].clone()


class Entry(NamedTuple):
    """What is known of a dialogue."""

    ids: tuple[int, ...]
    trunks: tuple[Tensor, ...]
    """For each trunk (layers, 2, time, heads, size)."""

    @property
    def bytes(self) -> int:
        """Memory."""
        return sum(tensor.nbytes for tensor in self.trunks)


class PrefixStore:
    """What earlier turns of some dialogues left behind; the longest unused ones go when memory is short.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.used = limit, 0
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._weights: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self._entries)

    def check(self, trunks: Sequence[nn.Module]) -> None:
        """Forgets everything if a weight has changed: a model may learn between two turns."""
        weights = tuple((p.data_ptr(), p._version) for trunk in trunks for p in trunk.parameters())
        if weights != self._weights:
            self._entries.clear()
            self.used, self._weights = 0, weights

    def find(self, key: Hashable, ids: Sequence[int], trunks: int) -> tuple[Entry | None, int]:
        """The entry of a dialogue, and how many of its tokens it begins with; never all of ``ids``."""
        entry = self._entries.get(key)
        if entry is None or len(entry.trunks) < trunks:
            return None, 0
        return entry, common_prefix(entry.ids, ids[:-1])

    def put(self, key: Hashable, entry: Entry) -> None:
        """Remembers an entry in place of the dialogue's earlier one."""
        self.drop(key)
        self._entries[key] = entry
        self.used += entry.bytes
        while self.used > self.limit:
            self.used -= self._entries.popitem(last=False)[1].bytes

    def drop(self, key: Hashable) -> None:
        """Forgets a dialogue."""
        entry = self._entries.pop(key, None)
        self.used -= entry.bytes if entry is not None else 0


def common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens two sequences begin with in common."""
    n = min(len(first), len(second))
    differ = np.flatnonzero(np.asarray(first[:n]) != np.asarray(second[:n]))
    return int(differ[0]) if len(differ) else n


class BufferedCache(Cache):
    """The cache that a trunk of transformers writes into and reads from: a :class:`Buffer`.

    Args:
        buffer: with room for the batch.
        rows: how many of its rows are read, from the first on.
        positions: where the new tokens stand, (rows, new).
        width: tokens that attention looks at, the new ones included.
    """

    def __init__(self, buffer: Buffer, rows: int, positions: Tensor, width: int) -> None:
        super().__init__(layers=[])
        self._buffer, self._rows, self._positions, self._width = buffer, rows, positions, width
        self._row = torch.arange(rows, device=positions.device)[:, None]

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Writes new keys and values, (rows, heads, new, size) each; returns all of them so far."""
        keys, values = self._buffer.layer(layer_idx, key_states.transpose(1, 2))
        keys[self._row, self._positions] = key_states.transpose(1, 2)
        values[self._row, self._positions] = value_states.transpose(1, 2)
        seen = slice(None, self._rows), slice(None, self._width)
        return keys[seen].transpose(1, 2), values[seen].transpose(1, 2)

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Tokens before the new ones."""
        return self._width - self._positions.shape[1]
