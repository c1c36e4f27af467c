"""Who used how much: tokens and cost an episode and role."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future

from dialog_envs.simulators.llm.base import ChatModel, ChatReply, Choice, Request, Result, Usage
from dialog_envs.simulators.llm.calls import ChatModelBase


class Ledger:
    """Sums of usage by episode and role, from any number of threads."""

    def __init__(self) -> None:
        self._sums: defaultdict[tuple[str, str], Usage] = defaultdict(Usage)
        self._lock = threading.Lock()

    def add(self, episode: str, role: str, usage: Usage) -> None:
        """Count a call."""
        with self._lock:
            self._sums[episode, role] += usage

    def roles(self, episode: str | None = None) -> dict[str, Usage]:
        """Usage by role, of one episode or of all."""
        found: defaultdict[str, Usage] = defaultdict(Usage)
        with self._lock:
            for (where, role), usage in self._sums.items():
                if episode is None or where == episode:
                    found[role] += usage
        return dict(sorted(found.items()))

    def episodes(self) -> Mapping[str, Usage]:
        """Usage by episode, all roles together."""
        found: defaultdict[str, Usage] = defaultdict(Usage)
        with self._lock:
            for (where, _), usage in self._sums.items():
                found[where] += usage
        return dict(found)

    @property
    def total(self) -> Usage:
        """Of everybody."""
        with self._lock:
            return sum(self._sums.values(), Usage())


class MeteredModel(ChatModelBase):
    """A model whose calls are counted in a ledger, by each request's ``episode`` and ``role``.

    It counts what the replies say, wherever they come from: replayed ones too, so that a replayed run's figures equal
    the recorded run's. Money really spent is the budget's affair.

    Args:
        inner: who answers.
        ledger: where it is counted.
    """

    def __init__(self, inner: ChatModel, ledger: Ledger) -> None:
        self._inner = inner
        self.ledger = ledger

    @property
    def name(self) -> str:
        """The inner model's."""
        return self._inner.name

    @property
    def version(self) -> str:
        """The inner model's."""
        return self._inner.version

    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        """How each request ends, counted."""
        for index, result in self._inner.each(requests):
            self._count(requests[index], result)
            yield index, result

    def submit(self, request: Request) -> Future[Result] | None:
        """Start one request."""
        future = self._inner.submit(request)
        if future is not None:
            future.add_done_callback(lambda done: self._count_ended(request, done))
        return future

    def _count_ended(self, request: Request, done: Future[Result]) -> None:
        if done.exception() is None:
            self._count(request, done.result())

    def _count(self, request: Request, result: Result) -> None:
        if isinstance(result, (ChatReply, Choice)):
            self.ledger.add(request.episode, request.role, result.usage)
