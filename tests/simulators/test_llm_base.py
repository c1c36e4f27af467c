"""Chat models by name, drawing, and what makes two requests the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dialog_envs.errors import UsageError
from dialog_envs.simulators.llm import ChatRequest, ChoiceRequest, UnknownModel, Usage, get_chat_model
from dialog_envs.simulators.llm.base import request_key
from dialog_envs.simulators.llm.sampling import draw
from dialog_envs.simulators.llm.token_tree import TokenTree


def test_unknown_models_are_refused_with_what_there_is() -> None:
    with pytest.raises(UnknownModel, match=r"embeded.*Did you mean 'embedded'"):
        get_chat_model("embeded")
    for incomplete in ("openai:", "openai", "replay:", "record:file.jsonl", "record:=embedded"):
        with pytest.raises(UsageError, match="incomplete"):
            get_chat_model(incomplete)
    with pytest.raises(UsageError, match="no argument"):
        get_chat_model("embedded:large")


def test_the_key_of_a_request_holds_all_that_shapes_the_reply() -> None:
    base = ChatRequest(({"role": "user", "content": "hi"},))
    variants = [
        base,
        replace(base, messages=({"role": "user", "content": "ho"},)),
        replace(base, messages=({"role": "system", "content": "hi"},)),
        replace(base, max_tokens=5),
        replace(base, temperature=0.5),
        replace(base, top_p=0.5),
        replace(base, stop=("\n",)),
        replace(base, seed=1),
        ChoiceRequest(base.messages, ("a", "b")),
        ChoiceRequest(base.messages, ("b", "a")),
    ]
    keys = [request_key(request, "m", "1") for request in variants]
    assert len({*keys, request_key(base, "m", "2"), request_key(base, "n", "1")}) == len(keys) + 2
    assert request_key(replace(base), "m", "1") == keys[0]


def test_usage_adds_up() -> None:
    assert Usage(1, 2, 0.5) + Usage(3, 4, 0.25) == Usage(4, 6, 0.75)


def test_draw_follows_the_probabilities() -> None:
    rng = np.random.default_rng(0)
    logits = np.log(np.array([0.5, 0.3, 0.2]))
    drawn = np.bincount([draw(logits, 1.0, rng) for _ in range(4000)], minlength=3) / 4000
    assert np.allclose(drawn, [0.5, 0.3, 0.2], atol=0.03)
    assert {draw(logits, 0.0, rng) for _ in range(9)} == {0}
    assert {draw(logits, 1.0, rng, top_p=0.75) for _ in range(200)} == {0, 1}
    assert {draw(logits, 0.01, rng) for _ in range(50)} == {0}


def test_a_token_tree_shares_beginnings() -> None:
    tree = TokenTree.build((8, 9), [(1, 2, 0), (1, 3, 0), (1, 0), (4, 0)])
    assert tree.tokens == (8, 9, 1, 2, 3, 4)
    assert tree.parents == (-1, 0, 1, 2, 2, 1)
    scores = {
        (0, 1): -1.0,
        (1, 2): -2.0,
        (1, 3): -3.0,
        (2, 0): -0.5,
        (3, 0): -0.25,
        (1, 0): -4.0,
        (0, 4): -5.0,
        (4, 0): -1.0,
    }
    values = np.array([scores[edge] for edge in zip(tree.edge_rows, tree.edge_tokens, strict=True)])
    assert np.allclose(tree.means(values), [-3.5 / 3, -4.25 / 3, -2.5, -3.0])
