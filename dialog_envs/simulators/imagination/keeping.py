"""Replies of models, kept as they come: who is killed goes on behind the last one, and pays nothing twice.

A line of JSON a reply, appended to one file: cheap enough for a thousand a second. It lives as long as the dataset is
unfinished; whoever wants to keep replies for good records them (``record:FILE=MODEL``).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from dialog_envs.errors import DatasetError, DialogEnvsError
from dialog_envs.simulators.llm import ChatModel, ChatModelBase, ChatReply, Choice, Request, Result
from dialog_envs.simulators.llm.base import request_key
from dialog_envs.simulators.llm.calls import ended
from dialog_envs.simulators.llm.store import reply_from_json, reply_to_json


class Replies:
    """The file. May be used from many threads, and by one process.

    Args:
        file: where it is; made if it is not there. A line that was torn by a kill is cut off.

    Raises:
        DatasetError: it cannot be written.
    """

    def __init__(self, file: Path) -> None:
        self._path = file
        self._known: dict[str, str] = {}
        self._lock = threading.Lock()
        try:
            sound = self._load()
            self._file = file.open("ab", buffering=0)
            self._file.truncate(sound)
        except OSError as error:
            raise DatasetError(f"cannot write '{file}': {error.strerror or error}.") from error

    def __len__(self) -> int:
        """Replies that were there in the beginning."""
        return len(self._known)

    def get(self, key: str) -> ChatReply | Choice | None:
        """A reply of an earlier part of the same work."""
        text = self._known.get(key)
        return None if text is None else reply_from_json(text)

    def put(self, key: str, reply: ChatReply | Choice) -> None:
        """Keep a reply. It survives a kill at once.

        Raises:
            DatasetError: the file cannot be written (a full disk, say).
        """
        line = f"{key} {reply_to_json(reply)}\n".encode("utf-8", "surrogatepass")
        try:
            with self._lock:
                if not self._file.closed:  # a reply that comes after its work was given up
                    self._file.write(line)
        except OSError as error:
            raise DatasetError(f"cannot write '{self._path}': {error.strerror or error}.") from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def _load(self) -> int:
        """Length of the sound part."""
        sound = 0
        if self._path.exists():
            with self._path.open("rb") as lines:
                for line in lines:
                    key, _, text = line.partition(b" ")
                    try:
                        json.loads(text)
                        if not line.endswith(b"\n"):
                            break
                        self._known.setdefault(key.decode("ascii"), text.decode("utf-8", "surrogatepass"))
                    except ValueError:
                        break
                    sound += len(line)
        return sound


class KeptModel(ChatModelBase):
    """A model whose replies are kept, and taken from where they are kept.

    Errors are not kept, nor what a content filter took away.

    Args:
        inner: who answers.
        replies: where they are kept; other models may share it.
    """

    def __init__(self, inner: ChatModel, replies: Replies) -> None:
        self._inner, self._replies = inner, replies
        self._name, self._version = inner.name, inner.version

    @property
    def name(self) -> str:
        """The inner model's."""
        return self._name

    @property
    def version(self) -> str:
        """The inner model's."""
        return self._version

    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        """Results that are there first, then the inner model's as they come."""
        keys = [request_key(request, self._name, self._version) for request in requests]
        unknown = []
        for index, key in enumerate(keys):
            if (found := self._replies.get(key)) is not None:
                yield index, found
            else:
                unknown.append(index)
        if unknown:
            for number, result in self._inner.each([requests[index] for index in unknown]):
                self._keep(keys[unknown[number]], result)
                yield unknown[number], result

    def submit(self, request: Request) -> Future[Result] | None:
        """The result that is there at once, or else the inner model's."""
        key = request_key(request, self._name, self._version)
        if (found := self._replies.get(key)) is not None:
            return ended(found)
        asked = self._inner.submit(request)
        if asked is None:
            return None
        answer: Future[Result] = Future()

        def finish(done: Future[Result]) -> None:
            try:
                result = done.result()
                self._keep(key, result)
            except DialogEnvsError as error:  # a wrong request, or a full disk
                answer.set_exception(error)
            else:
                answer.set_result(result)

        asked.add_done_callback(finish)
        return answer

    def _keep(self, key: str, result: Result) -> None:
        if not isinstance(result, (ChatReply, Choice)):
            return
        if isinstance(result, ChatReply) and result.finish_reason == "content_filter":
            return
        self._replies.put(key, result)
