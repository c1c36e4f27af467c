"""Understanding what a fundraiser says: free text -> acts, in one linear pass.

The text becomes tokens; phrases (``grammar/agent_cues.toml``), numbers (:mod:`amounts`) and facts of the brief
(:mod:`facts`) are found in them; the clauses are read one by one (:mod:`clauses`): manners, pressure, questions and
requests (:mod:`requesting`), facts and inventions (:mod:`claims`), doubts that are met and appeals
(:mod:`statements`). All words of a clause together may speak against a single phrase (:mod:`judging`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.language.spelling import SLANG, Speller
from dialog_envs.tasks.language.tokens import MAX_CHARS, MAX_TOKENS, tokenise
from dialog_envs.tasks.language.words import COMMON_WORDS, FOREIGN
from dialog_envs.tasks.persuasion.acts import LENGTHS, OBJECTIONS, VALUES
from dialog_envs.tasks.persuasion.content import charities
from dialog_envs.tasks.persuasion.language import wordlists as w
from dialog_envs.tasks.persuasion.language.amounts import CURRENCY, NUMBER_TOKENS, Amount, amounts
from dialog_envs.tasks.persuasion.language.clauses import Clause, cut
from dialog_envs.tasks.persuasion.language.facts import FactTable, fact_table
from dialog_envs.tasks.persuasion.language.grammar import cues
from dialog_envs.tasks.persuasion.language.judging import guess, lead
from dialog_envs.tasks.persuasion.language.matching import Cues, Hit
from dialog_envs.tasks.persuasion.language.objections import numbers_in, raised, user_texts
from dialog_envs.tasks.persuasion.language.statements import Statements

_CODE = re.compile(r"[{}\\]|</|<\||\(\)|\[/|==|\* FROM ")
_BULLET = re.compile(r"(?<=[^\d\s])\s+[-*•]\s+(?=\D)|^[ \t]*[-*•]\s+", re.MULTILINE)
_BETWEEN = re.compile(r"(?<=[.!?])\s+")
_UNKNOWN, _ACKNOWLEDGE, _OPEN = Act("unknown"), Act("acknowledge"), Act("ask", "open")
DOUBT = 7.0
"""By how many nats they must."""
SURE = 3.0
"""How many nats more for each word of an act's phrases beyond the third."""
BESIDE = 2.0
"""By how many nats the words may speak against an act beside another of the same clause."""
Piece = tuple[tuple[str, ...], tuple[Hit, ...], tuple[Amount, ...]]
"""The tokens of a piece of text, its phrases, and its numbers."""


def understand(text: str, scenario: Any, dialogue: Sequence[Mapping[str, Any]] = ()) -> tuple[Act, ...]:
    """The acts of one agent utterance, in order of appearance, without duplicates; never empty.

    Args:
        text: anything at all.
        scenario: its ``charity`` holds the facts of the brief.
        dialogue: the turns before this one, ``{"speaker", "text"}`` each; the user's doubts and numbers count.
    """
    acts, looks_back = _understand(text, scenario.charity.id, (), frozenset())
    if not looks_back or not dialogue:
        return acts
    numbers = frozenset(number for said in user_texts(dialogue) for number in numbers_in(said))
    doubts = raised(dialogue)
    return _understand(text, scenario.charity.id, doubts, numbers)[0] if doubts or numbers else acts


@lru_cache(maxsize=16_384)
def _understand(
    text: str, charity_id: str, doubts: tuple[str, ...], numbers: frozenset[float]
) -> tuple[tuple[Act, ...], bool]:
    """The acts, and whether what the user said could make a difference."""
    acts: tuple[Act, ...] = ()
    looks_back = False
    if not _CODE.search(text):
        tokens, hits, found = _pieces(text)
        table = fact_table(charity_id)
        if not _foreign(tokens, table):
            turn = _Turn(tokens, cut(tokens, hits, found), table, doubts, numbers)
            acts, looks_back = turn.read(), turn.looks_back
    acts = acts or (_UNKNOWN,)
    words = len(text.split())
    length = next((name for name in ("very_long", "long") if words > LENGTHS[name]), None)
    return (*acts, Act("lengthy", value=length)) if length else acts, looks_back


def _pieces(text: str) -> tuple[list[str], list[Hit], list[Amount]]:
    """Tokens, phrases and numbers of a text. Sentences are read one by one, because they come again in other turns."""
    tokens: list[str] = []
    hits: list[Hit] = []
    numbers: list[Amount] = []
    for piece in _BETWEEN.split(text[:MAX_CHARS]):
        words, phrases, figures = _piece(piece)
        at = len(tokens)
        tokens += words
        hits += [(start + at, end + at, tag) for start, end, tag in phrases]
        numbers += [figure.moved(at) for figure in figures]
        if len(tokens) > MAX_TOKENS:
            break
    return tokens, hits, numbers


@lru_cache(maxsize=16_384)
def _piece(text: str) -> Piece:
    tokens = _speller().fix(tokenise(_BULLET.sub(" . ", text.replace("%", " percent "))))
    return tuple(tokens), tuple(_table().find(tokens)), tuple(amounts(tokens))


@lru_cache(maxsize=1)
def _table() -> Cues:
    return Cues(cues("agent_cues"))


@lru_cache(maxsize=1)
def _speller() -> Speller:
    words = set(_table().words) | NUMBER_TOKENS
    facts = {word for entry in charities() for word in fact_table(entry.id).words}
    return Speller(words | facts | COMMON_WORDS, words, {**SLANG, **w.SLANG})


