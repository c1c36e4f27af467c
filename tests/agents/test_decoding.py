"""Decoding: the policy's own probabilities, perturbed by the advantage, the same alone and in a batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dialog_envs.agents import trainer
from dialog_envs.agents.decoding import DecodingConfig, generate, perturb
from dialog_envs.agents.language_model import DialogueModel, ModelConfig, build_model
from dialog_envs.agents.learned import LearnedAgent
from dialog_envs.errors import UsageError
from tests.agents.toy import PlainView

TINY = ModelConfig(layers=2, width=32, attention_heads=2, vocabulary=320, context=96)


def new_model(trunk: str | None, seed: int = 0) -> DialogueModel:
    with trainer.seeded(seed, "test"):
        model = build_model(TINY, ["at 0", "left or right", "hello"] * 10, PlainView.special_tokens)
        if trunk is not None:
            heads = model.add_heads(trunk=trunk)
            for head in (*heads.q, *heads.target):
                torch.nn.init.normal_(head.outer.weight, std=0.5)
    return model.eval()


def observation(*texts: str) -> dict:  # type: ignore[type-arg]
    turns = tuple({"speaker": (i + 1) % 2, "text": text} for i, text in enumerate(texts))
    return {"brief": "", "dialogue": turns}


@pytest.mark.parametrize("trunk", [None, "shared", "separate"])
def test_alone_equals_in_a_batch(trunk: str | None) -> None:
    agent = LearnedAgent(new_model(trunk), PlainView(), DecodingConfig(beta=2.0, max_tokens=12))
    seen = [
        observation(*["at 0", "left", "hello there", "right"][: 1 + 2 * (i % 2)], "x" * i) for i in range(12)
    ]
    together = agent.act_batch(seen, list(range(12)))  # type: ignore[arg-type]
    alone = []
    for seed, one in enumerate(seen):
        agent.start("", seed)
        alone.append(agent.act(one))  # type: ignore[arg-type]
    assert together == alone
    assert len(set(together)) > 1


def naive(model: DialogueModel, prefix: list[int], uniforms: np.ndarray, config: DecodingConfig) -> list[int]:
    """No cache, no batch, Q at every token, V subtracted."""
    ids = list(prefix)
    for u in uniforms:
        at = torch.tensor([len(ids) - 1])
        batch = torch.tensor([ids])
        with torch.no_grad():
            logits = model.logits(model.states(batch, at))[0].double()
            state = model.value_states(batch, at)
            assert model.heads is not None
            q = torch.minimum(model.heads.target[0](state), model.heads.target[1](state))[0].double()
            v = model.heads.values(state)[0].double()
        for token in model.role_ids.values():
            if token != model.end_id:
                logits[token] = -torch.inf
        keep = logits >= logits.topk(config.top_k).values[-1]
        scores = torch.where(keep, logits.log_softmax(-1) + config.beta * (q - v), -torch.inf)
        cumulated = torch.softmax(scores / config.temperature, -1).cumsum(-1).numpy()
        token = int((cumulated <= u * cumulated[-1]).sum())
        if token == model.end_id:
            break
        ids.append(token)
    return ids[len(prefix) :]


@pytest.mark.parametrize("trunk", ["shared", "separate"])
def test_cached_decoding_equals_the_formula(trunk: str) -> None:
    model = new_model(trunk)
    config = DecodingConfig(beta=3.0, temperature=0.8, top_k=10, max_tokens=10)
    rng = np.random.default_rng(0)
    prefixes = [[3, *rng.integers(10, 260, size=n).tolist(), 4] for n in (1, 5, 30, 30, 12)]
    uniforms = rng.random((len(prefixes), config.max_tokens))
    expected = [naive(model, prefix, u, config) for prefix, u in zip(prefixes, uniforms, strict=True)]
    assert generate(model, prefixes, uniforms, config) == expected


def test_beta_zero_is_the_policy_and_top_k_comes_first() -> None:
    logits, q = torch.tensor([[2.0, 1.0]]), torch.tensor([[0.0, 1.0]])
    ids = torch.tensor([[5, 9]])
    plain = perturb(logits, q, ids, DecodingConfig(beta=0.0))
    assert torch.allclose(plain, torch.softmax(logits.double(), -1))
    moved = perturb(logits, q, ids, DecodingConfig(beta=4.0, temperature=2.0))
    assert torch.allclose(moved, torch.softmax(torch.tensor([[1.0, 2.5]]).double(), -1))
    assert perturb(logits, q, ids, DecodingConfig(beta=4.0, temperature=0.0)).tolist() == [[0.0, 1.0]]


def test_what_the_data_hardly_shows_is_left_out() -> None:
    logits, q = torch.log(torch.tensor([[0.8, 0.19, 0.01]])), torch.tensor([[0.0, 0.5, 100.0]])
    ids = torch.tensor([[1, 2, 3]])
    free = perturb(logits, q, ids, DecodingConfig(beta=4.0))
    bound = perturb(logits, q, ids, DecodingConfig(beta=4.0, min_p=0.1))
    assert free[0, 2] > 0.99
    weights = torch.tensor([0.8, 0.19 * float(np.exp(2.0))]).double()
    assert torch.allclose(bound[0, :2], weights / weights.sum()) and bound[0, 2] == 0


def test_an_unlikely_token_cannot_win_by_its_value() -> None:
    model = new_model("shared")
    prefix = [3, 20, 4]
    with torch.no_grad():
        logits = model.logits(model.states(torch.tensor([prefix]), torch.tensor([2])))[0]
        assert model.heads is not None
        for head in model.heads.target:
            head.outer.weight.zero_()  # type: ignore[union-attr, operator]
            head.outer.bias[int(logits.argmin())] = 1000.0  # type: ignore[union-attr, index]
    config = DecodingConfig(beta=100.0, top_k=5, max_tokens=1)
    (said,) = generate(model, [prefix], np.array([[0.5]]), config)
    assert int(logits.argmin()) not in said


def test_role_tokens_are_never_said_and_length_is_bounded() -> None:
    model = new_model(None)
    config = DecodingConfig(temperature=5.0, top_k=10_000, max_tokens=30)
    outputs = generate(model, [[3, 20, 4]] * 40, np.random.default_rng(0).random((40, 30)), config)
    assert max(map(len, outputs)) <= 30
    assert not {token for ids in outputs for token in ids} & set(model.role_ids.values())


def test_long_dialogues_are_cropped_and_empty_speech_is_said_as_it_is() -> None:
    model = new_model(None)
    with torch.no_grad():
        model.policy.get_output_embeddings().bias = torch.nn.Parameter(torch.zeros(model.vocabulary))
        model.policy.get_output_embeddings().bias[model.end_id] = 1000.0
    agent = LearnedAgent(model, PlainView())
    agent.start("", 0)
    assert agent.act(observation(*(["at 0 left or right"] * 41))) == ""  # type: ignore[arg-type]
    assert agent.usage().tokens_in == model.context - agent.decoding.max_tokens
    assert agent.act_batch([], []) == []


def test_settings_out_of_range() -> None:
    for settings in ({"temperature": -1.0}, {"top_k": 0}, {"max_tokens": 0}):
        with pytest.raises(UsageError, match="at least 1"):
            DecodingConfig(**settings)  # type: ignore[arg-type]
