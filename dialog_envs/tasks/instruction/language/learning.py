"""Trains how teachers are understood: ``python -m dialog_envs.tasks.instruction.language.learning [--check]``.

Two softmax regressions with an L2 penalty; no chance is involved. One tells what a sentence does
(:mod:`classifier`), by Adam on all of :mod:`learning_examples`. Where a turn has several acts, which sentence does
which is found by alignment: acts in order, each of them one sentence or more, as the classifier so far finds
likeliest. The other tells what idea sentences are about (:mod:`learning_ideas`). ``--check`` prints how well the
labelled sets are understood when each fourth of the concepts is held out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core.dialogue import Act
from ...language.measure import measure
from ..content import concepts
from ..scenario import InstructionScenario
from . import heard, labels, learning_ideas, understanding
from .classifier import BUCKETS, LABELS, STRETCH, Weights
from .deciding import Learned
from .features import bucket, carried
from .labelled import TRAINING, labelled, missing
from .learning_examples import Example, Rows, of_labelled, of_others
from .vectors import UNIT, Ints

PENALTY, PENALTY_OF_MEANING, STEPS, RATE = 2e-4, 1e-3, 160, 0.06
_INDEX = {name: i for i, name in enumerate(LABELS)}
Real = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Weights of features and of meaning, before they are rounded."""


def align(one: Example, table: Real) -> list[str]:
    """The likeliest labels of the sentences with the wanted acts in order; a short sentence may do nothing."""
    n, m = len(one.sentences), len(one.wanted)
    gains = [
        _likely(table[0][row].sum(axis=0) + _stretched(vector) @ table[1])
        for row, vector in zip(one.rows, one.dense, strict=True)
    ]
    best = np.full((n + 1, m + 1), -np.inf)
    back: dict[tuple[int, int], tuple[int, str]] = {}
    best[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(m + 1):
            options: list[tuple[float, int, str]] = []
            if one.sentences[i - 1].size <= 3 and m < n:
                options.append((best[i - 1, j] + gains[i - 1][0] - 1.5, j, "none"))
            if j:
                name = one.wanted[j - 1]
                gain = gains[i - 1][_INDEX[name]]
                options.append((best[i - 1, j] + gain, j, name))
                options.append((best[i - 1, j - 1] + gain, j - 1, name))
            if options:
                value, came, name = max(options)
                best[i, j] = value
                back[i, j] = (came, name)
    found, j = [], m
    for i in range(n, 0, -1):
        j, name = back[i, j]
        found.append(name)
    return found[::-1]


def train(examples: Sequence[Example], rounds: int = 3) -> Real:
    """The weights of features, (BUCKETS, labels), and of meaning, (numbers of a vector, labels)."""
    numbers = len(examples[0].dense[0])
    table: Real = (np.zeros((BUCKETS, len(LABELS)), np.float32), np.zeros((numbers, len(LABELS)), np.float32))
    for _ in range(rounds):
        rows: Rows = []
        dense: list[NDArray[np.float32]] = []
        truth: list[int] = []
        share: list[float] = []
        for one in examples:
            one.found = align(one, table)
            before = "start"
            for row, vector, sentence, name in zip(
                one.rows, one.dense, one.sentences, one.found, strict=True
            ):
                extra = [bucket(feature) for feature in carried(before, sentence)]
                rows.append(np.concatenate((row, extra)).astype(np.int64))
                dense.append(_stretched(vector))
                truth.append(_INDEX[name])
                share.append(one.weight)
                before = name
        table = _fit(rows, np.array(dense), np.array(truth), np.array(share))
    return table


def _stretched(vector: Ints) -> NDArray[np.float32]:
    return (vector * (STRETCH / UNIT)).astype(np.float32)


def _fit(
    rows: Rows, dense: NDArray[np.float32], truth: NDArray[np.int64], share: NDArray[np.float64]
) -> Real:
    from scipy.sparse import csr_matrix

    counts = np.array([len(row) for row in rows])
    ends = np.concatenate(([0], np.cumsum(counts)))
    data = csr_matrix((np.ones(ends[-1], np.float32), np.concatenate(rows), ends), (len(rows), BUCKETS))
    used = np.unique(np.concatenate(rows))
    data = data[:, used]
    transposed = data.T.tocsr()
    goal = np.eye(len(LABELS), dtype=np.float32)[truth]
    weights = np.zeros((len(used) + dense.shape[1], len(LABELS)), np.float32)
    penalty = np.full((len(weights), 1), PENALTY, np.float32)
    penalty[len(used) :] = PENALTY_OF_MEANING
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    scale = (share / share.sum()).astype(np.float32)[:, None]
    for step in range(1, STEPS + 1):
        scores = data @ weights[: len(used)] + dense @ weights[len(used) :]
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        odds /= odds.sum(axis=1, keepdims=True)
        off = (odds - goal) * scale
        slope = np.vstack((transposed @ off, dense.T @ off)) + penalty * weights
        first = 0.9 * first + 0.1 * slope
        second = 0.99 * second + 0.01 * slope * slope
        rate = RATE * min(1.0, 2.0 * (1 - step / (STEPS + 1)))
        weights -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-6)
    full = np.zeros((BUCKETS, len(LABELS)), np.float32)
    full[used] = weights[: len(used)]
    return full, weights[len(used) :]


