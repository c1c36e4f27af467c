"""A loopback server that speaks the chat completions API and injects faults by seed.

What becomes of a try depends on the seed, the request's last message and how often that message was tried, never on
time or order, so a run can be repeated. Every whole answer that it delivers is entered into a ledger, as a provider
would bill it; a try under an idempotency key whose work was done before is answered again without a new entry.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import struct
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from dialog_envs.core.seeding import stream
from tests.faults.chat_server import completion, error

Reply = tuple[int, bytes, dict[str, str]]
PASSING = (
    "429", "429 with Retry-After", "500", "502 as HTML", "503 with Retry-After", "connection reset",
    "reset after the work", "read timeout", "half a header", "truncated JSON", "shorter than announced",
    "empty choices", "no choices", "null content", "empty content", "HTML", "a list", "a number as content",
    "choices of a wrong type", "usage of a wrong type", "slow drip", "delivered twice", "error in a 200",
    "broken off",
)  # fmt: skip
"""Faults after which another try may succeed (some deliver a good answer at once, in an odd way)."""
FATAL = ("400", "422", "413")
"""Faults of one request, to be tried once."""
FINE_AT_ONCE = frozenset(("delivered twice",))
LATE = {"delivered twice, late": 0.005, "delivered twice, much later": 0.06}
FOREVER = 30.0


def _body(text: Any, number: int, finish_reason: str = "stop", **fields: Any) -> bytes:
    return completion(text, finish_reason, id=f"chatcmpl-{number}", **fields)


class FaultServer:
    """See the module. All its work is done on the loop of its own thread.

    Args:
        seed: of the faults.
        share: of tries that meet a fault.
        faults: which ones.
        delay: seconds of ordinary work on a request.
    """

    def __init__(
        self, seed: int = 0, share: float = 0.3, faults: Sequence[str] = PASSING, delay: float = 0.002
    ) -> None:
        self.seed, self.share, self.faults, self.delay = seed, share, tuple(faults), delay
        self.url = ""
        self.tries: Counter[str] = Counter()
        self.injected: Counter[str] = Counter()
        self.billed: Counter[str] = Counter()
        self.done: dict[str, bytes] = {}
        self.in_flight = self.peak = 0
        self.wire = bytearray()
        self.opened = 0
        self.numbers = itertools.count()
        self.history: defaultdict[str, list[str]] = defaultdict(list)
        self.connections: set[asyncio.Transport] = set()

    def fault(self, text: str, attempt: int) -> str | None:
        """What the given try of a request meets. ``always:FAULT`` in its text is an order."""
        if text.startswith("always:"):
            return text.removeprefix("always:").partition(" |")[0]
        rng = stream(self.seed, "fault", text, attempt)
        return str(self.faults[int(rng.integers(len(self.faults)))]) if rng.random() < self.share else None

    def deliver(self, text: str, identity: str, number: int) -> bytes:
        """A good answer, entered into the ledger unless its work was done before."""
        if identity not in self.done:
            self.billed[text] += 1
            self.done[identity] = _body(f"echo {text}", number)
        return self.done[identity]

    def reply(self, fault: str | None, text: str, identity: str, number: int) -> Reply:
        """Status, body and headers, for everything that is an HTTP answer."""
        good, none = lambda: self.deliver(text, identity, number), dict[str, str]()
        answers: dict[str, Reply] = {
            "429": (429, error("slow down", "rate_limit_exceeded"), none),
            "429 with Retry-After": (429, error("slow down"), {"retry-after": "0.02"}),
            "500": (500, error("oops"), none),
            "502 as HTML": (502, b"<html>Bad gateway</html>", {"content-type": "text/html"}),
            "503 with Retry-After": (503, b"", {"retry-after": "0.01"}),
            "truncated JSON": (200, _body("hello", number)[:50], none),
            "empty choices": (200, _body("x", number, choices=[]), none),
            "no choices": (200, json.dumps({"id": "x", "object": "chat.completion"}).encode(), none),
            "null content": (200, _body(None, number), none),
            "empty content": (200, _body("  ", number), none),
            "HTML": (200, b"<!doctype html><p>Please log in.", {"content-type": "text/html"}),
            "a list": (200, b"[1, 2]", none),
            "a number as content": (200, _body(7, number), none),
            "choices of a wrong type": (200, _body("x", number, choices="many"), none),
            "usage of a wrong type": (200, _body("x", number, usage=["many"]), none),
            "error in a 200": (
                200,
                json.dumps({"error": {"code": 502, "message": "upstream"}}).encode(),
                none,
            ),
            "broken off": (200, _body("he", number, "error"), none),
            "content filter": (200, _body(None, number, "content_filter"), none),
            "refusal": (200, _refusal(number), none),
            "400": (400, error("bad request", "invalid_request_error"), none),
            "413": (413, error("too large"), none),
            "422": (422, error("unprocessable"), none),
            "401": (401, error("wrong key", "invalid_api_key"), none),
            "402": (402, error("pay first"), none),
            "quota": (429, error("you have used your quota", "insufficient_quota"), {"retry-after": "1"}),
            "filtered prompt": (400, error("flagged", "content_filter"), none),
        }
        found = answers.get(str(fault), (200, b"", none))
        if fault not in answers or (found[0] == 200 and identity in self.done):
            return 200, good(), none  # work that was done before is handed out, not done again
        return found


def _refusal(number: int) -> bytes:
    message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    return _body("", number, choices=[{"index": 0, "finish_reason": "stop", "message": message}])


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as little of it as is needed."""

    def __init__(self, server: FaultServer) -> None:
        self._server = server
        self._data = bytearray()
        self._busy: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._server.connections.add(self._transport)
        self._server.opened += 1

    def data_received(self, data: bytes) -> None:
        self._server.wire += data
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._data[:end]).decode("latin-1").split("\r\n")[1:]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)}
        size = end + 4 + int(headers.get("content-length", 0))
        if len(self._data) >= size:
            request = json.loads(self._data[end + 4 : size])
            del self._data[:size]
            self._busy = asyncio.get_running_loop().create_task(self._answer(request, headers))

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self._transport)
        if self._busy is not None:
            self._busy.cancel()  # a client that is gone is no longer served, and no longer in flight

    async def _answer(self, request: dict[str, Any], headers: dict[str, str]) -> None:
        server, text = self._server, str(request["messages"][-1]["content"])
        server.in_flight += 1
        server.peak = max(server.peak, server.in_flight)
        try:
            attempt = server.tries[text]
            server.tries[text] += 1
            fault = server.fault(text, attempt)
            server.injected[str(fault)] += 1
            server.history[text].append(str(fault))
            await asyncio.sleep(server.delay)
            last = await self._play(fault, text, headers.get("idempotency-key", f"{text}-{attempt}"))
        finally:
            server.in_flight -= 1
        self._write(last)

    async def _play(self, fault: str | None, text: str, identity: str) -> bytes:
        """Do what the fault says, and return the bytes with which the try ends."""
        server = self._server
        if fault in ("connection reset", "reset after the work"):
            if fault == "reset after the work":
                server.deliver(text, identity, next(server.numbers))
            option = struct.pack("ii", 1, 0)  # closing sends a reset
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
            self._transport.abort()
            return b""
        if fault == "read timeout":
            await asyncio.sleep(FOREVER)
        whole = _http(*server.reply(fault, text, identity, next(server.numbers)))
        if fault == "half a header":
            self._write(whole[:30])
            self._transport.close()
            return b""
        if fault == "shorter than announced":
            self._write(whole[:-20])
            self._transport.close()
            return b""
        if fault == "slow drip":
            for at in range(0, len(whole) - 1, 4):
                self._write(whole[at : at + 4])
                await asyncio.sleep(0.1)
            return whole[-1:]
        if fault == "delivered twice":
            return whole + whole
        if fault in LATE:
            asyncio.get_running_loop().call_later(LATE[fault], self._write, whole)
        return whole

    def _write(self, data: bytes) -> None:
        if data and not self._transport.is_closing():
            self._transport.write(data)


def _http(status: int, body: bytes, headers: dict[str, str]) -> bytes:
    lines = {"content-type": "application/json", **headers, "content-length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Some Reason\r\n{head}\r\n".encode() + body


@contextmanager
def faulty(server: FaultServer) -> Iterator[FaultServer]:
    """Run a server on a free port of the loopback interface."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def begin() -> asyncio.Server:
        return await loop.create_server(lambda: _Connection(server), "127.0.0.1", 0, backlog=512)

    async def stop(listening: asyncio.Server) -> None:
        listening.close()
        mine = asyncio.current_task()
        rest = [task for task in asyncio.all_tasks(loop) if task is not mine]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        while server.connections:
            for connection in list(server.connections):
                connection.abort()
            await asyncio.sleep(0.01)

    listening = asyncio.run_coroutine_threadsafe(begin(), loop).result(5)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(stop(listening), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
