"""Understanding what a fundraiser says: free text -> acts, in one linear pass without a model.

The text becomes tokens; phrases (``grammar/agent_cues.toml``), numbers (:mod:`amounts`) and facts of the brief
(:mod:`facts`) are found in them; the clauses are read one by one (:mod:`clauses`): manners, pressure, questions and
requests, then what is stated: facts, inventions, doubts that are met, appeals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.language.spelling import SLANG, Speller
from dialog_envs.tasks.language.tokens import tokenise
from dialog_envs.tasks.language.words import COMMON_WORDS, FOREIGN
from dialog_envs.tasks.persuasion.acts import LENGTHS, OBJECTIONS, VALUES, band
from dialog_envs.tasks.persuasion.language.amounts import CURRENCY, NUMBER_TOKENS, Amount, amounts
from dialog_envs.tasks.persuasion.language.clauses import Clause, cut
from dialog_envs.tasks.persuasion.language.facts import FactTable, content, fact_table
from dialog_envs.tasks.persuasion.language.grammar import cues
from dialog_envs.tasks.persuasion.language.judging import guess, lead
from dialog_envs.tasks.persuasion.language.matching import ENDS, Cues
from dialog_envs.tasks.persuasion.language.objections import numbers_in, raised, user_texts

_CODE = re.compile(r"[{}\\]|</|<\||\(\)|\[/|==|\* FROM ")
_BULLET = re.compile(r"(?<=[^\d\s])\s+[-*•]\s+(?=\D)|^\s*[-*•]\s+", re.MULTILINE)
_UNKNOWN = Act("unknown")
_ASKS = ("experience", "concern", "values", "means", "open")
_SLANG = {
    "donat": "donate", "donatin": "donating", "wuld": "would", "culd": "could", "sumthing": "something", "b4": "before",
    "charitys": "charities", "mony": "money", "monies": "money", "giv": "give", "euroes": "euros", "tho": "though",
    "pplz": "people", "hlp": "help", "becuz": "because", "wich": "which", "whos": "whos", "hav": "have", "givin": "giving",
    "carin": "caring", "wanna": "want", "u": "you",
}  # fmt: skip
_SINGLE = frozenset(
    """selfish heartless ashamed greedy stingy callous hurry asap deadline blacklist karma cursed regret
    imagine heartbreaking heartbroken heartwarming tears smile smiles smiling lonely loneliness hungry starving starve suffering
    desperate helpless tragic joy crying cry orphan hunger thirsty freezing scared terrified misery despair
    trustworthy transparent transparency reputable accountable accountability reliable credentials
    logical logically rational rationally efficient investment arithmetic multiply adds therefore effective sensible
    story stories""".split()
)
"""Words that are enough, one of them, for a strategy or a way of pushing."""
_APPEALS = ("story", "identity", "emotional", "credibility", "logical")
"""Strategies by phrases; where two are as strong, the one that stands first here counts."""
_STRONG_VALUES = frozenset(
    """compassion kindness empathy mercy fairness justice injustice equality unfair equity fair community solidarity togetherness
    neighbours neighbors nature planet environment wildlife biodiversity independence independent autonomy achievement achievements
    success ambition excellence progress equal humanity caring sustainability empowerment dignity belonging""".split()
)
_RHETORICAL = frozenset("dont isnt wouldnt arent doesnt".split())
_BUYS = frozenset(
    """buy buys pay pays feed feeds provide provides cover covers fund funds finance finances vaccinate vaccinates save saves keep keeps
    protect protects send sends give gives put puts fill fills train trains get gets equals means""".split()
)
_PRAISE = frozenset(
    """great wonderful lovely fantastic awesome amazing excellent brilliant perfect super nice cool right sure okay ok alright
    absolutely certainly indeed agreed understandable noted thank understood""".split()
)
"""Words that are praise or assent only where a clause begins with them and goes on after a pause."""
_BEFORE_PRAISE = frozenset("oh ah well that thats is its yes and so but completely totally perfectly really very".split())
_AFTER_PRAISE = frozenset(", . ! ? ; : — – - so and but then thanks thank i we".split())
_NEGATIONS = frozenset("no not dont without havent neither never isnt".split())
_PICTURING = frozenset(("imagine", "picture"))
_DOUBTED = frozenset(("appeal", "address", "pressure", "acknowledge", "commit", "check", "ask"))
"""Kinds of acts that the other words of a clause may speak against."""
DOUBT = 7.5
"""By how many nats they must."""
SURE = 2.0
"""How many nats more for each word of an act's phrases beyond the third."""
_TIME_UNITS = frozenset("minute minutes seconds second hours hour moment days weeks times time".split())
_COUNTED = frozenset("things reasons ways words questions points steps of last".split())


