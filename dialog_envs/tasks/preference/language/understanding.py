"""Understanding what an agent says: free text -> acts, in one linear pass without a model.

The text becomes tokens; activities (:mod:`names`) and phrases (:mod:`lexicon`, :mod:`cues`) are found in them; the
clauses between marks and conjunctions are read one by one by what stands in them; :func:`_settle` weighs the clauses
of a turn against each other, because a reason given for a suggestion is no statement of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ....core.dialogue import AGENT, Act
from . import lexicon
from .cues import CONJUNCTIONS, FILLERS, FOREIGN, OPENERS, SPLITTERS, common_words, table
from .names import Span, name_index
from .tokens import tokenise

_GREET, _ACK, _CHECK, _CLOSE = Act("greet"), Act("acknowledge"), Act("check"), Act("close")
_REFUSE, _INFORM, _UNKNOWN, _OPEN = Act("refuse"), Act("inform"), Act("unknown"), Act("ask", "open")
_ORDINALS = {"ref1": 0, "ref2": 1, "ref3": 2, "ref4": 3, "reflast": -1}
_REFERENCES = frozenset((*_ORDINALS, "refthat", "refother", "refboth"))
_ENDS = frozenset((".", "!", "?", ";", "\n", "…"))
_NOT_ITEM = frozenset(("instead", "than", "unlike", "besides", "not", "except", "didnt", "dont", "without", "skip", "like", "from"))
_CURRENCY = frozenset(("euros", "euro", "eur", "€", "bucks", "dollars", "$"))
_HOURS = frozenset(("hours", "hour", "hrs", "h", "hr"))


def understand(text: str, scenario: Any, dialogue: Sequence[Mapping[str, Any]] = ()) -> tuple[Act, ...]:
    """The acts of one agent utterance, in order of appearance, without duplicates; never empty.

    Args:
        text: anything at all.
        scenario: its ``items`` (ids) are the activities that can be suggested.
        dialogue: the turns before this one, ``{"speaker", "text"}`` each; "the second one" and "that one" refer to it.
    """
    acts, refers = _understand(text, scenario.items)
    return _resolve(text, scenario.items, dialogue) if refers else acts


@lru_cache(maxsize=16_384)
def _understand(text: str, items: tuple[str, ...]) -> tuple[tuple[Act, ...], bool]:
    """The acts as far as the text alone tells them, and whether it refers to what was said before."""
    turn = _Turn(tokenise(text), items, ())
    return turn.read(), turn.refers


def _resolve(text: str, items: tuple[str, ...], dialogue: Sequence[Mapping[str, Any]]) -> tuple[Act, ...]:
    """Understand with the activities that "the second one" may mean: the last agent turn's, or the user's last."""
    said: tuple[str, ...] = ()
    for turn in reversed(dialogue):
        said = mentioned(str(turn["text"]), items)
        if said:
            break
    return _with_antecedents(text, items, said)


@lru_cache(maxsize=4_096)
def _with_antecedents(text: str, items: tuple[str, ...], said: tuple[str, ...]) -> tuple[Act, ...]:
    return _Turn(tokenise(text), items, said).read()


@lru_cache(maxsize=4_096)
def mentioned(text: str, items: tuple[str, ...]) -> tuple[str, ...]:
    """The items that a text names, in order, each once."""
    return tuple(dict.fromkeys(span[2] for span in name_index(items).find(tokenise(text)) if span[3]))


@dataclass(slots=True)
class _Clause:
    """What was found between two boundaries of a turn."""

    question: bool
    spans: list[Span] = field(default_factory=list)
    slots: list[tuple[str, str]] = field(default_factory=list)
    """(slot, value or "") in order of appearance."""
    cues: set[str] = field(default_factory=set)
    size: int = 0
    first: str = ""


class _Turn:
    """One utterance being read."""

    __slots__ = ("tokens", "items", "said", "refers", "acts", "weak", "here")

    def __init__(self, tokens: list[str], items: tuple[str, ...], said: tuple[str, ...]) -> None:
        self.tokens, self.items, self.said = tokens, items, said
        self.refers = False
        self.acts: list[Act] = []
        self.weak: list[Act] = []
        self.here: list[str] = []

    def read(self) -> tuple[Act, ...]:
        tokens = self.tokens
        if not tokens:
            return (_UNKNOWN,)
        spans = name_index(self.items).find(tokens)
        if _foreign(tokens, spans):
            return (_UNKNOWN,)
        for clause in _clauses(tokens, spans):
            self._clause(clause)
        return _settle(self.acts, self.weak, tokens)

    def _clause(self, clause: _Clause) -> None:
        cues = clause.cues
        add = self.acts.append
        if "greet" in cues:
            add(_GREET)
        if "refuse" in cues and not clause.question:
            add(_REFUSE)
            return
        if "close" in cues:
            add(_CLOSE)
        if "thanks" in cues or "lead" in cues:
            add(_ACK)
        if clause.spans and self._items(clause):
            return
        if not _REFERENCES.isdisjoint(cues) and self._reference(clause):
            return
        if "check" in cues and (clause.question or "lead" not in cues):
            add(_CHECK)
        elif clause.slots:
            self._slots(clause)
        elif "open" in cues and (clause.question or "ind" in cues):
            add(_OPEN)
        elif "soft" in cues and (clause.question or clause.size <= 3):
            add(_CHECK)
        elif clause.question:
            if "prop" in cues or "you" in cues:
                self.weak.append(_OPEN)
        elif "you" in cues and "reason" not in cues:
            self.weak.append(_ACK)
        elif "fact" in cues or "first" in cues or "prop" in cues:
            self.weak.append(_INFORM)

    def _items(self, clause: _Clause) -> bool:
        """Suggestions, or facts, about the activities named in a clause."""
        cues = clause.cues
        proposed = bool(cues & {"prop", "eval"}) or clause.question
        spans = [span for span in clause.spans if span[3] or proposed or clause.size <= span[1] - span[0] + 2]
        if not spans:
            return False
        if "hear" in cues or ("fact" in cues and not proposed):
            self.weak.append(_INFORM)
            self.here.extend(span[2] for span in spans)
            return True
        for start, _, item, _ in spans:
            if not _NOT_ITEM.isdisjoint(self.tokens[max(0, start - 3) : start]) and "like" not in cues:
                if not _NOT_ITEM.isdisjoint(self.tokens[max(0, start - 2) : start]) and len(spans) + len(self.here) > 1:
                    continue
            self.acts.append(Act("suggest", item=item))
            self.here.append(item)
        return True

    def _reference(self, clause: _Clause) -> bool:
        """Suggestions by "the second one": of this turn's activities, or of those said before it."""
        if self.here:
            return False
        self.refers = True
        said = self.said
        if not said:
            return False
        cues = clause.cues
        chosen: tuple[str, ...] = ()
        if "refboth" in cues:
            chosen = said
        elif "refother" in cues:
            chosen = said[1:2]
        else:
            for cue, place in _ORDINALS.items():
                if cue in cues and -1 <= place < len(said):
                    chosen = (said[place],)
                    break
            else:
                chosen = said[-1:] if "refthat" in cues else ()
        self.acts.extend(Act("suggest", item=item) for item in chosen)
        return bool(chosen)

    def _slots(self, clause: _Clause) -> None:
        cues = clause.cues
        if not (clause.question or "ind" in cues):
            slots = {slot for slot, _ in clause.slots}
            if len(clause.slots) > 1 and len(slots) == 1 and clause.size <= 6 and "or" in cues:
                self.acts.append(Act("ask", slots.pop()))
            elif clause.size <= 2 and all(not value for _, value in clause.slots):
                self.acts.extend(Act("ask", slot) for slot in slots)
            elif "you" in cues and "reason" not in cues:
                self.acts.append(_ACK)
            elif "reason" not in cues:
                self.weak.append(_INFORM)
            return
        values: dict[str, set[str]] = {}
        for slot, value in clause.slots:
            values.setdefault(slot, set()).add(value)
        for slot, found in values.items():
            found.discard("") if len(found) > 1 and slot not in ("budget", "time") else None
            value = next(iter(found)) if len(found) == 1 else ""
            self.acts.append(Act("ask", slot, value or None))


