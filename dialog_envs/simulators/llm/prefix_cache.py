"""Keys and values of dialogues that were read before, so that a turn costs only its new words."""

from __future__ import annotations

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Sequence

from dialog_envs.simulators.llm.llama import Span


class PrefixCache:
    """Spans by all the tokens up to their end; the least recently used go first.

    Use it as ``chain(pieces)`` for each dialogue of a batch, then compute :attr:`pending`, then :meth:`commit`.
    A cut-off computation leaves nothing behind: what is pending is not yet in the cache.

    Args:
        capacity: most tokens to keep. For the embedded model one takes 23 KB (bfloat16) or 46 KB (float32).
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.pending: dict[bytes, Span] = {}
        self._spans: OrderedDict[bytes, Span] = OrderedDict()
        self._tokens = 0

    def chain(self, pieces: Sequence[tuple[int, ...]]) -> tuple[Span, ...]:
        """The spans of a dialogue, oldest first; unknown ones are new and pending."""
        key = b""
        chain: tuple[Span, ...] = ()
        for tokens in pieces:
            key = hashlib.blake2b(key + array("I", tokens).tobytes(), digest_size=16).digest()
            if key in self._spans:
                self._spans.move_to_end(key)
                span = self._spans[key]
            else:
                span = self.pending.setdefault(key, Span(tokens, chain))
            chain = (*chain, span)
        return chain

    @property
    def pending_tokens(self) -> int:
        """Tokens that wait to be computed."""
        return sum(len(span.tokens) for span in self.pending.values())

    def commit(self) -> None:
        """The pending spans are computed: keep them, and forget the oldest over the capacity."""
        for key, span in self.pending.items():
            self._spans[key] = span
            self._tokens += len(span.tokens)
        self.pending.clear()
        while self._tokens > self.capacity and len(self._spans) > 1:
            _, oldest = self._spans.popitem(last=False)
            self._tokens -= len(oldest.tokens)
