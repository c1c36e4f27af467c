"""Finding phrases in a row of tokens, with gaps: "put * down" finds "put you down" and "put your name down".

The notation is that of :mod:`dialog_envs.tasks.language.phrases` (``a/b`` either word, ``a?`` optional); ``_`` joins
words to one (``thats/that_is``), and ``*`` stands for up to :data:`GAP` words of the same sentence, or none. Phrases
may overlap, and one phrase may carry several tags; what stands inside a phrase tagged ``ignore`` counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dialog_envs.tasks.language.phrases import expand

GAP = 3
"""Most words that a ``*`` stands for."""
ENDS = frozenset(".!?;\n…")
"""Tokens that end a sentence."""

Hit = tuple[int, int, str]
"""First token, the token behind the last, and the tag."""


class Cues:
    """A table of tagged phrases, as a tree of words."""

    __slots__ = ("_root", "words")

    def __init__(self, groups: Iterable[tuple[str, str]]) -> None:
        """``groups``: (tag, comma-separated phrases)."""
        self._root: dict[str, Any] = {}
        words: set[str] = set()
        for tag, phrases in groups:
            for phrase in phrases.split(","):
                for parts in expand(phrase):
                    row = [word for part in parts for word in part.split("_")]
                    words.update(row)
                    self.add(row, tag)
        words.discard("*")
        self.words = frozenset(words)
        """Every word that stands in a phrase."""

    def add(self, row: Iterable[str], tag: str) -> None:
        """One more phrase, word by word."""
        node = self._root
        for word in row:
            node = node.setdefault(word, {})
        node[""] = tuple(dict.fromkeys((*node.get("", ()), tag)))

    def find(self, tokens: list[str]) -> list[Hit]:
        """Every phrase, by first token; of a tag only the longest at each token. Linear in the number of tokens."""
        root, n = self._root, len(tokens)
        hits: list[Hit] = []
        barred = 0
        for i, token in enumerate(tokens):
            node = root.get(token)
            if node is None or i < barred:
                continue
            found: dict[str, int] = {}
            _walk(node, tokens, i + 1, n, found)
            if "ignore" in found:
                barred = found["ignore"]
                found = {tag: end for tag, end in found.items() if end > barred}
            for tag, end in found.items():
                hits.append((i, end, tag))
        return hits


def _walk(node: dict[str, Any], tokens: list[str], i: int, n: int, found: dict[str, int]) -> None:
    """Note the end of every phrase that goes on at token i below a node."""
    while True:
        tags = node.get("")
        if tags is not None:
            for tag in tags:
                if found.get(tag, 0) < i:
                    found[tag] = i
        if "*" in node:
            after = node["*"]
            for j in range(i, min(i + GAP + 1, n)):
                token = tokens[j]
                if token in ENDS:
                    break
                if token in after:
                    _walk(after[token], tokens, j + 1, n, found)
        if i >= n:
            return
        following = node.get(tokens[i])
        if following is None:
            return
        node = following
        i += 1