def understand(text: str, scenario: Any, dialogue: Sequence[Mapping[str, Any]] = ()) -> tuple[Act, ...]:
    """The acts of one agent utterance, in order of appearance, without duplicates; never empty.

    Args:
        text: anything at all.
        scenario: its ``charity`` holds the facts of the brief.
        dialogue: the turns before this one, ``{"speaker", "text"}`` each; the user's doubts and numbers count.
    """
    said = user_texts(dialogue) if dialogue else []
    numbers: frozenset[float] = frozenset()
    for turn in said:
        numbers |= numbers_in(turn)
    return _understand(text, scenario.charity.id, raised(dialogue) if said else (), numbers)


@lru_cache(maxsize=16_384)
def _understand(text: str, charity_id: str, doubts: tuple[str, ...], numbers: frozenset[float]) -> tuple[Act, ...]:
    if _CODE.search(text):
        return (_UNKNOWN,)
    tokens = _speller().fix(tokenise(_BULLET.sub(" . ", text.replace("%", " percent "))))
    table = fact_table(charity_id)
    acts: tuple[Act, ...] = ()
    if not _foreign(tokens, table):
        acts = _Turn(tokens, table, doubts, numbers).read()
    words = len(text.split())
    if words > LENGTHS["very_long"]:
        return (*(acts or (_UNKNOWN,)), Act("lengthy", value="very_long"))
    if words > LENGTHS["long"]:
        return (*(acts or (_UNKNOWN,)), Act("lengthy", value="long"))
    return acts or (_UNKNOWN,)


@lru_cache(maxsize=1)
def _table() -> Cues:
    return Cues(cues("agent_cues"))


@lru_cache(maxsize=1)
def _speller() -> Speller:
    from dialog_envs.tasks.persuasion.content import charities

    words = set(_table().words) | NUMBER_TOKENS
    facts = {word for entry in charities() for word in fact_table(entry.id).words}
    return Speller(words | facts | COMMON_WORDS, words, {**SLANG, **_SLANG})


def _foreign(tokens: list[str], table: FactTable) -> bool:
    """Whether the text is no English: no words, or mostly words that neither cues nor facts nor English know."""
    words = [token for token in tokens[:80] if token[0].isalpha()]
    if not words:
        return not any(token in CURRENCY or token[0].isdigit() for token in tokens)
    known = _table().words
    english = sum(word in known or word in COMMON_WORDS or word in table.words for word in words)
    foreign = sum(word in FOREIGN or not word.isascii() for word in words)
    return english * 2.5 < len(words) or (foreign > english and foreign > 2)


