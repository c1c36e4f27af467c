"""Words out of any text: lower case, without accents and apostrophes, punctuation kept as tokens of its own."""

from __future__ import annotations

import re
import unicodedata

MAX_CHARS, MAX_TOKENS = 20_000, 2_000
"""Longer texts are understood by their beginning, so that reading costs a bounded time."""

_TOKEN = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*|[.!?;:\n,()€$£…—–]|(?<=\s)-+(?=\s)")
_FOLDS = str.maketrans({"’": "", "‘": "", "ʼ": "", "`": "", "？": "?", "！": "!", "。": ".", "，": ",", "ı": "i",
                        "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe"})  # fmt: skip


def tokenise(text: str) -> list[str]:
    """At most :data:`MAX_TOKENS` tokens: words, numbers and ``.!?;:,`` marks; "What's" becomes ``whats``."""
    text = text[:MAX_CHARS].lower()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_FOLDS))
        text = "".join([char for char in text if not unicodedata.combining(char)])
    if "'" in text:
        text = text.replace("'", "")
    if "e.g." in text:
        text = text.replace("e.g.", "such as ")
    return _TOKEN.findall(text)[:MAX_TOKENS]
