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

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from dialog_envs.agents.batch import Batch
from dialog_envs.agents.language_model import DialogueModel
from dialog_envs.agents.sequences import TextEpisode
from dialog_envs.agents.trainer import Algorithm, TrainingConfig
from dialog_envs.errors import UsageError


@dataclass(frozen=True, slots=True)
class ILQLConfig:
    """Settings of ILQL; the loss is :func:`ilql_loss`."""

    level: Literal["token", "utterance"] = "token"
    """What a step of the MDP is; see the module's text."""
    expectile: float = 0.7
    """tau: 0.5 is the mean over the data's actions, towards 1 their maximum."""
    discount: float = 0.99
    discount_on: Literal["token", "turn"] = "token"
    """Discount after every agent token (as published), or only after the last token of a turn."""
    cql_weight: float = 0.01
    bc_weight: float = 1.0
    """Weight of the language-model loss on a shared trunk. A separate trunk leaves the policy as BC left it."""
    polyak: float = 0.02
    """Published is 0.005, for trainings of tens of thousands of steps."""
    trunk: Literal["shared", "separate"] = "separate"
    """Where the value heads read. Shared is lighter to decode; there the noise of the language-model loss drowns the
    values' small gradients, so that they need many more steps."""
    returns_warmup: float = 0.3
    """Over this first share of the training the goal of Q moves from the observed return to the one-step target.
    One-step targets carry a reward back by one token an update, over a hundred tokens in a dialogue, and the
    expectile's optimism adds up on the way. 0 is as published; at 2 the goal ends half-way between both."""
    head_width: int = 0
    """Hidden units of the value heads; 0 is twice the model's width."""
    bootstrap_truncated: bool = True
    """Whether the value of the last state continues an episode that the turn cap cut off."""
    beta: float = 16.0
    """Weight of the advantage in decoding: log pi + beta (Q - V)."""
    min_p: float = 0.0
    """Decoding considers tokens of at least this share of the most probable one's probability under pi."""
    training: TrainingConfig = field(default_factory=lambda: TrainingConfig(learning_rate=1e-3))
    """Values want a smaller rate than words: at 3e-3 the corridor of the tests fails, at 1e-3 it succeeds."""


