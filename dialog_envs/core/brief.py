"""What a language model is told about a task: the one source of every prompt, so a new task needs no new prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dialog_envs.core.dialogue import TurnView, transcript


@dataclass(frozen=True, slots=True)
class Criterion:
    """Something that a dialogue is judged by.

    Attributes:
        name: one word or two, for tables.
        text: the question, answered by yes where the dialogue is as it should be.
    """

    name: str
    text: str


PAPER_CRITERIA = (
    Criterion(
        "gradual",
        "Does what is hidden about the {user_name} come out little by little, in answer to what the {agent_name} "
        "says, rather than all at once or unasked?",
    ),
    Criterion(
        "sentiment",
        "Does the end of the dialogue, in what the {user_name} feels and does, fit the stated outcome?",
    ),
)
"""The two criteria of the paper (arXiv 2311.05584, section 4.1), for every task."""


@dataclass(frozen=True, slots=True)
class TaskBrief:
    """A task in words. Prompts for agents, users, imagination and critique are made from it.

    Attributes:
        agent_name, user_name: what the speakers are called in transcripts: ``Agent``, ``Traveller``.
        agent_role, user_role: who they are: ``a friendly travel agent``.
        goal: what the agent is to bring about, as an instruction to it.
        advice: how a good agent goes about it, one sentence each, as instructions.
        hidden: what the agent cannot see about the user.
        outcomes: how a dialogue may end, in words: success first, then failure.
        criteria: the task's own, beside :data:`PAPER_CRITERIA`.
        examples: short good dialogues that agents are shown; speakers as in observations.
    """

    agent_name: str
    user_name: str
    agent_role: str
    user_role: str
    goal: str
    advice: tuple[str, ...]
    hidden: str
    outcomes: tuple[str, str]
    criteria: tuple[Criterion, ...] = ()
    examples: tuple[tuple[TurnView, ...], ...] = ()

    def all_criteria(self) -> tuple[Criterion, ...]:
        """The paper's two, in this task's words, then the task's own."""
        names = {"agent_name": self.agent_name.lower(), "user_name": self.user_name.lower()}
        return tuple(Criterion(c.name, c.text.format(**names)) for c in PAPER_CRITERIA) + self.criteria

    def transcript(self, dialogue: Sequence[TurnView]) -> str:
        """A dialogue as lines under the task's names for its speakers."""
        return transcript(dialogue, self.agent_name, self.user_name)


def example(*lines: str, user_first: bool = True) -> tuple[TurnView, ...]:
    """Turns that take it in turns; the user opens unless told otherwise."""
    first = 1 if user_first else 0
    return tuple({"speaker": (first + i) % 2, "text": line} for i, line in enumerate(lines))
