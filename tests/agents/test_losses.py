"""The losses against numbers worked out by hand, and against the same formulas in numpy."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog_envs.agents.batch import Batch, collate
from dialog_envs.agents.bc import bc_loss
from dialog_envs.agents.ilql import ILQLConfig, ilql_loss
from dialog_envs.agents.losses import discounted_returns
from dialog_envs.agents.sequences import TokenEpisode
from dialog_envs.agents.value_heads import ValueHeads

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
