"""At which level something is explained: by an everyday comparison, plainly, technically, or by an example.

Evidence is counted, not learned: phrases that announce a kind ("imagine", "for instance"), formulas and figures, and
terms of art of the concept. What announces nothing is plain.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..acts import KINDS
from .material import Material
from .stems import stem

_FORMULA = re.compile(
    r"\w\s?(?:=|\^|≈|∝|≤|≥|<=|>=)\s?\S|\d\s?[*×·]\s?\d|\b\w{1,6} ?[*×·/] ?\w{1,6} ?="
    r"|sqrt|\b[A-Za-z]_\w|√|Δ|\b[A-Z] ?[*/×] ?[A-Z]\b|\blog\("
)
_UNITS = frozenset(
    """kg grams gram g kilograms km m cm mm metres metre meters meter litres litre liters liter ml newton newtons
    joule joules watt watts volt volts amp amps ampere hertz hz celsius degrees kelvin pascal pascals bar seconds
    minutes hours euros euro dollars percent per cent bits bytes kb mb nm ph mol mmol""".split()
)
_PEOPLE = frozenset(
    "you your youre youll we our he she his her somebody someone friend shop baker farmer driver family".split()
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


def weigh(raw: str, tokens: Sequence[str], cues: set[str], table: Material, idea: int | None) -> Evidence:
    """The evidence of one sentence; ``idea`` is what it explains, as far as that is known."""
    found = Evidence()
    points = found.points
    figures = sum(token[0].isdigit() for token in tokens)
    units = sum(token in _UNITS for token in tokens)
    people = any(token in _PEOPLE for token in tokens)
    long_words = sum(len(token) >= 11 and token.isalpha() for token in tokens)
    art: set[str] = set()
    if idea is not None:
        terms = table.art[idea]
        art = {root for root in map(stem, tokens) if root in terms}
    points["plain"] = 1.0 + ("plain" in cues) * 1.5
    points["analogy"] = ("analogy" in cues) * 2.2 - 0.4 * min(figures, 3)
    points["example"] = (
        ("example" in cues) * 2.4
        + min(figures, 3) * 0.5
        + (figures > 0 and units > 0) * 0.2
        + (figures > 0 and people) * 0.4
    )
    points["technical"] = (
        2.4 * (_FORMULA.search(raw) is not None)
        + 1.2 * ("technical" in cues)
        + min(len(art), 4) * 0.4
        + min(long_words, 3) * 0.25
        + (figures > 0 and units > 0) * 0.2
    )
    return found
