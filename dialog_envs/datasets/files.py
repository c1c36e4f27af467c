"""Names of a dataset's files, and what every access to them shares."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from dialog_envs.errors import DatasetError

MANIFEST = "manifest.json"
DROPPED = "dropped.jsonl"
"""What the critique threw away, to be looked at. Not part of the data."""
CARD = "card.md"

PERSONAS, CRITIQUES, REJECTED = "personas.json", "critiques.jsonl", "rejected.jsonl"
"""Beside a dataset that a model took part in: the people, the verdicts with all versions, what was thrown away."""
COMPRESSIONS = ("gz", "xz")
"""Ends of the names of shards that are compressed."""
_MEMORY = 1 << 28
"""Bytes that unpacking a file of somebody else's may take beside what comes out."""


@contextmanager
def file_trouble(path: Path) -> Iterator[None]:
    """Errors of the file system as errors of ours."""
    try:
        yield
    except OSError as error:
        raise DatasetError(f"cannot read or write '{path}': {error.strerror or error}.") from error


@contextmanager
def whole(place: Path) -> Iterator[Path]:
    """A path beside ``place`` for a new file or folder: it takes its place when all went well, and is gone else.

    Raises:
        DatasetError: of the file system's.
    """
    new = place.with_name(f".{place.name}.new-{os.getpid()}")
    try:
        with file_trouble(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            yield new
            new.replace(place)
    finally:
        if new.is_dir():
            shutil.rmtree(new, ignore_errors=True)
        elif new.exists():
            new.unlink()


def read_file(file: Path) -> bytes:
    """The bytes of an ordinary file (or of one that a link points to), never those of a device or a pipe.

    Raises:
        DatasetError: it is none, or cannot be read.
    """
    with file_trouble(file), open(file, "rb", buffering=0, opener=_patient) as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise DatasetError(f"'{file}' is no ordinary file: restore the dataset, or make it again.")
        return opened.readall()


def _patient(path: str, flags: int) -> int:
    # A pipe that nobody writes to would keep us waiting.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def unpacked(raw: bytes, file: Path, size: int) -> bytes:
    """What a shard holds, compressed or not.

    Args:
        raw: the file's bytes.
        file: its path; the name says how it is compressed.
        size: bytes that must come out of a compressed one, so that a small file cannot fill the memory.

    Raises:
        DatasetError: it is damaged, or of another size.
    """
    if file.suffix == ".gz":
        import zlib

        unpacker: Any = zlib.decompressobj(31)
    elif file.suffix == ".xz":
        unpacker = _lzma(file).LZMADecompressor(memlimit=_MEMORY)
    else:
        return raw
    try:
        data: bytes = unpacker.decompress(raw, min(size + 1, sys.maxsize))
    except _errors(file) as error:
        raise DatasetError(f"'{file}' line 1: it cannot be unpacked ({error}). {_RESTORE}") from None
    if not unpacker.eof or unpacker.unused_data or len(data) != size:
        line = data.count(b"\n") + 1
        raise DatasetError(
            f"'{file}' line {line}: what was packed ends or is damaged here, or is not of the {size} bytes that the "
            f"manifest says. {_RESTORE}"
        )
    return data


def packing(file: IO[bytes], name: str) -> IO[bytes]:
    """A file that compresses what is written to ``file`` as ``name`` says. Close it before ``file``."""
    if name.endswith(".gz"):
        import gzip

        return gzip.GzipFile("", "wb", 9, file, mtime=0)  # type: ignore[return-value]
    if name.endswith(".xz"):
        opened: IO[bytes] = _lzma(Path(name)).open(file, "wb", preset=9)
        return opened
    return file


def _errors(file: Path) -> tuple[type[Exception], ...]:
    """What unpacking a damaged file raises."""
    import zlib

    own = _lzma(file).LZMAError if file.suffix == ".xz" else zlib.error
    return own, ValueError, MemoryError, EOFError


def _lzma(file: Path) -> Any:
    try:
        import lzma
    except ImportError:  # some builds of Python come without it
        raise DatasetError(
            f"'{file}' is compressed as .xz, and this Python was built without lzma: use another Python."
        ) from None
    return lzma


_RESTORE = "Restore the file, or make the dataset again."
