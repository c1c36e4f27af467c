"""Advantage-weighted regression: imitate what turned out better than expected, the more the better it was.

Two sources, by ``advantage``:

``return``  AWR (Peng, Kumar, Zhang, Levine: arXiv 1910.00177). The advantage is the observed return minus V, and V is
            fitted to returns: one step of improvement over the data's agents, and no stitching.
``q``       AWAC (Nair, Gupta, Dalal, Levine: arXiv 2006.09359). The advantage is Q minus its mean under the policy, and
            Q is fitted to the one-step target of the *learned* policy, whose mean over the next token is exact here, a
            sum over the vocabulary. Policy and values improve each other, so dialogues are stitched.

The policy itself learns, and speaks without value heads: decoding costs what BC costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from dialog_envs.agents.batch import Batch
from dialog_envs.agents.fused import fused_cross_entropy, product_type
from dialog_envs.agents.language_model import DialogueModel
from dialog_envs.agents.losses import Parts, discounted_returns, discounts, first_of_turn
from dialog_envs.agents.sequences import TokenEpisode
from dialog_envs.agents.value_learning import (
    HeadAlgorithm,
    Seen,
    ValueConfig,
    check_range,
    check_word,
    value_heads,
)


@dataclass(frozen=True, slots=True)
class AWRConfig(ValueConfig):
    """Settings of AWR and AWAC; the losses are :func:`awr_loss` and :func:`awac_goals`."""

    advantage: Literal["return", "q"] = "return"
    """``return`` is AWR, ``q`` is AWAC."""
    level: Literal["token", "utterance"] = "token"
    """AWR weighs each token by its own advantage, or all of a turn by that of its first: (the return from there on
    minus the value before the turn)."""
    weight_temperature: float = 0.1
    """Of the weights, in units of the return. Small: only the best counts; large: behaviour cloning."""
    weight_cap: float = 20.0
    """Largest weight of a token, as published."""
    beta: float = 0.0
    """The policy has the advantage in its own probabilities; decoding adds none."""


def awr_loss(logits: Tensor, advantage: Tensor, action: Tensor, config: AWRConfig) -> Tensor:
    """The policy's loss, a pure function::

        w   = min(exp(A / weight_temperature), weight_cap)
        L_p = mean w * -log pi(a | s)

    (1910.00177, equation 10 and section 3.3; 2006.09359, equation 13.) No gradient flows through A.

    Args:
        logits: the policy's, (N, vocabulary).
        advantage: (N,).
        action: tokens taken, (N,).
        config: temperature and cap.
    """
    return (awr_weights(advantage, config) * F.cross_entropy(logits, action, reduction="none")).mean()


def awr_weights(advantage: Tensor, config: AWRConfig) -> Tensor:
    """What each token counts: (N,) -> (N,), without gradient."""
    return (advantage.detach() / config.weight_temperature).exp().clamp(max=config.weight_cap)


def awr_advantage(v: Tensor, batch: Batch, config: AWRConfig) -> tuple[Tensor, Tensor, Parts]:
    """AWR's ``A = G - V(s)``, (N,), and ``L_V = mean (G - V(s))^2``; ``v`` are values of the N states."""
    goal = discounted_returns(batch, discounts(batch, config)).to(v)
    v_loss = (goal - v).square().mean()
    advantage = goal - v.detach()
    if config.level == "utterance":
        advantage = advantage[first_of_turn(batch)]
    return advantage, v_loss, {"v": v_loss.detach(), "mean_v": v.detach().mean(), "goal": goal.mean()}


def awac_goals(
    expected: Tensor, target: Tensor, v: Tensor, batch: Batch, config: AWRConfig
) -> tuple[Tensor, Tensor, Tensor, Parts]:
    """AWAC's goal of Q, the advantage, and a loss that keeps V for looking at, a pure function.

    With ``Qt`` the minimum of both target heads::

        E(s) = sum over a of pi(a | s) * Qt(s, a)
        goal = r + gamma * b * E(s')        A = Qt(s, a) - E(s)        L_V = mean (E(s) - V(s))^2

    Q meets the goal by :func:`dialog_envs.agents.losses.q_regression`.

    Args:
        expected: E at all S states, (S,), without gradient.
        target: ``Qt`` at the tokens taken, (N,), without gradient.
        v: values of the N states, (N,).
        batch: actions, rewards and next states.
        config: discount.
    """
    n = len(batch.action)
    goal = batch.reward + discounts(batch, config) * expected[batch.next_state]
    v_loss = (expected[:n] - v).square().mean()
    return goal, target - expected[:n], v_loss, {"v": v_loss.detach(), "mean_v": v.detach().mean()}


class AWR(HeadAlgorithm[AWRConfig]):
    """Advantage-weighted imitation."""

    name = "awr"
    config_class = AWRConfig

    def check(self) -> None:
        """Raises UsageError if a setting is out of its range."""
        super().check()
        check_word("advantage", self.config.advantage, ("return", "q"))
        check_word("level", self.config.level, ("token", "utterance"))
        check_range(
            "weight_temperature",
            self.config.weight_temperature,
            self.config.weight_temperature > 0,
            "above 0",
        )
        check_range("weight_cap", self.config.weight_cap, self.config.weight_cap > 0, "above 0")
        check_range(
            "beta", self.config.beta, self.config.beta == 0, "at 0: the policy has learned the advantage"
        )

    def prepare(self, model: DialogueModel, episodes: Sequence[TokenEpisode] = ()) -> None:
        """Puts fresh value heads on the model; the policy goes on learning beside a separate value trunk, too."""
        super().prepare(model, episodes)
        model.free_policy()

    def loss(self, model: DialogueModel, batch: Batch, progress: float) -> tuple[Tensor, Parts]:
        """The losses of policy and values on one batch."""
        heads, n = value_heads(model), len(batch.action)
        policy_states = model.states(batch.ids, batch.state)  # (S, width)
        shared = self.config.trunk == "shared"
        states = policy_states if shared else model.value_states(batch.ids, batch.state)
        products = product_type(states)
        with torch.autocast(states.device.type, enabled=False):
            states, policy_states = states.float(), policy_states.float()
            seen = Seen(model, heads, states, states[:n], products)
            advantage, loss, parts = self._values(seen, policy_states, batch)
            weights = awr_weights(advantage, self.config)
            output = model.policy.get_output_embeddings()
            policy = fused_cross_entropy(policy_states[:n], output, batch.action, products, weights)
        parts |= {
            "policy": policy.detach(),
            "weight": weights.mean(),
            "advantage_std": advantage.std(unbiased=False),
        }
        return loss + policy, parts

    def _values(self, seen: Seen, policy_states: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Parts]:
        """Advantage (N,), loss of the heads, its parts."""
        v = seen.heads.values(seen.acting)
        if self.config.advantage == "return":
            return awr_advantage(v, batch, self.config)
        with torch.no_grad():
            logits = seen.model.logits(policy_states)
        expected = seen.heads.target_expectation(seen.states, logits)
        target = seen.heads.target_values(seen.acting, batch.action)
        goal, advantage, v_loss, parts = awac_goals(expected, target, v, batch, self.config)
        q_loss, q_parts = self.regress(seen, batch, goal)
        return advantage, q_loss + v_loss, parts | q_parts

    def speaking(self) -> dict[str, Any]:
        """The policy alone."""
        return {"beta": 0.0}
