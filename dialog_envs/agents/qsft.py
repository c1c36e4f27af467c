"""Q-SFT: Q-learning as supervised fine-tuning, where a token's probability becomes its value.

Source: Hong, Dragan, Levine: Q-SFT: Q-Learning for Language Models via Supervised Fine-Tuning, arXiv 2411.05193
(ICLR 2025). Two language models start from BC: ``pi``, which stays, and ``p``, whose probability of the token taken is
drawn towards the Bellman target B, the rest of the mass falling on all other tokens alike. In expectation over the
data ``p(a | s)`` becomes ``pi(a | s) Q(s, a)`` and a little of the rest, so that ``p / pi`` is the value that the next
target backs up. No head is new, no value regressed: a pretrained output layer goes on being used.

Returns must lie between 0 and 1 (assumption 4.1 of the paper); :func:`unit_returns` moves those of the dataset there.

Where this departs from the paper, and why. The maximum in B runs over tokens that ``pi`` finds likely (``support``):
the evenly spread rest gives a token of probability 1e-6 a ratio above any true value. B is cut to [0, 1]. Decoding
adds ``beta * p / pi`` by default; ``extraction="likelihood"`` adds ``beta * p``, as published, which favours what is
frequent among equals: p is a lower bound of Q that is loose where ``pi`` is small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor

from dialog_envs.agents.batch import Batch
from dialog_envs.agents.ilql import returns_weight
from dialog_envs.agents.language_model import DialogueModel
from dialog_envs.agents.likelihood import Extraction, LikelihoodHeads
from dialog_envs.agents.losses import Parts, discounted_returns, discounts
from dialog_envs.agents.sequences import TextEpisode, TokenEpisode
from dialog_envs.agents.trainer import Algorithm, TrainingConfig
from dialog_envs.agents.value_learning import check_range, check_word


@dataclass(frozen=True, slots=True)
class QSFTConfig:
    """Settings of Q-SFT; the loss is :func:`qsft_loss`, its target :func:`qsft_goals`."""

    discount: float = 0.99
    discount_on: Literal["token", "turn"] = "token"
    """Discount after every agent token, or only after the last token of a turn."""
    bootstrap_truncated: bool = True
    """Whether the value of the last state continues an episode that the turn cap cut off."""
    support: float = 0.05
    """The maximum over next tokens runs over those of at least this share of the most probable one's ``pi``."""
    returns_warmup: float = 0.3
    """As in ILQL: over this first share of the training B moves from the observed return to the one-step target. At
    the start ``p = pi``, every ratio is 1, and one-step targets alone would take everything for a success."""
    polyak: float = 0.02
    """Step of the averaged copy of ``p`` that B reads."""
    extraction: Extraction = "ratio"
    """What decoding adds to ``log pi``: ``p / pi``, or ``p`` as published; see the module's text."""
    beta: float = 16.0
    """Weight of the value in decoding."""
    min_p: float = 0.05
    """Decoding considers tokens of at least this share of the most probable one's probability under ``pi``."""
    training: TrainingConfig = field(default_factory=lambda: TrainingConfig(learning_rate=1e-3))


def qsft_loss(logits: Tensor, goal: Tensor, action: Tensor) -> Tensor:
    """The loss of Q-SFT on N agent tokens, a pure function.

    With A tokens in all and the Bellman target B of each token taken::

        L = mean -( B log p(a | s) + (1 - B) / (A - 1) * sum over a' != a of log p(a' | s) )

    (2411.05193, equation 3.)

    Args:
        logits: of ``p``, (N, A).
        goal: B, (N,), from 0 to 1, without gradient.
        action: tokens taken, (N,).
    """
    logp = torch.log_softmax(logits, dim=-1)
    taken = logp.gather(-1, action.unsqueeze(-1)).squeeze(-1)
    others = (logp.sum(-1) - taken) / (logits.shape[-1] - 1)
    return -(goal * taken + (1.0 - goal) * others).mean()


