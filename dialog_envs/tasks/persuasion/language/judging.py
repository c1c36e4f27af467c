"""What the words of a clause speak for, taken together: naive Bayes over examples and phrases.

Multinomial naive Bayes (McCallum and Nigam, 1998) over words and pairs of words of ``grammar/examples.toml`` and of the
phrases of ``grammar/agent_cues.toml``. It decides where no phrase is known, and doubts what a single phrase says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.language.phrases import expand
from dialog_envs.tasks.language.tokens import tokenise
from dialog_envs.tasks.persuasion.language.facts import STOP, stem
from dialog_envs.tasks.persuasion.language.grammar import cues, load, load_examples

_SMOOTHING, _PHRASES, _PAIRS = 0.1, 2.0, 0.6
"""Pseudo-count of a word; what a phrase counts beside an example; what a pair of words counts beside a word."""
_MARGIN = 0.5
"""By how much (in nats) the best verdict must beat the next to be one."""
_KINDS = {
    "guilt": "pressure guilt", "urgency": "pressure urgency", "threat": "pressure threat", "ack": "acknowledge",
    "study": "fabricate", "give": "propose", "commit": "commit", "check": "check", "close": "close",
    "refuse": "refuse", "greet": "greet",
}  # fmt: skip
_ASKING = frozenset(("ask", "check", "commit", "propose", "pressure", "greet", "acknowledge", "unknown"))
Scores = npt.NDArray[np.float64]


def features(tokens: list[str]) -> set[str]:
    """Stems, pairs of neighbouring stems, and marks for numbers and money."""
    row = [
        stem(token) if token[0].isalpha() else "#" if token[0].isdigit() else token
        for token in tokens
        if token[0].isalnum() or token in "?€"
    ]
    return {*row, *(f"{one} {two}" for one, two in pairwise(row))}


def _class(tag: str) -> str | None:
    """The class that a tag of phrases speaks for."""
    for start, name in (("ask.", "ask"), ("obj.", "address"), ("value.", "appeal values")):
        if tag.startswith(start):
            return f"{name} {tag[len(start) :]}"
    if tag in ("logical", "emotional", "credibility", "story", "identity"):
        return f"appeal {tag}"
    return _KINDS.get(tag)


@lru_cache(maxsize=1)
def _model() -> tuple[tuple[str, ...], dict[str, Scores]]:
    """The classes, and for each feature the log-likelihood of each class relative to their mean."""
    examples = {name: [*rows, *_said(name)] for name, rows in load_examples().items()}
    names = tuple(examples)
    place = {name: i for i, name in enumerate(names)}
    counts: dict[str, Scores] = {}
    totals = np.array([len(examples[name]) for name in names], dtype=float) + _PHRASES * 3 + _SMOOTHING * 8
    for name, sentences in examples.items():
        seen: Counter[str] = Counter()
        for sentence in sentences:
            seen.update(features(tokenise(sentence)))
        for feature, number in seen.items():
            counts.setdefault(feature, np.zeros(len(names)))[place[name]] += number
    for tag, phrases in cues("agent_cues"):
        known = _class(tag)
        if known in place:
            for feature in _phrase_features(phrases):
                counts.setdefault(feature, np.zeros(len(names)))[place[known]] += _PHRASES
    model = {}
    for feature, row in counts.items():
        likelihood = (row + _SMOOTHING) / totals
        score = np.log(likelihood / likelihood.mean())
        model[feature] = score * (_PAIRS if " " in feature else 1.0)
    return names, model


def _said(name: str) -> Sequence[str]:
    """What scripted agents say for a class: examples too."""
    banks = load("agent")
    kind, _, slot = name.partition(" ")
    if kind == "ask":
        return (
            *banks["ask"][slot],
            *(text for bank in banks["yes_no"].get(slot, {}).values() for text in bank),
        )
    if slot.startswith("values "):
        return tuple(banks["named"][slot.partition(" ")[2]])
    if kind in ("appeal", "address", "pressure"):
        return tuple(banks[kind][slot])
    if kind == "propose":
        return tuple(text for bank in banks["propose"].values() for text in bank)
    return tuple(banks["fabricate"]["text"] if kind == "fabricate" else banks["other"][kind])


def _phrase_features(phrases: str) -> set[str]:
    found: set[str] = set()
    for phrase in phrases.split(","):
        for row in expand(phrase):
            found |= features([word for part in row for word in part.split("_") if word != "*"])
    return found


@lru_cache(maxsize=8_192)
def _scores(text: str, question: bool) -> dict[str, float] | None:
    """Class -> score, for the classes that a question or a statement may have; ``None`` for too few known words."""
    names, model = _model()
    tokens = text.split(" ")
    known = [model[feature] for feature in features(tokens) if feature in model]
    words = [stem(token) for token in tokens if token[0].isalpha()]
    telling = [stem(token) for token in tokens if token[0].isalpha() and token not in STOP]
    if sum(word in model for word in words) < 2:
        return None
    if 2 * sum(word in model for word in telling) < len(telling):
        return None
    total = np.sum(known, axis=0).tolist()
    return {
        name: score
        for name, score in zip(names, total, strict=True)
        if (name.partition(" ")[0] in _ASKING if question else not name.startswith(("ask", "check")))
    }


def guess(tokens: list[str], question: bool) -> Act | None:
    """The likeliest act of a clause, or ``None`` where its words tell too little."""
    scores = _scores(" ".join(tokens), question)
    if not scores:
        return None
    second, best = sorted(scores, key=lambda name: scores[name])[-2:]
    return as_act(best) if scores[best] - scores[second] >= _MARGIN else None


def lead(tokens: list[str], question: bool, act: Act) -> tuple[float, Act | None]:
    """By how many nats the likeliest act beats a given one, and that act; (0, ``None``) where nothing can be said."""
    scores = _scores(" ".join(tokens), question)
    name = as_name(act)
    if not scores or name not in scores:
        return 0.0, None
    best = max(scores, key=lambda other: scores[other])
    return scores[best] - scores[name], as_act(best)


def as_name(act: Act) -> str:
    """Inverse of :func:`as_act`, but that proposals and questions go without their value."""
    if act.kind == "propose":
        return act.kind
    value = None if act.kind == "ask" else act.value
    return " ".join(part for part in (act.kind, act.slot, value) if part is not None)


def as_act(name: str) -> Act:
    """``"appeal values nature"`` as an act; manners of pushing are values."""
    kind, _, rest = name.partition(" ")
    if kind == "pressure":
        return Act(kind, value=rest)
    slot, _, value = rest.partition(" ")
    return Act(kind, slot or None, value or None)
