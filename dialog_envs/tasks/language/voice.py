"""Speaking: drawing sentences from banks, and putting them together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .grammar import Bank

_DRAWS = 40


class Draws:
    """The random choices of one turn, drawn in blocks, because a single draw of numpy costs a microsecond."""

    __slots__ = ("_next", "rng")

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self._next: Callable[[], float] = iter(rng.random(_DRAWS).tolist()).__next__

    def draw(self) -> float:
        """The next number in [0, 1)."""
        try:
            return self._next()
        except StopIteration:
            self._next = iter(self.rng.random(_DRAWS).tolist()).__next__
            return self._next()

    def pick(self, bank: Bank) -> str:
        """One string of a bank."""
        return bank[int(self.draw() * len(bank))]

    def maybe(self, p: float, bank: Bank) -> str:
        """One string of a bank with probability ``p``, else nothing."""
        return self.pick(bank) if self.draw() < p else ""


def cap(text: str) -> str:
    """With a capital first letter."""
    return text[0].upper() + text[1:] if text else text


def join(before: str, core: str) -> str:
    """``core`` after an opener, with a capital where the opener ends a sentence."""
    if not before or before[-2] in ".!?":
        return before + cap(core)
    return before + core


def sentence(text: str) -> str:
    """With a capital and a closing mark."""
    return cap(text) if text[-1] in ".?!" else cap(text) + "."
