"""Which facts of a brief a sentence states: overlap of words and numbers, weighed by how rare they are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from dialog_envs.tasks.language.tokens import tokenise
from dialog_envs.tasks.persuasion.content import charities, charity
from dialog_envs.tasks.persuasion.language.amounts import WORDS, amounts

STOP = frozenset(
    """a an the of to in on at by for from with and or but so as is are was were be been being it its this that
    these those they them their he she his her him we us our you your i me my who whom which what when where
    how not no nor do does did has have had can could will would may might shall should there here than then
    also just only very much more most some any every each all both into out up down over off per about
    after before until since while because if again still even now let get got go goes one make makes made
    take takes""".split()
)
_MONEY = frozenset("euro euros eur cent cents percent € $ £".split())


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """A word without the commonest endings: "repairs", "repaired" and "repairing" are one."""
    if word in WORDS or len(word) < 4 or not word.isalpha():
        return word
    for ending in ("ations", "ation", "ings", "ing", "ies", "ied", "ers", "es", "ed", "er", "ly", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + ("y" if ending in ("ies", "ied") else "")
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def content(tokens: list[str]) -> dict[str, int]:
    """The stems of the words that say something, and numbers by value, each with where it stands first.

    ``€10`` is an amount of money, ``#10`` any other number; cents of a euro count as percent.
    """
    found: dict[str, int] = {}
    numbers: set[int] = set()
    for amount in amounts(tokens):
        numbers.update(range(amount.start, amount.end))
        if amount.digits or amount.value >= 2:
            cents = amount.money and 0 < amount.value < 1
            mark = "€" if amount.money and not cents else "#"
            found.setdefault(f"{mark}{amount.value * 100 if cents else amount.value:g}", amount.start)
    for i, token in enumerate(tokens):
        if i not in numbers and token[0].isalpha() and token not in STOP and token not in _MONEY:
            found.setdefault(stem(token), i)
    return found


@dataclass(frozen=True, slots=True)
class FactTable:
    """What can be looked up of a charity's facts.

    Attributes:
        id: of the charity.
        rows: (kind, weight of each stem) of every fact; the charity's pitch counts as a mission.
        weights: stem -> weight, over all facts of the charity.
        numbers: every number that the brief holds.
        words: every word of the brief, as it stands there in lower case.
    """

    id: str
    rows: tuple[tuple[str, dict[str, float]], ...]
    weights: dict[str, float]
    numbers: frozenset[float]
    words: frozenset[str]

    def stated(self, found: dict[str, int]) -> dict[str, tuple[float, float, set[str]]]:
        """Kind -> (weight in common, share of the fact, stems in common) of the best fact of each kind."""
        best: dict[str, tuple[float, float, set[str]]] = {}
        known = [word for word in found if word in self.weights]
        if not known:
            return best
        for kind, row in self.rows:
            common = {word for word in known if word in row}
            if common:
                weight = sum(row[word] for word in common)
                if weight > best.get(kind, (0.0, 0.0, common))[0]:
                    best[kind] = (weight, weight / sum(row.values()), common)
        return best


Common = Mapping[str, tuple[float, float, set[str]]]
"""Kind of fact -> weight in common, share of the fact, stems in common."""


@lru_cache(maxsize=16_384)
def stated(charity_id: str, sentence: str) -> tuple[Mapping[str, int], Common]:
    """What a sentence (tokens, joined by blanks) holds, as :func:`content` and :meth:`FactTable.stated` say it."""
    found = content(sentence.split(" "))
    return found, fact_table(charity_id).stated(found)


@lru_cache(maxsize=1)
def _rarity() -> dict[str, float]:
    """Stem -> weight: 1 for a stem of a single fact among all charities, less for common ones."""
    count: Counter[str] = Counter()
    total = 0
    for entry in charities():
        for _, text in entry.facts:
            count.update(content(tokenise(text)).keys())
            total += 1
    return {word: math.log(total / seen) / math.log(total) for word, seen in count.items()}


@lru_cache(maxsize=256)
def fact_table(charity_id: str) -> FactTable:
    """The table of a charity.

    Raises:
        UnknownName: there is no such charity.
    """
    entry = charity(charity_id)
    rarity = _rarity()
    name = set(content(tokenise(entry.name)))
    rows: list[tuple[str, dict[str, float]]] = []
    numbers: set[float] = set()
    words: set[str] = set(tokenise(entry.name))
    for kind, text in (*entry.facts, ("mission", entry.pitch)):
        tokens = tokenise(text)
        words.update(tokens)
        numbers.update(amount.value for amount in amounts(tokens))
        numbers.update(amount.value * 100 for amount in amounts(tokens) if 0 < amount.value < 1)
        row = {word: rarity.get(word, 1.0) * (0.5 if word in name else 1.0) for word in content(tokens)}
        if kind == "impact":
            parts = [content(tokenise(part)) for part in text.split(",")]
            rows += [
                (kind, {word: row[word] for word in part if word in row}) for part in parts if len(part) > 1
            ]
        rows.append((kind, row))
    weights = {word: weight for _, row in rows for word, weight in row.items()}
    return FactTable(charity_id, tuple(rows), weights, frozenset(numbers), frozenset(words))
