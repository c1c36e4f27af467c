"""A thousand requests through a network in which three tries in ten meet a fault, over both transports."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from dialog_envs.errors import ChatModelError
from dialog_envs.simulators.llm import ChatReply, ChatRequest, InFlight, Request
from dialog_envs.simulators.llm.background import start
from dialog_envs.simulators.llm.openai_compatible import (
    FatalModelError,
    OpenAICompatibleModel,
    RequestRefused,
)
from dialog_envs.simulators.llm.retry import RetryPolicy
from tests.faults.fault_server import FATAL, FINE_AT_ONCE, PASSING, FaultServer, faulty

PATIENT = RetryPolicy(attempts=12, first_wait=0.005, longest_wait=0.2)


@pytest.fixture(params=["sdk", "fast"])
def transport(request: pytest.FixtureRequest) -> str:
    if request.param == "fast":
        pytest.importorskip("orjson")
        pytest.importorskip("aiohttp")
    return str(request.param)


def chat(text: str) -> ChatRequest:
    return ChatRequest(({"role": "user", "content": text},))


def model(server: FaultServer, transport: str, **options: object) -> OpenAICompatibleModel:
    settings: dict[str, object] = {"retry": PATIENT, "timeout": 1.5, "max_in_flight": 64, **options}
    return OpenAICompatibleModel("stub", base_url=server.url, transport=transport, **settings)  # type: ignore[arg-type]


def test_a_thousand_requests_through_thirty_percent_faults(transport: str) -> None:
    texts = [f"message {i}" for i in range(1000)]
    for at, what in enumerate((*FATAL, "content filter", "refusal", "filtered prompt")):
        for i in range(5):
            texts[at * 150 + i * 7 + 3] = f"always:{what} | {at} {i}"
    started = time.monotonic()
    with faulty(FaultServer(seed=5)) as server:
        asked = model(server, transport)
        endpoint = start(_endpoint(asked)).result(5)
        flight: InFlight[int] = InFlight(asked)
        for i, text in enumerate(texts):
            flight.ask(i, chat(text))
        results = dict(flight.wait(timeout=60) for _ in range(len(flight)))
    assert time.monotonic() - started < 60
    ordered = [results[i] for i in range(1000)]
    for text, result in zip(texts, ordered, strict=True):
        if text.startswith("always:4"):
            assert isinstance(result, RequestRefused)
            assert server.tries[text] == 1, "fatal errors are tried once"
        elif text.startswith("always:"):
            assert isinstance(result, ChatReply) and result.finish_reason == "content_filter"
            assert (result.text, server.tries[text]) == ("", 1)
        else:
            assert isinstance(result, ChatReply), result
            assert result.text == f"echo {text}", "everybody gets the reply to their own request"
            assert server.billed[text] == 1, f"nothing is billed twice: {server.history[text]}"
    assert server.peak <= 64 and endpoint.limit.peak <= 64, "the limit is never exceeded"
    assert {str(fault) for fault in server.injected} >= set(PASSING), "every fault took place"
    assert endpoint.limit.cuts > 0 and endpoint.limit.in_flight == 0


async def _endpoint(asked: OpenAICompatibleModel):  # type: ignore[no-untyped-def]
    return asked.endpoint()


@pytest.mark.parametrize("fault", sorted(set(PASSING) - FINE_AT_ONCE))
def test_a_fault_that_never_passes_ends_in_an_error_that_says_so(transport: str, fault: str) -> None:
    short = RetryPolicy(attempts=2, first_wait=0.001, longest_wait=0.05)
    with faulty(FaultServer()) as server:
        asked = model(server, transport, retry=short, timeout=0.2)
        with pytest.raises(
            ChatModelError, match=r"no usable reply in 2 tries; the last time: .+ Run the same"
        ):
            asked.complete([chat(f"always:{fault}")])
    assert server.tries[f"always:{fault}"] == 2


@pytest.mark.parametrize("fault", ["401", "402", "quota"])
def test_what_every_request_would_meet_stops_the_batch(transport: str, fault: str) -> None:
    requests: list[Request] = [chat(f"always:{fault} | {i}") for i in range(200)]
    with faulty(FaultServer()) as server:
        results = dict(model(server, transport, max_in_flight=4).each(requests))
    assert len(results) == 200 and all(isinstance(result, FatalModelError) for result in results.values())
    assert sum(server.tries.values()) <= 8, "what was not sent yet is not sent"


def test_nobody_listens(transport: str) -> None:
    with faulty(FaultServer()) as server:
        pass
    refused = model(server, transport, retry=RetryPolicy(attempts=2, first_wait=0.001))
    with pytest.raises(ChatModelError, match="2 tries"):
        refused.complete([chat("hello")])


def test_one_failed_request_costs_the_others_nothing(transport: str) -> None:
    texts = ["one", "always:400", "two", "always:500", "three"]
    short = RetryPolicy(attempts=2, first_wait=0.001)
    with faulty(FaultServer(share=0)) as server:
        asked = model(server, transport, retry=short)
        results = dict(asked.each([chat(text) for text in texts]))
        with pytest.raises(ChatModelError):
            asked.complete([chat(text) for text in texts])
    kinds = [type(results[i]).__name__ for i in range(5)]
    assert kinds == ["ChatReply", "RequestRefused", "ChatReply", "ChatModelError", "ChatReply"]


def test_the_limit_shrinks_when_pushed_back_and_grows_again(transport: str) -> None:
    with faulty(FaultServer(share=1.0, faults=("429",), delay=0.005)) as server:
        asked = model(server, transport, max_in_flight=32)
        limit = start(_endpoint(asked)).result(5).limit
        server.share = 0.5
        asked.complete([chat(str(i)) for i in range(100)])
        small = limit.now
        server.share = 0.0
        asked.complete([chat(f"again {i}") for i in range(700)])
    assert limit.cuts > 2 and small < 16
    assert limit.now > 1.5 * small and limit.peak <= 32


def test_a_late_second_copy_is_not_the_answer_to_the_next_request(transport: str) -> None:
    with faulty(FaultServer(share=0)) as server:
        asked = model(server, transport)
        for i in range(3):
            copy = f"always:delivered twice, late | {i}"
            assert asked.complete([chat(copy)])[0].text == f"echo {copy}"
            time.sleep(0.1)
            assert asked.complete([chat(f"next {i}")])[0].text == f"echo next {i}"


def test_a_copy_that_comes_while_the_next_request_waits_is_found_out(transport: str) -> None:
    with faulty(FaultServer(share=0, delay=0.1)) as server:
        asked = model(server, transport)
        for i in range(3):
            copy = f"always:delivered twice, much later | {i}"
            assert asked.complete([chat(copy)])[0].text == f"echo {copy}"
            time.sleep(0.03)
            replies = asked.complete([chat(f"next {i} {j}") for j in range(3)])
            assert [reply.text for reply in replies] == [f"echo next {i} {j}" for j in range(3)]


def test_connections_are_kept(transport: str) -> None:
    pytest.importorskip("aiohttp")
    with faulty(FaultServer(share=0, delay=0.02)) as server:
        for i in range(3):
            asked = model(server, transport, max_in_flight=4)  # one client an endpoint, whoever asks
            asked.complete([chat(f"{i} {j}") for j in range(40)])
        assert server.opened <= 24


def test_a_slot_is_refilled_at_once(transport: str) -> None:
    """No lock-step: while one request sleeps through its timeout, the others' dialogues go on."""
    with faulty(FaultServer(share=0)) as server:
        flight: InFlight[str] = InFlight(model(server, transport, timeout=1.0))
        flight.ask("slow", chat("always:read timeout"))
        flight.ask("quick", chat("turn 0"))
        turns: Counter[str] = Counter()
        for turn in range(1, 60):
            key, _ = flight.wait(timeout=10)
            turns[key] += 1
            flight.ask(key, chat(f"turn {turn}"))
        assert turns["quick"] >= 58
