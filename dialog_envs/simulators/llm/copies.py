"""Noticing an answer that was delivered before.

HTTP/1.1 numbers nothing: where a server or proxy delivers an answer twice, the second copy is taken for the answer to
the next request on the same connection, and everybody after that gets somebody else's words. Answers to two requests
are never equal to the byte, because each has an id of its own.
"""

from __future__ import annotations

import re
from collections import OrderedDict

from dialog_envs.simulators.llm.retry import Transient

_ID = re.compile(rb'"id"\s*:\s*"[^"]{8,}"')  # a shorter one is none, but a constant
_REMEMBERED = 4096


class DeliveredTwice(Transient):
    """An answer that was delivered before, to another request."""


class Copies:
    """The answers that were delivered lately."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, None] = OrderedDict()

    def check(self, content: bytes) -> None:
        """Whether this answer is new.

        Raises:
            DeliveredTwice: it is not.
        """
        if hash(content) in self._seen:
            raise DeliveredTwice("the server delivered the answer to another request once more")

    def remember(self, content: bytes) -> None:
        """This answer was taken."""
        if _ID.search(content, 0, 1000):
            self._seen[hash(content)] = None
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
