"""A lean transport: aiohttp and orjson, nothing in between (extra ``fast``)."""

from __future__ import annotations

import importlib.util
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from dialog_envs.errors import ModelUnavailable
from dialog_envs.simulators.llm.transport import CONNECT_SECONDS, Answer, Broken, account_headers, credentials

if importlib.util.find_spec("aiohttp") is None or importlib.util.find_spec("orjson") is None:
    raise ModelUnavailable(
        "transport=fast needs aiohttp and orjson: pip install 'dialog-envs[fast]', or leave the option out."
    )

import aiohttp
import orjson

from dialog_envs.simulators.llm.connector import CleanConnector


class FastTransport:
    """One aiohttp session.

    Args:
        url: the endpoint, up to ``/v1``.
        key: sent as bearer token; may be empty.
    """

    def __init__(self, url: str, key: str) -> None:
        url, proof = credentials(url, key)
        address, self._proxy = urlsplit(url), _proxy(url)
        path = f"{address.path.rstrip('/')}/chat/completions"
        self._url = address._replace(path=path, fragment="").geturl()
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Authorization": proof,
            "User-Agent": "dialog-envs",
            **account_headers(),
        }
        self._session = self._make()
        self._old: list[aiohttp.ClientSession] = []

    def _make(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=CleanConnector(),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            headers=self._headers,
        )

    async def post(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        """Send one request, once. Redirects are not followed: an address that moved is a wrong address.

        Raises:
            Broken: no whole answer came.
        """
        try:
            async with self._session.post(
                self._url, data=orjson.dumps(body), headers=headers, allow_redirects=False, proxy=self._proxy
            ) as response:
                content = await response.read()
                return Answer(response.status, response.headers, content)
        except TimeoutError as error:
            raise Broken(f"no connection or no answer in time ({type(error).__name__})", slow=True) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Broken(f"the connection failed ({type(error).__name__}: {error})") from None

    def renew(self) -> None:
        """Use none of the connections again that there are."""
        self._old.append(self._session)
        self._session = self._make()

    async def close(self) -> None:
        """Close its connections."""
        for session in (*self._old, self._session):
            await session.close()


def _proxy(url: str) -> str | None:
    """The proxy for this address by the usual variables, looked up once: doing it a request costs 0.1 ms."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    return urllib.request.getproxies().get(parts.scheme)
