"""A task's persona space as a form to fill in, without a line of code for any task.

A few thousand personas of the typical families are drawn from the prior, and what their JSON holds gives the form: each
field becomes a list of the values that occur, a list or record becomes its parts, a number that takes many values
becomes a range. The form is flat, so that a small model can fill it in field by field. What comes back is checked by
the task itself (``persona_from_json``, ``log_prob``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dialog_envs.core.seeding import stream
from dialog_envs.core.task import Task
from dialog_envs.errors import DialogEnvsError
from dialog_envs.simulators.imagination.asking import Unusable

SAMPLES = 2_000
"""Personas drawn to see what their fields may hold. They are always the same ones."""
MOST_VALUES = 64
"""A field with more values than this is no list of values any more."""
FAMILY = "family"
NONE = "none of these"
"""The family of somebody who is none of the typical ones: they cannot be part of a dataset."""
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class PersonaSpace:
    """The form of a task's personas.

    Attributes:
        task: whose.
        fields: name in the form → its JSON Schema; the family first.
        paths: name in the form → where the value stands in the persona's JSON.
        fixed: (path, empty container) of each list and record inside, outermost first.
    """

    task: Task[Any, Any, Any]
    fields: Mapping[str, Mapping[str, Any]]
    paths: Mapping[str, Path]
    containers: tuple[tuple[Path, type], ...]

    def schema(self) -> dict[str, Any]:
        """The form as JSON Schema."""
        return {
            "type": "object",
            "properties": {name: dict(schema) for name, schema in self.fields.items()},
            "required": list(self.fields),
            "additionalProperties": False,
        }

    def terms(self) -> str:
        """The fields with their values as lines."""
        lines = []
        for name, schema in self.fields.items():
            values = [value for value in schema.get("enum", ()) if value != NONE]
            told = ", ".join(map(str, values)) if values else _range(schema)
            lines.append(f"- {name}: {told}")
        return "\n".join(lines)

    def flat(self, persona: Any) -> dict[str, Any]:
        """A persona as the filled form."""
        leaves = dict(_leaves(persona.to_json()))
        return {name: leaves[path] for name, path in self.paths.items() if path in leaves}

    def persona(self, form: Mapping[str, Any]) -> Any:
        """The persona of a filled form.

        Raises:
            Unusable: it is no persona of a typical family; the message says why.
        """
        if form[FAMILY] == NONE:
            raise Unusable("nobody of the typical families could be meant")
        data: Any = {}
        for path, kind in self.containers:
            _put(data, path, kind())
        for name, path in self.paths.items():
            _put(data, path, form[name])
        try:
            persona = self.task.persona_from_json(data)
        except DialogEnvsError as error:
            raise Unusable(str(error)) from None
        prior = self.task.prior
        if persona.family not in prior.typical:
            raise Unusable(f"the family '{persona.family}' is held out")
        if prior.log_prob(persona) == -math.inf:
            raise Unusable("the task's prior has no such persona")
        return persona


def persona_space(task: Task[Any, Any, Any]) -> PersonaSpace:
    """The form of a task's personas. The same task always gives the same form."""
    return _space(task)


@lru_cache(maxsize=8)
def _space(task: Task[Any, Any, Any]) -> PersonaSpace:
    rng = stream(0, "persona space")
    values: dict[Path, list[Any]] = {}
    containers: dict[Path, type] = {}
    for _ in range(SAMPLES):
        data = task.prior.sample(rng, "typical").to_json()
        for path, kind in _containers(data):
            containers.setdefault(path, kind)
        for path, value in _leaves(data):
            found = values.setdefault(path, [])
            if value not in found:
                found.append(value)
    paths = {" ".join(_word(step) for step in path): path for path in values}
    fields = {name: _field(values[path]) for name, path in paths.items()}
    fields[FAMILY] = {"enum": [*task.prior.typical, NONE]}
    order = [FAMILY, *(name for name in fields if name != FAMILY)]
    return PersonaSpace(task, {name: fields[name] for name in order}, paths, tuple(containers.items()))


def _field(values: list[Any]) -> dict[str, Any]:
    """The schema of one field, from the values seen."""
    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(values) <= MOST_VALUES:
        return {"enum": sorted(values, key=lambda value: (str(type(value)), value))}
    if len(numbers) == len(values):
        whole = all(isinstance(value, int) for value in values)
        return {"type": "integer" if whole else "number", "minimum": min(values), "maximum": max(values)}
    return {"type": "string", "maxLength": max(len(str(value)) for value in values)}


def _range(schema: Mapping[str, Any]) -> str:
    if "minimum" in schema:
        return f"a number from {schema['minimum']} to {schema['maximum']}"
    return "a text"


def _word(step: str | int) -> str:
    return str(step + 1) if isinstance(step, int) else step


def _leaves(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """(path, value) of everything that is no list or record."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            yield from _leaves(value, (*path, name))
    elif isinstance(data, (list, tuple)):
        for number, value in enumerate(data):
            yield from _leaves(value, (*path, number))
    else:
        yield path, data


def _containers(data: Any, path: Path = ()) -> Iterator[tuple[Path, type]]:
    """(path, list or dict) of every list and record inside."""
    if isinstance(data, Mapping):
        inner: Any = data.items()
        if path:
            yield path, dict
    elif isinstance(data, (list, tuple)):
        inner = enumerate(data)
        yield path, list
    else:
        return
    for step, value in inner:
        yield from _containers(value, (*path, step))


def _put(data: Any, path: Path, value: Any) -> None:
    for step in path[:-1]:
        data = data[step]
    last = path[-1]
    if isinstance(data, list):
        data.append(value)
    else:
        data[last] = value
