"""Choosing by number, for models that can only write: the candidates as a numbered list, the reply read strictly."""

from __future__ import annotations

import re
from dataclasses import replace

from dialog_envs.errors import UsageError
from dialog_envs.simulators.llm.base import ChatReply, ChatRequest, Choice, ChoiceRequest, Usage
from dialog_envs.simulators.llm.structured import UnusableReply, appended

_NUMBER = re.compile(r"[\s\"'(\[*]*(\d{1,4})[\s\"')\].:*]*")
_TOKENS, _FORM_TOKENS = 16, 48


class NumberQuestion:
    """One choice: asked for as a bare number, and where that is not what comes, as a structured reply.

    The first is what every model understands and what costs least; the second, a server that knows schemas cannot get
    wrong.

    Args:
        request: the choice.
        name: of the model, for messages.

    Raises:
        UsageError: there is nothing to choose from.
    """

    def __init__(self, request: ChoiceRequest, name: str) -> None:
        if not request.candidates:
            raise UsageError("choice decoding needs at least one candidate.")
        self._request, self._name = request, name
        self._usage = Usage()

    def chat(self) -> ChatRequest:
        """Asks for the number."""
        return self._asked(f"Reply with the number only (1 to {len(self._request.candidates)}).")

    def form(self) -> ChatRequest:
        """Asks for the number as a structured reply."""
        known = list(range(1, len(self._request.candidates) + 1))
        schema = {
            "type": "object",
            "properties": {"number": {"type": "integer", "enum": known}},
            "required": ["number"],
            "additionalProperties": False,
        }
        asked = self._asked('Reply with its number, like {"number": 1}.')
        return replace(asked, max_tokens=_FORM_TOKENS, schema=schema)

    def _asked(self, how: str) -> ChatRequest:
        request = self._request
        listed = "\n".join(f"{number}. {text}" for number, text in enumerate(request.candidates, 1))
        text = f"Do not write your next message yourself: choose it from this list.\n{listed}\n{how}"
        return ChatRequest(
            appended(request.messages, text), _TOKENS, request.temperature, seed=request.seed, trial=request.trial,
            role=request.role, episode=request.episode,
        )  # fmt: skip

    def read(self, reply: ChatReply) -> Choice | None:
        """The choice in a reply to :meth:`chat` or :meth:`form`; ``None`` if there is none. Never a guess.

        Raises:
            UnusableReply: a content filter took the reply.
        """
        self._usage = self._usage + reply.usage
        if reply.data is not None:
            return Choice(reply.data["number"] - 1, (), self._usage)
        found = _NUMBER.fullmatch(reply.text)
        number = int(found[1]) if found else 0
        if 1 <= number <= len(self._request.candidates):
            return Choice(number - 1, (), self._usage)
        if reply.finish_reason == "content_filter":
            raise self.failure("a content filter took the reply away")
        return None

    def failure(self, reason: object) -> UnusableReply:
        """The error in which it ends."""
        return UnusableReply(
            f"{self._name} was asked to choose by number and never did: {reason} Use mode='free', or a model that "
            "follows instructions.",
            self._usage + (reason.usage if isinstance(reason, UnusableReply) else Usage()),
        )