def qsft_goals(
    target_logits: Tensor,
    policy_logits: Tensor,
    batch: Batch,
    config: QSFTConfig,
    returns_weight: float = 0.0,
) -> tuple[Tensor, Parts]:
    """The Bellman targets, (N,) from 0 to 1, a pure function::

        B = r + gamma * b * max over a' of pbar(a' | s') / pi(a' | s')

    (2411.05193, section 4.2), the maximum over tokens of at least ``support`` of the most probable one's ``pi``.

    Args:
        target_logits: of the averaged copy ``pbar``, at all S states, (S, vocabulary).
        policy_logits: of ``pi``, (S, vocabulary).
        batch: actions, rewards and next states.
        config: discount and support.
        returns_weight: of the observed return in B.
    """
    behaviour = torch.log_softmax(policy_logits, dim=-1)
    ratio = torch.log_softmax(target_logits, dim=-1) - behaviour
    if config.support:
        least = behaviour.amax(-1, keepdim=True) + math.log(config.support)
        ratio = ratio.masked_fill(behaviour < least, -torch.inf)
    best = ratio.amax(-1).exp().clamp(max=1.0)  # (S,)
    discount = discounts(batch, config)
    goal = batch.reward + discount * best[batch.next_state]
    if returns_weight:
        goal = goal.lerp(discounted_returns(batch, discount).to(goal), returns_weight)
    parts = {"goal": goal.mean(), "cut": ((goal < 0) | (goal > 1)).float().mean()}
    return goal.clamp(0.0, 1.0), parts


class QSFT(Algorithm[QSFTConfig]):
    """Q-learning whose values are probabilities."""

    name = "qsft"
    config_class = QSFTConfig
    starts_from_bc = True

    def select(self, episodes: Sequence[TextEpisode]) -> list[TextEpisode]:
        """All episodes, their returns between 0 and 1."""
        return unit_returns(episodes)

    def prepare(self, model: DialogueModel, episodes: Sequence[TokenEpisode] = ()) -> None:
        """Copies the policy.

        Raises:
            UsageError: a setting is out of its range.
        """
        config = self.config
        check_range("discount", config.discount, 0 <= config.discount <= 1, "from 0 to 1")
        check_range("polyak", config.polyak, 0 < config.polyak <= 1, "above 0 and at most at 1")
        check_range("support", config.support, 0 <= config.support <= 1, "from 0 to 1")
        check_range("min_p", config.min_p, 0 <= config.min_p <= 1, "from 0 to 1")
        check_range("returns_warmup", config.returns_warmup, config.returns_warmup >= 0, "at 0 or above")
        check_word("discount_on", config.discount_on, ("token", "turn"))
        check_word("extraction", config.extraction, ("ratio", "likelihood"))
        model.add_likelihood(config.extraction)

    def loss(self, model: DialogueModel, batch: Batch, progress: float) -> tuple[Tensor, Parts]:
        """See :func:`qsft_loss`."""
        heads = model.heads
        assert isinstance(heads, LikelihoodHeads), "prepare() comes first"
        logits = heads.output(model.value_states(batch.ids, batch.state[: len(batch.action)])).float()
        with torch.no_grad():
            policy_logits = model.logits(model.states(batch.ids, batch.state)).float()
            target_logits = heads.target_logits(batch.ids, batch.state).float()
            weight = returns_weight(self.config.returns_warmup, progress)
            goal, parts = qsft_goals(target_logits, policy_logits, batch, self.config, weight)
        loss = qsft_loss(logits, goal, batch.action)
        return loss, parts | {"wce": loss.detach()}

    def after_step(self, model: DialogueModel) -> None:
        """Moves the averaged copy."""
        assert model.heads is not None
        model.heads.update_targets(self.config.polyak)


def unit_returns(episodes: Sequence[TextEpisode]) -> list[TextEpisode]:
    """The episodes with rewards scaled and shifted so that every return, from any turn on, lies from 0 to 1.

    The shift stands on the last reward of terminal episodes: without discount every value becomes
    ``(value - lowest) / (highest - lowest)``, and no comparison changes. Rewards that lie well stay as they are.
    """
    returns = [sum(episode.rewards[i:]) for episode in episodes for i in range(len(episode.rewards))]
    low, high = min([0.0, *returns]), max([0.0, *returns])
    if low == 0.0 and high <= 1.0:
        return list(episodes)
    span = max(1.0, high - low)
    moved = []
    for episode in episodes:
        rewards = [reward / span for reward in episode.rewards]
        if rewards and episode.terminal:
            rewards[-1] -= low / span
        moved.append(replace(episode, rewards=tuple(rewards)))
    return moved
