"""The sentences of the student grammar, known again: what each of them does.

A sentence is a row of tokens in which an idea's name stands as ``{x}``, its belief as ``{b}`` and its right answer as
``{r}``, so that one table serves all concepts. Sentences by other hands are read by their words instead
(:mod:`reading`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ....tasks.language.phrases import Trie
from ....tasks.language.tokens import tokenise
from ..content import concept
from .grammar import load
from .phrasing import belief

ENDS = frozenset(".!?")
NAME, BELIEF, RIGHT = "{x}", "{b}", "{r}"
_MARKS = frozenset(",;:—–-()")
_IGNORED = ("tail", "open")
_SPEECH = ("core", "named", "over", "child", "low", "low_named", "stubborn", "text")
Sentence = tuple[tuple[str, ...], tuple[int, ...]]
"""Tokens without marks, names and the like as placeholders; and the positions of the ideas that these stand for."""


def split(tokens: list[str], concept_id: str | None) -> list[Sentence]:
    """The sentences of a turn. ``None``: the tokens are a grammar's own, with placeholders in them."""
    root = _marked(concept_id) if concept_id is not None else {}
    found: list[Sentence] = []
    words: list[str] = []
    ideas: list[int] = []
    i, n = 0, len(tokens)
    while i < n:
        token = tokens[i]
        node, j, best = root.get(token), i, None
        while node is not None:
            j += 1
            if "" in node:
                best = (j, node[""])
            node = node.get(tokens[j]) if j < n else None
        if best is not None:
            words.append(best[1][0])
            ideas.append(best[1][1])
            i = best[0]
            continue
        if token in ENDS or token == "\n" or token == "…":
            if words:
                found.append((tuple(words), tuple(ideas)))
                words, ideas = [], []
        elif token not in _MARKS:
            words.append(token)
        elif token == "," and words:
            words.append(",")
        i += 1
    if words:
        found.append((tuple(words), tuple(ideas)))
    return found


@lru_cache(maxsize=512)
def _marked(concept_id: str) -> Trie:
    """Names, beliefs and right answers of a concept as a tree of tokens; under "" (placeholder, idea's position)."""
    root: Trie = {}
    for i, idea in enumerate(concept(concept_id).ideas):
        rows = [(idea.name, NAME), (idea.right.rstrip(". "), RIGHT), (belief(concept_id, idea.id), BELIEF)]
        rows += [(wrong.belief.rstrip(". "), BELIEF) for wrong in idea.misconceptions[1:]]
        for text, mark in rows:
            node = root
            for word in tokenise(text):
                node = node.setdefault(word, {})
            node[""] = (mark, i)
    return root


def _rows(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every string of the grammar with the names of its tables."""
    if isinstance(node, dict):
        for key, child in node.items():
            yield from _rows(child, (*path, key))
    else:
        for text in node:
            yield path, text


@lru_cache(maxsize=1)
def table() -> tuple[dict[tuple[str, ...], tuple[str, ...]], frozenset[tuple[str, ...]]]:
    """(sentence -> what it may do, as names such as "follow" or "answer style plain"; openers that end in a comma).

    Nothing stands for sentences that tell nothing.
    """
    found: dict[tuple[str, ...], dict[str, None]] = {}
    openers: set[tuple[str, ...]] = set()
    for path, text in _rows(load("user")):
        if path[0] == "opening" or not text.strip():
            continue
        parts = [words for words, _ in split(_tokens(text), None)]
        silent = (
            path[0] == "open"
            or path[-1] in _IGNORED
            or (path[-1] == "child" and path[0] in ("right", "wrong"))
        )
        name = " ".join(path if path[-1] not in _SPEECH else path[:-1])
        for words in parts:
            meaning = found.setdefault(words, {})
            if words[-1] == ",":
                openers.add(words[:-1])
            elif not silent and (len(parts) == 1 or words is parts[-1]):
                meaning[name] = None
    return {words: tuple(kinds) for words, kinds in found.items()}, frozenset(openers)


def _tokens(text: str) -> list[str]:
    """Tokens of a grammar's string, placeholders kept."""
    spare = text.replace(NAME, " qqxqq ").replace(BELIEF, " qqbqq ")
    marks = {"qqxqq": NAME, "qqbqq": BELIEF}
    return [marks.get(token, token) for token in tokenise(spare)]


def recognise(words: tuple[str, ...]) -> tuple[str, ...] | None:
    """What a sentence may do by the table, after openers are taken off; None if it stands not there."""
    sentences, openers = table()
    found = sentences.get(words)
    start = 0
    while found is None:
        comma = next((i for i in range(start, min(len(words), start + 9)) if words[i] == ","), None)
        if comma is None or words[start:comma] not in openers:
            return None
        start = comma + 1
        found = sentences.get(words[start:])
    return found
