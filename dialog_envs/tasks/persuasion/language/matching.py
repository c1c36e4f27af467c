"""Finding phrases in a row of tokens, with gaps: "put * down" finds "put you down" and "put your name down".

The notation is that of :mod:`dialog_envs.tasks.language.phrases` (``a/b`` either word, ``a?`` optional), and ``*``
stands for up to :data:`GAP` other words of the same sentence. Phrases may overlap, and one phrase may carry several
tags; what stands inside a phrase tagged ``ignore`` counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dialog_envs.tasks.language.phrases import expand

GAP = 3
"""Most words that a ``*`` stands for."""
ENDS = frozenset(".!?;\n…")
"""Tokens that end a sentence."""

Hit = tuple[int, int, tuple[str, ...]]
"""First token, the token behind the last, and the tags."""


class Cues:
    """A table of tagged phrases, as a tree of words."""

    __slots__ = ("_root", "words")

    def __init__(self, groups: Iterable[tuple[str, str]]) -> None:
        """``groups``: (tag, comma-separated phrases)."""
        self._root: dict[str, Any] = {}
        words: set[str] = set()
        for tag, phrases in groups:
            for phrase in phrases.split(","):
                for row in expand(phrase):
                    words.update(row)
                    node = self._root
                    for word in row:
                        node = node.setdefault(word, {})
                    node[""] = tuple(dict.fromkeys((*node.get("", ()), tag)))
        words.discard("*")
        self.words = frozenset(words)
        """Every word that stands in a phrase."""

    def find(self, tokens: list[str]) -> list[Hit]:
        """The longest phrase that begins at each token, left to right; work is linear in the number of tokens."""
        root, n = self._root, len(tokens)
        hits: list[Hit] = []
        barred = 0
        for i, token in enumerate(tokens):
            node = root.get(token)
            if node is None or i < barred:
                continue
            best = _longest(node, tokens, i + 1, n)
            if best is None:
                continue
            end, tags = best
            if "ignore" in tags:
                barred = end
                continue
            hits.append((i, end, tags))
        return hits


def _longest(
    node: Mapping[str, Any], tokens: list[str], i: int, n: int
) -> tuple[int, tuple[str, ...]] | None:
    """The end and tags of the longest phrase that goes on at token i below a node."""
    best: tuple[int, tuple[str, ...]] | None = None
    while True:
        found = node.get("")
        if found is not None:
            best = (i, found)
        gap = node.get("*")
        if gap is not None:
            for j in range(i, min(i + GAP + 1, n)):
                after = gap.get(tokens[j])
                if after is not None:
                    there = _longest(after, tokens, j + 1, n)
                    if there is not None and (best is None or there[0] > best[0]):
                        best = there
                if tokens[j] in ENDS:
                    break
        if i >= n:
            return best
        following = node.get(tokens[i])
        if following is None:
            return best
        node = following
        i += 1