def _foreign(tokens: list[str], table: FactTable) -> bool:
    """Whether the text is no English: no words, or mostly words that neither cues nor facts nor English know."""
    words = [token for token in tokens[:80] if token[0].isalpha()]
    if not words:
        return not any(token in CURRENCY or token[0].isdigit() for token in tokens)
    known = _table().words
    english = sum(word in known or word in COMMON_WORDS or word in table.words for word in words)
    foreign = sum(word in FOREIGN or not word.isascii() for word in words)
    return english * 2.5 < len(words) or (foreign > english and foreign > 2)


class _Turn(Statements):
    """One utterance being read, clause by clause."""

    def read(self) -> tuple[Act, ...]:
        """The acts of the text; () if there are none."""
        self._state_facts()
        conceded = False
        for clause in self.clauses:
            before = len(self.acts)
            conceded = self._clause(clause, conceded)
            if clause.sentence not in self.facts:
                self._doubt_acts(clause, before)
        if not self.acts and self.praise >= 0:
            self._add(self.praise, "acknowledge")
        if not self.acts:
            self._guess()
        return self._settle()

    def _doubt_acts(self, clause: Clause, before: int) -> None:
        """Drop acts of a clause that all its words together speak against; take what they speak for instead."""
        tokens = self.tokens[clause.start : clause.end]
        kept, better = [], None
        doubted = [act for _, act in self.acts[before:] if act.kind in w.DOUBTED]
        leads = {act: lead(tokens, clause.question, act)[0] for act in doubted} if len(doubted) > 1 else {}
        least = min(leads.values(), default=0.0)
        beside = {act: act in leads and leads[act] > least for _, act in self.acts[before:]}
        for place, act in self.acts[before:]:
            ahead, other = lead(tokens, clause.question, act) if act.kind in w.DOUBTED else (0.0, None)
            limit = DOUBT + SURE * (self.sure.get((place, act), 3) - 3)
            if beside[act]:
                limit = min(limit, BESIDE)
            if ahead > limit:
                better = other
            else:
                kept.append((place, act))
        if better is not None and not kept:
            kept.append((clause.start, better))
        self.acts[before:] = kept

    def _guess(self) -> None:
        """Where nothing certain was found: the faintest hint counts."""
        for place, clause in enumerate(self.clauses):
            if self._tag(clause):
                continue
            tagged = any(self._tag(other) for other in self.clauses[place + 1 : place + 2])
            found = guess(self.tokens[clause.start : clause.end], clause.question or tagged)
            if found is not None:
                self.acts.append((clause.start, found))
                continue
            weights = {slot: clause.weight(f"obj.{slot}") for slot in OBJECTIONS}
            best = max(OBJECTIONS, key=lambda slot: weights[slot])
            asked = self._best_ask(clause)
            hints = {slot: self._strength(clause, slot) for slot in w.APPEALS}
            hint = max(w.APPEALS, key=lambda slot: hints[slot])
            value = max(VALUES, key=lambda name: clause.weight(f"value.{name}"))
            if clause.question and asked:
                self._ask(clause, asked)
            elif (
                clause.question
                and clause.end - clause.start > 3
                and "you" in self.tokens[clause.start : clause.end]
            ):
                self._add(clause.start, "ask", "open")
            elif clause.question and clause.end - clause.start <= 3:
                self._add(clause.start, "check")
            elif weights[best] and weights[best] >= hints[hint]:
                self._add(clause.start, "address", best)
            elif hints[hint] > 0:
                self._add(clause.start, "appeal", hint)
            elif clause.weight(f"value.{value}") and (
                clause.has("valueframe") or self._strong(clause, value)
            ):
                self._add(clause.start, "appeal", "values", value)

    def _clause(self, clause: Clause, conceded: bool) -> bool:
        """Read one clause; returns whether it concedes something that the next may build on."""
        if clause.has("refuse"):
            self._add(clause.start, "refuse")
            return False
        pushed = self._pressure(clause)
        asked = False
        real = clause.question and not self._rhetorical(clause)
        if not pushed:
            asked = self._request(clause, real)
        elif clause.has("give"):
            self._propose(clause, [amount for amount in clause.amounts if amount.money])
        self._manners(clause, real, asked or pushed)
        if not (asked and real) and not pushed and not clause.has("close"):
            self._address(clause, conceded)
        if not pushed and not (asked and real):
            self._appeal(clause)
        elif asked and real:
            self._appeal(clause, within=True)
        return clause.has("concedestrong") and not clause.question

    def _settle(self) -> tuple[Act, ...]:
        """The acts in order, each once; what only goes with others falls away."""
        acts = [act for _, act in sorted(self.acts, key=lambda pair: pair[0])]
        kinds = {act.kind for act in acts}
        dropped: set[Act] = set()
        if kinds & {"refuse", "close"}:
            dropped.add(_ACKNOWLEDGE)
        if "commit" in kinds or any(act.kind == "propose" and act.value for act in acts):
            dropped.add(Act("propose"))
        if kinds & {"propose", "commit", "check"} or any(
            act.kind == "ask" and act.slot != "open" for act in acts
        ):
            dropped.add(_OPEN)
        if "refuse" in kinds:
            dropped.add(Act("check"))
        return tuple(dict.fromkeys(act for act in acts if act not in dropped))
