"""Understanding what a teacher says: free text -> acts, in time that grows with the text, without a language model.

The text is cut into sentences (:mod:`sentences`); each is known by its cues (:mod:`cues`) and by the ideas that its
words speak for (:mod:`material`). What it means is a vector, of its words (:mod:`vectors`) and of the whole
(:mod:`encoder`). Trained weights tell what a sentence does (:mod:`classifier`) and what idea it is
about (:mod:`ranking`, :mod:`meaning`); :mod:`deciding` makes acts of that. What scripted teachers say, and sentences
of the material, are read by rules alone (:mod:`turn`). Neighbouring sentences about one idea are one explanation,
whose kind is what most speaks for (:mod:`levels`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import takewhile
from typing import Any

from ....core.dialogue import AGENT, Act, Turn
from ....tasks.language.tokens import tokenise
from ....tasks.language.words import AUXILIARIES, WH
from . import sets
from .deciding import Learned, decide, label, learned_for, lengthy
from .material import is_content, material
from .rules import CAUTION, foreign, rhetorical
from .saying import scripted
from .sentences import cut
from .setting import Manner, Setting
from .stems import stem
from .turn import Turn as Reading

_UNKNOWN = Act("unknown")


def understand(text: str, scenario: Any, dialogue: Sequence[Any] = ()) -> tuple[Act, ...]:
    """The acts of one agent utterance, in order of appearance, without duplicates; never empty.

    Args:
        text: anything at all.
        scenario: its ``concept`` (an id) is what is taught.
        dialogue: the turns before this one, views or records; "it" refers to what they were about.
    """
    concept = scenario.concept
    way = _way(text, concept)
    if way == "unknown":
        return (_UNKNOWN,)
    if way == "ruled":
        return _ruled(text, concept, dialogue)
    return _read(text, concept, setting(concept, dialogue))


@lru_cache(maxsize=16_384)
def _way(text: str, concept: str) -> str:
    """How to read a text: ``unknown``; by rules alone, where scripted teachers say such a thing; or ``learned``."""
    if len(text) < 1_000 and scripted(text, concept):
        return "ruled"
    sentences = cut(text, material(concept))
    if foreign(text, sentences):
        return "unknown"
    return "ruled" if any(sentence.known is not None for sentence in sentences) else "learned"


def setting(concept: str, dialogue: Sequence[Any]) -> Setting:
    """What the turns before a turn tell."""
    if not dialogue:
        return Setting()
    last = dialogue[-1]
    speaker = last.speaker if isinstance(last, Turn) else last["speaker"]
    said: Manner = (
        "" if speaker == AGENT else _manner(last.text if isinstance(last, Turn) else str(last["text"]))
    )
    return Setting(speaker != AGENT, doubted(concept, dialogue), focus(concept, dialogue), said)


@lru_cache(maxsize=8_192)
def _manner(text: str) -> Manner:
    """How a student speaks."""
    tokens = [token for token in tokenise(text)[:80] if token not in sets.FILLERS]
    words = [token for token in tokens if token[0].isalnum()]
    asked = "?" in takewhile(lambda token: not token[0].isalnum(), reversed(tokens))
    if len(words) <= 2 and not asked:
        return "nods"
    if words and (words[0] in WH or (words[0] in ("can", "could") and words[1:2] == ["you"])):
        return "asks"
    if asked or words[0] in AUXILIARIES:
        return "wonders"
    return "reasons" if words[0] in ("because", "bc", "cause", "cos", "cuz", "since") else "states"


@lru_cache(maxsize=16_384)
def _read(text: str, concept: str, before: Setting) -> tuple[Act, ...]:
    return _by(learned_for(material(concept)), text, concept, before)


def understand_with(learned: Learned, text: str, concept: str, dialogue: Sequence[Any]) -> tuple[Act, ...]:
    """:func:`understand` with other weights, to see what they are worth."""
    way = _way(text, concept)
    if way == "learned":
        return _by(learned, text, concept, setting(concept, dialogue))
    return (_UNKNOWN,) if way == "unknown" else _ruled(text, concept, dialogue)


def _by(learned: Learned, text: str, concept: str, before: Setting) -> tuple[Act, ...]:
    table = material(concept)
    sentences = cut(text, table)
    acts = decide(sentences, label(sentences, table, before, learned), table, before, learned)
    return (*(acts or [Act("inform")]), *lengthy(len(text.split())))


def _ruled(text: str, concept: str, dialogue: Sequence[Any]) -> tuple[Act, ...]:
    """The acts of a turn by rules alone."""
    doubt = doubted(concept, dialogue) if dialogue else -1
    acts, refers = _understand(text, concept, doubt, doubt)
    if refers and dialogue and doubt < 0:
        idea = focus(concept, dialogue)
        if idea >= 0:
            return _understand(text, concept, idea, -1)[0]
    return acts


def doubted(concept: str, dialogue: Sequence[Any]) -> int:
    """Position of the idea about which the user's last turn states what may be a mistaken belief, or -1."""
    last = dialogue[-1]
    speaker, text = (last.speaker, last.text) if isinstance(last, Turn) else (last["speaker"], last["text"])
    return _mistaken(concept, str(text)) if speaker != AGENT else -1


