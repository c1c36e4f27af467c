"""Understanding what an agent says: free text -> acts, in one linear pass without a model.

The text becomes tokens; activities (:mod:`names`) and phrases (:mod:`lexicon`, :mod:`cues`) are found in them; the
clauses between marks and conjunctions (:mod:`clauses`) are read one by one by what stands in them; then the clauses of
a turn are weighed against each other, because a reason given for a suggestion is no statement of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from ....core.dialogue import Act
from ...language.tokens import tokenise
from ...language.words import ASKING, FOREIGN, SUBJECTS
from .clauses import CURRENCY, Clause, cut
from .cues import common_words
from .names import Span, name_index
from .spelling import fix

_CODE = re.compile(r"[{}\\]|</|<\||\(\)|\[/|==|\* FROM ")
_GREET, _ACK, _CHECK, _CLOSE = Act("greet"), Act("acknowledge"), Act("check"), Act("close")
_REFUSE, _INFORM, _UNKNOWN, _OPEN = Act("refuse"), Act("inform"), Act("unknown"), Act("ask", "open")
_ORDINALS = {"ref1": 0, "ref2": 1, "ref3": 2, "ref4": 3, "reflast": -1}
_REFERENCES = frozenset((*_ORDINALS, "refthat", "refother", "refboth"))
_APART = frozenset("instead than unlike besides not except without skip apart".split())
_QUESTION_WORDS = frozenset("interested afraid comfortable prefer into want scared up like fancy".split())
_LIKING = frozenset(
    "is are be being its = fits fit sounds suits matches looks seems ticks meets would could might may should".split()
)
_BESIDE = frozenset("at on of in during near about around by".split())
_LIKED = frozenset(("eval", "chatcheck", "open", "close"))
_STATING = frozenset("fact first prop hear eval exist".split())
_NOUNS = frozenset(
    "our we guests people visitors nobody everyone the it there all most some this these those every each both "
    "tickets prices".split()
)
_PROPOSING = frozenset(("prop", "offer", "choose"))


def understand(text: str, scenario: Any, dialogue: Sequence[Mapping[str, Any]] = ()) -> tuple[Act, ...]:
    """The acts of one agent utterance, in order of appearance, without duplicates; never empty.

    Args:
        text: anything at all.
        scenario: its ``items`` (ids) are the activities that can be suggested.
        dialogue: the turns before this one, ``{"speaker", "text"}`` each; "the second one" and "that one" refer to it.
    """
    acts, refers = _understand(text, scenario.items)
    if not refers:
        return acts
    last, listed = _antecedents(scenario.items, dialogue)
    return _referring(text, scenario.items, last, listed)


@lru_cache(maxsize=16_384)
def _understand(text: str, items: tuple[str, ...]) -> tuple[tuple[Act, ...], bool]:
    """The acts as far as the text alone tells them, and whether it refers to what was said before."""
    turn = _Turn(items, (), ())
    return turn.read(text), turn.refers


@lru_cache(maxsize=4_096)
def _referring(
    text: str, items: tuple[str, ...], last: tuple[str, ...], listed: tuple[str, ...]
) -> tuple[Act, ...]:
    return _Turn(items, last, listed).read(text)


def _antecedents(
    items: tuple[str, ...], dialogue: Sequence[Mapping[str, Any]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What "that one" may mean (the activities of the last turn that names any), and "the second one" (of the last
    turn that names several, else of that turn)."""
    last: tuple[str, ...] = ()
    for turn in reversed(dialogue):
        said = mentioned(str(turn["text"]), items)
        if said and not last:
            last = said
        if len(said) > 1:
            return last, said
    return last, last


@lru_cache(maxsize=4_096)
def mentioned(text: str, items: tuple[str, ...]) -> tuple[str, ...]:
    """The items that a text names, in order, each once."""
    return tuple(dict.fromkeys(span[2] for span in name_index(items).find(tokenise(text)) if span[3]))


