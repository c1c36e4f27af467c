"""User acts into words: a grammar that speaks as the persona's family does.

A turn is put together from the banks of ``grammar/frames.toml``: an opener, the words of the act (often a frame around
what it is about), a tail, and for who talks much an aside. Who talks little says one to six words. Nothing is said
that is not in the acts: openers, tails and asides name no value, doubt or amount. A promise and a donation differ in
their words as little as a promise allows: it is vague about when.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dialog_envs.core.dialogue import AGENT, Act, Turn
from dialog_envs.tasks.language.grammar import Bank
from dialog_envs.tasks.language.voice import Draws, cap, join, sentence
from dialog_envs.tasks.persuasion.acts import band
from dialog_envs.tasks.persuasion.language.grammar import load
from dialog_envs.tasks.persuasion.language.objections import money_in

OPENERS = {
    "warm": "warm", "yes_sayer": "warm", "practical": "plain", "busy": "plain", "cautious": "careful",
    "guarded": "guarded", "reactant": "prickly", "evidence_only": "dry",
}  # fmt: skip
"""The bank of openers that each family uses. Who says yes to get away sounds as the warm-hearted do."""
_FULL = 0.2
"""How often somebody of few words says a whole sentence all the same."""
_NO_OPENER = frozenset(("greet", "clarify", "leave", "nudge", "overwhelmed", "donate", "promise", "agree"))
"""Kinds whose words begin with an opener of their own."""
_TAKING = frozenset(("donate", "promise"))
"""Kinds that take up an offer."""
_UNCHANGED = frozenset(("greet", "leave", "clarify"))
"""Kinds that are said without an aside."""


_QUESTIONS = ("you're", "so you're", "{s},")
"""How first words begin that ask."""


class Voice(Draws):
    """Who speaks in one turn: the persona's manner, and the random draws."""

    __slots__ = ("high", "low", "offers", "opener")

    def __init__(self, persona: Any, rng: np.random.Generator, offers: tuple[float, ...] = ()) -> None:
        super().__init__(rng)
        self.offers = offers
        talk = persona.manner.talk
        self.high = talk == "high"
        self.low = talk == "low" and self.draw() >= _FULL
        self.opener: Bank = load("frames")["opener"][OPENERS[persona.family]]

    def fill(self, bank: dict[str, Bank], **words: str) -> str:
        """A frame of a bank with its gaps filled."""
        text = self.pick(bank["frame"])
        for gap, word in words.items():
            text = text.replace(f"{{{gap}}}", word)
        return text


def phrase(
    acts: tuple[Act, ...], persona: Any, scenario: Any, rng: np.random.Generator, dialogue: Sequence[Any] = ()
) -> str:
    """The text of a user turn.

    Args:
        acts: what the user does, in order.
        persona: gives ``family`` and ``manner``.
        scenario: unused but for symmetry with the task's other functions.
        rng: the only source of chance.
        dialogue: the turns before; what is answered unasked is said as such.

    Raises:
        KeyError: an act of an unknown kind, slot or value.
    """
    voice = Voice(persona, rng, _offers(dialogue) if any(act.kind in _TAKING for act in acts) else ())
    asked = _asked(dialogue)
    sentences = []
    for position, act in enumerate(acts):
        text = _SAY[act.kind](voice, act)
        lead = _lead(voice, act, position, asked)
        sentences.append(sentence(join(lead, text)) if lead else sentence(text))
        if len(acts) == 1 and not voice.low:
            sentences[-1] = _with_tail(voice, act, sentences[-1])
    alone = len(acts) == 1 and not voice.low and acts[0].kind not in _UNCHANGED
    if alone and voice.draw() < (0.45 if voice.high else 0.15):
        bank = load("frames")["aside"]
        sentences.append(sentence(voice.pick(bank["warm" if voice.high else "other"])))
    return " ".join(sentences)


def opening(persona: Any, scenario: Any, rng: np.random.Generator) -> str:
    """The user's first words: they know whom they talk with, and wait for what comes."""
    voice = Voice(persona, rng)
    bank, name = load("frames")["opening"], scenario.charity.name
    if voice.low:
        return sentence(voice.pick(bank["low"]).replace("{s}", name))
    text, want = voice.pick(bank["text"]), voice.pick(bank["want"])
    mark = "?" if text.startswith(_QUESTIONS) else "."
    return sentence((join(voice.pick(bank["hello"]), text) + mark + want[1:]).replace("{s}", name))


def _asked(dialogue: Sequence[Any]) -> frozenset[str | None] | None:
    """The slots that the last agent turn asked about; ``None`` where its acts are not recorded."""
    if dialogue and isinstance(dialogue[-1], Turn) and dialogue[-1].speaker == AGENT:
        return frozenset(act.slot for act in dialogue[-1].acts if act.kind == "ask")
    return None


def _offers(dialogue: Sequence[Any]) -> tuple[float, ...]:
    """The amounts of money that the agent named, the last first."""
    found: list[float] = []
    for turn in reversed(dialogue):
        speaker, text = (
            (turn.speaker, turn.text) if isinstance(turn, Turn) else (turn["speaker"], turn["text"])
        )
        if speaker == AGENT:
            found += reversed(money_in(text))
    return tuple(found)


