"""The losses against numbers worked out by hand, and against the same formulas in numpy."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog_envs.agents import fused
from dialog_envs.agents.attention import causal_attention, training_attention
from dialog_envs.agents.awr import AWRConfig, awac_goals, awr_advantage, awr_loss
from dialog_envs.agents.batch import Batch, collate
from dialog_envs.agents.bc import bc_loss
from dialog_envs.agents.cql import CQLConfig, cql_goals, cql_loss
from dialog_envs.agents.dt import DT, DTConfig, level_note
from dialog_envs.agents.fused import fused_cross_entropy, fused_q_regression
from dialog_envs.agents.ilql import ILQLConfig, ilql_loss
from dialog_envs.agents.losses import discounted_returns, q_regression
from dialog_envs.agents.mc import MCConfig, mc_loss
from dialog_envs.agents.qsft import QSFTConfig, qsft_goals, qsft_loss
from dialog_envs.agents.sequences import TextEpisode, TokenEpisode
from dialog_envs.agents.value_heads import ValueHeads
from tests.agents.test_conformance import batch_of, prepared

PAD, END = 0, 1


def token_episode(
    ids: list[int], agent: list[int], rewards: list[float], terminal: bool = True
) -> TokenEpisode:
    return TokenEpisode(
        np.array(ids),
        np.array(agent, dtype=bool),
        np.array(rewards, dtype=np.float32),
        terminal,
        "g",
        sum(rewards),
    )


def two_token_batch() -> Batch:
    """One terminal dialogue in which the agent says token 2 and then <|end|>; the end pays 1."""
    return collate([token_episode([3, 2, 1], [0, 1, 1], [0.0, 0.0, 1.0])], PAD, END)


def test_ilql_by_hand() -> None:
    q1 = torch.tensor([[0.0, 0.0, 0.5], [0.0, 0.25, 0.0]])  # at the tokens taken: 0.5 and 0.25
    q2 = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.75, 0.0]])  # 1 and 0.75
    v = torch.tensor([0.2, 0.6])
    target = torch.tensor([0.4, 0.5])
    logits = torch.zeros(2, 3)
    config = ILQLConfig(expectile=0.7, discount=0.9, cql_weight=0.1, bc_weight=0.5)
    loss, parts = ilql_loss((q1, q2), target, v, logits, two_token_batch(), config)

    # V: u = 0.4 - 0.2 = 0.2 (weight 0.7), u = 0.5 - 0.6 = -0.1 (weight 0.3): (0.7 * 0.04 + 0.3 * 0.01) / 2
    assert parts["v"].item() == pytest.approx(0.0155, abs=1e-6)
    # Q: goals 0 + 0.9 * 0.6 = 0.54 and 1. Head 1: (0.04^2 + 0.75^2) / 2, head 2: (0.46^2 + 0.25^2) / 2
    assert parts["q"].item() == pytest.approx(0.28205 + 0.13705, abs=1e-6)
    # CQL, head 1: log(2 + e^0.5) - 0.5 and log(2 + e^0.25) - 0.25; head 2: log(2 + e) - 1 and log(2 + e^0.75) - 0.75
    head1 = (math.log(2 + math.exp(0.5)) - 0.5 + math.log(2 + math.exp(0.25)) - 0.25) / 2
    head2 = (math.log(2 + math.e) - 1 + math.log(2 + math.exp(0.75)) - 0.75) / 2
    assert parts["cql"].item() == pytest.approx(head1 + head2, abs=1e-6)
    assert parts["cql"].item() == pytest.approx(1.4750080, abs=1e-6)
    # BC: three equal logits
    assert parts["bc"].item() == pytest.approx(1.0986123, abs=1e-6)
    assert loss.item() == pytest.approx(0.0155 + 0.4191 + 0.1 * 1.4750080 + 0.5 * 1.0986123, abs=1e-6)


def test_utterance_level_by_hand() -> None:
    """Two turns of two tokens; a turn is one step, whose value is that of the whole utterance."""
    episode = token_episode([3, 2, 1, 4, 2, 1], [0, 1, 1, 0, 1, 1], [0.0, 0.0, 0.25, 0.0, 0.0, 1.0])
    batch = collate([episode], PAD, END)
    q = torch.zeros(4, 3)
    v = torch.tensor([0.2, 0.9, 0.6, 0.9])
    target = torch.tensor([9.0, 0.5, 9.0, 0.4])  # what the first token of a turn is worth must not matter
    config = ILQLConfig(expectile=0.7, discount=0.5, cql_weight=0.0, level="utterance")
    _, parts = ilql_loss((q, q), target, v, None, batch, config)
    # V: u = 0.5 - 0.2 = 0.3 (0.7), 0.5 - 0.9 = -0.4 (0.3), 0.4 - 0.6 = -0.2 (0.3), 0.4 - 0.9 = -0.5 (0.3)
    assert parts["v"].item() == pytest.approx((0.7 * 0.09 + 0.3 * (0.16 + 0.04 + 0.25)) / 4, abs=1e-6)
    # Q: both tokens of the first turn aim at 0.25 + 0.5 * V(second turn) = 0.55, both of the last at 1
    assert parts["q"].item() == pytest.approx(2 * (2 * 0.55**2 + 2 * 1.0) / 4, abs=1e-6)
    # with the observed return: 0.25 + 0.5 * 1 = 0.75
    _, parts = ilql_loss((q, q), target, v, None, batch, config, returns_weight=1.0)
    assert parts["q"].item() == pytest.approx(2 * (2 * 0.75**2 + 2 * 1.0) / 4, abs=1e-6)


def test_levels_agree_where_a_turn_is_one_token() -> None:
    batch = collate([token_episode([3, 1, 4, 1], [0, 1, 0, 1], [0.0, 0.5, 0.0, 1.0])], PAD, END)
    q, v, target = torch.randn(2, 3), torch.tensor([0.1, 0.2]), torch.tensor([0.3, 0.4])
    losses = [
        ilql_loss((q, q), target, v, None, batch, ILQLConfig(level=level, cql_weight=0.1))[0].item()
        for level in ("token", "utterance")
    ]
    assert losses[0] == pytest.approx(losses[1], abs=1e-7)


def test_bc_by_hand() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)], [0.0, 0.0]])
    # probabilities 3/4 and 1/2 of the tokens taken
    assert bc_loss(logits, torch.tensor([1, 0])).item() == pytest.approx(-math.log(0.75 * 0.5) / 2, abs=1e-6)


def reference(
    q: list[np.ndarray], target: np.ndarray, v: np.ndarray, logits: np.ndarray, b: Batch, c: ILQLConfig
) -> float:
    """The formulas of the docstring, token by token."""
    n = len(b.action)
    total = 0.0
    for i in range(n):
        a = int(b.action[i])
        u = target[i] - v[i]
        total += abs(c.expectile - (u < 0)) * u**2
        goal = float(b.reward[i]) + c.discount * float(b.bootstrap[i]) * v[int(b.next_state[i])]
        for head in q:
            total += (goal - head[i, a]) ** 2
            total += c.cql_weight * (np.log(np.exp(head[i]).sum()) - head[i, a])
        total += c.bc_weight * (np.log(np.exp(logits[i]).sum()) - logits[i, a])
    return float(total / n)


@pytest.mark.parametrize("seed", range(5))
def test_ilql_equals_numpy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    episodes = [
        token_episode(
            [3, 4, 2, 1, 3, 5, 6, 1], [0, 0, 1, 1, 0, 0, 1, 1], [0, 0, 0, 0.3, 0, 0, 0, 1.0], terminal=False
        ),
        token_episode([3, 7, 1], [0, 1, 1], [0, 0, -0.5]),
    ]
    batch = collate(episodes, PAD, END)
    n, s = len(batch.action), len(batch.state)
    assert (n, s) == (6, 7)
    q = [rng.normal(size=(n, 8)) for _ in range(2)]
    target, v, logits = rng.normal(size=n), rng.normal(size=s), rng.normal(size=(n, 8))
    config = ILQLConfig(expectile=0.8, discount=0.95, cql_weight=0.3, bc_weight=0.7)
    loss, _ = ilql_loss(
        (torch.tensor(q[0]), torch.tensor(q[1])), torch.tensor(target), torch.tensor(v), torch.tensor(logits),
        batch, config,
    )  # fmt: skip
    assert loss.item() == pytest.approx(reference(q, target, v, logits, batch, config), abs=1e-6)


def test_terminal_states_do_not_bootstrap_and_truncated_do() -> None:
    ids, agent, rewards = [3, 2, 1, 3], [0, 1, 1, 0], [0.0, 0.0, 0.0, 0.0]
    config = ILQLConfig(discount=0.5, cql_weight=0.0)
    q = torch.zeros(2, 4)
    for terminal, goals in ((True, [0.5 * 10, 0.0]), (False, [0.5 * 10, 0.5 * 100])):
        batch = collate([token_episode(ids, agent, rewards, terminal)], PAD, END)
        v = torch.tensor([0.0, 10.0, 100.0])[: len(batch.state)]
        _, parts = ilql_loss((q, q), torch.zeros(2), v, None, batch, config)
        assert parts["goal"].item() == pytest.approx(np.mean(goals))
        cut = replace(config, bootstrap_truncated=False)
        assert ilql_loss((q, q), torch.zeros(2), v, None, batch, cut)[1]["goal"].item() == pytest.approx(2.5)


def test_discount_by_turn_and_returns() -> None:
    episode = token_episode([3, 2, 2, 1, 3, 2, 1], [0, 1, 1, 1, 0, 1, 1], [0, 0, 0, 0, 0, 0, 1.0])
    batch = collate([episode], PAD, END)
    by_token = batch.bootstrap * 0.9
    assert discounted_returns(batch, by_token).tolist() == pytest.approx([0.9**4, 0.9**3, 0.9**2, 0.9, 1.0])
    q, v = torch.zeros(5, 4), torch.ones(5)
    config = ILQLConfig(discount=0.9, discount_on="turn", cql_weight=0.0)
    goal = ilql_loss((q, q), torch.zeros(5), v, None, batch, config)[1]["goal"]
    assert goal.item() == pytest.approx((1 + 1 + 0.9 + 1 + 1) / 5)
    returns = ilql_loss((q, q), torch.zeros(5), v, None, batch, config, returns_weight=1.0)[1]["goal"]
    assert returns.item() == pytest.approx((3 * 0.9 + 2) / 5)


def test_target_is_the_minimum_of_the_target_heads_and_frozen() -> None:
    heads = ValueHeads(width=4, vocabulary=6)
    with torch.no_grad():
        for parameter in heads.parameters():
            parameter.copy_(torch.linspace(-1, 1, parameter.numel()).reshape(parameter.shape))
        heads.target[1].outer.bias.add_(torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0, -1.0]))
    state, tokens = (
        torch.randn(5, 4, generator=torch.manual_seed(0), requires_grad=True),
        torch.tensor([0, 1, 2, 3, 4]),
    )
    full = torch.minimum(heads.target[0](state), heads.target[1](state))
    value = heads.target_values(state, tokens)
    assert torch.allclose(value, full[torch.arange(5), tokens], atol=1e-6)
    assert not value.requires_grad
    before = [p.clone() for p in heads.target.parameters()]
    heads.values(state).sum().backward()
    heads.action_values(state)[0].sum().backward()
    assert all(p.grad is None for p in heads.target.parameters())
    with torch.no_grad():
        for p in heads.q.parameters():
            p.add_(1.0)
    heads.update_targets(0.25)
    online = list(heads.q.parameters())
    for old, new, q in zip(before, heads.target.parameters(), online, strict=True):
        assert torch.allclose(new, old + 0.25 * (q - old), atol=1e-6)


def test_no_gradient_through_goal_and_target() -> None:
    v = torch.tensor([0.2, 0.6], requires_grad=True)
    q = torch.zeros(2, 3, requires_grad=True)
    target = torch.tensor([0.2, 0.6], requires_grad=True)  # equal to v: the V loss is flat here
    loss, _ = ilql_loss((q, q), target, v, None, two_token_batch(), ILQLConfig(cql_weight=0.0))
    loss.backward()  # type: ignore[no-untyped-call]
    assert v.grad is not None and torch.all(v.grad == 0)
    assert target.grad is None
    assert q.grad is not None and torch.count_nonzero(q.grad) == 2  # only the tokens taken


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(2, 7), st.floats(-1, 1)), min_size=3, max_size=20),
    st.booleans(),
)
def test_loss_is_untouched_by_labels_and_rewards_on_user_tokens(
    tokens: list[tuple[bool, int, float]], terminal: bool
) -> None:
    """What stands on user tokens enters as context only: with the same hidden states nothing changes."""
    ids = [token for _, token, _ in tokens]
    agent = [False, *(own for own, _, _ in tokens[1:])]
    if not any(agent):
        agent[1] = True
    rewards = [reward if own else 0.0 for own, (_, _, reward) in zip(agent, tokens, strict=True)]
    other_ids = [token if own else 9 - token for own, token in zip(agent, ids, strict=True)]
    other_rewards = [reward if own else 5.0 for own, reward in zip(agent, rewards, strict=True)]
    rng = np.random.default_rng(0)
    hidden = torch.tensor(rng.normal(size=(len(ids), 8)))
    losses = []
    for case in (
        token_episode(ids, agent, rewards, terminal),
        token_episode(other_ids, agent, other_rewards, terminal),
    ):
        batch = collate([case], PAD, END)
        states = hidden[batch.state]
        q = (states[: len(batch.action)], states[: len(batch.action)] * 2)
        loss, _ = ilql_loss(
            q, q[0].min(-1).values, states.sum(-1), q[0], batch, ILQLConfig(), returns_weight=0.5
        )
        losses.append(loss.item())
    assert losses[0] == losses[1]


def q_values() -> tuple[tuple[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Both heads, and V, as in the example of ILQL."""
    q1 = torch.tensor([[0.0, 0.0, 0.5], [0.0, 0.25, 0.0]])
    q2 = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.75, 0.0]])
    return (q1, q2), torch.tensor([0.2, 0.6])


