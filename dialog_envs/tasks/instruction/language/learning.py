"""Trains the classifier of sentences: ``python -m dialog_envs.tasks.instruction.language.learning [--check]``.

Examples are labelled utterances (``tests/tasks/understanding``; not the third development set), the teaching
material, what scripted teachers say, and hand-written sentences (``grammar/taught.toml``). Where a turn has several
acts, which sentence does which is found by alignment: acts in order, each of them one sentence or more, as the
classifier so far finds likeliest.
Softmax regression with an L2 penalty, by Adam on all examples; no chance is involved. ``--check`` prints how well the
second development set is understood when each fifth of it is held out.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core.dialogue import Act
from ....core.seeding import stream
from ...language.measure import FOLDER, measure
from ..content import Concept, concepts
from ..scenario import InstructionScenario
from . import labels, understanding
from .classifier import BUCKETS, LABELS
from .deciding import hints
from .features import Setting, bucket, carried, features
from .material import Material, material
from .saying import say
from .sentences import Sentence, cut

PENALTY, STEPS, RATE = 2e-4, 160, 0.06
MATERIAL, SAID, TAUGHT, FIRST, SUMS, MIXED, WRITTEN = 0.12, 0.15, 0.6, 0.8, 0.2, 0.15, 1.0
"""What an example of the material, of ``say``, a hand-written one, one of the first set, of sums, of mixtures and of
``instruction_train.jsonl`` count."""
_INDEX = {name: i for i, name in enumerate(LABELS)}
Rows = list[NDArray[np.int64]]


@dataclass(slots=True)
class Example:
    """A turn: sentences, the labels of its acts in order, and what each sentence's features are."""

    sentences: list[Sentence]
    wanted: list[str]
    rows: Rows
    weight: float
    found: list[str]


def example(text: str, wanted: list[str], table: Material, setting: Setting, weight: float) -> Example | None:
    """A labelled turn; ``None`` where it cannot be aligned."""
    sentences = cut(text, table)
    if not sentences or len(wanted) > len(sentences):
        return None
    rules = hints(sentences, table, setting)
    rows = [
        np.array(sorted(bucket(name) for name in features(sentences, i, table, setting, rules[i])))
        for i in range(len(sentences))
    ]
    return Example(sentences, wanted, rows, weight, [])


def label_of(act: Act) -> str:
    """The classifier's label of an act."""
    return act.slot or "open" if act.kind == "ask" else act.kind


def of_rows(rows: Sequence[Mapping[str, Any]], weight: float) -> list[Example]:
    """Labelled utterances as examples."""
    found = []
    for row in rows:
        wanted = [label_of(Act.from_json(act)) for act in row["acts"] if act["kind"] != "lengthy"]
        wanted = [name for i, name in enumerate(wanted) if i == 0 or wanted[i - 1] != name]
        if "unknown" in wanted:
            continue
        setting = understanding.setting(row["concept"], row.get("dialogue", ()))
        made = example(row["text"], wanted, material(row["concept"]), setting, weight)
        if made is not None:
            found.append(made)
    return found


def of_material() -> list[Example]:
    """The sentences of the material."""
    found = []
    for entry in concepts():
        table = material(entry.id)
        for idea in entry.ideas:
            texts = [("explain", idea.text(kind)) for kind in ("analogy", "plain", "technical", "example")]
            texts.append(("quiz", idea.quiz))
            texts.extend(("correct", wrong.correction) for wrong in idea.misconceptions)
            for name, text in texts:
                made = example(text, [name], table, Setting(), MATERIAL)
                if made is not None:
                    found.append(made)
    return found


def of_saying() -> list[Example]:
    """What scripted teachers say without the material."""
    rng = stream(0, "instruction", "learning")
    acts = [Act("ask", slot) for slot in ("background", "style", "open")]
    acts += [
        Act(k) for k in ("confirm", "encourage", "recap", "close", "greet", "acknowledge", "inform", "refuse")
    ]
    found = []
    for place, entry in enumerate(concepts()):
        scenario, table = InstructionScenario(entry.id), material(entry.id)
        for act in (*acts, Act("ask", "idea", item=entry.ideas[place % len(entry.ideas)].id)):
            made = example(say((act,), scenario, rng), [label_of(act)], table, Setting(), SAID)
            if made is not None:
                found.append(made)
    return found


