"""Chat models by name, drawing, and what makes two requests the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from dialog_envs.errors import ChatModelError, UsageError
from dialog_envs.simulators.llm import (
    ChatReply,
    ChatRequest,
    Choice,
    ChoiceRequest,
    InFlight,
    Request,
    UnknownModel,
    Usage,
    get_chat_model,
)
from dialog_envs.simulators.llm.base import request_key
from dialog_envs.simulators.llm.calls import LocalModel
from dialog_envs.simulators.llm.sampling import draw
from dialog_envs.simulators.llm.spec import Spec, UnknownOption, parse_spec
from dialog_envs.simulators.llm.token_tree import TokenTree


def test_unknown_models_are_refused_with_what_there_is() -> None:
    with pytest.raises(UnknownModel, match=r"embeded.*Did you mean 'embedded'"):
        get_chat_model("embeded")
    for incomplete in ("openai:", "openai", "replay:", "record:file.jsonl", "record:=embedded"):
        with pytest.raises(UsageError, match="incomplete"):
            get_chat_model(incomplete)
    with pytest.raises(UsageError, match="no argument"):
        get_chat_model("embedded:large")


def test_the_key_of_a_request_holds_all_that_shapes_the_reply() -> None:
    base = ChatRequest(({"role": "user", "content": "hi"},))
    variants = [
        base,
        replace(base, messages=({"role": "user", "content": "ho"},)),
        replace(base, messages=({"role": "system", "content": "hi"},)),
        replace(base, max_tokens=5),
        replace(base, temperature=0.5),
        replace(base, top_p=0.5),
        replace(base, stop=("\n",)),
        replace(base, seed=1),
        replace(base, trial=1),
        replace(base, schema={"type": "object"}),
        ChoiceRequest(base.messages, ("a", "b")),
        ChoiceRequest(base.messages, ("b", "a")),
    ]
    keys = [request_key(request, "m", "1") for request in variants]
    assert len({*keys, request_key(base, "m", "2"), request_key(base, "n", "1")}) == len(keys) + 2
    assert request_key(replace(base, role="user", episode="7"), "m", "1") == keys[0]


def test_options_stand_behind_a_question_mark() -> None:
    spec = parse_spec("openai:org/model:free?base_url=http://h:1/v1%3Fa%3Db%26c&transport=fast")
    assert (spec.kind, spec.argument) == ("openai", "org/model:free")
    assert spec.options == {"base_url": "http://h:1/v1?a=b&c", "transport": "fast"}
    assert parse_spec("replay:what?.sqlite") == Spec("replay", "what?.sqlite", {})
    assert parse_spec("embedded?threads=2") == Spec("embedded", "", {"threads": "2"})
    with pytest.raises(UsageError, match="given twice"):
        parse_spec("openai:m?timeout=1&timeout=2")


def test_options_are_read_and_checked() -> None:
    model = get_chat_model(
        'openai:m?base_url=http://localhost:1/v1&timeout=5&max_in_flight=3&extra={"top_k":5,"stop":null}'
    )
    assert model.name == "openai:m" and "top_k=5" in model.version
    with pytest.raises(UnknownOption, match="Did you mean 'timeout'"):
        get_chat_model("openai:m?timeuot=5")
    for wrong in ("timeout=soon", "extra=[1]", "transport=pigeon", "max_in_flight=0", "base_url=here"):
        local = "" if wrong.startswith("base_url") else "&base_url=http://localhost:1/v1"
        with pytest.raises(UsageError, match=wrong.partition("=")[0].replace("base_url", "address")):
            get_chat_model(f"openai:m?{wrong}{local}")
    nested = get_chat_model("openai:m", base_url="http://localhost:1/v1", timeout=5.0)
    assert nested.version == "m at http://localhost:1/v1"


class Echo(LocalModel):
    """Answers with the last message, in batches."""

    name, version = "echo", "1"

    def __init__(self) -> None:
        self.batches: list[int] = []

    def write_batch(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        self.batches.append(len(requests))
        if any(request.messages[-1]["content"] == "fail" for request in requests):
            raise ChatModelError("no")
        return [ChatReply(r.messages[-1]["content"], Usage(1, 1), "stop", "echo") for r in requests]

    def choose_batch(self, requests: Sequence[ChoiceRequest]) -> list[Choice]:
        return [Choice(len(request.candidates) - 1, (), Usage(1, 1)) for request in requests]


def chat(text: str, **fields: object) -> ChatRequest:
    return ChatRequest(({"role": "user", "content": text},), **fields)  # type: ignore[arg-type]


def test_a_local_model_computes_what_has_come_together() -> None:
    model = Echo()
    flight: InFlight[str] = InFlight(model)
    for name in "abcd":
        flight.ask(name, chat(f"{name} 0"))
    seen: list[str] = []
    while flight:
        name, result = flight.wait()
        assert isinstance(result, ChatReply)
        seen.append(result.text)
        if result.text.endswith("0"):
            flight.ask(name, chat(f"{name} 1"))
    assert sorted(seen) == sorted(f"{name} {turn}" for name in "abcd" for turn in (0, 1))
    assert model.batches == [4, 4]
    with pytest.raises(LookupError, match="ask"):
        flight.wait()


def test_one_failure_in_a_local_batch_is_its_own() -> None:
    requests: list[Request] = [
        chat("a"),
        chat("fail"),
        ChoiceRequest(chat("x").messages, ("a", "b")),
        chat("b"),
    ]
    ended = dict(Echo().each(requests))
    assert isinstance(ended[1], ChatModelError)
    assert [ended[i].text for i in (0, 3)] == ["a", "b"]  # type: ignore[union-attr]
    assert ended[2] == Choice(1, (), Usage(1, 1))
    with pytest.raises(ChatModelError, match="no"):
        Echo().complete([chat("a"), chat("fail")])


def test_a_form_is_filled_property_by_property() -> None:
    schema = {
        "type": "object",
        "properties": {
            "text": {"type": "string", "description": "what you say"},
            "act": {"enum": ["ask", "tell"]},
            "mood": {"type": "integer", "minimum": 1, "maximum": 3},
            "done": {"type": "boolean"},
        },
        "required": ["text", "act", "mood", "done"],
    }
    (reply,) = Echo().complete([chat("hi", schema=schema)])
    asked = "hi\n\nReply with nothing but this (text): what you say"
    assert reply.data == {"text": asked, "act": "tell", "mood": 3, "done": False}
    assert reply.usage == Usage(4, 4) and reply.text.startswith('{"text": "hi')
    short = {"type": "object", "properties": {"text": {"type": "string", "maxLength": 3}}}
    with pytest.raises(ChatModelError, match="too long"):
        Echo().complete([chat("hi", schema=short)])


def test_usage_adds_up() -> None:
    assert Usage(1, 2, 0.5) + Usage(3, 4, 0.25) == Usage(4, 6, 0.75)


def test_draw_follows_the_probabilities() -> None:
    rng = np.random.default_rng(0)
    logits = np.log(np.array([0.5, 0.3, 0.2]))
    drawn = np.bincount([draw(logits, 1.0, rng) for _ in range(4000)], minlength=3) / 4000
    assert np.allclose(drawn, [0.5, 0.3, 0.2], atol=0.03)
    assert {draw(logits, 0.0, rng) for _ in range(9)} == {0}
    assert {draw(logits, 1.0, rng, top_p=0.75) for _ in range(200)} == {0, 1}
    assert {draw(logits, 0.01, rng) for _ in range(50)} == {0}


def test_a_token_tree_shares_beginnings() -> None:
    tree = TokenTree.build((8, 9), [(1, 2, 0), (1, 3, 0), (1, 0), (4, 0)])
    assert tree.tokens == (8, 9, 1, 2, 3, 4)
    assert tree.parents == (-1, 0, 1, 2, 2, 1)
    scores = {
        (0, 1): -1.0,
        (1, 2): -2.0,
        (1, 3): -3.0,
        (2, 0): -0.5,
        (3, 0): -0.25,
        (1, 0): -4.0,
        (0, 4): -5.0,
        (4, 0): -1.0,
    }
    values = np.array([scores[edge] for edge in zip(tree.edge_rows, tree.edge_tokens, strict=True)])
    assert np.allclose(tree.means(values), [-3.5 / 3, -4.25 / 3, -2.5, -3.0])
