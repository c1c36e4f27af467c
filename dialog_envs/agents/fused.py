"""A large output layer and its loss in one: the logits are made, used and turned into gradients a few rows at a time.

Plainly written, the loss of a Q head makes (N, vocabulary) logits, a copy for the softmax, and both again as
gradients. Here every chunk of rows lives in one buffer: products, then their exponentials, then the gradient, all in
place; the gradients of features and weights are added up at once, and backward only hands them on.

Only the taken tokens' values enter the temporal difference. They and their gradients are always computed in the
features' own precision; the rest of a row serves the normaliser alone, for which bf16 products suffice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from dialog_envs.agents.losses import Parts
from dialog_envs.agents.value_heads import Head, ValueHeads

BUFFER = 1 << 24
"""Elements of the buffer of logits: 64 MB in fp32."""
FEWEST_ROWS = 128
"""Matrix products of fewer rows are slow."""


class Fused(NamedTuple):
    """What a fused layer says of N rows."""

    loss: Tensor
    """``td_weight * td + ce_weight * ce``: a scalar with gradient."""
    td: Tensor
    """``mean (goal - value)^2``, without gradient."""
    ce: Tensor
    """``mean weight * (logsumexp(logits) - value)``, without gradient; 0 where its weight is."""
    taken: Tensor
    """(N,) values of the columns taken, without gradient."""


def fused_head(
    features: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    columns: Tensor,
    goal: Tensor | None,
    td_weight: float,
    ce_weight: float,
    dtype: torch.dtype | None = None,
    weights: Tensor | None = None,
) -> Fused:
    """The loss of a linear layer whose output at one column a row shall meet a goal, and stand out from the others.

    Args:
        features: (N, hidden).
        weight: (outputs, hidden).
        bias: (outputs,) or None.
        columns: (N,) column of each row.
        goal: (N,), without gradient; None where ``td_weight`` is 0.
        td_weight: weight of the squared distance to the goal.
        ce_weight: weight of the cross-entropy. At 0 no other column than the taken one is computed.
        dtype: of the large products; None is that of the features.
        weights: (N,), without gradient: what each row's cross-entropy counts; None is 1.
    """
    learns = torch.is_grad_enabled()
    return Fused(
        *_FusedHead.apply(
            features, weight, bias, columns, goal, weights, (td_weight, ce_weight, dtype, learns)
        )
    )


class _FusedHead(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor | None, columns: Tensor, goal: Tensor | None,
        weights: Tensor | None, settings: tuple[float, float, torch.dtype | None, bool],
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
        td_weight, ce_weight, dtype, learns = settings
        n = max(1, len(columns))
        with torch.autocast(features.device.type, enabled=False):
            taken_weight = weight[columns]  # (N, hidden)
            taken = (features * taken_weight).sum(-1)
            if bias is not None:
                taken = taken + bias[columns]
            td = (goal - taken).square().mean() if goal is not None else taken.new_zeros(())
            grads = _Gradients(features, weight, bias) if learns else None
            ce = taken.new_zeros(())
            pull = torch.full_like(taken, ce_weight / n) if weights is None else weights * (ce_weight / n)
            if ce_weight:
                rows = _normalisers(features, weight, bias, pull, dtype, grads) - taken
                ce = rows.mean() if weights is None else (weights * rows).mean()
            if grads is not None:
                slope = -pull
                if goal is not None:
                    slope += (2.0 * td_weight / n) * (taken - goal)
                grads.add_taken(slope, features, taken_weight, columns)
                ctx.grads = grads
            ctx.mark_non_differentiable(td, ce, taken)
            return td_weight * td + ce_weight * ce, td, ce, taken

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        grads: _Gradients = ctx.grads
        ctx.grads = None  # scaled in place: good for once
        if slope.device.type != "cpu" or float(slope) != 1.0:
            for grad in (grads.features, grads.weight, grads.bias):
                if grad is not None:
                    grad.mul_(slope.to(grad.dtype))
        return grads.features, grads.weight, grads.bias, None, None, None, None


class _Gradients:
    """Gradients of one layer, added up chunk by chunk. Empty until the first one: a buffer need not be zeroed."""

    def __init__(self, features: Tensor, weight: Tensor, bias: Tensor | None) -> None:
        self.features = torch.empty_like(features)
        self.weight = torch.empty_like(weight)
        self.bias = torch.empty_like(bias) if bias is not None else None
        self.filled = False

    def add_rows(self, rows: slice, slope: Tensor, features: Tensor, weight: Tensor) -> None:
        """Adds what a chunk's gradient (rows, outputs) means for features and weights, all of one type."""
        if slope.dtype == self.weight.dtype:
            torch.mm(slope, weight, out=self.features[rows])
            self.weight.addmm_(slope.T, features, beta=1.0 if self.filled else 0.0)
        else:
            self.features[rows] = slope @ weight
            product = slope.T @ features
            self.weight.add_(product) if self.filled else self.weight.copy_(product)
        if self.bias is not None:
            column = slope.sum(0, dtype=self.bias.dtype)
            self.bias.add_(column) if self.filled else self.bias.copy_(column)
        self.filled = True

    def add_taken(self, slope: Tensor, features: Tensor, weight: Tensor, columns: Tensor) -> None:
        """Adds the gradient (N,) of the taken values; ``weight`` are their rows."""
        if not self.filled:
            for grad in (self.features, self.weight, self.bias):
                if grad is not None:
                    grad.zero_()
        column = slope.unsqueeze(-1)
        self.features.addcmul_(column, weight)
        self.weight.index_add_(0, columns, column * features)
        if self.bias is not None:
            self.bias.index_add_(0, columns, slope)


