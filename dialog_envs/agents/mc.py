"""Monte-Carlo returns: Q by regression to the return that the data saw, then the same decoding as ILQL's.

Source: the arm "MC returns" of LMRL-Gym (Abdulhai and others, arXiv 2311.18232), where it beats ILQL on the open
dialogue tasks. Q is the value of going on as the data's agents did, so decoding improves on them by one step, and
cannot join the first half of one dialogue with the second half of another. Nothing is bootstrapped: what would have
followed after the turn cap counts nothing, whatever ``bootstrap_truncated`` says.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from dialog_envs.agents.batch import Batch
from dialog_envs.agents.losses import Parts, discounted_returns, discounts, q_regression
from dialog_envs.agents.value_learning import Seen, ValueAlgorithm, ValueConfig


@dataclass(frozen=True, slots=True)
class MCConfig(ValueConfig):
    """Settings of Monte-Carlo returns; the loss is :func:`mc_loss`. Targets are averages of Q for decoding only."""


def mc_loss(q: tuple[Tensor, Tensor], v: Tensor, batch: Batch, config: MCConfig) -> tuple[Tensor, Parts]:
    """The loss of Monte-Carlo returns on N agent tokens, a pure function.

    With the discounted return ``G = r + gamma * G'`` of the episode from each token on::

        L_Q   = sum over both heads of mean (G - Q(s, a))^2
        L_V   = mean (G - V(s))^2
        L_CQL = sum over both heads of mean -log softmax(Q(s, .))[a]
        L     = L_Q + L_V + cql_weight * L_CQL

    V is not needed to decode; with it, the advantage of what was said can be shown.

    Args:
        q: both Q heads at the N states, (N, vocabulary) each.
        v: values of the N states, (N,).
        batch: actions, rewards and next states.
        config: weights.
    """
    goal, v_loss, parts = mc_goals(v, batch, config)
    q_loss, q_parts = q_regression(q, goal, batch.action, config.cql_weight)
    return q_loss + v_loss, parts | q_parts


def mc_goals(v: Tensor, batch: Batch, config: MCConfig) -> tuple[Tensor, Tensor, Parts]:
    """The returns, (N,), and the loss of V."""
    goal = discounted_returns(batch, discounts(batch, config)).to(v)
    v_loss = (goal - v).square().mean()
    return goal, v_loss, {"v": v_loss.detach(), "mean_v": v.detach().mean()}


class MC(ValueAlgorithm[MCConfig]):
    """One step of improvement over the data's agents."""

    name = "mc"
    config_class = MCConfig

    def value_loss(self, seen: Seen, batch: Batch, progress: float) -> tuple[Tensor, Parts]:
        """See :func:`mc_loss`."""
        goal, v_loss, parts = mc_goals(seen.heads.values(seen.acting), batch, self.config)
        q_loss, q_parts = self.regress(seen, batch, goal)
        return q_loss + v_loss, parts | q_parts
