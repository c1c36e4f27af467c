"""How varied are some texts? Of words (distinct-n, near-duplicates) and of vectors (similarity, Vendi score).

The Vendi score (Friedman and Dieng, 2023, *The Vendi Score: A Diversity Evaluation Metric for Machine Learning*, TMLR)
is an effective number: *n* texts that have nothing in common score *n*, *n* times the same text scores 1. It grows with
the number of texts, so compare samples of one size only, and vectors of one embedding.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from dialog_envs.core.seeding import stream
from dialog_envs.datasets.embedding import Embedder, Vectors, make_embedder, tokens

T = TypeVar("T")
Floats = np.ndarray[Any, np.dtype[np.float64]]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BINS = 20
"""Of the histogram of similarities, over [0, 1]."""
NEAR = 0.8
"""Share of common word triples from which two dialogues count as near-duplicates."""
SPARSE = 0.01
"""Share of numbers that are not zero up to which a sparse product is the faster one."""
SAMPLE = 500
"""Most texts of a kind that are compared with each other: eigenvalues take the cube of it."""
_HASHES, _BANDS = 48, 12


@dataclass(frozen=True, slots=True)
class Lexical:
    """How varied the words of some texts are.

    Attributes:
        texts, words: how many.
        distinct: n → share of n-grams that are different, for n = 1, 2, 3 (distinct-n).
        budget: words of the sample below; 0 if there are fewer.
        distinct_in_budget: the same over that many words, drawn at random text by text: texts of other datasets
            compare at the same budget only, because distinct-n falls with length.
    """

    texts: int
    words: int
    distinct: dict[int, float]
    budget: int
    distinct_in_budget: dict[int, float]


@dataclass(frozen=True, slots=True)
class Semantic:
    """How alike the vectors of some texts are.

    Attributes:
        embedding: name of the embedding.
        texts: how many there are.
        sampled: how many of them were compared.
        vendi: Vendi score of the sample: between 1 and ``sampled``.
        mean: mean cosine similarity of two of them.
        quantiles: of the similarity, by :data:`QUANTILES`.
        histogram: share of pairs in each of :data:`BINS` bins over [0, 1]; negative ones in the first.
        nearest: mean similarity of a text to the one that is most like it.
    """

    embedding: str
    texts: int
    sampled: int
    vendi: float
    mean: float
    quantiles: dict[float, float]
    histogram: tuple[float, ...]
    nearest: float


def distinct_n(texts: Sequence[str], n: int) -> float:
    """Different n-grams of words over all n-grams (Li et al., 2016); 0 where there is none. No n-gram spans two texts.

    Args:
        texts: any texts.
        n: words a gram, from 1.
    """
    return _distinct([tokens(text) for text in texts], n)


def _distinct(rows: Sequence[Sequence[str]], n: int) -> float:
    """Grams are numbered from the numbers of the gram without its last word, and of that word: exact, and faster than
    tuples of words."""
    total = sum(max(len(row) - n + 1, 0) for row in rows)
    if n < 1 or not total:
        return 0.0
    numbers: dict[str, int] = {}
    flat = [numbers.setdefault(word, len(numbers)) for words in rows for word in words]
    words = np.array(flat, dtype=np.int64)
    texts = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    grams, different = words, len(numbers)
    for size in range(2, n + 1):
        within = texts[size - 1 :] == texts[: len(texts) - size + 1]
        pairs = grams[: len(within)] * len(numbers) + words[size - 1 :]
        kept, found = np.unique(pairs[within], return_inverse=True)
        # Grams across texts keep a number that no mask lets through.
        grams = np.zeros(len(within), dtype=np.int64)
        grams[within] = found
        different = len(kept)
    return different / total


def lexical(texts: Sequence[str], budget: int = 5000, seed: int = 0) -> Lexical:
    """Distinct-1, -2 and -3 of some texts, and of ``budget`` words of them.

    Args:
        texts: any texts.
        budget: words of the sample; texts are drawn whole, the last one is cut.
        seed: of the sample's order.
    """
    rows = [tokens(text) for text in texts]
    total = sum(map(len, rows))
    part: list[list[str]] = []
    if total > budget:
        left = budget
        for i in stream(seed, "lexical").permutation(len(rows)).tolist():
            part.append(rows[i][:left])
            left -= len(part[-1])
            if left <= 0:
                break
    sizes = (1, 2, 3)
    return Lexical(
        texts=len(texts),
        words=total,
        distinct={n: _distinct(rows, n) for n in sizes},
        budget=budget if part else 0,
        distinct_in_budget={n: _distinct(part or rows, n) for n in sizes},
    )


def sample(items: Sequence[T], limit: int, seed: int, *names: str) -> list[T]:
    """At most ``limit`` of some items in their order, drawn by the stream ``("sample", *names)`` of ``seed``."""
    if len(items) <= limit:
        return list(items)
    chosen = stream(seed, "sample", *names).choice(len(items), size=limit, replace=False)
    return [items[i] for i in np.sort(chosen).tolist()]


def similarities(vectors: Vectors) -> Floats:
    """Cosine similarity of every two rows of length 1, shape (texts, texts)."""
    rows = np.asarray(vectors, dtype=np.float64)
    if np.count_nonzero(rows) > SPARSE * rows.size:
        return rows @ rows.T
    from scipy.sparse import csr_array

    few = csr_array(rows)
    return np.asarray((few @ few.T).toarray())


def vendi_score(vectors: Vectors, order: float = 1.0) -> float:
    """The Vendi score with the cosine as kernel.

    Args:
        vectors: rows of length 1, shape (texts, numbers).
        order: 1 is the score of Friedman and Dieng (2023); larger ones heed common texts more, smaller ones rare texts
            (Pasarkar and Dieng, 2024); ``inf`` is one over the largest share.

    Returns:
        The effective number of different texts: between 1 and ``len(vectors)``; 0 for no text.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    count, width = rows.shape
    if count == 0:
        return 0.0
    return _effective_number((rows @ rows.T if count <= width else rows.T @ rows) / count, order)


