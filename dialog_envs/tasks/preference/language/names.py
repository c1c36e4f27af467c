"""Finding a scenario's activities in free text: by name, by part of a name, or with a typo.

A look-up costs one dictionary access a token: what the names of a place are made of is computed once a place, in
:class:`Vocabulary`, and a scenario only says which of them are on offer. Typos are caught by symmetric deletion: two
words that agree after one deletion in each are taken for the same (source: Garbe's SymSpell).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from ...language.tokens import tokenise
from .. import catalogue
from .cues import common_words

_SMALL = frozenset("the a an of in at and by with on to for from de da do la el le".split())
_ANY = frozenset("visit tour trip day experience activity place".split())
"""Heads of names that may mean any activity."""
_BREAKS = frozenset(".!?;:\n,()")
_MEMO_SIZE = 4_096

Span = tuple[int, int, str, bool]
"""(start, end, item id, sure): ``sure`` is False where one ordinary word is all that was said of a name."""
Meaning = tuple[tuple[str, ...], frozenset[str]]
"""Words of names that a token may stand for, and the items on whose offer that depends."""


class Vocabulary:
    """What the names of many items are made of.

    Attributes:
        words: item -> the words of its name that count (no articles and prepositions).
        heads: item -> the last word of its name before any preposition: the "workshop" of "Tile workshop in Alfama".
        proper: words that are capitalised within a name: proper nouns, which name an item alone.
        owners: word -> the items whose names hold it.
        known: token -> what :meth:`learn` found for it. Grows with the words seen, bounded.
    """

    __slots__ = ("words", "heads", "proper", "owners", "known", "_deletions", "_joined")

    def __init__(self, items: tuple[str, ...]) -> None:
        self.words: dict[str, frozenset[str]] = {}
        self.heads: dict[str, str] = {}
        self._joined: dict[str, list[Meaning]] = {}
        owners: dict[str, set[str]] = {}
        proper: set[str] = set()
        for item in items:
            name = _name(item)
            tokens = tokenise(name)
            row = [word for word in tokens if word not in _SMALL and word not in _BREAKS]
            self.words[item] = frozenset(row)
            self.heads[item] = _head(tokens)
            proper.update(
                token for word in name.split()[1:] if word[:1].isupper() for token in tokenise(word)
            )
            for word in row:
                owners.setdefault(word, set()).add(item)
            for a, b in pairwise(row):
                self._joined.setdefault(a + b, []).append(((a, b), frozenset((item,))))
        self.owners = {word: frozenset(found) for word, found in owners.items()}
        self.proper = frozenset(
            proper - {word for item in items for word in item.partition("/")[0].split("-")}
        )
        self._deletions = _deletions(sorted(owners))
        self.known: dict[str, tuple[Meaning, ...]] = {}

    def learn(self, token: str) -> tuple[Meaning, ...]:
        """What a token may stand for, the likeliest first; the first one that has an item on offer counts."""
        if len(self.known) >= _MEMO_SIZE:
            self.known.clear()
        self.known[token] = found = tuple(self._look_up(token))
        return found

    def _look_up(self, token: str) -> list[Meaning]:
        """The word itself, two words written as one, or (if it is no plural of a word) what it may be a typo of."""
        owners = self.owners
        found: list[Meaning] = [((token,), owners[token])] if token in owners else []
        if len(token) < 5 or token in common_words():
            return found
        found += self._joined.get(token, ())
        if len(token) >= 30:
            return found
        if token.endswith("s") and token[:-1] in owners:
            found.append(((), owners[token[:-1]]))
        for candidate in (token, *(token[:i] + token[i + 1 :] for i in range(len(token)))):
            found += [((word,), owners[word]) for word in self._deletions.get(candidate, ())]
        return found


class NameIndex:
    """Finds the names of one scenario's items in a row of tokens."""

    __slots__ = ("_offered", "_vocabulary")

    def __init__(self, vocabulary: Vocabulary, items: tuple[str, ...]) -> None:
        self._vocabulary, self._offered = vocabulary, frozenset(items)

    def find(self, tokens: Sequence[str]) -> list[Span]:
        """The items named in the tokens, left to right, without overlap."""
        known, found, last = self._vocabulary.known, [], 0
        for i, token in enumerate(tokens):
            meanings = known.get(token)
            if meanings is None:
                meanings = self._vocabulary.learn(token)
            if meanings and i >= last:
                stands_for = self._stands_for(token)
                if stands_for:
                    span = self._longest(tokens, i, stands_for)
                    if span is not None:
                        found.append(span)
                        last = span[1]
        return found

    def _stands_for(self, token: str) -> tuple[str, ...]:
        """The words of the offered items' names that a token stands for."""
        meanings = self._vocabulary.known.get(token)
        if meanings is None:
            meanings = self._vocabulary.learn(token)
        for words, owners in meanings:
            if not owners.isdisjoint(self._offered):
                return words
        return ()

    def _longest(self, tokens: Sequence[str], start: int, first: tuple[str, ...]) -> Span | None:
        """The item whose name has most of its words here, if these words name it."""
        vocabulary, word = self._vocabulary, first[0]
        owners = sorted(vocabulary.owners[word] & self._offered)
        best: tuple[int, float, int, str] | None = None
        tie = False
        for item in owners:
            words = vocabulary.words[item]
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
        if len(owners) > 1:
            return None
        before = tokens[start - 1] if start else ""
        if word in vocabulary.proper or (
            before in ("the", "that") and word == vocabulary.heads[item] and word not in _ANY
        ):
            return (start, end, item, True)
        return None if word in common_words() else (start, end, item, False)

    def _extend(self, tokens: Sequence[str], start: int, words: frozenset[str]) -> tuple[int, set[str]]:
        """How far the tokens go on with words of a name: (end, words seen)."""
        seen: set[str] = set()
        end = start
        for i in range(start, min(start + 12, len(tokens))):
            token = tokens[i]
            stands_for = self._stands_for(token)
            if stands_for and words.issuperset(stands_for):
                if seen.issuperset(stands_for):
                    break
                seen.update(stands_for)
                end = i + 1
            elif token not in _SMALL:
                break
        return end, seen


@lru_cache(maxsize=512)
def name_index(items: tuple[str, ...]) -> NameIndex:
    """The index of a scenario's items (ids of the catalogue)."""
    slug = items[0].partition("/")[0] if items else ""
    vocabulary = _place_vocabulary(slug)
    if not vocabulary.words.keys() >= set(items):  # of several places, or of another version's catalogue
        vocabulary = Vocabulary(items)
    return NameIndex(vocabulary, items)


@lru_cache(maxsize=64)
def _place_vocabulary(slug: str) -> Vocabulary:
    """The words of all names of a place."""
    return Vocabulary(
        tuple(item.id for place in catalogue.places() if place.slug == slug for item in place.items)
    )


def _deletions(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Every word of five letters or more, by itself and with one letter less -> the words that it may stand for."""
    found: dict[str, list[str]] = {word: [word] for word in words if len(word) >= 5}
    for word in list(found):
        for i in range(len(word)):
            row = found.setdefault(word[:i] + word[i + 1 :], [])
            if word not in row:
                row.append(word)
    return {shorter: tuple(row) for shorter, row in found.items()}


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
