"""A run folder: what was played, safe against crashes, and finished by running the same command again.

``config.toml``        what the run plays, who plays the users, and the fingerprint of each agent; a run with other
                       settings is refused
``episodes.jsonl``     one :class:`EpisodeRecord` a line, appended as episodes finish; a later line of the same episode
                       replaces an earlier one
``manifest.json``      versions, host, counts
``leaderboard.*``      made from the three, at the end of every run

A line that a crash tore is cut off when the folder is opened next. One process at a time may write (``.lock``).
"""

from __future__ import annotations

import fcntl
import json
import os
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from dialog_envs.benchmarks.record import EpisodeKey, EpisodeRecord
from dialog_envs.benchmarks.toml_text import to_toml
from dialog_envs.errors import RunFolderError

__all__ = ["RunFolder", "read_episodes", "write_text"]

_SYNC_EPISODES = 64
_SYNC_SECONDS = 2.0


class RunFolder:
    """A run folder, open for writing. Use it as a context manager.

    Args:
        path: the folder; made if it is not there.
        settings: what decides the episodes (suite, split, seeds, versions); must equal the folder's.

    Raises:
        RunFolderError: other settings, another process at work, a damaged file, or no permission.
    """

    def __init__(self, path: str | Path, settings: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self._settings = dict(settings)
        self._log: IO[str] | None = None
        self._lock: IO[str] | None = None
        self._since_sync, self._last_sync = 0, 0.0
        self.repaired = False
        self.added = 0
        self.agents: dict[str, dict[str, str]] = {}
        self.tracks: dict[str, dict[str, str]] = {}
        self.records: dict[EpisodeKey, EpisodeRecord] = {}

    def __enter__(self) -> RunFolder:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            self._check_settings()
            self.repaired = _cut_torn_line(self.path / "episodes.jsonl")
            self.records = {record.key: record for record in read_episodes(self.path)}
            self._log = (self.path / "episodes.jsonl").open("a", encoding="utf-8")
        except OSError as error:
            self._close()
            raise RunFolderError(
                f"cannot write to the run folder '{self.path}': {error.strerror or error}. Choose another with --out."
            ) from error
        except RunFolderError:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def add(self, record: EpisodeRecord) -> None:
        """Append a record. It reaches the disk for certain within 64 episodes or two seconds of play."""
        assert self._log is not None
        self._log.write(record.to_line() + "\n")
        self.records[record.key] = record
        self.added += 1
        self._since_sync += 1
        if self._since_sync >= _SYNC_EPISODES or time.monotonic() - self._last_sync >= _SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Everything added so far is on the disk when this returns."""
        if self._log is not None:
            self._log.flush()
            os.fsync(self._log.fileno())
        self._since_sync, self._last_sync = 0, time.monotonic()

    def claim(self, name: str, source: str, fingerprint: str, description: str | None = None) -> bool:
        """Say which agent is meant by ``name``. False when the folder holds episodes of another one of that name.

        Without a description, the one that is known stays.
        """
        known = self.agents.get(name)
        if known is not None and known["fingerprint"] != fingerprint:
            return False
        if description is None:
            description = known["description"] if known else ""
        facts = {"source": source, "fingerprint": fingerprint, "description": description}
        if known != facts:
            self.agents[name] = facts
            self._write_config()
        return True

    def claim_track(self, name: str, facts: Mapping[str, str]) -> None:
        """Say who plays the users of a track.

        Raises:
            RunFolderError: the folder holds episodes of another user or another version under that name.
        """
        known = self.tracks.get(name)
        if known == facts:
            return
        for key in () if known is None else dict.fromkeys((*known, *facts)):
            if known is not None and known.get(key) != facts.get(key):
                raise RunFolderError(
                    f"the run folder '{self.path}' was made with {key} = {known.get(key)!r} on the track '{name}', and "
                    f"this run has {key} = {facts.get(key)!r}: its scores cannot be compared. Choose another with "
                    "--out."
                )
        self.tracks[name] = dict(facts)
        self._write_config()

    def forget(self, name: str) -> None:
        """Drop an agent and all of its episodes, so that it is scored afresh."""
        assert self._log is not None
        self._log.close()
        kept = [record for record in self.records.values() if record.agent != name]
        write_text(self.path / "episodes.jsonl", "".join(record.to_line() + "\n" for record in kept))
        self.records = {record.key: record for record in kept}
        self._log = (self.path / "episodes.jsonl").open("a", encoding="utf-8")
        if self.agents.pop(name, None) is not None:
            self._write_config()

    def write_manifest(self, facts: Mapping[str, Any]) -> None:
        """Write ``manifest.json``."""
        write_text(self.path / "manifest.json", json.dumps(facts, indent=2, ensure_ascii=False) + "\n")

    # ---- the parts of opening ----------------------------------------------------------------------------------------

    def _take_lock(self) -> None:
        self._lock = (self.path / ".lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.seek(0)
            owner = self._lock.read().strip() or "unknown"
            raise RunFolderError(
                f"the run folder '{self.path}' is in use by another process (id {owner}). "
                "Wait for it, or choose another folder with --out."
            ) from error
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()

    def _check_settings(self) -> None:
        file = self.path / "config.toml"
        if not file.exists():
            if (self.path / "episodes.jsonl").exists():
                raise RunFolderError(
                    f"the run folder '{self.path}' has episodes but no config.toml: move it away, or use --out."
                )
            return self._write_config()
        try:
            config = tomllib.loads(file.read_text("utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise RunFolderError(
                f"'{file}' is damaged: {error}. Move the folder away, or use --out."
            ) from error
        self.agents = {name: dict(table) for name, table in config.get("agents", {}).items()}
        theirs = dict(config.get("settings", {}))
        self.tracks = {name: dict(table) for name, table in config.get("tracks", {}).items()}
        # As folders were written that could hold one track only: users = ["scripted scripted-1"].
        track, users = theirs.pop("track", None), theirs.pop("users", [])
        if track is not None and users:
            self.tracks.setdefault(track, {"user": track, "version": users[0].removeprefix(f"{track} ")})
        for key in dict.fromkeys((*self._settings, *theirs)):
            if theirs.get(key) != self._settings.get(key):
                raise RunFolderError(
                    f"the run folder '{self.path}' was made with {key} = {theirs.get(key)!r}, and this run has "
                    f"{key} = {self._settings.get(key)!r}: its scores cannot be compared. Choose another with --out."
                )

    def _write_config(self) -> None:
        facts = {"settings": self._settings, "tracks": self.tracks, "agents": self.agents}
        write_text(self.path / "config.toml", to_toml(facts))

    def _close(self) -> None:
        if self._log is not None:
            self.sync()
            self._log.close()
            self._log = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def read_episodes(folder: str | Path) -> list[EpisodeRecord]:
    """All episodes of a run folder, each once (its last line counts). A torn last line is left out.

    Raises:
        RunFolderError: a whole line is no episode; the message says which.
    """
    file = Path(folder) / "episodes.jsonl"
    if not file.exists():
        return []
    records: dict[EpisodeKey, EpisodeRecord] = {}
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith("\n"):
                break
            try:
                record = EpisodeRecord.from_json(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise RunFolderError(
                    f"'{file}' line {number} is no episode ({type(error).__name__}: {error}). "
                    "Delete that line, and run again: only what is missing is played."
                ) from error
            records[record.key] = record
    return list(records.values())


def write_text(path: Path, text: str) -> None:
    """Write a file as a whole: readers see the old text or the new one, never a part."""
    beside = path.with_name(path.name + ".new")
    try:
        beside.write_text(text, "utf-8")
        beside.replace(path)
    except OSError as error:
        raise RunFolderError(f"cannot write '{path}': {error.strerror or error}.") from error


def _cut_torn_line(file: Path) -> bool:
    """Cut off what stands after the last end of line. True if there was anything."""
    if not file.exists():
        return False
    with file.open("rb+") as stream:
        size = stream.seek(0, os.SEEK_END)
        end = size
        while end > 0:
            start = max(0, end - 65536)
            stream.seek(start)
            found = stream.read(end - start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        if end == size:
            return False
        stream.truncate(end)
        return True
