"""Datasets on disk: a folder with ``manifest.json`` and JSON Lines shards, an episode a line.

A dataset is written beside its place and renamed when it is whole: it is there, or it is not. Every shard's sha256
stands in the manifest, so the manifest's own hash (:func:`fingerprint`) names the data exactly.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from dialog_envs.datasets.schema import SCHEMA_VERSION, Episode, parse_json, parse_line
from dialog_envs.errors import DatasetError

MANIFEST = "manifest.json"
DROPPED = "dropped.jsonl"
"""What the critique threw away, to be looked at. Not part of the data."""
CARD = "card.md"
SHARD_EPISODES = 5_000
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,100}\.jsonl")
_MAKE = "make one with 'dialog-envs imagine'"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset in memory.

    Attributes:
        manifest: what ``manifest.json`` says: schema, task and simulator versions, policies, seeds, counts, shards.
        episodes: in the order of the shards.
        path: the folder.
    """

    manifest: Mapping[str, Any]
    episodes: list[Episode]
    path: Path

    @property
    def task(self) -> str:
        """Task id."""
        return str(self.manifest["task"])

    def __len__(self) -> int:
        return len(self.episodes)


class DatasetWriter:
    """Writes a dataset; use it as a context manager. Leaving it without an error puts the dataset in its place.

    Args:
        path: the dataset's folder. Must not exist, unless ``replace`` and what stands there is a dataset.
        manifest: facts for the manifest: ``task`` and ``task_version`` at least. Schema, counts, reward, families and
            shards are added.
        shard_episodes: episodes a shard.
        replace: take the place of a dataset that is there.

    Raises:
        DatasetError: the place is taken, or cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        manifest: Mapping[str, Any],
        shard_episodes: int = SHARD_EPISODES,
        replace: bool = False,
    ) -> None:
        self.path = Path(path)
        self.facts = dict(manifest)
        if not isinstance(self.facts.get("task"), str):
            raise DatasetError("a dataset's manifest must say its task: DatasetWriter(path, {'task': …})")
        check_free(self.path, replace)
        self._shard_episodes = shard_episodes
        self._place = self.path.with_name(f".{self.path.name}.new-{os.getpid()}")
        self._shards: list[dict[str, Any]] = []
        self._open: _Shard | None = None
        self._ids: set[str] = set()
        self._totals = Totals()

    def __enter__(self) -> DatasetWriter:
        with _file_trouble(self.path):
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
                self._open.file.close()
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
        with _file_trouble(self.path):
            if self._open is None:
                self._open = _Shard(self._place / f"episodes-{len(self._shards):05d}.jsonl")
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
        with _file_trouble(self.path):
            shard = _Shard(self._place / DROPPED)
            for episode in episodes:
                shard.add(encode_line(episode))
            self.facts["dropped"] = shard.close()

    def write_text(self, name: str, text: str) -> None:
        """A file for people beside the data, for example the card."""
        with _file_trouble(self.path):
            (self._place / name).write_text(text, "utf-8")

    def manifest(self) -> dict[str, Any]:
        """The manifest as it stands."""
        shards = [*self._shards, *([self._open.facts()] if self._open is not None else [])]
        return {"schema": SCHEMA_VERSION, **self.facts, **self._totals.facts(), "shards": shards}

    def _close_shard(self) -> None:
        if self._open is not None:
            self._shards.append(self._open.close())
            self._open = None

    def _finish(self) -> None:
        with _file_trouble(self.path):
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
        self.file: IO[bytes] = path.open("wb", buffering=1 << 20)
        self.episodes = self.bytes = 0
        self._hash = hashlib.sha256()

    def add(self, line: bytes) -> None:
        self.file.write(line)
        self._hash.update(line)
        self.episodes += 1
        self.bytes += len(line)

    def facts(self) -> dict[str, Any]:
        return {
            "file": self.path.name, "episodes": self.episodes, "bytes": self.bytes, "sha256": self._hash.hexdigest()
        }  # fmt: skip

    def close(self) -> dict[str, Any]:
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        return self.facts()


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


def read_dataset(path: str | Path, verify: bool = True) -> Dataset:
    """A dataset folder, whole.

    Args:
        path: the folder.
        verify: compare the shards with the manifest's hashes.

    Raises:
        DatasetError: no dataset, damaged, or of another schema; names file and line.
    """
    path = Path(path)
    manifest = read_manifest(path)
    with _no_collection():
        return Dataset(manifest, list(_episodes(path, manifest, verify)), path)


def iterate_dataset(path: str | Path, verify: bool = False) -> Iterator[Episode]:
    """The episodes of a dataset one by one, a shard in memory at a time. Raises as :func:`read_dataset` does."""
    path = Path(path)
    yield from _episodes(path, read_manifest(path), verify)


def read_dropped(path: str | Path) -> list[Episode]:
    """What the critique threw away (empty where nothing was kept of it). Raises as :func:`read_dataset` does."""
    path = Path(path)
    facts = read_manifest(path).get("dropped")
    return [episode for _, episode in read_shard(path, facts, verify=False)] if facts else []


def read_manifest(path: str | Path) -> dict[str, Any]:
    """A dataset's manifest.

    Raises:
        DatasetError: there is none, or it is damaged, or of a schema that this version does not read.
    """
    file = Path(path) / MANIFEST
    if not file.is_file():
        what = "does not exist" if not Path(path).exists() else f"is no dataset ({MANIFEST} is missing)"
        raise DatasetError(f"'{path}' {what}: {_MAKE}.")
    with _file_trouble(file):
        raw = file.read_bytes()
    try:
        manifest = parse_json(raw)
    except DatasetError as error:
        raise DatasetError(f"'{file}' is damaged: {error}. Restore it, or {_MAKE}.") from None
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA_VERSION:
        found = manifest.get("schema") if isinstance(manifest, dict) else None
        raise DatasetError(f"'{file}' has schema {found!r:.20}; this version reads schema {SCHEMA_VERSION}.")
    extra = [manifest["dropped"]] if "dropped" in manifest else []
    shards = manifest.get("shards")
    if not isinstance(manifest.get("task"), str) or not isinstance(shards, list):
        raise DatasetError(f"'{file}' lacks 'task' or 'shards': restore it, or {_MAKE}.")
    for shard in [*shards, *extra]:
        if not _is_shard(shard):
            raise DatasetError(f"'{file}': a shard is {{file, sha256, episodes}}; got {shard!r:.120}.")
    return manifest


def _is_shard(shard: Any) -> bool:
    if not isinstance(shard, dict) or not isinstance(shard.get("file"), str):
        return False
    named = _FILE_NAME.fullmatch(shard["file"]) is not None  # a plain name: never a path out of the folder
    return named and type(shard.get("episodes")) is int and isinstance(shard.get("sha256"), str)


def _episodes(path: Path, manifest: Mapping[str, Any], verify: bool) -> Iterator[Episode]:
    task = manifest["task"]
    ids: set[str] = set()
    for shard in manifest["shards"]:
        for number, episode in read_shard(path, shard, verify):
            if episode.task != task or episode.id in ids:
                what = "is of another task" if episode.task != task else f"repeats the id '{episode.id}'"
                raise DatasetError(f"'{path / shard['file']}' line {number} {what}.")
            ids.add(episode.id)
            yield episode


def read_shard(path: Path, facts: Mapping[str, Any], verify: bool = True) -> Iterator[tuple[int, Episode]]:
    """(line number, episode) of one shard, as the manifest's entry ``facts`` describes it.

    Raises:
        DatasetError: missing, cut off, changed (with ``verify``), or not of the schema; names file and line.
    """
    file = path / facts["file"]
    with _file_trouble(file):
        raw = file.read_bytes()
    lines = raw.split(b"\n")
    torn = lines.pop()
    count = len(lines)
    for number, line in enumerate(lines, 1):
        try:
            episode = parse_line(line)
        except DatasetError as error:
            raise DatasetError(f"'{file}' line {number}: {error}.") from None
        yield number, episode
    if torn or count != facts["episodes"]:
        raise DatasetError(
            f"'{file}' line {count + bool(torn)}: the file ends here, with {count} whole episodes, and the manifest "
            f"says {facts['episodes']}. Restore the file, or make the dataset again."
        )
    if verify and hashlib.sha256(raw).hexdigest() != facts["sha256"]:
        raise DatasetError(
            f"'{file}' was changed after it was written (its sha256 differs from the manifest's). Restore the file, or "
            "read the dataset with verify=False if you changed it on purpose."
        )


def fingerprint(dataset: Dataset | Mapping[str, Any] | str | Path) -> str:
    """A hash over a dataset's manifest, and so over all of its data: the same exactly for the same dataset.

    Args:
        dataset: a dataset, its manifest, or its folder.
    """
    if isinstance(dataset, Dataset):
        dataset = dataset.manifest
    elif isinstance(dataset, str | Path):
        dataset = read_manifest(dataset)
    text = json.dumps(dataset, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def check_free(path: Path, replace: bool = False) -> None:
    """Whether a dataset may be written to ``path``.

    Raises:
        DatasetError: something is there that must not be replaced.
    """
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


@contextmanager
def _file_trouble(path: Path) -> Iterator[None]:
    """Errors of the file system as errors of ours."""
    try:
        yield
    except OSError as error:
        raise DatasetError(f"cannot read or write '{path}': {error.strerror or error}.") from error


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the cyclic garbage collector: a dataset is a million objects and no cycle, and looking costs as much as
    reading."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