class _Turn:
    """One utterance being read."""

    __slots__ = ("acts", "clauses", "doubts", "facts", "fixed", "known", "numbers", "praise", "sure", "table", "tokens")

    def __init__(
        self, tokens: list[str], table: FactTable, doubts: tuple[str, ...], numbers: frozenset[float]
    ) -> None:
        self.tokens, self.table, self.doubts, self.numbers = tokens, table, doubts, numbers
        self.clauses = cut(tokens, _table().find(tokens), amounts(tokens))
        self.acts: list[tuple[int, Act]] = []
        self.praise = -1
        self.sure: dict[tuple[int, Act], int] = {}
        self.facts: dict[int, list[str]] = {}
        self.known: dict[int, frozenset[int]] = {}
        """Sentence -> where its words stand that belong to a fact which it states."""

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
        for place, act in self.acts[before:]:
            ahead, other = lead(tokens, clause.question, act) if act.kind in _DOUBTED else (0.0, None)
            if ahead > DOUBT + SURE * (self.sure.get((place, act), 3) - 3):
                better = other
            else:
                kept.append((place, act))
        if better is not None and not kept:
            kept.append((clause.start, better))
        self.acts[before:] = kept

    def _guess(self) -> None:
        """Where nothing certain was found: the faintest hint counts."""
        for clause in self.clauses:
            found = guess(self.tokens[clause.start : clause.end], clause.question)
            if found is not None:
                self.acts.append((clause.start, found))
                continue
            weights = {slot: clause.weight(f"obj.{slot}") for slot in OBJECTIONS}
            best = max(OBJECTIONS, key=lambda slot: weights[slot])
            asked = self._best_ask(clause)
            hints = {slot: self._strength(clause, slot) for slot in _APPEALS}
            hint = max(_APPEALS, key=lambda slot: hints[slot])
            value = max(VALUES, key=lambda name: clause.weight(f"value.{name}"))
            if clause.question and asked:
                self._ask(clause, asked)
            elif clause.question and clause.end - clause.start > 3 and "you" in self.tokens[clause.start : clause.end]:
                self._add(clause.start, "ask", "open")
            elif clause.question and clause.end - clause.start <= 3:
                self._add(clause.start, "check")
            elif weights[best] and weights[best] >= hints[hint]:
                self._add(clause.start, "address", best)
            elif hints[hint] > 0:
                self._add(clause.start, "appeal", hint)
            elif clause.weight(f"value.{value}") and (clause.has("valueframe") or self._strong(clause, value)):
                self._add(clause.start, "appeal", "values", value)

    def _add(self, place: int, kind: str, slot: str | None = None, value: str | None = None) -> None:
        self.acts.append((place, Act(kind, slot, value)))

    # Facts and inventions.

    def _state_facts(self) -> None:
        """Find which sentences state facts of the brief, or invent some."""
        spans: dict[int, list[Clause]] = {}
        for clause in self.clauses:
            spans.setdefault(clause.sentence, []).append(clause)
        for number, clauses in spans.items():
            start, end = clauses[0].start, clauses[-1].end
            found = content(self.tokens[start:end])
            stated = self.table.stated(found)
            kinds: list[tuple[float, str]] = []
            places: set[int] = set()
            best = 0.0
            for kind, (weight, share, common) in stated.items():
                best = max(best, share)
                if _is_stated(kind, weight, share, common, len(found)):
                    named = kind == "impact" and share >= 0.45 and any(word[0] == "€" for word in common)
                    kinds.append((weight + 2.0 * named, kind))
                    places.update(start + found[word] for word in common)
            kinds.sort(reverse=True)
            kinds = [(weight, kind) for weight, kind in kinds if weight > 0.8 * kinds[0][0]]
            asked = clauses[-1].marked and len(clauses) == 1 and best < 0.4
            if kinds and not asked:
                self.facts[number] = [kind for _, kind in kinds]
                self.known[number] = frozenset(places)
                for _, kind in kinds:
                    self._add(start, "inform", kind)
            if self._invents(clauses, best):
                self._add(start + 1, "fabricate")

    def _invents(self, clauses: list[Clause], share: float) -> bool:
        """Whether a sentence claims a number, study or endorsement that the brief does not hold."""
        if clauses[-1].marked and len(clauses) == 1 and not self._claims(clauses[0]):
            return False
        words = self.table.words
        for clause in clauses:
            for start, end in clause.hits.get("study", ()):
                if share < 0.45 and any(token not in words for token in self.tokens[start:end]):
                    return not self._negated(start)
            for start, end in clause.hits.get("quantity", ()):
                if any(token not in words for token in self.tokens[start:end]) and not self._supposed(clause):
                    return True
            if any(self._unknown_number(amount, clause) for amount in clause.amounts):
                return True
        return False

    def _claims(self, clause: Clause) -> bool:
        """Whether a question claims something: "did you know that …", "isn't it great that …"."""
        return self.tokens[clause.start : clause.start + 3] in (["did", "you", "know"], ["have", "you", "heard"]) or (
            self.tokens[clause.start] in _RHETORICAL
        )

    def _conditional(self, clause: Clause) -> bool:
        """Whether the sentence of a clause says what follows from a no."""
        return any(other.has("unless") for other in self.clauses if other.sentence == clause.sentence)

    def _told(self, clause: Clause, start: int, end: int) -> bool:
        """Whether words are those of a fact that their sentence states."""
        known = self.known.get(clause.sentence)
        if known is None:
            return False
        return not known.isdisjoint(range(start, end)) or all(
            word in self.table.words for word in self.tokens[start:end]
        )

    def _negated(self, place: int) -> bool:
        before = self.tokens[max(0, place - 3) : place]
        while not ENDS.isdisjoint(before):
            before = before[1:]
        return "if" not in before and any(token in _NEGATIONS for token in before)

    def _supposed(self, clause: Clause) -> bool:
        return self.tokens[clause.start] in ("if", "imagine", "suppose") or "if" in self.tokens[clause.start : clause.end]

    def _unknown_number(self, amount: Amount, clause: Clause) -> bool:
        """Whether a number is none of the brief, the user, a proposal, or a manner of speaking."""
        value, tokens = amount.value, self.tokens
        after = tokens[amount.end] if amount.end < len(tokens) else ""
        before = tokens[amount.start - 1] if amount.start else ""
        if amount.money:
            return False
        percent = after in ("percent", "pct") or tokens[amount.end : amount.end + 2] == ["per", "cent"]
        percent = percent or tokens[amount.end : amount.end + 2] == ["out", "of"]
        if value in self.table.numbers or (value in self.numbers):
            return False
        if percent:
            return True
        if after in _TIME_UNITS and value <= 30:
            return False
        if value <= 100 and not amount.digits:
            return False
        if value <= 12 and (not amount.digits or value <= 3 or after in _COUNTED):
            return False
        if (not before or before == "\n") and after in (".", ")", ":", ""):
            return False
        if clause.question or clause.has("prop", "commit"):
            return False
        return not self._supposed(clause)

    # Clauses.

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

    def _rhetorical(self, clause: Clause) -> bool:
        """Whether a question expects agreement: "don't you think everyone deserves …"."""
        tokens = self.tokens[clause.start : clause.end]
        first = next((token for token in tokens[:3] if token not in ("and", "but", "so", "well")), "")
        return first in _RHETORICAL and not clause.has("ask.concern", "ask.experience") and not (
            clause.amounts or (clause.has("give") and clause.has("prop"))
        )

    def _strong(self, clause: Clause, value: str) -> bool:
        return any(not _STRONG_VALUES.isdisjoint(self.tokens[a:b]) for a, b in clause.hits.get(f"value.{value}", ()))

    def _pressure(self, clause: Clause) -> bool:
        best, weight = "", 0
        for kind in ("threat", "guilt", "urgency"):
            strong = sum(
                min(end - start, 3) + (end - start == 1 and self.tokens[start] in _SINGLE)
                for start, end in clause.hits.get(kind, ())
                if not self._negated(start) and not self._told(clause, start, end)
            )
            if kind == "threat" and clause.has("menace") and self._conditional(clause):
                strong += 3
            if strong > weight:
                best, weight = kind, strong
        if weight < 2:
            return False
        self._add(clause.start, "pressure", value=best)
        self.sure[self.acts[-1]] = weight
        return True

    def _request(self, clause: Clause, real: bool) -> bool:
        """Commitments, proposals and questions; True if the clause was one."""
        money = [amount for amount in clause.amounts if self._offered(amount, clause)]
        asks = real or clause.has("ind")
        commit = clause.weight("commit") >= 2 or (clause.has("commit") and clause.end - clause.start <= 2)
        if clause.has("token") and (real or clause.has("strongprop")) and not money:
            self._add(clause.start, "propose", value="token")
            return True
        strong = self._best_ask(clause) if asks else ""
        if commit and not (strong and clause.wh and strong != "open") and (asks or not clause.has("ask.experience")):
            if money:
                self._propose(clause, money)
            self._add(clause.first("commit"), "commit")
            return True
        if real and self._checks(clause) and clause.weight("check") >= clause.weight(f"ask.{strong}") and not money:
            if not (clause.has("give", "token") and clause.has("prop")):
                return False
        if money:
            self._propose(clause, money)
            if strong in ("values", "concern", "experience") and clause.wh:
                self._ask(clause, strong)
            return True
        if strong == "open" and self._goes_on(clause):
            return True
        wants = clause.has("give") and clause.has("prop")
        if strong and not (wants and self._invites(clause, strong)):
            self._ask(clause, strong)
            return True
        if (wants and (real or self._requests(clause))) or (real and clause.has("give") and not clause.wh and not strong):
            self._add(clause.start, "propose")
            return True
        if real and not clause.wh and not clause.has("check") and self._named(clause, "values"):
            self._ask(clause, "values")
            return True
        if real and not clause.wh and self._named(clause, "concern") and not clause.has("check"):
            self._ask(clause, "concern")
            return True
        if self._imperative(clause):
            self._add(clause.start, "propose")
            return True
        return False

    def _goes_on(self, clause: Clause) -> bool:
        """Whether the sentence goes on with a request: "what do you say, will you support us?"."""
        after = self.clauses[self.clauses.index(clause) + 1 :][:1]
        return any(
            other.sentence == clause.sentence and other.question and other.has("give", "commit") for other in after
        )

    def _offered(self, amount: Amount, clause: Clause) -> bool:
        """Whether an amount is asked for rather than told of."""
        if not amount.money:
            small = clause.end - clause.start <= 10
            return bool(
                (clause.question or clause.has("howabout")) and clause.has("prop", "give") and (amount.digits or small) and amount.value >= 1
                and not self._is_time(amount) and clause.sentence not in self.facts
                and (small or self.tokens[max(0, amount.start - 1)] in ("donate", "give", "spare", "about", "of", "contribute", "to"))
                and amount.end >= clause.end - 2
            )
        if clause.question:
            return not self._claims(clause)
        if clause.sentence in self.facts or amount.value < 1:
            asked = clause.has("give") or clause.first("strongprop") < amount.start
            return clause.has("strongprop") and asked and amount.value >= 0.2
        if clause.has("commit", "prop"):
            return True
        after = self.tokens[amount.end : amount.end + 2]
        if any(token in _BUYS for token in after) and not clause.has("weakprop"):
            return False
        return clause.has("give", "weakprop", "token")

    def _is_time(self, amount: Amount) -> bool:
        after = self.tokens[amount.end] if amount.end < len(self.tokens) else ""
        return after in _TIME_UNITS or after in ("percent", "per", "years", "year", "people", "children")

    def _propose(self, clause: Clause, money: list[Amount]) -> None:
        for amount in money:
            self._add(amount.start, "propose", value=band(amount.value))

    def _best_ask(self, clause: Clause) -> str:
        """What a question is about: the topic with the most words; "" if it names none."""
        best, weight = "", 0
        for slot in _ASKS:
            found = clause.weight(f"ask.{slot}")
            if found > weight:
                best, weight = slot, found
        return best

    def _invites(self, clause: Clause, strong: str) -> bool:
        """Whether a question that names a topic is a request all the same: "could you spare something?"."""
        if clause.wh and self.tokens[clause.start] not in ("why",):
            return strong == "open" or clause.has("howabout")
        return strong in ("means", "open", "values") and not clause.has("means.strong")

    def _requests(self, clause: Clause) -> bool:
        """Whether a statement asks for a gift: a proposing phrase stands before the giving."""
        return clause.has("strongprop") and clause.first("strongprop") <= max(start for start, _ in (clause.hits.get("give") or clause.hits["token"]))

    def _imperative(self, clause: Clause) -> bool:
        """ "Donate now", "give what you can"."""
        i = clause.start
        while i < clause.end - 1 and self.tokens[i] in ("so", "please", "and", "then", "just", "now", "but", "come", "ok", "okay", ","):
            i += 1
        return self.tokens[i] in ("donate", "give", "contribute", "support", "sponsor", "join", "help") and (
            self.tokens[i] in ("donate", "contribute") or clause.has("giveus")
        ) and not clause.marked

    def _ask(self, clause: Clause, slot: str) -> None:
        value = None
        if not clause.wh and slot in ("values", "means", "experience", "concern"):
            value = self._named(clause, slot)
        self._add(clause.start, "ask", slot, value)

    def _named(self, clause: Clause, slot: str) -> str | None:
        """The value that a yes-or-no question names, if it is one."""
        if clause.has("ind") and not clause.marked:
            return None
        prefix, values = {"values": ("value.", VALUES), "concern": ("obj.", OBJECTIONS)}.get(
            slot, (f"{slot}.", ("tight", "modest", "comfortable") if slot == "means" else ("bad", "none", "good"))
        )
        found = {value: clause.weight(prefix + value) for value in values if clause.has(prefix + value)}
        if not found:
            return None
        best = max(found.values())
        top = [value for value, weight in found.items() if weight == best]
        return top[0] if len(top) == 1 and "or" not in self.tokens[clause.start : clause.end] else None

    def _manners(self, clause: Clause, real: bool, busy: bool) -> None:
        begins = clause.start + 4
        if clause.has("greet") and clause.first("greet") < begins and not self._within(clause, "greet", "close"):
            self._add(clause.start, "greet")
        if clause.has("close") and not busy and not self._within(clause, "close", "greet"):
            self._add(clause.first("close"), "close")
        thanks = self._thanks(clause)
        if thanks and not self._doubt(clause, False):
            if thanks == "praise":
                self.praise = clause.start
            else:
                self._add(clause.start, "acknowledge")
        if real and not busy and self._checks(clause) and not self._tag(clause):
            self._add(clause.start, "check")

    def _tag(self, clause: Clause) -> bool:
        """Whether a clause is only the "isn't it?" behind a statement."""
        return clause.end - clause.start <= 3 and self.tokens[clause.start] in _RHETORICAL and any(
            other.sentence == clause.sentence for other in self.clauses if other is not clause
        )

    def _checks(self, clause: Clause) -> bool:
        """Whether a question asks whether what was said is clear; single words only at its beginning or end."""
        return any(
            end - start > 1 or end == clause.end or (start == clause.start and clause.end - start <= 3)
            for start, end in clause.hits.get("check", ())
        )

    def _within(self, clause: Clause, tag: str, other: str) -> bool:
        """Whether the first phrase of a tag lies in a phrase of another tag."""
        start, end = clause.hits[tag][0]
        return any(a <= start and end <= b for a, b in clause.hits.get(other, ()))

    def _thanks(self, clause: Clause) -> str:
        """``thanks`` or ``praise`` if a clause begins with thanks or empathy, or with a word of praise or assent."""
        for start, end in clause.hits.get("ack", ()):
            if end == clause.end and self.tokens[start] in ("thanks", "thank"):
                return "thanks"
            if start >= clause.start + 4:
                continue
            if end - start == 1 and self.tokens[start] in _PRAISE:
                opens = all(token in _BEFORE_PRAISE for token in self.tokens[clause.start : start])
                after = self.tokens[end] if end < clause.end else "."
                if not opens or after not in _AFTER_PRAISE or (clause.marked and end == clause.end):
                    continue
            if any(a <= start and end <= b and b - a > end - start for a, b in clause.hits.get("logical", ())):
                continue
            return "praise" if end - start == 1 and self.tokens[start] in _PRAISE else "thanks"
        return ""

    def _doubt(self, clause: Clause, conceded: bool) -> str:
        """The objection that a statement meets; "" if it meets none."""
        known = self.known.get(clause.sentence, frozenset())
        weights = {slot: clause.weight(f"obj.{slot}", known) for slot in OBJECTIONS}
        best = max(OBJECTIONS, key=lambda slot: (weights[slot], slot in self.doubts))
        conceding = clause.has("concedestrong")
        if clause.question and not self._rhetorical(clause):
            return ""
        if weights[best] and conceding:
            return best
        stated = clause.has("youstate", "concede") and not clause.has("credibility", "strongvalue")
        if clause.sentence not in self.facts and weights[best] >= (2 if stated else 4):
            return best
        if weights[best] and clause.has("youstate") and self._near_you(clause, f"obj.{best}"):
            return best
        if clause.sentence not in self.facts and weights[best] >= 2 and (conceded or best in self.doubts):
            return best
        if conceding and self.doubts and clause.has("worried"):
            return self.doubts[0]
        return ""

    def _asks_next(self, clause: Clause) -> bool:
        """Whether the sentence goes on with a question: "if it is not the money, what is it?"."""
        after = self.clauses[self.clauses.index(clause) + 1 :][:1]
        return any(other.sentence == clause.sentence and other.question for other in after)

    def _near_you(self, clause: Clause, tag: str) -> bool:
        """Whether a phrase of the tag stands in the words behind "you are", "you have" …"""
        return any(
            end <= start <= end + 2
            for _, end in clause.hits["youstate"]
            for start, _ in clause.hits[tag]
            if self.tokens[end - 1] not in ("know", "promise")
        )

    def _address(self, clause: Clause, conceded: bool) -> None:
        slot = self._doubt(clause, conceded)
        if self.tokens[clause.start] == "if" and self._asks_next(clause):
            return
        if slot and not (clause.question and not self._rhetorical(clause)):
            self._add(clause.start, "address", slot)
            self.sure[self.acts[-1]] = clause.weight(f"obj.{slot}") + clause.has("concedestrong")

    def _appeal(self, clause: Clause, within: bool = False) -> None:
        """Appeals of a clause: to a value that it names, and the strategy with the strongest words."""
        known = self.known.get(clause.sentence, frozenset())
        value = self._value(clause)
        if value is not None and not within:
            self._add(clause.start, "appeal", "values", value or None)
        best, weight = "", 0
        for slot in _APPEALS:
            found = self._strength(clause, slot)
            if found > weight:
                best, weight = slot, found
        invented = Act("fabricate") in (act for place, act in self.acts if place == self._opens(clause) + 1)
        told = clause.sentence in self.facts and best in ("credibility", "emotional")
        if weight >= (4 if within or invented or told else 2) and (value is None or weight >= 4):
            self._add(clause.start, "appeal", best)
            self.sure[self.acts[-1]] = weight

    def _opens(self, clause: Clause) -> int:
        """Where the sentence of a clause begins."""
        return next(other.start for other in self.clauses if other.sentence == clause.sentence)

    def _strength(self, clause: Clause, slot: str) -> int:
        """How many words of a strategy stand in a clause, outside the facts that it states."""
        found = 0
        for start, end in clause.hits.get(slot, ()):
            if not self._told(clause, start, end):
                found += min(end - start, 3) + (end - start == 1 and self.tokens[start] in _SINGLE)
        if found and slot == "emotional" and not _PICTURING.isdisjoint(self.tokens[clause.start : clause.start + 4]):
            found += 4
        return found - (slot == "story" and found < 4 and not self._tells(clause))

    def _tells(self, clause: Clause) -> bool:
        """Whether a clause says that a story follows."""
        return any(token in ("story", "stories", "tell", "met", "meet", "remember", "forget", "share") for token in self.tokens[clause.start : clause.end])

    def _value(self, clause: Clause) -> str | None:
        """The value that a clause appeals to; "" for the user's values without a name; None for no such appeal."""
        known = self.known.get(clause.sentence, frozenset())
        frames = clause.hits.get("valueframe", ())
        if not frames:
            return None
        strong = any(end - start >= 2 for start, end in frames)
        best, weight = "", 0
        for name in VALUES:
            rows = [row for row in clause.hits.get(f"value.{name}", ()) if known.isdisjoint(range(*row))]
            found = sum(
                min(end - start, 3) + 2 * any(token in _STRONG_VALUES for token in self.tokens[start:end])
                for start, end in rows
            )
            if found > weight and (strong or found >= 3):
                best, weight = name, found
        if best:
            return best
        return "" if clause.has("yourvalues") else None

    def _settle(self) -> tuple[Act, ...]:
        """The acts in order, each once; what only goes with others falls away."""
        acts = [act for _, act in sorted(self.acts, key=lambda pair: pair[0])]
        kinds = {act.kind for act in acts}
        if "refuse" in kinds:
            acts = [act for act in acts if act.kind not in ("acknowledge", "check")]
        return tuple(dict.fromkeys(acts))


_OFFERED = frozenset(("#2", "#10", "#50", "#1", "#3", "#5"))
"""Numbers that are too common to tell a fact by."""


def _is_stated(kind: str, weight: float, share: float, common: set[str], size: int) -> bool:
    """Whether a sentence with these words in common with a fact states it: enough of the fact, in enough words."""
    if len(common) < 2:
        return False
    number = any(word[0] == "#" for word in common)
    if kind == "impact" and share >= 0.45 and any(word[0] == "€" for word in common):
        return True
    if kind == "spending" and weight >= 0.7 and number:
        return True
    if len(common) >= 0.6 * size and weight >= 1.7:
        return True
    if number and weight >= 1.1 and any(word[0] == "#" and word not in _OFFERED for word in common):
        return True
    return (share >= 0.5 and weight >= 0.9) or (share >= 0.25 and len(common) >= 3) or (
        number and share >= 0.2 and weight >= 1.2
    )
