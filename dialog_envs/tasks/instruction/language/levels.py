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
    """kg grams gram g kilograms km m cm mm metres metre meters meter litres litre liters liter ml newton
        newtons joule joules watt watts volt volts amp amps ampere hertz hz celsius degrees kelvin pascal
        pascals bar seconds minutes hours euros euro dollars percent per cent bits bytes kb mb nm ph mol
        mmol""".split()
)
_COUNTS = frozenset(
    """two three four five six seven eight nine ten eleven twelve dozen twenty thirty forty fifty hundred
        thousand million millions""".split()
)
_CASE = frozenset(
    """a an my your his her somebody someone one suppose say if when once take two three five ten there
        last in""".split()
)
_GENERAL = frozenset(
    """always any anything everything every everyone all whatever however means mean called generally
        usually whenever simply never""".split()
)
_PEOPLE = frozenset("you your youre youll he she his her somebody someone friend i my".split())
_PAST = frozenset(
    """was were had did went came took got gave made found fell rose grew sold bought said saw ran paid
        wrote won lost kept sank""".split()
)
_ONE = frozenset("a an one two three".split())
_IF = frozenset("if when once after in on".split())
_LIKENED = frozenset(
    """a an the those these that when your my our two how having being trying putting going in with one
        some""".split()
)
_LIKING = frozenset(
    """you i we they would things people anything something numbers nothing dont really to feels id not""".split()
)


@dataclass(slots=True)
class Evidence:
    """What speaks for each kind of explanation in a piece of text."""

    points: dict[str, float] = field(default_factory=lambda: {**dict.fromkeys(KINDS, -9.0), "plain": 0.0})

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


_WEIGHTS: dict[str, tuple[float, float, float]] = {
    "analogy cue": (2.2, 0.0, 0.0), "simile": (1.6, 0.0, 0.0), "strange": (0.8, -0.4, 0.4),
    "very strange": (0.6, -0.2, 0.2), "strange, no figures": (0.7, 0.0, 0.0), "figures": (-0.3, 0.1, 0.4),
    "any figure": (-0.1, 0.2, 0.2), "counts": (0.0, 0.0, 0.3), "units": (0.0, 0.2, 0.2), "you": (0.1, -0.3, 0.2),
    "past": (0.0, -0.1, 0.3), "names": (0.0, 0.0, 0.4), "formula": (0.0, 2.3, -0.8), "technical cue": (0.0, 1.1, 0.0),
    "example cue": (0.0, 0.0, 2.4), "plain cue": (-1.0, -1.0, -1.0), "defines": (-0.5, -0.4, -0.6),
    "terms of art": (-0.1, 0.4, 0.0), "long words": (-0.1, 0.35, 0.0), "word length": (-0.2, 0.6, -0.1),
    "general": (-0.1, -0.2, -0.3), "case": (0.1, -0.1, 0.5), "one of": (0.3, 0.0, 0.3), "if": (-0.1, 0.0, 0.3),
    "figures in a case": (0.0, -0.2, 0.5), "figures alone": (0.0, 0.6, -0.3), "bias": (-0.85, -0.85, -0.95),
}  # fmt: skip
"""What each feature adds to (analogy, technical, example), against plain."""
_ECHO = 0.6
"""What each word adds that only the material's text of that kind holds."""
_ORDER = ("analogy", "technical", "example")


def weigh(
    raw: str, tokens: Sequence[str], cues: set[str], table: Material, idea: int | None, defines: bool = False
) -> Evidence:
    """The evidence of one sentence; ``idea`` is what it explains, and whether it begins like a definition."""
    features = _features(raw, tokens, table, idea)
    features["defines"] = float(defines)
    for kind in ("analogy", "example", "technical", "plain"):
        features[f"{kind} cue"] = float(kind in cues)
    features["simile"] = float(_simile(tokens))
    points = {**dict.fromkeys(_ORDER, 0.0), "plain": 0.0}
    if idea is not None:
        echoes = table.echoes(idea, {stem(token) for token in tokens if is_content(token)})
        for kind in points:
            points[kind] = _ECHO * min(echoes.get(kind, 0.0), 3.0)
    found = Evidence(points)
    for name, value in features.items():
        if value:
            for kind, weight in zip(_ORDER, _WEIGHTS[name], strict=True):
                points[kind] += value * weight
    return found


def _features(raw: str, tokens: Sequence[str], table: Material, idea: int | None) -> dict[str, float]:
    """What can be counted in a sentence."""
    figures = counts = units = long_words = past = general = strange = content = letters = words = 0
    you = False
    art: set[str] = set()
    terms = table.art[idea] if idea is not None else frozenset()
    for token in tokens:
        if token[0].isdigit():
            figures += 1
            continue
        counts += token in _COUNTS
        units += token in _UNITS
        you = you or token in _PEOPLE
        past += token in _PAST or (len(token) > 5 and token.endswith("ed"))
        general += token in _GENERAL
        long_words += len(token) >= 11
        if token[0].isalpha():
            words += 1
            letters += len(token)
        if is_content(token):
            content += 1
            root = stem(token)
            if root in terms:
                art.add(root)
            elif not table.weights(token):
                strange += 1
    alien = strange / content if content > 1 else 0.0
    names = min(len(_NAME.findall(raw)), 2)
    first = tokens[0] if tokens else ""
    case = you or past > 0 or names > 0 or first in _CASE
    formula = _FORMULA.search(raw) is not None
    return {
        "strange": alien,
        "very strange": float(alien > 0.6),
        "strange, no figures": alien * (figures == 0),
        "figures": min(figures, 3),
        "any figure": float(figures > 0),
        "counts": min(counts, 2),
        "units": float(units > 0),
        "you": float(you),
        "past": min(past, 2),
        "names": names,
        "formula": float(formula),
        "terms of art": min(len(art), 4),
        "long words": min(long_words, 3),
        "word length": letters / words - 4.5 if words else 0.0,
        "general": min(general, 2),
        "case": float(first in _CASE),
        "one of": float(first in _ONE),
        "if": float(first in _IF),
        "figures in a case": float(figures > 0 and case and not formula),
        "figures alone": float(figures > 0 and not case),
        "bias": 1.0,
    }


def _simile(tokens: Sequence[str]) -> bool:
    """Whether "like" compares: "like a garden hose", but not "you like a garden"."""
    for i, token in enumerate(tokens[:-1]):
        vague = tokens[i + 1] in ("that", "this") and (i + 2 == len(tokens) or not tokens[i + 2][0].isalnum())
        if (
            token == "like"
            and tokens[i + 1] in _LIKENED
            and (i == 0 or tokens[i - 1] not in _LIKING)
            and not vague
        ):
            return True
    return False
