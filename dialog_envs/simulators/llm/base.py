"""What a chat model is: requests, replies, and the protocol that every model follows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, TypedDict

from dialog_envs.errors import BudgetExceeded, ChatModelError

__all__ = [
    "CallFailure",
    "ChatModel",
    "ChatReply",
    "ChatRequest",
    "Choice",
    "ChoiceRequest",
    "Message",
    "Request",
    "Result",
    "Role",
    "Usage",
    "request_key",
]

Role: TypeAlias = Literal["agent", "user", "judge", "critic", "imagination"]
"""On whose account a call goes: the agent under test, the simulated user, who reads the dialogue afterwards, or who
makes up personas and whole dialogues."""


class Message(TypedDict):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What calls took.

    Attributes:
        tokens_in: tokens read.
        tokens_out: tokens written.
        cost_usd: price in US dollars, 0 for local models and unknown prices.
    """

    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.tokens_in + self.tokens_out

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.cost_usd + other.cost_usd,
        )

    def __sub__(self, other: Usage) -> Usage:
        return Usage(
            self.tokens_in - other.tokens_in,
            self.tokens_out - other.tokens_out,
            self.cost_usd - other.cost_usd,
        )


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat that wants the next message written.

    Attributes:
        messages: the chat so far, oldest first.
        max_tokens: most tokens to write.
        temperature: 0 takes the likeliest token each time.
        top_p: sample only from the smallest set of tokens with this much probability.
        stop: texts at which writing stops; the reply does not hold them.
        seed: the source of all chance. Local models keep to it exactly, servers as well as they can.
        schema: the reply shall be one JSON value that this JSON Schema admits, as :attr:`ChatReply.data`
            (:mod:`dialog_envs.simulators.llm.structured` says which keywords there are). A reply that does not is
            asked for again with what was wrong, and is an error in the end, never a guess.
        trial: which try of the same request this is, for callers that want another reply to the same words: caches and
            recordings tell trials apart.
        role: on whose account the call goes. Shapes no reply.
        episode: to which episode it belongs, in the caller's own words. Shapes no reply.
    """

    messages: tuple[Message, ...]
    max_tokens: int = 128
    temperature: float = 1.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0
    schema: Mapping[str, Any] | None = None
    trial: int = 0
    role: Role = "agent"
    episode: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceRequest:
    """A chat whose next message is one of `candidates`.

    Attributes:
        messages: the chat so far, oldest first.
        candidates: what may be said, each once.
        temperature: candidate i is drawn with probability proportional to exp(logprobs[i] / temperature);
            0 takes the likeliest.
        seed: seeds the numpy Generator that draws.
        trial, role, episode: as in :class:`ChatRequest`.
    """

    messages: tuple[Message, ...]
    candidates: tuple[str, ...]
    temperature: float = 1.0
    seed: int = 0
    trial: int = 0
    role: Role = "agent"
    episode: str = ""


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What a model wrote.

    Attributes:
        text: the message, without special tokens, the stop text, or what a reasoning model thought before.
        usage: tokens and cost of this reply, of asking for it again included.
        finish_reason: ``"stop"``, ``"length"``, or ``"content_filter"``: a filter took the text away or the model
            refused, and `text` is empty or what the filter left of it. Such a reply is never stored.
        model: who wrote it, as the model or its server calls itself.
        data: the JSON value, if the request has a schema (``None`` if a content filter took it away).
    """

    text: str
    usage: Usage
    finish_reason: str
    model: str
    data: Any = None

    @property
    def cost_usd(self) -> float:
        """Price in US dollars."""
        return self.usage.cost_usd


@dataclass(frozen=True, slots=True)
class Choice:
    """Which candidate a model chose.

    Attributes:
        index: into the request's candidates.
        logprobs: each candidate's mean log-probability a token (natural logarithm; its end counts as a token), which
            is what "length-normalised" means here. Empty where a model cannot tell: a server that only wrote a number.
        usage: tokens and cost of this choice.
    """

    index: int
    logprobs: tuple[float, ...]
    usage: Usage


Request: TypeAlias = ChatRequest | ChoiceRequest
CallFailure: TypeAlias = ChatModelError | BudgetExceeded
"""Why one request got no reply: no usable one after all tries, or no money left for it."""
Result: TypeAlias = ChatReply | Choice | ChatModelError | BudgetExceeded
"""How one request ended."""


class ChatModel(Protocol):
    """Writes or chooses the next message of chats.

    Calls are synchronous and batched; inside, the requests of all callers are in flight together where the model is a
    server. Every model may be used from many threads. Implementations subclass
    :class:`dialog_envs.simulators.llm.calls.ChatModelBase` and write :meth:`each` only.

    Attributes:
        name: as :func:`dialog_envs.simulators.llm.get_chat_model` takes it, without options.
        version: changes whenever the same request may give another reply (model, weights, number format, server).
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def complete(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        """Write a message for each chat, in the order of `requests`.

        Raises:
            ChatModelError: a request got no usable reply, after all retries: the first such one, once all have ended.
            BudgetExceeded: there was no money left for a request.
        """

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[Choice]:
        """Choose among candidates for each chat, in the order of `requests`.

        Raises:
            ChatModelError, BudgetExceeded: as for :meth:`complete`.
        """

    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        """How each request ends, as soon as it does: ``(index into requests, reply, choice or error)``.

        One failed request costs the others nothing. Errors are handed over, not raised.
        """

    def submit(self, request: Request) -> Future[Result] | None:
        """Start one request and come back at once.

        Returns:
            what will be its result (a failure too is a result, not an exception); ``None`` from a model that has
            nothing to gain from it, because it computes batches in this process: use :meth:`each`.
        """


def request_key(request: Request, model: str, version: str) -> str:
    """A hash over everything that shapes the reply: the request with its trial number, the model and its version."""
    parts = [type(request).__name__, model, version, repr((request.temperature, request.seed, request.trial))]
    if isinstance(request, ChatRequest):
        schema = "" if request.schema is None else json.dumps(request.schema, sort_keys=True)
        parts += [repr((request.max_tokens, request.top_p)), schema, str(len(request.stop)), *request.stop]
    else:
        parts += [str(len(request.candidates)), *request.candidates]
    for message in request.messages:
        parts += (message["role"], message["content"])
    # Each part after its length, so that no two lists of parts give one text; JSON would take three times as long.
    text = "".join([f"{len(part)}:{part}" for part in parts])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
