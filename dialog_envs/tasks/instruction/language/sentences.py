"""A teacher's turn cut into sentences, each with what stands in it: cues, ideas, and whether it asks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from ....tasks.language.phrases import matches
from ....tasks.language.spelling import Speller
from ....tasks.language.tokens import MAX_CHARS, tokenise
from ....tasks.language.words import AUXILIARIES, FILLERS, SUBJECTS, WH
from ..content import concepts
from .cues import common_words, cue_trie
from .material import Material
from .stems import stem
from .vectors import is_english

MAX_SENTENCES = 400
_END = re.compile(r"(?<=[.!?…])[\"'”’)\]*_]*\s+|\n+|(?<=[.!?…])(?=[A-Z])")
_MARKS = re.compile(r"[*_`#>~]+|^[ \t]*(?:\d+[.)]|[-•–])\s+", re.MULTILINE)
_BEFORE = FILLERS | frozenset(
    "if when suppose imagine say hmm okay now lets the can could please try".split()
)
_ASIDE = frozenset(("so", "and", "but", "now", "then", "ok", "okay"))
_CONDITION = frozenset(
    "if when suppose imagine since because as while after once say given with in for at on".split()
)
_TELL = frozenset(
    """explain tell describe define predict guess name calculate compute give summarise summarize teach
        show decide complete finish justify compare""".split()
)
_OPENS = (
    AUXILIARIES
    | WH
    | frozenset(
        (
            "whos",
            "wheres",
            "whys",
            "whens",
            "didnt",
            "wasnt",
            "wont",
            "couldnt",
            "shouldnt",
            "havent",
            "cant",
            "had",
        )
    )
)


@dataclass(slots=True)
class Sentence:
    """One sentence, or a part of one that does something of its own, and what was found in it.

    ``raw``: the whole sentence; ``whole``: its tokens as written; ``tokens``: those of the part, spelled well.
    ``cues``: kind -> where it first stands. ``hits``: names and terms as (position, idea, kind). ``known``: (idea,
    field) of the material that it repeats.
    """

    raw: str
    tokens: list[str]
    question: bool = False
    cues: dict[str, int] = field(default_factory=dict)
    scores: list[float] = field(default_factory=list)
    hits: list[tuple[int, int, str]] = field(default_factory=list)
    known: tuple[int, str] | None = None
    whole: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Words in it."""
        return sum(token[0].isalnum() for token in self.tokens)


@lru_cache(maxsize=1)
def _speller() -> Speller:
    """Knows every word of the material; takes typos for words of names, terms and cues.

    A token that shares its stem with an English word is a typo only of a word of that stem: "lawyer" is not "layer".
    """
    known, targets = set(common_words()), set(common_words())
    for entry in concepts():
        for idea in entry.ideas:
            special = tokenise(" ".join((idea.name, *idea.terms)))
            wrong = " ".join(f"{m.belief} {m.correction}" for m in idea.misconceptions)
            texts = (idea.analogy, idea.plain, idea.technical, idea.example, idea.quiz, idea.right, wrong)
            known.update(special, tokenise(" ".join(texts)))
            targets.update(special)
    return Speller(
        frozenset(known),
        targets,
        fits=lambda token, word: not is_english(token) or stem(token) == stem(word),
    )


_REQUESTS = frozenset(
    (
        ("tell", "me"), ("let", "me"), ("to", "know"), ("mind", "telling"), ("mind", "saying"), ("to", "hear"),
        ("to", "learn"), ("may", "i"), ("to", "ask"), ("share", "with"), ("enquire", "what"),
    )
)  # fmt: skip
_WHAT = frozenset(
    """what whats who whom how which where why when whether if about your you yourself bit little more""".split()
)
_TAGS = frozenset("right ok okay yes yeah clear see eh no alright agreed correct understood huh ye".split())
"""Words that make a question of a statement: "…, right?" """


def cut(text: str, table: Material) -> list[Sentence]:
    """The sentences of a text, in order."""
    text = _MARKS.sub(" ", text[:MAX_CHARS])
    found: list[Sentence] = []
    for raw in _END.split(text)[:MAX_SENTENCES]:
        said = tokenise(raw)
        if any(token[0].isalnum() for token in said):
            tokens = _speller().fix(said)
            known = table.recognise([word for word in said if word[0].isalnum()])
            middle = 0 if known else _middle(tokens) or _tag(tokens)
            parts = (tokens[:middle], tokens[middle:]) if middle else (tokens,)
            for part in parts:
                found.append(_examine(part, raw, tuple(said), table))
            found[-1].known = known
    return found


