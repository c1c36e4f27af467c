"""Where a policy's weights come from: a small model from scratch, the embedded one, or any of transformers'.

=================  ==================================================================================================
``small``          GPT-2's blocks with rotary positions, about one million parameters, random
``embedded``       SmolLM2-135M-Instruct from the package that carries it for the simulators; no network
a folder           a checkpoint of ours, or what ``save_pretrained`` wrote
anything else      an id of the Hugging Face hub
=================  ==================================================================================================

Code that comes with a model is never run, and weights are read in full precision.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dialog_envs.agents.tokenizer import END, PAD, extend_tokenizer, role_ids, train_tokenizer
from dialog_envs.errors import CheckpointError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from dialog_envs.agents.language_model import ModelConfig
    from dialog_envs.simulators.llm.gguf_file import GgufFile

SMALL, EMBEDDED = "small", "embedded"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' progress bars and notes, which would run through the trainer's own."""
    from transformers.utils import logging

    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()


def load_backbone(
    config: ModelConfig, texts: Iterable[str], special_tokens: Sequence[str]
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A causal language model and its tokenizer, which knows the role tokens. The caller seeds torch.

    Args:
        config: names the backbone, or gives the small one's shape.
        texts: what the small model's tokenizer is trained on.
        special_tokens: of the task's view.

    Raises:
        CheckpointError: the backbone cannot be loaded.
        ModelUnavailable: the embedded model is not installed.
    """
    if config.backbone == SMALL:
        own = train_tokenizer(texts, config.vocabulary, special_tokens)
        return _small(config, own), own
    policy, tokenizer = _embedded() if config.backbone == EMBEDDED else _pretrained(config.backbone)
    extend_tokenizer(tokenizer, special_tokens)
    _grow(policy, len(tokenizer))
    return policy, tokenizer


@torch.no_grad()
def _grow(policy: PreTrainedModel, vocabulary: int) -> None:
    """Makes room for new tokens, each near the mean of the old ones: a token far from all would shout at first.

    Torch is seeded. Transformers can do so by itself, but factorises the covariance of all embeddings for it.
    """
    known = rows(policy.get_input_embeddings())
    if vocabulary <= known:
        return
    with quiet():
        policy.resize_token_embeddings(vocabulary, mean_resizing=False)
    ends = (policy.get_input_embeddings(), policy.get_output_embeddings())
    weights: dict[int, Any] = {id(layer.weight): layer.weight for layer in ends}
    for weight in weights.values():  # one if they are tied
        old = weight[:known]
        weight[known:] = old.mean(0) + 0.1 * old.std() * torch.randn_like(weight[known:])


def rows(layer: torch.nn.Module) -> int:
    """Of an embedding or an output layer: its vocabulary."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    return int(weight.shape[0])


def _small(config: ModelConfig, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """GPT-2's blocks with rotary positions (the GPT-NeoX shape), without dropout: it sees a dialogue a few times only.

    Learned absolute positions, as in GPT-2 itself, must learn "three tokens back" anew at every position. On the
    corridor of the tests values came out right after 264 steps with rotary positions, and not at all without.
    """
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    ids = role_ids(tokenizer)
    own: dict[str, Any] = {"from_scratch": True}  # for the optimiser, in later trainings too
    return GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=len(tokenizer), hidden_size=config.width, num_hidden_layers=config.layers,
            num_attention_heads=config.attention_heads, intermediate_size=4 * config.width,
            max_position_embeddings=config.context, tie_word_embeddings=True,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0},
            initializer_range=config.width**-0.5,  # the default, 0.02, suits widths of 1,000 and learns slowly at 128
            hidden_act="gelu_pytorch_tanh", attention_dropout=0.0, hidden_dropout=0.0,
            bos_token_id=ids[END], eos_token_id=ids[END], pad_token_id=ids[PAD], **own,
        )
    )  # fmt: skip


