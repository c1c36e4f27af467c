"""One endpoint: its client, its limit, what it refuses, and the one way in which a request gets an answer."""

from __future__ import annotations

import asyncio
import atexit
import itertools
import logging
import os
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dialog_envs.errors import ChatModelError
from dialog_envs.simulators.llm.background import start
from dialog_envs.simulators.llm.copies import Copies, DeliveredTwice
from dialog_envs.simulators.llm.limit import AdaptiveLimit
from dialog_envs.simulators.llm.redact import redact, redact_url, url_secrets
from dialog_envs.simulators.llm.retry import RetryPolicy, Transient
from dialog_envs.simulators.llm.transport import Answer, Broken, Transport, make_transport
from dialog_envs.simulators.llm.wire import RUNGS, Filtered, RequestRefused, judge

T = TypeVar("T")
DEFAULT_URL = "https://api.openai.com/v1"
_CAN_DO_WITHOUT = ("temperature", "top_p", "stop", "seed")
_UNSUPPORTED = re.compile(r"support|unrecognized|unknown|not permitted|not allowed|extra", re.IGNORECASE)
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Memory:
    """What was learned about a model at an endpoint, so that it is learned once.

    Attributes:
        rung: index into :data:`dialog_envs.simulators.llm.wire.RUNGS`: where structured replies are asked for first.
        proven: rungs at which a structured reply has come.
        missed: times that a rung was accepted, and its reply no JSON of the schema all the same.
        without: fields of a request that the server refuses.
        limit_name: the field that limits a reply's tokens.
    """

    rung: int = 0
    proven: set[int] = field(default_factory=set)
    missed: list[int] = field(default_factory=lambda: [0] * len(RUNGS))
    without: frozenset[str] = frozenset()
    limit_name: str = "max_tokens"

    def adapt(self, refusal: RequestRefused) -> bool:
        """Learn from a refusal which field the server does not take (reasoning models take no temperature, say).

        Returns:
            whether the request may be sent again, without the field.
        """
        told = str(refusal)
        if refusal.status not in (400, 422) or not _UNSUPPORTED.search(told):
            return False
        if "max_completion_tokens" in told:
            self.limit_name = "max_completion_tokens"
            return True
        named = [name for name in _CAN_DO_WITHOUT if name == refusal.parameter or f"'{name}'" in told]
        if named and not self.without.issuperset(named):
            _log.warning("%s It is left out from now on.", told)
        self.without |= frozenset(named)
        return bool(named)


class Endpoint:
    """A server with one client, for all models there. Its methods are used on the background loop only.

    Args:
        url: up to ``/v1``.
        key: the key, or nothing.
        kind: of transport.
        timeout: seconds for one try of a request, from the first byte sent to the last one read.
    """

    def __init__(self, url: str, key: str, kind: str, timeout: float) -> None:
        self._transport: Transport = make_transport(kind, url, key, timeout)
        self._timeout = timeout
        self._secrets = (key, *url_secrets(url))
        self._where = redact_url(url)
        self.limit = AdaptiveLimit(64)
        self._memories: dict[str, Memory] = {}
        self._copies = Copies()
        self._ids = (f"{secrets.token_hex(8)}-{number}" for number in itertools.count())

    def memory(self, model: str) -> Memory:
        """What is known about a model here."""
        if model not in self._memories:
            limit_name = "max_completion_tokens" if self._where == DEFAULT_URL else "max_tokens"
            self._memories[model] = Memory(limit_name=limit_name)
        return self._memories[model]

    def hide(self, text: str) -> str:
        """`text` without this endpoint's secrets."""
        return redact(text, *self._secrets)

    async def ask(
        self,
        make_body: Callable[[], Mapping[str, Any]],
        read: Callable[[Answer], T],
        retry: RetryPolicy,
        what: str,
        money: Callable[[], AbstractAsyncContextManager[Any]] | None = None,
    ) -> T:
        """Send a request until its answer can be read.

        A try that may have reached the server is repeated under the same idempotency key, so that a server that knows
        such keys does not do (and charge) the work twice; a reply that was no use is asked for anew.

        Args:
            make_body: the request.
            read: makes the result of an answer of status 200; raises ``Transient`` if it is no use.
            retry: how often and how patiently.
            what: who is asked, for messages.
            money: is entered around every try: sets its cost aside.

        Raises:
            ChatModelError: for good.
            Filtered: a content filter took it.
            BudgetExceeded: from `money`.
        """
        identity, copies = next(self._ids), 0

        async def attempt() -> T:
            nonlocal identity, copies
            async with self.limit as since, money() if money is not None else nullcontext():
                try:
                    # A server whose every answer looks like the last one is believed the second time.
                    result = await self._once(make_body(), read, what, identity, new=copies < 2)
                except Transient as failure:
                    if isinstance(failure, DeliveredTwice):
                        copies += 1
                        self._transport.renew()  # on its connections, who knows whose answer comes next
                    if failure.pushed_back:
                        self.limit.pushed_back(since)
                    if failure.answered:
                        identity = next(self._ids)
                    raise
                self.limit.succeeded()
                return result

        return await retry.run(attempt, what)

    async def close(self) -> None:
        """Close its connections."""
        await self._transport.close()

    async def _once(
        self, body: Mapping[str, Any], read: Callable[[Answer], T], what: str, identity: str, new: bool
    ) -> T:
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._transport.post(body, {"Idempotency-Key": identity})
        except TimeoutError:
            raise Transient(f"no answer within {self._timeout:g} s", pushed_back=True) from None
        except Broken as failure:
            raise Transient(self.hide(str(failure)), pushed_back=failure.slow) from None
        try:
            if answer.status != 200:
                raise judge(answer, what)
            if new:
                self._copies.check(answer.content)
            result = read(answer)
        except (Transient, ChatModelError, Filtered) as failure:
            failure.args = tuple(self.hide(str(arg)) for arg in failure.args)  # servers quote keys
            raise
        self._copies.remember(answer.content)
        return result


_endpoints: dict[tuple[int, str, str, str, float], Endpoint] = {}


def endpoint(url: str, key: str, kind: str, timeout: float, max_in_flight: int | None) -> Endpoint:
    """The endpoint of this address, key and transport in this process: one client each, whoever asks.

    Args:
        max_in_flight: most requests at the same moment; ``None`` leaves what was said before (64 at first).
    """
    name = (os.getpid(), url, key, kind, timeout)
    if name not in _endpoints:
        _endpoints[name] = Endpoint(url, key, kind, timeout)
    found = _endpoints[name]
    if max_in_flight is not None and found.limit.most != max_in_flight:
        found.limit.set_most(max_in_flight)
    return found


@atexit.register
def close_all() -> None:
    """Close the connections of this process; they would be complained about when Python ends."""
    mine = [found for name, found in _endpoints.items() if name[0] == os.getpid()]
    _endpoints.clear()
    if not mine:
        return

    async def close() -> None:
        await asyncio.gather(*(found.close() for found in mine), return_exceptions=True)

    with suppress(TimeoutError):
        start(close()).result(timeout=2.0)
