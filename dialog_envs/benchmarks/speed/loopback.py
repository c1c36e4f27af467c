"""A server on loopback that answers every chat completion after a fixed delay, and does as little else as possible.

It runs in a process of its own: ``python -m dialog_envs.benchmarks.speed.loopback DELAY [TEXT …]`` prints its port,
and ends with its standard input. The TEXTs are what it says, by turns.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import threading
from collections.abc import Sequence
from typing import cast

_HEAD_END = b"\r\n\r\n"


def _response(text: str = "I would like something quiet, and not too far from the station. " * 3) -> bytes:
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 1000, "completion_tokens": 40, "total_tokens": 1040}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    reply = {"id": "x", "object": "chat.completion", "created": 0, "model": "loopback", "usage": usage}
    body = json.dumps({**reply, "choices": [choice]}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class _Server(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, one request after another on a connection."""

    responses = itertools.cycle([_response()])
    delay = 0.05

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._data, self._wanted = bytearray(), -1

    def data_received(self, data: bytes) -> None:
        self._data += data
        if self._wanted < 0 and (end := self._data.find(_HEAD_END)) >= 0:
            head = bytes(self._data[:end]).lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            self._wanted = end + len(_HEAD_END) + length
        if 0 <= self._wanted <= len(self._data):
            self._data, self._wanted = bytearray(), -1
            asyncio.get_running_loop().call_later(self.delay, self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(next(self.responses))


async def serve(delay: float, texts: Sequence[str] = ()) -> None:
    """Serve until standard input ends."""
    _Server.delay = delay
    if texts:
        _Server.responses = itertools.cycle([_response(text) for text in texts])
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    server = await loop.create_server(_Server, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)

    def wait_for_the_end() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    await stop.wait()
    server.close()


def main() -> None:
    """The command."""
    delay, texts = float(sys.argv[1]), sys.argv[2:]
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(delay, texts))
    else:
        uvloop.run(serve(delay, texts))


if __name__ == "__main__":
    main()