def test_mc_by_hand() -> None:
    q, v = q_values()
    loss, parts = mc_loss(q, v, two_token_batch(), MCConfig(discount=0.9, cql_weight=0.1))
    # returns 0.9 and 1. Head 1: (0.4^2 + 0.75^2) / 2, head 2: (0.1^2 + 0.25^2) / 2, V: (0.7^2 + 0.4^2) / 2
    assert parts["q"].item() == pytest.approx(0.36125 + 0.03625, abs=1e-6)
    assert parts["v"].item() == pytest.approx(0.325, abs=1e-6)
    assert loss.item() == pytest.approx(0.3975 + 0.325 + 0.1 * 1.4750080, abs=1e-6)


def test_cql_by_hand() -> None:
    q, v = q_values()
    best = torch.tensor([0.3, 0.8])  # the maximum of the target heads at both states
    config = CQLConfig(discount=0.9, cql_weight=0.1)
    loss, parts = cql_loss(q, best, v, two_token_batch(), config)
    # goals 0.9 * 0.8 = 0.72 and 1. Head 1: (0.22^2 + 0.75^2) / 2, head 2: (0.28^2 + 0.25^2) / 2
    assert parts["q"].item() == pytest.approx(0.30545 + 0.07045, abs=1e-6)
    # V: (0.1^2 + 0.2^2) / 2
    assert parts["v"].item() == pytest.approx(0.025, abs=1e-6)
    assert loss.item() == pytest.approx(0.3759 + 0.025 + 0.1 * 1.4750080, abs=1e-6)
    # half of the goal from the return: 0.5 * 0.72 + 0.5 * 0.9 and 1
    assert cql_goals(best, v, two_token_batch(), config, 0.5)[0].tolist() == pytest.approx([0.81, 1.0])