def vendi_score_of_kernel(kernel: Any, order: float = 1.0) -> float:
    """The Vendi score of any similarity matrix: symmetric, positive semidefinite, with ones on its diagonal.

    Args:
        kernel: shape (texts, texts).
        order: as in :func:`vendi_score`.
    """
    matrix = np.asarray(kernel, dtype=np.float64)
    return _effective_number(matrix / len(matrix), order) if len(matrix) else 0.0


def _effective_number(matrix: Floats, order: float) -> float:
    """The exponential of the Rényi entropy of a matrix's eigenvalues, which sum to 1."""
    shares = np.linalg.eigvalsh(matrix)
    shares = shares[shares > 1e-12]
    shares = shares / shares.sum() if len(shares) else np.ones(1)
    if order == 1.0:
        return float(np.exp(-np.sum(shares * np.log(shares))))
    if math.isinf(order):
        return float(1.0 / shares.max())
    return float(np.sum(shares**order) ** (1.0 / (1.0 - order)))


def semantic(
    texts: Sequence[str],
    embed: Embedder | str | None = None,
    limit: int = SAMPLE,
    seed: int = 0,
    name: str = "texts",
) -> Semantic:
    """Similarity and Vendi score of some texts.

    Args:
        texts: at least one.
        embed: the embedder or its name; ``tfidf`` by default.
        limit: most texts to compare; of more, so many are drawn.
        seed: of the draw, with ``name`` as the name of its stream.
    """
    embedder = embed if isinstance(embed, Embedder) else make_embedder(embed or "tfidf")
    chosen = sample(texts, limit, seed, name)
    vectors = embedder(chosen)
    table = similarities(vectors)
    vendi = vendi_score_of_kernel(table) if len(chosen) <= vectors.shape[1] else vendi_score(vectors)
    pairs = table[np.triu_indices(len(chosen), 1)]
    counts = np.histogram(np.clip(pairs, 0.0, 1.0), bins=BINS, range=(0.0, 1.0))[0]
    np.fill_diagonal(table, -np.inf)
    one = len(chosen) == 1
    levels = np.ones(len(QUANTILES)) if one else np.quantile(pairs, QUANTILES)
    return Semantic(
        embedding=embedder.name,
        texts=len(texts),
        sampled=len(chosen),
        vendi=vendi,
        mean=1.0 if one else float(pairs.mean()),
        quantiles=dict(zip(QUANTILES, levels.tolist(), strict=True)),
        histogram=tuple((counts / max(len(pairs), 1)).tolist()),
        nearest=1.0 if one else float(table.max(axis=1).mean()),
    )


def near_duplicates(texts: Sequence[str], near: float = NEAR) -> int:
    """How many texts share at least ``near`` of their word triples with an earlier one.

    Jaccard similarity, estimated by MinHash with locality-sensitive hashing (Broder, 1997; Indyk and Motwani, 1998):
    48 hashes in 12 bands find nearly all pairs above 0.8, and the pairs found are then compared exactly.
    """
    rng = np.random.Generator(np.random.PCG64(0))
    factors = rng.integers(1, 2**32, size=(_HASHES, 1), dtype=np.uint64) | np.uint64(1)
    offsets = rng.integers(0, 2**63, size=(_HASHES, 1), dtype=np.uint64)
    buckets: dict[tuple[int, bytes], int] = {}
    sets: list[frozenset[int]] = []
    found = 0
    for i, text in enumerate(texts):
        triples = _triples(text)
        sets.append(triples)
        values = np.fromiter(triples, dtype=np.uint64, count=len(triples))
        signature = ((values * factors + offsets) >> np.uint64(32)).min(axis=1).astype(np.uint32)
        candidates = set()
        for band, part in enumerate(signature.reshape(_BANDS, -1)):
            first = buckets.setdefault((band, part.tobytes()), i)
            if first != i:
                candidates.add(first)
        found += any(len(triples & sets[j]) >= near * len(triples | sets[j]) for j in candidates)
    return found


def _triples(text: str) -> frozenset[int]:
    words = [word.encode("utf-8", "replace") for word in tokens(text)]
    triples = zip(words, words[1:], words[2:], strict=False) if len(words) > 3 else (words,)
    return frozenset(map(zlib.crc32, map(b" ".join, triples)))
