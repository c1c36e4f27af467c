"""TRL: JSON lines for its trainers, in the conversational form that its documentation calls so.

``chat``: ``{"messages": […]}``, for SFT. ``unpaired``: ``{"prompt": […], "completion": [one message], "label": bool}``
an agent turn, for KTO: the label says whether the dialogue ended in success.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dialog_envs.datasets.files import whole
from dialog_envs.datasets.formats.messages import messages
from dialog_envs.datasets.reader import Dataset
from dialog_envs.datasets.schema import Episode
from dialog_envs.errors import DatasetError, UsageError

KINDS = ("chat", "unpaired")


def export_trl(dataset: Dataset, out: str | Path, kind: str = "chat") -> Path:
    """Write a dataset as a ``.jsonl`` file for TRL.

    Args:
        dataset: what to write.
        out: the file.
        kind: one of :data:`KINDS`.

    Raises:
        UsageError: an unknown kind.
        DatasetError: the file exists or cannot be written.
    """
    if kind not in KINDS:
        raise UsageError(f"the kind of TRL's format must be one of {', '.join(KINDS)}; got {kind!r:.60}")
    file = Path(out)
    if file.exists():
        raise DatasetError(f"'{file}' exists already: choose another file with --out.")
    make = _chat if kind == "chat" else _unpaired
    with whole(file) as new, new.open("w", encoding="utf-8") as stream:
        for episode in dataset.episodes:
            stream.writelines(json.dumps(line) + "\n" for line in make(episode))
    return file


def _chat(episode: Episode) -> Iterator[dict[str, Any]]:
    yield {"messages": messages(episode), "reward": episode.reward}


def _unpaired(episode: Episode) -> Iterator[dict[str, Any]]:
    chat = messages(episode)
    for i, message in enumerate(chat):
        if message["role"] == "assistant":
            label = bool(episode.outcome["success"])
            yield {"prompt": chat[:i], "completion": [message], "label": label}