def test_awr_by_hand() -> None:
    _, v = q_values()
    config = AWRConfig(discount=0.9, weight_temperature=0.5, weight_cap=3.0)
    advantage, v_loss, _ = awr_advantage(v, two_token_batch(), config)
    assert advantage.tolist() == pytest.approx([0.7, 0.4])  # returns 0.9 and 1, less V
    assert v_loss.item() == pytest.approx(0.325)
    logits = torch.tensor([[0.0, 0.0, math.log(2.0)], [0.0, 0.0, 0.0]])
    # weights min(e^1.4, 3) = 3 and e^0.8; -log pi of the tokens taken: log 2 and log 3
    expected = (3.0 * math.log(2.0) + math.exp(0.8) * math.log(3.0)) / 2
    assert awr_loss(logits, advantage, two_token_batch().action, config).item() == pytest.approx(expected)


def test_awr_on_utterances_weighs_a_turn_by_its_start() -> None:
    episode = token_episode([3, 2, 1, 4, 2, 1], [0, 1, 1, 0, 1, 1], [0.0, 0.0, 0.25, 0.0, 0.0, 1.0])
    batch = collate([episode], PAD, END)
    v = torch.tensor([0.5, 9.0, 0.75, 9.0])  # after the first word of a turn V must not matter
    advantage, _, _ = awr_advantage(v, batch, AWRConfig(level="utterance", discount=1.0))
    assert advantage.tolist() == pytest.approx([0.75, 0.75, 0.25, 0.25])


