"""Implicit language Q-learning (ILQL), on the level of tokens or of utterances.

Source: Snell, Kostrikov, Su, Yang, Levine: Offline RL for Natural Language Generation with Implicit Language Q
Learning, arXiv 2206.11871. Utterances are sequences of token actions; the next state of an agent token is the state
before the next *agent* token, so notes and user words are part of the environment's transition.

**Token level** (as published): every token is a step of the MDP. A reward travels back by one token an update, and
the expectile's optimism is applied once a token: about fifty times in a dialogue of five turns.

**Utterance level** (``level="utterance"``): a turn is one step. Every token of a turn has the turn's goal, its reward
plus the value where the next turn begins, and V is fitted to the value of whole utterances. Optimism is applied once a
turn, and a reward travels back by a turn an update. With one-token turns the two are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from dialog_envs.agents.batch import Batch
from dialog_envs.agents.losses import (
    Parts,
    by_utterance,
    discounted_returns,
    discounts,
    expectile_loss,
    last_of_turn,
    q_regression,
)
from dialog_envs.agents.value_learning import Seen, ValueAlgorithm, ValueConfig, check_range, check_word


@dataclass(frozen=True, slots=True)
class ILQLConfig(ValueConfig):
    """Settings of ILQL; the loss is :func:`ilql_loss`."""

    level: Literal["token", "utterance"] = "token"
    """What a step of the MDP is; see the module's text."""
    expectile: float = 0.7
    """tau: 0.5 is the mean over the data's actions, towards 1 their maximum."""
    returns_warmup: float = 0.3
    """Over this first share of the training the goal of Q moves from the observed return to the one-step target.
    One-step targets carry a reward back by one token an update, over a hundred tokens in a dialogue, and the
    expectile's optimism adds up on the way. 0 is as published; at 2 the goal ends half-way between both."""


def ilql_loss(
    q: tuple[Tensor, Tensor],
    target: Tensor,
    v: Tensor,
    logits: Tensor | None,
    batch: Batch,
    config: ILQLConfig,
    returns_weight: float = 0.0,
) -> tuple[Tensor, Parts]:
    """The loss of ILQL on N agent tokens, a pure function.

    With ``Qt`` the minimum of both target heads at the token taken, and ``u = Qt - V(s)``::

        L_V   = mean |tau - 1[u < 0]| u^2
        L_Q   = sum over both heads of mean (r + gamma * b * V(s') - Q(s, a))^2
        L_CQL = sum over both heads of mean -log softmax(Q(s, .))[a]
        L_BC  = mean -log pi(a | s)
        L     = L_Q + L_V + cql_weight * L_CQL + bc_weight * L_BC

    (2206.11871, equations 4 to 6 and section 4.2.) ``b`` is 0 after the last action of a terminal episode, else 1;
    no gradient flows through ``Qt``, nor through ``V(s')``. Training computes the same with
    :mod:`dialog_envs.agents.fused`.

    Args:
        q: both Q heads at the N states, (N, vocabulary) each.
        target: minimum of the target heads at the tokens taken, (N,).
        v: values of all S states of the batch, (S,); the first N belong to the actions.
        logits: the policy's, (N, vocabulary), or None to leave the BC term out.
        batch: actions, rewards and next states.
        config: weights.
        returns_weight: w; the goal of Q becomes ``(1 - w) * (r + gamma * b * V(s')) + w * G`` with the return G.
    """
    goal, v_loss, parts = ilql_goals(target, v, batch, config, returns_weight)
    q_loss, q_parts = q_regression(q, goal, batch.action, config.cql_weight)
    loss = q_loss + v_loss
    if logits is not None:
        bc = F.cross_entropy(logits, batch.action)
        parts["bc"] = bc.detach()
        loss = loss + config.bc_weight * bc
    return loss, parts | q_parts


def ilql_goals(
    target: Tensor, v: Tensor, batch: Batch, config: ILQLConfig, returns_weight: float = 0.0
) -> tuple[Tensor, Tensor, Parts]:
    """What Q shall become, (N,) without gradient, and the loss of V; see :func:`ilql_loss` for the arguments."""
    n = len(batch.action)
    target = target.detach()
    if config.level == "utterance":
        last = last_of_turn(batch)
        target, batch = target[last], by_utterance(batch, last)
    u = target - v[:n]
    v_loss = expectile_loss(u, config.expectile)
    discount = discounts(batch, config)
    goal = batch.reward + discount * v.detach()[batch.next_state]
    if returns_weight:
        goal = goal.lerp(discounted_returns(batch, discount).to(goal), returns_weight)
    parts = {"v": v_loss.detach(), "mean_v": v[:n].detach().mean()}
    parts["advantage_std"] = u.detach().std(unbiased=False)
    return goal, v_loss, parts


class ILQL(ValueAlgorithm[ILQLConfig]):
    """Implicit Q-learning over the agent's tokens, starting from a BC model."""

    name = "ilql"
    config_class = ILQLConfig

    def check(self) -> None:
        """Raises UsageError if a setting is out of its range."""
        super().check()
        config = self.config
        check_range("expectile", config.expectile, 0 < config.expectile < 1, "between 0 and 1")
        check_range("returns_warmup", config.returns_warmup, config.returns_warmup >= 0, "at 0 or above")
        check_word("level", config.level, ("token", "utterance"))

    def value_loss(self, seen: Seen, batch: Batch, progress: float) -> tuple[Tensor, Parts]:
        """See :func:`ilql_loss`."""
        v = seen.heads.values(seen.states)
        target = seen.heads.target_values(seen.acting, batch.action)
        weight = returns_weight(self.config.returns_warmup, progress)
        goal, v_loss, parts = ilql_goals(target, v, batch, self.config, weight)
        q_loss, q_parts = self.regress(seen, batch, goal)
        return q_loss + v_loss, parts | q_parts


def returns_weight(warmup: float, progress: float) -> float:
    """Of the observed return in the goal of Q: from 1 at the start of the training to 0 after the warm-up."""
    return max(0.0, 1.0 - progress / warmup) if warmup else 0.0
