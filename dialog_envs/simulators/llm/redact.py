"""Keeping keys out of texts that people and files see."""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote, urlsplit, urlunsplit

HIDDEN = "[hidden]"
_LOOKS_LIKE_A_KEY = re.compile(r"\b(?:sk|pk|gsk|hf|xai)[-_][A-Za-z0-9_*.\-]{6,}|(?<=[Bb]earer )\S+")
_SHORTEST = 4  # what is shorter would hide ordinary words


def redact(text: str, *secrets: str) -> str:
    """`text` without `secrets`, and without anything that looks like a key (servers quote them, shortened).

    Secrets are found as they are, URL-encoded, as JSON writes them, in hexadecimal, and in base64, alone or in the
    middle of something longer.
    """
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            text = _pattern(secret).sub(HIDDEN, text)
    return _LOOKS_LIKE_A_KEY.sub(HIDDEN, text)


def url_secrets(url: str) -> tuple[str, ...]:
    """The name and password that a URL may hold, and the values of its query, decoded."""
    parts = urlsplit(url)
    values = [value for pair in parts.query.split("&") for value in pair.split("=")[1:]]
    found = [parts.password or "", *values]
    return tuple(unquote(secret) for secret in found if len(secret) >= _SHORTEST)


def redact_url(url: str) -> str:
    """A URL without the name and password, the query and the fragment that it may hold."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@lru_cache(maxsize=64)
def _pattern(secret: str) -> re.Pattern[str]:
    """Every way to write the secret, the longest first."""
    raw = secret.encode()
    forms = {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        repr(secret)[1:-1],
        raw.hex(),
        raw.hex().upper(),
    }
    forms.add(secret.replace("\\", "\\\\").replace('"', '\\"'))
    forms |= {_inner_base64(raw, shift, alphabet) for shift in range(3) for alphabet in (b"+/", b"-_")}
    usable = sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, usable)))


def _inner_base64(raw: bytes, shift: int, alphabet: bytes) -> str:
    """The letters of base64 that depend on the secret alone, where `shift` bytes modulo 3 stand before it."""
    encoded = base64.b64encode(bytes(shift) + raw, alphabet).rstrip(b"=").decode()
    first = (0, 2, 3)[shift]
    whole = (shift + len(raw)) // 3 * 4
    return encoded[first:whole]
