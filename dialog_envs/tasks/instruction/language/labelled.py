"""The labelled utterances that train: names of the files in ``tests/tasks/understanding``, and who wrote them."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from ...language.measure import FOLDER

TRAINING = {
    "instruction_dev": "first", "instruction_dev2": "second", "instruction_dev3": "third", "instruction_train": "third",
    "instruction_train2": "fourth", "instruction_train3": "developer", "instruction_train4": "fifth",
    "instruction_train5": "sixth", "instruction_train6": "seventh", "instruction_train7": "eighth",
    "instruction_train8": "ninth", "instruction_train9": "tenth", "instruction_train10": "eleventh",
}  # fmt: skip
"""File -> its author or authors, none of whom wrote under two names. What they said of an idea does not help to read
them where it trains or is measured, as it will not help with strangers."""


def missing() -> str:
    """Why nothing can be trained here; nothing if it can."""
    if FOLDER.is_dir():
        return ""
    return f"the labelled utterances are not in '{FOLDER}': train in a checkout of the repository"


@lru_cache(maxsize=16)
def labelled(name: str) -> tuple[dict[str, Any], ...]:
    """The rows of a file."""
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line) for line in lines if line.strip())
