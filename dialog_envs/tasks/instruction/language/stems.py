"""What words have in common: a light stemmer for matching explanations with the teaching material.

It strips inflections and the commonest derivations ("denser", "density", "dense" -> "dens") and need not find real
roots: words of one concept only must not fall together by accident (source of the idea: Porter, 1980).
"""

from __future__ import annotations

import re
from functools import lru_cache

_SUFFIXES = (
    "izations", "isations", "ization", "isation", "ations", "ation", "ators", "ating", "ator", "ates", "ated", "ate",
    "ities", "ity", "ically", "ical", "nesses", "ness", "ments", "ment", "ings", "ing", "iest", "ier", "ies", "ied",
    "ions", "ion", "est", "ers", "er", "ed", "es", "ly", "al", "s", "e", "y",
)  # fmt: skip
_VOWEL = re.compile(r"[aeiouy]")


@lru_cache(maxsize=32_768)
def stem(word: str) -> str:
    """The stem of a lower-case word; words of three letters or fewer, and numbers, are their own."""
    if len(word) <= 3 or not word.isalpha():
        return word
    for _ in range(2):
        for suffix in _SUFFIXES:
            if word.endswith(suffix):
                rest = word[: -len(suffix)]
                if len(rest) >= (3 if suffix in ("s", "es", "ing", "ed", "er") else 4) and _VOWEL.search(
                    rest
                ):
                    if suffix == "s" and word[-2] in "su":
                        continue
                    word = rest
                    break
        else:
            break
        if len(word) <= 4:
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    if len(word) > 3 and word[-1] == "i":
        word = word[:-1]
    return word
