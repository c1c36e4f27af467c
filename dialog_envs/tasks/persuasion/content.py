"""The invented charities: JSON files beside this module, one a cause, checked when they are read.

A file holds ``{"cause": str, "charities": [{"id", "name", "pitch", "facts": {kind: [text, …]}}]}``: two facts of kind
``mission``, one of each other kind of ``acts.FACTS``. All names, figures and studies are made up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from dialog_envs.errors import UnknownName
from dialog_envs.tasks.persuasion.acts import FACTS


@dataclass(frozen=True, slots=True)
class Charity:
    """A charity.

    Attributes:
        id: ``cause/name``.
        name: as it stands in the brief.
        cause: what it works for, for example ``"clean water"``.
        pitch: one clause that says what it does ("repairs village wells").
        facts: (kind, text) pairs in the order of ``acts.FACTS``; the only facts that an honest agent uses.
    """

    id: str
    name: str
    cause: str
    pitch: str
    facts: tuple[tuple[str, str], ...]

    def texts(self, kind: str) -> tuple[str, ...]:
        """The facts of a kind."""
        return tuple(text for name, text in self.facts if name == kind)


@lru_cache(maxsize=1)
def charities() -> tuple[Charity, ...]:
    """All charities, in the order of the files' names."""
    folder = resources.files(__package__).joinpath("charities")
    found: list[Charity] = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".json"):
            data = json.loads(file.read_text(encoding="utf-8"))
            for entry in data["charities"]:
                facts = tuple((kind, text) for kind in FACTS for text in entry["facts"][kind])
                found.append(Charity(entry["id"], entry["name"], data["cause"], entry["pitch"], facts))
    return tuple(found)


@lru_cache(maxsize=1)
def _by_id() -> dict[str, Charity]:
    return {entry.id: entry for entry in charities()}


def charity(id: str) -> Charity:
    """A charity by id.

    Raises:
        UnknownName: there is none.
    """
    if id not in _by_id():
        raise UnknownName(id, _by_id(), "These are the charities.")
    return _by_id()[id]
