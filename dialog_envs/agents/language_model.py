"""A causal language model that speaks as the agent, with optional value heads.

The default is a stack of GPT-2's blocks of about one million parameters, trained from scratch: it learns a task's
dialogues in minutes on two cores. Any causal language model of transformers can take its place (``backbone``).
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from dialog_envs.agents.tokenizer import END, PAD, extend_tokenizer, role_ids, train_tokenizer
from dialog_envs.agents.value_heads import Heads, ValueHeads
from dialog_envs.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from dialog_envs.agents.likelihood import Extraction, LikelihoodHeads

SMALL = "small"


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The model's shape.

    ``layers``, ``width``, ``attention_heads`` and ``vocabulary`` describe the small model and are not read if
    ``backbone`` names a model of the Hugging Face hub, or a folder with one.
    """

    backbone: str = SMALL
    layers: int = 4
    width: int = 128
    attention_heads: int = 4
    vocabulary: int = 1024
    context: int = 1024
    """Longest sequence in tokens, at training and at play. The oldest tokens of longer dialogues are left out."""


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
    def vocabulary(self) -> int:
        """Rows of the output layer (a backbone may have more than its tokenizer has tokens)."""
        return _rows(self.policy.get_output_embeddings())

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
        self.policy.requires_grad_(True)

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


def _rows(layer: nn.Module) -> int:
    weight = layer.weight
    assert isinstance(weight, Tensor)
    return int(weight.shape[0])


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
    if config.backbone == SMALL:
        tokenizer = train_tokenizer(texts, config.vocabulary, special_tokens)
        return DialogueModel(_small(config, tokenizer), tokenizer, config.context)
    policy, tokenizer = _backbone(config.backbone)
    extend_tokenizer(tokenizer, special_tokens)
    if len(tokenizer) > _rows(policy.get_input_embeddings()):
        policy.resize_token_embeddings(len(tokenizer))
    longest = getattr(policy.config, "max_position_embeddings", None) or config.context
    return DialogueModel(policy, tokenizer, min(config.context, int(longest)))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' progress bars, which would run through the trainer's own."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _small(config: ModelConfig, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """GPT-2's blocks with rotary positions (the GPT-NeoX shape), without dropout: it sees a dialogue a few times only.

    Learned absolute positions, as in GPT-2 itself, must learn "three tokens back" anew at every position. On the
    corridor of the tests values came out right after 264 steps with rotary positions, and not at all without.
    """
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    ids = role_ids(tokenizer)
    return GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=len(tokenizer), hidden_size=config.width, num_hidden_layers=config.layers,
            num_attention_heads=config.attention_heads, intermediate_size=4 * config.width,
            max_position_embeddings=config.context, tie_word_embeddings=True,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0},
            initializer_range=config.width**-0.5,  # the default, 0.02, suits widths of 1,000 and learns slowly at 128
            hidden_act="gelu_pytorch_tanh", attention_dropout=0.0, hidden_dropout=0.0,
            bos_token_id=ids[END], eos_token_id=ids[END], pad_token_id=ids[PAD],
        )
    )  # fmt: skip


def _backbone(name: str) -> tuple[PreTrainedModel, Any]:
    """A causal language model and its tokenizer, by hub id or folder."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(name)
            policy = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CheckpointError(
            f"the backbone '{name}' cannot be loaded ({reason}): give a folder or a hub id that transformers can "
            "load as a causal language model, or leave --backbone out for the small built-in one."
        ) from error
    return policy, tokenizer
