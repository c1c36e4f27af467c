"""Named random streams: one seed, split by name.

The same seed gives the same stream in another process, under any ``PYTHONHASHSEED``, alone or in a batch, because
names are hashed with CRC-32 rather than :func:`hash`, and because nobody draws from anybody else's stream.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

_MASK = (1 << 64) - 1


def _mix(x: int) -> int:
    """The finaliser of splitmix64: a bijection of 64 bits in which every input bit moves every output bit."""
    x = (x + 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed for the stream ``names`` of ``seed``.

    Args:
        seed: any non-negative integer.
        names: what the stream is for, for example ``("user",)`` or ``("agent", 3)``. Order matters.
    """
    seed = int(seed)  # a numpy integer would overflow
    state = _mix(seed & _MASK) ^ _mix(seed >> 64)
    for name in names:
        word = (
            int(name) if isinstance(name, (int, np.integer)) else zlib.crc32(name.encode("utf-8")) | (1 << 40)
        )
        state = _mix(state ^ (word & _MASK))
    return state >> 1


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """A numpy Generator for the stream ``names`` of ``seed`` (PCG64, seeded by :func:`derive`)."""
    return np.random.Generator(np.random.PCG64(derive(seed, *names)))


def streams(seed: int, names: Sequence[str]) -> tuple[np.random.Generator, ...]:
    """One generator a name: ``persona, scenario = streams(7, ("persona", "scenario"))``."""
    return tuple(stream(seed, name) for name in names)
