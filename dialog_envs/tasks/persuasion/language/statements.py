"""What a turn says beside facts and requests: manners, doubts that are met, and appeals."""

from __future__ import annotations

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.persuasion.acts import OBJECTIONS, VALUES
from dialog_envs.tasks.persuasion.language.clauses import Clause
from dialog_envs.tasks.persuasion.language.requesting import Requests
from dialog_envs.tasks.persuasion.language.wordlists import (
    AFTER_PRAISE,
    APPEALS,
    BEFORE_PRAISE,
    GREETING_ENDS,
    PICTURING,
    PRAISE,
    RHETORICAL,
    SINGLE,
    STRONG_VALUES,
)


class Statements(Requests):
    """One utterance being read: manners, doubts that it meets, appeals."""

    def _manners(self, clause: Clause, real: bool, busy: bool) -> None:
        begins = clause.start + 4
        if (
            clause.has("greet")
            and clause.first("greet") < min(begins, GREETING_ENDS)
            and not self._within(clause, "greet", "close")
        ):
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
        return (
            clause.end - clause.start <= 3
            and self.tokens[clause.start] in RHETORICAL
            and any(other.sentence == clause.sentence for other in self.clauses if other is not clause)
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
            if end - start == 1 and self.tokens[start] in PRAISE:
                opens = all(token in BEFORE_PRAISE for token in self.tokens[clause.start : start])
                after = self.tokens[end] if end < clause.end else "."
                if not opens or after not in AFTER_PRAISE or (clause.marked and end == clause.end):
                    continue
            if any(
                a <= start and end <= b and b - a > end - start for a, b in clause.hits.get("logical", ())
            ):
                continue
            return "praise" if end - start == 1 and self.tokens[start] in PRAISE else "thanks"
        return ""

    def _doubt(self, clause: Clause, conceded: bool) -> str:
        """The objection that a statement meets; "" if it meets none."""
        known = self.known.get(clause.sentence, frozenset())
        weights = {slot: clause.weight(f"obj.{slot}", known) for slot in OBJECTIONS}
        best = max(OBJECTIONS, key=lambda slot: (weights[slot], slot in self.doubts))
        conceding = clause.has("concedestrong")
        self.looks_back = self.looks_back or weights[best] > 0 or conceding
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
            words = clause.weight(f"obj.{slot}") + clause.has("concedestrong")
            self.sure[self.acts[-1]] = words + 6 * (slot in self.doubts)

    def _appeal(self, clause: Clause, within: bool = False) -> None:
        """Appeals of a clause: to a value that it names, and the strategy with the strongest words."""
        value = self._value(clause)
        if value is not None and not within:
            self._add(clause.start, "appeal", "values", value or None)
        best, weight = "", 0
        for slot in APPEALS:
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
                found += min(end - start, 3) + (end - start == 1 and self.tokens[start] in SINGLE)
        if (
            found
            and slot == "emotional"
            and not PICTURING.isdisjoint(self.tokens[clause.start : clause.start + 4])
        ):
            found += 4
        return found - (slot == "story" and found < 4 and not self._tells(clause))

    def _tells(self, clause: Clause) -> bool:
        """Whether a clause says that a story follows."""
        return any(
            token in ("story", "stories", "tell", "met", "meet", "remember", "forget", "share")
            for token in self.tokens[clause.start : clause.end]
        )

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
                min(end - start, 3) + 2 * any(token in STRONG_VALUES for token in self.tokens[start:end])
                for start, end in rows
            )
            if found > weight and (strong or found >= 3):
                best, weight = name, found
        if best:
            return best
        return "" if clause.has("yourvalues") else None
