"""Rules that tell what one sentence of a teacher does, from what stands in it: pure functions."""

from __future__ import annotations

from ....tasks.language.words import FOREIGN, WH
from . import sets
from .cues import common_words
from .sentences import Sentence

CAUTION = 1.2
"""How much more it takes to read a denial in a long turn, which explains one thing by what it is not."""
TOUCH, ASKED = 1.4, 1.1
"""Least score with which a statement, or a question, is about an idea."""


def rhetorical(sentences: list[Sentence], i: int) -> bool:
    """Whether the speaker goes on to answer a question: "Why do ships float? They are hollow." """
    now = sentences[i]
    if i + 1 >= len(sentences) or now.known is not None:
        return False
    after = sentences[i + 1]
    if after.question or after.size < 4 or now.cues.keys() & {"background", "style", "confirm"}:
        return False
    if after.known is not None:
        return after.known[1] != "quiz" and now.cues.get("idea", 9) > 3
    if not after.cues.keys().isdisjoint(sets.ON_QUESTIONS) and max(after.scores, default=0.0) < 2.0:
        return False
    return max(after.scores, default=0.0) > 0.8 or not after.cues.keys().isdisjoint(("analogy", "example"))


def declines(now: Sentence) -> bool:
    """Whether somebody says that they will not teach: "I cannot", "unable to" … in the teacher's own mouth."""
    tokens, place = now.tokens, now.cues.get("refuse")
    content = max(now.scores, default=0.0)
    if place is not None and (content < 2.0 or place <= 1):
        own = place <= 1 or not sets.OWN.isdisjoint(tokens[: place + 2])
        if own and all(
            token in sets.FIRST or token in sets.OWN for token in tokens[max(0, place - 2) : place]
        ):
            return True
    for i, token in enumerate(tokens[:14]):
        if token not in sets.UNWILLING and " ".join(tokens[i : i + 2]) not in sets.UNWILLING:
            continue
        if all(before in sets.FIRST for before in tokens[max(0, i - 3) : i]) and not sets.HELPING.isdisjoint(
            tokens[i + 1 : i + 7]
        ):
            return True
    words = set(tokens)
    return (
        content < 1.0
        and len(tokens) <= 14
        and bool(words & sets.NOT_HERE)
        and bool(words & sets.LESSON)
        and "let" not in words
        and "lets" not in words
    )


def wants_word(tokens: list[str]) -> bool:
    """Whether somebody asks to be told when things are not clear: "let me know if you are lost"."""
    if not {
        "know",
        "tell",
        "say",
        "shout",
        "stop",
        "confirm",
        "holler",
        "yell",
        "interrupt",
        "signal",
        "nod",
    } & set(tokens[:6]):
        return False
    return (
        len(tokens) <= 18
        and not sets.SOUND.isdisjoint(tokens)
        and not {"if", "whether", "when", "that", "once"}.isdisjoint(tokens)
    )


def foreign(text: str, sentences: list[Sentence]) -> bool:
    """Whether the text is no English: no words, code, words of other languages, or none that are known."""
    tokens = [token for sentence in sentences for token in sentence.tokens if token[0].isalpha()][:80]
    if not tokens:
        return True
    common = common_words()
    english = sum(map(common.__contains__, tokens))
    if english * 2 > len(tokens):
        return False
    if any(mark in text for mark in sets.CODE):
        return True
    foreign = sum((token in FOREIGN and token not in common) or not token.isascii() for token in tokens)
    if "¿" in text or "¡" in text or (foreign > english and foreign > 1):
        return True
    if any(sentence.hits or max(sentence.scores, default=0.0) > 1.0 for sentence in sentences):
        return False
    return foreign > english or english * 4 < len(tokens)


def nods(now: Sentence, place: int) -> bool:
    """Whether an acknowledging word stands alone, or before a mark."""
    tokens = now.tokens
    if now.question and now.size <= 3:
        return False
    if tokens[place] in ("so", "well", "now", "hmm", "oh", "ah", "aha") and now.size > 2:
        return False
    for token in tokens[place + 1 : place + 4]:
        if token in ".!,—–" or token in ("lets", "thanks"):
            return not (
                tokens[place] in ("ok", "okay", "right", "alright", "all")
                and token == ","
                and now.question is None
            )
    return len(tokens) - place <= 4 or (
        len(tokens) < 12 and now.size <= 9 and max(now.scores, default=0.0) < TOUCH and not now.question
    )


def asking(cues: dict[str, int]) -> bool:
    return any(kind in cues for kind in ("idea", "style", "open", "background", "confirm", "quiz"))


def only_confirms(now: Sentence, named: bool, score: float) -> bool:
    """Whether a question with a word of confirmation asks for nothing else."""
    short = now.size <= 6 and "idea" not in now.cues
    return (not named or score < 1.8 or short) and (now.size <= 9 or score < TOUCH)


def self_report(now: Sentence, named: bool) -> bool:
    """Whether a question asks what the student thinks of their own knowledge."""
    cues = now.cues
    places = [cues[kind] for kind in ("idea", "confirm") if kind in cues]
    if named and "open" in cues:
        places.append(cues["open"])
    if not places:
        return False
    if cues.get("quiz", 99) < min(places) and (now.tokens[0] in WH or "idea" not in cues):
        return "confirm" in cues or "open" in cues
    return min(places) <= max(8, len(now.tokens) // 2)


def lists(now: Sentence, named: list[int]) -> bool:
    """Whether a sentence goes through several ideas without a word of summing up."""
    touched = len({owner for _, owner, _ in now.hits})
    several = touched >= 3 and (
        now.tokens.count(",") >= 2 or now.tokens[0] in ("so", "now", "remember", "first")
    )
    told = touched >= 2 and "then" in now.tokens and not {"first", "finally", "last"}.isdisjoint(now.tokens)
    return (
        len(named) >= 3
        or touched >= 4
        or several
        or told
        or (now.tokens[:2] == ["so", "far"] and now.size > 3)
    )


def announces(now: Sentence, score: float) -> bool:
    """Whether a sentence says what will be talked of, and no more."""
    return (
        now.size <= 12
        and not (set(now.cues) & {"analogy", "example", "technical"})
        and (score < 4.0 or len(now.hits) <= 1)
        and "means" not in now.tokens
        and (":" not in now.tokens or now.size <= 6)
    )