class _Turn:
    """One utterance being read."""

    __slots__ = (
        "items",
        "last",
        "listed",
        "refers",
        "acts",
        "weak",
        "here",
        "topic",
        "offering",
        "tokens",
        "stated",
        "names",
    )

    def __init__(self, items: tuple[str, ...], last: tuple[str, ...], listed: tuple[str, ...]) -> None:
        self.items, self.last, self.listed = items, last, listed
        self.refers = self.offering = False
        self.acts: list[Act] = []
        self.weak: list[Act] = []
        self.here: list[str] = []
        self.topic: list[tuple[str, str]] = []
        self.tokens: list[str] = []
        self.stated: list[str] = []
        self.names = 0

    def read(self, text: str) -> tuple[Act, ...]:
        """The acts of the text."""
        tokens = tokenise(text)
        if _CODE.search(text):
            return (_UNKNOWN,)
        spans = name_index(self.items).find(tokens)
        if _foreign(tokens, spans):
            return (_UNKNOWN,)
        self.tokens = fix(tokens)
        self.names = len(spans)
        for clause in cut(self.tokens, spans):
            self._clause(clause)
        return self._settle()

    def _clause(self, clause: Clause) -> None:
        cues = clause.cues
        if cues and self._manners(clause):
            return
        if clause.spans and self._named(clause):
            return
        slots = clause.slots
        asking = clause.question or "ind" in cues
        if not _REFERENCES.isdisjoint(cues) and not (slots and asking) and self._reference(clause):
            return
        if asking and self._question(clause):
            return
        if slots:
            self._statement(clause)
        elif "offer" in cues:
            self.offering = True
            self.weak.append(_INFORM)
        elif "check" in cues or "lightcheck" in cues or ("chatcheck" in cues and clause.mark == ""):
            self.acts.append(_CHECK) if not cues & {"fact", "nod"} else None
        elif "open" in cues and clause.size <= 6 and not clause.other and clause.mark == "":
            self.acts.append(_OPEN)
        elif "soft" in cues and clause.size <= 2:
            self.acts.append(_CHECK)
        elif "restate" in cues and "reason" not in cues:
            self.weak.append(_ACK)
        elif (cues & _STATING and clause.size > 1) or (clause.first in _NOUNS and clause.other > 1):
            self.weak.append(_INFORM)

    def _manners(self, clause: Clause) -> bool:
        """Greetings, thanks, farewells and refusals; True if nothing else is to be read in the clause."""
        cues, acts = clause.cues, self.acts
        if "greet" in cues:
            acts.append(_GREET)
        if "refuse" in cues and not (clause.question and clause.slots):
            acts.append(_REFUSE)
            return True
        if "close" in cues and not clause.spans:
            acts.append(_CLOSE)
            return True
        if "ack" in cues:
            acts.append(_ACK)
        elif "nod" in cues or "praise" in cues:
            if clause.mark == "?" and clause.size <= 3 and not clause.slots and not clause.spans:
                acts.append(_CHECK)
                return True
            if all(act.kind == "greet" for act in acts):
                acts.append(_ACK)
        return False

    def _named(self, clause: Clause) -> bool:
        """Suggestions of, or facts about, the activities named in a clause."""
        cues = clause.cues
        proposed = clause.question or self.offering or not _PROPOSING.isdisjoint(cues)
        proposed = proposed or not _ORDINALS.keys().isdisjoint(cues) or self._it_is(clause)
        liked = not _LIKED.isdisjoint(cues)
        spans = [
            span
            for span in clause.spans
            if span[3] or proposed or liked or clause.size <= span[1] - span[0] + 2
        ]
        if not spans:
            return False
        against = "against" in cues and not clause.question
        stated = clause.colon or "hear" in cues or ("fact" in cues and not liked)
        stated = stated or (self._aside(spans[0][0]) and not liked)
        stated = stated or (clause.stated and not _copula(self.tokens, spans[-1][1]))
        if against or (stated and not proposed):
            self.weak.append(_INFORM)
            if not against:
                self.stated.extend(span[2] for span in spans)
            return True
        several = self.names > 1
        for start, _, item, _ in spans:
            if several and not _APART.isdisjoint(self.tokens[max(0, start - 3) : start]):
                continue
            self.acts.append(Act("suggest", item=item))
            self.here.append(item)
        return True

    def _it_is(self, clause: Clause) -> bool:
        """Whether the clause ends like "the museum it is"."""
        return self.tokens[clause.end - 2 : clause.end] == ["it", "is"]

    def _aside(self, start: int) -> bool:
        """Whether the activity is only where something is the case: "you get wet on the surf lesson"."""
        before = self.tokens[max(0, start - 2) : start]
        return bool(before) and (
            before[-1] in _BESIDE or (before[-1] in ("the", "a", "an") and before[0] in _BESIDE)
        )

    def _reference(self, clause: Clause) -> bool:
        """Suggestions by "the second one", of the activities said before; within one turn it adds nothing."""
        if self.here:
            return True
        self.refers = True
        cues = clause.cues
        chosen: tuple[str, ...] = ()
        for cue, place in _ORDINALS.items():
            if cue in cues and place < len(self.listed) and self.listed:
                chosen = (self.listed[place],)
                break
        else:
            if "refboth" in cues:
                chosen = self.listed
            elif "refother" in cues:
                chosen = tuple(item for item in self.listed if item not in self.last[-1:])[:1]
            elif "refthat" in cues:
                chosen = self.last[-1:]
        self.acts.extend(Act("suggest", item=item) for item in chosen)
        self.here.extend(chosen)
        return bool(chosen)

    def _question(self, clause: Clause) -> bool:
        """The asks and checks of a question or a request to tell; True if it was one."""
        cues = clause.cues
        slots = clause.slots
        if ("check" in cues and not ("ind" in cues and slots)) or (
            "lightcheck" in cues and not any(value for _, value in slots)
        ):
            self._check()
        elif slots and self._asks(clause):
            return True
        elif "chatcheck" in cues or ("soft" in cues and "ind" in cues):
            self._check()
        elif "open" in cues:
            several = (
                len({value for _, value in self.topic}) > 1 and len({slot for slot, _ in self.topic}) == 1
            )
            self.acts.append(Act("ask", self.topic[0][0]) if several else _OPEN)
        elif "soft" in cues or ("offer" in cues and not clause.wh) or not _REFERENCES.isdisjoint(cues):
            self._check()
        elif clause.wh and (clause.you or cues) and self.topic:
            self._check(False)
        elif "ind" in cues and not clause.question:
            return False
        elif clause.wh and (clause.you or cues & {"prop", "restate"}):
            self.weak.append(_OPEN)
        return True

    def _check(self, valued: bool = True) -> None:
        """A check; or a question about what the sentence before was about ("Some have stairs. Is that a problem?")."""
        if self.stated and not self.here:
            self.acts.extend(Act("suggest", item=item) for item in self.stated)
            self.here.extend(self.stated)
        if self.topic and not self.here:
            slots = dict.fromkeys(slot for slot, _ in self.topic)
            for slot in slots:
                values = {value for s, value in self.topic if s == slot and value}
                self.acts.append(Act("ask", slot, values.pop() if valued and len(values) == 1 else None))
        else:
            self.acts.append(_CHECK)

    def _asks(self, clause: Clause) -> bool:
        """One ask for each slot that a question names, with its value if it is to be answered by yes or no."""
        found: dict[str, list[str]] = {}
        weak: list[str] = []
        alternatives = False
        for slot, value in clause.slots:
            if slot == "or":
                alternatives = True
            elif slot.endswith("~"):
                weak.append(slot[:-1])
            else:
                found.setdefault(slot, []).append(value)
        valued = any(value and value[-1] != "~" for values in found.values() for value in values)
        listing = len(found) > 1 and clause.other == 0 and (len(found) > 2 or not valued)
        listing = listing or (clause.other == 0 and not valued and len(found) + len(weak) > 1)
        if not found or listing:
            for slot in weak:
                if slot != "time" or listing or clause.other + len(clause.cues) <= 1:
                    found.setdefault(slot, [""])
        if "need" in found and len(found) > 1 and "theme" in found and found["theme"] == ["food"]:
            del found["theme"]
        for slot, values in found.items():
            kinds = {
                value for value in values if value and (value[-1] != "~" or not (listing or clause.size <= 2))
            }
            settled = len(kinds) == 1 and not clause.wh
            if settled and alternatives and not (len(values) > 1 and len({*values}) == 1):
                settled = (
                    len(found) > 1 and len(values) == 1 and clause.slots[-1] != ("or", "") and _joined(clause)
                )
            self.acts.append(Act("ask", slot, kinds.pop().rstrip("~") if settled else None))
        return bool(found)

    def _statement(self, clause: Clause) -> None:
        """A statement about slots: a terse question, a restatement of the user's wishes, or a fact."""
        cues, slots = clause.cues, clause.slots
        names = {slot for slot, _ in slots if slot != "or" and slot[-1] != "~"} or {slot for slot, _ in slots}
        plain = [value for slot, value in slots if slot != "or"]
        bare = clause.other <= (clause.first == "your") and not cues - {"ack", "greet"}
        alternatives = ("or", "") in slots and clause.size <= 10 and "fact" not in cues
        if (
            (bare and not any(plain))
            or (alternatives and len(names) == 1 and clause.other <= 1)
            or ("choose" in cues and len(plain) > 1)
            or (clause.first in _QUESTION_WORDS and clause.mark == "" and "fact" not in cues)
            or (bare and clause.mark == "" and clause.size <= 3 and not self.acts)
        ):
            self._asks(clause)
        elif "reason" in cues:
            return
        elif (
            "restate" in cues
            or self._it_is(clause)
            or (clause.size <= 5 and "fact" not in cues and any(plain))
        ):
            self.weak.append(_ACK)
        elif not cues & {"nod", "praise", "ack"}:
            self.topic = [
                (slot, value.rstrip("~")) for slot, value in slots if slot != "or" and slot[-1] != "~"
            ]
            self.offering = self.offering or "offer" in cues
            self.weak.append(_INFORM)

    def _settle(self) -> tuple[Act, ...]:
        """Weigh the acts of the turn: what decides it stays, what only goes with that falls away."""
        acts = self.acts
        if len(acts) == 1 and not self.weak:
            return (acts[0],)
        kinds = {act.kind for act in acts}
        if _ACK in self.weak and not kinds & {"suggest", "refuse", "close", "greet", "acknowledge"}:
            acts = [_ACK, *acts]
        if "refuse" in kinds:
            acts = [act for act in acts if act.kind not in ("acknowledge", "check")]
        elif "close" in kinds:
            acts = [act for act in acts if act.kind not in ("acknowledge", "greet", "check")]
        elif "greet" in kinds:
            acts = [act for act in acts if act.kind != "acknowledge"]
        elif not acts:
            acts = self.weak[:1] or [_fallback(self.tokens)]
        merged: dict[tuple[str, str | None, str | None], Act] = {}
        for act in acts:
            key = (act.kind, act.slot, act.item)
            if key in merged and merged[key].value != act.value:
                act = Act("ask", act.slot)
            merged[key] = act
        return tuple(merged.values())


