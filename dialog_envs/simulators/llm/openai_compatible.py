"""Any server that speaks OpenAI's chat completions: hosted ones, vLLM, llama.cpp, Ollama and so on."""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import lru_cache
from typing import Any, TypeVar

import openai
from openai import AsyncOpenAI

from dialog_envs.errors import ChatModelError, ModelUnavailable
from dialog_envs.simulators.llm.base import (
    ChatReply,
    ChatRequest,
    Choice,
    ChoiceRequest,
    Request,
    Result,
    Usage,
)
from dialog_envs.simulators.llm.calls import ChatModelBase
from dialog_envs.simulators.llm.numbered import choose_by_number
from dialog_envs.simulators.llm.redact import redact, redact_url
from dialog_envs.simulators.llm.retry import RetryPolicy, Transient, retry_after
from dialog_envs.simulators.llm.spec import fields

T = TypeVar("T")
OPTIONS: dict[str, Callable[[str], Any]] = {
    "base_url": str,
    "api_key_env": str,
    "timeout": float,
    "max_in_flight": int,
    "extra": fields,
}
DEFAULT_URL = "https://api.openai.com/v1"
_NO_KEY = "no-key"  # servers of one's own rarely want one, but the SDK insists
_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_PASSING_STATUS = frozenset({408, 409, 425, 429})


