"""One event loop in the background of each process: synchronous callers, asynchronous requests."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")


@lru_cache(maxsize=1)
def _loop(process: int) -> asyncio.AbstractEventLoop:
    """The loop of this process (a forked child gets its own), running in a daemon thread."""
    loop = _new_loop()
    threading.Thread(target=loop.run_forever, name=f"dialog-envs-chat-{process}", daemon=True).start()
    return loop


def _new_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed (extra ``fast``)."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def background_loop() -> asyncio.AbstractEventLoop:
    """The loop on which all requests of this process run."""
    return _loop(os.getpid())


def start(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Start `work` on the background loop."""
    return asyncio.run_coroutine_threadsafe(work, background_loop())
