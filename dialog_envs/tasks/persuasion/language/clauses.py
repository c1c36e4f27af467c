"""Cutting an agent's turn into sentences and clauses, and noting what stands in each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dialog_envs.tasks.language.words import AUXILIARIES, FILLERS, SUBJECTS, WH
from dialog_envs.tasks.persuasion.language.amounts import Amount
from dialog_envs.tasks.persuasion.language.matching import ENDS, Hit

_JOINS = frozenset((",", "and", "but", "so", "or", "—", "–", "-", ":", "then", "because", "(", ")"))
_STARTS = frozenset("please lets how what why which who imagine".split())
_MORE_SUBJECTS = SUBJECTS | frozenset(
    "anybody anyone somebody someone people somebody your our ten five twenty fifty money".split()
)
_FILLERS = FILLERS | frozenset(
    "may i ask curious wondering wondered if maybe perhaps since as honestly".split()
)


@dataclass(slots=True)
class Clause:
    """What was found between two boundaries of a turn.

    Attributes:
        start, end: its tokens.
        sentence: number of its sentence.
        question: whether it asks, by its mark or its first words.
        wh: whether it asks what, how, which …
        marked: whether a question mark ends it.
        hits: tag -> (start, end) of its phrases; of overlapping ones only the first and longest.
        amounts: its numbers.
    """

    start: int
    end: int
    sentence: int
    question: bool = False
    wh: bool = False
    marked: bool = False
    hits: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    amounts: list[Amount] = field(default_factory=list)

    def has(self, *tags: str) -> bool:
        """Whether a phrase of one of the tags stands here."""
        return any(tag in self.hits for tag in tags)

    def weight(self, tag: str, without: frozenset[int] = frozenset()) -> int:
        """How many words (at most three a phrase) of a tag stand here, but for phrases that touch ``without``."""
        return sum(
            min(end - start, 6)
            for start, end in self.hits.get(tag, ())
            if without.isdisjoint(range(start, end))
        )

    def first(self, tag: str) -> int:
        """Where the first phrase of a tag begins; the clause's end if there is none."""
        return self.hits[tag][0][0] if tag in self.hits else self.end


def cut(tokens: list[str], hits: Iterable[Hit], numbers: list[Amount]) -> list[Clause]:
    """The clauses of a turn, in order, each with its phrases and numbers."""
    clauses = _cut(tokens)
    place = 0
    for start, end, tag in hits:
        while place + 1 < len(clauses) and start >= clauses[place].end:
            place += 1
        if clauses and clauses[place].start <= start < clauses[place].end:
            rows = clauses[place].hits.setdefault(tag, [])
            if not rows or start >= rows[-1][1]:
                rows.append((start, end))
    place = 0
    for amount in numbers:
        while place + 1 < len(clauses) and amount.end - 1 >= clauses[place].end:
            place += 1
        if clauses:
            clauses[place].amounts.append(amount)
    return clauses


def _cut(tokens: list[str]) -> list[Clause]:
    clauses: list[Clause] = []
    n, start, sentence = len(tokens), 0, 0
    i = 0
    while i < n:
        token = tokens[i]
        if token in ENDS:
            if i > start:
                clauses.append(_clause(tokens, start, i, sentence))
            if token == "?" and clauses and clauses[-1].end >= i - 1 and clauses[-1].sentence == sentence:
                clauses[-1].marked = clauses[-1].question = True
            if token != ";" and clauses and clauses[-1].sentence == sentence:
                sentence += 1
            start = i + 1
        elif token in _JOINS and i > start and _begins(tokens, i + 1, n):
            clauses.append(_clause(tokens, start, i, sentence))
            start = i + 1
        i += 1
    if n > start:
        clauses.append(_clause(tokens, start, n, sentence))
    return clauses


def _begins(tokens: list[str], i: int, n: int) -> bool:
    """Whether a question or request begins at token i."""
    while i < n and (tokens[i] in _JOINS or tokens[i] in ("also", "now", "maybe", "perhaps")):
        i += 1
    if i + 1 >= n:
        return False
    token, after = tokens[i], tokens[i + 1]
    if token in AUXILIARIES:
        return after in ("you", "we", "i", "your", "it", "that", "this") or (
            after in _MORE_SUBJECTS and token != "may"
        )
    if token in ("how", "what"):
        return after in AUXILIARIES or after in (
            "about",
            "much",
            "many",
            "else",
            "if",
            "kind",
            "amount",
            "sort",
        )
    return (token in _STARTS and token not in ("who", "which", "why", "imagine")) or token in (
        "whats",
        "imagine",
        "why",
    )


def _clause(tokens: list[str], start: int, end: int, sentence: int) -> Clause:
    """A clause, and whether its first words make it a question."""
    clause = Clause(start, end, sentence)
    i = start
    while i < end - 1 and i < start + 5 and tokens[i] in _FILLERS | _JOINS:
        i += 1
    after = tokens[i + 1] if i + 1 < end else ""
    if tokens[i] in AUXILIARIES:
        clause.question = after in _MORE_SUBJECTS
    elif tokens[i] in WH:
        clause.wh = tokens[i] not in ("when", "where") or after in AUXILIARIES
        clause.question = clause.wh and (
            tokens[i].endswith("s")
            or after in AUXILIARIES
            or after
            in (
                "about",
                "much",
                "many",
                "else",
                "kind",
                "sort",
                "amount",
                "sum",
                "causes",
                "cause",
                "if",
                "come",
                "far",
                "values",
                "charities",
            )
        )
    elif tokens[i] in ("any", "anything"):
        clause.question = True
    return clause
