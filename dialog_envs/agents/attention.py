"""Causal attention for training in bf16 on the CPU.

Torch's own (flash) kernel saves memory, which short dialogues have enough of, and pays for it: at 200 tokens and heads
of 32 units its backward pass alone takes a third of a training step of the default model. Written out as batched
matrix products and one softmax, a step in bf16 takes two thirds of the time; in fp32 nothing is gained.
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


class _Causal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        device, time = query.device.type, query.shape[-2]
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else query.dtype
        query, key, value = query.to(dtype), key.to(dtype), value.to(dtype)
        scores = (query @ key.transpose(-1, -2)).float().mul_(scale)  # (batch, heads, time, time)
        later = torch.ones(time, time, dtype=torch.bool, device=device).triu_(1)
        share = torch.softmax(scores.masked_fill_(later, -torch.inf), dim=-1).to(dtype)
        ctx.save_for_backward(query, key, value, share)
        ctx.scale = scale
        return share @ value

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, share = ctx.saved_tensors
        slope = slope.to(share.dtype)
        through = torch._softmax_backward_data(slope @ value.transpose(-1, -2), share, -1, share.dtype)
        through = through.mul_(ctx.scale)
        return through @ key, through.transpose(-1, -2) @ query, share.transpose(-1, -2) @ slope, None


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
    chosen = [part for part in trunks if slow and part.config._attn_implementation == "sdpa"]
    for part in chosen:
        part.config._attn_implementation = NAME
    try:
        yield
    finally:
        for part in chosen:
            part.config._attn_implementation = "sdpa"
