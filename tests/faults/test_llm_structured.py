"""Structured replies: down the ladder where a server refuses, asked again with what was wrong, never guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dialog_envs.errors import ChatModelError, UsageError
from dialog_envs.simulators.llm import ChatRequest
from dialog_envs.simulators.llm.openai_compatible import OpenAICompatibleModel, RequestRefused
from dialog_envs.simulators.llm.retry import RetryPolicy
from tests.faults.chat_server import Answer, ChatServer, completion, error, serve

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "act": {"enum": ["ask", "tell"]}, "done": {"type": "boolean"}},
    "required": ["text", "act", "done"],
    "additionalProperties": False,
}
GOOD = json.dumps({"text": "Hello.", "act": "tell", "done": False})


def ask(**fields: Any) -> ChatRequest:
    return ChatRequest(({"role": "user", "content": "hi"},), schema=SCHEMA, **fields)


def model(server: ChatServer, **options: Any) -> OpenAICompatibleModel:
    quick = RetryPolicy(attempts=3, first_wait=0.001)
    return OpenAICompatibleModel("stub", base_url=server.url, retry=quick, timeout=5.0, **options)


def form(request: dict[str, Any]) -> str:
    return str(request.get("response_format", {}).get("type", "prompt"))


@pytest.mark.parametrize(
    ("refused", "tried"),
    [
        ((), ["json_schema"]),
        (("json_schema",), ["json_schema", "json_object"]),
        (("json_schema", "json_object"), ["json_schema", "json_object", "prompt"]),
    ],
)
def test_down_the_ladder_once_for_all(refused: tuple[str, ...], tried: list[str]) -> None:
    def behave(_: int, request: dict[str, Any]) -> Answer:
        if form(request) in refused:
            return Answer(400, error(f"response_format {form(request)} is not supported"))
        return Answer(body=completion(GOOD))

    with serve(behave) as server:
        asked = model(server)
        for _ in range(3):
            assert asked.complete([ask()])[0].data == json.loads(GOOD)
    assert [form(request) for request in server.requests] == [*tried, tried[-1], tried[-1]]
    last = server.requests[-1]["messages"][-1]["content"]
    assert ("JSON Schema" in last) == (tried[-1] != "json_schema")


def test_a_reply_that_does_not_parse_is_asked_for_again_with_what_was_wrong() -> None:
    bad = [
        "Sure! Here it is: " + GOOD,
        '{"text": "Hi", "act": "sing", "done": false}',
        f"```json\n{GOOD}\n```",
    ]
    with serve(lambda number, _: Answer(body=completion(bad[number]))) as server:
        (reply,) = model(server).complete([ask()])
    assert reply.data == json.loads(GOOD) and reply.usage.tokens_in == 30
    complaints = [request["messages"][-1]["content"] for request in server.requests[1:]]
    assert "not one JSON value" in complaints[0] and '"ask", "tell"' in complaints[1]
    assert server.requests[1]["messages"][-2] == {"role": "assistant", "content": bad[0]}
    assert len({request["seed"] for request in server.requests}) == 3


def test_it_ends_in_an_error_never_in_a_guess() -> None:
    with (
        serve(lambda *_: Answer(body=completion("I'd rather not."))) as server,
        pytest.raises(ChatModelError, match=r"asked 4 times .* not one JSON value"),
    ):
        model(server).complete([ask()])
    assert len(server.requests) == 4


def test_a_server_that_accepts_a_form_and_ignores_it_is_found_out() -> None:
    def behave(_: int, request: dict[str, Any]) -> Answer:
        return Answer(body=completion(GOOD if form(request) == "prompt" else "no idea"))

    with serve(behave) as server:
        asked = model(server)
        for _ in range(8):
            assert asked.complete([ask()])[0].data["act"] == "tell"
    assert [form(request) for request in server.requests[-2:]] == ["prompt", "prompt"]


def test_a_bad_request_is_the_requests_own_once_a_form_is_known_to_work() -> None:
    bodies = [Answer(body=completion(GOOD)), Answer(400, error("too many tokens"))]
    with serve(lambda number, _: bodies[number]) as server:
        asked = model(server)
        asked.complete([ask()])
        with pytest.raises(RequestRefused, match="too many tokens"):
            asked.complete([ask()])
    assert len(server.requests) == 2


def test_a_reply_that_was_cut_off_is_asked_to_be_shorter() -> None:
    bodies = [completion(GOOD[:20], "length"), completion(GOOD)]
    with serve(lambda number, _: Answer(body=bodies[number])) as server:
        model(server).complete([ask(max_tokens=9)])
    assert "cut off after 9 tokens" in server.requests[1]["messages"][-1]["content"]
    assert form(server.requests[1]) == "json_schema"


def test_a_refusal_is_a_content_filter() -> None:
    message = {"role": "assistant", "content": None, "refusal": "No."}
    body = completion("", choices=[{"index": 0, "finish_reason": "stop", "message": message}])
    with serve(lambda *_: Answer(body=body)) as server:
        (reply,) = model(server).complete([ask()])
    assert (reply.finish_reason, reply.data, reply.text) == ("content_filter", None, "")


def test_what_a_model_does_not_take_is_left_out_from_then_on(caplog: pytest.LogCaptureFixture) -> None:
    """Reasoning models refuse temperatures and the old name of the limit, in these words."""

    def behave(_: int, request: dict[str, Any]) -> Answer:
        if "max_tokens" in request:
            told = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'."
            return Answer(400, json.dumps({"error": {"message": told, "param": "max_tokens"}}).encode())
        if "temperature" in request:
            told = "Unsupported value: 'temperature' does not support 0.5 with this model."
            return Answer(400, json.dumps({"error": {"message": told, "param": "temperature"}}).encode())
        return Answer()

    plain = ChatRequest(({"role": "user", "content": "hi"},), temperature=0.5)
    with serve(behave) as server:
        asked = model(server)
        assert [reply.text for _ in range(2) for reply in asked.complete([plain])] == ["hi", "hi"]
    assert len(server.requests) == 4
    assert server.requests[-1]["max_completion_tokens"] == 128
    assert "temperature" in caplog.text and "left out" in caplog.text


def test_a_schema_that_cannot_be_checked_is_refused() -> None:
    request = ChatRequest(({"role": "user", "content": "hi"},), schema={"type": "string", "pattern": "^a"})
    with serve(lambda *_: Answer()) as server, pytest.raises(UsageError, match="uses pattern"):
        model(server).complete([request])


def test_thoughts_are_taken_out_of_structured_replies_too() -> None:
    with serve(lambda *_: Answer(body=completion(f"<think>{{}}</think>\n{GOOD}"))) as server:
        assert model(server).complete([ask()])[0].data["text"] == "Hello."


def test_room_for_thoughts_is_asked_for_and_its_lack_explained() -> None:
    plain = ChatRequest(({"role": "user", "content": "hi"},), max_tokens=10)
    bodies = [completion("<think>so much", "length"), completion("<think>so</think> much")]
    with serve(lambda number, _: Answer(body=bodies[number])) as server:
        with pytest.raises(ChatModelError, match="reasoning_tokens"):
            model(server).complete([plain])
        assert model(server, reasoning_tokens=90).complete([plain])[0].text == "much"
    assert [request["max_tokens"] for request in server.requests] == [10, 100]
