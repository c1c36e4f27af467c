"""Conservative Q-learning on the level of tokens.

Source: Kumar, Zhou, Tucker, Levine: Conservative Q-Learning for Offline Reinforcement Learning, arXiv 2006.04779,
in the discrete form CQL(H); per token it is a baseline of the paper on ILQL (2206.11871). The value of the next state
is the maximum over *all* tokens, which the conservative term keeps from being one that the data never showed: its
weight decides more here than in ILQL, whose V looks at the data's tokens only.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from dialog_envs.agents.batch import Batch
from dialog_envs.agents.ilql import returns_weight
from dialog_envs.agents.losses import Parts, discounted_returns, discounts, q_regression
from dialog_envs.agents.value_learning import Seen, ValueAlgorithm, ValueConfig, check_range


@dataclass(frozen=True, slots=True)
class CQLConfig(ValueConfig):
    """Settings of per-token CQL; the loss is :func:`cql_loss`."""

    cql_weight: float = 0.1
    """Weight of the conservative term. A token of probability p under the data is overrated by at most
    ``cql_weight / 2 * (1 - softmax(Q) / p)``; what the data lacks goes down without end."""
    returns_warmup: float = 0.3
    """As in ILQL: over this first share of the training the goal moves from the return to the one-step target."""


def cql_loss(
    q: tuple[Tensor, Tensor],
    best: Tensor,
    v: Tensor,
    batch: Batch,
    config: CQLConfig,
    returns_weight: float = 0.0,
) -> tuple[Tensor, Parts]:
    """The loss of CQL on N agent tokens, a pure function.

    With ``Qt`` the minimum of both target heads, and ``b`` 0 after the last action of a terminal episode, else 1::

        L_Q   = sum over both heads of mean (r + gamma * b * max_a' Qt(s', a') - Q(s, a))^2
        L_CQL = sum over both heads of mean logsumexp Q(s, .) - Q(s, a)
        L_V   = mean (max_a Qt(s, a) - V(s))^2
        L     = L_Q + cql_weight * L_CQL + L_V

    (2006.04779, equation 4 with the CQL(H) term.) V is not needed to learn or to decode: it makes advantages.

    Args:
        q: both Q heads at the N states, (N, vocabulary) each.
        best: ``max_a Qt(s, a)`` at all S states, without gradient, (S,).
        v: values of the N states, (N,).
        batch: actions, rewards and next states.
        config: weights.
        returns_weight: of the observed return in the goal of Q, as in ILQL.
    """
    goal, v_loss, parts = cql_goals(best, v, batch, config, returns_weight)
    q_loss, q_parts = q_regression(q, goal, batch.action, config.cql_weight)
    return q_loss + v_loss, parts | q_parts


def cql_goals(
    best: Tensor, v: Tensor, batch: Batch, config: CQLConfig, returns_weight: float
) -> tuple[Tensor, Tensor, Parts]:
    """What Q shall become, (N,) without gradient, and the loss of V."""
    best = best.detach()
    discount = discounts(batch, config)
    goal = batch.reward + discount * best[batch.next_state]
    if returns_weight:
        goal = goal.lerp(discounted_returns(batch, discount).to(goal), returns_weight)
    v_loss = (best[: len(v)] - v).square().mean()
    return goal, v_loss, {"v": v_loss.detach(), "mean_v": v.detach().mean()}


class CQL(ValueAlgorithm[CQLConfig]):
    """Q-learning that holds down what the data lacks."""

    name = "cql"
    config_class = CQLConfig

    def check(self) -> None:
        """Raises UsageError if a setting is out of its range."""
        super().check()
        check_range(
            "returns_warmup", self.config.returns_warmup, self.config.returns_warmup >= 0, "at 0 or above"
        )

    def value_loss(self, seen: Seen, batch: Batch, progress: float) -> tuple[Tensor, Parts]:
        """See :func:`cql_loss`."""
        best = seen.heads.target_expectation(seen.states, None)
        weight = returns_weight(self.config.returns_warmup, progress)
        goal, v_loss, parts = cql_goals(best, seen.heads.values(seen.acting), batch, self.config, weight)
        q_loss, q_parts = self.regress(seen, batch, goal)
        return q_loss + v_loss, parts | q_parts
