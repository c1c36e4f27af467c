"""What the algorithms with value heads share: settings, the heads on the model, and their averaged targets."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from dialog_envs.agents.batch import Batch
from dialog_envs.agents.fused import fused_cross_entropy, fused_q_regression, product_type
from dialog_envs.agents.language_model import DialogueModel
from dialog_envs.agents.losses import Parts
from dialog_envs.agents.sequences import TextEpisode, TokenEpisode
from dialog_envs.agents.trainer import Algorithm, TrainingConfig
from dialog_envs.agents.value_heads import ValueHeads
from dialog_envs.errors import UsageError


@dataclass(frozen=True, slots=True)
class ValueConfig:
    """Settings of every algorithm with value heads."""

    discount: float = 0.99
    discount_on: Literal["token", "turn"] = "token"
    """Discount after every agent token (as published), or only after the last token of a turn."""
    bootstrap_truncated: bool = True
    """Whether the value of the last state continues an episode that the turn cap cut off."""
    cql_weight: float = 0.01
    """Weight of the conservative term: how far tokens that the data lacks are pushed below those that it has."""
    polyak: float = 0.02
    """Step of the averaged target heads. Published is 0.005, for trainings of tens of thousands of steps."""
    trunk: Literal["shared", "separate"] = "separate"
    """Where the value heads read: the policy's own transformer, or a copy of it. Shared takes half of the memory and
    of the time to decode; separate leaves the policy as BC left it, and does not run it in training. Where both pull
    a small shared trunk apart, ``bc_weight`` below 1 gives way to the values."""
    bc_weight: float = 1.0
    """Weight of the language-model loss on a shared trunk. A separate trunk leaves the policy as BC left it."""
    head_width: int = 0
    """Hidden units of the value heads; 0 is twice the model's width."""
    action_vocabulary: Literal["full", "data"] = "full"
    """Which tokens the Q heads value: all, or those that the data's agents said. The conservative term then pushes
    down these only. With a backbone's 50,000 tokens most of a step's time goes into those that no agent ever says."""
    beta: float = 16.0
    """Weight of the advantage in decoding: log pi + beta (Q - V)."""
    min_p: float = 0.0
    """Decoding considers tokens of at least this share of the most probable one's probability under pi."""
    training: TrainingConfig = field(default_factory=lambda: TrainingConfig(learning_rate=1e-3))
    """Values want a smaller rate than words."""


Config = TypeVar("Config", bound=ValueConfig)


class HeadAlgorithm(Algorithm[Config]):
    """An algorithm that puts value heads beside a BC policy."""

    starts_from_bc = True

    def select(self, episodes: Sequence[TextEpisode]) -> list[TextEpisode]:
        """All episodes: failures tell what not to do."""
        return list(episodes)

    def prepare(self, model: DialogueModel, episodes: Sequence[TokenEpisode] = ()) -> None:
        """Puts fresh value heads on the model.

        Raises:
            UsageError: a setting is out of its range.
        """
        self.check()
        actions = None
        if self.config.action_vocabulary == "data":
            actions = spoken(episodes, model.end_id)
        model.add_heads(self.config.head_width, self.config.trunk, actions)

    def check(self) -> None:
        """Raises UsageError if a setting is out of its range."""
        config = self.config
        check_range("discount", config.discount, 0 <= config.discount <= 1, "from 0 to 1")
        check_range("polyak", config.polyak, 0 < config.polyak <= 1, "above 0 and at most at 1")
        check_range("min_p", config.min_p, 0 <= config.min_p <= 1, "from 0 to 1")
        check_range("cql_weight", config.cql_weight, config.cql_weight >= 0, "at 0 or above")
        check_range("bc_weight", config.bc_weight, config.bc_weight >= 0, "at 0 or above")
        check_word("trunk", config.trunk, ("shared", "separate"))
        check_word("discount_on", config.discount_on, ("token", "turn"))
        check_word("action_vocabulary", config.action_vocabulary, ("full", "data"))

    def after_step(self, model: DialogueModel) -> None:
        """Moves the target heads towards the online ones."""
        assert model.heads is not None
        model.heads.update_targets(self.config.polyak)

    def regress(self, seen: Seen, batch: Batch, goal: Tensor) -> tuple[Tensor, Parts]:
        """Both Q heads towards a goal, and the conservative term."""
        return fused_q_regression(
            seen.heads, seen.acting, batch.action, goal.detach(), self.config.cql_weight, seen.products
        )


class ValueAlgorithm(HeadAlgorithm[Config]):
    """An algorithm whose heads learn, and whose policy stays as BC left it, or goes on with BC on a shared trunk."""

    @abc.abstractmethod
    def value_loss(self, seen: Seen, batch: Batch, progress: float) -> tuple[Tensor, Parts]:
        """The loss of the heads on one batch, in full precision, and its parts for the log."""

    def loss(self, model: DialogueModel, batch: Batch, progress: float) -> tuple[Tensor, Parts]:
        """The heads' loss, and on a shared trunk the language model's, without which the policy would forget."""
        heads = value_heads(model)
        states = model.value_states(batch.ids, batch.state)  # (S, width)
        products = product_type(states)
        # Values differ by hundredths: the heads compute in full precision also where the trunk does not.
        with torch.autocast(states.device.type, enabled=False):
            states = states.float()
            seen = Seen(model, heads, states, states[: len(batch.action)], products)
            loss, parts = self.value_loss(seen, batch, progress)
            if self.config.trunk == "shared" and self.config.bc_weight:
                output = model.policy.get_output_embeddings()
                bc = fused_cross_entropy(seen.acting, output, batch.action, products)
                parts["bc"] = bc.detach()
                loss = loss + self.config.bc_weight * bc
        return loss, parts


class Seen(NamedTuple):
    """What the heads of a model read from a batch."""

    model: DialogueModel
    heads: ValueHeads
    states: Tensor
    """(S, width)."""
    acting: Tensor
    """(N, width): the states in which the agent chose a token."""
    products: torch.dtype | None
    """Type of large matrix products; None is full precision."""


def value_heads(model: DialogueModel) -> ValueHeads:
    """The model's value heads, which ``prepare`` put there."""
    assert isinstance(model.heads, ValueHeads), "prepare() comes first"
    return model.heads


def spoken(episodes: Sequence[TokenEpisode], end: int) -> Tensor:
    """The token ids that agents chose, sorted: (actions,). ``end`` is always among them."""
    chosen = [np.unique(episode.ids[episode.agent]) for episode in episodes]
    return torch.from_numpy(np.unique(np.concatenate([np.array([end], dtype=np.int64), *chosen])))


def check_range(name: str, value: Any, fine: bool, words: str) -> None:
    """Raises UsageError if a number is not fine."""
    if not fine:
        raise UsageError(f"{name}={value} must lie {words}.")


def check_word(name: str, value: str, known: Sequence[str]) -> None:
    """Raises UsageError if a setting is none of the known words."""
    if value not in known:
        raise UsageError(f"{name}='{value}' is unknown: choose {' or '.join(repr(word) for word in known)}.")
