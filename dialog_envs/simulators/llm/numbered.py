"""Choosing by number, for models that can only write: the candidates as a numbered list, the reply read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dialog_envs.core.seeding import derive
from dialog_envs.errors import UsageError
from dialog_envs.simulators.llm.base import ChatReply, ChatRequest, Choice, ChoiceRequest, Usage
from dialog_envs.simulators.llm.structured import UnusableReply, appended

ATTEMPTS = 4
_NUMBER = re.compile(r"[\s\"'(\[*]*(\d{1,4})[\s\"')\].:*]*")
_REPLY_TOKENS = 16


@dataclass(slots=True)
class NumberQuestion:
    """One choice, asked for by number, and again with what was wrong, up to :data:`ATTEMPTS` times.

    Raises:
        UsageError: there is nothing to choose from.
    """

    request: ChoiceRequest
    name: str
    attempt: int = 0
    complaint: str = ""
    usage: Usage = field(default_factory=Usage)

    def __post_init__(self) -> None:
        if not self.request.candidates:
            raise UsageError("choice decoding needs at least one candidate.")

    def chat(self) -> ChatRequest:
        """The chat to send now."""
        request = self.request
        listed = "\n".join(f"{number}. {text}" for number, text in enumerate(request.candidates, 1))
        asked = (
            "Do not write your next message yourself: choose it from this list.\n"
            f"{listed}\n{self.complaint}Reply with the number only (1 to {len(request.candidates)})."
        )
        return ChatRequest(
            appended(request.messages, asked), _REPLY_TOKENS, request.temperature,
            seed=derive(request.seed, "number", self.attempt), trial=request.trial, role=request.role,
            episode=request.episode,
        )  # fmt: skip

    def read(self, reply: ChatReply) -> Choice | None:
        """The choice, or ``None`` if it has to be asked for again.

        Raises:
            UnusableReply: no number after all attempts, or a content filter took the reply. Never a guess.
        """
        self.attempt += 1
        self.usage = self.usage + reply.usage
        found = _NUMBER.fullmatch(reply.text)
        number = int(found[1]) if found else 0
        if 1 <= number <= len(self.request.candidates):
            return Choice(number - 1, (), self.usage)
        if reply.finish_reason == "content_filter":
            raise UnusableReply(f"a content filter of {self.name} took the reply away.")
        self.complaint = f"Your last reply, {reply.text[:80]!r}, was not one of the numbers.\n"
        if self.attempt >= ATTEMPTS:
            raise UnusableReply(
                f"{self.name} was asked {ATTEMPTS} times to choose by number and never did. "
                f"{self.complaint.strip()} Use mode='free', or a model that follows instructions."
            )
        return None
