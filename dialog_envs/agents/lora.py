"""Low-rank adapters: a backbone's matrices stay, and a small product beside each learns (peft).

Source: Hu et al., LoRA, arXiv 2106.09685. The embeddings learn in full, because the role and task tokens are new to
the backbone. A checkpoint holds the sums, so it loads as any other, without peft.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from torch import nn

from dialog_envs.agents.parallel import INSTALL
from dialog_envs.errors import UsageError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ALPHA = 2.0
"""Times the rank: the usual scale of the adapters."""


def add_lora(policy: PreTrainedModel, rank: int) -> None:
    """Puts adapters of this rank beside every linear layer of a model but its output layer. The caller seeds torch.

    Raises:
        UsageError: peft is missing, or finds no layer that it knows.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise UsageError(f"LoRA needs peft: {INSTALL}, or leave --lora-rank out.") from error
    config = LoraConfig(
        r=rank,
        lora_alpha=ALPHA * rank,  # type: ignore[arg-type]
        target_modules="all-linear",
        fan_in_fan_out=any(type(module).__name__ == "Conv1D" for module in policy.modules()),  # GPT-2's
    )
    try:
        inject_adapter_in_model(config, policy)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"this backbone cannot take LoRA ({reason:.200}): leave --lora-rank out.") from error
    free(policy)


def free(policy: PreTrainedModel) -> None:
    """Lets a model learn: all of it, or its adapters and embeddings if it has adapters."""
    if not any(_adapted(policy)):
        policy.requires_grad_(True)
        return
    for name, parameter in policy.named_parameters():
        parameter.requires_grad = "lora_" in name
    policy.get_input_embeddings().requires_grad_(True)
    policy.get_output_embeddings().requires_grad_(True)


def merge_lora(module: nn.Module) -> None:
    """Adds the adapters to the matrices beside which they stand, and takes them away. In place."""
    for parent, name, layer in list(_adapted(module)):
        layer.merge()
        setattr(parent, name, layer.get_base_layer())
    for part in module.modules():
        if hasattr(part, "peft_config"):
            del part.peft_config


def _adapted(module: nn.Module) -> Iterator[tuple[nn.Module, str, Any]]:
    """(parent, name, layer) of every layer with an adapter. Does not import peft: without it there is none."""
    for parent in module.modules():
        for name, child in parent.named_children():
            if hasattr(child, "lora_A") and hasattr(child, "get_base_layer"):
                yield parent, name, child
