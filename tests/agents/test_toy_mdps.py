"""Whole trainings on toy dialogues whose right answer is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dialog_envs.agents.checkpoint import load_model
from dialog_envs.agents.language_model import ModelConfig
from dialog_envs.agents.learned import LearnedAgent
from dialog_envs.agents.sequences import encode_segments
from dialog_envs.agents.tokenizer import encode_text
from dialog_envs.benchmarks.cli.train import train
from tests.agents.toy import (
    FIRST_REPLY,
    USER,
    WORDS,
    PlainView,
    ToyTask,
    corridor_episodes,
    corridor_success,
    known_episodes,
    known_values,
)

TINY = ModelConfig(layers=2, width=64, attention_heads=4, vocabulary=320, context=96)
DISCOUNT = 0.95


@pytest.mark.parametrize("trunk", ["separate", "shared"])
def test_values_of_a_known_mdp(tmp_path: Path, trunk: str) -> None:
    """Q within 0.05 of Q* at every state and word, and the greedy policy is optimal."""
    settings = {
        "epochs": 400, "tokens_per_batch": 256, "parts": 1, "learning_rate": 2e-3, "expectile": 0.97, "polyak": 0.1,
        "discount": DISCOUNT, "cql_weight": 0.0, "validation": 0.0, "trunk": trunk, "precision": "fp32",
    }  # fmt: skip
    train(
        "ilql",
        known_episodes(),
        tmp_path / "ilql",
        task=ToyTask(),
        settings=settings,
        model=TINY,
        progress=False,
    )
    model, _ = load_model(tmp_path / "ilql")
    for words, value in known_values(DISCOUNT).items():
        dialogue = ["o"] if len(words) == 1 else ["o", words[0], FIRST_REPLY[words[0]]]
        turns = [{"speaker": (USER + i) % 2, "text": word} for i, word in enumerate(dialogue)]
        ids, _, _ = encode_segments(model.tokenizer, PlainView().segments("", turns), to_move=True)
        (token,) = encode_text(model.tokenizer, words[-1])
        with torch.no_grad():
            state = model.value_states(torch.tensor([ids]), torch.tensor([len(ids) - 1]))
            assert model.heads is not None
            for head in model.heads.q:
                assert float(head(state)[0, token]) == pytest.approx(value, abs=0.05), words
    agent = LearnedAgent.from_pretrained(
        tmp_path / "ilql", task=ToyTask(), view=PlainView(), beta=1000.0, temperature=0.0, top_k=len(WORDS)
    )
    opening = [{"speaker": USER, "text": "o"}]
    assert agent.act_batch([{"brief": "", "dialogue": tuple(opening)}], [0]) == ["b"]  # type: ignore[typeddict-item]
    for reply, best in (("x", "b"), ("y", "a")):
        said = next(word for word, answer in FIRST_REPLY.items() if answer == reply)
        turns = [*opening, {"speaker": 0, "text": said}, {"speaker": USER, "text": reply}]
        assert agent.act_batch([{"brief": "", "dialogue": tuple(turns)}], [0]) == [best]  # type: ignore[typeddict-item]


def test_ilql_stitches_and_bc_does_not(tmp_path: Path) -> None:
    """No dialogue of the data leads from 0 to the goal: BC gets there by chance, ILQL by joining parts of several."""
    episodes = corridor_episodes(500)
    assert not any(e["reward"] and e["turns"][0]["text"] == "at 0" for e in episodes)
    common = {"tokens_per_batch": 512, "parts": 4, "learning_rate": 3e-3}
    small = replace(TINY, layers=1)
    bc, ilql = tmp_path / "bc", tmp_path / "ilql"
    train("bc", episodes, bc, task=ToyTask(), settings=common | {"epochs": 2}, model=small, progress=False)
    settings = common | {
        "learning_rate": 1e-3,
        "epochs": 9,
        "polyak": 0.05,
        "expectile": 0.9,
        "discount": DISCOUNT,
        "beta": 32.0,
    }
    train("ilql", episodes, ilql, task=ToyTask(), settings=settings, init=bc, progress=False)
    scores = {
        name: corridor_success(
            LearnedAgent.from_pretrained(tmp_path / name, task=ToyTask(), view=PlainView()), 100
        )
        for name in ("bc", "ilql")
    }
    assert scores["bc"] <= 0.5
    assert scores["ilql"] >= 0.9