class OpenAICompatibleModel(ChatModelBase):
    """A model behind HTTP. All requests of a call are in flight together, up to `max_in_flight`.

    Args:
        model: the model's name at the server.
        base_url: the server; by default ``OPENAI_BASE_URL``, or OpenAI's own.
        api_key_env: the environment variable that holds the key. The key itself is never an argument, so that it
            stands in no configuration file, and in no message of this class.
        timeout: seconds for one try of a request.
        max_in_flight: most requests at the same moment.
        retry: how failures are retried; the SDK's own retries are off.
        extra: more fields of the request body; a field that is ``None`` is left out (some models refuse, for example,
            ``{"temperature": None, "stop": None}``).

    Raises:
        ModelUnavailable: there is no key, and the server is OpenAI's.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key_env: str = "OPENAI_API_KEY",
        timeout: float = 120.0,
        max_in_flight: int = 64,
        retry: RetryPolicy | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model
        self._url = base_url or os.environ.get("OPENAI_BASE_URL") or DEFAULT_URL
        self._key = os.environ.get(api_key_env, "").strip()
        if not self._key and self._url == DEFAULT_URL:
            raise ModelUnavailable(
                f"chat model 'openai:{model}' needs a key in the variable {api_key_env}, or the address of a server "
                "of your own in OPENAI_BASE_URL."
            )
        self._timeout = timeout
        self._max_in_flight = max_in_flight
        self._retry = retry or RetryPolicy()
        self._extra = dict(extra or {})

    @property
    def name(self) -> str:
        """As :func:`get_chat_model` takes it."""
        return f"openai:{self.model}"

    @property
    def version(self) -> str:
        """Model and server. What stands behind a server's name may change without notice."""
        return f"{self.model} at {redact_url(self._url)}"

    def __repr__(self) -> str:
        return f"OpenAICompatibleModel({self.version!r})"

    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        """How each request ends."""
        for index, request in enumerate(requests):
            try:
                if isinstance(request, ChatRequest):
                    yield index, self.complete([request])[0]
                else:
                    yield index, self.choose([request])[0]
            except ChatModelError as error:
                yield index, error

    def complete(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        """Write a message for each chat.

        Raises:
            ChatModelError: a request failed for good (its first failure, once all requests have ended), or for a
                reason that every request would fail for, such as a wrong key (at once).
        """
        return _in_background(self._complete_all(requests))

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[Choice]:
        """Choose among candidates, by number: the API does not score given texts, so `logprobs` are empty.

        Raises:
            ChatModelError: as for :meth:`complete`, or the model names no number however often it is asked.
        """
        return choose_by_number(self.complete, requests, self.name)

    async def _complete_all(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        client = _client(self._url, self._key, self._timeout)
        gate = asyncio.Semaphore(self._max_in_flight)

        async def one(request: ChatRequest) -> ChatReply:
            async def attempt() -> ChatReply:
                async with gate:  # a request that waits for its next try takes no place
                    return await self._attempt(client, request)

            return await self._retry.run(attempt, f"{self.name} at {redact_url(self._url)}")

        tasks = [asyncio.create_task(one(request)) for request in requests]
        try:
            return await _all(tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _attempt(self, client: AsyncOpenAI, request: ChatRequest) -> ChatReply:
        try:
            raw = await client.chat.completions.with_raw_response.create(**self._body(request))
            return self._read(raw.content)
        except openai.APITimeoutError:
            raise Transient(f"no answer within {self._timeout:g} s") from None
        except openai.APIStatusError as error:
            raise self._judge(error) from None
        except openai.APIConnectionError as error:
            raise Transient(
                redact(f"the connection failed ({error.__cause__ or error})", self._key)
            ) from None
        except openai.OpenAIError as error:
            raise FatalModelError(redact(f"{self.name}: {error}", self._key)) from None

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        limit = "max_completion_tokens" if self._url == DEFAULT_URL else "max_tokens"
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(request.messages),
            "temperature": request.temperature,
            "top_p": request.top_p,
            "stop": list(request.stop) or None,
            "seed": request.seed & 0x7FFFFFFF,
            limit: request.max_tokens,
        }
        extra = {key: value for key, value in self._extra.items() if value is not None}
        kept = {key: value for key, value in body.items() if value is not None and key not in self._extra}
        return {**kept, "extra_body": extra}

    def _judge(self, error: openai.APIStatusError) -> Exception:
        """Whether a status is worth another try."""
        status, code = error.status_code, str(error.code or "")
        reason = redact(f"status {status}: {_first_line(error.message)}", self._key)
        if (
            status in _PASSING_STATUS or status >= 500
        ) and "insufficient_quota" not in f"{code} {error.type}":
            return Transient(reason, retry_after(error.response.headers))
        hints = {
            401: "Check the key.",
            403: "Check the key's rights.",
            404: "Check the model's name and the address.",
        }
        hint = hints.get(status, "The same request would fail again.")
        return FatalModelError(f"{self.name} at {redact_url(self._url)} refused: {reason}. {hint}")

    def _read(self, content: bytes) -> ChatReply:
        """A reply from the body of a response.

        Raises:
            Transient: it is no JSON, has no choices, no text, or another shape.
        """
        try:
            data = json.loads(content)
            choice = data["choices"][0]
            text, reason = choice["message"].get("content"), choice.get("finish_reason") or "stop"
            if reason == "content_filter":
                text = text or ""
            text = _THOUGHTS.sub("", text).strip()
            usage = _usage(data.get("usage") or {})
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise Transient(f"the reply makes no sense ({type(error).__name__})") from None
        if not text and reason != "content_filter":
            raise Transient("the reply is empty")
        return ChatReply(text, usage, str(reason), str(data.get("model") or self.model))


class FatalModelError(ChatModelError):
    """A failure that trying again would not mend: a wrong key, a bad request, an exhausted quota."""


async def _all(tasks: Sequence[asyncio.Task[ChatReply]]) -> list[ChatReply]:
    """Every result; the first fatal error at once, another error when all tasks have ended."""
    waiting: set[asyncio.Task[ChatReply]] = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            if isinstance(task.exception(), FatalModelError):
                task.result()
    return [task.result() for task in tasks]


def _usage(data: Mapping[str, Any]) -> Usage:
    """Tokens, and the cost where a server states it (OpenRouter does)."""
    cost = data.get("cost") or 0.0
    return Usage(int(data.get("prompt_tokens") or 0), int(data.get("completion_tokens") or 0), float(cost))


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")[:300]


# ---- one event loop in the background, and one client an endpoint --------------------------------------------------


@lru_cache(maxsize=1)
def _loop(process: int) -> asyncio.AbstractEventLoop:
    """The loop of this process (a forked child gets its own), running in a daemon thread."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name=f"dialog-envs-chat-{process}", daemon=True).start()
    return loop


def _in_background(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which runs on the background loop. Ctrl-C cancels it."""
    future: Future[T] = asyncio.run_coroutine_threadsafe(work, _loop(os.getpid()))
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


_clients: dict[tuple[int, str, str, float], AsyncOpenAI] = {}


def _client(url: str, key: str, timeout: float) -> AsyncOpenAI:
    """One client an endpoint and process, because connections are kept alive in it. Called on the loop only."""
    name = (os.getpid(), url, key, timeout)
    if name not in _clients:
        _clients[name] = AsyncOpenAI(api_key=key or _NO_KEY, base_url=url, timeout=timeout, max_retries=0)
    return _clients[name]
