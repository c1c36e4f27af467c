"""How many requests may be in flight at an endpoint: fewer when it pushes back, more again as long as it keeps up."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from types import TracebackType

CUT = 0.7
"""What is left of the limit after an endpoint pushed back."""
GAIN = 2.0
"""By how much the limit grows while as many requests succeed as it admits."""


class AdaptiveLimit:
    """Additive increase, multiplicative decrease (Chiu and Jain, 1989). For the background loop only.

    Requests that were sent before the last cut cut no second time: they tell of the same moment.

    Attributes:
        most: it never admits more.
        now: what it admits (the whole part of it), at least 1.
        in_flight: admitted and not ended.
        peak: the largest number in flight so far.
        cuts: how often the endpoint pushed back.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.now = float(most)
        self.in_flight = self.peak = self.cuts = 0
        self._cut_at = -1.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> float:
        """Wait for a place.

        Returns:
            when the place was taken, for :meth:`pushed_back`.
        """
        if self.in_flight < int(self.now) and not self._waiting:
            self._enter()
        else:
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._leave()
                raise
        return time.monotonic()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def succeeded(self) -> None:
        """A request was answered."""
        self.now = min(float(self.most), self.now + GAIN / self.now)

    def pushed_back(self, since: float) -> None:
        """The endpoint is overloaded, says the request that took its place at `since`."""
        if since > self._cut_at:
            self._cut_at = time.monotonic()
            self.now = max(1.0, self.now * CUT)
            self.cuts += 1

    def set_most(self, most: int) -> None:
        """Another upper limit."""
        self.now = float(most) if self.now >= self.most else min(self.now, float(most))
        self.most = most
        self._admit()

    def _enter(self) -> None:
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)

    def _leave(self) -> None:
        self.in_flight -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self.in_flight < int(self.now):
            place = self._waiting.popleft()
            if not place.done():
                self._enter()
                place.set_result(None)
