"""Names of a dataset's files, and what every access to them shares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dialog_envs.errors import DatasetError

MANIFEST = "manifest.json"
DROPPED = "dropped.jsonl"
"""What the critique threw away, to be looked at. Not part of the data."""
CARD = "card.md"


@contextmanager
def file_trouble(path: Path) -> Iterator[None]:
    """Errors of the file system as errors of ours."""
    try:
        yield
    except OSError as error:
        raise DatasetError(f"cannot read or write '{path}': {error.strerror or error}.") from error
