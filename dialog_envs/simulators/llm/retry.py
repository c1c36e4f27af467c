"""The one retry layer: which failures of a server are worth another try, and how long to wait before it.

Tried again, with waits that double and jitter (or as long as the server asks in Retry-After): rate limits, errors of
the server (5xx), timeouts, broken connections, and replies that are empty or make no sense. Not tried again:
everything that would fail the same way, such as a wrong key, a bad request, an unknown model or an exhausted quota.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from dialog_envs.errors import ChatModelError
from dialog_envs.simulators.llm.base import Usage

T = TypeVar("T")
NOTHING = Usage()


class Transient(Exception):
    """A failure that may pass.

    Args:
        reason: what went wrong, for a person; holds no secret.
        retry_after: seconds that the server asked to wait, if it did.
        pushed_back: whether it says that the endpoint has too much to do.
        answered: whether the server wrote a whole answer, which was no use: it has to be asked for another one, with
            another idempotency key.
        usage: what a reply that was no use has taken.
    """

    def __init__(
        self,
        reason: str,
        retry_after: float | None = None,
        *,
        pushed_back: bool = False,
        answered: bool = False,
        usage: Usage = NOTHING,
    ) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.pushed_back = pushed_back
        self.answered = answered
        self.usage = usage


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently.

    Attributes:
        attempts: most tries of one request, the first included.
        first_wait: upper limit of the first random wait, in seconds; it doubles with each try.
        longest_wait: no wait is longer, not even one that the server asks for.
    """

    attempts: int = 8
    first_wait: float = 0.5
    longest_wait: float = 60.0

    async def run(self, call: Callable[[], Awaitable[T]], what: str) -> T:
        """Await ``call()`` until it does not raise :class:`Transient`.

        Raises:
            ChatModelError: all tries were used up; the message ends with the last reason. Other exceptions pass.
        """
        try:
            return (
                await call()
            )  # most calls need no more, and tenacity's own work takes longer than sending one
        except Transient as failure:
            first = failure
        failures: list[Transient] = [first]

        async def again() -> T:
            if failures:
                raise failures.pop()
            return await call()

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Transient),
            stop=stop_after_attempt(self.attempts),
            wait=self._wait,
            reraise=True,
        )
        try:
            return await retrying(again)
        except Transient as failure:
            raise ChatModelError(
                f"{what} gave no usable reply in {self.attempts} tries; the last time: {failure}. "
                "Run the same command again to go on from here."
            ) from None

    def _wait(self, state: RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome is not None else None
        asked = failure.retry_after if isinstance(failure, Transient) else None
        jitter = float(wait_random_exponential(multiplier=self.first_wait, max=self.longest_wait)(state))
        if asked is None:
            return jitter
        # everybody who was turned away is told the same moment: come back a little apart
        return min(asked + min(jitter, 0.1 * asked + 0.05), self.longest_wait)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds in a Retry-After header (a number, or a date), or ``None``. Also reads ``retry-after-ms``."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000.0)
        text = headers.get("retry-after", "")
        if not text:
            return None
        if text.replace(".", "", 1).isdigit():
            return float(text)
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
