"""Trains :mod:`ranking`, which tells what idea sentences are about, and gathers the words of :mod:`heard`.

Examples are the labelled utterances whose sentences are aligned with their acts, and the texts of the material, each
recognised by the idea's other texts. What teachers have said of an idea counts in an utterance only where another
author said it, as it will be with utterances by authors yet unknown. Softmax regression over a concept's ideas with an
L2 penalty, by L-BFGS; no chance is involved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...language.tokens import tokenise
from ..content import Concept, concept, concepts
from .heard import Heard, Told
from .labelled import TRAINING, labelled
from .material import FIELDS, is_content, material
from .meaning import FEATURES, ONE, Meaning, sense
from .ranking import NAT
from .sentences import Sentence, cut
from .setting import Setting
from .vectors import Ints, unit

if TYPE_CHECKING:
    from .learning_examples import Example

PENALTY, MATERIAL = 10.0, 0.2
"""The penalty; what an example of the material counts."""
_DOES = {"quiz": "quiz", "belief": "correct", "correction": "correct"}


@dataclass(frozen=True, slots=True)
class Case:
    """Sentences about an idea: features of every idea, which it is, and what the case counts."""

    features: Ints
    truth: int
    weight: float


def gathered(without: str = "") -> Heard:
    """Of each utterance that does one thing; ``without``: an author left out."""
    found: dict[str, dict[str, list[_Line]]] = {}
    for name, author in TRAINING.items():
        if author != without:
            for line in _lines(name):
                found.setdefault(line.concept, {}).setdefault(line.idea, []).append(line)
    return {
        concept: {
            idea: Told(
                tuple(line.said for line in lines),
                tuple(unit(np.sum([line.sense for line in lines], axis=0)).tolist()),
            )
            for idea, lines in sorted(rows.items())
        }
        for concept, rows in sorted(found.items())
    }


@dataclass(frozen=True, slots=True)
class _Line:
    """An utterance about an idea: kind of act and content words, and what its sentences mean."""

    concept: str
    idea: str
    said: tuple[str, str]
    sense: Ints


@lru_cache(maxsize=16)
def _lines(name: str) -> tuple[_Line, ...]:
    """The utterances of a file that do one thing, and that about an idea."""
    found = []
    for row in labelled(name):
        acts = [act for act in row["acts"] if act.get("item")]
        if len(row["acts"]) == 1 and acts:
            words = dict.fromkeys(token for token in tokenise(row["text"]) if is_content(token))
            sentences = cut(row["text"], material(row["concept"]))
            said = (acts[0]["kind"], " ".join(words))
            found.append(_Line(row["concept"], acts[0]["item"], said, sense(sentences)))
    return tuple(found)


@lru_cache(maxsize=16)
def _gathered(without: str) -> Heard:
    return gathered(without)


@lru_cache(maxsize=1_024)
def meaning_for(concept_id: str, author: str, without: str = "") -> Meaning:
    """The tables of a concept as if an author had said nothing, and the material lacked a field."""
    entry, said = concept(concept_id), _gathered(author).get(concept_id, {})
    return Meaning(entry, [said.get(idea.id, Told()) for idea in entry.ideas], without)


def cases(examples: Iterable[Example]) -> list[Case]:
    """Of aligned labelled turns."""
    found = []
    for one in examples:
        if one.source is None or len(one.found) != len(one.sentences):
            continue
        source, current = one.source, -1
        tables, index = (meaning_for(source.concept, source.author), material(source.concept).index)
        for kind, members, item in _pieces(one):
            features = tables.features(members, source.setting, current, kind)
            found.append(Case(features, index[item], one.weight))
            current = index[item]
    return found


def _pieces(one: Example) -> list[tuple[str, list[Sentence], str]]:
    """(kind, sentences, idea) of each act that is about an idea, where it is plain which sentences do it."""
    acts = [act for act in one.source.acts if act.kind != "lengthy"] if one.source else []
    runs = [list(run) for _, run in groupby(acts, key=lambda act: act.slot or act.kind)]
    lines = zip(one.found, one.sentences, strict=True)
    groups = [
        list(group) for _, group in groupby((p for p in lines if p[0] != "none"), key=lambda pair: pair[0])
    ]
    found = []
    for run, group in zip(runs, groups, strict=False):
        items = list(dict.fromkeys(act.item for act in run if act.item is not None))
        members = [sentence for _, sentence in group]
        if len(items) == 1:
            found.append((group[0][0], members, items[0]))
        elif items and len(items) == len(members):
            found.extend((group[0][0], [now], item) for now, item in zip(members, items, strict=True))
    return found


def of_material() -> list[Case]:
    """The texts of the material, each recognised by the others."""
    return [case for entry in concepts() for case in _cases_of(entry)]


def _cases_of(entry: Concept) -> list[Case]:
    found = []
    for field in FIELDS:
        tables = meaning_for(entry.id, "", field)
        for i, idea in enumerate(entry.ideas):
            text = (
                idea.misconceptions[0].belief
                if field == "belief"
                else (
                    idea.misconceptions[0].correction if field == "correction" else str(getattr(idea, field))
                )
            )
            members = cut(text, tables.words)
            features = tables.features(members, Setting(), -1, _DOES.get(field, "explain"))
            found.append(Case(features, i, MATERIAL))
    return found


def train(all_cases: Sequence[Case]) -> Ints:
    """The weights of :data:`meaning.FEATURES`, in whole numbers."""
    from scipy.optimize import minimize

    big = np.vstack([case.features for case in all_cases]) / ONE
    sizes = np.array([len(case.features) for case in all_cases])
    ends = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    spread = big.std(axis=0) + 1e-3
    big /= spread
    chosen = big[ends + np.array([case.truth for case in all_cases])]
    weight, owner = (np.array([case.weight for case in all_cases]), np.repeat(np.arange(len(sizes)), sizes))

    def loss(b: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = big @ b
        z -= np.maximum.reduceat(z, ends)[owner]
        odds = np.exp(z)
        sums = np.add.reduceat(odds, ends)
        slope = big.T @ (odds / sums[owner] * weight[owner]) - chosen.T @ weight
        # the shift by the largest drops out of the difference to the right idea's
        likely = z[ends + truth] - np.log(sums)
        return float(-(weight * likely).sum() + PENALTY * (b @ b) / 2), slope + PENALTY * b

    truth = np.array([case.truth for case in all_cases])
    found = minimize(loss, np.zeros(len(FEATURES)), jac=True, method="L-BFGS-B", options={"maxiter": 150}).x
    learned: Ints = np.rint(found / spread * NAT / ONE).astype(np.int64)
    return learned