def of_taught() -> list[Example]:
    """Hand-written sentences: label -> turns, about no concept in particular."""
    found = []
    entries = concepts()
    for key, turns in _taught().items():
        for i, turn in enumerate(turns):
            entry = entries[i % len(entries)]
            table = material(entry.id)
            said = _filled(turn, entry, i)
            met = (
                Setting(True, i % len(entry.ideas), -1)
                if key.endswith("-met")
                else Setting(i % 2 == 0, -1, -1)
            )
            made = example(said, [key.partition("-")[0]], table, met, TAUGHT)
            if made is not None:
                found.append(made)
    return found


def _filled(turn: str, entry: Concept, i: int) -> str:
    """A turn with names of ideas in it."""
    names = [idea.name for idea in entry.ideas]
    for sign, step in (("{x}", 0), ("{y}", 1), ("{z}", 2)):
        turn = turn.replace(sign, names[(i + step) % len(names)])
    return turn.replace("{n}", str(len(names)))


_SUMS = (
    "So: {0}; {1}; {2}.", "{0}, {1}, and {2}.", "To sum up, {0}, {1}, and {2}.", "So we have: {0}, {1}, and {2}.",
    "What have we found out? {0}, {1} and {2}.", "So far: {0}. {1}. {2}.", "In short, {0} and {1}.",
    "Let us gather the threads: {0}, {1}, {2}.", "Remember: {0}, {1} and {2}.", "Quick summary:\n- {0}\n- {1}\n- {2}",
)  # fmt: skip


def of_sums() -> list[Example]:
    """Recaps made of the beginnings of plain explanations."""
    found = []
    for place, entry in enumerate(concepts()):
        parts = []
        for idea in entry.ideas:
            words = idea.plain.split(",")[0].rstrip(".").split()
            parts.append(" ".join([words[0].lower(), *words[1:9]]))
        for i in range(3):
            frame = _SUMS[(3 * place + i) % len(_SUMS)]
            said = frame.format(*(parts[(i + step) % len(parts)] for step in range(3)))
            made = example(said[0].upper() + said[1:], ["recap"], material(entry.id), Setting(), SUMS)
            if made is not None:
                found.append(made)
    return found


def of_mixtures(count: int = 700) -> list[Example]:
    """Turns of several acts: manners, something of the material, and a question."""
    rng = stream(0, "instruction", "mixtures")
    pools = _taught()
    found = []
    for _ in range(count):
        entry = concepts()[int(rng.integers(len(concepts())))]
        i = int(rng.integers(len(entry.ideas)))
        idea = entry.ideas[i]
        kind = ("explain", "explain", "correct", "quiz", "")[int(rng.integers(5))]
        first = ("encourage", "acknowledge", "greet", "", "")[int(rng.integers(5))]
        last = ("confirm", "quiz", "open", "", "encourage", "close", "idea")[int(rng.integers(7))]
        parts = [(name, _filled(_pick(pools[name], rng), entry, i)) for name in (first,) if name]
        if kind:
            explained = idea.text(("analogy", "plain", "technical", "example")[int(rng.integers(4))])
            text = {"explain": explained, "quiz": idea.quiz, "correct": idea.misconceptions[0].correction}[
                kind
            ]
            parts.append((kind, text))
        parts.extend((name, _filled(_pick(pools[name], rng), entry, i)) for name in (last,) if name)
        wanted = [name for n, (name, _) in enumerate(parts) if n == 0 or parts[n - 1][0] != name]
        said = " ".join(text for _, text in parts)
        made = (
            example(said, wanted, material(entry.id), Setting(rng.random() < 0.5), MIXED) if parts else None
        )
        if made is not None:
            found.append(made)
    return found


def _pick(pool: Sequence[str], rng: np.random.Generator) -> str:
    return pool[int(rng.integers(len(pool)))]


@cache
def _taught() -> dict[str, list[str]]:
    text = (files(__package__) / "grammar" / "taught.toml").read_text(encoding="utf-8")
    return {key: row["text"] for key, row in tomllib.loads(text).items()}


def align(one: Example, table: NDArray[np.float32]) -> list[str]:
    """The likeliest labels of the sentences with the wanted acts in order; a short sentence may do nothing."""
    n, m = len(one.sentences), len(one.wanted)
    gains = [_likely(table[row].sum(axis=0)) for row in one.rows]
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


