"""What the algorithms' losses are made of: steps of the MDP, discounts, returns, and the regression of Q.

All functions are pure. N counts the agent tokens of a batch (its actions), S its states; see
:class:`dialog_envs.agents.batch.Batch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from dialog_envs.agents.batch import Batch

Parts = dict[str, Tensor]
"""Parts of a loss by name, for the log: scalars without gradient."""


class Discounting(Protocol):
    """The settings that say what the next state counts."""

    @property
    def discount(self) -> float:
        """gamma."""

    @property
    def discount_on(self) -> str:
        """``token``: after every agent token; ``turn``: after the last token of a turn only."""

    @property
    def bootstrap_truncated(self) -> bool:
        """Whether the last state of an episode that the turn cap cut off has a value."""


def discounts(batch: Batch, config: Discounting) -> Tensor:
    """What the next state's value is multiplied with, 0 where nothing follows: (N,)."""
    bootstrap = batch.bootstrap
    if not config.bootstrap_truncated:
        bootstrap = bootstrap * (batch.next_state < len(batch.action))
    if config.discount_on == "turn":
        return bootstrap * (1.0 - batch.turn_end * (1.0 - config.discount))
    return bootstrap * config.discount


def discounted_returns(batch: Batch, discount: Tensor) -> Tensor:
    """What followed each action in the data: ``G = r + discount * G'``, nothing after the last action. (N,)."""
    n = len(batch.action)
    rewards, weights, following = batch.reward.tolist(), discount.tolist(), batch.next_state.tolist()
    returns = [0.0] * n
    for i in reversed(range(n)):
        later = returns[following[i]] if i < following[i] < n else 0.0  # also where it is a turn further on
        returns[i] = rewards[i] + weights[i] * later
    return torch.tensor(returns, device=batch.reward.device)


def expectile_loss(u: Tensor, tau: float) -> Tensor:
    """Asymmetric squares, ``mean |tau - 1[u < 0]| u^2`` (Newey and Powell 1987; for RL: IQL, 2110.06169). Scalar."""
    weight = torch.where(u < 0, 1.0 - tau, tau)
    return (weight * u.square()).mean()


def q_regression(
    q: Sequence[Tensor], goal: Tensor, action: Tensor, cql_weight: float
) -> tuple[Tensor, Parts]:
    """Both Q heads towards a goal, and the conservative term, written out plainly::

        L_Q   = sum over heads of mean (goal - Q(s, a))^2
        L_CQL = sum over heads of mean logsumexp Q(s, .) - Q(s, a)
        L     = L_Q + cql_weight * L_CQL

    The algorithms use :func:`dialog_envs.agents.fused.fused_q_regression`, which equals it and never holds more than
    one head's logits.

    Args:
        q: each head's values at every action, (N, actions).
        goal: (N,), without gradient.
        action: columns of the actions taken, (N,).
        cql_weight: weight of the conservative term (2006.04779, the CQL(H) form, as in 2206.11871).
    """
    taken = [head.gather(-1, action.unsqueeze(-1)).squeeze(-1) for head in q]
    loss = torch.stack([(goal - value).square().mean() for value in taken]).sum()
    parts = {"q": loss.detach(), "mean_q": taken[0].detach().mean(), "goal": goal.mean()}
    if cql_weight:
        cql = torch.stack([F.cross_entropy(head, action) for head in q]).sum()
        parts["cql"] = cql.detach()
        loss = loss + cql_weight * cql
    return loss, parts


def first_of_turn(batch: Batch) -> Tensor:
    """For each of the N actions the index of its turn's first action: (N,)."""
    n = len(batch.action)
    index = torch.arange(n, device=batch.action.device)
    begins = torch.ones(n, dtype=torch.bool, device=batch.action.device)
    # A turn goes on where the action before did not end one, and leads here (not out of the episode).
    begins[1:] = (
        (batch.turn_end[:-1] > 0) | (batch.next_state[:-1] != index[1:]) | (batch.bootstrap[:-1] == 0)
    )
    return torch.where(begins, index, 0).cummax(0).values


def last_of_turn(batch: Batch) -> Tensor:
    """For each of the N actions the index of its turn's last action: (N,). A turn cut short ends with the batch."""
    n = len(batch.action)
    ends = torch.nonzero(batch.turn_end > 0).squeeze(-1)
    places = torch.searchsorted(ends, torch.arange(n, device=ends.device))
    return torch.cat([ends, ends.new_tensor([n - 1])])[places]


def by_utterance(batch: Batch, last: Tensor) -> Batch:
    """The same actions with their turn's reward and next state, as if each turn were one step of the MDP."""
    return replace(
        batch,
        reward=batch.reward[last],
        next_state=batch.next_state[last],
        bootstrap=batch.bootstrap[last],
        turn_end=torch.ones_like(batch.turn_end),
    )
