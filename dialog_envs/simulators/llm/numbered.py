"""Choosing by number, for models that can only write: the candidates as a numbered list, the reply read strictly."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dialog_envs.core.seeding import derive
from dialog_envs.errors import ChatModelError, UsageError
from dialog_envs.simulators.llm.base import ChatReply, ChatRequest, Choice, ChoiceRequest, Message, Usage

ATTEMPTS = 4
_NUMBER = re.compile(r"[\s\"'(\[*]*(\d{1,4})[\s\"')\].:*]*")
_REPLY_TOKENS = 16


@dataclass(slots=True)
class _Question:
    request: ChoiceRequest
    complaint: str = ""
    usage: Usage = field(default_factory=Usage)
    index: int | None = None

    def chat(self, attempt: int) -> ChatRequest:
        listed = "\n".join(f"{number}. {text}" for number, text in enumerate(self.request.candidates, 1))
        asked = (
            "Do not write your next message yourself: choose it from this list.\n"
            f"{listed}\n{self.complaint}Reply with the number only (1 to {len(self.request.candidates)})."
        )
        messages: tuple[Message, ...] = (*self.request.messages, {"role": "user", "content": asked})
        seed = derive(self.request.seed, "number", attempt)
        return ChatRequest(messages, _REPLY_TOKENS, self.request.temperature, seed=seed)

    def read(self, reply: ChatReply) -> None:
        self.usage = self.usage + reply.usage
        found = _NUMBER.fullmatch(reply.text)
        number = int(found[1]) if found else 0
        if 1 <= number <= len(self.request.candidates):
            self.index = number - 1
        else:
            self.complaint = f"Your last reply, {reply.text[:80]!r}, was not one of the numbers.\n"


def choose_by_number(
    complete: Callable[[Sequence[ChatRequest]], list[ChatReply]], requests: Sequence[ChoiceRequest], name: str
) -> list[Choice]:
    """Ask for the number of a candidate, and again with what was wrong, up to :data:`ATTEMPTS` times.

    Raises:
        ChatModelError: no number after all attempts. Never a guess.
        UsageError: a request has no candidates.
    """
    if not all(request.candidates for request in requests):
        raise UsageError("choice decoding needs at least one candidate.")
    questions = [_Question(request) for request in requests]
    for attempt in range(ATTEMPTS):
        waiting = [question for question in questions if question.index is None]
        if not waiting:
            break
        for question, reply in zip(waiting, complete([q.chat(attempt) for q in waiting]), strict=True):
            question.read(reply)
    choices = []
    for question in questions:
        if question.index is None:
            raise ChatModelError(
                f"{name} was asked {ATTEMPTS} times to choose by number and never did. {question.complaint.strip()} "
                "Use mode='free', or a model that follows instructions."
            )
        choices.append(Choice(question.index, (), question.usage))
    return choices