def test_awac_by_hand() -> None:
    heads = ValueHeads(width=2, vocabulary=3)
    with torch.no_grad():  # targets that are the same everywhere: 0.2, 0.6 and 1.0 at the three tokens
        for head in heads.target:
            head.outer.bias.copy_(torch.tensor([0.2, 0.6, 1.0]))
    state = torch.zeros(2, 2)
    logits = torch.log(torch.tensor([[0.5, 0.5, 1e-9], [0.25, 0.25, 0.5]]))
    expected = heads.target_expectation(state, logits)
    assert expected.tolist() == pytest.approx([0.4, 0.7], abs=1e-6)
    batch = two_token_batch()
    target = heads.target_values(state, batch.action)  # of tokens 2 and 1
    goal, advantage, v_loss, _ = awac_goals(
        expected, target, torch.tensor([0.5, 0.5]), batch, AWRConfig(discount=0.9)
    )
    assert goal.tolist() == pytest.approx([0.63, 1.0])
    assert advantage.tolist() == pytest.approx([0.6, -0.1])
    assert v_loss.item() == pytest.approx((0.1**2 + 0.2**2) / 2)


def test_qsft_by_hand() -> None:
    logits = torch.log(torch.tensor([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]]))
    goal, action = torch.tensor([0.7, 1.0]), torch.tensor([2, 0])
    # 0.7 on token 2, the other 0.3 on both others alike; the second row all on token 0
    first = -(0.7 * math.log(0.5) + 0.15 * math.log(0.2) + 0.15 * math.log(0.3))
    assert qsft_loss(logits, goal, action).item() == pytest.approx((first - math.log(0.6)) / 2, abs=1e-6)
    # the minimum over distributions lies where p is the target itself: the paper's weights are probabilities
    best = torch.tensor([[0.15, 0.15, 0.7]])
    assert qsft_loss(torch.log(best), goal[:1], action[:1]) < qsft_loss(logits[:1], goal[:1], action[:1])