def _foreign(tokens: list[str], spans: list[Span]) -> bool:
    """Whether the text shows itself as no English: other scripts, or words of other languages, or no words known."""
    common = common_words()
    named = {i for start, end, _, _ in spans for i in range(start, end)}
    words = [token for i, token in enumerate(tokens[:60]) if i not in named and token[0].isalpha()]
    if not words:
        return not spans and not any(token in _CURRENCY for token in tokens)
    english = foreign = 0
    for word in words:
        if word in common:
            english += 1
        elif word in FOREIGN or not word.isascii():
            foreign += 1
    if spans:
        return foreign > english
    return foreign > english or english * 4 < len(words)


def _clauses(tokens: list[str], spans: list[Span]) -> list[_Clause]:
    """Cut the tokens into clauses, and note what stands in each."""
    phrases = table()
    starts = {span[0]: span for span in spans}
    n = len(tokens)
    clauses: list[_Clause] = []
    clause = _Clause(False)
    opening = 0
    i = 0
    while i < n:
        token = tokens[i]
        span = starts.get(i)
        if span is not None:
            clause.spans.append(span)
            clause.size += span[1] - i
            i = span[1]
            continue
        if token in _ENDS:
            if clause.size:
                if token == "?":
                    clause.question = True
                    for earlier in clauses[opening:]:
                        earlier.question = True
                clauses.append(clause)
                clause = _Clause(False)
            opening = len(clauses)
            i += 1
            continue
        if token in CONJUNCTIONS and clause.size and i + 1 < n and tokens[i + 1] in SPLITTERS:
            clauses.append(clause)
            clause = _Clause(False)
            i += 1
            continue
        if not clause.question and token in OPENERS and (clause.size == 0 or clause.first in FILLERS and clause.size < 3):
            clause.question = True
        if clause.size == 0:
            clause.first = token
        i = _scan(tokens, i, clause, phrases)
    if clause.size:
        clauses.append(clause)
    return clauses