def _pretrained(name: str) -> tuple[PreTrainedModel, Any]:
    """A causal language model and its tokenizer, by hub id or folder."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(name)
            policy = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32, use_safetensors=True)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CheckpointError(
            f"the backbone '{name}' cannot be loaded ({reason}): give a folder or a hub id that transformers can "
            "load as a causal language model, 'embedded', or leave --backbone out for the small built-in one."
        ) from error
    return policy, tokenizer


# ---- the embedded model ----------------------------------------------------------------------------------------------


def _embedded() -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """SmolLM2-135M-Instruct as transformers' Llama, its four-bit weights unpacked.

    Raises:
        ModelUnavailable: the package that carries the file is missing.
    """
    from dialog_envs.simulators.llm.embedded_file import checked_model_file
    from dialog_envs.simulators.llm.gguf_file import GgufFile

    file = GgufFile(checked_model_file())
    return llama_from_gguf(file), tokenizer_from_gguf(file.metadata)


def llama_from_gguf(file: GgufFile) -> PreTrainedModel:
    """A Llama of transformers with a GGUF file's weights, in full precision; the output layer is the embedding's.

    Raises:
        CheckpointError: the file holds another kind of model.
    """
    from transformers import LlamaConfig as Shape
    from transformers import LlamaForCausalLM
    from transformers.initialization import no_init_weights

    from dialog_envs.simulators.llm.llama import LlamaConfig

    try:
        shape = LlamaConfig.from_gguf(file.metadata)
        vocabulary = len(file.metadata["tokenizer.ggml.tokens"])
        feed, context = (int(file.metadata[f"llama.{k}"]) for k in ("feed_forward_length", "context_length"))
        weights = _llama_weights(file, shape)
    except KeyError as error:
        raise CheckpointError(f"'{file.path}' holds no Llama model ({error} is missing).") from error
    with quiet(), no_init_weights():
        model = LlamaForCausalLM(
            Shape(
                vocab_size=vocabulary, hidden_size=shape.width, intermediate_size=feed, num_hidden_layers=shape.layers,
                num_attention_heads=shape.heads, num_key_value_heads=shape.kv_heads, rms_norm_eps=shape.epsilon,
                max_position_embeddings=context, tie_word_embeddings=True,
                rope_parameters={"rope_type": "default", "rope_theta": shape.rope_base},
                bos_token_id=file.metadata.get("tokenizer.ggml.bos_token_id"),
                eos_token_id=file.metadata.get("tokenizer.ggml.eos_token_id"),
            )
        )  # fmt: skip
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    model.load_state_dict(weights)
    return model


_NAMES = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}  # fmt: skip
"""GGUF's names of a layer's weights -> transformers'."""


def _llama_weights(file: GgufFile, shape: Any) -> dict[str, Tensor]:
    """The weights under transformers' names."""

    def read(name: str) -> Tensor:
        return torch.from_numpy(file.tensor(f"{name}.weight"))

    def ordered(weight: Tensor, heads: int) -> Tensor:
        # llama.cpp puts rotary pairs side by side; transformers wants them half a head apart
        split = weight.reshape(heads, shape.head_width // 2, 2, shape.width)
        return split.transpose(1, 2).reshape(weight.shape)

    result = {"model.embed_tokens.weight": read("token_embd"), "model.norm.weight": read("output_norm")}
    for layer in range(shape.layers):
        for theirs, ours in _NAMES.items():
            weight = read(f"blk.{layer}.{theirs}")
            if theirs in ("attn_q", "attn_k"):
                weight = ordered(weight, shape.heads if theirs == "attn_q" else shape.kv_heads)
            result[f"model.layers.{layer}.{ours}.weight"] = weight
    return result


_CONTROL = 3  # GGUF's token type for special tokens


def tokenizer_from_gguf(metadata: Mapping[str, Any]) -> PreTrainedTokenizerBase:
    """The byte-level BPE tokenizer in a GGUF file of SmolLM2's kind (digits apart), as one of transformers."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words: list[str] = metadata["tokenizer.ggml.tokens"]
    merges = [tuple(pair.split(" ")) for pair in metadata["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=merges))
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(False)])
    tokenizer.decoder = decoders.ByteLevel()
    kinds: list[int] = metadata["tokenizer.ggml.token_type"]
    special = [word for word, kind in zip(words, kinds, strict=True) if kind == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(word, normalized=False, special=True) for word in special])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False)
