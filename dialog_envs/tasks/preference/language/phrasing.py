"""User acts into words: a grammar that speaks as the persona's family does.

A turn is put together from small banks (``grammar/*.toml``): an opener, one of several frames around one of several
wordings of the value, perhaps a reason, a tail, an aside. Who talks little says one to five words; who cannot decide
hedges. Nothing that is not in the acts is said: no bank but the values' own names a slot or value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.language.grammar import Bank
from dialog_envs.tasks.language.voice import Draws, cap, join, sentence
from dialog_envs.tasks.preference.language.context import last_agent_acts
from dialog_envs.tasks.preference.language.grammar import load
from dialog_envs.tasks.preference.language.references import reference

NO_PREFERENCE = ("any", "none")
FACT_SLOTS = ("need", "budget", "time")
"""Slots that are stated as facts ("I can't swim") rather than wished for."""


class Voice(Draws):
    """Who speaks in one turn: the persona's manner, the random draws, and what the turn replies to."""

    __slots__ = ("asked", "curt", "hedges", "low", "high", "group", "suggested", "values")

    def __init__(
        self, persona: Any, scenario: Any, rng: np.random.Generator, context: tuple[Act, ...]
    ) -> None:
        super().__init__(rng)
        manner = persona.manner
        self.low = manner.talk == "low"
        self.high = manner.talk == "high"
        self.curt = persona.family == "impatient"
        self.hedges = not manner.decided
        self.group = scenario.company != "solo"
        self.values = load("values")
        self.asked = [act for act in context if act.kind == "ask"]
        self.suggested = [act.item for act in context if act.kind == "suggest"]


def phrase(
    acts: tuple[Act, ...], persona: Any, scenario: Any, rng: np.random.Generator, dialogue: Sequence[Any] = ()
) -> str:
    """The text of a user turn.

    Args:
        acts: what the user does, in order.
        persona: gives ``family`` and ``manner``.
        scenario: gives ``company``; names come from the catalogue.
        rng: the only source of chance.
        dialogue: the turns before; short answers such as "either is fine" are used only where the last agent turn
            makes them clear.

    Raises:
        KeyError: an act of an unknown kind, slot or value.
    """
    voice = Voice(persona, scenario, rng, last_agent_acts(dialogue, scenario))
    sentences = []
    for position, act in enumerate(acts):
        text = _SAY[act.kind](voice, act, position, acts)
        sentences.append(sentence(text))
    wished = len(acts) == 1 and acts[0].kind == "answer" and acts[0].value not in NO_PREFERENCE
    if wished and voice.high and voice.draw() < 0.4:
        sentences.append(sentence(voice.pick(_frames()["wish"]["aside"])))
    return " ".join(sentences)


def opening(persona: Any, scenario: Any, rng: np.random.Generator) -> str:
    """The user's first words: where they are and why, and that they want a suggestion."""
    voice = Voice(persona, scenario, rng, ())
    bank = _frames()["opening"]
    occasion = scenario.occasion
    if voice.low and (voice.curt or voice.draw() < 0.6):
        text = voice.pick(bank["low"])
    else:
        with_partner = scenario.company == "couple" and voice.draw() < 0.4
        start = voice.pick(bank["couple" if with_partner else "group" if voice.group else "solo"])
        text = join(voice.pick(bank["hello"]), start.replace("{o}", occasion)) + voice.pick(bank["want"])
    return sentence(text.replace("{p}", scenario.place).replace("{o}", occasion))


@lru_cache(maxsize=1)
def _frames() -> dict[str, Any]:
    return load("frames")


# What is liked: answers, things said unasked, repetitions and changes of mind.


def _answer(voice: Voice, act: Act, position: int, acts: tuple[Act, ...]) -> str:
    slot, value = act.slot or "open", act.value or "any"
    if slot == "open":
        bank = _frames()["nothing_more"]
        return voice.pick(bank["low"]) if voice.low else voice.pick(bank["text"]) + voice.pick(bank["tail"])
    if voice.low:
        return _short(voice, slot, value, bare=_only_question(voice, slot, acts))
    opener = _opener(voice, slot, value, position, acts)
    return join(opener, _statement(voice, slot, value, starts=not opener))


def _opener(voice: Voice, slot: str, value: str, position: int, acts: tuple[Act, ...]) -> str:
    """How an answer begins: "Yes, " and "No, " only where the question named a value."""
    bank = _frames()["opener"]
    named = next((ask.value for ask in voice.asked if ask.slot == slot and ask.value), None)
    if position:
        before = acts[position - 1].kind
        return voice.maybe(0.6, bank[{"overwhelmed": "first", "change": "question"}.get(before, "next")])
    if named is not None and len(voice.asked) == 1 and voice.draw() < 0.6:
        if named == value:
            return voice.pick(bank["yes"])
        if value not in NO_PREFERENCE and slot in ("setting", "pace", "crowd"):
            return voice.pick(bank["no"])
    if voice.hedges:
        firm = slot in FACT_SLOTS or value in NO_PREFERENCE
        return voice.maybe(0.6, bank["fact" if firm else "hedge"])
    return voice.maybe(0.7, bank["chatty"]) if voice.high else voice.maybe(0.55, bank["plain"])


