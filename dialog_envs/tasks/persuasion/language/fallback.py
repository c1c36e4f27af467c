"""What a sentence does in which no known phrase stands: naive Bayes over the words of examples and phrases.

Multinomial naive Bayes (McCallum and Nigam, 1998) with the words of ``grammar/examples.toml`` and of the phrases of
``grammar/agent_cues.toml``; only words of the examples count, and a verdict must stand out from the next.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.language.phrases import expand
from dialog_envs.tasks.language.tokens import tokenise
from dialog_envs.tasks.persuasion.language.facts import stem
from dialog_envs.tasks.persuasion.language.grammar import cues, load_examples

_SMOOTHING = 0.25
_PHRASES = 0.6
"""What a word of a phrase counts, beside 1 for a word of an example."""
_KINDS = {
    "guilt": "pressure guilt", "urgency": "pressure urgency", "threat": "pressure threat", "ack": "acknowledge",
    "study": "fabricate", "give": "propose", "commit": "commit", "check": "check", "close": "close",
    "refuse": "refuse", "greet": "greet",
}  # fmt: skip
_QUESTIONS = ("ask", "check", "commit", "propose")
MARGIN = 0.5
"""By how much (in nats) the best verdict must beat the next."""


def _class(tag: str) -> str | None:
    """The class that a tag of phrases speaks for."""
    if tag.startswith("ask."):
        return f"ask {tag[4:]}"
    if tag.startswith("obj."):
        return f"address {tag[4:]}"
    if tag.startswith("value."):
        return f"appeal values {tag[6:]}"
    if tag in ("logical", "emotional", "credibility", "story", "identity"):
        return f"appeal {tag}"
    return _KINDS.get(tag)


@lru_cache(maxsize=1)
def _model() -> dict[str, dict[str, float]]:
    """Word -> class -> log-likelihood relative to the mean over classes."""
    counts: dict[str, Counter[str]] = {}
    for name, sentences in load_examples().items():
        for sentence in sentences:
            counts.setdefault(name, Counter()).update({stem(w): 1.0 for w in tokenise(sentence) if w.isalpha()})
    for tag, phrases in cues("agent_cues"):
        name = _class(tag)
        if name in counts:
            words: set[str] = set()
            for phrase in phrases.split(","):
                for row in expand(phrase):
                    words.update(stem(word) for part in row for word in part.split("_") if word != "*")
            for word in words:
                counts[name][word] += _PHRASES
    vocabulary = {word for counter in counts.values() for word in counter}
    model: dict[str, dict[str, float]] = {}
    for word in vocabulary:
        row = {
            name: math.log((counter[word] + _SMOOTHING) / (counter.total() + _SMOOTHING * len(vocabulary)))
            for name, counter in counts.items()
        }
        mean = sum(row.values()) / len(row)
        model[word] = {name: value - mean for name, value in row.items()}
    return model


def guess(tokens: list[str], question: bool) -> Act | None:
    """The likeliest act of a sentence, or ``None`` where its words tell too little."""
    model = _model()
    words = {stem(token) for token in tokens if token[0].isalpha()}
    known = [model[word] for word in words if word in model]
    if len(known) < 2 or 2 * len(known) < len(words):
        return None
    names = [name for name in next(iter(model.values())) if _open_to(name, question)]
    scores = sorted(((sum(row[name] for row in known), name) for name in names), reverse=True)
    (best, name), (second, _) = scores[0], scores[1]
    if best - second < MARGIN:
        return None
    return as_act(name)


def _open_to(name: str, question: bool) -> bool:
    """Whether a question, or a statement, can do this."""
    kind = name.partition(" ")[0]
    return kind in _QUESTIONS or name == "pressure guilt" if question else kind not in ("ask", "check")


def as_act(name: str) -> Act:
    """``"appeal values nature"`` as an act; manners of pushing are values."""
    kind, _, rest = name.partition(" ")
    if kind == "pressure":
        return Act(kind, value=rest)
    slot, _, value = rest.partition(" ")
    return Act(kind, slot or None, value or None)