def _scan(tokens: list[str], i: int, clause: _Clause, phrases: lexicon.Phrases) -> int:
    """Take in the longest phrase at token i (or the token itself); the index after it."""
    token = tokens[i]
    for length, words, (kind, name, value) in phrases.get(token, ()):
        if length == 1 or tokens[i : i + length] == words:
            if kind == "cue":
                if name in ("lead", "greet", "reason") and clause.size > 2:
                    name = "eval"
                clause.cues.add(name)
            elif kind == "value":
                if value in lexicon.OPPOSITE and not lexicon.NEGATIONS.isdisjoint(tokens[max(0, i - 2) : i]):
                    value = lexicon.OPPOSITE[value]
                clause.slots.append((name, value))
            else:
                clause.slots.append((name, ""))
            clause.size += length
            return i + length
    if token[0].isdigit():
        number = _number(tokens, i)
        if number is not None:
            clause.slots.append(number)
    elif token == "or":
        clause.cues.add("or")
    if token[0].isalnum():
        clause.size += 1
    return i + 1


def _number(tokens: list[str], i: int) -> tuple[str, str] | None:
    """An amount of money or time: "40 euros" -> budget, medium."""
    before, after = tokens[i - 1] if i else "", tokens[i + 1] if i + 1 < len(tokens) else ""
    try:
        amount = float(tokens[i].replace(",", "")[:12])
    except ValueError:
        return None
    if before in _CURRENCY or after in _CURRENCY:
        return "budget", "low" if amount <= 20 else "medium" if amount <= 60 else "any"
    if after in _HOURS:
        return "time", "short" if amount <= 2 else "half_day" if amount <= 5 else "any"
    return None


def _settle(acts: list[Act], weak: list[Act], tokens: list[str]) -> tuple[Act, ...]:
    """Weigh the acts of a turn: what decides the turn stays, what only goes with it falls away."""
    kinds = {act.kind for act in acts}
    if "refuse" in kinds:
        acts = [act for act in acts if act.kind in ("refuse", "suggest")]
    elif "close" in kinds:
        acts = [act for act in acts if act.kind not in ("acknowledge", "greet")]
    elif not acts:
        acts = weak[:1] if weak else [_UNKNOWN]
    merged: dict[tuple[str, str | None, str | None], Act] = {}
    for act in acts:
        key = (act.kind, act.slot, act.item)
        if key in merged and merged[key].value != act.value:
            act = Act("ask", act.slot)
        merged[key] = act
    return tuple(merged.values())


__all__ = ["AGENT", "mentioned", "understand"]
