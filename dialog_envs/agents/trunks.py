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


class Fresh:
    """New tokens of a batch of rows.

    Args:
        ids: (rows, new), padded on the right with anything.
        starts: position of each row's first new token, (rows,).
        counts: how many are new, (rows,), at least one each.
        width: tokens that attention looks at: the largest of ``starts`` + ``new``, or more.
    """

    def __init__(self, ids: Tensor, starts: Tensor, counts: Tensor, width: int) -> None:
        self.ids, self.counts, self.width = ids, counts, width
        self.rows, self.new = ids.shape
        self.row = torch.arange(self.rows, device=ids.device)
        self.offset = torch.arange(self.new, device=ids.device)
        self.positions = starts[:, None] + self.offset  # (rows, new)

    def last(self) -> Fresh:
        """Only the last new token of each row."""
        at = self.counts - 1
        ids = self.ids[self.row, at][:, None]
        return Fresh(ids, self.positions[self.row, at], torch.ones_like(self.counts), self.width)

    def mask(self, dtype: torch.dtype) -> Tensor:
        """What a token sees: all that stands no later than itself. Added to scores, (rows, 1, new, width)."""
        hidden = torch.arange(self.width, device=self.ids.device) > self.positions[:, None, :, None]
        shown = torch.zeros(hidden.shape, dtype=dtype, device=self.ids.device)
        return shown.masked_fill_(hidden, torch.finfo(dtype).min)


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

    def read(self, fresh: Fresh) -> Tensor:
        """Hidden states of the last new token of each row, (rows, width of the model)."""
        cache = BufferedCache(self.buffer, fresh.rows, fresh.positions, fresh.width)
        hidden: Tensor = self.trunk(
            input_ids=fresh.ids,
            position_ids=fresh.positions.clamp(
                max=self._positions - 1
            ),  # padding may stand behind the last one
            attention_mask=fresh.mask(next(self.trunk.parameters()).dtype),
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
        return hidden[fresh.row, fresh.counts - 1]


class NeoXReader(Reader):
    """Reads tokens with the small model, as ``GPTNeoXModel.forward`` does, without arithmetic on padding.

    The last layer makes keys and values of all new tokens, and everything else of each row's last one.
    """

    def __init__(self, trunk: GPTNeoXModel) -> None:
        super().__init__(trunk)
        self.heads = int(self.config.num_attention_heads)
        self.size = int(self.config.hidden_size) // self.heads
        self._waves: tuple[Tensor, Tensor] | None = None

    def read(self, fresh: Fresh) -> Tensor:
        """See :meth:`Reader.read`."""
        trunk: Any = self.trunk
        at = _places(fresh)
        x = F.embedding(fresh.ids[at], trunk.embed_in.weight)  # (N, width of the model)
        final = len(trunk.layers) - 1
        cos, sin = self._rotation(fresh, x)
        mask = fresh.mask(x.dtype)
        for index, layer in enumerate(trunk.layers):
            query = self._project(index, layer, x, fresh, at, cos, sin)
            if index == final and fresh.new > 1:
                x, query = x[_ends(fresh)], query[_ends(fresh)]
                fresh = fresh.last()
                at, mask = _places(fresh), fresh.mask(x.dtype)
            said = self._attend(index, layer, query, fresh, at, mask)
            if layer.use_parallel_residual:
                x = _mlp(layer.mlp, _norm(layer.post_attention_layernorm, x)) + said + x
            else:
                x = said + x
                x = _mlp(layer.mlp, _norm(layer.post_attention_layernorm, x)) + x
        return _norm(trunk.final_layer_norm, x)

    def _project(
        self,
        index: int,
        layer: Any,
        x: Tensor,
        fresh: Fresh,
        at: tuple[Tensor, Tensor],
        cos: Tensor,
        sin: Tensor,
    ) -> Tensor:
        """Writes keys and values of the new tokens; returns their queries, (N, heads, size)."""
        attention = layer.attention
        normed = _norm(layer.input_layernorm, x)
        qkv = F.linear(normed, attention.query_key_value.weight, attention.query_key_value.bias)
        qkv = qkv.view(len(x), self.heads, 3, self.size)
        first, second = qkv[:, :, :2].chunk(2, dim=-1)
        turned = qkv[:, :, :2] * cos + torch.cat((-second, first), dim=-1) * sin  # (N, heads, 2, size)
        keys, values = self.buffer.layer(index, turned[None, :, :, 1])
        place = at[0], fresh.positions[at]
        keys[place], values[place] = turned[:, :, 1], qkv[:, :, 2]
        return turned[:, :, 0]

    def _attend(
        self, index: int, layer: Any, query: Tensor, fresh: Fresh, at: tuple[Tensor, Tensor], mask: Tensor
    ) -> Tensor:
        """What the new tokens make of all before them, (N, width of the model)."""
        attention = layer.attention
        keys, values = self.buffer.layer(index, query[None])[:, : fresh.rows, : fresh.width].transpose(2, 3)
        if fresh.new == 1:
            query = query.unsqueeze(2)
        else:
            spread = query.new_zeros(fresh.rows, fresh.new, self.heads, self.size)
            spread[at] = query
            query = spread.transpose(1, 2)
        seen = F.scaled_dot_product_attention(query, keys, values, mask, scale=attention.scaling)
        seen = seen.transpose(1, 2)[at].flatten(1)
        return F.linear(seen, attention.dense.weight, attention.dense.bias)

    def _rotation(self, fresh: Fresh, like: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine at the new tokens, (N, 1, 1, size) each."""
        if self._waves is None or len(self._waves[0]) < fresh.width or self._waves[0].device != like.device:
            positions = torch.arange(max(self._positions % (1 << 30), fresh.width), device=like.device)
            trunk: Any = self.trunk
            cos, sin = trunk.rotary_emb(like, positions[None])
            self._waves = cos[0], sin[0]
        place = fresh.positions[_places(fresh)]
        cos, sin = (wave[place][:, None, None] for wave in self._waves)
        return cos, sin


def _places(fresh: Fresh) -> tuple[Tensor, Tensor]:
    """Row and offset of the new tokens, without padding, (N,) each."""
    if fresh.new == 1:
        return fresh.row, torch.zeros_like(fresh.row)
    row, offset = (fresh.offset < fresh.counts[:, None]).nonzero(as_tuple=True)
    return row, offset


def _ends(fresh: Fresh) -> Tensor:
    """Which of the new tokens are the last of their rows, (rows,)."""
    return fresh.counts.cumsum(0) - 1


def _norm(layer: nn.LayerNorm, x: Tensor) -> Tensor:
    return F.layer_norm(x, layer.normalized_shape, layer.weight, layer.bias, layer.eps)


def _mlp(mlp: Any, x: Tensor) -> Tensor:
    inner = F.linear(x, mlp.dense_h_to_4h.weight, mlp.dense_h_to_4h.bias)
    return F.linear(mlp.act(inner), mlp.dense_4h_to_h.weight, mlp.dense_4h_to_h.bias)


_PLAIN = (nn.Linear, nn.LayerNorm, nn.Embedding)
"""Modules whose weights :class:`NeoXReader` uses. Beside others, such as adapters, stand weights that it would miss."""


def reader_for(trunk: nn.Module) -> Reader | None:
    """What reads with this trunk; None where a token does not attend to everything before it."""
    from transformers import GPTNeoXModel

    config: Any = trunk.config
    if type(trunk) is GPTNeoXModel:
        whole = float((config.rope_parameters or {}).get("partial_rotary_factor", 1.0)) == 1.0
        plain = trunk.rotary_emb.rope_type == "default" and config._attn_implementation == "sdpa"
        plain = plain and all(type(m) in _PLAIN or not list(m.parameters(False)) for m in trunk.modules())
        return NeoXReader(trunk) if whole and plain else Reader(trunk)
    kinds = getattr(config, "layer_types", None)
    if kinds is not None and set(kinds) != {"full_attention"}:
        return None
    if kinds is None and getattr(config, "sliding_window", None):
        return None
    known = hasattr(config, "num_hidden_layers") and hasattr(config, "num_attention_heads")
    return Reader(trunk) if known and trunk._supports_attention_backend else None
