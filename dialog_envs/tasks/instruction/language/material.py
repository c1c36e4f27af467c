"""What the words of a concept say about its ideas: tables made once a concept from the teaching material.

An idea is recognised by its name and terms, and by the words of its texts, each weighted by how specific it is within
the concept (inverse document frequency over the concept's ideas, Sparck Jones, 1972): "density" is everywhere in a
lesson on floating, "displaced" only where displacement is explained.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from ....tasks.language.phrases import Trie
from ....tasks.language.tokens import tokenise
from ....tasks.language.words import COMMON_WORDS
from ..content import Concept, Idea, concept
from .stems import stem

FIELDS = ("analogy", "plain", "technical", "example", "quiz", "right", "belief", "correction")
"""Texts of an idea. Misconceptions beyond the first count with it."""
_WEIGHTS = dict(zip(FIELDS, (0.8, 1.1, 1.1, 0.8, 0.8, 0.7, 0.6, 0.6), strict=True))
_NAME, _TERM, _COMMON = 1.6, 1.5, 0.35
_RELATED = 1.3
_PHRASE = {"name": 2.2, "term": 1.3}
"""What a whole name or term adds to the weights of its words."""
TAIL, LONGER, SHORT = 6, 11, 4
"""A sentence of the material is known again by its last ``TAIL`` words, whatever leads in to it, or by ``LONGER`` where
sentences end alike; those of fewer than ``SHORT`` words are not."""

_STOP = frozenset(
    """a an the and or but if then so of to in on at by with for from as into onto than that this these
        those it its is are was were be been being am do does did done has have had will would can could
        should may might must shall not no nor yes i me my you your we us our they them their he she his her
        one ones there here when where while what which who whom whose why how because about after before
        between during over under up down out off again very too just only also even more most much many
        some any all both each every other another such same own still yet ever never always often sometimes
        get gets got make makes made take takes took go goes went come comes came say says said see sees
        know think like means mean meaning called thing things something anything nothing everything way
        ways kind kinds sort lot lots bit time times well now really let lets im youre theyre dont doesnt
        isnt arent cant wont id ill ive thats whats theres actually imagine picture example instance suppose
        idea ideas two three first second exactly simply question answer explain understand tell tells keep
        keeps give gives put puts use uses used using rather quite almost nearly however therefore hence
        thus without within through across along against though although whether until since else itself
        themselves yourself myself common mistake mistaken people many good right wrong true false sure
        little big small large great long short high low new old day days part parts whole place number
        numbers""".split()
)


_ARTICLES = frozenset(("the", "a", "an"))


class Material:
    """The tables of one concept.

    Attributes:
        id: the concept's id.
        ids: ids of the ideas, in teaching order.
        rests: for each idea all ideas that it rests on, directly or not.
        phrases: names and terms as rows of stems; meanings are ("name" or "term", idea's position, "").
        tails: the last words of each sentence of the material -> (idea's position, field).
        art: for each idea the stems of its technical text that no everyday text of the concept holds.
        beliefs: for each idea the stems of its misconceptions and what meets them -> how much each tells.
    """

    __slots__ = (
        "id",
        "ids",
        "index",
        "rests",
        "phrases",
        "tails",
        "art",
        "beliefs",
        "_wrong",
        "_right",
        "_named",
        "_fields",
        "_weights",
        "_known",
    )

    def __init__(self, entry: Concept, without: str = "") -> None:
        """``without``: a field to leave out, to see how well the others tell of it."""
        ideas = entry.ideas
        self.id = entry.id
        self.ids = tuple(idea.id for idea in ideas)
        self.index = {id: i for i, id in enumerate(self.ids)}
        self.rests = _closure(entry.needs)
        texts = [
            {field: text for field, text in texts_of(idea).items() if field != without} for idea in ideas
        ]
        stems = [{field: content(text) for field, text in row.items()} for row in texts]
        more = [frozenset(stem(w) for w in tokenise(text) if w[0].isalnum()) for text in related(entry)]
        self._weights = _weigh(ideas, stems, more)
        self._fields = _fields(stems)
        self._named = frozenset(
            word
            for idea in ideas
            for word in tokenise(idea.name)
            if len(word) > 3 and word not in ("that", "with", "when", "about")
        )
        self._known: dict[str, tuple[tuple[int, float], ...]] = {}
        self.phrases = _phrases(ideas)
        self.tails = _tails(texts)
        everyday = {
            word for row in stems for field in ("analogy", "plain", "right") for word in row.get(field, ())
        }
        self.art = tuple(row.get("technical", frozenset()) - everyday - _COMMON_STEMS for row in stems)
        self.beliefs = _beliefs(stems)
        self._right = tuple(row.get("right", frozenset()) for row in stems)
        self._wrong = tuple(
            {root: self.beliefs[i][root] for root in row.get("belief", ())} for i, row in enumerate(stems)
        )

    def weights(self, word: str) -> tuple[tuple[int, float], ...]:
        """(idea's position, weight) of every idea that a word speaks for."""
        found = self._known.get(word)
        if found is None:
            found = self._weights.get(stem(word), ()) if word not in _STOP or word in self._named else ()
            if len(self._known) > 4_096:
                self._known.clear()
            self._known[word] = found
        return found

    def scores(self, tokens: Sequence[str]) -> tuple[list[float], list[tuple[int, int, str]]]:
        """How strongly tokens speak for each idea, and where names and terms stand: (position, idea, name or term)."""
        scores = [0.0] * len(self.ids)
        known = self._known
        seen: set[str] = set()
        rows = [stem(token) for token in tokens]
        for token, root in zip(tokens, rows, strict=True):
            if root in seen:
                continue
            seen.add(root)
            pairs = known.get(token)
            for i, weight in self.weights(token) if pairs is None else pairs:
                scores[i] += weight
        places = [i for i, token in enumerate(tokens) if token not in _ARTICLES]
        hits = [(places[i], idea, kind) for i, idea, kind in self._find([rows[i] for i in places])]
        named = set()
        for _, i, kind in hits:
            if (i, kind) not in named:
                named.add((i, kind))
                scores[i] += _PHRASE[kind]
        return scores, hits

    def answered(self, idea: int, roots: set[str]) -> float:
        """The share of an idea's right answer that stems restate, 0 to 1."""
        right = self._right[idea]
        return len(right & roots) / len(right) if right else 0.0

    def echoes(self, idea: int, roots: set[str]) -> dict[str, float]:
        """How much stems repeat each text of an idea: field -> number of stems that only few texts hold."""
        found: dict[str, float] = {}
        for root in roots:
            for owner, field, weight in self._fields.get(root, ()):
                if owner == idea:
                    found[field] = found.get(field, 0.0) + weight
        return found

    def recognise(self, words: Sequence[str]) -> tuple[int, str] | None:
        """(idea's position, field) of the sentence of the material that words end with."""
        for length in range(LONGER, SHORT - 1, -1):
            found = self.tails.get(tuple(words[-length:]))
            if found is not None:
                return found
        return None

    def covered(self, idea: int, roots: set[str]) -> float:
        """The share of an idea's first misconception that stems restate, 0 to 1, by the weight of its words."""
        belief = self._wrong[idea]
        total = sum(belief.values())
        return sum(weight for root, weight in belief.items() if root in roots) / total if total else 0.0

    def _find(self, rows: list[str]) -> list[tuple[int, int, str]]:
        """Names and terms in a row of stems: the longest at each place."""
        found: list[tuple[int, int, str]] = []
        i, n, root = 0, len(rows), self.phrases
        while i < n:
            node, j, best = root.get(rows[i]), i, None
            while node is not None:
                j += 1
                if "" in node:
                    best = (j, node[""])
                node = node.get(rows[j]) if j < n else None
            if best is None:
                i += 1
                continue
            found.extend((i, idea, kind) for idea, kind in best[1])
            i = best[0]
        return found


@lru_cache(maxsize=512)
def material(concept_id: str) -> Material:
    """The tables of a concept; raises UnknownName for an unknown id."""
    return Material(concept(concept_id))


def is_content(word: str) -> bool:
    """Whether a word may say what a text is about."""
    return word not in _STOP and word[0].isalpha()


def normal(text: str) -> tuple[str, ...]:
    """The words of a text by which it is known again: tokens without marks."""
    return tuple(token for token in tokenise(text) if token[0].isalnum())


def sentences(text: str) -> list[str]:
    """The sentences of a text of the material."""
    parts, start = [], 0
    for i, char in enumerate(text):
        if char in ".?!" and (i + 1 == len(text) or text[i + 1] == " "):
            parts.append(text[start : i + 1])
            start = i + 1
    return [*parts, text[start:]] if text[start:].strip() else parts


def texts_of(idea: Idea) -> dict[str, str]:
    """The texts of an idea by :data:`FIELDS`."""
    wrong = idea.misconceptions
    return {
        "analogy": idea.analogy, "plain": idea.plain, "technical": idea.technical, "example": idea.example,
        "quiz": idea.quiz, "right": idea.right, "belief": " ".join(m.belief for m in wrong),
        "correction": " ".join(m.correction for m in wrong),
    }  # fmt: skip


def content(text: str) -> frozenset[str]:
    """Stems of the words that say what a text is about."""
    return frozenset(stem(word) for word in tokenise(text) if word[0].isalnum() and word not in _STOP)


_COMMON_STEMS = frozenset(stem(word) for word in COMMON_WORDS)


@lru_cache(maxsize=1)
def _words() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = tomllib.loads(
        (files(__package__) / "grammar" / "related.toml").read_text(encoding="utf-8")
    )
    return found


def related(entry: Concept) -> list[str]:
    """For each idea the words that people use about it beyond the material's own."""
    row = _words().get(entry.id, {})
    return [row.get(idea.id, "") for idea in entry.ideas]


def _weigh(
    ideas: Sequence[Idea], stems: Sequence[dict[str, frozenset[str]]], related: Sequence[frozenset[str]]
) -> dict[str, tuple[tuple[int, float], ...]]:
    """Stem -> what it says for each idea."""
    n = len(ideas)
    best: dict[str, dict[int, float]] = {}
    for i, row in enumerate(stems):
        for field, words in row.items():
            for word in words:
                seen = best.setdefault(word, {})
                weight = _WEIGHTS[field]
                seen[i] = max(seen.get(i, 0.0), weight) + 0.2 * min(seen.get(i, 0.0), weight)
        for text, weight in ((ideas[i].name, _NAME), *((term, _TERM) for term in ideas[i].terms)):
            words = content(text)
            if weight == _NAME:
                words |= {stem(word) for word in tokenise(text) if len(word) > 3 and word.isalpha()}
            for word in words:
                seen = best.setdefault(word, {})
                seen[i] = max(seen.get(i, 0.0), weight / max(len(words), 1) ** 0.5)
    for i, words in enumerate(related):
        for word in words:
            seen = best.setdefault(word, {})
            seen[i] = max(seen.get(i, 0.0), _RELATED) + 0.2 * min(seen.get(i, 0.0), _RELATED)
    result = {}
    for word, owners in best.items():
        specific = math.log((n + 0.5) / len(owners)) / math.log(n + 0.5)
        if word in _COMMON_STEMS:
            specific *= _COMMON
        if word[0].isdigit():
            specific *= 0.8
        result[word] = tuple((i, weight * specific) for i, weight in sorted(owners.items()))
    return result


def _fields(stems: Sequence[dict[str, frozenset[str]]]) -> dict[str, tuple[tuple[int, str, float], ...]]:
    """Stem -> the texts (idea, field) that hold it, for stems of at most three texts, with a weight."""
    places: dict[str, list[tuple[int, str]]] = {}
    for i, row in enumerate(stems):
        for field, words in row.items():
            for word in words:
                places.setdefault(word, []).append((i, field))
    return {
        word: tuple((i, field, (0.5 if word in _COMMON_STEMS else 1.0) / len(found)) for i, field in found)
        for word, found in places.items()
        if len(found) <= 3
    }


def _beliefs(stems: Sequence[dict[str, frozenset[str]]]) -> tuple[dict[str, float], ...]:
    """For each idea the stems of its misconceptions, and what meets them, with what each tells of it."""
    owners: dict[str, int] = {}
    for row in stems:
        for word in row.get("belief", frozenset()) | row.get("correction", frozenset()):
            owners[word] = owners.get(word, 0) + 1
    n = len(stems)
    found = []
    for row in stems:
        weights = {}
        for field, share in (("correction", 0.7), ("belief", 1.0)):
            for word in row.get(field, ()):
                weights[word] = share * (0.3 + 0.7 * math.log((n + 0.5) / owners[word]) / math.log(n + 0.5))
        found.append(weights)
    return tuple(found)


def _phrases(ideas: Sequence[Idea]) -> Trie:
    """Names and terms as a tree of stems; under "" stand the (idea, kind) that end there."""
    root: Trie = {}
    for i, idea in enumerate(ideas):
        for text, kind in ((idea.name, "name"), *((term, "term") for term in idea.terms)):
            words = [stem(word) for word in tokenise(text) if word != "," and word not in _ARTICLES]
            node = root
            for word in words:
                node = node.setdefault(word, {})
            if words:
                ends: list[tuple[int, str]] = node.setdefault("", [])
                if all(owner != i for owner, _ in ends):
                    ends.append((i, kind))
    return root


def _tails(texts: Sequence[dict[str, str]]) -> dict[tuple[str, ...], tuple[int, str]]:
    """The last words of each sentence -> where it stands. Sentences that end alike are known by more of their words;
    those that end alike even so are left out."""
    found: dict[tuple[str, ...], set[tuple[int, str]]] = {}
    for i, row in enumerate(texts):
        for field, text in row.items():
            for part in sentences(text):
                words = normal(part)
                if len(words) >= SHORT:
                    for size in (TAIL, LONGER):
                        found.setdefault(words[-size:], set()).add((i, field))
    return {tail: next(iter(places)) for tail, places in found.items() if len(places) == 1}


def _closure(needs: Sequence[Sequence[int]]) -> tuple[frozenset[int], ...]:
    rests: list[frozenset[int]] = []
    for row in needs:  # what an idea needs stands before it
        rests.append(frozenset(row).union(*(rests[j] for j in row)))
    return tuple(rests)