def _fallback(tokens: list[str]) -> Act:
    """What a text without any cue does: an English sentence asks back or tells something, anything else is unknown."""
    common = common_words()
    words = [token for token in tokens if token[0].isalpha()]
    if len({*words}) < 3 or sum(map(common.__contains__, words)) < 0.8 * len(words):
        return _UNKNOWN
    if tokens[-1] == "?":
        return _OPEN if words[0] in ASKING else _CHECK
    return _ACK if words[0] in ("i", "that", "im") else _INFORM if words[0] in SUBJECTS else _UNKNOWN


def _copula(tokens: list[str], end: int) -> bool:
    """Whether what is said of an activity is what it *is*: "X is lovely", not "X has lovely tiles"."""
    return end >= len(tokens) or not _LIKING.isdisjoint(tokens[end : end + 2])


def _joined(clause: Clause) -> bool:
    """Whether "or" joins questions about different slots: "quiet, or outdoors"."""
    at = clause.slots.index(("or", ""))
    before, after = clause.slots[at - 1] if at else ("", ""), clause.slots[at + 1]
    return bool(before[1] and after[1] and before[0] != after[0])


def _foreign(tokens: list[str], spans: list[Span]) -> bool:
    """Whether the text is no English: no words, other scripts, words of other languages, or none that are known."""
    common = common_words()
    if sum(map(common.__contains__, tokens)) * 2 > len(tokens):
        return False
    named = {i for start, end, _, _ in spans for i in range(start, end)}
    words = [token for i, token in enumerate(tokens[:60]) if i not in named and token[0].isalpha()]
    if not words:
        return not spans and not any(token in CURRENCY for token in tokens)
    english = foreign = 0
    for word, fixed in zip(words, fix(words), strict=True):
        if word in FOREIGN or not word.isascii():
            foreign += 1
        elif fixed in common:
            english += 1
    if spans:
        return foreign > english
    return foreign > english or english * 4 < len(words)


__all__ = ["mentioned", "understand"]
