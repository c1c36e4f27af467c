"""The sentence encoder: the same to the bit however a machine adds, and near for what means the same."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dialog_envs.tasks.instruction.language import learning_encoder, vectors
from dialog_envs.tasks.instruction.language.encoder import (
    END,
    MOST,
    NUMBER,
    PARTS,
    START,
    TOP,
    WORD_STEPS,
    Encoder,
    encoded,
    encoder,
    sign,
)
from dialog_envs.tasks.instruction.language.vectors import Ints
from dialog_envs.tasks.language.tokens import tokenise

SENTENCES = st.lists(
    st.sampled_from("what do you think of the river , xyzzyx 3.5 does not flow ? because".split()),
    max_size=60,
)


def by_hand(tokens: list[str]) -> Ints:
    """The encoder in Python's own whole numbers, a channel at a time, but for the rounding between layers."""
    one = encoder()
    rows = []
    for token in [START, *map(sign, tokens[:MOST]), END]:
        place = vectors.row(token)
        common = vectors.table()[1][place].tolist() if place >= 0 else [0] * vectors.size()
        own = one.rows[one.words.get(token, 0)].tolist()
        rows.append([a + WORD_STEPS * b for a, b in zip(own, common, strict=True)])

    def convolved(rows: list[list[int]], kernel: list[list[int]], layer: int) -> list[list[int]]:
        nothing = [0] * len(rows[0])
        found = []
        for before, now, after in zip([nothing, *rows], rows, [*rows[1:], nothing], strict=False):
            window = before + now + after
            sums = [
                sum(x * row[k] for x, row in zip(window, kernel, strict=True) if x)
                + int(one.biases[layer][k])
                for k in range(len(kernel[0]))
            ]
            assert max(map(abs, sums)) < 2**24
            scaled = [np.float32(value) * one.scales[layer] for value in sums]
            found.append([int(min(max(np.rint(value), 0), TOP)) for value in scaled])
        return found

    first = convolved(rows, one.first.astype(int).tolist(), 0)
    second = convolved(first, one.second.astype(int).tolist(), 1)
    columns = list(
        zip(
            *([a + b for a, b in zip(x, y, strict=True)] for x, y in zip(first, second, strict=True)),
            strict=True,
        )
    )
    pooled = [sum(column) * PARTS // len(rows) for column in columns]
    pooled += [max(column) * PARTS for column in columns]
    last = one.last.tolist()
    return np.array(
        [
            round(
                (sum(x * row[k] for x, row in zip(pooled, last, strict=True)) + int(one.bias[k])) * one.scale
            )
            for k in range(one.last.shape[1])
        ]
    )


@pytest.mark.parametrize("text", ["", "So what do you think?", "Water boils at 100 degrees, xyzzyx."])
def test_agrees_with_sums_of_whole_numbers(text: str) -> None:
    tokens = tokenise(text)
    assert encoder().encode(tokens).tolist() == by_hand(tokens).tolist()


def test_no_sum_can_become_so_large_that_float32_rounds_it() -> None:
    one = encoder()
    most = np.abs(one.rows).max() + WORD_STEPS * np.abs(vectors.table()[1].astype(int)).max()
    for kernel, given_, bias in ((one.first, most, one.biases[0]), (one.second, TOP, one.biases[1])):
        assert (np.abs(kernel).astype(int).sum(axis=0) * given_ + np.abs(bias)).max() < 2**24


@given(SENTENCES)
def test_reads_any_sentence(tokens: list[str]) -> None:
    found = encoded(tuple(tokens))
    assert found.dtype == np.int64
    assert np.sqrt(found @ found) < 5 * vectors.UNIT
    with pytest.raises(ValueError, match="read-only"):
        found += 1


def test_reads_a_sentence_up_to_its_bound() -> None:
    tokens = ["river", "flow"] * (MOST // 2)
    whole = encoder().encode(tokens)
    assert (encoder().encode([*tokens, "not"]) == whole).all()
    assert (encoder().encode([*tokens[:-1], "not"]) != whole).any()


def test_numbers_are_alike() -> None:
    assert sign("3.5") == NUMBER
    assert (encoded(("take", "3.5")) == encoded(("take", "12"))).all()


def test_sentences_alike_in_meaning_lie_near_and_order_counts() -> None:
    def likeness(a: str, b: str) -> float:
        one, other = (vectors.unit(encoded(tuple(tokenise(text)))) for text in (a, b))
        return int(one @ other) / vectors.UNIT**2

    asked = "What do you do for a living?"
    assert likeness(asked, "Are you a student or do you work?") > 0.5
    assert likeness(asked, "The war was over in three weeks.") < 0.4
    assert likeness("the dog bit the man", "the man bit the dog") < 0.97


def test_is_the_student_in_whole_numbers() -> None:
    torch.manual_seed(1)
    words = [START, END, *"what do you think of the river because".split()]
    student = learning_encoder.Student(len(words))
    texts = [
        learning_encoder.read(text) for text in ("what do you think", "of the river, because", "5 lamps")
    ]
    arrays = learning_encoder.rounded(student, words, texts)
    one = Encoder.of(arrays)
    with torch.inference_mode():
        places = {word: i for i, word in enumerate(words, 1)}
        real = student(*learning_encoder.batch(texts, places)).numpy()
    for text, goal in zip(texts, real, strict=True):
        found = one.encode(text)
        assert found @ goal > 0.98 * np.linalg.norm(found) * np.linalg.norm(goal)
        assert np.linalg.norm(found) == pytest.approx(vectors.UNIT * np.linalg.norm(goal), rel=0.05)


def test_variants_are_drawn_by_seed_and_of_the_sentences_words() -> None:
    base = ["What do you think?", "The river flows, because it is steep.", "Does the lamp glow?"] * 4
    first, again, other = (list(islice(learning_encoder.Variants(base, seed), 60)) for seed in (0, 0, 1))
    assert first == again != other
    assert len(set(first)) > 20
    assert max(len(text.split()) for text in first) <= 45
