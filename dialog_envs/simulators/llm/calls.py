"""What all chat models share: batched calls and single ones, made of one method that ends each request by itself."""

from __future__ import annotations

import queue
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from dialog_envs.errors import BudgetExceeded, ChatModelError, UsageError
from dialog_envs.simulators.llm.base import (
    ChatModel,
    ChatReply,
    ChatRequest,
    Choice,
    ChoiceRequest,
    Request,
    Result,
)

K = TypeVar("K", bound=Hashable)
FAILURES = (ChatModelError, BudgetExceeded)
"""The classes of :data:`dialog_envs.simulators.llm.base.CallFailure`."""


class ChatModelBase(ABC):
    """Everything of :class:`dialog_envs.simulators.llm.base.ChatModel`, made of ``name``, ``version`` and ``each``."""

    @property
    @abstractmethod
    def name(self) -> str:
        """As :func:`dialog_envs.simulators.llm.get_chat_model` takes it, without options."""

    @property
    @abstractmethod
    def version(self) -> str:
        """Changes whenever the same request may give another reply."""

    @abstractmethod
    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        """How each request ends, as soon as it does. See :class:`dialog_envs.simulators.llm.base.ChatModel`."""

    def submit(self, request: Request) -> Future[Result] | None:
        """Nothing is started: a model in this process gains from batches only."""
        return None

    def complete(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        """Write a message for each chat.

        Raises:
            ChatModelError: a request got no usable reply (the first such one, once all have ended).
            BudgetExceeded: there was no money left for a request.
        """
        return [_as(ChatReply, result) for result in self._all(requests)]

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[Choice]:
        """Choose among candidates for each chat.

        Raises:
            ChatModelError, BudgetExceeded: as for :meth:`complete`.
        """
        return [_as(Choice, result) for result in self._all(requests)]

    def _all(self, requests: Sequence[Request]) -> list[Result]:
        ended = dict(self.each(requests))
        return [ended[index] for index in range(len(requests))]


class ChatTooLong(ChatModelError, UsageError):
    """A chat does not fit into the model's context. Only this request fails."""


class LocalModel(ChatModelBase):
    """A model that computes batches in this process, from :meth:`write_batch` and :meth:`choose_batch`.

    Requests with a schema are answered property by property (:mod:`dialog_envs.simulators.llm.filling`), because a
    small model that is left alone with a page of JSON Schema rarely meets it, and one that scores texts never needs to
    miss it.
    """

    @abstractmethod
    def write_batch(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        """Write a message for each chat, without regard to schemas. Raises :class:`ChatTooLong`."""

    @abstractmethod
    def choose_batch(self, requests: Sequence[ChoiceRequest]) -> list[Choice]:
        """Choose a candidate for each chat. Raises :class:`ChatTooLong`."""

    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        """How each request ends: choices first, then texts, then structured replies, a batch each."""
        from dialog_envs.simulators.llm.filling import fill

        choices = {i: request for i, request in enumerate(requests) if isinstance(request, ChoiceRequest)}
        chats = {i: request for i, request in enumerate(requests) if isinstance(request, ChatRequest)}
        plain = {i: request for i, request in chats.items() if request.schema is None}
        structured = {i: request for i, request in chats.items() if request.schema is not None}
        yield from zip(choices, _apart(self.choose_batch, list(choices.values())), strict=True)
        yield from zip(plain, _apart(self.write_batch, list(plain.values())), strict=True)
        yield from zip(
            structured, _apart(lambda asked: fill(self, asked), list(structured.values())), strict=True
        )


Q = TypeVar("Q", ChatRequest, ChoiceRequest)


def _apart(compute: Callable[[Sequence[Q]], Sequence[Result]], requests: Sequence[Q]) -> Sequence[Result]:
    """All of them in one batch; one by one if that fails, so that only what is at fault fails."""
    if not requests:
        return []
    try:
        return compute(requests)
    except ChatModelError as error:
        if len(requests) == 1:
            return [error]
        return [result for request in requests for result in _apart(compute, [request])]


R = TypeVar("R", ChatReply, Choice)


def _as(kind: type[R], result: Result) -> R:
    if isinstance(result, FAILURES):
        raise result
    if not isinstance(result, kind):
        raise TypeError(f"expected a {kind.__name__}, got {type(result).__name__}")
    return result


class InFlight(Generic[K]):
    """Requests under way, each under a key of the caller's, ended one by one: whoever is done is asked again at once.

    ::

        flight = InFlight(model)
        for dialogue in first_ones:
            flight.ask(dialogue, request_of(dialogue))
        while flight:
            dialogue, result = flight.wait()
            ...                                    # go on with that dialogue, or begin another one
            flight.ask(dialogue, request_of(dialogue))

    A server's requests are sent when they are asked. A model in this process computes whatever has come together
    whenever nothing else is left to hand over, as one batch. Use it from one thread.
    """

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self._done: queue.SimpleQueue[tuple[K, Future[Result]]] = queue.SimpleQueue()
        self._waiting: list[tuple[K, Request]] = []
        self._count = 0

    def __len__(self) -> int:
        """Requests asked and not handed over."""
        return self._count

    def ask(self, key: K, request: Request) -> None:
        """Start a request."""
        self._count += 1
        future = self._model.submit(request)
        if future is None:
            self._waiting.append((key, request))
        else:
            future.add_done_callback(lambda done: self._done.put((key, done)))

    def wait(self, timeout: float | None = None) -> tuple[K, Result]:
        """The next request that ended, with its result. Failures are handed over, not raised.

        Raises:
            LookupError: nothing is under way.
            TimeoutError: nothing ended within `timeout` seconds.
        """
        if not self._count:
            raise LookupError("no request is under way: ask() first")
        if self._waiting and self._done.empty():
            batch, self._waiting = self._waiting, []
            for index, result in self._model.each([request for _, request in batch]):
                self._done.put((batch[index][0], ended(result)))
        try:
            key, future = self._done.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError(f"no request ended within {timeout:g} s") from None
        self._count -= 1
        return key, future.result()


def ended(result: Result) -> Future[Result]:
    """A future that is over already."""
    future: Future[Result] = Future()
    future.set_result(result)
    return future
