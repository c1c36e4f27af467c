"""A limit on what model calls may cost. It stops before the money is spent, not after."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from dialog_envs.errors import BudgetExceeded, UsageError
from dialog_envs.simulators.llm.base import ChatRequest
from dialog_envs.simulators.llm.prices import Price

_BYTES_A_TOKEN = 2.0  # of ordinary text a token takes 4; so the estimate errs on the side of stopping
_TOKENS_A_MESSAGE = 16


class Budget:
    """Money for model calls, shared by all models that use it.

    Before a request is sent, the most that it can cost is set aside; when its reply has come, what it did cost is
    taken. A request for which nothing is left waits for those under way, and is :class:`BudgetExceeded` if even then
    nothing is left. So the limit is kept as long as prices and the estimate of tokens hold (2 bytes a token, where
    ordinary text has 4); thoughts of reasoning models count within `max_tokens` and ``reasoning_tokens``.

    Args:
        limit_usd: US dollars.
        spent_usd: what earlier parts of the same run have cost.

    Raises:
        UsageError: the limit is no amount of money.
    """

    def __init__(self, limit_usd: float, spent_usd: float = 0.0) -> None:
        if not 0 <= limit_usd < float("inf"):
            raise UsageError(f"a budget must be an amount in US dollars, not {limit_usd}.")
        self.limit = limit_usd
        self._spent = spent_usd
        self._reserved = 0.0
        self._lock = threading.Lock()

    @property
    def spent(self) -> float:
        """US dollars spent so far."""
        return self._spent

    def __repr__(self) -> str:
        return f"Budget({self.limit}, spent_usd={self._spent:.6f})"

    def add(self, cost_usd: float) -> None:
        """Count money that was spent."""
        with self._lock:
            self._spent += cost_usd

    @asynccontextmanager
    async def set_aside(self, amount: float) -> AsyncIterator[None]:
        """Hold `amount` while a request is under way.

        Raises:
            BudgetExceeded: it is not there.
        """
        while not self._take(amount):
            await asyncio.sleep(0.01)
        try:
            yield
        finally:
            with self._lock:
                self._reserved -= amount

    def _take(self, amount: float) -> bool:
        """Whether there is enough now; ``False`` if there may be later, when those under way cost less than feared."""
        with self._lock:
            if self._spent + amount > self.limit:
                raise BudgetExceeded(
                    f"model calls have cost ${self._spent:.4f} of the ${self.limit:g} that they may, and the next one "
                    f"could cost ${amount:.4f}. What is done is kept: run the same command with a larger --max-cost to "
                    "go on."
                )
            if self._spent + self._reserved + amount > self.limit:
                return False
            self._reserved += amount
            return True


def most_cost(request: ChatRequest, price: Price, extra_tokens: int = 0) -> float:
    """The most that a request can cost, in US dollars."""
    size = sum(len(message["content"].encode()) for message in request.messages)
    tokens_in = size / _BYTES_A_TOKEN + _TOKENS_A_MESSAGE * (len(request.messages) + 1)
    if request.schema is not None:
        tokens_in += len(str(request.schema))
    return price.cost(int(tokens_in) + 1, request.max_tokens + extra_tokens)


_current: list[Budget] = []


def current_budget() -> Budget | None:
    """The budget of the innermost :func:`spending` of this process."""
    return _current[-1] if _current else None


@contextmanager
def spending(budget: Budget | None) -> Iterator[Budget | None]:
    """Every model call of this process keeps to `budget`, whoever makes it. ``None`` changes nothing."""
    if budget is None:
        yield None
        return
    _current.append(budget)
    try:
        yield budget
    finally:
        _current.remove(budget)
