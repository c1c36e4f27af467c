"""A real server, llama.cpp's: free and structured replies, choices, and a recorded run that replays without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialog_envs.simulators.llm import (
    ChatReply,
    ChatRequest,
    ChoiceRequest,
    InFlight,
    Message,
    get_chat_model,
)

pytestmark = pytest.mark.embedded
SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string", "maxLength": 40}, "done": {"type": "boolean"}},
    "required": ["text", "done"],
    "additionalProperties": False,
}


def chat(*texts: str) -> tuple[Message, ...]:
    roles = ("user", "assistant")
    return tuple({"role": roles[i % 2], "content": text} for i, text in enumerate(texts))  # type: ignore[typeddict-item,misc]


@pytest.mark.parametrize("transport", ["sdk", "fast"])
def test_replies_and_choices(llama_server: str, transport: str) -> None:
    if transport == "fast":
        pytest.importorskip("orjson")
    model = get_chat_model(f"openai:smollm2?base_url={llama_server}&transport={transport}")
    asked = ChatRequest(chat("Name a fruit."), 12, 0.0, stop=("\n",))
    (reply,) = model.complete([asked])
    assert reply.text and reply.model == "smollm2" and reply.usage.tokens_out <= 12 and reply.cost_usd == 0
    (choice,) = model.choose([ChoiceRequest(chat("Which is a fruit?"), ("stone", "apple"), 0.5)])
    assert choice.index in (0, 1)


def test_structured_replies(llama_server: str) -> None:
    model = get_chat_model(f"openai:smollm2?base_url={llama_server}")
    asked = chat("You are a tourist who likes quiet places. Say what you want.")
    for reply in model.complete([ChatRequest(asked, 60, 0.8, seed=i, schema=SCHEMA) for i in range(2)]):
        assert set(reply.data) == {"text", "done"} and len(reply.data["text"]) <= 40


def _dialogues(spec: str) -> list[tuple[int, list[str]]]:
    """Three short dialogues with themselves, each going on as soon as its own reply has come."""
    model = get_chat_model(spec)
    flight: InFlight[int] = InFlight(model)
    texts = [[f"Hello, I am guest {i}."] for i in range(3)]

    def ask(i: int) -> None:
        schema = SCHEMA if len(texts[i]) == 3 else None
        request = ChatRequest(
            chat(*texts[i]), 40 if schema else 8, 0.9, seed=i, schema=schema, episode=str(i)
        )
        flight.ask(i, request)

    for i in range(3):
        ask(i)
    while flight:
        i, result = flight.wait(timeout=60)
        assert isinstance(result, ChatReply), result
        texts[i] += [result.text, "And then?"]
        if len(texts[i]) < 7:
            ask(i)
    return list(enumerate(texts))


def test_a_recorded_run_is_replayed_byte_for_byte_without_the_server(
    llama_server: str, tmp_path: Path
) -> None:
    file = tmp_path / "calls.sqlite"
    recorded = _dialogues(f"record:{file}=openai:smollm2?base_url={llama_server}")
    assert repr(_dialogues(f"replay:{file}")) == repr(recorded)
