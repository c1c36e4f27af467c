"""How many turns a second go through a chat model's endpoint, and out of its recordings.

A server on loopback, in a process of its own, answers every request (10 messages, 4 KB) after 50 ms. So many dialogues
as are in flight wait for a reply each, and ask again at once; ideal is their number divided by the 50 ms. Everything
that an ordinary call goes through is counted: limit, retries, reading, cost. For comparison, the same with a client
made a call.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dialog_envs.errors import ChatModelError
from dialog_envs.simulators.llm.base import ChatModel, ChatReply, ChatRequest, Message, Request, Usage
from dialog_envs.simulators.llm.calls import InFlight

DELAY = 0.05
IN_FLIGHT = (64, 256)
_WORDS = "I would rather go somewhere quiet where one can sit down. " * 7


def requests() -> Iterator[ChatRequest]:
    """Chats of 10 messages and 4 KB, no two alike."""
    roles = ("assistant", "user")
    said: list[Message] = [{"role": "system", "content": f"You are a traveller. {_WORDS[:380]}"}]
    said += [{"role": roles[i % 2], "content": f"{i}. {_WORDS[:390]}"} for i in range(8)]  # type: ignore[typeddict-item]
    for number in itertools.count():
        yield ChatRequest((*said, {"role": "user", "content": f"{number}. {_WORDS[:380]}"}), seed=number)


@contextmanager
def loopback(delay: float = DELAY, texts: Sequence[str] = ()) -> Iterator[str]:
    """The server's address. It says ``texts`` by turns, or something of its own."""
    command = [sys.executable, "-m", "dialog_envs.benchmarks.speed.loopback", str(delay)]
    command += texts
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        finally:
            process.stdin.close()


def through(model: ChatModel, in_flight: int, seconds: float) -> float:
    """Turns a second with so many dialogues waiting, after everyone has had one turn.

    Raises:
        ChatModelError: a call failed.
    """
    asked, flight = requests(), InFlight[int](model)

    def one() -> None:
        who, result = flight.wait(timeout=60)
        if not isinstance(result, ChatReply):
            raise ChatModelError(f"the loopback server's reply was no use: {result}")
        flight.ask(who, next(asked))

    for who in range(in_flight):
        flight.ask(who, next(asked))
    for _ in range(2 * in_flight):
        one()
    begin, turns = time.perf_counter(), 0
    while (passed := time.perf_counter() - begin) < seconds:
        one()
        turns += 1
    while flight:
        flight.wait(timeout=60)
    return turns / passed


def client_per_call(url: str, seconds: float) -> float:
    """Turns a second with one SDK client made a call, as code without a shared client does it; 64 in flight."""
    import asyncio

    import openai

    async def worker(asked: Iterator[ChatRequest], until: float) -> int:
        turns = 0
        while time.perf_counter() < until:
            async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0) as client:
                messages: Any = list(next(asked).messages)
                await client.chat.completions.create(model="loopback", messages=messages)
            turns += 1
        return turns

    async def run() -> float:
        asked, begin = requests(), time.perf_counter()
        turns = await asyncio.gather(*(worker(asked, begin + seconds) for _ in range(64)))
        return sum(turns) / (time.perf_counter() - begin)

    return asyncio.run(run())


def replay(seconds: float, turns: int = 4000) -> dict[str, float]:
    """Turns a second out of a recording, one at a time and 64 dialogues in flight."""
    from dialog_envs.simulators.llm.replay import ReplayModel
    from dialog_envs.simulators.llm.store import ReplyStore

    model, asked = "openai:loopback", list(itertools.islice(requests(), turns))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "recording.sqlite"
        store = ReplyStore(file)
        store.add_model(model, "1")
        _fill(store, model, asked)
        played = ReplayModel(file)
        rates: dict[str, list[float]] = {"one at a time": [], "64 in flight": []}
        until = time.perf_counter() + seconds
        while not rates["one at a time"] or time.perf_counter() < until:
            begin = time.perf_counter()
            for request in asked:
                played.complete([request])
            middle = time.perf_counter()
            flight: InFlight[int] = InFlight(played)
            for who, request in enumerate(asked):
                if len(flight) == 64:
                    flight.wait()
                flight.ask(who, request)
            while flight:
                flight.wait()
            rates["one at a time"].append(turns / (middle - begin))
            rates["64 in flight"].append(turns / (time.perf_counter() - middle))
        played.close()
        store.close()
    return {how: sorted(found)[len(found) // 2] for how, found in rates.items()}


def _fill(store: Any, model: str, asked: list[ChatRequest]) -> None:
    from dialog_envs.simulators.llm.base import request_key

    reply = ChatReply(_WORDS[:200], Usage(1000, 40, 0.00033), "stop", "loopback")
    request: Request
    for request in asked:
        store.put(request_key(request, model, "1"), "1", request, reply)


def measure(seconds: float) -> dict[str, Any]:
    """Everything that the command prints."""
    from dialog_envs.simulators.llm.openai_compatible import OpenAICompatibleModel

    fast = all(importlib.util.find_spec(name) for name in ("aiohttp", "orjson"))
    rows: list[dict[str, Any]] = []
    with loopback() as url:
        for transport in ("sdk", "fast") if fast else ("sdk",):
            for in_flight in IN_FLIGHT:
                model = OpenAICompatibleModel(
                    "loopback", base_url=url, transport=transport, max_in_flight=in_flight
                )
                rate, ideal = through(model, in_flight, seconds), in_flight / DELAY
                rows.append(
                    {"transport": transport, "in_flight": in_flight, "turns_per_second": rate, "ideal": ideal}
                )
        per_call = client_per_call(url, seconds)
    return {
        "endpoint": rows,
        "client_per_call": per_call,
        "replay": replay(seconds),
        "fast_installed": fast,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "cores": os.cpu_count(),
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement, about")
    parser.add_argument("--json", action="store_true")


def run_command(options: argparse.Namespace) -> None:
    """Measure, and print."""
    result = measure(options.seconds)
    if options.json:
        print(json.dumps(result))
        return
    print(
        f"{DELAY * 1000:.0f} ms on loopback, 10 messages, 4 KB; {result['cores']} cores, load {result['load']:.1f}"
    )
    print(f"  {'transport':<22}{'in flight':>9}{'turns/s':>10}{'ideal':>9}{'ratio':>8}")
    for row in result["endpoint"]:
        ratio = row["turns_per_second"] / row["ideal"]
        print(
            f"  {row['transport']:<22}{row['in_flight']:>9}{row['turns_per_second']:>10,.0f}{row['ideal']:>9,.0f}"
            f"{ratio:>8.0%}"
        )
    ratio = result["client_per_call"] / (64 / DELAY)
    print(
        f"  {'sdk, a client a call':<22}{64:>9}{result['client_per_call']:>10,.0f}{64 / DELAY:>9,.0f}{ratio:>8.0%}"
    )
    if not result["fast_installed"]:
        print("  (transport=fast needs the extra: pip install 'dialog-envs[fast]')")
    for how, rate in result["replay"].items():
        print(f"  {'replay, ' + how:<31}{rate:>10,.0f}")
