"""Who is in a dataset: personas as texts, and how evenly their traits are spread."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dialog_envs.core.task import Task
from dialog_envs.datasets.schema import Episode
from dialog_envs.errors import DialogEnvsError


@dataclass(frozen=True, slots=True)
class Trait:
    """A trait of personas over a dataset's different personas.

    Attributes:
        name: field of the persona's JSON; the values of a list are counted together.
        values: value → how many personas have it, the most frequent first.
        effective: effective number of values: the exponential of their entropy.
    """

    name: str
    values: Mapping[str, int]
    effective: float


def personas(episodes: Sequence[Episode]) -> dict[str, Episode]:
    """Persona → one episode of it, in the order in which they come; nobody knows those of dialogues from elsewhere."""
    found: dict[str, Episode] = {}
    for episode in episodes:
        if episode.persona:
            found.setdefault(episode.persona_key, episode)
    return found


def traits(people: Sequence[Episode]) -> tuple[Trait, ...]:
    """The traits of some personas, one an episode; texts longer than 40 characters are no trait."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in people:
        for name, value in one.persona.items():
            counts[str(name)].update(text for text in _values(value) if len(text) <= 40)
    return tuple(
        Trait(name, dict(values.most_common()), effective_number(values))
        for name, values in counts.items()
        if values
    )


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _values(inner)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from (f"{name} {text}" for text in _values(inner))
    else:
        yield str(value)


def effective_number(counts: Mapping[str, int]) -> float:
    """The exponential of the entropy of some counts: how many kinds there would be if all were alike frequent."""
    total = sum(counts.values())
    return math.exp(-sum(n / total * math.log(n / total) for n in counts.values() if n)) if total else 0.0


def persona_texts(task: Task[Any, Any, Any] | None, people: Sequence[Episode]) -> list[str]:
    """Each persona in the task's words, or field by field where the task is not known here."""
    return [_text(task, one) for one in people]


def _text(task: Task[Any, Any, Any] | None, one: Episode) -> str:
    if task is not None:
        try:
            return "; ".join(
                f"{head.lower()} {text}"
                for head, text in task.persona_card(task.persona_from_json(one.persona))
            )
        except DialogEnvsError:
            pass  # of another version of the task
    return "; ".join(f"{name} {value}" for name, value in one.persona.items())


def descriptions(proposals: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a model said of the people it proposed and who take part (``personas.json``)."""
    return [str(row["who"]) for row in proposals if not row.get("problem")]