def _statement(voice: Voice, slot: str, value: str, *, that: bool = False, starts: bool = False) -> str:
    """A sentence that says a value, with perhaps a reason or a tail. ``that``: must fit after "I should add that"."""
    bank, words = _frames()["wish"], voice.values[slot][value]
    if value in NO_PREFERENCE:
        tails = bank["fact_any_tail" if slot in FACT_SLOTS else "any_tail"]
        return voice.pick(words["clause"]) + voice.maybe(0.75, tails)
    hedged = False
    if voice.draw() < (0.6 if slot in FACT_SLOTS else 0.35):
        text, tails = voice.pick(words["clause"]), bank["fact_tail"]
    else:
        wishes = _wishes(voice, that)
        frame, hedged = voice.pick(wishes), wishes is bank["hedge"]
        if starts and voice.draw() < 0.1:
            frame = voice.pick(_frames()["opener"]["wish"]) + voice.pick(bank["that"])
        text, tails = frame.replace("{v}", voice.pick(words["np"])), bank["tail"]
    if voice.hedges and not hedged and voice.draw() < 0.5:
        tails = bank["hedge_tail"]
    if voice.draw() < (0.55 if voice.high else 0.35):
        reason = voice.pick(words["reason"])
        return text + voice.pick(bank["because"]).replace("{c}", reason).replace("{C}", cap(reason))
    return text + voice.maybe(0.6, tails)


def _wishes(voice: Voice, that: bool) -> Bank:
    bank: dict[str, Bank] = _frames()["wish"]
    if voice.group and voice.draw() < 0.25:
        return bank["we"]
    if that:
        return bank["that"]
    if voice.hedges and voice.draw() < 0.7:
        return bank["hedge"]
    return bank["that"] if voice.draw() < 0.75 else bank["np"]


def _short(voice: Voice, slot: str, value: str, *, bare: bool = False) -> str:
    """One to five words. ``bare``: the question makes "no preference" clear."""
    bank = _frames()
    if bare and value in NO_PREFERENCE and voice.draw() < 0.5:
        return voice.pick(bank["any"]["none" if slot == "need" else "bare"])
    text = voice.pick(voice.values[slot][value]["short"])
    named = next((ask.value for ask in voice.asked if ask.slot == slot and ask.value), None)
    if bare and named == value and voice.draw() < 0.5:
        return voice.pick(("yes", "yes please", f"yes, {text}"))
    if "," in text or value in NO_PREFERENCE:
        return text
    return voice.pick(bank["wish"]["curt" if voice.curt else "low"]).replace("{s}", text)


def _only_question(voice: Voice, slot: str, acts: tuple[Act, ...]) -> bool:
    """Whether the agent asked about this slot and nothing else, so that "no" or "whatever" can mean only it."""
    mine = [act for act in acts if act.kind in ("answer", "evade")]
    return len(voice.asked) == 1 and voice.asked[0].slot == slot and len(mine) == 1 and not voice.suggested


def _volunteer(voice: Voice, act: Act, position: int, acts: tuple[Act, ...]) -> str:
    slot, value, bank = act.slot or "theme", act.value or "any", _frames()["opener"]
    if voice.low:
        return voice.pick(bank["volunteer_low"]) + _short(voice, slot, value)
    return join(voice.pick(bank["that"]), _statement(voice, slot, value, that=True))


def _told(voice: Voice, act: Act, position: int, acts: tuple[Act, ...]) -> str:
    slot, value, bank = act.slot or "open", act.value or "any", _frames()["told"]
    if slot == "open":
        return voice.pick(bank["lead"]) + "that's all I can think of"
    if voice.low:
        return voice.pick(bank["low"]) + voice.pick(voice.values[slot][value]["short"])
    words = voice.values[slot][value]
    if value in NO_PREFERENCE or voice.draw() < 0.5:
        return join(voice.pick(bank["lead"]), voice.pick(words["clause"]))
    wish = voice.pick(_frames()["wish"]["that"]).replace("{v}", voice.pick(words["np"]))
    return join(voice.pick(bank["lead"]), wish)


def _change(voice: Voice, act: Act, position: int, acts: tuple[Act, ...]) -> str:
    slot, value, bank = act.slot or "theme", act.value or "any", _frames()["change"]
    words = voice.values[slot][value]
    if voice.low:
        return "changed my mind: " + voice.pick(words["short"])
    lead, tail = voice.pick(bank["lead"]), voice.pick(bank["tail"])
    if value in NO_PREFERENCE or voice.draw() < 0.3:
        return join(lead, voice.pick(words["clause"])) + tail
    return join(lead, voice.pick(_frames()["wish"]["that"]).replace("{v}", voice.pick(words["np"]))) + tail


