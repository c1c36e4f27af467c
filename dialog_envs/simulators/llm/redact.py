"""Keeping keys out of texts that people and files see."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

HIDDEN = "[hidden]"
_LOOKS_LIKE_A_KEY = re.compile(r"\b(?:sk|pk|gsk|hf|xai)[-_][A-Za-z0-9_*.\-]{6,}|(?<=[Bb]earer )\S+")


def redact(text: str, secret: str = "") -> str:
    """`text` without `secret`, and without anything that looks like a key (servers quote them, shortened)."""
    if len(secret) >= 4:
        text = text.replace(secret, HIDDEN)
    return _LOOKS_LIKE_A_KEY.sub(HIDDEN, text)


def redact_url(url: str) -> str:
    """A URL without the name and password, the query and the fragment that it may hold."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
