"""A loopback server that speaks the chat completions API, and fails as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What the server does with one request."""

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False  # close the connection without an answer


def completion(text: str | None, finish_reason: str = "stop", **fields: Any) -> bytes:
    """A well-formed response body."""
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
    base = {"id": "x", "object": "chat.completion", "created": 0, "model": "stub-1", "usage": usage}
    return json.dumps({**base, "choices": [choice], **fields}).encode()


def error(message: str, code: str = "") -> bytes:
    """An error's body."""
    return json.dumps({"error": {"message": message, "code": code, "type": code}}).encode()


Behaviour = Callable[[int, dict[str, Any]], Answer]


class ChatServer:
    """Requests, in the order in which they came, and what is answered to each.

    Args:
        behave: ``(number of the request, its JSON) -> Answer``; a body of ``None`` is an echo of the last message.
    """

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.most_in_flight = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        self.url = ""

    def handle(self, http: BaseHTTPRequestHandler) -> None:
        request = json.loads(http.rfile.read(int(http.headers["content-length"])))
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
            self.headers.append({key.lower(): value for key, value in http.headers.items()})
            self.times.append(time.monotonic())
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        answer = self.behave(number, request)
        time.sleep(answer.delay)
        with self._lock:
            self._in_flight -= 1  # before the answer: who has it may ask again at once
        if answer.drop:
            http.close_connection = True
            http.connection.close()
            return
        body = completion(request["messages"][-1]["content"]) if answer.body is None else answer.body
        http.send_response(answer.status)
        for key, value in {"content-type": "application/json", **answer.headers}.items():
            http.send_header(key, value)
        http.send_header("content-length", str(len(body)))
        http.end_headers()
        http.wfile.write(body)


@contextmanager
def serve(behave: Behaviour) -> Iterator[ChatServer]:
    """Run a server on a free port of the loopback interface."""
    server = ChatServer(behave)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            try:
                server.handle(self)
            except (BrokenPipeError, ConnectionResetError, ValueError, OSError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_: object) -> None:
            return

    http = Quiet(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