def _lead(voice: Voice, act: Act, position: int, asked: frozenset[str | None] | None) -> str:
    """What a sentence begins with."""
    bank = load("frames")
    if act.kind == "told":
        return voice.pick(bank["told"]["low" if voice.low else "lead"])
    unasked = asked is not None and act.slot not in asked and "open" not in asked
    if act.kind == "answer" and act.value != "none" and (unasked or position):
        return voice.pick(bank["volunteer"]["low" if voice.low else "lead"])
    if voice.low or act.kind in _NO_OPENER:
        return ""
    if position:
        return voice.maybe(0.4, bank["opener"]["next"])
    return voice.maybe(0.75 if voice.high else 0.55, voice.opener)


def _with_tail(voice: Voice, act: Act, text: str) -> str:
    """The sentence with a tail that goes with its kind."""
    bank = load("frames").get(act.kind, {})
    tail = voice.pick(bank["tail"]) if "tail" in bank else ""
    if not tail:
        return text
    if text[-1] == "?":
        return f"{text} {sentence(cap(tail.lstrip('., ')))}"
    return sentence(text[:-1] + (f".{tail}" if tail[0] == " " else tail))


def _amount(voice: Voice, act: Act) -> str:
    """The amount in words; who takes an offer takes the amount that was offered, where it is of the band."""
    value = act.value or "small"
    offered = next((euros for euros in voice.offers if euros >= 1 and band(euros) == value), None)
    if offered is not None and act.kind in _TAKING:
        return f"{offered:g} euros"
    return voice.pick(load("frames")["amount"][value]["low" if voice.low else "text"])


def _by_slot(voice: Voice, act: Act) -> str:
    """Acts whose words hang on their slot alone."""
    bank = load("frames")[act.kind][act.slot or ""]
    return voice.pick(bank["low" if voice.low else "text"])


def _plain(voice: Voice, act: Act) -> str:
    """Acts without slot or value."""
    bank = load("frames")[act.kind]
    return voice.pick(bank["low" if voice.low else "text"])


def _with_amount(voice: Voice, act: Act) -> str:
    """Acts about an amount."""
    bank, amount = load("frames")[act.kind], _amount(voice, act)
    return voice.pick(bank["low" if voice.low else "text"]).replace("{a}", amount)


def _answer(voice: Voice, act: Act) -> str:
    frames, slot, value = load("frames"), act.slot or "open", act.value or "none"
    if value == "none" and slot in frames["nothing"]:
        bank = frames["nothing"][slot]
        return voice.pick(bank["low" if voice.low else "text"])
    words = frames[slot][value]
    if voice.low:
        return voice.pick(words["low"])
    if slot != "values":
        return voice.pick(words["text"])
    bank, reason = frames["values"], voice.pick(words["reason"])
    text = voice.fill(bank, v=voice.pick(words["np"]))
    because = voice.pick(bank["because"]).replace("{c}", reason)
    if because.startswith(". "):
        because = f". {cap(because[2:])}"
    return text + (because or voice.pick(bank["tail"]))


def _evade(voice: Voice, act: Act) -> str:
    bank = load("frames")["evade"]
    topic = voice.pick(bank["topic"][act.slot or "open"])
    text = voice.pick(bank["low"]) if voice.low else voice.pick(bank["frame"])
    return text.replace("{t}", topic).replace("{T}", cap(topic))


def _object(voice: Voice, act: Act) -> str:
    words = load("frames")["objection"][act.slot or ""]
    if voice.low:
        return voice.pick(words["low"])
    return voice.fill(load("frames")["object"], c=voice.pick(words["clause"]))


def _reveal(voice: Voice, act: Act) -> str:
    bank, words = load("frames")["reveal"], load("frames")["objection"][act.slot or ""]
    if voice.low:
        text = voice.pick(bank["low"]).replace("{s}", voice.pick(words["low"]))
        return text.replace("{n}", voice.pick(words["np"]))
    return voice.fill(bank, c=voice.pick(words["clause"]), n=voice.pick(words["np"]))


def _resolved(voice: Voice, act: Act) -> str:
    frames = load("frames")
    topic = frames["objection"].get(act.slot) or frames["fact"][act.slot]
    text = voice.pick(frames["resolved"]["low" if voice.low else "frame"])
    return text.replace("{n}", voice.pick(topic["np"]))


_Speaker = Callable[[Voice, Act], str]
_SAY: dict[str, _Speaker] = {
    "answer": _answer, "told": _answer, "evade": _evade, "object": _object, "reveal": _reveal, "resolved": _resolved,
    "warm": _by_slot, "cool": _by_slot, "doubt": _by_slot, "bristle": _by_slot, "overwhelmed": _plain,
    "agree": _plain, "promise": _with_amount, "counteroffer": _with_amount, "decline": _plain, "donate": _with_amount,
    "clarify": _plain, "nudge": _plain, "greet": _plain, "leave": _plain,
}  # fmt: skip
