"""Scenarios of Instruction-v0: a concept to teach."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from dialog_envs.errors import UnknownName, UsageError
from dialog_envs.tasks.instruction.content import Concept, Idea, concept, concepts

_BRIEF = re.compile(
    r"You are a teacher of (?P<subject>.+?)\. Today's lesson, with one student: (?P<name>.+?)\. By the end"
)


@dataclass(frozen=True)
class InstructionScenario:
    """The concept of a lesson, by its id."""

    concept: str

    @cached_property
    def entry(self) -> Concept:
        """The material."""
        return concept(self.concept)

    @cached_property
    def ideas(self) -> tuple[Idea, ...]:
        """The concept's ideas, in teaching order."""
        return self.entry.ideas

    @cached_property
    def items(self) -> tuple[str, ...]:
        """Ids of :attr:`ideas`: what an act's ``item`` may be."""
        return tuple(idea.id for idea in self.ideas)

    @cached_property
    def item_names(self) -> tuple[str, ...]:
        """Names in the order of :attr:`items`."""
        return tuple(idea.name for idea in self.ideas)

    @cached_property
    def index(self) -> dict[str, int]:
        """Position of each id of :attr:`items`."""
        return {name: i for i, name in enumerate(self.items)}

    @cached_property
    def needs(self) -> tuple[tuple[int, ...], ...]:
        """For each idea the positions of the ideas it rests on."""
        return self.entry.needs

    def idea(self, id: str) -> Idea:
        """An idea by its id; raises ``KeyError`` for another."""
        return self.ideas[self.index[id]]

    @cached_property
    def brief(self) -> str:
        """The lesson in words: the agent's part, and a line an idea."""
        lines = [
            f"You are a teacher of {self.entry.subject}. Today's lesson, with one student: {self.entry.name}. By the "
            "end the student has to understand every idea below and be content. You do not know who they are, what "
            "they know, or which mistakes they make. You have 16 turns, and their attention has an end.",
            "Ideas:",
        ]
        names = dict(zip(self.items, self.item_names, strict=True))
        for idea in self.ideas:
            basis = " and ".join(names[need] for need in idea.needs) or "nothing else"
            lines.append(
                f"- {idea.name}: rests on {basis}. {idea.plain} Common mistake: {idea.misconceptions[0].belief}"
            )
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The concept's id."""
        return {"concept": self.concept}


def sample_scenario(rng: np.random.Generator) -> InstructionScenario:
    """Draw a concept, all alike."""
    known = concepts()
    return InstructionScenario(known[int(rng.random() * len(known))].id)


def scenario_from_json(data: Mapping[str, Any]) -> InstructionScenario:
    """Inverse of ``to_json``.

    Raises:
        UsageError: a field is missing, of a wrong type, or names no concept.
    """
    if not isinstance(data, Mapping) or set(data) != {"concept"} or not isinstance(data["concept"], str):
        raise UsageError(f"a scenario needs exactly the field concept, a text; got: {data!r:.200}")
    try:
        return InstructionScenario(concept(data["concept"]).id)
    except UnknownName as error:
        raise UsageError(f"scenario: {error}") from error


@lru_cache(maxsize=4096)
def scenario_from_brief(brief: str) -> InstructionScenario:
    """The scenario that a brief describes: what an agent knows that has read it.

    Raises:
        UsageError: the text is no brief of this task.
    """
    found = _BRIEF.match(brief)
    for entry in concepts() if found else ():
        if found and (entry.subject, entry.name) == (found["subject"], found["name"]):
            return _known(entry.id)
    raise UsageError(f"not a brief of Instruction-v0: {brief[:80]!r}")


@lru_cache(maxsize=512)
def _known(id: str) -> InstructionScenario:
    """One object a concept, so that what it caches is made once."""
    return InstructionScenario(id)
