"""Finding a scenario's activities in free text: by name, by part of a name, or with a typo.

A look-up costs one dictionary access a token: everything about the names is computed once a scenario, in
:func:`name_index`. Typos are caught by symmetric deletion: two words that agree after one deletion in each are taken
for the same (source: Garbe's SymSpell).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from .. import catalogue
from .cues import common_words
from .tokens import tokenise

_SMALL = frozenset("the a an of in at and by with on to for from de da do la el le".split())
_ANY = frozenset("visit tour trip day experience activity place".split())
"""Heads of names that may mean any activity."""
_BREAKS = frozenset(".!?;:\n,()")
_MEMO_SIZE = 4_096

Span = tuple[int, int, str, bool]
"""(start, end, item id, sure): ``sure`` is False where one ordinary word is all that was said of a name."""


@dataclass(slots=True)
class NameIndex:
    """What is needed to find the names of one scenario's items in a row of tokens."""

    items: tuple[str, ...]
    words: dict[str, frozenset[str]]
    """Item -> the words of its name that count (no articles and prepositions)."""
    heads: dict[str, str]
    """Item -> the last word of its name before any preposition: the "workshop" of "Tile workshop in Alfama"."""
    proper: frozenset[str]
    """Words that are capitalised within a name: proper nouns, which name an item alone."""
    owners: dict[str, tuple[str, ...]]
    """Word -> the items whose names hold it."""
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Text token -> the words of names that it stands for; () for none. Grows with the words seen, bounded."""
    deletions: dict[str, str] = field(default_factory=dict)
    joined: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def find(self, tokens: Sequence[str]) -> list[Span]:
        """The items named in the tokens, left to right, without overlap."""
        known, found, last = self.known, [], 0
        for i, token in enumerate(tokens):
            stands_for = known.get(token)
            if stands_for is None:
                stands_for = self._learn(token)
            if stands_for and i >= last:
                span = self._longest(tokens, i, stands_for)
                if span is not None:
                    found.append(span)
                    last = span[1]
        return found

    def _longest(self, tokens: Sequence[str], start: int, first: tuple[str, ...]) -> Span | None:
        """The item whose name has most of its words here, if these words name it."""
        best: tuple[int, float, int, str] | None = None
        tie = False
        for item in self.owners[first[0]]:
            words = self.words[item]
            end, seen = self._extend(tokens, start, words)
            key = (len(seen), len(seen) / len(words), end, item)
            if best is None or key[:2] > best[:2]:
                best, tie = key, False
            elif key[:2] == best[:2]:
                tie = True
        if best is None or tie:
            return None
        count, share, end, item = best
        if count >= 2 or share == 1.0:
            return (start, end, item, True)
        word = first[0]
        if len(self.owners[word]) > 1:
            return None
        before = tokens[start - 1] if start else ""
        if word in self.proper or (
            before in ("the", "that") and word == self.heads[item] and word not in _ANY
        ):
            return (start, end, item, True)
        return None if word in common_words() else (start, end, item, False)

    def _extend(self, tokens: Sequence[str], start: int, words: frozenset[str]) -> tuple[int, set[str]]:
        """How far the tokens go on with words of a name: (end, words seen)."""
        seen: set[str] = set()
        end = start
        for i in range(start, min(start + 12, len(tokens))):
            token = tokens[i]
            stands_for = self.known.get(token)
            if stands_for is None:
                stands_for = self._learn(token)
            if stands_for and words.issuperset(stands_for):
                if seen.issuperset(stands_for):
                    break
                seen.update(stands_for)
                end = i + 1
            elif token not in _SMALL:
                break
        return end, seen

    def _learn(self, token: str) -> tuple[str, ...]:
        """What an unseen token stands for: a typo of a name's word, two words written as one, or nothing."""
        if len(self.known) > _MEMO_SIZE:
            self.known.clear()
            self.known.update({word: (word,) for word in self.owners})
            if token in self.owners:
                return (token,)
        meaning: tuple[str, ...] = ()
        if len(token) >= 5 and token not in common_words():
            meaning = self.joined.get(token, ())
            if not meaning and len(token) < 30 and not (token.endswith("s") and token[:-1] in self.owners):
                candidates = (token, *(token[:i] + token[i + 1 :] for i in range(len(token))))
                word = next((self.deletions[c] for c in candidates if c in self.deletions), None)
                meaning = (word,) if word is not None else ()
        self.known[token] = meaning
        return meaning


@lru_cache(maxsize=512)
def name_index(items: tuple[str, ...]) -> NameIndex:
    """The index of a scenario's items (ids of the catalogue)."""
    place_words = {word for item in items for word in item.partition("/")[0].split("-")}
    words: dict[str, frozenset[str]] = {}
    heads: dict[str, str] = {}
    proper: set[str] = set()
    owners: dict[str, list[str]] = {}
    joined: dict[str, tuple[str, ...]] = {}
    for item in items:
        name = _name(item)
        tokens = tokenise(name)
        row = [word for word in tokens if word not in _SMALL and word not in _BREAKS]
        proper.update(token for word in name.split()[1:] if word[:1].isupper() for token in tokenise(word))
        words[item] = frozenset(row)
        heads[item] = _head(tokens)
        for word in dict.fromkeys(row):
            owners.setdefault(word, []).append(item)
        joined.update({a + b: (a, b) for a, b in pairwise(row)})
    index = NameIndex(
        items, words, heads, frozenset(proper - place_words), {w: tuple(o) for w, o in owners.items()}
    )
    index.known.update({word: (word,) for word in owners})
    for word in sorted(owners):
        if len(word) >= 5:
            index.deletions[word] = word
            for i in range(len(word)):
                index.deletions.setdefault(word[:i] + word[i + 1 :], word)
    index.joined.update(joined)
    return index


def _name(item: str) -> str:
    """The item's name, or the words of its id where the catalogue of this version has no such item."""
    try:
        return catalogue.item(item).name
    except LookupError:
        return item.rpartition("/")[2].replace("-", " ")


def _head(tokens: list[str]) -> str:
    """The noun that a name is about: the word before the first preposition, or the last."""
    for i, token in enumerate(tokens):
        if i and token in _SMALL and token not in ("the", "a", "an", "and"):
            return tokens[i - 1]
    return tokens[-1] if tokens else ""
