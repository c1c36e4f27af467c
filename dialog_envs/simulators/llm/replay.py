"""Recording a model's replies, and playing them back without the model.

A request that is known is answered from the file, so that a broken-off run goes on where it stopped, nothing is paid
twice, and a replayed run equals the recorded one. The file is described in :mod:`dialog_envs.simulators.llm.store`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from dialog_envs.errors import ChatModelError, DialogEnvsError, UsageError
from dialog_envs.simulators.llm.base import (
    ChatModel,
    ChatReply,
    Choice,
    Request,
    Result,
    request_key,
)
from dialog_envs.simulators.llm.calls import ChatModelBase, ended
from dialog_envs.simulators.llm.store import ReplyStore


class ReplayModel(ChatModelBase):
    """Only the replies of a recorded file.

    Args:
        file: what :class:`RecordingModel` wrote.
        model: which model's replies, by name, version or a part of the version; needed only where the file holds those
            of several.

    Raises:
        UsageError: the file is missing, is no recording, or does not hold that model's replies.
    """

    def __init__(self, file: str | Path, model: str | None = None) -> None:
        self._store = ReplyStore(file, read_only=True)
        self._name, self._version = _one_of(self._store, model)

    @property
    def name(self) -> str:
        """The recorded model's."""
        return self._name

    @property
    def version(self) -> str:
        """The recorded model's."""
        return self._version

    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        """The recorded results; a request that was never recorded ends in a ``ChatModelError``."""
        for index, request in enumerate(requests):
            yield index, self._find(request)

    def submit(self, request: Request) -> Future[Result]:
        """The recorded result, at once."""
        return ended(self._find(request))

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def _find(self, request: Request) -> Result:
        found = self._store.get(request_key(request, self._name, self._version))
        if found is not None:
            return found
        said = request.messages[-1]["content"] if request.messages else ""
        return ChatModelError(
            f"'{self._store.path}' holds no reply to this request (its last message: {said[-80:]!r}): settings, seed "
            f"or prompt differ from the recorded run. Record it with record:{self._store.path}=MODEL."
        )


class RecordingModel(ChatModelBase):
    """A model whose replies are kept in a file as they come, and taken from it when they are there.

    Errors are not kept, nor what a content filter took away. Any number of models and processes may share a file.

    Args:
        file: where to.
        inner: the model that answers what the file does not.

    Raises:
        UsageError: the file is no recording, or cannot be written.
    """

    def __init__(self, file: str | Path, inner: ChatModel) -> None:
        self._store = ReplyStore(file)
        self._inner = inner
        self._store.add_model(inner.name, inner.version)
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[Result]] = {}

    @property
    def name(self) -> str:
        """The inner model's."""
        return self._inner.name

    @property
    def version(self) -> str:
        """The inner model's."""
        return self._inner.version

    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        """Results from the file first, then the inner model's as they come; equal requests are asked once."""
        places: dict[str, list[int]] = {}
        for index, request in enumerate(requests):
            key = request_key(request, self.name, self.version)
            if key in places:
                places[key].append(index)
            elif (found := self._store.get(key)) is not None:
                yield index, found
            else:
                places[key] = [index]
        unknown = [requests[indices[0]] for indices in places.values()]
        keys = list(places)
        if unknown:
            for number, result in self._inner.each(unknown):
                kept = self._keep(keys[number], unknown[number], result)
                for index in places[keys[number]]:
                    yield index, kept

    def submit(self, request: Request) -> Future[Result] | None:
        """The result from the file at once, or else the inner model's."""
        key = request_key(request, self.name, self.version)
        if (found := self._store.get(key)) is not None:
            return ended(found)
        with self._lock:
            if key in self._under_way:
                return self._under_way[key]
            asked = self._inner.submit(request)
            if asked is None:
                return None
            answer: Future[Result] = Future()
            self._under_way[key] = answer

        def finish(done: Future[Result]) -> None:
            try:
                result = self._keep(key, request, done.result())
            except DialogEnvsError as error:  # a wrong request, or a full disk
                answer.set_exception(error)
            else:
                answer.set_result(result)
            finally:
                with self._lock:
                    del self._under_way[key]

        asked.add_done_callback(finish)
        return answer

    def close(self) -> None:
        """Close the file: what belongs to it is in it then, and it can be moved."""
        self._store.close()

    def _keep(self, key: str, request: Request, result: Result) -> Result:
        if not isinstance(result, (ChatReply, Choice)):
            return result
        if isinstance(result, ChatReply) and result.finish_reason == "content_filter":
            return result
        return self._store.put(key, self.version, request, result)


def _one_of(store: ReplyStore, wanted: str | None) -> tuple[str, str]:
    there = store.models()
    exact = [one for one in there if wanted is None or wanted in one]
    found = exact or [one for one in there if str(wanted) in one[1]]
    if len(found) == 1:
        return found[0]
    listed = "; ".join(version for _, version in there) or "none"
    if not found:
        raise UsageError(f"'{store.path}' holds no replies of '{wanted or 'any model'}'. There is: {listed}.")
    raise UsageError(
        f"'{store.path}' holds the replies of {len(found)} models ({listed}): write replay:{store.path}?model=NAME."
    )
