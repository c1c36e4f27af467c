"""aiohttp's connections, without one that has received something nobody asked for."""

from __future__ import annotations

from typing import Any

import aiohttp
from aiohttp.connector import Connection


class CleanConnector(aiohttp.TCPConnector):
    """Never hands out an idle connection on which bytes have come in the meantime.

    A server or proxy that delivers an answer twice would otherwise give the second copy to the next request on that
    connection: the right words to the wrong question, and nobody would notice.
    """

    def __init__(self) -> None:
        super().__init__(limit=0, ttl_dns_cache=300, keepalive_timeout=30.0)

    async def _get(self, key: Any, traces: Any) -> Connection | None:
        while (connection := await super()._get(key, traces)) is not None:
            protocol = connection.protocol
            if protocol is not None and not protocol.should_close:
                return connection
            connection.close()
        return None
