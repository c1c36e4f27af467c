"""Replies in a file: sqlite, in which the requests and replies are JSON that a person can read.

The key of a reply is a hash over everything that shapes it (:func:`dialog_envs.simulators.llm.base.request_key`), the
trial number included. Only replies are kept: errors, and what a content filter took, are asked for again. Write-ahead
logging lets any number of processes use one file at the same moment.

::

    sqlite3 FILE "select json_extract(reply, '$.text') from replies limit 5"
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dialog_envs.core.text import whole
from dialog_envs.errors import UsageError
from dialog_envs.simulators.llm.base import ChatReply, ChatRequest, Choice, Request, Usage

FORMAT = 2
# The request, which nobody looks up, is the last column: what stands behind its kilobytes is slow to reach.
_SCHEMA = """
create table if not exists about (format integer not null);
create table if not exists models (id integer primary key, name text not null, version text not null unique);
create table if not exists replies (
    key text not null unique, model integer not null references models, role text not null, episode text not null,
    reply text not null, request text not null
);
"""
_encode = json.JSONEncoder(ensure_ascii=False).encode  # dumps would make an encoder anew for every reply
_PATIENCE = 60.0  # seconds for another process to end its write


class ReplyStore:
    """One file of replies. May be used from many threads and processes.

    Args:
        file: where it is.
        read_only: whether the file must be there, and stays as it is.

    Raises:
        UsageError: the file is missing, is none of this kind, or cannot be written.
    """

    def __init__(self, file: str | Path, *, read_only: bool = False) -> None:
        self.path = Path(file)
        self._lock = threading.Lock()
        try:
            self._db = self._open_to_read() if read_only else self._open_to_write()
        except sqlite3.DatabaseError as error:
            raise UsageError(f"'{file}' is no recording of a chat model ({error}).") from error
        except OSError as error:
            raise UsageError(f"cannot write the recording '{file}': {error.strerror}.") from error

    def _open_to_read(self) -> sqlite3.Connection:
        if not self.path.is_file():
            raise UsageError(f"there is no recording '{self.path}': make one with record:{self.path}=MODEL.")
        where = f"file:{quote(str(self.path.resolve()))}"
        try:
            return self._checked(self._connect(f"{where}?mode=ro"))
        except sqlite3.OperationalError:  # a folder that cannot be written: nobody writes the file either
            return self._checked(self._connect(f"{where}?immutable=1"))

    def _open_to_write(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab"):
            pass  # says in its own words why a file cannot be written
        db = self._connect(f"file:{quote(str(self.path.resolve()))}")
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = normal")
        db.execute("begin immediate")
        for statement in _SCHEMA.split(";"):
            db.execute(statement)
        db.execute("insert into about select ? where not exists (select 1 from about)", (FORMAT,))
        db.execute("commit")
        return self._checked(db)

    def _connect(self, uri: str) -> sqlite3.Connection:
        db = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        db.execute(f"pragma mmap_size = {1 << 30}")
        return db

    def _checked(self, db: sqlite3.Connection) -> sqlite3.Connection:
        row = db.execute("select format from about").fetchone()
        if row is None or row[0] != FORMAT:
            found = "none" if row is None else row[0]
            raise UsageError(f"'{self.path}' is a recording of format {found}; this version reads {FORMAT}.")
        return db

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def __len__(self) -> int:
        with self._lock:
            return int(self._db.execute("select count(*) from replies").fetchone()[0])

    def models(self) -> list[tuple[str, str]]:
        """(name, version) of the models whose replies are here, in the order in which they came."""
        with self._lock:
            return [
                (str(a), str(b)) for a, b in self._db.execute("select name, version from models order by id")
            ]

    def add_model(self, name: str, version: str) -> None:
        """Enter a model, if it is not there."""
        with self._lock:
            self._db.execute("insert or ignore into models (name, version) values (?, ?)", (name, version))

    def get(self, key: str) -> ChatReply | Choice | None:
        """The reply under a key."""
        with self._lock:
            row = self._db.execute("select reply from replies where key = ?", (key,)).fetchone()
        return None if row is None else reply_from_json(row[0])

    def put(self, key: str, version: str, request: Request, reply: ChatReply | Choice) -> ChatReply | Choice:
        """Keep a reply, unless another process was quicker.

        Returns:
            the reply that is kept: this one, or the other's. One key has one reply.

        Raises:
            UsageError: the file cannot be written (a full disk, say).
        """
        texts = (whole(reply_to_json(reply)), whole(request_to_json(request)))
        row = (key, request.role, request.episode, *texts, version)
        try:
            with self._lock:
                done = self._db.execute(
                    "insert or ignore into replies (key, role, episode, reply, request, model) "
                    "values (?, ?, ?, ?, ?, (select id from models where version = ?))",
                    row,
                )
        except sqlite3.Error as error:
            raise UsageError(
                f"cannot write the recording '{self.path}': {error}. What it holds is kept: make room for it, and run "
                "the same command again."
            ) from error
        kept = done.rowcount == 1
        found = reply if kept else self.get(key)
        return reply if found is None else found


def request_to_json(request: Request) -> str:
    """A request as a person reads it."""
    content: dict[str, Any] = {"messages": request.messages, "temperature": request.temperature}
    if isinstance(request, ChatRequest):
        content |= {"max_tokens": request.max_tokens, "top_p": request.top_p, "stop": request.stop}
        content |= {} if request.schema is None else {"schema": request.schema}
    else:
        content["candidates"] = request.candidates
    content |= {"seed": request.seed, "trial": request.trial}
    return json.dumps(content, ensure_ascii=False)


def reply_to_json(reply: ChatReply | Choice) -> str:
    """A reply as JSON."""
    usage = {
        "tokens_in": reply.usage.tokens_in,
        "tokens_out": reply.usage.tokens_out,
        "cost_usd": reply.usage.cost_usd,
    }
    content: dict[str, Any]
    if isinstance(reply, Choice):
        content = {"index": reply.index, "logprobs": reply.logprobs, "usage": usage}
    else:
        content = {
            "text": reply.text,
            "finish_reason": reply.finish_reason,
            "model": reply.model,
            "usage": usage,
        }
        if reply.data is not None:
            content["data"] = reply.data
    return _encode(content)


def reply_from_json(text: str) -> ChatReply | Choice:
    """What :func:`reply_to_json` wrote."""
    content: Mapping[str, Any] = json.loads(text)
    told = content["usage"]
    usage = Usage(told["tokens_in"], told["tokens_out"], told["cost_usd"])
    if "index" in content:
        return Choice(content["index"], tuple(content["logprobs"]), usage)
    return ChatReply(content["text"], usage, content["finish_reason"], content["model"], content.get("data"))