def _likely(scores: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    scores = scores - scores.max()
    return np.asarray(scores - np.log(np.exp(scores).sum()))


class Held:
    """Labels of one author read with weights that have not seen their concept."""

    SEALED: tuple[str, ...] = labels.SEALED

    def __init__(
        self, models: Sequence[tuple[Weights, Ints]], places: Mapping[str, int], author: str
    ) -> None:
        def understand(text: str, scenario: Any, dialogue: Sequence[Any]) -> tuple[Act, ...]:
            weights, ranks = models[places[scenario.concept]]
            learned = Learned(weights, ranks, learning_ideas.meaning_for(scenario.concept, author))
            return understanding.understand_with(learned, text, scenario.concept, dialogue)

        self.understand: Callable[[str, Any, Sequence[Any]], tuple[Act, ...]] = understand

    def scene(self, row: Mapping[str, Any]) -> InstructionScenario:
        """The lesson of a row."""
        return labels.scene(row)

    def class_of(self, act: Act) -> str:
        """The class of an act."""
        return labels.class_of(act)

    def key_of(self, act: Act) -> tuple[str, str | None, str | None]:
        """What must agree."""
        return labels.key_of(act)


def check(folds: int) -> None:
    """Print how well each labelled set is understood where what was said of its concepts, in turn, trains nothing, and
    what its author said of an idea counts as unsaid. The material of all concepts trains: a reader has it, too."""
    sets = {name: of_labelled(name) for name in TRAINING}
    others = of_others()
    places = {entry.id: i % folds for i, entry in enumerate(concepts())}
    models = []
    for fold in range(folds):
        kept = [
            one for held in sets.values() for one in held if one.source and places[one.source.concept] != fold
        ]
        models.append(_both(kept, others))
    for name, author in TRAINING.items():
        print(name, measure(Held(models, places, author), labelled(name)), sep="\n", flush=True)


def _both(written: Sequence[Example], others: Sequence[Example]) -> tuple[Weights, Ints]:
    weights = Weights.of(*train([*written, *others]))  # which sentences do what is found here, and used below
    return weights, learning_ideas.train([*learning_ideas.cases(written), *learning_ideas.of_material()])


def main(arguments: list[str] | None = None) -> int:
    """Train, and write ``weights.npz``, ``ranking.npz`` and ``heard.json`` of ``grammar``; or check."""
    parser = argparse.ArgumentParser(prog="learning", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="measure with parts held out; write nothing")
    options = parser.parse_args(arguments)
    if missing():
        print(missing(), file=sys.stderr)
        return 2
    if options.check:
        check(4)
        return 0
    written = [one for name in TRAINING for one in of_labelled(name)]
    weights = Weights.of(*train([*written, *of_others()]))
    ranks = learning_ideas.train([*learning_ideas.cases(written), *learning_ideas.of_material()])
    folder = Path(str(files(__package__))) / "grammar"
    np.savez_compressed(folder / "weights.npz", weights=weights.features, meaning=weights.meaning)
    np.savez_compressed(folder / "ranking.npz", weights=ranks)
    (folder / "heard.json").write_text(heard.written(learning_ideas.gathered()), encoding="utf-8")
    for name in ("weights.npz", "ranking.npz", "heard.json"):
        print(f"wrote {name}: {(folder / name).stat().st_size} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
