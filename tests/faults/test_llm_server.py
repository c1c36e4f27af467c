"""A chat model behind a bad network: what is retried, what is not, and that the key is seen nowhere."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from email.utils import formatdate

import pytest

from dialog_envs.errors import ChatModelError, ModelUnavailable
from dialog_envs.simulators.llm import ChatRequest, ChoiceRequest, get_chat_model
from dialog_envs.simulators.llm.openai_compatible import (
    FatalModelError,
    OpenAICompatibleModel,
    RequestRefused,
)
from dialog_envs.simulators.llm.retry import RetryPolicy, retry_after
from tests.faults.chat_server import Answer, ChatServer, completion, error, serve

KEY = "sk-sentinel-4f7a91c2d8e3"
QUICK = RetryPolicy(attempts=6, first_wait=0.001, longest_wait=1.0)
FAULTS: dict[str, Callable[[], Answer]] = {
    "rate limit": lambda: Answer(429, error("slow down")),
    "rate limit with Retry-After": lambda: Answer(429, error("slow down"), {"retry-after": "0.01"}),
    "internal error": lambda: Answer(500, error("oops")),
    "bad gateway, as HTML": lambda: Answer(502, b"<html>Bad gateway</html>", {"content-type": "text/html"}),
    "overloaded": lambda: Answer(503, b""),
    "broken connection": lambda: Answer(drop=True),
    "truncated JSON": lambda: Answer(body=completion("hello")[:40]),
    "HTML": lambda: Answer(body=b"<html>hello</html>"),
    "a list": lambda: Answer(body=b"[1, 2]"),
    "no choices": lambda: Answer(body=completion("x", choices=[])),
    "null choices": lambda: Answer(body=completion("x", choices=None)),
    "null content": lambda: Answer(body=completion(None)),
    "a number as content": lambda: Answer(body=completion(7)),  # type: ignore[arg-type]
    "empty content": lambda: Answer(body=completion("  ")),
    "usage of a wrong type": lambda: Answer(body=completion("x", usage="many")),
    "too slow": lambda: Answer(delay=0.6),
}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def request(text: str = "hello", **fields: object) -> ChatRequest:
    return ChatRequest(({"role": "user", "content": text},), **fields)  # type: ignore[arg-type]


def model(server: ChatServer, **options: object) -> OpenAICompatibleModel:
    return OpenAICompatibleModel("stub", base_url=server.url, **{"retry": QUICK, "timeout": 0.3, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", FAULTS)
def test_what_may_pass_is_tried_again(fault: str) -> None:
    with serve(lambda number, _: FAULTS[fault]() if number < 2 else Answer()) as server:
        (reply,) = model(server).complete([request("good day")])
    assert reply.text == "good day"
    assert len(server.requests) == 3


@pytest.mark.parametrize("fault", ["internal error", "no choices", "broken connection"])
def test_it_ends_in_an_error_that_says_what_was_wrong(fault: str) -> None:
    with (
        serve(lambda *_: FAULTS[fault]()) as server,
        pytest.raises(ChatModelError, match=r"no usable reply in 6 tries") as caught,
    ):
        model(server).complete([request()])
    assert len(server.requests) == 6
    assert "again" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [
        (400, "invalid_request", "would fail again"),
        (401, "invalid_api_key", "Check the key"),
        (403, "forbidden", "rights"),
        (404, "model_not_found", "model's name"),
        (422, "unprocessable", "would fail again"),
        (429, "insufficient_quota", "would fail again"),
    ],
)
def test_what_would_fail_again_is_tried_once(status: int, code: str, hint: str) -> None:
    with (
        serve(lambda *_: Answer(status, error("refused", code))) as server,
        pytest.raises(ChatModelError, match=f"status {status}.*{hint}") as caught,
    ):
        model(server).complete([request()])
    assert len(server.requests) == 1
    assert type(caught.value) is (RequestRefused if status in (400, 422) else FatalModelError)


def test_a_wrong_key_ends_the_batch_at_once() -> None:
    with serve(lambda *_: Answer(401, error("wrong key"))) as server, pytest.raises(FatalModelError):
        model(server, max_in_flight=2).complete([request(str(i)) for i in range(50)])
    assert len(server.requests) < 10


def test_retry_after_is_waited_for() -> None:
    with serve(
        lambda number, _: Answer(429, b"{}", {"retry-after": "0.3"}) if number == 0 else Answer()
    ) as server:
        model(server).complete([request()])
    assert 0.3 <= server.times[1] - server.times[0] < 0.8


def test_retry_after_in_its_forms() -> None:
    assert retry_after({"retry-after": "2"}) == 2.0
    assert retry_after({"retry-after-ms": "1500"}) == 1.5
    assert retry_after({}) is None
    assert retry_after({"retry-after": "soon"}) is None
    later = retry_after({"retry-after": formatdate(time.time() + 10, usegmt=True)})
    assert later is not None and 8 <= later <= 10


def test_the_key_is_sent_but_seen_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    quoting = f"Incorrect API key provided: {KEY}. Also sk-senti********d8e3, Bearer {KEY}."
    for answer in (Answer(401, error(quoting)), Answer(500, error(quoting)), Answer(400, quoting.encode())):
        with serve(lambda *_, answer=answer: answer) as server, pytest.raises(ChatModelError) as caught:  # type: ignore[misc]
            model(server).complete([request()])
        assert server.headers[0]["authorization"] == f"Bearer {KEY}"
        shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(model(server))
        assert "sentinel" not in shown and "sk-senti" not in shown
    assert "sentinel" not in "".join(capsys.readouterr())


def test_a_password_in_the_address_is_not_shown() -> None:
    named = OpenAICompatibleModel("stub", base_url="http://me:secret@127.0.0.1:9/v1?token=secret")
    assert "secret" not in named.version + repr(named)


def test_no_key_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ModelUnavailable, match="OPENAI_API_KEY"):
        get_chat_model("openai:gpt-5-mini")


def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with serve(lambda *_: Answer()) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert get_chat_model("openai:stub").complete([request("hi")])[0].text == "hi"


def test_a_batch_is_in_flight_together_but_not_more_than_allowed() -> None:
    with serve(lambda *_: Answer(delay=0.05)) as server:
        replies = model(server, max_in_flight=8).complete([request(str(i)) for i in range(32)])
    assert [reply.text for reply in replies] == [str(i) for i in range(32)]
    assert 4 <= server.most_in_flight <= 8


def test_the_request_says_everything_that_shapes_the_reply() -> None:
    with serve(lambda *_: Answer()) as server:
        asked = request("hi", max_tokens=9, temperature=0.5, top_p=0.9, stop=("\n",), seed=2**40 + 5)
        model(server, extra={"top_p": None, "top_k": 3}).complete([asked])
    (sent,) = server.requests
    assert sent["messages"] == [{"role": "user", "content": "hi"}]
    assert (sent["model"], sent["max_tokens"], sent["temperature"], sent["stop"]) == ("stub", 9, 0.5, ["\n"])
    assert sent["seed"] == 5 and sent["top_k"] == 3 and "top_p" not in sent


def test_a_content_filter_is_a_result() -> None:
    with serve(lambda *_: Answer(body=completion(None, "content_filter"))) as server:
        (reply,) = model(server).complete([request()])
    assert (reply.text, reply.finish_reason) == ("", "content_filter")


def test_thoughts_are_not_said_and_cost_is_counted() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "cost": 0.25}
    with serve(lambda *_: Answer(body=completion("<think>hm\n</think> Hello.", usage=usage))) as server:
        (reply,) = model(server).complete([request()])
    assert (reply.text, reply.cost_usd, reply.usage.tokens_in) == ("Hello.", 0.25, 5)


def test_choice_by_number_is_read_strictly_and_asked_again() -> None:
    texts = ["I would say the second", '{"number": 7}', '{"number": 2}']
    with serve(lambda number, _: Answer(body=completion(texts[number]))) as server:
        asked = ChoiceRequest(({"role": "user", "content": "hi"},), ("one", "two", "three"), seed=3)
        (choice,) = model(server).choose([asked])
    assert (choice.index, choice.logprobs, choice.usage.tokens_in) == (1, (), 30)
    assert "1. one\n2. two\n3. three" in server.requests[0]["messages"][-1]["content"]
    assert server.requests[1]["response_format"]["type"] == "json_schema"
    assert "one of 1, 2, 3, not 7" in server.requests[2]["messages"][-1]["content"]


def test_a_model_that_never_names_a_number_is_an_error() -> None:
    with (
        serve(lambda *_: Answer(body=completion("maybe"))) as server,
        pytest.raises(ChatModelError, match="never did"),
    ):
        model(server).choose([ChoiceRequest(({"role": "user", "content": "hi"},), ("one", "two"))])
