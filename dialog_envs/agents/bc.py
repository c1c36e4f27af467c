"""Behaviour cloning: a language model of the agent's turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch.nn.functional as F
from torch import Tensor

from dialog_envs.agents.batch import Batch
from dialog_envs.agents.fused import fused_cross_entropy, product_type
from dialog_envs.agents.language_model import DialogueModel
from dialog_envs.agents.sequences import TextEpisode, TokenEpisode
from dialog_envs.agents.trainer import Algorithm, TrainingConfig


@dataclass(frozen=True, slots=True)
class BCConfig:
    """Behaviour cloning. Loss: ``-mean log pi(a | s)`` over agent tokens."""

    training: TrainingConfig = field(default_factory=TrainingConfig)


def bc_loss(logits: Tensor, action: Tensor) -> Tensor:
    """Cross-entropy of the agent's tokens: logits (N, vocabulary), action (N,) -> scalar.

    Training computes the same with :func:`dialog_envs.agents.fused.fused_cross_entropy`.
    """
    return F.cross_entropy(logits.float(), action)


class BC(Algorithm[BCConfig]):
    """Imitates every agent turn of the dataset."""

    name = "bc"
    config_class = BCConfig
    starts_from_bc = False

    def select(self, episodes: Sequence[TextEpisode]) -> list[TextEpisode]:
        """All episodes."""
        return list(episodes)

    def prepare(self, model: DialogueModel, episodes: Sequence[TokenEpisode] = ()) -> None:
        """A language model is all that is needed."""
        model.drop_heads()

    def loss(self, model: DialogueModel, batch: Batch, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss on one batch."""
        states = model.states(batch.ids, batch.state[: len(batch.action)])
        output = model.policy.get_output_embeddings()
        loss = fused_cross_entropy(states.float(), output, batch.action, product_type(states))
        return loss, {"bc": loss.detach()}

    def after_step(self, model: DialogueModel) -> None:
        """Nothing follows a step."""
