"""What moves the weights: Muon for the matrices of a trunk that learns from scratch, AdamW for all else.

Muon (Jordan et al. 2024) steps along the nearest orthogonal matrix of the averaged gradient: every direction of a
matrix learns at the same pace. With the scale of Liu et al. (2025, arXiv 2502.16982, section 2.2) its steps are as
large as AdamW's, so that one learning rate serves both. From the same dialogues the small model learns more with it
(``python -m dialog_envs.benchmarks.speed fit --optimizers``). Embeddings, output layers, norms and value heads are
AdamW's, and so is a pretrained backbone, whose weights AdamW has found.

``torch.optim.Muon`` goes through the matrices one by one in bfloat16, which is slow on processors without instructions
for it. Here matrices of one shape go together, in the training's own precision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from dialog_envs.errors import UsageError

if TYPE_CHECKING:
    from dialog_envs.agents.language_model import DialogueModel
    from dialog_envs.agents.trainer import TrainingConfig

__all__ = ["Muon", "make_optimizers", "orthogonalize"]

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic a x + b x³ + c x⁵, which brings singular values near 1 in few rounds (Jordan et al. 2024)."""
ROUNDS = 5
TOGETHER = 1 << 24
"""Entries of matrices that are made orthogonal together: all of a small model's, and a few of a large one's, which
would otherwise take the memory of several copies of it."""


def make_optimizers(
    model: DialogueModel, config: TrainingConfig, dtype: torch.dtype | None = None, sharded: bool = False
) -> list[torch.optim.Optimizer]:
    """The optimisers of a training, which together move every weight that learns.

    Args:
        model: on its device.
        config: says which (``optimizer``), the learning rate and the weight decay.
        dtype: that matrix products are in; None is full precision.
        sharded: whether blocks are in parts. Muon needs whole matrices: ``auto`` is AdamW there.

    Raises:
        UsageError: Muon was asked for, and blocks are in parts, or no hidden matrix learns.
    """
    if sharded and config.optimizer == "muon":
        raise UsageError(
            "optimizer=muon needs whole matrices: train without --use_fsdp, or with optimizer=adamw."
        )
    learning = [p for p in model.parameters() if p.requires_grad]
    wanted = config.optimizer == "muon" or (config.optimizer == "auto" and model.from_scratch)
    hidden = _hidden_matrices(model) if wanted and not sharded else []
    if config.optimizer == "muon" and not hidden:
        raise UsageError(
            "optimizer=muon finds no matrix to move here (LoRA's adapters are AdamW's): train without --lora-rank, or "
            "with optimizer=auto."
        )
    chosen = {id(p) for p in hidden}
    rest = [p for p in learning if id(p) not in chosen]
    kinds = dict.fromkeys(type(p.data) for p in rest)  # whole and in parts: AdamW takes one kind at a time
    groups = [{"params": [p for p in rest if type(p.data) is kind]} for kind in kinds]
    result: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            groups, lr=config.learning_rate, betas=(0.9, 0.99), weight_decay=config.weight_decay, fused=True
        )
    ]
    if hidden:
        result.append(Muon(hidden, config.learning_rate, weight_decay=config.weight_decay, dtype=dtype))
    return result


def _hidden_matrices(model: DialogueModel) -> list[nn.Parameter]:
    """The matrices between the embeddings and the output of all trunks that learn, without LoRA's adapters."""
    from transformers.pytorch_utils import Conv1D  # a linear layer, transposed: GPT-2's

    trunks = [model.policy.base_model, *([model.value_trunk] if model.value_trunk is not None else [])]
    ends = (model.policy.get_input_embeddings(), model.policy.get_output_embeddings())
    outside = {id(layer.weight) for layer in ends}
    return [
        parameter
        for trunk in trunks
        for name, module in trunk.named_modules()
        if isinstance(module, (nn.Linear, Conv1D)) and "lora_" not in name
        for parameter in [module.weight]
        if isinstance(parameter, nn.Parameter) and parameter.requires_grad and id(parameter) not in outside
    ]


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal: m <- μ m + g;  W <- (1 - η λ) W - 0.2 η √max(A, B) · orthogonal(g + μ m).

    Args:
        parameters: matrices (A, B).
        lr: η; the root mean square of a step's entries is about a fifth of it, as AdamW's.
        momentum: μ.
        weight_decay: λ.
        dtype: of the products that make a matrix orthogonal; None is the parameters'.
    """

    def __init__(
        self,
        parameters: Sequence[nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self._dtype = dtype

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One step, from the gradients that are there."""
        assert closure is None
        for group in self.param_groups:
            alike: dict[tuple[torch.Size, torch.device], list[nn.Parameter]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[parameter.shape, parameter.device].append(parameter)
            for shape, parameters in ((key[0], found) for key, found in alike.items()):
                count = max(1, TOGETHER // shape.numel())
                for begin in range(0, len(parameters), count):
                    some = parameters[begin : begin + count]
                    self._move(some, group["lr"], group["momentum"], group["weight_decay"])

    def _move(self, parameters: list[nn.Parameter], rate: float, momentum: float, decay: float) -> None:
        """Moves matrices of one shape."""
        gradients: list[Tensor] = [p.grad for p in parameters if p.grad is not None]
        averages: list[Tensor] = []
        for parameter in parameters:
            state = self.state[parameter]
            if not state:
                state["momentum"] = torch.zeros_like(parameter)
            averages.append(state["momentum"])
        torch._foreach_mul_(averages, momentum)
        torch._foreach_add_(averages, gradients)
        ahead = torch.stack(torch._foreach_add(gradients, averages, alpha=momentum))
        steps = orthogonalize(ahead.to(self._dtype or ahead.dtype)).to(ahead.dtype) * (
            -0.2 * rate * max(parameters[0].shape) ** 0.5
        )
        weights: list[Tensor] = list(parameters)
        torch._foreach_mul_(weights, 1.0 - rate * decay)
        torch._foreach_add_(weights, steps.unbind())


def orthogonalize(matrices: Tensor) -> Tensor:
    """Matrices with the same singular vectors, and singular values between about 0.7 and 1.2: (N, A, B) -> (N, A, B).

    Newton-Schulz iterations, see :data:`COEFFICIENTS`.
    """
    a, b, c = COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(ROUNDS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x
