"""Reading new tokens of dialogues with a trunk: through transformers, or for the small model with fewer steps.

A trunk of the small default model is read by the same operations as transformers does, written out: a forward through
its modules spends more time in Python than in arithmetic when a batch adds one token a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dialog_envs.agents.kv_cache import Buffer, BufferedCache

if TYPE_CHECKING:
    from transformers import GPTNeoXModel


class Reader:
    """Reads tokens with any trunk of transformers that attends to everything before a token.

    Args:
        trunk: in eval mode.
    """

    def __init__(self, trunk: nn.Module) -> None:
        self.trunk = trunk
        self.config: Any = trunk.config
        self.buffer = Buffer()
        self._positions = int(getattr(self.config, "max_position_embeddings", 0) or 1 << 30)

    def reserve(self, rows: int, time: int) -> None:
        """Room for a new batch."""
        self.buffer.reserve(int(self.config.num_hidden_layers), rows, time)

    def read(self, ids: Tensor, starts: Tensor, width: int) -> Tensor:
        """Hidden states of new tokens, (rows, new, width of the model).

        Args:
            ids: (rows, new), padded on the right with anything.
            starts: position of each row's first new token, (rows,).
            width: the largest of ``starts`` + new.
        """
        positions = starts[:, None] + torch.arange(ids.shape[1], device=ids.device)
        cache = BufferedCache(self.buffer, len(ids), positions, width)
        mask = _mask(positions, width, next(self.trunk.parameters()).dtype)
        hidden: Tensor = self.trunk(
            input_ids=ids,
            position_ids=positions.clamp(
                max=self._positions - 1
            ),  # padding may stand behind the last position
            attention_mask=mask,
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
        return hidden


class NeoXReader(Reader):
    """Reads tokens with the small model, as ``GPTNeoXModel.forward`` does."""

    trunk: GPTNeoXModel

    def __init__(self, trunk: GPTNeoXModel) -> None:
        super().__init__(trunk)
        self.heads = int(self.config.num_attention_heads)
        self.size = int(self.config.hidden_size) // self.heads
        self._waves: tuple[Tensor, Tensor] | None = None

    def read(self, ids: Tensor, starts: Tensor, width: int) -> Tensor:
        """See :meth:`Reader.read`."""
        rows, new = ids.shape
        trunk = self.trunk
        x = F.embedding(ids, trunk.embed_in.weight).view(rows * new, -1)
        positions = starts[:, None] + torch.arange(new, device=ids.device)
        cos, sin = self._rotation(width, x)
        at = positions.view(-1)
        cos, sin = cos[at].view(rows, new, 1, 1, -1), sin[at].view(rows, new, 1, 1, -1)
        mask = _mask(positions, width, x.dtype)
        row = torch.arange(rows, device=ids.device)[:, None]
        for index, layer in enumerate(trunk.layers):
            attention = layer.attention
            normed = _norm(layer.input_layernorm, x)
            qkv = F.linear(normed, attention.query_key_value.weight, attention.query_key_value.bias)
            qkv = qkv.view(rows, new, self.heads, 3, self.size)
            turned = _turn(qkv[:, :, :, :2], cos, sin)  # (rows, new, heads, 2, size)
            data = self.buffer.layer(index, turned[:, :, :, 1])
            data[0][row, positions] = turned[:, :, :, 1]
            data[1][row, positions] = qkv[:, :, :, 2]
            keys, values = data[:, :rows, :width].transpose(2, 3)
            query = turned[:, :, :, 0].transpose(1, 2)
            seen = F.scaled_dot_product_attention(query, keys, values, mask, scale=attention.scaling)
            seen = seen.transpose(1, 2).reshape(rows * new, -1)
            said = F.linear(seen, attention.dense.weight, attention.dense.bias)
            if layer.use_parallel_residual:
                x = _mlp(layer.mlp, _norm(layer.post_attention_layernorm, x)) + said + x
            else:
                x = said + x
                x = _mlp(layer.mlp, _norm(layer.post_attention_layernorm, x)) + x
        return _norm(trunk.final_layer_norm, x).view(rows, new, -1)

    def _rotation(self, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine of every position up to ``width``, (positions, size) each."""
        if self._waves is None or len(self._waves[0]) < width or self._waves[0].device != like.device:
            longest = max(self._positions if self._positions < 1 << 30 else 0, width)
            positions = torch.arange(longest, device=like.device)[None]
            cos, sin = self.trunk.rotary_emb(like, positions)
            self._waves = cos[0], sin[0]
        return self._waves


def _mask(positions: Tensor, width: int, dtype: torch.dtype) -> Tensor:
    """What a token sees: all that stands no later than itself. Added to scores, (rows, 1, new, width)."""
    hidden = torch.arange(width, device=positions.device) > positions[:, None, :, None]
    return torch.zeros(hidden.shape, dtype=dtype, device=positions.device).masked_fill_(
        hidden, torch.finfo(dtype).min
    )


def _norm(layer: nn.LayerNorm, x: Tensor) -> Tensor:
    return F.layer_norm(x, layer.normalized_shape, layer.weight, layer.bias, layer.eps)


def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


def _mlp(mlp: Any, x: Tensor) -> Tensor:
    inner = F.linear(x, mlp.dense_h_to_4h.weight, mlp.dense_h_to_4h.bias)
    return F.linear(mlp.act(inner), mlp.dense_4h_to_h.weight, mlp.dense_4h_to_h.bias)


def reader_for(trunk: nn.Module) -> Reader | None:
    """What reads with this trunk; None where a token does not attend to everything before it."""
    from transformers import GPTNeoXModel

    config: Any = trunk.config
    if type(trunk) is GPTNeoXModel:
        whole = float((config.rope_parameters or {}).get("partial_rotary_factor", 1.0)) == 1.0
        plain = trunk.rotary_emb.rope_type == "default" and config._attn_implementation == "sdpa"
        return NeoXReader(trunk) if whole and plain else Reader(trunk)
    kinds = getattr(config, "layer_types", None)
    if kinds is not None and set(kinds) != {"full_attention"}:
        return None
    if kinds is None and getattr(config, "sliding_window", None):
        return None
    known = hasattr(config, "num_hidden_layers") and hasattr(config, "num_attention_heads")
    return Reader(trunk) if known and trunk._supports_attention_backend else None
