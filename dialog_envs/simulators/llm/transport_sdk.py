"""Through OpenAI's SDK: its addresses, headers and connection handling, over aiohttp where that is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import openai

from dialog_envs.simulators.llm.transport import CONNECT_SECONDS, NO_KEY, Answer, Broken, credentials


class SdkTransport:
    """One ``AsyncOpenAI`` client, its own retries off.

    Args:
        url: the endpoint, up to ``/v1``.
        key: sent as bearer token; may be empty.
        timeout: seconds of silence between two bytes.
    """

    def __init__(self, url: str, key: str, timeout: float) -> None:
        limits = httpx2.Timeout(timeout, connect=CONNECT_SECONDS, pool=None)
        url, proof = credentials(url, key)

        def make() -> openai.AsyncOpenAI:
            return openai.AsyncOpenAI(
                api_key=key or NO_KEY,
                base_url=url,
                timeout=limits,
                max_retries=0,
                default_headers={"Authorization": proof},
                http_client=_http(limits),
            )

        self._make, self._client = make, make()
        self._old: list[openai.AsyncOpenAI] = []

    async def post(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        """Send one request, once. The bare response is taken: building the SDK's objects costs more than the network.

        Raises:
            Broken: no whole answer came.
        """
        try:
            response = await self._client.post(
                "/chat/completions", cast_to=httpx2.Response, body=body, options={"headers": dict(headers)}
            )
        except openai.APIStatusError as error:
            response = error.response
        except openai.OpenAIError as error:
            cause = _cause(error)
            # Over aiohttp, the SDK calls some broken connections timeouts, too.
            slow = isinstance(cause, (TimeoutError, httpx2.TimeoutException, openai.APITimeoutError))
            what = "no connection or no answer in time" if slow else "the connection failed"
            raise Broken(f"{what} ({type(cause).__name__}: {cause})", slow) from None
        return Answer(response.status_code, response.headers, response.content)

    def renew(self) -> None:
        """Use none of the connections again that there are."""
        self._old.append(self._client)
        self._client = self._make()

    async def close(self) -> None:
        """Close its connections."""
        for client in (*self._old, self._client):
            await client.close()


def _http(timeout: httpx2.Timeout) -> httpx2.AsyncClient:
    """The SDK's aiohttp client if there is aiohttp (five times as fast with many in flight), else its usual one."""
    try:
        import aiohttp

        from dialog_envs.simulators.llm.connector import CleanConnector
    except ImportError:
        # httpx2 does not see that an idle connection has received an answer twice, so it gets no idle connections: a
        # handshake a call costs less than somebody else's words.
        once = httpx2.Limits(max_connections=1000, max_keepalive_connections=0)
        return openai.DefaultAsyncHttpxClient(timeout=timeout, limits=once)
    http = openai.DefaultAioHttpClient(timeout=timeout)
    inner: Any = getattr(http, "_transport", None)
    if hasattr(inner, "client"):
        inner.client = lambda: aiohttp.ClientSession(connector=CleanConnector())
    return http


def _cause(error: BaseException) -> BaseException:
    """The innermost reason."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
