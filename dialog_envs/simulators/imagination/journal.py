"""What an unfinished dataset has so far: attempts, appended as they finish. A kill loses only what is in flight.

Where a model is asked, each of its replies is kept as it comes, too (``replies.jsonl``): an attempt of which the first
steps are done goes on behind them, and nothing is paid twice.

The folder stands beside the dataset's place under a name made from the settings: the same command finds it and goes on,
another command starts its own. It is deleted when the dataset is whole.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from dialog_envs.datasets.schema import Episode, parse_json
from dialog_envs.datasets.store import encode_line
from dialog_envs.errors import DatasetError
from dialog_envs.simulators.imagination.asking import Rejected, Spent
from dialog_envs.simulators.imagination.keeping import KeptModel, Replies
from dialog_envs.simulators.imagination.making import Made, Version
from dialog_envs.simulators.llm import ChatModel

SYNC_SECONDS = 2.0
"""After so long a finished attempt is on the disk for certain."""


class Journal:
    """The unfinished part of a dataset; a context manager.

    Args:
        out: the dataset's place.
        key: hash of everything that decides what an attempt is.

    Attributes:
        made: what became of each attempt, by index.

    Raises:
        DatasetError: another process works on the same dataset, or the folder cannot be written.
    """

    def __init__(self, out: Path, key: str) -> None:
        self.folder = out.with_name(f".{out.name}.partial-{key[:12]}")
        self.made: dict[int, Made] = {}
        self._lock: IO[str] | None = None
        self._log: IO[bytes] | None = None
        self._replies: Replies | None = None
        self._synced = 0.0

    def __enter__(self) -> Journal:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / "lock").open("a", encoding="utf-8")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file = self.folder / "attempts.jsonl"
            whole = self._load(file)
            self._log = file.open("ab")
            self._log.truncate(whole)
        except BlockingIOError as error:
            self._close()
            raise DatasetError(
                f"another process is making the same dataset ('{self.folder}' is locked). Wait for it, or choose "
                "another folder with --out."
            ) from error
        except OSError as error:
            self._close()
            raise DatasetError(
                f"cannot write beside the dataset, in '{self.folder}': {error.strerror or error}. Choose another "
                "folder with --out."
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def recorded(self, model: ChatModel) -> ChatModel:
        """The model, with its replies kept here as they come, and taken from here where they are."""
        if self._replies is None:
            self._replies = Replies(self.folder / "replies.jsonl")
        return KeptModel(model, self._replies)

    @property
    def purse(self) -> Path:
        """The file in which the money of all parts of this work is counted."""
        return self.folder / "purse.sqlite"

    def add(self, index: int, made: Made) -> None:
        """Append a finished attempt. It survives a kill at once, and a power cut after :data:`SYNC_SECONDS`."""
        assert self._log is not None
        try:
            self._log.write(_line(index, made))
            self._log.flush()
            if time.monotonic() - self._synced > SYNC_SECONDS:
                os.fsync(self._log.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise DatasetError(f"cannot write '{self.folder}': {error.strerror or error}.") from error
        self.made[index] = made

    def delete(self) -> None:
        """The dataset is whole: the journal is not needed any more."""
        self._close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _load(self, file: Path) -> int:
        """Read what is there. Returns the length of the sound part: from the first line that is torn or damaged on,
        attempts are made again."""
        sound = 0
        if file.exists():
            with file.open("rb") as lines:
                for line in lines:
                    try:
                        row = parse_json(line)
                        if not line.endswith(b"\n") or type(row.get("index")) is not int:
                            break
                        self.made[row["index"]] = _made(row)
                    except (DatasetError, AttributeError, KeyError, TypeError):
                        break
                    sound += len(line)
        return sound

    def _close(self) -> None:
        if self._replies is not None:
            self._replies.close()
            self._replies = None
        for file in (self._log, self._lock):
            if file is not None:
                file.close()
        self._log = self._lock = None


def _line(index: int, made: Made) -> bytes:
    episode = b"null" if made.episode is None else encode_line(made.episode)[:-1]
    rest: dict[str, Any] = {
        "versions": [version.to_json() for version in made.versions],
        "rejected": [one.to_json() for one in made.rejected],
        "usage": {role: asdict(spent) for role, spent in made.usage.items()},
    }
    more = "".join(f',"{name}":{json.dumps(value)}' for name, value in rest.items() if value)
    return b'{"index":%d,"episode":%s%s}\n' % (index, episode, more.encode())


def _made(row: dict[str, Any]) -> Made:
    return Made(
        None if row["episode"] is None else Episode.from_json(row["episode"]),
        tuple(Version.from_json(version) for version in row.get("versions", ())),
        tuple(Rejected(**one) for one in row.get("rejected", ())),
        {role: Spent(**spent) for role, spent in row.get("usage", {}).items()},
    )
