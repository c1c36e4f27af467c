"""What a turn states as a fact: facts of the brief, and inventions."""

from __future__ import annotations

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.persuasion.language.amounts import Amount
from dialog_envs.tasks.persuasion.language.clauses import Clause
from dialog_envs.tasks.persuasion.language.facts import FactTable, stated
from dialog_envs.tasks.persuasion.language.matching import ENDS
from dialog_envs.tasks.persuasion.language.wordlists import (
    COUNTED,
    NEGATIONS,
    OFFERED,
    RHETORICAL,
    TIME_UNITS,
)


class Claims:
    """One utterance being read: its clauses, and what it states as a fact."""

    def __init__(
        self,
        tokens: list[str],
        clauses: list[Clause],
        table: FactTable,
        doubts: tuple[str, ...],
        numbers: frozenset[float],
    ) -> None:
        self.tokens, self.clauses, self.table = tokens, clauses, table
        self.doubts, self.numbers = doubts, numbers
        self.acts: list[tuple[int, Act]] = []
        self.praise = -1
        """Where a clause of praise or assent begins that counts if nothing else is said; -1 without."""
        self.sure: dict[tuple[int, Act], int] = {}
        """How many words of phrases speak for an act."""
        self.facts: dict[int, list[str]] = {}
        """Sentence -> kinds of facts that it states."""
        self.known: dict[int, frozenset[int]] = {}
        """Sentence -> where its words stand that belong to a fact which it states."""
        self.looks_back = False
        """Whether what the user said could make a difference."""

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
            found, common_with = stated(self.table.id, " ".join(self.tokens[start:end]))
            kinds: list[tuple[float, str]] = []
            places: set[int] = set()
            best = 0.0
            for kind, (weight, share, common) in common_with.items():
                best = max(best, share)
                if _is_stated(kind, weight, share, common, len(found)):
                    named = kind == "impact" and share >= 0.45 and any(word[0] == "€" for word in common)
                    kinds.append((weight + 2.0 * named, kind))
                    places.update(start + found[word] for word in common)
            kinds.sort(reverse=True)
            kinds = [(weight, kind) for weight, kind in kinds if weight > 0.8 * kinds[0][0]]
            asked = clauses[-1].marked and len(clauses) == 1 and best < 0.25
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
        return self.tokens[clause.start : clause.start + 3] in (
            ["did", "you", "know"],
            ["have", "you", "heard"],
        ) or (self.tokens[clause.start] in RHETORICAL)

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
        return "if" not in before and any(token in NEGATIONS for token in before)

    def _supposed(self, clause: Clause) -> bool:
        return (
            self.tokens[clause.start] in ("if", "imagine", "suppose")
            or "if" in self.tokens[clause.start : clause.end]
        )

    def _unknown_number(self, amount: Amount, clause: Clause) -> bool:
        """Whether a number is none of the brief, the user, a proposal, or a manner of speaking."""
        value, tokens = amount.value, self.tokens
        after = tokens[amount.end] if amount.end < len(tokens) else ""
        before = tokens[amount.start - 1] if amount.start else ""
        if amount.money:
            return False
        percent = after in ("percent", "pct") or tokens[amount.end : amount.end + 2] == ["per", "cent"]
        percent = percent or tokens[amount.end : amount.end + 2] == ["out", "of"]
        if value in self.table.numbers:
            return False
        self.looks_back = True
        if value in self.numbers:
            return False
        if percent:
            return True
        if after in TIME_UNITS and value <= 30:
            return False
        if value <= 100 and not amount.digits:
            return False
        if value <= 12 and (not amount.digits or value <= 3 or after in COUNTED):
            return False
        if (not before or before == "\n") and after in (".", ")", ":", ""):
            return False
        if clause.question or clause.has("prop", "commit"):
            return False
        return not self._supposed(clause)


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
    if number and weight >= 1.1 and any(word[0] == "#" and word not in OFFERED for word in common):
        return True
    return (
        (share >= 0.5 and weight >= 0.9)
        or (share >= 0.25 and len(common) >= 3)
        or (number and share >= 0.2 and weight >= 1.2)
    )
