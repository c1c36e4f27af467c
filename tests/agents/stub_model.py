"""A chat model for tests: answers by rules, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dialog_envs.errors import ChatModelError
from dialog_envs.simulators.llm import (
    ChatModelBase,
    ChatReply,
    ChatRequest,
    Choice,
    ChoiceRequest,
    Request,
    Result,
    Usage,
)

Write = Callable[[ChatRequest], Any]
Choose = Callable[[ChoiceRequest], int | tuple[float, ...]]


class StubModel(ChatModelBase):
    """Each request costs 10 tokens in and 2 out.

    Args:
        write: request → a text, data of a structured reply, a whole reply, or an error.
        choose: request → an index, or every candidate's log-probability (the best one is chosen).
        name: ``"embedded"`` makes it pass for the small model.
    """

    def __init__(self, write: Write | None = None, choose: Choose | None = None, name: str = "stub") -> None:
        self._write = write or (lambda _: "What do you enjoy?")
        self._choose = choose or (lambda request: request.seed % len(request.candidates))
        self._name = name
        self.asked: list[Request] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def version(self) -> str:
        return "stub 1"

    @property
    def written(self) -> list[ChatRequest]:
        return [request for request in self.asked if isinstance(request, ChatRequest)]

    @property
    def chosen(self) -> list[ChoiceRequest]:
        return [request for request in self.asked if isinstance(request, ChoiceRequest)]

    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        self.asked += requests
        for index, request in enumerate(requests):
            yield index, self._answer(request)

    def _answer(self, request: Request) -> Result:
        usage = Usage(10, 2, 0.5)
        if isinstance(request, ChoiceRequest):
            found = self._choose(request)
            if isinstance(found, int):
                return Choice(found, (), usage)
            return Choice(max(range(len(found)), key=found.__getitem__), found, usage)
        answer = self._write(request)
        if isinstance(answer, ChatReply | ChatModelError):
            return answer
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return ChatReply(text, usage, "stop", "stub", None if isinstance(answer, str) else answer)


def last(request: Request) -> str:
    """The end of the chat: what the model was asked just now."""
    return request.messages[-1]["content"]
