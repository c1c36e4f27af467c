"""Mistakes that offline RL for dialogue is known for, one test each, over all algorithms that could make them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from dialog_envs.agents.awr import AWRConfig, awac_goals, awr_weights
from dialog_envs.agents.batch import Batch, collate
from dialog_envs.agents.cql import CQLConfig, cql_goals
from dialog_envs.agents.decoding import DecodingConfig, perturb
from dialog_envs.agents.ilql import ILQLConfig, ilql_goals
from dialog_envs.agents.mc import MCConfig, mc_goals
from dialog_envs.agents.qsft import QSFTConfig, qsft_goals, unit_returns
from dialog_envs.agents.sequences import TextEpisode, TokenEpisode, encode_episode, text_episode
from dialog_envs.agents.tokenizer import train_tokenizer
from dialog_envs.agents.value_heads import ValueHeads
from tests.agents.test_conformance import batch_of, prepared
from tests.agents.toy import PlainView, episode

PAD, END = 0, 1
BOOTSTRAPPING = ("ilql", "cql", "awac", "qsft")


def one_turn(terminal: bool) -> Batch:
    """The agent says token 2 and then <|end|>, without a reward; the user answers."""
    tokens = TokenEpisode(
        np.array([3, 2, 1, 3]), np.array([0, 1, 1, 0], dtype=bool), np.zeros(4, dtype=np.float32), terminal, "g", 0.0
    )  # fmt: skip
    return collate([tokens], PAD, END)


def goals(name: str, batch: Batch, values: torch.Tensor, bootstrap_truncated: bool = True) -> list[float]:
    """What Q of each action shall become, where the S states have these values."""
    n, s = len(batch.action), len(batch.state)
    v, common = values[:s], {"discount": 0.5, "bootstrap_truncated": bootstrap_truncated}
    if name == "ilql":
        return ilql_goals(torch.zeros(n), v, batch, ILQLConfig(**common))[0].tolist()
    if name == "cql":
        return cql_goals(v, torch.zeros(n), batch, CQLConfig(**common), 0.0)[0].tolist()
    if name == "awac":
        return awac_goals(v, torch.zeros(n), torch.zeros(n), batch, AWRConfig(**common))[0].tolist()
    if name == "mc":
        return mc_goals(torch.zeros(n), batch, MCConfig(**common))[0].tolist()
    # pbar / pi of the one supported token is the value: pi is 1/2 there and on a token that counts nothing
    policy = torch.log(torch.tensor([0.5, 0.5])).expand(s, 2)
    target = torch.log(torch.stack([v / 2, 1e-9 + 0 * v, 1 - v / 2], dim=-1))
    padded = torch.cat([policy, torch.full((s, 1), -50.0)], dim=-1)
    return qsft_goals(target, padded, batch, QSFTConfig(**common))[0].tolist()


@pytest.mark.parametrize("name", BOOTSTRAPPING)
def test_terminal_states_do_not_bootstrap_and_truncated_do(name: str) -> None:
    values = torch.tensor([0.1, 0.4, 0.8])
    assert goals(name, one_turn(terminal=True), values) == pytest.approx([0.2, 0.0], abs=1e-5)
    assert goals(name, one_turn(terminal=False), values) == pytest.approx([0.2, 0.4], abs=1e-5)
    cut = goals(name, one_turn(terminal=False), values, bootstrap_truncated=False)
    assert cut == pytest.approx([0.2, 0.0], abs=1e-5)


def test_returns_never_bootstrap() -> None:
    assert goals("mc", one_turn(terminal=False), torch.tensor([0.1, 0.4, 0.8])) == [0.0, 0.0]


@pytest.mark.parametrize("name", (*BOOTSTRAPPING, "mc"))
def test_the_last_user_turns_reward_reaches_the_last_agent_token(name: str) -> None:
    """It belongs to the agent turn that the user answered, and stands on its <|end|>."""
    record = episode(["hello", "yes", "good", "sold"], [0.0, 0.75])
    record["turns"].append({"speaker": 1, "text": "thanks", "acts": []})
    tokenizer = train_tokenizer(["hello yes good sold thanks"], 320)
    text = text_episode(record, PlainView(), lambda s: str(s["brief"]))
    batch = collate([encode_episode(tokenizer, text, 64)], PAD, tokenizer.convert_tokens_to_ids("<|end|>"))
    assert batch.reward.tolist() == [0.0] * (len(batch.reward) - 1) + [0.75]
    assert batch.turn_end[-1] == 1 and batch.bootstrap[-1] == 0
    found = goals(name, batch, torch.full((len(batch.state),), 1e-6))
    assert found[-1] == pytest.approx(0.75, abs=1e-5)
    if name == "mc":  # half a token further back each
        assert found[-2] == pytest.approx(0.375)


@pytest.mark.parametrize("variant", ["ilql", "ilql/shared", "cql", "mc", "awr/q", "qsft"])
def test_target_networks_learn_by_averaging_only(variant: str) -> None:
    learner, model, episodes = prepared(variant)
    heads: Any = model.heads
    averaged = {name: p for name, p in heads.named_parameters() if name.startswith("target")}
    assert averaged and not any(p.requires_grad for p in averaged.values())
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=0.1, weight_decay=0.5
    )
    before = {name: p.clone() for name, p in averaged.items()}
    learner.loss(model, batch_of(model, episodes), progress=1.0)[0].backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    assert all(torch.equal(p, before[name]) for name, p in averaged.items())
    learner.after_step(model)
    rate = learner.config.polyak
    online = dict(heads.named_parameters()) | {
        f"trunk.{name}": p for name, p in (model.value_trunk or torch.nn.Module()).named_parameters()
    }
    for name, p in averaged.items():
        source = online[name.replace("target_", "").replace("target.", "q.")]
        assert torch.allclose(p, before[name] + rate * (source - before[name]), atol=1e-6), name
    assert any(not torch.equal(p, before[name]) for name, p in averaged.items())


def test_the_minimum_is_taken_of_the_targets_and_not_of_the_online_heads() -> None:
    heads = ValueHeads(width=4, vocabulary=3)
    with torch.no_grad():
        for head, value in zip((*heads.q, *heads.target), (-9.0, -8.0, 2.0, 5.0), strict=True):
            head.outer.bias.fill_(value)
    state, tokens = torch.zeros(2, 4), torch.tensor([0, 2])
    assert heads.target_values(state, tokens).tolist() == [2.0, 2.0]
    assert heads.target_expectation(state, None).tolist() == [2.0, 2.0]
    assert heads.target_expectation(state, torch.zeros(2, 3)).tolist() == [2.0, 2.0]
    assert heads.decoding_values(state, tokens.unsqueeze(1), torch.zeros(2, 3)).tolist() == [[2.0], [2.0]]


def test_beta_is_in_units_of_the_return() -> None:
    """Ten times the reward at a tenth of beta speaks alike; at the same beta it does not."""
    logits, q = torch.tensor([[1.0, 0.5, 0.0]]), torch.tensor([[0.1, 0.3, 0.0]])
    candidates = torch.tensor([[0, 1, 2]])
    plain = perturb(logits, q, candidates, DecodingConfig(beta=8.0))
    assert torch.allclose(plain, perturb(logits, 10 * q, candidates, DecodingConfig(beta=0.8)))
    assert not torch.allclose(plain, perturb(logits, 10 * q, candidates, DecodingConfig(beta=8.0)), atol=0.1)
    shifted = perturb(logits, q - 5.0, candidates, DecodingConfig(beta=8.0))
    assert torch.allclose(plain, shifted)  # V cancels
    advantage = torch.tensor([0.2, -0.3, 0.01])
    weights = awr_weights(advantage, AWRConfig(weight_temperature=0.1))
    assert torch.allclose(weights, awr_weights(10 * advantage, AWRConfig(weight_temperature=1.0)))
    assert awr_weights(torch.tensor([9.0]), AWRConfig()).tolist() == [20.0]


def test_returns_are_moved_between_0_and_1_for_probabilities() -> None:
    """Every return, from any turn on, and every comparison of two stays in order."""
    episodes = [
        TextEpisode((), (-0.5, 3.0), True, "a"),
        TextEpisode((), (0.0, -1.0), True, "b"),
        TextEpisode((), (1.0, 0.5), False, "c"),
    ]
    moved = unit_returns(episodes)
    assert moved[0].rewards == pytest.approx((-0.125, 1.0))
    assert moved[1].rewards == pytest.approx((0.0, 0.0))
    assert moved[2].rewards == pytest.approx((0.25, 0.125))  # cut off: what follows is shifted already
    fine = [TextEpisode((), (0.0, 1.0), True, "a")]
    assert unit_returns(fine) == fine