@lru_cache(maxsize=8_192)
def _mistaken(concept: str, text: str) -> int:
    table = material(concept)
    tokens = tokenise(text)[:80]
    roots = {stem(token) for token in tokens if is_content(token)}
    if not roots:
        return -1
    scores, _ = table.scores(tokens)
    covered = [table.covered(i, roots) for i in range(len(table.ids))]
    best = max(range(len(covered)), key=lambda i: 2.0 * covered[i] + 0.3 * scores[i])
    if table.answered(best, roots) > covered[best]:
        return -1
    asserts = scores[best] >= 0.7 and len(tokens) >= 5 and sets.CALM.isdisjoint(tokens) and tokens[-1] != "?"
    return (
        best
        if covered[best] >= 0.4 or (covered[best] >= 0.15 and sets.CALM.isdisjoint(tokens)) or asserts
        else -1
    )


@lru_cache(maxsize=16_384)
def _understand(text: str, concept: str, idea: int, doubt: int) -> tuple[tuple[Act, ...], bool]:
    """The acts of a text where ``idea`` (-1: none) was talked of last and the student holds a mistaken belief about
    ``doubt``; and whether they depend on what was talked of."""
    table = material(concept)
    sentences = cut(text, table)
    if foreign(text, sentences):
        return (_UNKNOWN,), False
    turn = Reading(table, idea, doubt)
    turn.caution = CAUTION * (len(sentences) > 5)
    for i, sentence in enumerate(sentences):
        if sentence.question and rhetorical(sentences, i):
            sentence.question = False
            sentence.cues.setdefault("rhetoric", 0)
        turn.add(sentence)
    return turn.finish(len(text.split())), turn.refers


def focus(concept: str, dialogue: Sequence[Any]) -> int:
    """Position of the idea that was talked of last, or -1: by the last turns that name one, at most four back."""
    for turn in reversed(dialogue[-4:]):
        if isinstance(turn, Turn):
            found = _talked_of(concept, turn.text, turn.speaker == AGENT)
        else:
            found = _talked_of(concept, str(turn["text"]), turn["speaker"] == AGENT)
        if found >= 0:
            return found
    return -1


@lru_cache(maxsize=8_192)
def _talked_of(concept: str, text: str, agent: bool) -> int:
    """The idea that a turn was about: the last one an agent's acts name, or the one a user's words speak for most."""
    table = material(concept)
    if agent:
        items = [act.item for act in _understand(text, concept, -1, -1)[0] if act.item is not None]
        return table.index[items[-1]] if items else -1
    tokens = tokenise(text)
    scores, hits = table.scores(tokens)
    if not scores:
        return -1
    best = max(range(len(scores)), key=scores.__getitem__)
    return best if scores[best] >= 0.6 or (hits and scores[best] > 0) else -1


__all__ = ["focus", "understand"]
