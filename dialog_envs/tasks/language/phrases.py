"""Phrases as data, and finding them in a row of tokens.

A phrase is a row of words as :func:`~dialog_envs.tasks.language.tokens.tokenise` makes them (no apostrophes, no
hyphens). ``a/b`` stands for either word, a trailing ``?`` makes a word optional, so that ``"a? lot/lots of people"``
is four phrases. A meaning is three strings, for example (kind, slot, value).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

Meaning = tuple[str, str, str]
Phrases = dict[str, tuple[tuple[int, list[str], Meaning], ...]]
"""First word -> (length, words, meaning), the longest phrase first."""

Trie = dict[str, Any]
"""Word -> the words that may follow it in a phrase; "" -> the meaning of the phrase that ends here."""


def expand(phrase: str) -> list[list[str]]:
    """The word rows that one phrase of the data stands for: ``"a? b/c"`` -> b, c, a b, a c."""
    choices = []
    for word in phrase.split():
        optional = word.endswith("?")
        words = word.rstrip("?").split("/")
        choices.append([*words, ""] if optional else words)
    rows = [[word for word in row if word] for row in product(*choices)]
    return [row for row in rows if row]


def build(groups: Iterable[tuple[Meaning, str]]) -> Phrases:
    """A table for longest-match look-up from (meaning, comma-separated phrases); later groups win over earlier."""
    flat: dict[tuple[str, ...], Meaning] = {}
    for meaning, phrases in groups:
        for phrase in phrases.split(","):
            for row in expand(phrase):
                flat[tuple(row)] = meaning
    table: dict[str, list[tuple[int, list[str], Meaning]]] = {}
    for words, meaning in sorted(flat.items(), key=lambda pair: -len(pair[0])):
        table.setdefault(words[0], []).append((len(words), list(words), meaning))
    return {first: tuple(rows) for first, rows in table.items()}


def trie(phrases: Phrases) -> Trie:
    """The same phrases as a tree of words, so that the longest match costs as many steps as it has words."""
    root: Trie = {}
    for rows in phrases.values():
        for _, words, meaning in rows:
            node = root
            for word in words:
                node = node.setdefault(word, {})
            node[""] = meaning
    return root


def find(tokens: list[str], root: Trie) -> list[tuple[int, int, Meaning]]:
    """All longest, non-overlapping matches as (start, end, meaning), left to right, in one linear pass."""
    found, i, n = [], 0, len(tokens)
    while i < n:
        ends = matches(root, tokens, i, n)
        if ends:
            found.append((i, *ends[-1]))
            i = ends[-1][0]
        else:
            i += 1
    return found


def matches(root: Trie, tokens: list[str], i: int, n: int) -> list[tuple[int, Meaning]]:
    """(end, meaning) of every phrase that begins at token i, the shortest first; n is the number of tokens."""
    node = root.get(tokens[i])
    ends = []
    while node is not None:
        i += 1
        if "" in node:
            ends.append((i, node[""]))
        if i == n:
            break
        node = node.get(tokens[i])
    return ends
