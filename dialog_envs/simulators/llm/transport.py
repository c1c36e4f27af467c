"""How a request's bytes get to a server and back. Everything above (retries, limit, reading, cost) is the same."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

CONNECT_SECONDS = 10.0
"""Longest wait for a connection; a server that is there answers sooner."""
NO_KEY = "no-key"
"""Sent where there is no key: servers of one's own rarely want one, but clients insist."""


class Broken(Exception):
    """The connection failed before a whole answer had come. The text says how, and may hold secrets.

    Args:
        reason: what went wrong.
        slow: whether time ran out.
    """

    def __init__(self, reason: str, slow: bool = False) -> None:
        super().__init__(" ".join(reason.split()))
        self.slow = slow


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered.

    Attributes:
        status: the HTTP status.
        headers: by lower-case name.
        content: the body, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes


class Transport(Protocol):
    """Posts bodies to one endpoint's chat completions. Used on the background loop only."""

    async def post(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        """Send one request, once.

        Raises:
            Broken: no whole answer came.
        """

    def renew(self) -> None:
        """Use none of the connections again that there are; what is under way on them may end."""

    async def close(self) -> None:
        """Close its connections."""


def make_transport(kind: str, url: str, key: str, timeout: float) -> Transport:
    """The transport of that name: ``sdk`` or ``fast``. `timeout` is for silence between two bytes, in seconds.

    Raises:
        ModelUnavailable: what it needs is not installed.
    """
    if kind == "fast":
        from dialog_envs.simulators.llm.transport_fast import FastTransport

        return FastTransport(url, key)
    from dialog_envs.simulators.llm.transport_sdk import SdkTransport

    return SdkTransport(url, key, timeout)


def credentials(url: str, key: str) -> tuple[str, str]:
    """The address without name and password, and the header that proves who asks: by those, or else by the key."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, f"Bearer {key or NO_KEY}"
    proof = base64.b64encode(unquote(user).encode()).decode()
    return parts._replace(netloc=host).geturl(), f"Basic {proof}"


def account_headers() -> dict[str, str]:
    """The organisation and project that OpenAI's SDK would name, by its variables."""
    names = {"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"}
    return {header: os.environ[name] for header, name in names.items() if os.environ.get(name)}
