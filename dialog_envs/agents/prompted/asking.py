"""Many turns in the making at once, each a generator of requests to the model.

A way to prompt is written as if it were alone: it yields the requests it needs next, a few at a time, and gets their
replies. :class:`Turns` runs any number of such generators together, so that the requests of all running dialogues are
in flight at the same moment (a server) or computed as one batch (a local model), and one that fails costs the others
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeAlias, TypeVar

from dialog_envs.agents.base import Answer, Usage
from dialog_envs.core.seeding import derive
from dialog_envs.simulators.llm import (
    CallFailure,
    ChatModel,
    ChatReply,
    ChatRequest,
    Choice,
    InFlight,
    Request,
)
from dialog_envs.simulators.llm.calls import FAILURES
from dialog_envs.simulators.llm.structured import UnusableReply, appended

__all__ = ["Asking", "Reply", "Turns", "Unusable", "until_usable"]

Reply: TypeAlias = ChatReply | Choice
T = TypeVar("T")
Asking: TypeAlias = Generator[tuple[Request, ...], tuple[Reply, ...], T]
"""Yields requests that can be answered side by side, is sent their replies in that order, returns what came of it."""
K = TypeVar("K", bound=Hashable)


class Unusable(ValueError):
    """A reply cannot be used. The message tells the model why."""


def until_usable(request: ChatRequest, read: Callable[[ChatReply], T], attempts: int) -> Asking[T]:
    """Ask until `read` accepts the reply: each time with what was wrong with the last one.

    Args:
        request: what is asked.
        read: takes the reply apart; raises :class:`Unusable`.
        attempts: how often it is asked for, the first time included.

    Raises:
        UnusableReply: `read` never accepted it.
    """
    asked, wrong = request, ""
    for attempt in range(attempts):
        (reply,) = yield (asked,)
        assert isinstance(reply, ChatReply)
        try:
            if reply.finish_reason == "content_filter":
                raise Unusable("a content filter took it away")
            return read(reply)
        except Unusable as error:
            wrong = str(error)
            note = f"(Your last reply could not be used: {wrong}. Reply once more.)"
            seed = derive(request.seed, "again", attempt)
            asked = replace(request, messages=appended(request.messages, note), seed=seed)
    raise UnusableReply(
        f"the agent's model was asked {attempts} times for a turn, and its replies could not be used; the last one: "
        f"{wrong}. Use a model that follows instructions, or a larger max_tokens."
    )


@dataclass(slots=True)
class _Open:
    """A turn in the making."""

    asking: Asking[str]
    waiting: int = 0
    replies: list[Reply | None] = field(default_factory=list)
    failure: CallFailure | None = None
    usage: Usage = field(default_factory=Usage)


class Turns(Generic[K]):
    """Turns in the making, each under a key of the caller's, and handed over as they are done.

    Args:
        model: who is asked. All turns share it.
    """

    def __init__(self, model: ChatModel) -> None:
        self._flight: InFlight[tuple[K, int]] = InFlight(model)
        self._open: dict[K, _Open] = {}
        self._done: list[tuple[K, Answer]] = []

    def __len__(self) -> int:
        """Turns begun and not handed over."""
        return len(self._open) + len(self._done)

    def begin(self, key: K, asking: Asking[str]) -> None:
        """Begin a turn; `asking` returns what is said."""
        self._open[key] = _Open(asking)
        self._go_on(key, None)

    def wait(self, timeout: float | None = None) -> tuple[K, Answer]:
        """The next turn that is done. A failure is handed over inside the answer, not raised.

        Raises:
            LookupError: none is in the making.
            TimeoutError: no request ended within `timeout` seconds.
        """
        while not self._done:
            (key, place), result = self._flight.wait(timeout)
            turn = self._open[key]
            turn.waiting -= 1
            if isinstance(result, FAILURES):
                turn.failure = turn.failure or result
                turn.usage = turn.usage + getattr(result, "usage", Usage())
            else:
                turn.usage = turn.usage + result.usage
                turn.replies[place] = result
            if turn.waiting == 0:
                self._go_on(key, turn.replies)
        return self._done.pop(0)

    def wait_for_some(self, patience: float = 0.01, first: float | None = None) -> list[tuple[K, Answer]]:
        """The next turn that is done, and those that come within `patience` seconds after it; perhaps none.

        Args:
            patience: seconds for each after the first.
            first: seconds for the first; ``None`` waits until there is one.
        """
        found: list[tuple[K, Answer]] = []
        try:
            while self:
                found.append(self.wait(patience if found else first))
        except TimeoutError:
            pass
        return found

    def _go_on(self, key: K, replies: list[Reply | None] | None) -> None:
        turn = self._open[key]
        if turn.failure is not None:
            turn.asking.close()
            return self._end(key, error=turn.failure)
        try:
            if replies is None:
                requests = next(turn.asking)
            else:
                requests = turn.asking.send(tuple(reply for reply in replies if reply is not None))
        except StopIteration as stop:
            return self._end(key, text=stop.value)
        except Exception as error:  # noqa: BLE001  (one dialogue's fault, whatever it is, is not the others')
            return self._end(key, error=error)
        turn.waiting, turn.replies = len(requests), [None] * len(requests)
        for place, request in enumerate(requests):
            self._flight.ask((key, place), request)

    def _end(self, key: K, text: str = "", error: Exception | None = None) -> None:
        turn = self._open.pop(key)
        self._done.append((key, Answer(text, turn.usage, error)))
