"""At which level something is explained: by an everyday comparison, plainly, technically, or by an example.

Evidence is counted, not learned: phrases that announce a kind ("imagine", "for instance"), formulas, figures, terms of
art of the concept, single cases ("Anna buys three"), and words from another world than the concept's. What shows
nothing of the kind is plain.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..acts import KINDS
from .material import Material, is_content
from .stems import stem

_FORMULA = re.compile(
    r"\w\)?\s?(?:=|\^|≈|∝|≤|≥|<=|>=)\s?\S|\d\s?[*×·]\s?\d|\b\w{1,6} ?[*×·/] ?\w{1,6} ?="
    r"|sqrt|\b[A-Za-z]_\w|√|Δ|\b[A-Z] ?[*/×·] ?[A-Z]\b|\bO\(|[ρσμλΩΣ²³]|\b[A-Z] (?:equals|over|times) [A-Za-z]\b"
)
_NAME = re.compile(r"(?<=[a-z,;] )(?!I\b|I')[A-Z][a-z]{2,}")
_UNITS = frozenset(
    """kg grams gram g kilograms km m cm mm metres metre meters meter litres litre liters liter ml newton newtons
    joule joules watt watts volt volts amp amps ampere hertz hz celsius degrees kelvin pascal pascals bar seconds
    minutes hours euros euro dollars percent per cent bits bytes kb mb nm ph mol mmol""".split()
)
_COUNTS = frozenset(
    "two three four five six seven eight nine ten eleven twelve dozen twenty thirty forty fifty hundred thousand million millions".split()
)
_CASE = frozenset(
    "a an my your his her somebody someone one suppose say if when once take two three five ten there last in".split()
)
_GENERAL = frozenset(
    "always any anything everything every everyone all whatever however means mean called generally usually whenever simply never".split()
)
_PEOPLE = frozenset(
    "you your youre youll we our he she his her somebody someone friend shop baker farmer driver i my".split()
)
_PAST = frozenset(
    "was were had did went came took got gave made found fell rose grew sold bought said saw ran paid wrote won lost kept sank".split()
)
_LIKENED = frozenset(
    "a an the those these that when your my our two how having being trying putting going in with one some".split()
)
_LIKING = frozenset(
    "you i we they would things people anything something numbers nothing dont really to feels id not".split()
)


@dataclass(slots=True)
class Evidence:
    """What speaks for each kind of explanation in a piece of text."""

    points: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 0.0))

    def add(self, other: Evidence) -> None:
        """Take in another piece's evidence: the strongest of each kind counts."""
        for kind, value in other.points.items():
            if value > self.points[kind]:
                self.points[kind] = value

    @property
    def kind(self) -> str:
        """The kind with most evidence."""
        points = self.points
        return max(KINDS, key=lambda kind: points[kind])

    @property
    def strength(self) -> float:
        """How far the kind stands above plain."""
        return max(self.points.values()) - self.points["plain"]


def weigh(
    raw: str, tokens: Sequence[str], cues: set[str], table: Material, idea: int | None, defines: bool = False
) -> Evidence:
    """The evidence of one sentence; ``idea`` is what it explains, and whether it begins like a definition."""
    found = Evidence()
    figures = counts = units = long_words = past = general = 0
    strange = content = 0
    people = False
    art: set[str] = set()
    terms = table.art[idea] if idea is not None else frozenset()
    for token in tokens:
        if token[0].isdigit():
            figures += 1
            continue
        counts += token in _COUNTS
        units += token in _UNITS
        people = people or token in _PEOPLE
        past += token in _PAST or (len(token) > 5 and token.endswith("ed"))
        general += token in _GENERAL
        long_words += len(token) >= 11
        if is_content(token):
            content += 1
            root = stem(token)
            if root in terms:
                art.add(root)
            elif not table.weights(token):
                strange += 1
    alien = strange / content if content > 2 else 0.0
    names = len(_NAME.findall(raw))
    case = bool(tokens) and tokens[0] in _CASE
    amount = min(figures + 0.6 * counts, 3.0)
    formula = _FORMULA.search(raw) is not None
    points = found.points
    points["plain"] = 1.0 + 1.2 * ("plain" in cues) + 0.6 * defines + 0.2 * min(general, 2)
    points["analogy"] = (
        2.2 * ("analogy" in cues)
        + 1.6 * _simile(tokens)
        + 0.9 * (alien > 0.6)
        + 0.4 * (alien > 0.4)
        - 0.35 * min(figures, 3)
    )
    points["example"] = (
        2.4 * ("example" in cues)
        + 0.5 * amount
        + 0.2 * (figures > 0 and units > 0)
        + 0.4 * (figures > 0 and people)
        + 0.45 * case
        + 0.45 * (past > 0) * (1 if past > 1 or not defines else 0)
        + 0.4 * min(names, 2)
        + 0.35 * (alien > 0.4)
        - 0.9 * (formula and not people)
    )
    points["technical"] = (
        2.3 * formula
        + 1.1 * ("technical" in cues)
        + 0.4 * min(len(art), 4)
        + 0.25 * min(long_words, 3)
        + 0.2 * (figures > 0 and units > 0)
        - 0.4 * (alien > 0.5)
    )
    return found


def _simile(tokens: Sequence[str]) -> bool:
    """Whether "like" compares: "like a garden hose", but not "you like a garden"."""
    for i, token in enumerate(tokens[:-1]):
        if token == "like" and tokens[i + 1] in _LIKENED and (i == 0 or tokens[i - 1] not in _LIKING):
            return True
    return False