def test_qsft_backs_up_the_best_supported_ratio() -> None:
    policy = torch.log(torch.tensor([[0.4, 0.5999, 0.0001], [0.4, 0.5999, 0.0001]]))
    target = torch.log(torch.tensor([[0.3, 0.3, 0.4], [0.2, 0.06, 0.74]]))
    config = QSFTConfig(discount=0.9)
    goal, parts = qsft_goals(target, policy, two_token_batch(), config)
    # next state: 0.2 / 0.4 beats 0.06 / 0.6; 0.74 / 0.0001 is of a token that pi hardly knows
    assert goal.tolist() == pytest.approx([0.45, 1.0]) and parts["cut"] == 0
    assert qsft_goals(target, policy, two_token_batch(), replace(config, support=0.0))[0][0] == pytest.approx(
        0.9
    )
    assert qsft_goals(target, policy, two_token_batch(), config, 1.0)[0].tolist() == pytest.approx([0.9, 1.0])


def test_return_notes_by_hand() -> None:
    assert [level_note(g, -1.0, 1.0, 10) for g in (-1.0, -0.81, -0.79, 0.0, 0.99, 1.0, 7.0)] == list(
        "0015999"
    )
    assert level_note(1.0, 1.0, 1.0, 10) == "9"
    segments = (("user", "hi"), ("agent", "a"), ("user", "so"), ("agent", "b"))
    learner = DT()
    episodes = [TextEpisode(segments, (0.5, 0.5), True, "g"), TextEpisode(segments, (0.0, 0.0), True, "h")]
    first, second = learner.select(episodes)
    assert [text for role, text in first.segments if role == "note"] == ["9", "5"]
    assert [text for role, text in second.segments if role == "note"] == ["0", "0"]
    assert first.segments[:3] == (("user", "hi"), ("note", "9"), ("agent", "a"))
    assert learner.speaking() == {"condition": "9"}
    halfway = DT(DTConfig(target=0.5))
    halfway.select(episodes)
    assert halfway.speaking() == {"condition": "5"}


