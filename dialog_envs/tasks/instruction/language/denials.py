"""Whether a sentence denies a mistaken belief, and of which idea.

Evidence is a weighted sum of what can be counted: phrases of correcting, negations, and how much of the idea's
misconception the sentence restates. The weights started as judgement and were fitted, by logistic regression with a
prior at the judgement, to the material's own corrections and explanations and to the development set.
"""

from __future__ import annotations

from .material import Material, is_content
from .sentences import Sentence
from .stems import stem

DENIES = 1.75
"""Least evidence with which a sentence denies a belief."""
NEGATIONS = frozenset(
    """not no never isnt arent doesnt dont didnt cannot cant wont nothing neither nor wasnt without wouldnt
        shouldnt neednt none nobody noone hardly aint""".split()
)
_CONTRAST = frozenset(
    """but yet however though although instead rather only even just alone still nothing too itself may
        often would could nearly very both none merely well simply same single""".split()
)
_BUT = frozenset("but yet still even".split())
_STARTS = frozenset("no nope wrong not nah".split())


def evidence(
    now: Sentence, table: Material, current: int, doubt: int, defines: bool
) -> tuple[int, float, float]:
    """(idea, evidence, overlap): the idea whose misconception a sentence may deny, and how much speaks for it.

    Args:
        now: the sentence.
        table: the concept's tables.
        current: the idea talked of before, or -1.
        doubt: the idea of which the student has just stated a belief, or -1.
        defines: whether the sentence begins like a definition.
    """
    cues, tokens = now.cues, now.tokens
    roots = {stem(token) for token in tokens if is_content(token)}
    overlap = [sum(words[root] for root in roots & words.keys()) for words in table.beliefs]
    covered = [table.covered(i, roots) for i in range(len(overlap))]
    best = max(
        range(len(overlap)),
        key=lambda i: (
            overlap[i] + covered[i] + 0.45 * now.scores[i] + 0.6 * (i == current) + 1.2 * (i == doubt)
        ),
    )
    strong, first = "mistake" in cues, cues.get("denial", 9) <= 3 or tokens[0] in _STARTS
    return best, _weigh(now, strong, first, overlap[best], covered[best], doubt >= 0, defines), overlap[best]


def _weigh(
    now: Sentence, strong: bool, first: bool, met: float, covered: float, doubt: bool, defines: bool
) -> float:
    cues, tokens = now.cues, now.tokens
    negations = [i for i, token in enumerate(tokens) if token in NEGATIONS]
    contrast = sum(token in _CONTRAST for token in set(tokens))
    total = 2.9 * strong + 2.0 * first + 1.0 * ("denial" in cues) + 1.3 * doubt
    total += 0.4 * min(contrast, 3) + 0.2 * min(met, 3.0) + 2.65 * min(covered, 0.6)
    if negations:
        total += 0.6 + 1.2 * (negations[0] < 7) + 0.3 * min(covered, 0.6) + 0.2 * min(met, 3.0)
        total += 0.45 * ("dont" in tokens or "never" in tokens)
    total += 0.2 * (not _BUT.isdisjoint(tokens)) + 0.3 * any(token in ";:—–" for token in tokens)
    total -= 1.6 * ("analogy" in cues) + 0.7 * ("example" in cues) + 0.45 * ("because" in tokens)
    total -= 0.65 * any(token[0].isdigit() for token in tokens) + 0.85 * min(len(tokens) / 20, 2.0)
    return total - 0.65 * (defines and not strong and not first) + 0.2
