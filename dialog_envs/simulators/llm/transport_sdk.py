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
        self._client = openai.AsyncOpenAI(
            api_key=key or NO_KEY,
            base_url=url,
            timeout=limits,
            max_retries=0,
            default_headers={"Authorization": proof},
            http_client=_http(limits),
        )

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

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


def _http(timeout: httpx2.Timeout) -> httpx2.AsyncClient:
    """The SDK's aiohttp client if there is aiohttp (five times as fast with many in flight), else its usual one."""
    try:
        import aiohttp

        from dialog_envs.simulators.llm.connector import CleanConnector
    except ImportError:
        return openai.DefaultAsyncHttpxClient(timeout=timeout)
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