@pytest.mark.parametrize("actions", [None, [0, 1, 2, 5, 6, 7]])
@pytest.mark.parametrize("cql_weight", [0.0, 0.3])
def test_the_fused_loss_is_the_plain_one(
    cql_weight: float, actions: list[int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values and all gradients, in several chunks of uneven size."""
    monkeypatch.setattr(fused, "BUFFER", 30)
    monkeypatch.setattr(fused, "FEWEST_ROWS", 3)
    generator = torch.Generator().manual_seed(0)
    heads = ValueHeads(6, 8, 5, None if actions is None else torch.tensor(actions)).double()
    for parameter in heads.parameters():
        torch.nn.init.normal_(parameter, generator=generator)
    states = torch.randn(11, 6, dtype=torch.float64, generator=generator, requires_grad=True)
    action = torch.tensor([0, 1, 2, 5, 6, 7, 7, 7, 1, 2, 5])
    goal = torch.randn(11, dtype=torch.float64, generator=generator)
    learning = [states, *heads.q.parameters()]
    plain, plain_parts = q_regression(heads.action_values(states), goal, heads.columns(action), cql_weight)
    expected = torch.autograd.grad(3.0 * plain, learning)
    loss, parts = fused_q_regression(heads, states, action, goal, cql_weight)
    found = torch.autograd.grad(3.0 * loss, learning)
    assert loss.item() == pytest.approx(plain.item(), abs=1e-10)
    assert parts.keys() == plain_parts.keys()
    assert all(parts[name].item() == pytest.approx(plain_parts[name].item(), abs=1e-10) for name in parts)
    assert all(torch.allclose(a, b, atol=1e-10) for a, b in zip(found, expected, strict=True))
    with torch.no_grad():
        assert fused_q_regression(heads, states, action, goal, cql_weight)[0].item() == pytest.approx(
            plain.item()
        )


class Adapted(torch.nn.Linear):
    """A layer whose output is not its matrix's alone."""

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        return super().forward(state) + state.sum(-1, keepdim=True) * torch.arange(9)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [torch.nn.Linear, Adapted])
def test_the_fused_cross_entropy_is_the_plain_one(weighted: bool, kind: type[torch.nn.Linear]) -> None:
    generator = torch.Generator().manual_seed(0)
    output = kind(6, 9)
    states = torch.randn(7, 6, generator=generator, requires_grad=True)
    tokens = torch.tensor([0, 8, 3, 3, 1, 2, 8])
    weights = torch.rand(7, generator=generator) if weighted else None
    rows = torch.nn.functional.cross_entropy(output(states), tokens, reduction="none")
    plain = rows.mean() if weights is None else (weights * rows).mean()
    learning = [states, *output.parameters()]
    expected = torch.autograd.grad(plain, learning)
    loss = fused_cross_entropy(states, output, tokens, weights=weights)
    found = torch.autograd.grad(loss, learning)
    assert loss.item() == pytest.approx(plain.item(), abs=1e-6)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(found, expected, strict=True))


