"""Reading datasets: whole or one by one, strictly, and never believing a file blindly."""

from __future__ import annotations

import gc
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialog_envs.datasets.files import MANIFEST, read_file, unpacked
from dialog_envs.datasets.lines import read_line
from dialog_envs.datasets.schema import SCHEMA_VERSION, Episode, parse_json
from dialog_envs.datasets.shipped import PREFIX, locate
from dialog_envs.errors import DatasetError

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,100}\.jsonl(\.gz|\.xz)?")
_MAKE = "make one with 'dialog-envs imagine'"
_OBJECTS = ("families", "policies", "critique", "imagination", "models", "cost", "counts", "reward")
"""Facts of a manifest that have parts."""


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


def load(name: str, verify: bool = True) -> Dataset:
    """A dataset that is shipped: ``load("PreferenceElicitation-v0/scripted")``.

    Args:
        name: one of :func:`~dialog_envs.datasets.shipped.shipped`.
        verify: as :func:`read_dataset` takes it.

    Raises:
        DatasetError: there is none of that name; names those that there are.
    """
    return read_dataset(PREFIX + name.removeprefix(PREFIX), verify)


def read_dataset(path: str | Path, verify: bool = True) -> Dataset:
    """A dataset folder, whole.

    Args:
        path: the folder, or ``shipped:TASK/NAME``.
        verify: compare the shards with the manifest's hashes.

    Raises:
        DatasetError: no dataset, damaged, or of another schema; names file and line.
    """
    path = locate(path)
    manifest = read_manifest(path)
    with _no_collection():
        return Dataset(manifest, list(_episodes(path, manifest, verify)), path)


def iterate_dataset(path: str | Path, verify: bool = False) -> Iterator[Episode]:
    """The episodes of a dataset one by one, a shard in memory at a time. Raises as :func:`read_dataset` does."""
    path = locate(path)
    yield from _episodes(path, read_manifest(path), verify)


def read_dropped(path: str | Path) -> list[Episode]:
    """What the critique threw away (empty where nothing was kept of it). Raises as :func:`read_dataset` does."""
    path = locate(path)
    facts = read_manifest(path).get("dropped")
    return [episode for _, episode in read_shard(path, facts, verify=False)] if facts else []


def read_manifest(path: str | Path) -> dict[str, Any]:
    """A dataset's manifest.

    Raises:
        DatasetError: there is none, or it is damaged, or of a schema that this version does not read.
    """
    file = locate(path) / MANIFEST
    if not file.exists():
        what = "does not exist" if not file.parent.exists() else f"is no dataset ({MANIFEST} is missing)"
        raise DatasetError(f"'{path}' {what}: {_MAKE}, or use one that is shipped ('dialog-envs data list').")
    raw = read_file(file)
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
    for name in _OBJECTS:
        if manifest.get(name) is not None and not isinstance(manifest[name], dict):
            raise DatasetError(
                f"'{file}': '{name}' is an object, or not there; got {manifest[name]!r:.60}. Restore it, or {_MAKE}."
            )
    for shard in [*shards, *extra]:
        if not _is_shard(shard):
            raise DatasetError(f"'{file}': a shard is {{file, episodes, bytes, sha256}}; got {shard!r:.120}.")
    return manifest


def _is_shard(shard: Any) -> bool:
    if not isinstance(shard, dict) or not isinstance(shard.get("file"), str):
        return False
    named = _FILE_NAME.fullmatch(shard["file"]) is not None  # a plain name: never a path out of the folder
    counted = all(
        type(shard.get(name, 0)) is int and shard.get(name, 0) >= 0 for name in ("episodes", "bytes")
    )
    return named and counted and "episodes" in shard and isinstance(shard.get("sha256"), str)


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
    raw = unpacked(read_file(file), file, facts.get("bytes", 0))
    lines = raw.split(b"\n")
    torn = lines.pop()
    count = len(lines)
    for number, line in enumerate(lines, 1):
        try:
            episode = read_line(line)
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
