"""Asking for a reply of a schema: the words, the strict reading, and asking again with what was wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dialog_envs.core.seeding import derive
from dialog_envs.errors import ChatModelError
from dialog_envs.simulators.llm.base import ChatReply, ChatRequest, Message, Usage
from dialog_envs.simulators.llm.schema import NotTheSchema, check_schema, parse

ATTEMPTS = 4
"""How often a structured reply is asked for, the first time included."""


class UnusableReply(ChatModelError):
    """A model answered, and never with what was asked for.

    Attributes:
        usage: what its replies took: they are paid all the same.
    """

    def __init__(self, message: str, usage: Usage | None = None) -> None:
        super().__init__(message)
        self.usage = usage or Usage()


@dataclass(slots=True)
class Asking:
    """One request for a structured reply, until it is met or given up.

    Attributes:
        request: as the caller made it.
        attempt: how often it was asked already.
        usage: of all replies so far.
        last: the last reply's text.
        complaint: what was wrong with it.
    """

    request: ChatRequest
    attempt: int = 0
    usage: Usage = field(default_factory=Usage)
    last: str = ""
    complaint: str = ""

    def __post_init__(self) -> None:
        check_schema(self.schema)

    @property
    def schema(self) -> Mapping[str, Any]:
        """What the reply must meet."""
        return self.request.schema or {}

    @property
    def given_up(self) -> bool:
        """Whether it was asked often enough."""
        return self.attempt >= ATTEMPTS

    def chat(self, explain: bool) -> ChatRequest:
        """The chat to send now.

        Args:
            explain: put the schema into words; not needed where the server is told it in a field of its own.
        """
        messages = self.request.messages
        if explain:
            messages = appended(messages, explanation(self.schema))
        if self.complaint:
            again = (
                f"That cannot be used: {self.complaint}. Reply once more, with nothing but the JSON value."
            )
            said: Message = {"role": "assistant", "content": self.last[:2000] or "(nothing)"}
            messages = (*messages, said, {"role": "user", "content": again})
        seed = derive(self.request.seed, "again", self.attempt) if self.attempt else self.request.seed
        return replace(self.request, messages=messages, seed=seed, stop=())

    def read(self, reply: ChatReply) -> ChatReply | None:
        """The structured reply, or ``None`` if it has to be asked for again."""
        self.attempt += 1
        self.usage = self.usage + reply.usage
        self.last = reply.text
        if reply.finish_reason == "content_filter":
            return replace(reply, usage=self.usage)
        try:
            data = parse(reply.text, self.schema)
        except NotTheSchema as error:
            cut = reply.finish_reason == "length"
            limit = self.request.max_tokens
            self.complaint = f"it was cut off after {limit} tokens, so be shorter" if cut else str(error)
            return None
        return replace(reply, usage=self.usage, data=data)

    def failure(self, name: str) -> UnusableReply:
        """The error in which it ends."""
        return UnusableReply(
            f"{name} was asked {self.attempt} times for a reply of a given form and never gave one; the last time: "
            f"{self.complaint}. Use a model that follows instructions, or a larger max_tokens.",
            self.usage,
        )


def explanation(schema: Mapping[str, Any]) -> str:
    """The schema in words."""
    text = json.dumps(schema, ensure_ascii=False)
    return f"Reply with one JSON value and nothing else, no explanation and no code fence. Its JSON Schema:\n{text}"


def appended(messages: Sequence[Message], text: str) -> tuple[Message, ...]:
    """The chat with one more paragraph from the user's side: many chat templates refuse two user messages in a row.

    Args:
        messages: the chat.
        text: the paragraph; nothing changes nothing.
    """
    if not text:
        return tuple(messages)
    if messages and messages[-1]["role"] == "user":
        last: Message = {"role": "user", "content": f"{messages[-1]['content']}\n\n{text}"}
        return (*messages[:-1], last)
    return (*messages, {"role": "user", "content": text})