def _likely(scores: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    scores = scores - scores.max()
    return np.asarray(scores - np.log(np.exp(scores).sum()))


def train(examples: Sequence[Example], rounds: int = 3) -> NDArray[np.float32]:
    """The weights, (BUCKETS, labels)."""
    table = np.zeros((BUCKETS, len(LABELS)), np.float32)
    for _ in range(rounds):
        rows: Rows = []
        truth: list[int] = []
        share: list[float] = []
        for one in examples:
            one.found = align(one, table)
            before = "start"
            for row, sentence, name in zip(one.rows, one.sentences, one.found, strict=True):
                extra = [bucket(feature) for feature in carried(before, sentence)]
                rows.append(np.concatenate((row, extra)).astype(np.int64))
                truth.append(_INDEX[name])
                share.append(one.weight)
                before = name
        table = _fit(rows, np.array(truth), np.array(share))
    return table


def _fit(rows: Rows, truth: NDArray[np.int64], share: NDArray[np.float64]) -> NDArray[np.float32]:
    from scipy.sparse import csr_matrix

    counts = np.array([len(row) for row in rows])
    ends = np.concatenate(([0], np.cumsum(counts)))
    data = csr_matrix((np.ones(ends[-1], np.float32), np.concatenate(rows), ends), (len(rows), BUCKETS))
    used = np.unique(np.concatenate(rows))
    data = data[:, used]
    goal = np.eye(len(LABELS), dtype=np.float32)[truth]
    weights = np.zeros((len(used), len(LABELS)), np.float32)
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    transposed, total = data.T.tocsr(), share.sum()
    scale = (share / total).astype(np.float32)[:, None]
    for step in range(1, STEPS + 1):
        scores = data @ weights
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        odds /= odds.sum(axis=1, keepdims=True)
        slope = transposed @ ((odds - goal) * scale) + PENALTY * weights
        first = 0.9 * first + 0.1 * slope
        second = 0.99 * second + 0.01 * slope * slope
        rate = RATE * min(1.0, 2.0 * (1 - step / (STEPS + 1)))
        weights -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-6)
    full = np.zeros((BUCKETS, len(LABELS)), np.float32)
    full[used] = weights
    return full


def _read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines() if line]


class _Held:
    """Labels read with the weights that have not seen their concept."""

    SEALED = labels.SEALED

    def __init__(self, tables: Sequence[NDArray[np.float32]], places: Mapping[str, int]) -> None:
        def understand(text: str, scenario: Any, dialogue: Sequence[Any]) -> tuple[Act, ...]:
            table = tables[places[scenario.concept]]
            return understanding.understand_with(table, text, scenario.concept, dialogue)

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


def _check(first: list[Example], rows: list[dict[str, Any]], others: list[Example]) -> None:
    """Print the table of the second set, each fifth of its concepts held out in turn."""
    places = {name: i % 5 for i, name in enumerate(dict.fromkeys(row["concept"] for row in rows))}
    tables = [
        train([*first, *of_rows([row for row in rows if places[row["concept"]] != fold], 1.0), *others])
        for fold in range(5)
    ]

    held = _Held(tables, places)
    print(measure(held, rows))


def main(arguments: list[str] | None = None) -> int:
    """Train, and write ``grammar/weights.npz``; or check."""
    parser = argparse.ArgumentParser(prog="learning", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="measure with parts held out; write nothing")
    options = parser.parse_args(arguments)
    first, second = _read("instruction_dev.jsonl"), _read("instruction_dev2.jsonl")
    others = [*of_material(), *of_saying(), *of_taught(), *of_sums(), *of_mixtures()]
    others += of_rows(_read("instruction_train.jsonl"), WRITTEN)
    if options.check:
        _check(of_rows(first, FIRST), second, others)
        return 0
    table = train([*of_rows(first, FIRST), *of_rows(second, 1.0), *others])
    scale = float(np.abs(table).max()) / 127
    small = np.round(table / scale).astype(np.int8)
    path = Path(str(files(__package__))) / "grammar" / "weights.npz"
    np.savez_compressed(path, weights=small, scale=np.float32(scale))
    print(f"wrote {path.name}: {path.stat().st_size} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
