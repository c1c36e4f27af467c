"""What a turn wants: questions, proposals, commitments, and pressure."""

from __future__ import annotations

from dialog_envs.tasks.persuasion.acts import OBJECTIONS, VALUES, band
from dialog_envs.tasks.persuasion.language.amounts import Amount
from dialog_envs.tasks.persuasion.language.claims import Claims
from dialog_envs.tasks.persuasion.language.clauses import Clause
from dialog_envs.tasks.persuasion.language.wordlists import (
    ASKS,
    BEFORE_AMOUNTS,
    BUYS,
    COUNTED,
    RHETORICAL,
    SINGLE,
    STRONG_VALUES,
    TIME_UNITS,
)


class Requests(Claims):
    """One utterance being read: its questions and requests."""

    def _rhetorical(self, clause: Clause) -> bool:
        """Whether a question expects agreement: "don't you think everyone deserves …"."""
        tokens = self.tokens[clause.start : clause.end]
        first = next((token for token in tokens[:3] if token not in ("and", "but", "so", "well")), "")
        return (
            first in RHETORICAL
            and not clause.has("ask.concern", "ask.experience")
            and not (clause.amounts or (clause.has("give") and clause.has("prop")))
        )

    def _strong(self, clause: Clause, value: str) -> bool:
        return any(
            not STRONG_VALUES.isdisjoint(self.tokens[a:b]) for a, b in clause.hits.get(f"value.{value}", ())
        )

    def _pressure(self, clause: Clause) -> bool:
        best, weight = "", 0
        for kind in ("threat", "guilt", "urgency"):
            strong = sum(
                min(end - start, 3) + (end - start == 1 and self.tokens[start] in SINGLE)
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
        if (
            commit
            and not (strong and clause.wh and strong != "open")
            and (asks or not clause.has("ask.experience"))
        ):
            if money:
                self._propose(clause, money)
            self._add(clause.first("commit"), "commit")
            return True
        checks = real and not money and self._checks(clause)
        wants = clause.has("give") and clause.has("prop", "strongprop")
        if checks and not wants and clause.weight("check") >= clause.weight(f"ask.{strong}"):
            return False
        if money:
            self._propose(clause, money)
            if strong in ("values", "concern", "experience") and clause.wh:
                self._ask(clause, strong)
            return True
        if strong == "open" and self._goes_on(clause):
            return True
        if strong and not (wants and self._invites(clause, strong)):
            self._ask(clause, strong)
            return True
        if (wants and (real or self._requests(clause))) or (
            real and clause.has("give") and not clause.wh and not strong
        ):
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
            other.sentence == clause.sentence and other.question and other.has("give", "commit")
            for other in after
        )

    def _offered(self, amount: Amount, clause: Clause) -> bool:
        """Whether an amount is asked for rather than told of."""
        if not amount.money:
            return self._bare(amount, clause)
        if clause.question:
            return not self._claims(clause)
        if clause.sentence in self.facts or amount.value < 1:
            asked = clause.has("give") or clause.first("strongprop") < amount.start
            return clause.has("strongprop") and asked and amount.value >= 0.2
        if clause.has("commit", "prop"):
            return True
        after = self.tokens[amount.end : amount.end + 2]
        if any(token in BUYS for token in after) and not clause.has("weakprop"):
            return False
        return clause.has("give", "weakprop", "token")

    def _bare(self, amount: Amount, clause: Clause) -> bool:
        """Whether a number without a currency is an offer: "how about 20?"."""
        if not (clause.question or clause.has("howabout")) or not clause.has("prop", "give"):
            return False
        if clause.sentence in self.facts or amount.value < 1 or self._is_time(amount):
            return False
        after = self.tokens[amount.end] if amount.end < clause.end else ""
        last = amount.end >= clause.end - 2 and after not in COUNTED
        short = clause.end - clause.start <= 10
        return last and (short or self.tokens[max(0, amount.start - 1)] in BEFORE_AMOUNTS)

    def _is_time(self, amount: Amount) -> bool:
        after = self.tokens[amount.end] if amount.end < len(self.tokens) else ""
        return after in TIME_UNITS or after in ("percent", "per", "years", "year", "people", "children")

    def _propose(self, clause: Clause, money: list[Amount]) -> None:
        for amount in money:
            self._add(amount.start, "propose", value=band(amount.value))

    def _best_ask(self, clause: Clause) -> str:
        """What a question is about: the topic with the most words; "" if it names none."""
        best, weight = "", 0
        for slot in ASKS:
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
        return clause.has("strongprop") and clause.first("strongprop") <= max(
            start for start, _ in (clause.hits.get("give") or clause.hits["token"])
        )

    def _imperative(self, clause: Clause) -> bool:
        """ "Donate now", "give what you can"."""
        i = clause.start
        while i < clause.end - 1 and self.tokens[i] in (
            "so",
            "please",
            "and",
            "then",
            "just",
            "now",
            "but",
            "come",
            "ok",
            "okay",
            ",",
        ):
            i += 1
        return (
            self.tokens[i] in ("donate", "give", "contribute", "support", "sponsor", "join", "help")
            and (self.tokens[i] in ("donate", "contribute") or clause.has("giveus"))
            and not clause.marked
        )

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
            slot,
            (f"{slot}.", ("tight", "modest", "comfortable") if slot == "means" else ("bad", "none", "good")),
        )
        found = {value: clause.weight(prefix + value) for value in values if clause.has(prefix + value)}
        if not found:
            return None
        best = max(found.values())
        top = [value for value, weight in found.items() if weight == best]
        return top[0] if len(top) == 1 and "or" not in self.tokens[clause.start : clause.end] else None

    def _checks(self, clause: Clause) -> bool:
        """Whether a question asks whether what was said is clear; single words only at its beginning or end."""
        return any(
            end - start > 1 or clause.end - clause.start <= 4 for start, end in clause.hits.get("check", ())
        )
