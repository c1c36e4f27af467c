"""Records of a dialogue: acts, turns and what a user simulator returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

AGENT, USER = 0, 1
"""Speaker numbers in observations and datasets."""


class TurnView(TypedDict):
    """A turn as an observation shows it: who spoke and what they said, nothing else."""

    speaker: int
    text: str


class Observation(TypedDict):
    """What an agent sees: the public brief and the words so far."""

    brief: str
    dialogue: tuple[TurnView, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """What a turn does, in the task's vocabulary: ``Act("ask", slot="budget")``.

    Attributes:
        kind: the act (``ask``, ``suggest``, ``answer``, ``reject`` …).
        slot: the attribute it is about, if any.
        value: the attribute's value, if any.
        item: the id of the thing it is about, if any.
    """

    kind: str
    slot: str | None = None
    value: str | None = None
    item: str | None = None

    def to_json(self) -> dict[str, str]:
        """Only the fields that are set."""
        pairs = (("kind", self.kind), ("slot", self.slot), ("value", self.value), ("item", self.item))
        return {key: text for key, text in pairs if text is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Act:
        """Inverse of :meth:`to_json`. Raises ``KeyError`` without a kind, ``TypeError`` for other fields."""
        return cls(**{"kind": data["kind"], **data})

    def __str__(self) -> str:
        inside = ", ".join(part for part in (self.slot, self.value, self.item) if part is not None)
        return f"{self.kind}({inside})" if inside else self.kind


@dataclass(frozen=True, slots=True, init=False)
class Turn:
    """One utterance by one speaker, with the acts that the task's kernel read in it."""

    speaker: int
    text: str
    acts: tuple[Act, ...] = ()

    def __init__(self, speaker: int, text: str, acts: tuple[Act, ...] = ()) -> None:
        # As a frozen dataclass does it, three times as fast: datasets hold millions of turns.
        _set_speaker(self, speaker)
        _set_text(self, text)
        _set_acts(self, acts)

    def view(self) -> TurnView:
        """The turn as an observation shows it."""
        return {"speaker": self.speaker, "text": self.text}

    def to_json(self) -> dict[str, Any]:
        """For datasets and run folders."""
        return {"speaker": self.speaker, "text": self.text, "acts": [act.to_json() for act in self.acts]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Turn:
        """Inverse of :meth:`to_json`."""
        return cls(data["speaker"], data["text"], tuple(Act.from_json(act) for act in data.get("acts", ())))


_set_speaker, _set_text, _set_acts = (Turn.__dict__[name].__set__ for name in ("speaker", "text", "acts"))


@dataclass(frozen=True, slots=True)
class UserTurn:
    """A simulated user's reply.

    Attributes:
        text: the words the agent will read.
        acts: what the words do.
        done: the user says no more. A field, never a word searched for in the text.
        ended_by: ``"accept"``, ``"leave"`` or ``"agent"`` when done, else ``None``.
        agent_acts: how the user understood the agent's turn that this replies to.
    """

    text: str
    acts: tuple[Act, ...]
    done: bool = False
    ended_by: str | None = None
    agent_acts: tuple[Act, ...] = ()


def transcript(dialogue: Sequence[TurnView], agent: str = "Agent", user: str = "User") -> str:
    """The dialogue as lines ``Agent: …`` and ``User: …``."""
    return "\n".join(f"{agent if turn['speaker'] == AGENT else user}: {turn['text']}" for turn in dialogue)
