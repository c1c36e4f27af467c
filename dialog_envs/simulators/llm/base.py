"""What a chat model is: requests, replies, and the protocol that every model follows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, TypedDict

from dialog_envs.errors import UnknownName, UsageError

__all__ = [
    "ChatModel",
    "ChatReply",
    "ChatRequest",
    "Choice",
    "ChoiceRequest",
    "Message",
    "UnknownModel",
    "Usage",
    "get_chat_model",
    "request_key",
]


class UnknownModel(UnknownName):
    """No chat model is named so."""

    kind = "chat model"


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
    """

    messages: tuple[Message, ...]
    max_tokens: int = 128
    temperature: float = 1.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ChoiceRequest:
    """A chat whose next message is one of `candidates`.

    Attributes:
        messages: the chat so far, oldest first.
        candidates: what may be said, each once.
        temperature: candidate i is drawn with probability proportional to exp(logprobs[i] / temperature);
            0 takes the likeliest.
        seed: seeds the numpy Generator that draws.
    """

    messages: tuple[Message, ...]
    candidates: tuple[str, ...]
    temperature: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What a model wrote.

    Attributes:
        text: the message, without special tokens and without the stop text.
        usage: tokens and cost of this reply.
        finish_reason: ``"stop"``, ``"length"`` or ``"content_filter"``.
        model: who wrote it, as the model or its server calls itself.
    """

    text: str
    usage: Usage
    finish_reason: str
    model: str

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


class ChatModel(Protocol):
    """Writes or chooses the next message of chats. Calls are synchronous and batched; results keep the order.

    Attributes:
        name: as :func:`get_chat_model` takes it.
        version: changes whenever the same request may give another reply (model, weights, number format).
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def complete(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        """Write a message for each chat.

        Raises:
            ChatModelError: a request got no usable reply, after all retries.
        """

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[Choice]:
        """Choose among candidates for each chat.

        Raises:
            ChatModelError: as for :meth:`complete`.
        """


def request_key(request: ChatRequest | ChoiceRequest, model: str, version: str) -> str:
    """A hash over everything that shapes the reply: the request, the model and its version."""
    content = {"kind": type(request).__name__, "model": model, "version": version, **asdict(request)}
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _embedded(argument: str, options: Mapping[str, Any]) -> ChatModel:
    from dialog_envs.simulators.llm.embedded import EmbeddedModel

    if argument:
        raise UsageError(f"chat model 'embedded' takes no argument, but was given '{argument}'.")
    return EmbeddedModel.shared(**options)


def _openai(argument: str, options: Mapping[str, Any]) -> ChatModel:
    from dialog_envs.simulators.llm.openai_compatible import OpenAICompatibleModel

    return OpenAICompatibleModel(argument, **options)


def _replay(argument: str, options: Mapping[str, Any]) -> ChatModel:
    from dialog_envs.simulators.llm.replay import ReplayModel

    return ReplayModel(argument, **options)


def _record(argument: str, options: Mapping[str, Any]) -> ChatModel:
    from dialog_envs.simulators.llm.replay import RecordingModel

    file, equals, inner = argument.partition("=")
    if not (file and equals and inner):
        raise UsageError(f"'record:{argument}' is incomplete: write record:FILE=MODEL.")
    return RecordingModel(file, get_chat_model(inner, **options))


_MODELS: dict[str, tuple[str, Callable[[str, Mapping[str, Any]], ChatModel]]] = {
    "embedded": ("embedded", _embedded),
    "openai": ("openai:MODEL", _openai),
    "replay": ("replay:FILE", _replay),
    "record": ("record:FILE=MODEL", _record),
}


def get_chat_model(spec: str, **options: Any) -> ChatModel:
    """The chat model that `spec` names (see :mod:`dialog_envs.simulators.llm`).

    Args:
        spec: for example ``"embedded"`` or ``"openai:gpt-5-mini"``.
        options: passed to the model's class, for example ``threads=2`` or ``base_url="http://localhost:8000/v1"``.

    Raises:
        UnknownModel: no such kind of model; the message lists what there is.
        UsageError: the part after the colon is missing or wrong.
        ModelUnavailable: the model, its engine or its key is not here; the message says how to get it.
    """
    head, _, argument = spec.partition(":")
    if head not in _MODELS:
        raise UnknownModel(spec, [form for form, _ in _MODELS.values()])
    form, make = _MODELS[head]
    if ":" in form and not argument:
        raise UsageError(f"chat model '{spec}' is incomplete: write {form}.")
    return make(argument, options)
