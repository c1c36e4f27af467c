"""Named random streams: one seed, split by name.

The same seed gives the same stream in another process, under any ``PYTHONHASHSEED``, alone or in a batch, because
seed and names are hashed with BLAKE2 rather than :func:`hash`, and because nobody draws from anybody else's stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from operator import index
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence


def _digest(seed: int, names: tuple[str | int, ...]) -> bytes:
    """32 bytes that depend on every bit of the seed and the names, on their kinds and on their order."""
    state = blake2b(b"%d" % int(seed), digest_size=32)
    for name in names:
        if isinstance(name, str):
            word = name.encode("utf-8")
            state.update(b'"%d:%b' % (len(word), word))  # the length, so that ("ab",) is not ("a", "b")
        else:
            state.update(b"#%d" % index(name))
    return state.digest()


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed for the stream ``names`` of ``seed``.

    Args:
        seed: any non-negative integer.
        names: what the stream is for, for example ``("user",)`` or ``("agent", 3)``. Order matters.
    """
    return int.from_bytes(_digest(seed, names)[:8], "little") >> 1


class _Digest(ISeedSequence):
    """Hands a digest to a bit generator as its initial state.

    Numpy's own ``SeedSequence`` mixes its entropy too, which takes 6 us: a tenth of a step of an environment, for
    bits that are mixed already.
    """

    def __init__(self, digest: bytes) -> None:
        self.words = np.frombuffer(digest, dtype="<u8").astype(np.uint64)

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> np.ndarray[Any, Any]:
        return self.words[:n_words]


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """A numpy Generator (PCG64) for the stream ``names`` of ``seed``. It cannot ``spawn``: name another stream."""
    return np.random.Generator(np.random.PCG64(_Digest(_digest(seed, names))))  # type: ignore[arg-type]  # the stubs know SeedSequence only


def streams(seed: int, names: Sequence[str]) -> tuple[np.random.Generator, ...]:
    """One generator a name: ``persona, scenario = streams(7, ("persona", "scenario"))``."""
    return tuple(stream(seed, name) for name in names)
