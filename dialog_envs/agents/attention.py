"""Causal attention for training in bf16 on the CPU.

Torch's own (flash) kernel saves memory, which short dialogues have enough of, and pays for it: at 200 tokens and heads
of 32 units its backward pass alone takes a third of a training step of the default model. Written out as batched
matrix products and softmaxes over blocks of queries, which make few of the scores that no query may see, attention is
faster in bf16; in fp32 little is gained.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

if TYPE_CHECKING:
    from dialog_envs.agents.language_model import DialogueModel

NAME = "dialog_envs_causal"
LARGEST = 1 << 24
"""Scores of one layer (batch * heads * time^2) that are written out; more go to torch's kernel."""
BLOCK = 128
"""Queries that go together."""


class _Causal(torch.autograd.Function):
    """Queries go in blocks, so that half of the scores, which no query may see, are never made."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        device, time = query.device.type, query.shape[-2]
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else query.dtype
        query, key, value = (query * scale).to(dtype), key.to(dtype), value.to(dtype)
        later = torch.ones(BLOCK, BLOCK, dtype=torch.bool, device=device).triu_(1)
        outs, shares = [], []
        for begin in range(0, time, BLOCK):
            end = min(begin + BLOCK, time)
            scores = query[..., begin:end, :] @ key[..., :end, :].transpose(
                -1, -2
            )  # (batch, heads, block, end)
            scores[..., begin:].masked_fill_(later[: end - begin, : end - begin], -torch.inf)
            shares.append(torch.softmax(scores, dim=-1))
            outs.append(shares[-1] @ value[..., :end, :])
        ctx.save_for_backward(query, key, value, *shares)
        ctx.scale = scale
        return torch.cat(outs, dim=-2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, *shares = ctx.saved_tensors
        slope = slope.to(query.dtype)
        to_query, to_key, to_value = [], torch.zeros_like(key), torch.zeros_like(value)
        for block, share in enumerate(shares):
            begin, end = block * BLOCK, share.shape[-1]
            arriving = slope[..., begin:end, :]
            through = torch._softmax_backward_data(
                arriving @ value[..., :end, :].transpose(-1, -2), share, -1, share.dtype
            )
            to_query.append(through @ key[..., :end, :])
            to_key[..., :end, :] += through.transpose(-1, -2) @ query[..., begin:end, :]
            to_value[..., :end, :] += share.transpose(-1, -2) @ arriving
        return torch.cat(to_query, dim=-2).mul_(ctx.scale), to_key, to_value, None


def causal_attention(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None,
    scaling: float | None = None, dropout: float = 0.0, **_: Any,
) -> tuple[Tensor, None]:  # fmt: skip
    """In the form that transformers asks for: (batch, heads, time, width) each -> (batch, time, heads, width).

    Dialogues are padded on the right, so there is no mask but the causal one.
    """
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    scores = query.shape[0] * query.shape[1] * query.shape[2] ** 2
    if attention_mask is not None or dropout or scores > LARGEST or query.shape[2] != key.shape[2]:
        out = torch.nn.functional.scaled_dot_product_attention(
            query, key, value, attention_mask, dropout, is_causal=attention_mask is None, scale=scale
        )
    else:
        out = _Causal.apply(query, key, value, scale)
    return out.transpose(1, 2).contiguous(), None


@contextlib.contextmanager
def training_attention(model: DialogueModel, device: str, dtype: torch.dtype | None) -> Iterator[None]:
    """Lets the model's trunks attend in this way for a block, if they would use torch's kernel in bf16 on the CPU."""
    from transformers import AttentionInterface, PreTrainedModel

    AttentionInterface.register(NAME, causal_attention)
    trunks = [part for part in model.modules() if isinstance(part, PreTrainedModel)]
    slow = device == "cpu" and dtype is not None
    chosen = [
        part
        for part in trunks
        if slow and part.config._attn_implementation == "sdpa" and _sees_all(part, model.context)
    ]
    for part in chosen:
        part.config._attn_implementation = NAME
    try:
        yield
    finally:
        for part in chosen:
            part.config._attn_implementation = "sdpa"


def _sees_all(trunk: Any, time: int) -> bool:
    """Whether a query sees all before it at this length: transformers makes no mask for attention of others."""
    windows = (getattr(trunk.config, name, None) for name in ("sliding_window", "attention_chunk_size"))
    return all(window is None or window >= time for window in windows)
