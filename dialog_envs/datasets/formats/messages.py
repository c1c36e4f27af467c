"""Dialogues as chat messages: the brief from the system, the agent as assistant."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from dialog_envs.core.dialogue import AGENT, USER
from dialog_envs.datasets.schema import Episode
from dialog_envs.errors import DatasetError

Message = dict[str, str]
"""``{"role": "system" | "user" | "assistant", "content": text}``"""


def messages(episode: Episode) -> list[Message]:
    """An episode as a chat. Raises UnknownTask where its task is not registered here."""
    found = [{"role": "system", "content": brief(episode.task, json.dumps(episode.scenario, sort_keys=True))}]
    found += [
        {"role": "assistant" if turn.speaker == AGENT else "user", "content": turn.text}
        for turn in episode.turns
    ]
    return found


@lru_cache(maxsize=4096)
def brief(task: str, scenario: str) -> str:
    """The brief of a scenario that is given as JSON text."""
    from dialog_envs.registration import get_task

    return str(get_task(task).scenario_from_json(json.loads(scenario)).brief)


def turns_from_messages(rows: Sequence[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """(speaker, text) of each message that is not the system's.

    Raises:
        DatasetError: a message is no ``{role, content}``, or has an unknown role.
    """
    speakers = {"assistant": AGENT, "user": USER}
    found = []
    for row in rows:
        role, content = row.get("role"), row.get("content")
        if role == "system":
            continue
        if not isinstance(role, str) or role not in speakers or not isinstance(content, str):
            raise DatasetError(
                f"a message is {{role: user or assistant, content: text}}; got {dict(row)!r:.120}"
            )
        found.append((speakers[role], content))
    return found


def free_folder(path: str | Path) -> Path:
    """The place of a new folder for an export.

    Raises:
        DatasetError: something is there already.
    """
    place = Path(path)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise DatasetError(f"'{place}' exists already: choose another folder with --out.")
    return place
