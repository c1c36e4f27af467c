"""aiohttp's connections, without one that has received something nobody asked for."""

from __future__ import annotations

import select
import time
from typing import Any

import aiohttp
from aiohttp.connector import Connection

REST = 0.02
"""Seconds before a connection is used again, so that what comes unasked comes before the next question."""


class CleanConnector(aiohttp.TCPConnector):
    """Never hands out an idle connection on which bytes have come in the meantime.

    A server or proxy that delivers an answer twice would otherwise give the second copy to the next request on that
    connection: the right words to the wrong question, and nobody would notice.
    """

    def __init__(self) -> None:
        super().__init__(limit=0, ttl_dns_cache=300, keepalive_timeout=30.0)

    async def _get(self, key: Any, traces: Any) -> Connection | None:
        idle = self._conns.get(key)
        while idle and time.monotonic() - idle[0][1] >= REST:  # the one that has rested longest comes first
            connection = await super()._get(key, traces)
            if connection is None or _is_clean(connection):
                return connection
            connection.close()
        return None


def _is_clean(connection: Connection) -> bool:
    """Whether nothing has come, neither read already nor waiting in the socket."""
    protocol, transport = connection.protocol, connection.transport
    if protocol is None or transport is None or protocol.should_close:
        return False
    socket = transport.get_extra_info("socket")
    if socket is None or not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLIN)
    return not poll.poll(0)
