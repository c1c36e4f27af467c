"""A limit on what model calls may cost. It stops before the money is spent, not after."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from pathlib import Path

from dialog_envs.errors import BudgetExceeded, UsageError
from dialog_envs.simulators.llm.base import ChatRequest
from dialog_envs.simulators.llm.prices import Price
from dialog_envs.simulators.llm.purse import FilePurse, MemoryPurse, Purse

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
        spent_usd: what earlier parts of the same run have cost. Only without a file.
        file: a file in which all processes of a run count together, this run's later parts, too.

    Raises:
        UsageError: the limit is no amount of money, or the file cannot be used.
    """

    def __init__(self, limit_usd: float, spent_usd: float = 0.0, file: str | Path | None = None) -> None:
        if not 0 <= limit_usd < float("inf"):
            raise UsageError(f"a budget must be an amount in US dollars, not {limit_usd}.")
        self.limit = limit_usd
        self._purse: Purse = MemoryPurse(spent_usd) if file is None else FilePurse(Path(file))

    @property
    def spent(self) -> float:
        """US dollars spent so far."""
        return self._purse.spent()

    def __repr__(self) -> str:
        return f"Budget({self.limit}, spent_usd={self.spent:.6f})"

    def close(self) -> None:
        """Close its file, if it has one."""
        if isinstance(self._purse, FilePurse):
            self._purse.close()

    def add(self, cost_usd: float) -> None:
        """Count money that was spent."""
        self._purse.add(cost_usd)

    @asynccontextmanager
    async def set_aside(self, amount: float) -> AsyncIterator[None]:
        """Hold `amount` while a request is under way.

        Raises:
            BudgetExceeded: it is not there, and will not be when all calls under way have ended.
        """
        while (answer := self._purse.take(amount, self.limit)) == "later":
            await asyncio.sleep(0.01)
        if answer == "never":
            raise BudgetExceeded(
                f"model calls have cost ${self.spent:.4f} of the ${self.limit:g} that they may, and the next one could "
                f"cost ${amount:.4f}. What is done is kept: run the same command with a larger --max-cost to go on."
            )
        try:
            yield
        finally:
            self._purse.give_back(amount)


def most_cost(request: ChatRequest, price: Price, extra_tokens: int = 0) -> float:
    """The most that a request can cost, in US dollars."""
    size = sum(len(message["content"].encode()) for message in request.messages)
    tokens_in = size / _BYTES_A_TOKEN + _TOKENS_A_MESSAGE * (len(request.messages) + 1)
    if request.schema is not None:
        tokens_in += len(str(request.schema))
    return price.cost(int(tokens_in) + 1, request.max_tokens + extra_tokens)


_current: list[Budget] = []


def current_budget() -> Budget | None:
    """The budget of the innermost :func:`spending` of this process, or else the one that was :func:`handed_down`."""
    if _current:
        return _current[-1]
    told = os.environ.get(_HANDED_DOWN)
    return _inherited(told, os.getpid()) if told else None


_HANDED_DOWN = "DIALOG_ENVS_BUDGET"


@contextmanager
def handed_down(limit_usd: float, file: str | Path) -> Iterator[None]:
    """Processes that are started within count their model calls in ``file``, and keep to the limit together."""
    before = os.environ.get(_HANDED_DOWN)
    os.environ[_HANDED_DOWN] = f"{limit_usd!r} {Path(file).resolve()}"
    try:
        yield
    finally:
        os.environ.pop(_HANDED_DOWN)
        if before is not None:
            os.environ[_HANDED_DOWN] = before


@lru_cache(maxsize=1)
def _inherited(told: str, _process: int) -> Budget:
    limit, _, file = told.partition(" ")
    return Budget(float(limit), file=file)


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
