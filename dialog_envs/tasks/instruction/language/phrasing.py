"""User acts and a persona's manner into text, from the grammars of ``grammar/user.toml``.

The taciturn use few words, children lively ones, professionals measured ones; family and background choose the banks,
the rng chooses within. Right answers and beliefs are the material's own. The text tells what the acts tell; of what
is hidden it shows no more than how somebody of that background talks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.instruction.content import concept
from dialog_envs.tasks.instruction.language.grammar import load
from dialog_envs.tasks.instruction.language.understanding import understand
from dialog_envs.tasks.language.context import last_agent_acts
from dialog_envs.tasks.language.voice import Draws, cap, join, sentence

_MATERIAL = ("plain", "right", "quiz", "technical", "example", "analogy")
_OPENED = frozenset(
    (
        "follow",
        "puzzled",
        "known",
        "unknown",
        "unsure",
        "all_known",
        "gap",
        "answer",
        "technical",
        "childish",
        "long",
    )
)
"""Banks whose sentences may begin with "well, " and the like."""


class Voice(Draws):
    """Who speaks in one turn: the persona's manner, the random draws, and what the turn replies to."""

    __slots__ = ("background", "clear", "high", "low", "over", "scenario", "stubborn")

    def __init__(
        self, persona: Any, scenario: Any, rng: np.random.Generator, context: tuple[Act, ...]
    ) -> None:
        super().__init__(rng)
        self.low = persona.manner.talk == "low"
        self.high = persona.manner.talk == "high"
        self.over = persona.manner.believes == "over"
        self.stubborn = persona.manner.stubborn
        self.background = persona.background
        self.scenario = scenario
        items = {act.item for act in context if act.item is not None}
        self.clear = items.pop() if len(items) == 1 else None


def phrase(
    acts: tuple[Act, ...], persona: Any, scenario: Any, rng: np.random.Generator, dialogue: Sequence[Any] = ()
) -> str:
    """The text of a user turn.

    Args:
        acts: what the user does, in order; what it does twice is said once.
        persona: gives ``manner`` and ``background``.
        scenario: gives the ideas that acts name.
        rng: the only source of chance.
        dialogue: the turns before; an idea is called "that" only where the last agent turn makes it clear.

    Raises:
        KeyError: an act of an unknown kind, slot, value or idea.
    """
    voice = Voice(persona, scenario, rng, last_agent_acts(dialogue, scenario, understand))
    parts = []
    for position, act in enumerate(dict.fromkeys(acts)):
        parts.append(_SAY[act.kind](voice, act, position == 0))
    return " ".join(parts)


def opening(persona: Any, scenario: Any, rng: np.random.Generator) -> str:
    """The student's first words: that they want to learn about the concept. Of the persona only how much it talks."""
    draws, bank = Draws(rng), load("user")["opening"]
    name = concept(scenario.concept).name
    if persona.manner.talk == "low" and draws.draw() < 0.7:
        return sentence(draws.pick(bank["low"]).replace("{c}", name))
    text = join(draws.pick(bank["hello"]), draws.pick(bank["want"]).replace("{c}", name))
    if text[-1] != "?" and text.startswith(("Could", "Can", "Would")):
        text += "?"
    tail = draws.pick(bank["tail"]).strip(". ")
    return f"{sentence(text)} {sentence(tail)}" if tail else sentence(text)


@lru_cache(maxsize=512)
def _proper(concept_id: str) -> frozenset[str]:
    """Words that the concept's material writes with a capital inside a sentence."""
    found: set[str] = set()
    for idea in concept(concept_id).ideas:
        wrong = [text for m in idea.misconceptions for text in (m.belief, m.correction)]
        for text in (*(getattr(idea, name) for name in _MATERIAL), *wrong):
            words = text.split()
            found.update(
                word.strip(".,;:?!\"'()")
                for before, word in pairwise(words)
                if word[:1].isupper() and before[-1] not in ".?!:"
            )
    return frozenset(found)


@lru_cache(maxsize=4_096)
def belief(concept_id: str, item: str) -> str:
    """An idea's first misconception as it stands after "I thought that"."""
    idea = next(idea for idea in concept(concept_id).ideas if idea.id == item)
    text = idea.misconceptions[0].belief.rstrip(". ")
    first = text.split(" ", 1)[0].strip(",")
    keep = (
        (len(first) > 1 and first in _proper(concept_id))
        or first in ("I", "I'm", "I've")
        or first[1:] != first[1:].lower()
    )
    # A single letter that is a note or a symbol elsewhere ("A") is the article here.
    return text if keep else text[0].lower() + text[1:]


def _finish(voice: Voice, name: str, text: str, tail: float, opened: bool = False) -> str:
    """With an opener and a tail, as the manner asks for."""
    banks = load("user")
    if opened and voice.draw() < 0.6:
        text = join(voice.pick(banks["open"][voice.background]), text)
    text = sentence(text)
    tails = banks[name].get("tail")
    if tails and voice.draw() < tail * (1.0 if voice.high else 0.75):
        text += " " + sentence(voice.pick(tails))
    return text