def test_a_step_of_ilql_is_within_1e_4_of_the_plain_loss() -> None:
    """Of the whole model: trunk, policy, both Q heads and V, on a shared trunk, in fp32."""
    learner, model, episodes = prepared("ilql/shared")
    batch = batch_of(model, episodes)
    assert isinstance(model.heads, ValueHeads)
    learning = {name: p for name, p in model.named_parameters() if p.requires_grad}
    states = model.states(batch.ids, batch.state)
    acting = states[: len(batch.action)]
    plain, _ = ilql_loss(
        model.heads.action_values(acting), model.heads.target_values(acting, batch.action),
        model.heads.values(states), model.logits(acting), batch, learner.config,
    )  # fmt: skip
    plain.backward()  # type: ignore[no-untyped-call]
    expected = {name: p.grad.clone() for name, p in learning.items() if p.grad is not None}
    model.zero_grad()
    loss, _ = learner.loss(model, batch, progress=1.0)
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == pytest.approx(plain.item(), abs=1e-4)
    for name, grad in expected.items():
        found = learning[name].grad
        assert found is not None and torch.allclose(found, grad, atol=1e-4), name


def test_bf16_products_leave_taken_values_exact() -> None:
    heads = ValueHeads(16, 40)
    generator = torch.Generator().manual_seed(0)
    for parameter in heads.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=generator)
    states, action = torch.randn(20, 16, generator=generator), torch.arange(20)
    goal = torch.zeros(20)
    exact, exact_parts = fused_q_regression(heads, states, action, goal, 0.1)
    loss, parts = fused_q_regression(heads, states, action, goal, 0.1, torch.bfloat16)
    assert (
        parts["q"].item() == exact_parts["q"].item()
        and parts["mean_q"].item() == exact_parts["mean_q"].item()
    )
    assert parts["cql"].item() == pytest.approx(exact_parts["cql"].item(), rel=0.01)
    assert loss.item() == pytest.approx(exact.item(), rel=0.01)


@pytest.mark.parametrize("time", [7, 300])  # within one block of queries, and over several
@pytest.mark.parametrize("heads", [4, 2])
def test_attention_written_out_is_torchs_own(heads: int, time: int) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = (
        (3, 4, time, 5),
        (3, heads, time, 5),
        (3, heads, time, 5),
    )  # query, key, value: heads may be shared
    query, key, value = (torch.randn(shape, generator=generator, requires_grad=True) for shape in shapes)
    wide = [x.repeat_interleave(4 // heads, dim=1) for x in (key, value)]
    expected = torch.nn.functional.scaled_dot_product_attention(query, *wide, is_causal=True).transpose(1, 2)
    found, _ = causal_attention(torch.nn.Identity(), query, key, value, None)
    slope = torch.randn(expected.shape, generator=generator)
    grads = [torch.autograd.grad(out, (query, key, value), slope) for out in (found, expected)]
    assert torch.allclose(found, expected, atol=1e-6)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(*grads, strict=True))


def test_training_attention_leaves_the_model_as_it_was() -> None:
    _, model, episodes = prepared("ilql")
    batch = batch_of(model, episodes)
    with torch.no_grad():
        plain = model.states(batch.ids, batch.state)
        with training_attention(model, "cpu", torch.bfloat16):
            names = [model.policy.config._attn_implementation, model.value_trunk.config._attn_implementation]  # type: ignore[union-attr]
            other = model.states(batch.ids, batch.state)
    assert names == ["dialog_envs_causal"] * 2
    assert torch.allclose(plain, other, atol=1e-5)
    assert model.policy.config._attn_implementation == "sdpa"


def test_attention_within_a_window_stays_transformers_own() -> None:
    from transformers import MistralConfig, MistralForCausalLM

    _, model, _ = prepared("bc")
    torch.manual_seed(0)
    shape: Any = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    ids = torch.arange(12)[None]
    for window, name in ((4, "sdpa"), (model.context, "dialog_envs_causal")):
        config = MistralConfig(vocab_size=20, num_key_value_heads=1, sliding_window=window, **shape)
        model.policy = MistralForCausalLM(config).eval()
        with torch.no_grad():
            plain = model.states(ids, torch.arange(12))
            with training_attention(model, "cpu", torch.bfloat16):
                assert config._attn_implementation == name
                assert torch.allclose(plain, model.states(ids, torch.arange(12)), atol=1e-5)
