"""Reading what other people than this task's users say: by common phrases, and by what the agent's last turn did."""

from __future__ import annotations

from functools import lru_cache

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.language.tokens import tokenise
from dialog_envs.tasks.persuasion.acts import BANDS, DOUBTS, EXPERIENCES, MEANS, OBJECTIONS, VALUES, band
from dialog_envs.tasks.persuasion.language.amounts import amounts
from dialog_envs.tasks.persuasion.language.grammar import cues
from dialog_envs.tasks.persuasion.language.matching import Cues

_SUPPORT = {"cost": "impact", "waste": "spending", "effect": "evidence", "trust": "credibility"}
"""The kind of fact that speaks to an objection."""
_DOMAINS = {"values": ("value", VALUES), "means": ("means", MEANS), "experience": ("experience", EXPERIENCES)}


@lru_cache(maxsize=1)
def _table() -> Cues:
    return Cues(cues("user_cues"))


def read_freely(text: str, context: tuple[Act, ...]) -> tuple[Act, ...]:
    """The acts of a text in anybody's words; () if nothing is understood.

    Args:
        text: anything.
        context: the acts of the agent's last turn.
    """
    tokens = tokenise(text)
    found: dict[str, int] = {}
    for start, end, tag in _table().find(tokens):
        found[tag] = max(found.get(tag, 0), end - start)
    money = [amount.value for amount in amounts(tokens) if amount.money]
    proposed = [act.value for act in context if act.kind == "propose"]
    if not money and proposed and len(tokens) <= 6:
        money = [amount.value for amount in amounts(tokens) if amount.value >= 1]
    for step in (_ending, _pushback, _answers, _objections, _doubts):
        acts = step(found, context)
        if acts:
            return acts
    return _offers(found, money, context) or _reactions(found, context)


def _ending(found: dict[str, int], context: tuple[Act, ...]) -> tuple[Act, ...]:
    if "leave" in found and "give" not in found:
        return (Act("leave"),)
    return (Act("overwhelmed"),) if "overwhelmed" in found else ()


def _pushback(found: dict[str, int], context: tuple[Act, ...]) -> tuple[Act, ...]:
    for slot in ("pressure", "invention"):
        if f"bristle.{slot}" in found:
            return (Act("bristle", slot),)
    return ()


def _best(found: dict[str, int], prefix: str, values: tuple[str, ...]) -> str | None:
    """The value whose phrase is the longest."""
    named = [value for value in values if f"{prefix}.{value}" in found]
    return max(named, key=lambda value: found[f"{prefix}.{value}"]) if named else None


def _answers(found: dict[str, int], context: tuple[Act, ...]) -> tuple[Act, ...]:
    """What was asked about, as far as the text says it or refuses to."""
    asked = [act.slot for act in context if act.kind == "ask"]
    kind = "told" if "told" in found else "answer"
    acts = []
    for slot in asked:
        if slot in _DOMAINS:
            value = _best(found, *_DOMAINS[slot])
            if value:
                acts.append(Act(kind, slot, value))
    if acts or not asked:
        return tuple(acts)
    if "concern" in asked and not _best(found, "objection", OBJECTIONS) and found.keys() & {"nothing", "no"}:
        return (Act("answer", "concern", "none"),)
    if "evade" in found and asked[0] is not None:
        return (Act("evade", asked[0]),)
    return ()


def _objections(found: dict[str, int], context: tuple[Act, ...]) -> tuple[Act, ...]:
    slot = _best(found, "objection", OBJECTIONS)
    if slot is None or ("resolved.any" in found and found["resolved.any"] > 1):
        return _resolved(found, context)
    dug = any(act.kind == "ask" and act.slot == "concern" for act in context)
    return (Act("reveal" if "reveal" in found and dug else "object", slot),)


def _resolved(found: dict[str, int], context: tuple[Act, ...]) -> tuple[Act, ...]:
    if "resolved.any" not in found:
        return ()
    met = [act.slot for act in context if act.kind == "address"]
    facts = {act.slot for act in context if act.kind == "inform"}
    named = [slot for slot in OBJECTIONS if _SUPPORT.get(slot) in facts]
    slot = (met or named[:1] or [None])[0]
    return (Act("resolved", slot),) if slot and not any(act.kind == "appeal" for act in context) else ()


def _doubts(found: dict[str, int], context: tuple[Act, ...]) -> tuple[Act, ...]:
    slot = _best(found, "doubt", DOUBTS)
    return (Act("doubt", slot),) if slot else ()


def _offers(found: dict[str, int], money: list[float], context: tuple[Act, ...]) -> tuple[Act, ...]:
    """What becomes of a proposal."""
    proposed = [act.value for act in context if act.kind == "propose"]
    asked = proposed or any(act.kind == "commit" for act in context)
    amount = band(money[-1]) if money else None
    if "agree" in found and "no" not in found and not money:
        return (Act("agree", value="token"),)
    if money and "give" in found and "vague" not in found:
        return (Act("donate", value=_at_least(amount)),)
    if money and "vague" in found:
        return (Act("promise", value=_at_least(amount)),)
    if money and ("could" in found or "no" in found or (proposed and amount not in proposed)):
        return (Act("counteroffer", value=_at_least(amount)),)
    if money and asked:
        return (Act("donate", value=_at_least(amount)),)
    if not asked:
        return (Act("decline"),) if "no" in found and found["no"] > 1 else ()
    value = next((value for value in proposed if value), None)
    if "vague" in found:
        return (Act("promise", value=_at_least(value)),)
    if "no" in found:
        return (Act("decline"),)
    if found.keys() & {"yes", "give"}:
        return (
            (Act("agree", value="token"),) if value == "token" else (Act("donate", value=_at_least(value)),)
        )
    return ()


def _at_least(value: str | None) -> str:
    """A real donation's band."""
    return value if value in BANDS[1:] else BANDS[1]


def _reactions(found: dict[str, int], context: tuple[Act, ...]) -> tuple[Act, ...]:
    """How an appeal went down, what was said unasked, and small talk."""
    appeal = next((act.slot for act in context if act.kind == "appeal"), None)
    if appeal:
        for kind in ("cool", "warm"):
            if f"{kind}.any" in found:
                return (Act(kind, appeal),)
    value = _best(found, "value", VALUES)
    if value:
        return (Act("answer", "values", value),)
    for kind in ("clarify", "nudge", "greet"):
        if kind in found:
            return (Act(kind),)
    return (Act("nudge"),) if "yes" in found else ()
