"""OpenAI's chat completions as JSON: bodies of requests, readings of answers, and what an answer's status means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dialog_envs.core.text import whole
from dialog_envs.errors import ChatModelError
from dialog_envs.simulators.llm.base import ChatReply, ChatRequest, Usage
from dialog_envs.simulators.llm.prices import Price
from dialog_envs.simulators.llm.retry import NOTHING, Transient, retry_after
from dialog_envs.simulators.llm.thoughts import without_thoughts
from dialog_envs.simulators.llm.transport import Answer

RUNGS = ("json_schema", "json_object", "prompt")
"""How a structured reply is asked for, the surest way first. Many servers refuse the first, some the second."""
PUSHING_BACK = frozenset({408, 429, 503, 529})
PASSING = frozenset({408, 409, 425, 429})
NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_credits")
FILTERED = ("content_filter", "content_policy_violation")
HINTS = {
    401: "Check the key.",
    402: "Top the account up.",
    403: "Check the key's rights.",
    404: "Check the model's name and the address.",
}


class FatalModelError(ChatModelError):
    """A failure that every request would meet: a wrong key, an unknown model, an exhausted quota."""


class RequestRefused(ChatModelError):
    """The server refused this request: sent again, it would be refused again. Others may fare better.

    Attributes:
        status: the HTTP status.
        parameter: the field of the request that the server objects to, if it names one.
        usage: what it has taken all the same.
    """

    def __init__(self, message: str, status: int, parameter: str = "", usage: Usage = NOTHING) -> None:
        super().__init__(message)
        self.status = status
        self.parameter = parameter
        self.usage = usage


class Filtered(Exception):
    """A content filter took the request. No failure: a result of its own."""


def body(
    request: ChatRequest, model: str, rung: str, limit_name: str, extra_tokens: int, without: frozenset[str],
    extra: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """A request as JSON.

    Args:
        request: what is asked.
        model: the model's name at the server.
        rung: one of :data:`RUNGS`; without a schema it plays no part.
        limit_name: ``max_tokens`` or ``max_completion_tokens``.
        extra_tokens: room for thoughts, beside the reply's.
        without: fields that the server refuses.
        extra: fields of the user's own; ``None`` takes a field away.
    """
    fields: dict[str, Any] = {
        "model": model,
        "messages": [{**message, "content": whole(message["content"])} for message in request.messages],
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed & 0x7FFFFFFF,
        limit_name: request.max_tokens + extra_tokens,
    }
    if request.stop:
        fields["stop"] = request.stop
    if request.schema is not None and rung == "json_schema":
        named = {"name": "reply", "schema": request.schema, "strict": _is_strict(request.schema)}
        fields["response_format"] = {"type": "json_schema", "json_schema": named}
    elif request.schema is not None and rung == "json_object":
        fields["response_format"] = {"type": "json_object"}
    fields.update(extra)
    if without or None in extra.values():
        fields = {name: v for name, v in fields.items() if v is not None and name not in without}
    return fields


def _is_strict(schema: Mapping[str, Any]) -> bool:
    """Whether OpenAI's strict mode admits the schema: every object closed, and every property required."""
    properties = schema.get("properties", {})
    if schema.get("type") == "object" and not (
        schema.get("additionalProperties") is False and set(schema.get("required", ())) == set(properties)
    ):
        return False
    inner = [
        *properties.values(),
        *schema.get("anyOf", ()),
        *([schema["items"]] if "items" in schema else []),
    ]
    return all(_is_strict(one) for one in inner)


