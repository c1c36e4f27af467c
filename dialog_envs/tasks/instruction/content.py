"""The teaching material: one JSON file a subject in ``concepts/``, loaded and checked.

``{"subject": …, "concepts": [{"id": "SUBJECT/NAME", "name": …, "ideas": [IDEA, …]}]}``, ideas in teaching order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from dialog_envs.errors import UnknownName, UsageError
from dialog_envs.tasks.instruction.acts import KINDS

MIN_IDEAS, MAX_IDEAS = 4, 7
_ID = re.compile(r"[a-z0-9-]+")
_TEXTS = (*KINDS, "quiz", "right")


@dataclass(frozen=True, slots=True)
class Misconception:
    """A common mistake: what somebody says who makes it, and what meets it head-on."""

    belief: str
    correction: str


@dataclass(frozen=True, slots=True)
class Idea:
    """One idea of a concept.

    Attributes:
        id: unique in its concept.
        name: as it is called in a sentence, unique in its concept.
        terms: lower-case words and phrases by which a free explanation of it can be recognised.
        needs: ids of earlier ideas that it rests on.
        analogy, plain, technical, example: the four kinds of explanation.
        quiz: a question that tests it; ``right``: a student's right answer.
        misconceptions: one or two; students of this project hold the first.
    """

    id: str
    name: str
    terms: tuple[str, ...]
    needs: tuple[str, ...]
    analogy: str
    plain: str
    technical: str
    example: str
    quiz: str
    right: str
    misconceptions: tuple[Misconception, ...]

    def text(self, kind: str) -> str:
        """The explanation of a kind of :data:`~dialog_envs.tasks.instruction.acts.KINDS`."""
        if kind not in KINDS:
            raise UnknownName(kind, KINDS, "These are the kinds of explanation.")
        found: str = getattr(self, kind)
        return found


@dataclass(frozen=True, slots=True)
class Concept:
    """A concept: ideas in teaching order, each resting on earlier ones."""

    id: str
    subject: str
    name: str
    ideas: tuple[Idea, ...]

    @property
    def needs(self) -> tuple[tuple[int, ...], ...]:
        """For each idea the positions of the ideas that it rests on."""
        place = {idea.id: i for i, idea in enumerate(self.ideas)}
        return tuple(tuple(place[need] for need in idea.needs) for idea in self.ideas)


@lru_cache(maxsize=1)
def concepts() -> tuple[Concept, ...]:
    """All concepts, in the order of their ids."""
    folder = files(__package__).joinpath("concepts")
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    loaded = [
        concept for f in found for concept in read_subject(json.loads(f.read_text(encoding="utf-8")), f.name)
    ]
    names = [entry.id for entry in loaded]
    if len(set(names)) != len(names):
        raise UsageError(
            "concepts: an id stands twice: " + ", ".join(sorted({n for n in names if names.count(n) > 1}))
        )
    return tuple(sorted(loaded, key=lambda entry: entry.id))


@lru_cache(maxsize=1)
def _by_id() -> dict[str, Concept]:
    return {entry.id: entry for entry in concepts()}


def concept(id: str) -> Concept:
    """The concept with this id, such as "physics/buoyancy"; raises UnknownName for any other."""
    found = _by_id().get(id)
    if found is None:
        raise UnknownName(id, _by_id(), "An id is SUBJECT/CONCEPT.")
    return found


def read_subject(data: Mapping[str, Any], where: str = "concepts") -> tuple[Concept, ...]:
    """The concepts of a file.

    Raises:
        UsageError: a field is missing or breaks a rule of the format; the message names file, concept and idea.
    """
    try:
        return tuple(_concept(entry, data["subject"], where) for entry in data["concepts"])
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{where}: a field is missing or has a wrong type: {error!r}") from error


def _concept(data: Mapping[str, Any], subject: str, where: str) -> Concept:
    where = f"{where}: {data['id']}"
    ideas = tuple(_idea(entry, where) for entry in data["ideas"])
    _require(
        MIN_IDEAS <= len(ideas) <= MAX_IDEAS,
        f"{where}: {len(ideas)} ideas; {MIN_IDEAS} to {MAX_IDEAS} are allowed",
    )
    _require(data["id"].count("/") == 1, f"{where}: an id is SUBJECT/NAME")
    earlier: set[str] = set()
    names: list[str] = []
    for idea in ideas:
        _require(idea.id not in earlier, f"{where}: idea {idea.id} stands twice")
        _require(
            set(idea.needs) <= earlier, f"{where}: {idea.id} rests on what is no earlier idea: {idea.needs}"
        )
        clash = [n for n in names if n.lower() in idea.name.lower() or idea.name.lower() in n.lower()]
        _require(not clash, f"{where}: the name {idea.name!r} holds, or is held by, {clash}")
        earlier.add(idea.id)
        names.append(idea.name)
    return Concept(data["id"], subject, data["name"], ideas)


def _idea(data: Mapping[str, Any], where: str) -> Idea:
    where = f"{where}: {data['id']}"
    _require(bool(_ID.fullmatch(data["id"])), f"{where}: an idea's id is made of a-z, 0-9 and -")
    for field in _TEXTS:
        _require(bool(data[field].strip()), f"{where}: {field} is empty")
    _require(data["quiz"].endswith("?"), f"{where}: the quiz must end in a question mark")
    _require(len({data[field] for field in _TEXTS}) == len(_TEXTS), f"{where}: two of its texts are the same")
    wrong = tuple(Misconception(entry["belief"], entry["correction"]) for entry in data["misconceptions"])
    _require(1 <= len(wrong) <= 2, f"{where}: one or two misconceptions are needed; got {len(wrong)}")
    texts = {field: data[field] for field in _TEXTS}
    return Idea(
        data["id"], data["name"], tuple(data["terms"]), tuple(data["needs"]), **texts, misconceptions=wrong
    )


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise UsageError(message)
