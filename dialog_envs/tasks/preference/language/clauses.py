"""Cutting a row of tokens into clauses, and noting what stands in each: one pass, one table look-up a token."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...language.phrases import Trie, matches
from ...language.words import (
    ASKING,
    AUXILIARIES,
    CONJUNCTIONS,
    FILLERS,
    OPENERS,
    RELATIVE,
    SMALL,
    SUBJECTS,
    WH,
)
from . import lexicon
from .cues import START, trie
from .names import Span

ENDS = frozenset((".", "!", "?", ";", "\n", "…"))
CURRENCY = frozenset(("euros", "euro", "eur", "€", "bucks", "dollars", "$", "£", "pounds"))
_HOURS = frozenset(("hours", "hour", "h"))
_MINUTES = frozenset(("minutes", "minute", "min"))
_BOUNDARIES = ENDS | {","}
_VERBS = frozenset(("cost", "costs", "lasts", "needs", "has", "is"))
_NO_QUESTION = frozenset("restate nod praise ack reason topic greet".split())
_VAGUE = frozenset("so something some thereabouts anything less similar such maybe".split())
_AFTER_PRAISE = _BOUNDARIES | {"and", "so", "then", "but", "lets", "—", "–", "-", ":", "i", "thanks", "thank"}

_AFTER_SEE = _AFTER_PRAISE | {"that", "you", "your", "what"}


@dataclass(slots=True)
class Clause:
    """What was found between two boundaries of a turn."""

    question: bool = False
    mark: str = ""
    """The mark that ends its sentence; "" at the end of an unmarked text or before a conjunction."""
    first: str = ""
    spans: list[Span] = field(default_factory=list)
    slots: list[tuple[str, str]] = field(default_factory=list)
    """(slot, value or ""); ("or", "") between alternatives. A slot with "~" counts only where no other slot stands;
    a value with "~" only in a question to be answered by yes or no."""
    cues: set[str] = field(default_factory=set)
    size: int = 0
    end: int = 0
    """Index of the token behind it."""
    other: int = 0
    """How many words belong to no phrase."""
    wh: bool = False
    you: bool = False
    stated: bool = False
    """Whether a verb of fact follows the first activity named."""
    colon: bool = False
    """Whether a colon follows the first activity named."""


def cut(tokens: list[str], spans: list[Span]) -> list[Clause]:
    """The clauses of a turn, in order. ``tokens`` as spelled by the lexicon; ``spans`` index into them."""
    phrases = trie()
    starts = {span[0]: span for span in spans}
    n = len(tokens)
    clauses: list[Clause] = []
    clause = Clause()
    sentence = 0
    i = 0
    while i < n:
        token = tokens[i]
        if starts and i in starts:
            span = starts[i]
            clause.spans.append(span)
            clause.size += span[1] - i
            i = span[1]
            if i < n and tokens[i] == ":" and len(clause.spans) == 1:
                clause.colon = True
            continue
        if token in ENDS:
            if clause.size:
                clause.end = i
                clauses.append(clause)
            for part in clauses[sentence:]:
                part.mark = token if part is clause else ","
                if token == "?" and (part is clause or part.cues.isdisjoint(_NO_QUESTION)):
                    part.question = True
            if clause.size:
                clause = Clause()
            sentence = len(clauses)
            i += 1
            continue
        if token in CONJUNCTIONS and clause.size and _begins(tokens, i + 1, n):
            clause.end = i
            clause.mark = ","
            clauses.append(clause)
            clause = Clause()
            i += 1
            continue
        if clause.size == 0:
            clause.first = token
        if (
            not clause.question
            and token in OPENERS
            and (clause.size == 0 or (clause.size < 4 and clause.first in FILLERS))
        ):
            clause.question = _opens(tokens, i, n)
            clause.wh = clause.question and token in ASKING
        i = _take(tokens, i, n, clause, phrases)
    if clause.size:
        clause.end = n
        clauses.append(clause)
    return clauses


def _begins(tokens: list[str], i: int, n: int) -> bool:
    """Whether a new clause begins at token i, behind a conjunction or comma."""
    while i < n and tokens[i] in ("and", "so", "but", "or", "then", "also"):
        i += 1
    if i >= n:
        return False
    token = tokens[i]
    if token in AUXILIARIES:
        return i + 1 < n and tokens[i + 1] in SUBJECTS
    if token == "which":
        return i + 1 < n and not _relative(tokens[i + 1])
    return token in ("what", "whats", "how", "hows", "why", "lets", "try", "maybe", "perhaps")


def _opens(tokens: list[str], i: int, n: int) -> bool:
    """Whether the opener at token i makes a question even without a mark: "is it …", but not "is quiet"."""
    token = tokens[i]
    after = tokens[i + 1] if i + 1 < n else ""
    if token in AUXILIARIES:
        return after in SUBJECTS
    if token in WH:
        return after not in ("a", "an") and not (token in ("which", "when", "where") and _relative(after))
    return True


def _relative(word: str) -> bool:
    return word in RELATIVE or (
        word.endswith("s") and word not in ("is", "themes", "types", "kinds", "activities")
    )


def _take(tokens: list[str], i: int, n: int, clause: Clause, phrases: Trie) -> int:
    """Take in the longest phrase at token i, or the token itself; the index after it."""
    token = tokens[i]
    found = matches(phrases, tokens, i, n) if token in phrases else None
    if found:
        for end, (kind, name, value) in reversed(found):
            if kind == "cue":
                if name in START:
                    name = _start(tokens, i, end, n, clause, name)
                    if not name:
                        continue
                clause.cues.add(name)
            else:
                opposite = lexicon.OPPOSITE.get(value)
                if opposite and _negated(tokens, i):
                    value = opposite
                clause.slots.append((name, value))
            clause.size += end - i
            if clause.spans and (name == "fact" or token in _VERBS):
                clause.stated = True
            if token in ASKING and name == "prop":
                clause.wh = False
            elif token in ASKING and kind == "slot" and not clause.question:
                clause.wh = True
            return end
    if token[0].isdigit():
        number = _amount(tokens, i, n)
        if number is not None:
            clause.slots.append(number)
        clause.size += 1
    elif token == "or" or token == "vs" or token == "versus":
        if i + 1 < n and tokens[i + 1] not in _VAGUE:
            clause.slots.append(("or", ""))
    elif token in ASKING:
        clause.wh = clause.wh or not clause.question or "ind" in clause.cues
        clause.size += 1
    elif token[0].isalpha():
        if token == "you" or token == "your":
            clause.you = True
        elif token not in SMALL:
            clause.other += 1
        clause.size += 1
    return i + 1


def _negated(tokens: list[str], i: int) -> bool:
    """Whether a negation stands at most three words before token i, in the same phrase."""
    for token in tokens[i - 1 : max(0, i - 3) - 1 : -1] if i > 3 else reversed(tokens[:i]):
        if token in lexicon.NEGATIONS:
            return True
        if token in CONJUNCTIONS or token in ENDS:
            return False
    return False


def _start(tokens: list[str], i: int, end: int, n: int, clause: Clause, name: str) -> str:
    """The cue as it counts here: some mean something only where a clause begins."""
    begins = clause.size < 3 and clause.first in FILLERS
    if clause.size and not begins and not ("nod" in clause.cues and name == "restate"):
        return "eval" if name in ("praise", "nod") else ""
    if name == "praise" and end < n and tokens[end] not in _AFTER_PRAISE:
        return "eval"
    if tokens[i:end] == ["i", "see"] and end < n and tokens[end] not in _AFTER_SEE:
        return ""
    return name


def _amount(tokens: list[str], i: int, n: int) -> tuple[str, str] | None:
    """An amount of money or time: "40 euros" -> budget, medium."""
    before = tokens[i - 1] if i else ""
    after = tokens[i + 1] if i + 1 < n else ""
    try:
        amount = float(tokens[i].replace(",", "")[:12])
    except ValueError:
        return None
    if before in CURRENCY or after in CURRENCY:
        return "budget", "low" if amount <= 20 else "medium" if amount <= 60 else "any"
    if after in _HOURS or after in _MINUTES:
        return "time", "short" if amount <= 2 or after in _MINUTES else "half_day" if amount <= 5 else "any"
    return None