def _tag(tokens: list[str]) -> int:
    """Where a word of confirmation begins that ends a statement ("… is mass per volume, got it?"), or 0."""
    root, n = cue_trie(), len(tokens)
    end = n
    while end and not tokens[end - 1][0].isalnum():
        end -= 1
    asks = tokens[-1] == "?" and tokens[0] not in _OPENS
    for i in range(max(4, end - 7), end):
        mark = tokens[i - 1] in ",;—–:-" or tokens[i - 1] in ("so",)
        if asks and mark and tokens[i] in _TAGS and end - i <= 2:
            return i
        for stop, meaning in matches(root, tokens, i, n) if tokens[i] in root else ():
            if (
                stop == end
                and "confirm" in meaning[1].split(" ")
                and ((asks and mark) or (end - i >= 3 and tokens[i] in _OPENS))
            ):
                return i
    return 0


def _middle(tokens: list[str]) -> int:
    """Where a question begins behind a statement ("it is mass per volume, so what happens if …"), or 0."""
    if tokens[0] in _CONDITION or tokens[0] in _OPENS or tokens[0].endswith("ing"):
        return 0
    if len(tokens) > 5 and tokens[-1] == "?" and tokens[-3] in _OPENS and tokens[-4] == ",":
        return 0  # "You know it, don't you?"
    for i in range(4, len(tokens) - 2):
        token, before = tokens[i], tokens[i - 1]
        if token not in _OPENS or not (before in _ASIDE or before in ",;—–" or (before == ":" and i > 8)):
            continue
        after = tokens[i + 1]
        if token in AUXILIARIES:
            asks = after in SUBJECTS and (tokens[-1] == "?" or after in ("you", "that", "it"))
        else:
            asks = after not in ("a", "an") and tokens[-1] == "?"
        if asks:
            return i
    return 0


def _examine(tokens: list[str], raw: str, whole: tuple[str, ...], table: Material) -> Sentence:
    root, n, i = cue_trie(), len(tokens), 0
    now = Sentence(raw, tokens, whole=whole)
    cues = now.cues
    while i < n:
        ends = matches(root, tokens, i, n) if tokens[i] in root else None
        if ends:
            for name in ends[-1][1][1].split(" "):
                cues.setdefault(name, i)
            i = ends[-1][0]
        else:
            i += 1
    now.scores, now.hits = table.scores(tokens)
    now.question = _asks(tokens, cues)
    return now


def _requests(tokens: list[str]) -> bool:
    """Whether somebody asks indirectly: "tell me whether …", "I'd like to know how …"."""
    for i in range(min(len(tokens) - 2, 12)):
        if (tokens[i], tokens[i + 1]) in _REQUESTS:
            return not _WHAT.isdisjoint(tokens[i + 2 : i + 7])
        if tokens[i] in ("wonder", "wondering", "curious") and tokens[i - 1] in ("i", "im", "am", "was"):
            return not _WHAT.isdisjoint(tokens[i + 1 : i + 5])
    return False


def _asks(tokens: list[str], cues: dict[str, int]) -> bool:
    """Whether a sentence is a question, or asks to be told something."""
    if tokens[-1] == "?" or "?" in tokens[-3:]:
        return True
    if _requests(tokens):
        return "plan" not in cues or cues["plan"] > 3
    i = 0
    while (
        i < len(tokens)
        and ((tokens[i] in _BEFORE and tokens[i] not in _OPENS) or not tokens[i][0].isalnum())
        and i < 5
    ):
        i += 1
    if i >= len(tokens):
        return False
    first, after = tokens[i], tokens[i + 1] if i + 1 < len(tokens) else ""
    if first in _TELL:
        return after not in ("you", "u", "yourself") and "plan" not in cues
    if tokens[-1] in ".!" and first in WH:
        return False
    if first in AUXILIARIES:
        return (after in SUBJECTS and len(tokens) > 2) or (i == 0 and "idea" in cues)
    if first in WH:
        return after not in ("a", "an") and i <= 2 and not any(mark in tokens[i:] for mark in (",",))
    return False


__all__ = ["Sentence", "cut"]