# What was suggested: refusals, hesitation, consent.


def _named(voice: Voice, act: Act, *, in_full: float = 0.5) -> str:
    """How an activity is called here: in full, shortened, or "that one" where only one was suggested."""
    if voice.suggested == [act.item] and voice.draw() < 0.3:
        return "that one"
    if act.item is None:
        return "that one"
    names = reference(act.item)
    return names.full if voice.draw() < in_full else names.short


def _with_name(frame: str, name: str) -> str:
    return frame.replace("{x}", name).replace("{X}", cap(name))


def _reject(voice: Voice, act: Act, position: int, acts: tuple[Act, ...]) -> str:
    bank = _frames()["reject"]
    if act.slot is None or act.value is None:
        return _reject_vaguely(voice, act, position, acts)
    words = voice.values[act.slot][act.value]
    alone = voice.suggested == [act.item]
    if voice.low:
        short = voice.pick(words["short"])
        reply = voice.pick(bank["low"]).replace("{s}", short).replace("{S}", cap(short))
        return (
            reply
            if alone
            else f"{_with_name(voice.pick(bank['named_low']), _named(voice, act))}. {cap(short)}"
        )
    flaw = _with_name(voice.pick(bank["flaw"]), _named(voice, act)).replace("{f}", voice.pick(words["flaw"]))
    if act.slot in FACT_SLOTS and voice.draw() < 0.5:
        return f"{flaw}. {cap(voice.pick(words['clause']))}"
    wishes = bank["hedge_wish" if voice.hedges and voice.draw() < 0.7 else "wish"]
    return f"{flaw}. {cap(voice.pick(wishes).replace('{v}', voice.pick(words['np'])))}"


def _reject_vaguely(voice: Voice, act: Act, position: int, acts: tuple[Act, ...]) -> str:
    """A refusal without a reason."""
    bank = _frames()["reject"]
    if voice.low:
        alone = voice.suggested == [act.item]
        return (
            voice.pick(bank["vague_low"])
            if alone
            else _with_name(voice.pick(bank["named_low"]), _named(voice, act))
        )
    if position and acts[position - 1].kind == "reject":
        return _with_name(voice.pick(bank["and"]), _named(voice, act))
    return _with_name(voice.pick(bank["vague"]), _named(voice, act)) + voice.pick(bank["vague_tail"])


def _accept(voice: Voice, act: Act, position: int, acts: tuple[Act, ...]) -> str:
    bank = _frames()["accept"]
    if voice.low:
        alone = voice.suggested == [act.item]
        if alone and voice.draw() < 0.6:
            return voice.pick(bank["bare_low"])
        return _with_name(voice.pick(bank["low"]), _named(voice, act, in_full=0.2))
    frame = voice.pick(bank["hedge" if voice.hedges and voice.draw() < 0.6 else "frame"])
    return _with_name(frame, _named(voice, act)) + voice.pick(bank["tail"])


def _hesitate(voice: Voice, act: Act, position: int, acts: tuple[Act, ...]) -> str:
    bank = _frames()["hesitate"]
    if voice.low:
        return _with_name(voice.pick(bank["low"]), _named(voice, act, in_full=0.2))
    return _with_name(voice.pick(bank["frame"]), _named(voice, act)) + voice.pick(bank["tail"])


# Everything else.


def _evade(voice: Voice, act: Act, position: int, acts: tuple[Act, ...]) -> str:
    bank, slot = _frames()["evade"], act.slot or "open"
    topic = voice.pick(bank["topics"][slot])
    if voice.low:
        frame = voice.pick(bank["low" if _only_question(voice, slot, acts) else "named_low"])
        return frame.replace("{T}", cap(topic))
    text = voice.pick(bank["frame"]).replace("{t}", topic).replace("{T}", cap(topic))
    return text + voice.pick(bank["tail"])


def _plain(voice: Voice, act: Act, position: int, acts: tuple[Act, ...]) -> str:
    """Acts without slot or item: a text and a tail."""
    bank = _frames()[act.kind]
    if act.kind == "overwhelmed":
        bank = bank[act.value or "questions"]
    if voice.low:
        return voice.pick(bank["low"])
    text = voice.pick(bank["text"])
    tail = voice.pick(bank["tail"]) if len(acts) == 1 or act.kind == "leave" else ""
    if text[-1] == "?" and tail:
        tail = f" {cap(tail.lstrip('., '))}"
    elif tail[:1] == " ":
        text += "."
    return text + tail


_Speaker = Callable[[Voice, Act, int, tuple[Act, ...]], str]
_SAY: dict[str, _Speaker] = {
    "answer": _answer, "volunteer": _volunteer, "told": _told, "change": _change, "evade": _evade,
    "reject": _reject, "accept": _accept, "hesitate": _hesitate, "overwhelmed": _plain, "clarify": _plain,
    "nudge": _plain, "greet": _plain, "leave": _plain,
}  # fmt: skip
