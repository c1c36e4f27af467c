"""Writing datasets: a folder with ``manifest.json`` and JSON Lines shards, an episode a line.

A dataset is written beside its place and renamed when it is whole: it is there, or it is not. Every shard's sha256
stands in the manifest, so the manifest's own hash (``fingerprint``) names the data exactly.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from dialog_envs.datasets.files import COMPRESSIONS, DROPPED, MANIFEST, file_trouble, packing
from dialog_envs.datasets.schema import SCHEMA_VERSION, Episode
from dialog_envs.datasets.shipped import PREFIX
from dialog_envs.errors import DatasetError, UsageError

SHARD_EPISODES = 5_000


class DatasetWriter:
    """Writes a dataset; use it as a context manager. Leaving it without an error puts the dataset in its place.

    Args:
        path: the dataset's folder. Must not exist, unless ``replace`` and what stands there is a dataset.
        manifest: facts for the manifest: ``task`` and ``task_version`` at least. Schema, counts, reward, families and
            shards are added.
        shard_episodes: episodes a shard.
        replace: take the place of a dataset that is there.
        compress: ``"gz"`` or ``"xz"``: compressed shards. Sizes and hashes in the manifest are those of what is in
            them, which does not depend on who packed it.

    Raises:
        DatasetError: the place is taken, or cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        manifest: Mapping[str, Any],
        shard_episodes: int = SHARD_EPISODES,
        replace: bool = False,
        compress: str | None = None,
    ) -> None:
        self.path = Path(path)
        self.facts = dict(manifest)
        if not isinstance(self.facts.get("task"), str):
            raise DatasetError("a dataset's manifest must say its task: DatasetWriter(path, {'task': …})")
        if compress is not None and compress not in COMPRESSIONS:
            raise UsageError(
                f"shards are compressed as one of {', '.join(COMPRESSIONS)}; got {compress!r:.20}"
            )
        check_free(self.path, replace)
        self._end = f".{compress}" if compress else ""
        self._shard_episodes = shard_episodes
        self._place = self.path.with_name(f".{self.path.name}.new-{os.getpid()}")
        self._shards: list[dict[str, Any]] = []
        self._open: _Shard | None = None
        self._ids: set[str] = set()
        self._totals = Totals()

    def __enter__(self) -> DatasetWriter:
        with file_trouble(self.path):
            remove_leftovers(self.path)
            self._place.mkdir(parents=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._finish()
        else:
            if self._open is not None:
                self._open.give_up()
            shutil.rmtree(self._place, ignore_errors=True)

    def write(self, episode: Episode) -> None:
        """Append an episode.

        Raises:
            DatasetError: its id stands in the dataset already, or it is of another task.
        """
        if episode.task != self.facts["task"] or episode.id in self._ids:
            what = (
                f"task '{episode.task}'"
                if episode.task != self.facts["task"]
                else "an id that is there already"
            )
            raise DatasetError(f"episode '{episode.id}' cannot go into '{self.path}': it has {what}")
        with file_trouble(self.path):
            if self._open is None:
                self._open = _Shard(self._place / f"episodes-{len(self._shards):05d}.jsonl{self._end}")
            self._open.add(encode_line(episode))
            if self._open.episodes >= self._shard_episodes:
                self._close_shard()
        self._ids.add(episode.id)
        self._totals.add(episode)

    def write_all(self, episodes: Iterable[Episode]) -> None:
        """Append many."""
        for episode in episodes:
            self.write(episode)

    def write_dropped(self, episodes: Iterable[Episode]) -> None:
        """Keep what the critique threw away, beside the data."""
        with file_trouble(self.path):
            shard = _Shard(self._place / f"{DROPPED}{self._end}")
            for episode in episodes:
                shard.add(encode_line(episode))
            self.facts["dropped"] = shard.close()

    def write_text(self, name: str, text: str) -> None:
        """A file for people beside the data, for example the card."""
        with file_trouble(self.path):
            (self._place / name).write_text(text, "utf-8", "replace")  # half a surrogate pair is no UTF-8

    def manifest(self) -> dict[str, Any]:
        """The manifest as it stands."""
        shards = [*self._shards, *([self._open.facts()] if self._open is not None else [])]
        return {"schema": SCHEMA_VERSION, **self.facts, **self._totals.facts(), "shards": shards}

    def _close_shard(self) -> None:
        if self._open is not None:
            self._shards.append(self._open.close())
            self._open = None

    def _finish(self) -> None:
        with file_trouble(self.path):
            self._close_shard()
            text = json.dumps(self.manifest(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
            with (self._place / MANIFEST).open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            old = self.path.with_name(f".{self.path.name}.old-{os.getpid()}")
            if self.path.exists():
                self.path.rename(old)
            self._place.rename(self.path)
            shutil.rmtree(old, ignore_errors=True)


class _Shard:
    """A file that knows its hash."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] = path.open("wb", buffering=1 << 20)
        self._lines = packing(self._file, path.name)
        self.episodes = self.bytes = 0
        self._hash = hashlib.sha256()

    def add(self, line: bytes) -> None:
        self._lines.write(line)
        self._hash.update(line)
        self.episodes += 1
        self.bytes += len(line)

    def facts(self) -> dict[str, Any]:
        return {
            "file": self.path.name, "episodes": self.episodes, "bytes": self.bytes, "sha256": self._hash.hexdigest()
        }  # fmt: skip

    def close(self) -> dict[str, Any]:
        if self._lines is not self._file:
            self._lines.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self.facts()

    def give_up(self) -> None:
        self._lines.close()
        self._file.close()


class Totals:
    """Counts for the manifest, over episodes in any order."""

    def __init__(self) -> None:
        self.episodes = self.turns = self.agent_turns = self.successes = 0
        self.reward = 0.0
        self.families: dict[str, int] = {}

    def add(self, episode: Episode) -> None:
        """Count one."""
        self.episodes += 1
        self.turns += len(episode.turns)
        self.agent_turns += len(episode.rewards)
        self.successes += bool(episode.outcome["success"])
        self.reward += episode.reward
        self.families[episode.family] = self.families.get(episode.family, 0) + 1

    def facts(self) -> dict[str, Any]:
        """As the manifest states them."""
        n = max(self.episodes, 1)
        return {
            "counts": {"episodes": self.episodes, "turns": self.turns, "agent_turns": self.agent_turns},
            "reward": {"mean": round(self.reward / n, 6), "success": round(self.successes / n, 6)},
            "families": dict(sorted(self.families.items())),
        }


def encode_line(episode: Episode) -> bytes:
    """A shard's line, with its end. Half a surrogate pair, which UTF-8 cannot hold, is written escaped."""
    line = episode.to_line()
    try:
        return line.encode("utf-8") + b"\n"
    except UnicodeEncodeError:
        return json.dumps(episode.to_json(), separators=(",", ":")).encode("ascii") + b"\n"


def check_free(path: Path, replace: bool = False) -> None:
    """Whether a dataset may be written to ``path``.

    Raises:
        DatasetError: something is there that must not be replaced.
    """
    if path.as_posix().startswith(PREFIX):
        raise DatasetError(f"'{path}' is a dataset of the package, and is not written to: choose a folder.")
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not (path / MANIFEST).is_file():
        raise DatasetError(f"'{path}' exists and is no dataset: choose another folder with --out.")
    if not replace:
        raise DatasetError(
            f"there is a dataset in '{path}' already: choose another folder, or ask to replace it."
        )


def remove_leftovers(path: Path) -> None:
    """Delete what killed processes left half written beside ``path``; what running ones are writing stays."""
    for kind in ("new", "old"):
        for folder in path.parent.glob(f".{path.name}.{kind}-*"):
            owner = folder.name.rpartition("-")[2]
            if owner.isdigit() and (int(owner) == os.getpid() or not _runs(int(owner))):
                shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
