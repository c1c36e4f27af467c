"""Any server that speaks OpenAI's chat completions: hosted ones, vLLM, llama.cpp, Ollama and so on."""

from __future__ import annotations

import asyncio
import os
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from dialog_envs.errors import ModelUnavailable, UsageError
from dialog_envs.simulators.llm.background import launch, start
from dialog_envs.simulators.llm.base import ChatReply, ChatRequest, Choice, Request, Result, Usage
from dialog_envs.simulators.llm.budget import Budget, current_budget, most_cost
from dialog_envs.simulators.llm.calls import FAILURES, ChatModelBase
from dialog_envs.simulators.llm.endpoint import DEFAULT_URL, Endpoint, Memory, endpoint
from dialog_envs.simulators.llm.numbered import NumberQuestion
from dialog_envs.simulators.llm.prices import Price, parse_price, price_of
from dialog_envs.simulators.llm.redact import redact, redact_url
from dialog_envs.simulators.llm.retry import RetryPolicy, Transient
from dialog_envs.simulators.llm.schema import check_schema
from dialog_envs.simulators.llm.spec import fields
from dialog_envs.simulators.llm.structured import Asking, UnusableReply
from dialog_envs.simulators.llm.transport import Answer
from dialog_envs.simulators.llm.wire import RUNGS, FatalModelError, Filtered, RequestRefused, body, read

__all__ = ["OPTIONS", "FatalModelError", "OpenAICompatibleModel", "RequestRefused", "version_of"]

TRANSPORTS = ("sdk", "fast")
OPTIONS: dict[str, Callable[[str], Any]] = {
    "base_url": str,
    "api_key_env": str,
    "transport": str,
    "timeout": float,
    "max_in_flight": int,
    "attempts": int,
    "reasoning_tokens": int,
    "price": parse_price,
    "extra": fields,
}
"""Options in a model's name, and how their texts are read."""
_NO_SUCH_FORM = frozenset((400, 415, 422))
_ADAPTATIONS = 6  # most fields of one request to do without
_MISSES = 3  # of a rung that never gave a structured reply, until the next one is tried first


