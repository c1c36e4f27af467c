"""What teachers said about each idea, from the labelled utterances that train; :mod:`learning_ideas` gathers it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of an idea.

    Attributes:
        said: (kind of act, content words) of each utterance.
        sense: the mean of what their sentences mean, by :mod:`encoder`, of length ``vectors.UNIT``; () if there is
            none.
    """

    said: tuple[tuple[str, str], ...] = ()
    sense: tuple[int, ...] = ()


Heard = Mapping[str, Mapping[str, Told]]
"""By concept and idea."""


@lru_cache(maxsize=1)
def heard() -> Heard:
    """What the package knows."""
    data = json.loads((files(__package__) / "grammar" / "heard.json").read_text(encoding="utf-8"))
    return {
        concept: {
            idea: Told(tuple((kind, words) for kind, words in row["said"]), tuple(row["sense"]))
            for idea, row in rows.items()
        }
        for concept, rows in data.items()
    }


def written(found: Heard) -> str:
    """As it is stored: a line a concept."""
    lines = []
    for concept, rows in found.items():
        line = {idea: {"said": told.said, "sense": told.sense} for idea, told in rows.items()}
        lines.append(f"{json.dumps(concept)}: {json.dumps(line)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"