def ilql_loss(
    q: tuple[Tensor, Tensor],
    target: Tensor,
    v: Tensor,
    logits: Tensor | None,
    batch: Batch,
    config: ILQLConfig,
    returns_weight: float = 0.0,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of ILQL on N agent tokens, a pure function.

    With ``Qt`` the minimum of both target heads at the token taken, and ``u = Qt - V(s)``::

        L_V   = mean |tau - 1[u < 0]| u^2
        L_Q   = sum over both heads of mean (r + gamma * b * V(s') - Q(s, a))^2
        L_CQL = sum over both heads of mean -log softmax(Q(s, .))[a]
        L_BC  = mean -log pi(a | s)
        L     = L_Q + L_V + cql_weight * L_CQL + bc_weight * L_BC

    (2206.11871, equations 4 to 6 and section 4.2.) ``b`` is 0 after the last action of a terminal episode, else 1;
    no gradient flows through ``Qt``, nor through ``V(s')``.

    Args:
        q: both Q heads at the N states, (N, vocabulary) each.
        target: minimum of the target heads at the tokens taken, (N,).
        v: values of all S states of the batch, (S,); the first N belong to the actions.
        logits: the policy's, (N, vocabulary), or None to leave the BC term out.
        batch: actions, rewards and next states.
        config: weights.
        returns_weight: w; the goal of Q becomes ``(1 - w) * (r + gamma * b * V(s')) + w * G`` with the return G.
    """
    n = len(batch.action)
    target = target.detach()
    if config.level == "utterance":
        last = last_of_turn(batch)
        target, batch = target[last], by_utterance(batch, last)
    u = target - v[:n]
    weight = torch.where(u < 0, 1.0 - config.expectile, config.expectile)
    v_loss = (weight * u.square()).mean()

    discount = _discount(batch, config)
    goal = batch.reward + discount * v.detach()[batch.next_state]
    if returns_weight:
        goal = torch.lerp(goal, discounted_returns(batch, discount).to(goal), returns_weight)
    taken = batch.action.unsqueeze(-1)
    q_taken = [head.gather(-1, taken).squeeze(-1) for head in q]
    q_loss = torch.stack([(goal - value).square().mean() for value in q_taken]).sum()

    loss = q_loss + v_loss
    parts = {
        "q": q_loss,
        "v": v_loss,
        "mean_q": q_taken[0].mean(),
        "mean_v": v[:n].mean(),
        "goal": goal.mean(),
    }
    parts["advantage_std"] = u.detach().std(unbiased=False)
    if config.cql_weight:
        parts["cql"] = torch.stack([F.cross_entropy(head, batch.action) for head in q]).sum()
        loss = loss + config.cql_weight * parts["cql"]
    if logits is not None:
        parts["bc"] = F.cross_entropy(logits, batch.action)
        loss = loss + config.bc_weight * parts["bc"]
    return loss, {name: part.detach() for name, part in parts.items()}


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


def _discount(batch: Batch, config: ILQLConfig) -> Tensor:
    """What the next state's value is multiplied with: (N,)."""
    bootstrap = batch.bootstrap
    if not config.bootstrap_truncated:
        bootstrap = bootstrap * (batch.next_state < len(batch.action))
    if config.discount_on == "turn":
        return bootstrap * (1.0 - batch.turn_end * (1.0 - config.discount))
    return bootstrap * config.discount


def discounted_returns(batch: Batch, discount: Tensor) -> Tensor:
    """What followed each action in the data: ``G = r + discount * G'``, nothing after the last action. (N,)."""
    n = len(batch.action)
    rewards, discounts, following = batch.reward.tolist(), discount.tolist(), batch.next_state.tolist()
    returns = [0.0] * n
    for i in reversed(range(n)):
        later = returns[following[i]] if i < following[i] < n else 0.0  # also where it is a turn further on
        returns[i] = rewards[i] + discounts[i] * later
    return torch.tensor(returns, device=batch.reward.device)


class ILQL(Algorithm[ILQLConfig]):
    """Implicit Q-learning over the agent's tokens, starting from a BC model."""

    name = "ilql"
    config_class = ILQLConfig
    starts_from_bc = True

    def select(self, episodes: Sequence[TextEpisode]) -> list[TextEpisode]:
        """All episodes: failures tell what not to do."""
        return list(episodes)

    def prepare(self, model: DialogueModel) -> None:
        """Puts fresh value heads on the model.

        Raises:
            UsageError: a setting is out of its range.
        """
        config = self.config
        if not 0 < config.expectile < 1 or not 0 <= config.discount <= 1 or not 0 < config.polyak <= 1:
            raise UsageError(
                f"expectile={config.expectile} must lie between 0 and 1, discount={config.discount} and "
                f"polyak={config.polyak} between 0 and 1 inclusive (polyak above 0)."
            )
        if config.level not in ("token", "utterance"):
            raise UsageError(f"level='{config.level}' is unknown: choose 'token' or 'utterance'.")
        if config.trunk not in ("shared", "separate"):
            raise UsageError(f"trunk='{config.trunk}' is unknown: choose 'shared' or 'separate'.")
        if config.discount_on not in ("token", "turn"):
            raise UsageError(f"discount_on='{config.discount_on}' is unknown: choose 'token' or 'turn'.")
        if not 0 <= config.min_p <= 1:
            raise UsageError(f"min_p={config.min_p} must lie from 0 to 1.")
        model.add_heads(config.head_width, config.trunk)

    def loss(self, model: DialogueModel, batch: Batch, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss on one batch."""
        heads = model.heads
        assert heads is not None, "prepare() comes first"
        states = model.value_states(batch.ids, batch.state)  # (S, width)
        acting = states[: len(batch.action)]
        logits = None
        if self.config.trunk == "shared" and self.config.bc_weight:
            logits = model.logits(acting).float()
        # Values differ by hundredths: the heads compute in full precision also where the trunk does not.
        with torch.autocast(states.device.type, enabled=False):
            states, acting = states.float(), acting.float()
            q, v = heads.action_values(acting), heads.values(states)
            target = heads.target_values(acting, batch.action)
            return ilql_loss(q, target, v, logits, batch, self.config, self._returns_weight(progress))

    def _returns_weight(self, progress: float) -> float:
        """From 1 at the start of the training to 0 after the warm-up."""
        warmup = self.config.returns_warmup
        return max(0.0, 1.0 - progress / warmup) if warmup else 0.0

    def after_step(self, model: DialogueModel) -> None:
        """Moves the target heads towards the online ones."""
        assert model.heads is not None
        model.heads.update_targets(self.config.polyak)