class OpenAICompatibleModel(ChatModelBase):
    """A model behind HTTP.

    Requests of all callers are in flight together, up to the endpoint's limit, which adapts to what it can take. One
    client serves an address and key in a process.

    Args:
        model: the model's name at the server.
        base_url: the server; by default ``OPENAI_BASE_URL``, or OpenAI's own.
        api_key_env: the environment variable that holds the key. The key itself is never an argument, so that it
            stands in no configuration file, and in no message of this class.
        transport: ``"sdk"`` (OpenAI's) or ``"fast"`` (aiohttp alone, several times as many requests a second; extra
            ``fast``).
        timeout: seconds for one try of a request.
        max_in_flight: most requests at the same moment; 64 by default. Holds for the whole endpoint.
        attempts: most tries of one request.
        retry: how failures are retried, in full; the SDK's own retries are off.
        reasoning_tokens: room for thoughts, added to every request's `max_tokens`.
        price: US dollars for a million tokens; by default from the table (:mod:`dialog_envs.simulators.llm.prices`).
        budget: what its calls may cost; by default that of :func:`dialog_envs.simulators.llm.budget.spending`.
        extra: more fields of the request body; a field that is ``None`` is left out.

    Raises:
        ModelUnavailable: there is no key, and the server is OpenAI's; or the transport is not installed.
        UsageError: an option has an unknown value.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key_env: str = "OPENAI_API_KEY",
        transport: str = "sdk",
        timeout: float = 120.0,
        max_in_flight: int | None = None,
        attempts: int | None = None,
        retry: RetryPolicy | None = None,
        reasoning_tokens: int = 0,
        price: Price | None = None,
        budget: Budget | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model
        self._url = _address(base_url)
        self._key = os.environ.get(api_key_env, "").strip()
        if not self._key and self._url == DEFAULT_URL:
            raise ModelUnavailable(
                f"chat model 'openai:{model}' needs a key in the variable {api_key_env}, or the address of a server "
                "of your own in OPENAI_BASE_URL."
            )
        if transport not in TRANSPORTS:
            raise UsageError(f"transport must be one of {', '.join(TRANSPORTS)}, not '{transport}'.")
        if timeout <= 0 or (max_in_flight is not None and max_in_flight < 1) or reasoning_tokens < 0:
            raise UsageError("timeout and max_in_flight must be above 0, reasoning_tokens at least 0.")
        if transport == "fast":
            from dialog_envs.simulators.llm import transport_fast  # noqa: F401  (says what is missing)
        self._transport, self._timeout, self._most = transport, timeout, max_in_flight
        self._retry = retry or RetryPolicy(attempts=attempts or RetryPolicy().attempts)
        self._reasoning_tokens = reasoning_tokens
        self.price = price if price is not None else price_of(model, self._url)
        self._budget = budget
        self._extra = dict(extra or {})

    @property
    def name(self) -> str:
        """As :func:`dialog_envs.simulators.llm.get_chat_model` takes it."""
        return f"openai:{self.model}"

    @property
    def version(self) -> str:
        """Model, server, and the options that shape replies. What a server calls by one name may change."""
        return redact(version_of(self.model, self._url, self._reasoning_tokens, self._extra), self._key)

    @property
    def _where(self) -> str:
        return f"{self.model} at {redact_url(self._url)}"

    def __repr__(self) -> str:
        return f"OpenAICompatibleModel({self.version!r})"

    def endpoint(self) -> Endpoint:
        """The server, shared with all models there. Call it on the background loop."""
        return endpoint(self._url, self._key, self._transport, self._timeout, self._most)

    # ---- calls -----------------------------------------------------------------------------------------------------

    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        """How each request ends, as soon as it does.

        After a failure that every request would meet (a wrong key, say), what was not sent yet is not sent any more.

        Raises:
            UsageError: a request cannot be met by any model, or a budget is set and the price is unknown.
        """
        self._check(requests)
        done: queue.SimpleQueue[tuple[int, Result] | None] = queue.SimpleQueue()
        running = start(self._all_requests(requests, done.put))
        running.add_done_callback(lambda _: done.put(None))
        try:
            while (ended := done.get()) is not None:
                yield ended
            running.result()
        finally:
            running.cancel()  # an interrupted caller leaves nothing running

    def submit(self, request: Request) -> Future[Result]:
        """Start one request and come back at once.

        Raises:
            UsageError: as for :meth:`each`.
        """
        self._check((request,))
        return launch(self._result(request))

    async def _all_requests(
        self, requests: Sequence[Request], put: Callable[[tuple[int, Result]], None]
    ) -> None:
        fatal: list[FatalModelError] = []

        async def one(index: int, request: Request) -> None:
            result = await self._result(request, fatal)
            if isinstance(result, FatalModelError):
                fatal.append(result)
            put((index, result))

        tasks = [asyncio.create_task(one(index, request)) for index, request in enumerate(requests)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _result(self, request: Request, fatal: Sequence[FatalModelError] = ()) -> Result:
        try:
            if not isinstance(request, ChatRequest):
                return await self._choice(NumberQuestion(request, self.name), fatal)
            if request.schema is not None:
                return await self._structured(Asking(request), fatal)
            return await self._reply(request, RUNGS[-1], fatal)
        except FAILURES as failure:
            return failure

    async def _choice(self, question: NumberQuestion, fatal: Sequence[FatalModelError]) -> Choice:
        choice = question.read(await self._reply(question.chat(), RUNGS[-1], fatal))
        if choice is None:
            try:
                choice = question.read(await self._structured(Asking(question.form()), fatal))
            except UnusableReply as failure:
                raise question.failure(failure) from None
        if choice is None:
            raise question.failure("its reply held no number.")
        return choice

    # ---- structured replies ----------------------------------------------------------------------------------------

    async def _structured(self, asking: Asking, fatal: Sequence[FatalModelError]) -> ChatReply:
        """Down the ladder: a rung that the server refuses is left for the next one, for good."""
        memory = self._memory()
        rung = lowest = memory.rung
        while not asking.given_up:
            explain = rung > 0 or bool(asking.complaint)
            try:
                reply = await self._reply(asking.chat(explain), RUNGS[rung], fatal)
            except RequestRefused as refusal:
                if refusal.status not in _NO_SUCH_FORM or rung in memory.proven or rung + 1 == len(RUNGS):
                    raise
                rung = lowest = rung + 1
                continue
            if (structured := asking.read(reply)) is not None:
                memory.proven.add(rung)
                memory.rung = max(memory.rung, lowest)
                return structured
            rung = self._after_a_miss(memory, rung, reply)
        raise asking.failure(self._where)

    def _after_a_miss(self, memory: Memory, rung: int, reply: ChatReply) -> int:
        """Where to ask again after a reply that was not of the schema: a server may accept a form and ignore it."""
        if reply.finish_reason == "length" or rung in memory.proven or rung + 1 == len(RUNGS):
            return rung
        memory.missed[rung] += 1
        if memory.missed[rung] >= _MISSES:
            memory.rung = max(memory.rung, rung + 1)
        return rung + 1

    def _memory(self) -> Memory:
        return self.endpoint().memory(self.model)

    # ---- one reply -------------------------------------------------------------------------------------------------

    async def _reply(
        self, request: ChatRequest, rung: str, fatal: Sequence[FatalModelError] = ()
    ) -> ChatReply:
        """One reply, with the fields left out that the server refuses.

        Raises:
            ChatModelError, BudgetExceeded: there is none.
        """
        memory, wasted = self._memory(), list[Usage]()

        def make_body() -> dict[str, Any]:
            if fatal:
                raise FatalModelError(str(fatal[0]))
            return body(
                request,
                self.model,
                rung,
                memory.limit_name,
                self._reasoning_tokens,
                memory.without,
                self._extra,
            )

        def read_reply(answer: Answer) -> ChatReply:
            try:
                reply = read(answer, request, self.model, self.price)
            except (Transient, RequestRefused) as failure:
                wasted.append(self._paid(failure.usage))  # no use, and paid all the same
                raise
            self._paid(reply.usage)
            return reply

        for _ in range(_ADAPTATIONS):
            try:
                reply = await self.endpoint().ask(
                    make_body, read_reply, self._retry, self._where, self._money(request)
                )
            except Filtered:
                return ChatReply("", sum(wasted, Usage()), "content_filter", self.model)
            except RequestRefused as refusal:
                if not memory.adapt(refusal):
                    raise
            else:
                return replace(reply, usage=sum(wasted, reply.usage)) if wasted else reply
        raise RequestRefused(f"{self._where} refuses one field of the request after another.", 400)

    # ---- money -----------------------------------------------------------------------------------------------------

    def _check(self, requests: Sequence[Request]) -> None:
        for request in requests:
            if isinstance(request, ChatRequest):
                if request.schema is not None:
                    check_schema(request.schema)
            elif not request.candidates:
                raise UsageError("choice decoding needs at least one candidate.")
        if self.price is None and (self._budget or current_budget()) is not None:
            raise UsageError(
                f"the price of {self._where} is unknown, so that its cost cannot be limited: write "
                f"openai:{self.model}?price=IN/OUT (US dollars for a million tokens read and written), or put a row "
                "into the table that the variable DIALOG_ENVS_PRICES names."
            )

    def _money(self, request: ChatRequest) -> Callable[[], AbstractAsyncContextManager[None]] | None:
        """Sets the most that a try can cost aside."""
        budget = self._budget or current_budget()
        if budget is None or self.price is None:
            return None
        amount = most_cost(request, self.price, self._reasoning_tokens)
        return lambda: budget.set_aside(amount)

    def _paid(self, usage: Usage) -> Usage:
        budget = self._budget or current_budget()
        if budget is not None:
            budget.add(usage.cost_usd)
        return usage


def version_of(
    model: str, base_url: str | None = None, reasoning_tokens: int = 0, extra: Mapping[str, Any] | None = None
) -> str:
    """The version of a model at a server, from what shapes its replies; the arguments are the class's.

    Raises:
        UsageError: the address is none.
    """
    options = {"reasoning_tokens": reasoning_tokens, **(extra or {})}
    shaping = ", ".join(f"{key}={value}" for key, value in sorted(options.items()) if value != 0)
    return redact(f"{model} at {redact_url(_address(base_url))}{f' with {shaping}' if shaping else ''}")


def _address(base_url: str | None) -> str:
    """The server's address: as given, or by the usual variable, or OpenAI's."""
    url = base_url or os.environ.get("OPENAI_BASE_URL") or DEFAULT_URL
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number: what stands there may be half of a password
        raise UsageError(
            "the address of a chat model's server must look like http://HOST:PORT/v1; a / or @ in a password is "
            "written %2F or %40."
        ) from None
    if not usable:
        raise UsageError(
            f"the address of a chat model's server must look like http://HOST:PORT/v1, not '{redact_url(url)}'."
        )
    return url
