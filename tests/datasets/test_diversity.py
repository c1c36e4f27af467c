"""Diversity: what is known by hand, for every embedding that is there."""

from __future__ import annotations

import importlib.util
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialog_envs.datasets import diversity, embedding
from dialog_envs.datasets.diversity import (
    distinct_n,
    lexical,
    sample,
    semantic,
    vendi_score,
    vendi_score_of_kernel,
)
from dialog_envs.errors import DatasetError, UnknownName

THERE = [
    name
    for name in embedding.EMBEDDINGS
    if name not in embedding._PACKAGES or importlib.util.find_spec(embedding._PACKAGES[name])
]
TEXTS = ["I like quiet gardens", "The lesson was about prime numbers", "Ten euros for the river, please"]


def test_vendi_by_hand() -> None:
    assert vendi_score(np.tile([1.0, 0.0], (5, 1)).astype(np.float32)) == pytest.approx(1.0)
    assert vendi_score(np.eye(7, dtype=np.float32)) == pytest.approx(7.0)
    # Two kinds, three of one and one of the other: exp(entropy(3/4, 1/4)); its cousins of other orders.
    rows = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], dtype=np.float32)
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert vendi_score(rows) == pytest.approx(math.exp(entropy))
    assert vendi_score(rows, order=2) == pytest.approx(1 / (0.75**2 + 0.25**2))
    assert vendi_score(rows, order=math.inf) == pytest.approx(4 / 3)
    # Two texts of similarity s: eigenvalues (1 + s) / 2 and (1 - s) / 2.
    shares = np.array([0.8, 0.2])
    wanted = math.exp(-float(shares @ np.log(shares)))
    assert vendi_score_of_kernel([[1.0, 0.6], [0.6, 1.0]]) == pytest.approx(wanted)
    assert vendi_score(np.array([[1.0, 0.0], [0.6, 0.8]], dtype=np.float32)) == pytest.approx(wanted)
    assert vendi_score(np.zeros((0, 4), dtype=np.float32)) == 0.0


def test_more_texts_than_numbers_and_fewer_agree() -> None:
    rows = embedding.unit(np.random.default_rng(0).normal(size=(30, 6)))
    assert vendi_score(rows) == pytest.approx(vendi_score_of_kernel(rows @ rows.T), rel=1e-4)


def test_few_numbers_and_many_give_the_same_likeness(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = embedding.tfidf(["a quiet garden", "a garden by the sea", "loud music", ""])
    few = diversity.similarities(vectors)
    monkeypatch.setattr(diversity, "SPARSE", -1.0)
    assert np.allclose(few, diversity.similarities(vectors), atol=1e-15) and few.shape == (4, 4)


def test_distinct_by_hand() -> None:
    texts = ["a b a b", "a b c"]
    assert distinct_n(texts, 1) == 3 / 7
    assert distinct_n(texts, 2) == 3 / 5  # ab, ba, ab | ab, bc
    assert distinct_n(texts, 3) == 1.0  # aba, bab | abc
    assert distinct_n(["a"], 2) == 0.0 and distinct_n([], 1) == 0.0
    assert distinct_n(["a b c"], 5) == distinct_n(["a"], 0) == 0.0
    found = lexical(texts, budget=4, seed=1)
    assert (found.texts, found.words, found.budget) == (2, 7, 4)
    assert found.distinct[2] == 3 / 5 and found.distinct_in_budget[1] in (2 / 4, 3 / 4)
    assert lexical(texts).budget == 0


@given(
    st.lists(st.lists(st.sampled_from("abc"), max_size=8).map(" ".join), max_size=6),
    st.integers(1, 6),
)
def test_distinct_is_the_share_of_different_tuples(texts: list[str], n: int) -> None:
    rows = [text.split() for text in texts]
    grams = [tuple(row[i : i + n]) for row in rows for i in range(len(row) - n + 1)]
    assert distinct_n(texts, n) == (len(set(grams)) / len(grams) if grams else 0.0)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "minilm" else ()) for name in THERE]
)
def test_embeddings(name: str) -> None:
    same = semantic(["the same words"] * 6, name)
    assert same.vendi == pytest.approx(1.0, abs=1e-3) and same.mean == pytest.approx(1.0, abs=1e-4)
    assert same.histogram[-1] == 1.0 and same.nearest == pytest.approx(1.0, abs=1e-4)
    vectors = embedding.make_embedder(name)([*TEXTS, "Quiet gardens are what I like", "", "\ud800"])
    assert np.isfinite(vectors).all()
    near, far = float(vectors[0] @ vectors[3]), float(vectors[0] @ vectors[1])
    assert near > far + 0.2
    assert semantic(TEXTS, name).vendi > 2.0
    assert semantic(["alone"], name).mean == 1.0


def test_words_in_common_and_none() -> None:
    apart = semantic([f"alpha{i} beta{i}" for i in range(8)], "tfidf")
    assert apart.vendi == pytest.approx(8.0) and apart.mean == pytest.approx(0.0, abs=1e-6)
    assert apart.histogram[0] == 1.0 and sum(apart.histogram) == pytest.approx(1.0)


def test_samples_are_drawn_by_seed_and_name() -> None:
    items = list(range(100))
    assert sample(items, 10, 1, "a") == sample(items, 10, 1, "a") == sorted(sample(items, 10, 1, "a"))
    assert sample(items, 10, 1, "a") != sample(items, 10, 1, "b") != sample(items, 10, 2, "b")
    assert sample(items, 100, 1) == items
    found = semantic([f"text {i}" for i in items], limit=20)
    assert (found.texts, found.sampled) == (100, 20)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownName, match="tfidf"):
        embedding.make_embedder("tfid")
    monkeypatch.setattr(embedding.importlib.util, "find_spec", lambda name: None)
    assert embedding.make_embedder().name == "tfidf"
    for name in embedding.INSTALL:
        with pytest.raises(DatasetError, match="pip install"):
            embedding.make_embedder(name)
    assert diversity.semantic(TEXTS).embedding == "tfidf"