def read(answer: Answer, request: ChatRequest, model: str, price: Price | None) -> ChatReply:
    """The reply in an answer of status 200.

    Raises:
        Transient: it is no JSON, has no choices, no text, or another shape.
        RequestRefused: all its tokens went into thoughts.
    """
    try:
        data = json.loads(answer.content)
    except (ValueError, RecursionError):
        raise Transient("the reply is no JSON, or only a part of it") from None
    try:
        if "error" in data and not data.get("choices"):
            raise _error_inside(data["error"], answer)
        choice = data["choices"][0]
        message, reason = choice["message"], str(choice.get("finish_reason") or "stop")
        filtered = reason == "content_filter" or bool(message.get("refusal"))
        text = _text(message.get("content"), filtered)
        found = usage(data.get("usage") or {}, price)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise Transient(f"the reply makes no sense ({type(error).__name__})", answered=True) from None
    if reason == "error":
        raise Transient("the server broke off in the middle of the reply", answered=True, usage=found)
    text = _stopped(without_thoughts(text), request)
    if not text and not filtered:
        if reason == "length":
            raise RequestRefused(
                f"{model} used all {found.tokens_out or request.max_tokens} tokens without a word of reply, for "
                "thoughts perhaps: give it room with the option reasoning_tokens=4000, or let it think less with "
                'extra={"reasoning_effort":"low"}.', 200, usage=found,
            )  # fmt: skip
        raise Transient("the reply is empty", answered=True, usage=found)
    if filtered:
        reason = "content_filter"
    elif reason != "length":
        reason = "stop"
    return ChatReply(text, found, reason, str(data.get("model") or model))


def _text(content: Any, filtered: bool) -> str:
    """A message's text; some servers send it in parts.

    Raises:
        TypeError: it is none.
    """
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if part.get("type", "text") == "text")
    if content is None and filtered:
        return ""
    if not isinstance(content, str):
        raise TypeError(type(content).__name__)
    return whole(content)


def _stopped(text: str, request: ChatRequest) -> str:
    """Cut at the stop texts, for servers that do not know them (a reasoning model's stop at its thoughts)."""
    if request.schema is not None:
        return text
    ends = [text.index(stop) for stop in request.stop if stop in text]
    return text[: min(ends)].strip() if ends else text


def usage(data: Mapping[str, Any], price: Price | None) -> Usage:
    """Tokens, and the cost: as the server states it (OpenRouter does), or else by the price."""
    tokens_in, tokens_out = int(data.get("prompt_tokens") or 0), int(data.get("completion_tokens") or 0)
    cached = int((data.get("prompt_tokens_details") or {}).get("cached_tokens") or 0)
    if data.get("cost") is not None:
        return Usage(tokens_in, tokens_out, float(data["cost"]))
    return Usage(tokens_in, tokens_out, price.cost(tokens_in, tokens_out, cached) if price else 0.0)


def judge(answer: Answer, where: str) -> Exception:
    """What a status other than 200 means. The message is the server's and may quote secrets.

    Returns:
        Transient, FatalModelError, RequestRefused or Filtered.
    """
    try:
        told = json.loads(answer.content)
    except (ValueError, RecursionError):
        told = None
    error = told.get("error", told) if isinstance(told, dict) else None
    if not isinstance(error, dict):
        error = {"message": error if isinstance(error, str) else answer.content.decode("utf-8", "replace")}
    return _judge(answer.status, error, answer.headers, where)


def _judge(status: int, error: Mapping[str, Any], headers: Mapping[str, str], where: str) -> Exception:
    code = f"{error.get('code') or ''} {error.get('type') or ''}"
    reason = f"status {status}: {_first_line(str(error.get('message') or error.get('detail') or ''))}"
    if status == 402 or any(word in code for word in NO_MONEY):
        hint = "The account has no money left: top it up, and run the same command again."
        return FatalModelError(
            f"{where} refused: {reason}. {hint} The same request would fail again until then."
        )
    if status in PASSING or status >= 500:
        return Transient(reason, retry_after(headers), pushed_back=status in PUSHING_BACK)
    if status < 500 and any(word in code for word in FILTERED):
        return Filtered(reason)
    hint = HINTS.get(status, "The same request would fail again.")
    text = f"{where} refused: {reason}. {hint}"
    if status in HINTS or status < 400:
        return FatalModelError(text)
    return RequestRefused(text, status, str(error.get("param") or ""))


def _error_inside(error: Any, answer: Answer) -> Exception:
    """An error in an answer of status 200, as some gateways send it."""
    told = error if isinstance(error, dict) else {"message": str(error)}
    code = told.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    return _judge(status, told, answer.headers, "the gateway")


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")[:300]