def _about(voice: Voice, name: str, act: Act, first: bool) -> str:
    """A sentence about an idea, which is named unless the agent's turn makes it clear."""
    banks = load("user")[name]
    named = act.item is not None and (act.item != voice.clear or voice.draw() < 0.45) and "named" in banks
    idea = voice.scenario.idea(act.item).name if act.item is not None else ""
    if voice.low:
        return sentence(voice.pick(banks["low_named" if named else "low"]).replace("{x}", idea))
    child = banks.get("child") if voice.background == "child" and voice.draw() < 0.5 else None
    if child is not None:
        choice = [text for text in child if ("{x}" in text) == named] or [
            text for text in child if named and "{x}" in text
        ]
        text = voice.pick(tuple(choice)) if choice else voice.pick(banks["named" if named else "core"])
    else:
        text = voice.pick(banks["named" if named else "core"])
    return _finish(voice, name, text.replace("{x}", idea), 0.9, opened=first and name in _OPENED)


def _plain(voice: Voice, name: str, first: bool, tail: float = 0.9) -> str:
    """A sentence about nothing in particular."""
    banks = load("user")[name]
    if voice.low:
        return sentence(voice.pick(banks["low"]))
    child = voice.background == "child" and "child" in banks and voice.draw() < 0.5
    text = voice.pick(banks["child" if child else "core"])
    return _finish(voice, name, text, tail, opened=first and name in _OPENED)


def _answer(voice: Voice, act: Act, first: bool) -> str:
    banks = load("user")["answer"]
    bank = banks[act.slot or ""][act.value or ""]
    if voice.low:
        return sentence(voice.pick(bank["low"]))
    text = _finish(voice, "answer", voice.pick(bank["text"]), 0.0, opened=first)
    return (
        f"{text} {sentence(voice.pick(banks['tail']))}"
        if voice.draw() < (0.7 if voice.high else 0.4)
        else text
    )


def _evade(voice: Voice, act: Act, first: bool) -> str:
    bank = load("user")["evade"][act.slot or "open"]
    if voice.low:
        return sentence(voice.pick(bank["low"]))
    text = sentence(voice.pick(bank["core"]))
    return f"{text} {sentence(voice.pick(bank['tail']))}" if voice.draw() < 0.8 else text


def _claim(voice: Voice, act: Act, first: bool) -> str:
    if act.item is None:
        return _plain(voice, "all_known", first)
    if act.value == "known" and voice.over and not voice.low and voice.draw() < 0.5:
        text = voice.pick(load("user")["known"]["over"]).replace("{x}", voice.scenario.idea(act.item).name)
        return _finish(voice, "known", text, 0.9)
    return _about(voice, act.value or "unsure", act, first)


def _show(voice: Voice, act: Act, first: bool) -> str:
    if act.value == "gap":
        return _plain(voice, "gap", first)
    name = "right" if act.value == "right" else "wrong"
    idea = voice.scenario.idea(act.item)
    text = idea.right if name == "right" else idea.misconceptions[0].belief
    if voice.low:
        return sentence(text)
    banks = load("user")[name]
    openers = banks["child" if voice.background == "child" and voice.draw() < 0.6 else "open"]
    text = sentence(cap(voice.pick(openers)) + cap(text))
    return (
        f"{text} {sentence(voice.pick(banks['tail']))}"
        if voice.draw() < (0.9 if voice.high else 0.8)
        else text
    )


def _puzzled(voice: Voice, act: Act, first: bool) -> str:
    if act.slot is None:
        return _about(voice, "puzzled", act, first)
    idea = voice.scenario.idea(act.item).name
    banks = load("user")[act.slot]
    if act.slot == "basis":
        if voice.low:
            return sentence(voice.pick(banks["low"]).replace("{x}", idea))
        child = voice.background == "child" and voice.draw() < 0.5
        text = voice.pick(banks["child" if child else "core"]).replace("{x}", idea)
        return _finish(voice, "basis", text, 0.9)
    text = _plain(voice, act.slot, first)
    return (
        text
        if act.item == voice.clear
        else sentence(f"about {idea}: {text[0].lower() if text[:2] != 'I ' else 'I'}{text[1:]}")
    )


def _object(voice: Voice, act: Act, first: bool) -> str:
    banks = load("user")["object"]
    thought = belief(voice.scenario.concept, act.item or "")
    if voice.low:
        return sentence(voice.pick(banks["low"]).replace("{b}", thought))
    bank = banks["stubborn" if voice.stubborn and voice.draw() < 0.7 else "core"]
    return _finish(voice, "object", voice.pick(bank).replace("{b}", thought), 0.9)


def _insight(voice: Voice, act: Act, first: bool) -> str:
    banks = load("user")["insight"]
    idea = voice.scenario.idea(act.item).name
    if voice.low:
        return sentence(voice.pick(banks["low"]).replace("{x}", idea))
    text = voice.pick(banks["core"]).replace("{x}", idea)
    if "{b}" in text:
        text = text.replace("{b}", belief(voice.scenario.concept, act.item or ""))
    return _finish(voice, "insight", text, 0.9)


def _follow(voice: Voice, act: Act, first: bool) -> str:
    return _about(voice, "follow", act, first)


def _small(voice: Voice, act: Act, first: bool) -> str:
    return _plain(voice, act.kind, first)


_Speaker = Callable[[Voice, Act, bool], str]
_SAY: dict[str, _Speaker] = {
    "answer": _answer, "evade": _evade, "claim": _claim, "show": _show, "counter": _small, "follow": _follow,
    "puzzled": _puzzled, "object": _object, "insight": _insight, "tired": _small, "clarify": _small, "nudge": _small,
    "greet": _small, "thanks": _small, "content": _small, "leave": _small,
}  # fmt: skip
