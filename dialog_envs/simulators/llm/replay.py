"""Recording a model's replies, and playing them back without the model.

The file is JSON lines: first ``{"record": 1, "model": NAME, "version": VERSION}``, then a line a reply,
``{"key": HASH, "request": {…}, "reply": {…}}``, where the key is a hash of everything that shapes the reply. Only
replies are recorded, never errors. A request that is known is answered from the file, so that a broken-off run goes
on where it stopped, and a replayed run equals the recorded one.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from dialog_envs.errors import ChatModelError, UsageError
from dialog_envs.simulators.llm.base import (
    ChatModel,
    ChatReply,
    ChatRequest,
    Choice,
    ChoiceRequest,
    Request,
    Result,
    Usage,
    request_key,
)
from dialog_envs.simulators.llm.calls import ChatModelBase

Q = TypeVar("Q", ChatRequest, ChoiceRequest)
R = TypeVar("R", ChatReply, Choice)
FORMAT = 1


class ReplayModel(ChatModelBase):
    """Only the replies of a recorded file.

    Args:
        file: what :class:`RecordingModel` wrote.

    Raises:
        UsageError: the file is missing, or is no recording.
    """

    def __init__(self, file: str | Path) -> None:
        self.path = Path(file)
        if not self.path.is_file():
            raise UsageError(f"there is no recording '{file}': make one with record:{file}=MODEL.")
        header, self._replies, _ = _read(self.path)
        self._name, self._version = str(header["model"]), str(header["version"])

    @property
    def name(self) -> str:
        """The recorded model's."""
        return self._name

    @property
    def version(self) -> str:
        """The recorded model's."""
        return self._version

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
        """The recorded replies.

        Raises:
            ChatModelError: a request was never recorded.
        """
        return [_reply(self._find(request)) for request in requests]

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[Choice]:
        """The recorded choices.

        Raises:
            ChatModelError: a request was never recorded.
        """
        return [_choice(self._find(request)) for request in requests]

    def _find(self, request: ChatRequest | ChoiceRequest) -> Mapping[str, Any]:
        found = self._replies.get(request_key(request, self.name, self.version))
        if found is None:
            said = request.messages[-1]["content"] if request.messages else ""
            raise ChatModelError(
                f"'{self.path}' holds no reply to this request (its last message: {said[-80:]!r}): settings, seed or "
                f"prompt differ from the recorded run. Record it with record:{self.path}=MODEL."
            )
        return found


class RecordingModel(ChatModelBase):
    """A model whose replies are written to a file as they come.

    Args:
        file: where to; goes on with a file that holds the same model's replies.
        inner: the model that answers what the file does not.

    Raises:
        UsageError: the file is no recording, or one of another model, or cannot be written.
    """

    def __init__(self, file: str | Path, inner: ChatModel) -> None:
        self.path = Path(file)
        self._inner = inner
        self._lock = threading.Lock()
        self._replies: dict[str, Mapping[str, Any]] = {}
        wanted = {"record": FORMAT, "model": inner.name, "version": inner.version}
        try:
            if self.path.is_file() and self.path.stat().st_size:
                header, self._replies, whole = _read(self.path)
                if header != wanted:
                    raise UsageError(
                        f"'{file}' records {header.get('version')}, not {inner.version}: choose another file."
                    )
                os.truncate(self.path, whole)
            else:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path.write_text(json.dumps(wanted) + "\n", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write the recording '{file}': {error.strerror}.") from error

    @property
    def name(self) -> str:
        """The inner model's."""
        return self._inner.name

    @property
    def version(self) -> str:
        """The inner model's."""
        return self._inner.version

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
        """Replies from the file, or else from the inner model, whose errors pass."""
        return self._through(requests, self._inner.complete, _reply)

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[Choice]:
        """Choices from the file, or else from the inner model, whose errors pass."""
        return self._through(requests, self._inner.choose, _choice)

    def _through(
        self,
        requests: Sequence[Q],
        ask: Callable[[Sequence[Q]], list[R]],
        parse: Callable[[Mapping[str, Any]], R],
    ) -> list[R]:
        keys = [request_key(request, self.name, self.version) for request in requests]
        with self._lock:
            unknown = {
                key: request for key, request in zip(keys, requests, strict=True) if key not in self._replies
            }
        if unknown:
            self._store(unknown, ask(list(unknown.values())))
        return [parse(self._replies[key]) for key in keys]

    def _store(self, requests: Mapping[str, Any], results: Sequence[ChatReply | Choice]) -> None:
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            for (key, request), result in zip(requests.items(), results, strict=True):
                if key not in self._replies:
                    self._replies[key] = asdict(result)
                    line = {"key": key, "request": asdict(request), "reply": asdict(result)}
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Mapping[str, Any]], int]:
    """Header, replies by key, and the length in bytes of what is whole (a broken-off last line is left out)."""
    lines = path.read_bytes().splitlines(keepends=True)
    whole = len(lines) - 1 if lines and not lines[-1].endswith(b"\n") else len(lines)
    try:
        header: dict[str, Any] = json.loads(lines[0])
        if header["record"] != FORMAT:
            raise UsageError(
                f"'{path}' is a recording of format {header['record']}; this version reads {FORMAT}."
            )
        replies = {line["key"]: line["reply"] for line in map(json.loads, lines[1:whole])}
        header["model"], header["version"]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise UsageError(
            f"'{path}' is no recording of a chat model ({type(error).__name__}: {error})."
        ) from error
    return header, replies, sum(map(len, lines[:whole]))


def _reply(data: Mapping[str, Any]) -> ChatReply:
    return ChatReply(**{**data, "usage": Usage(**data["usage"])})


def _choice(data: Mapping[str, Any]) -> Choice:
    return Choice(data["index"], tuple(data["logprobs"]), Usage(**data["usage"]))
