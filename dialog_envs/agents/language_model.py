"""A causal language model that speaks as the agent, with optional value heads.

The default is a stack of GPT-2's blocks of about one million parameters, trained from scratch: it learns a task's
dialogues in minutes on two cores. Any causal language model of transformers can take its place (``backbone``).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

from dialog_envs.agents.backbones import SMALL, load_backbone, rows
from dialog_envs.agents.lora import add_lora, free, merge_lora
from dialog_envs.agents.tokenizer import END, PAD, role_ids
from dialog_envs.agents.value_heads import Heads, ValueHeads
from dialog_envs.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from dialog_envs.agents.likelihood import Extraction, LikelihoodHeads


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The model's shape.

    ``layers``, ``width``, ``attention_heads`` and ``vocabulary`` describe the small model and are not read if
    ``backbone`` names another one (see :mod:`dialog_envs.agents.backbones`).
    """

    backbone: str = SMALL
    layers: int = 4
    width: int = 128
    attention_heads: int = 4
    vocabulary: int = 1024
    context: int = 1024
    """Longest sequence in tokens, at training and at play. The oldest tokens of longer dialogues are left out."""
    lora_rank: int = 0
    """Of adapters that learn in the backbone's stead; 0 trains all of it."""

    def __post_init__(self) -> None:
        """Raises UsageError if a number is out of its range."""
        for name, least in (
            ("layers", 1), ("width", 1), ("attention_heads", 1), ("context", 8), ("lora_rank", 0),
        ):  # fmt: skip
            if getattr(self, name) < least:
                raise UsageError(f"{name}={getattr(self, name)} must be at least {least}.")


class DialogueModel(nn.Module):
    """Policy (a causal language model), its tokenizer, and value heads if the algorithm has any.

    With ``trunk="shared"`` the value heads read the policy's hidden states. With ``trunk="separate"`` they read a
    second transformer, which starts as a copy of the policy's; the policy then keeps its weights.
    """

    def __init__(self, policy: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, context: int) -> None:
        super().__init__()
        self.policy = policy
        self.tokenizer = tokenizer
        self.context = context
        self.heads: Heads | None = None
        self.value_trunk: nn.Module | None = None
        roles = role_ids(tokenizer)
        self.pad_id, self.end_id = roles[PAD], roles[END]
        self.role_ids = roles

    @property
    def width(self) -> int:
        """Size of the hidden states."""
        return int(self.policy.config.hidden_size)

    @property
    def from_scratch(self) -> bool:
        """Whether the policy began with random weights; its configuration says so, in a checkpoint too."""
        return bool(getattr(self.policy.config, "from_scratch", False))

    @property
    def vocabulary(self) -> int:
        """Rows of the output layer (a backbone may have more than its tokenizer has tokens)."""
        return rows(self.policy.get_output_embeddings())

    def add_heads(self, hidden: int = 0, trunk: str = "shared", actions: Tensor | None = None) -> ValueHeads:
        """Puts fresh value heads on the model; the caller seeds torch. ``actions``: token ids that they value."""
        self.drop_heads()
        if trunk == "separate":
            self._copy_trunk()
        self.heads = heads = ValueHeads(self.width, self.vocabulary, hidden, actions)
        return heads

    def add_likelihood(self, extraction: Extraction, targets: bool = True) -> LikelihoodHeads:
        """Puts a copy of the whole policy on the model, whose probabilities shall become values."""
        from dialog_envs.agents.likelihood import LikelihoodHeads

        self.drop_heads()
        trunk = self._copy_trunk()
        output = self.policy.get_output_embeddings()
        self.heads = heads = LikelihoodHeads(output, trunk if targets else None, extraction)
        return heads

    def drop_heads(self) -> None:
        """Leaves the language model alone, all of it free to learn."""
        self.heads, self.value_trunk = None, None
        self.free_policy()

    def free_policy(self) -> None:
        """Lets the policy learn: all of it, or its adapters and embeddings."""
        free(self.policy)

    def merge_adapters(self) -> None:
        """Makes LoRA's adapters part of the matrices, in place."""
        merge_lora(self)

    def _copy_trunk(self) -> nn.Module:
        """A separate value trunk, which starts as the policy's; the policy then keeps its weights."""
        self.value_trunk = trunk = copy.deepcopy(self.policy.base_model)
        self.policy.requires_grad_(False)
        return trunk

    def states(self, ids: Tensor, positions: Tensor) -> Tensor:
        """The policy's hidden states at flat positions: ids (batch, time), positions (N,) -> (N, width)."""
        return _hidden(self.policy.base_model, ids)[positions]

    def value_states(self, ids: Tensor, positions: Tensor) -> Tensor:
        """What the value heads read at flat positions, in a model with a separate trunk: (N, width)."""
        if self.value_trunk is None:
            return self.states(ids, positions)
        return _hidden(self.value_trunk, ids)[positions]

    def logits(self, states: Tensor) -> Tensor:
        """The policy's logits: (N, width) -> (N, vocabulary)."""
        logits: Tensor = self.policy.get_output_embeddings()(states)
        return logits


def _hidden(trunk: nn.Module, ids: Tensor) -> Tensor:
    """Hidden states of right-padded sequences, flattened: (batch, time) -> (batch * time, width)."""
    hidden = trunk(input_ids=ids, use_cache=False).last_hidden_state  # (batch, time, width)
    return hidden.flatten(0, 1)


def build_model(
    config: ModelConfig, texts: Iterable[str], special_tokens: Sequence[str] = ()
) -> DialogueModel:
    """A new model: small and random, or a backbone with its own weights. The caller seeds torch.

    Args:
        config: the shape, or the backbone's name.
        texts: what the small model's tokenizer is trained on.
        special_tokens: of the task's view.

    Raises:
        CheckpointError: the backbone cannot be loaded.
    """
    policy, tokenizer = load_backbone(config, texts, special_tokens)
    longest = getattr(policy.config, "max_position_embeddings", None) or config.context
    model = DialogueModel(policy, tokenizer, min(config.context, int(longest)))
    if config.lora_rank:
        add_lora(policy, config.lora_rank)
    return model