def _normalisers(
    features: Tensor, weight: Tensor, bias: Tensor | None, pull: Tensor, dtype: torch.dtype | None,
    grads: _Gradients | None,
) -> Tensor:  # fmt: skip
    """``logsumexp`` of each row of logits, (N,); adds their gradients, ``pull`` (N,) times each, to ``grads``."""
    n, outputs = len(features), len(weight)
    narrow, narrow_weight = features, weight
    if dtype is not None and dtype != features.dtype:
        narrow, narrow_weight = features.to(dtype), weight.to(dtype)
    rows = min(n, max(FEWEST_ROWS, BUFFER // outputs))
    chunks = -(-n // max(1, rows))
    rows = -(-n // max(1, chunks))  # of equal size
    buffer = features.new_empty((rows, outputs))
    found = features.new_empty(n)
    for begin in range(0, n, max(1, rows)):
        part = slice(begin, min(begin + rows, n))
        logits = buffer[: part.stop - begin]
        if narrow.dtype == features.dtype:
            torch.mm(narrow[part], narrow_weight.T, out=logits)
        else:
            logits.copy_(narrow[part] @ narrow_weight.T)
        if bias is not None:
            logits.add_(bias)
        largest = logits.amax(-1, keepdim=True)
        total = logits.sub_(largest).exp_().sum(-1, keepdim=True)
        found[part] = (total.log() + largest).squeeze(-1)
        if grads is not None:
            slope = logits.mul_(pull[part].unsqueeze(-1) / total).to(narrow.dtype)
            grads.add_rows(part, slope, narrow[part], narrow_weight)
    return found


def fused_q_regression(
    heads: ValueHeads, states: Tensor, action: Tensor, goal: Tensor, cql_weight: float,
    dtype: torch.dtype | None = None,
) -> tuple[Tensor, Parts]:  # fmt: skip
    """Equals :func:`dialog_envs.agents.losses.q_regression` of the heads' values at ``states``.

    Args:
        heads: both Q heads learn.
        states: (N, width).
        action: token ids taken, (N,).
        goal: (N,), without gradient.
        cql_weight: weight of the conservative term.
        dtype: of the large products; None is full precision.
    """
    columns = heads.columns(action)
    found = [
        fused_head(
            head.features(states), head.outer.weight, head.outer.bias, columns, goal, 1.0, cql_weight, dtype
        )
        for head in _heads(heads.q)
    ]
    parts = {"q": _sum([f.td for f in found]), "mean_q": found[0].taken.mean(), "goal": goal.mean()}
    if cql_weight:
        parts["cql"] = _sum([f.ce for f in found])
    return _sum([f.loss for f in found]), parts


def fused_cross_entropy(
    states: Tensor, output: torch.nn.Module, tokens: Tensor, dtype: torch.dtype | None = None,
    weights: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """``F.cross_entropy(output(states), tokens)`` of a language model's output layer: (N, width), (N,) -> scalar.

    ``weights`` (N,): what each token counts. A layer that is more than a matrix (an adapter on it, say) is called.
    """
    if type(output) is not torch.nn.Linear:
        rows = F.cross_entropy(output(states).float(), tokens, reduction="none")
        return rows.mean() if weights is None else (weights * rows).mean()
    return fused_head(states, output.weight, output.bias, tokens, None, 0.0, 1.0, dtype, weights).loss


def product_type(states: Tensor) -> torch.dtype | None:
    """The type that autocast asks large products to have, or None."""
    device = states.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None


def _sum(terms: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(terms)).sum()


def _heads(modules: torch.nn.ModuleList) -> list[Head]:
    return [module for module in modules if isinstance(module, Head)]
