"""What sentences have in common with the texts of each idea, in shared words and in meaning: the features by which
:mod:`ranking` tells what they are about. All are whole numbers, so that sums are exact whatever their order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ...language.tokens import tokenise
from ..content import Concept, concept
from . import sets
from .encoder import encoded
from .heard import Told, heard
from .material import FIELDS, Material, content, is_content, material, related, texts_of
from .sentences import Sentence
from .setting import Setting
from .stems import stem
from .vectors import UNIT, Ints, size, table, total, unit

TEXTS = ("name", "terms", "related", "heard", *FIELDS)
"""What an idea is known by; ``heard``: what teachers said of it in the labelled utterances that train."""
ONE = 256
"""What 1 is in whole numbers."""
_NEAR = (0.35, 0.5)
"""Likeness of words from which it counts."""
_MEMO = 2_048
_PARTS = frozenset((",", ";", ":", ".", "—", "–", "and", "then", "but", "so"))
_TOUCHES = 0.3 * ONE
KINDS_HEARD = ("explain", "correct", "quiz")
_COUNTED = (
    "score", "root of score", "early names", "definitions", "names", "terms", "any text", "belief covered",
    "answer covered", "doubted", "talked of before", "talked of in the turn", "what it rests on", "place",
    "near words", "near words squared", *(f"words nearer than {bound}" for bound in _NEAR),
    "nearest text", "mean text", "three nearest texts",
)  # fmt: skip
_OF_KIND = {
    "correct": ("doubted", "belief covered", "words of belief", "words of correction", "meaning of belief",
                "meaning of correction", "sense of belief", "sense of correction"),
    "quiz": ("words of quiz", "meaning of quiz", "sense of quiz", "words of right", "talked of in the turn",
             "talked of before"),
}  # fmt: skip
_PLAIN = (
    *_COUNTED,
    *(f"words of {name}" for name in TEXTS),
    *(f"meaning of {name}" for name in TEXTS),
    "likest said",
    *(f"sense of {name}" for name in TEXTS),
    "nearest sense",
    "three nearest senses",
)
FEATURES = (*_PLAIN, *(f"{name}, {kind}" for kind, names in _OF_KIND.items() for name in names))
"""Names of the features of an idea."""
_MATERIAL = [i for i, name in enumerate(TEXTS) if name != "heard"]
_PLACES = {kind: [_PLAIN.index(name) for name in names] for kind, names in _OF_KIND.items()}


class Meaning:
    """The tables of one concept.

    Args:
        entry: the concept.
        said: for each idea what teachers have said of it.
        without: one of ``material.FIELDS`` to leave out, to see how well the others tell of it.
    """

    __slots__ = (
        "words",
        "_kinds",
        "_memo",
        "_near",
        "_ends",
        "_of",
        "_owners",
        "_rests",
        "_said",
        "_senses",
        "_texts",
        "_weights",
    )

    def __init__(self, entry: Concept, said: Sequence[Told], without: str = "") -> None:
        rows = []
        for idea, more, told in zip(entry.ideas, related(entry), said, strict=True):
            texts = {
                "name": idea.name,
                "terms": ", ".join(idea.terms),
                "related": more,
                "heard": " ".join(words for _, words in told.said),
                **texts_of(idea),
            }
            rows.append([texts[name] if name != without else "" for name in TEXTS])
        self.words: Material = material(entry.id) if not without else Material(entry, without)
        self._weigh([[content(text) for text in line] for line in rows])
        self._texts = np.array([unit(_meant(text)) for line in rows for text in line])
        self._rests = np.array(
            [[j in rests for j in range(len(rows))] for rests in self.words.rests], np.int64
        )
        near = [np.array([unit(table()[1][i].astype(np.int64)) for i in _rows(line)]) for line in rows]
        self._near = np.concatenate(near)
        self._ends = np.cumsum([0, *(len(part) for part in near[:-1])])
        self._senses = np.array(
            [
                _sense_heard(told.sense) if name == "heard" else _sense_of(text)
                for line, told in zip(rows, said, strict=True)
                for name, text in zip(TEXTS, line, strict=True)
            ]
        )
        lines = [(i, kind, words) for i, told in enumerate(said) for kind, words in told.said]
        self._said = np.array([unit(_meant(words)) for _, _, words in lines], np.int64).reshape(-1, size())
        self._of = np.array([i for i, _, _ in lines], np.int64)
        kinds = [kind for _, kind, _ in lines]
        self._kinds = {name: np.array([kind == name for kind in kinds], bool) for name in KINDS_HEARD}
        self._memo: dict[str, Ints] = {}

    def _weigh(self, stems: Sequence[Sequence[frozenset[str]]]) -> None:
        """What a shared stem tells: the more, the fewer ideas know it."""
        n = len(stems)
        owners: dict[str, set[int]] = {}
        for i, line in enumerate(stems):
            for word in frozenset().union(*line):
                owners.setdefault(word, set()).add(i)
        self._weights = {
            word: round(ONE * math.log((n + 0.5) / len(held)) / math.log(n + 0.5))
            for word, held in owners.items()
        }
        self._owners = {
            word: [(i, k) for i in sorted(held) for k in range(len(TEXTS)) if word in stems[i][k]]
            for word, held in owners.items()
        }

    def nearness(self, word: str) -> Ints:
        """How near a stem comes to the words of each idea, (ideas, 4), weighted by how rare it is."""
        found = self._memo.get(word)
        if found is None:
            if len(self._memo) > _MEMO:
                self._memo.clear()
            found = self._memo[word] = self._nearest(table()[0].get(word, -1))
        return found

    def _nearest(self, place: int) -> Ints:
        n = len(self._ends)
        found = np.zeros((n, 2 + len(_NEAR)), np.int64)
        if place < 0:
            return found
        vector = table()[1][place].astype(np.int64)
        best = np.maximum.reduceat(self._near @ unit(vector), self._ends) / UNIT**2
        above = best - best.sum() / n
        rare = min(math.sqrt(int(vector @ vector)) / _LONG, 1.0)
        columns = (above, np.maximum(above, 0.0) ** 2, *(np.maximum(best - bound, 0.0) for bound in _NEAR))
        found[:] = np.rint(np.array(columns).T * (rare * ONE))
        return found

    def likeness(self, vector: Ints) -> Ints:
        """How like a sum of word vectors is to each text of each idea, (ideas, texts), in units of ``ONE``."""
        found: Ints = (self._texts @ unit(vector)) * ONE // UNIT**2
        return found.reshape(len(self._ends), len(TEXTS))

    def _sensed(self, members: Sequence[Sentence]) -> Ints:
        """How like sentences are in meaning to each text of each idea, of which the encoder reads the beginning:
        (ideas, texts), in units of ``ONE``."""
        found: Ints = (self._senses @ sense(members)) * ONE // UNIT**2
        return found.reshape(len(self._ends), len(TEXTS))

    def _echo(self, vector: Ints) -> Ints:
        """How like a sum of word vectors is to the likest of what was said of each idea."""
        found = np.zeros(len(self._ends), np.int64)
        np.maximum.at(found, self._of, (self._said @ unit(vector)) * ONE // UNIT**2)
        return found

    def echoes(self, vector: Ints) -> dict[str, int]:
        """How like a sum of word vectors is to the likest of what was said, by kind of act, in units of ``ONE``."""
        like = (self._said @ unit(vector)) * ONE // UNIT**2
        return {kind: int(like[chosen].max(initial=0)) for kind, chosen in self._kinds.items()}

    def touched(self, tokens: Sequence[str]) -> tuple[int, set[int]]:
        """How many clauses there are, and which ideas they come near to."""
        clauses, found = 0, set()
        for ends, clause in groupby(tokens, key=_PARTS.__contains__):
            roots = {} if ends else dict.fromkeys(stem(token) for token in clause if is_content(token))
            if roots:
                clauses += 1
                near = np.sum([self.nearness(root)[:, 0] for root in roots], axis=0)
                best = int(np.argmax(near))
                if near[best] >= _TOUCHES:
                    found.add(best)
        return clauses, found

    def features(self, members: Sequence[Sentence], setting: Setting, current: int, kind: str) -> Ints:
        """What speaks for each idea: (ideas, :data:`FEATURES`).

        Args:
            members: sentences that belong together.
            setting: what was before the turn.
            current: the idea talked of before in the turn, or -1.
            kind: what the sentences do.
        """
        n = len(self._ends)
        roots = dict.fromkeys(stem(t) for now in members for t in now.tokens if is_content(t))
        scores = _sum([[round(ONE * value) for value in now.scores] for now in members], n)
        shared = np.zeros((n, len(TEXTS)), np.int64)
        some = np.zeros(n, np.int64)
        near = np.zeros((n, 2 + len(_NEAR)), np.int64)
        for root in roots:
            near += self.nearness(root)
            weight = self._weights.get(root, 0)
            if weight:
                places = self._owners[root]
                for i, k in places:
                    shared[i, k] += weight
                for i in {i for i, _ in places}:
                    some[i] += weight
        vector = total(t for now in members for t in now.tokens if is_content(t))
        like = self.likeness(vector)
        ordered = np.sort(like, axis=1)
        senses = self._sensed(members)
        written = np.sort(senses[:, _MATERIAL], axis=1)
        held = set(roots)
        columns = [
            scores, np.rint(np.sqrt(np.maximum(scores, 0) * ONE)).astype(np.int64), *_hits(members, n), some,
            [round(ONE * self.words.covered(i, held)) for i in range(n)],
            [round(ONE * self.words.answered(i, held)) for i in range(n)],
            *(_at(place, n) for place in (setting.doubt, setting.focus, current)), self._rests @ scores,
            [ONE * i // n for i in range(n)], *near.T, ordered[:, -1], like.sum(axis=1) // len(TEXTS),
            ordered[:, -3:].sum(axis=1) // 3, *shared.T, *like.T, self._echo(vector),
            *senses.T, written[:, -1], written[:, -3:].sum(axis=1) // 3,
        ]  # fmt: skip
        plain = np.array(columns, np.int64).T
        parts = [
            plain[:, at] if name == kind else np.zeros((n, len(at)), np.int64) for name, at in _PLACES.items()
        ]
        return np.hstack([plain, *parts])


_LONG = 30.0
"""Length of a row from which its word counts as rare."""


def _sum(rows: Sequence[Sequence[int]], n: int) -> Ints:
    return np.array(rows, np.int64).reshape(-1, n).sum(axis=0)


def _at(place: int, n: int) -> NDArray[np.int64]:
    found = np.zeros(n, np.int64)
    if place >= 0:
        found[place] = ONE
    return found


def _hits(members: Sequence[Sentence], n: int) -> Ints:
    """Names early in a sentence, definitions, names, and terms: (4, ideas)."""
    found = np.zeros((4, n), np.int64)
    for now in members:
        for place, owner, kind in now.hits:
            if kind != "name":
                found[3, owner] += 1
                continue
            found[2, owner] += 1
            if place <= 4:
                found[0, owner] += 1
                found[1, owner] += not sets.DEFINING.isdisjoint(now.tokens[place + 1 : place + 5])
    return np.minimum(found, 2) * ONE


def _meant(text: str) -> Ints:
    """The sum of the word vectors of a text."""
    return total(token for token in tokenise(text) if is_content(token))


def sense(members: Sequence[Sentence]) -> Ints:
    """What sentences mean, by :mod:`encoder`, of length ``UNIT``."""
    return unit(sum((encoded(now.whole) for now in members), start=np.zeros_like(encoded(()))))


def _sense_of(text: str) -> Ints:
    found = unit(encoded(tuple(tokenise(text))))
    return found if text else np.zeros_like(found)


def _sense_heard(sense: Sequence[int]) -> Ints:
    """What was said of an idea; zeros where nothing was."""
    return np.array(sense, np.int64) if sense else np.zeros_like(encoded(()))


def _rows(texts: Sequence[str]) -> list[int]:
    """Rows of the words of texts; the row of the first word of the table where there are none."""
    known = table()[0]
    found = sorted({known[root] for text in texts for root in content(text) if root in known})
    return found or [0]


@lru_cache(maxsize=512)
def meaning(concept_id: str) -> Meaning:
    """The tables of a concept; raises UnknownName for an unknown id."""
    entry = concept(concept_id)
    told = heard().get(concept_id, {})
    return Meaning(entry, [told.get(idea.id, Told()) for idea in entry.ideas])


__all__ = ["FEATURES", "ONE", "TEXTS", "Meaning", "meaning"]
