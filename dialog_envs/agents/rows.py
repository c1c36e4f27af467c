"""A batch of dialogues that are being continued, and what earlier turns have read of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dialog_envs.agents.kv_cache import Entry, PrefixStore
from dialog_envs.agents.trunks import Fresh, Reader


class StoredRows:
    """Rows in preallocated buffers, one for each trunk. What a store knows of a dialogue is not read again.

    Args:
        readers: of the policy's trunk, and of the value trunk if there is a separate one.
        prefixes: token ids, at least one each.
        store: where finished rows go, and beginnings come from.
        keys: the dialogues' names in the store.
        room: tokens by which a row may grow.
        drawn: how often each dialogue is continued; its rows stand side by side.
    """

    def __init__(
        self,
        readers: Sequence[Reader],
        prefixes: Sequence[Sequence[int]],
        store: PrefixStore | None = None,
        keys: Sequence[Hashable] = (),
        room: int = 0,
        drawn: int = 1,
    ) -> None:
        self.readers, self.store, self.keys = readers, store, list(keys)
        self.states: list[Tensor] = []
        self.ids = [list(prefix) for prefix in prefixes]
        self.device = next(readers[0].trunk.parameters()).device
        self.lengths = np.array([len(prefix) for prefix in prefixes])
        starts = np.zeros(len(prefixes), dtype=np.int64)
        found: list[Entry | None] = [None] * len(prefixes)
        for row, key in enumerate(self.keys):
            assert store is not None
            found[row], starts[row] = store.find(key, self.ids[row], len(readers))
        fresh = padded([ids[start:] for ids, start in zip(self.ids, starts, strict=True)], 0)
        width = int(starts.max()) + fresh.shape[1]
        for number, reader in enumerate(readers):
            reader.reserve(len(prefixes) * drawn, max(width, int(self.lengths.max()) + room))
            for row, entry in enumerate(found):
                if entry is not None and starts[row]:
                    reader.buffer.load(row, entry.trunks[number], int(starts[row]))
        counts = torch.from_numpy(self.lengths - starts)
        self._read(fresh, torch.from_numpy(starts), counts, width)
        if drawn > 1:
            self._repeat(drawn)

    @property
    def hidden(self) -> tuple[Tensor, Tensor]:
        """Hidden states for the policy and for the value heads: (rows, width) each."""
        return self.states[0], self.states[-1]

    def keep(self, going: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Drops the dialogues that are finished; returns which of the old rows are the new ones.

        The last rows move to where finished ones stood, so that few rows are copied.
        """
        for row in np.flatnonzero(~going):
            self._remember(int(row))
        kept = int(going.sum())
        order = np.arange(kept)
        holes = np.flatnonzero(~going[:kept])
        movers = kept + np.flatnonzero(going[kept:])
        order[holes] = movers
        for hole, mover in zip(holes, movers, strict=True):
            for reader in self.readers:
                reader.buffer.copy(int(mover), int(hole), int(self.lengths[mover]))
        self.lengths = self.lengths[order]
        self.ids = [self.ids[row] for row in order]
        self.keys = [self.keys[row] for row in order] if self.keys else []
        rows = torch.from_numpy(order).to(self.device)
        self.states = [state[rows] for state in self.states]
        return order

    def extend(self, tokens: Tensor) -> None:
        """Reads one more token a row: (rows,)."""
        starts = torch.from_numpy(self.lengths)
        self.lengths = self.lengths + 1
        self._read(tokens[:, None], starts, torch.ones_like(starts), int(self.lengths.max()))
        for ids, token in zip(self.ids, tokens.tolist(), strict=True):
            ids.append(token)

    def _repeat(self, drawn: int) -> None:
        """Makes ``drawn`` rows of each. What has been read so far is remembered; one of the continuations is said."""
        rows = len(self.ids)
        for row in range(rows):
            self._remember(row)
        self.store = None
        for row in reversed(range(rows)):
            for target in reversed(range(row * drawn, (row + 1) * drawn)):
                for reader in self.readers if target != row else ():
                    reader.buffer.copy(row, target, int(self.lengths[row]))
        self.ids = [list(ids) for ids in self.ids for _ in range(drawn)]
        self.keys = [key for key in self.keys for _ in range(drawn)]
        self.lengths = self.lengths.repeat(drawn)
        self.states = [state.repeat_interleave(drawn, dim=0) for state in self.states]

    def _read(self, ids: Tensor, starts: Tensor, counts: Tensor, width: int) -> None:
        here = self.device
        fresh = Fresh(ids.to(here), starts.to(here), counts.to(here), width)
        self.states = [reader.read(fresh) for reader in self.readers]

    def _remember(self, row: int) -> None:
        if self.store is None:
            return
        length = int(self.lengths[row])
        trunks = tuple(reader.buffer.entry(row, length) for reader in self.readers)
        self.store.put(self.keys[row], Entry(tuple(self.ids[row][:length]), trunks))


def padded(rows: Sequence[Sequence[int]], pad: int) -> Tensor:
    """Rows of ids as a tensor, (rows, longest), padded on the right."""
    ids = np.full((len(rows), max(map(len, rows))), pad, dtype=np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
    return torch.from_numpy(ids)
