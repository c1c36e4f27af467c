"""Structured replies of local models, property by property: texts are written, everything else is chosen by score.

An object whose properties are strings, enums, booleans and small ranges of integers is filled in the order of its
properties; each sees what was filled before. Such a reply always meets its schema, also a 135 M model's. Other schemas
are explained in words and read strictly, as with a server that knows no schemas.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dialog_envs.core.seeding import derive
from dialog_envs.errors import ChatModelError
from dialog_envs.simulators.llm.base import ChatReply, ChatRequest, Choice, ChoiceRequest, Message, Usage
from dialog_envs.simulators.llm.calls import LocalModel
from dialog_envs.simulators.llm.schema import check_schema, problem
from dialog_envs.simulators.llm.structured import Asking, UnusableReply, appended

RANGE = 100
"""Most integers to choose from."""


@dataclass(slots=True)
class _Form:
    """An object in the making."""

    request: ChatRequest
    open: list[str]
    data: dict[str, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    finish_reason: str = "stop"
    options: list[Any] = field(default_factory=list)

    def question(self) -> ChatRequest | ChoiceRequest:
        """What is asked for the next property."""
        name = self.open[0]
        schema: Mapping[str, Any] = (self.request.schema or {})["properties"][name]
        what = schema.get("description") or name
        messages: tuple[Message, ...] = self.request.messages
        if self.data:
            so_far = json.dumps(self.data, ensure_ascii=False)
            messages = (*messages, {"role": "assistant", "content": so_far})
        messages = appended(messages, f"Reply with nothing but this ({name}): {what}")
        seed, request = derive(self.request.seed, "property", name), self.request
        self.options = _options(schema) or []
        if self.options:
            texts = tuple(one if isinstance(one, str) else json.dumps(one) for one in self.options)
            return ChoiceRequest(messages, texts, request.temperature, seed, request.trial, request.role)
        return ChatRequest(messages, request.max_tokens, request.temperature, request.top_p, ("\n",), seed)

    def read(self, answer: ChatReply | Choice) -> None:
        """Fill the property in."""
        self.usage = self.usage + answer.usage
        if isinstance(answer, Choice):
            self.data[self.open.pop(0)] = self.options[answer.index]
        else:
            self.data[self.open.pop(0)] = answer.text
            self.finish_reason = answer.finish_reason

    def reply(self, model: LocalModel) -> ChatReply | ChatModelError:
        """The filled form, if it meets its schema (a text may be too long for it)."""
        if wrong := problem(self.data, self.request.schema or {}):
            failure = f"{model.name} filled a form in, but {wrong}. Allow more, or ask for less."
            return UnusableReply(failure, self.usage)
        text = json.dumps(self.data, ensure_ascii=False)
        return ChatReply(text, self.usage, self.finish_reason, model.version, self.data)


def fill(model: LocalModel, requests: Sequence[ChatRequest]) -> list[ChatReply | ChatModelError]:
    """Structured replies, one a request: filled, or asked for in words where the schema is no simple form.

    Raises:
        UsageError: a schema cannot be checked.
        ChatTooLong: a chat is too long.
    """
    forms: dict[int, _Form] = {}
    askings: dict[int, Asking] = {}
    for index, request in enumerate(requests):
        check_schema(request.schema or {})
        names = _properties(request.schema or {})
        if names is None:
            askings[index] = Asking(request)
        else:
            forms[index] = _Form(request, names)
    while waiting := [form for form in forms.values() if form.open]:
        _round(model, waiting)
    ended: dict[int, ChatReply | ChatModelError] = {i: form.reply(model) for i, form in forms.items()}
    ended |= _ask_in_words(model, askings)
    return [ended[index] for index in range(len(requests))]


def _round(model: LocalModel, forms: Sequence[_Form]) -> None:
    """One property of each form."""
    questions = [(form, form.question()) for form in forms]
    choosing = [(form, q) for form, q in questions if isinstance(q, ChoiceRequest)]
    writing = [(form, q) for form, q in questions if isinstance(q, ChatRequest)]
    if choosing:
        for (form, _), choice in zip(choosing, model.choose_batch([q for _, q in choosing]), strict=True):
            form.read(choice)
    if writing:
        for (form, _), reply in zip(writing, model.write_batch([q for _, q in writing]), strict=True):
            form.read(reply)


def _ask_in_words(
    model: LocalModel, askings: Mapping[int, Asking]
) -> Mapping[int, ChatReply | ChatModelError]:
    ended: dict[int, ChatReply | ChatModelError] = {}
    while waiting := {index: asking for index, asking in askings.items() if index not in ended}:
        replies = model.write_batch([asking.chat(explain=True) for asking in waiting.values()])
        for (index, asking), reply in zip(waiting.items(), replies, strict=True):
            if (read := asking.read(reply)) is not None:
                ended[index] = read
            elif asking.given_up:
                ended[index] = asking.failure(model.name)
    return ended


def _properties(schema: Mapping[str, Any]) -> list[str] | None:
    """The properties of a simple form in their order, or ``None`` if it is none."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    if schema.get("type") != "object" or not properties or "anyOf" in schema:
        return None
    simple = all(inner.get("type") == "string" or _options(inner) for inner in properties.values())
    return list(properties) if simple else None


def _options(schema: Mapping[str, Any]) -> list[Any] | None:
    """What there is to choose from, if it can be listed."""
    if "const" in schema:
        return [schema["const"]]
    if "enum" in schema:
        return list(schema["enum"])
    if schema.get("type") == "boolean":
        return [True, False]
    if schema.get("type") == "integer" and {"minimum", "maximum"} <= schema.keys():
        values = list(range(int(schema["minimum"]), int(schema["maximum"]) + 1))
        return values if 0 < len(values) <= RANGE else None
    return None
