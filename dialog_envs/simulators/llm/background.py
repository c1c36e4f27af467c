"""One event loop in the background of each process: synchronous callers, asynchronous requests."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
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
    """Start `work` on the background loop. Cancelling the future cancels the work."""
    return asyncio.run_coroutine_threadsafe(work, background_loop())


def launch(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Like :func:`start`, for thousands of small pieces of work a second that nobody cancels."""
    return _launcher(os.getpid()).launch(work)


class _Launcher:
    """Hands work over to the loop, whatever has come together with one wake-up."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._new: deque[tuple[Coroutine[Any, Any, Any], Future[Any]]] = deque()
        self._woken = False
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself keeps no hold on them

    def launch(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        future: Future[T] = Future()
        self._new.append((work, future))
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._begin)
        return future

    def _begin(self) -> None:
        self._woken = False  # before the queue is emptied: who adds to it later wakes the loop again
        while self._new:
            work, future = self._new.popleft()
            task = self._loop.create_task(_into(work, future))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


@lru_cache(maxsize=1)
def _launcher(process: int) -> _Launcher:
    return _Launcher(_loop(process))


async def _into(work: Coroutine[Any, Any, T], future: Future[T]) -> None:
    """Put what becomes of `work` into `future`."""
    future.set_running_or_notify_cancel()
    try:
        result = await work
    except BaseException as error:
        future.set_exception(error)
        if not isinstance(error, Exception):
            raise
    else:
        future.set_result(result)
