"""One model over several devices: every process keeps a part of each transformer block (FSDP2, ``fully_shard``).

``accelerate launch --use_fsdp -m dialog_envs train …`` asks for it. A block's weights are gathered when it computes and
dropped again; its gradients are summed straight into the parts, and AdamW keeps averages of a part only. Of a large
backbone nearly everything is blocks. Embeddings, the last norm and the value heads stay whole on every device: losses
read them directly (:mod:`dialog_envs.agents.fused`), and their gradients are summed as without sharding.

What is asked of accelerate beyond ``--use_fsdp`` is not read: blocks are what the backbone says must not be split
(``_no_split_modules``), they are resharded after their forward pass, and nothing is offloaded. A training in parts
saves no states to resume from, and keeps its last weights (``stop_on=never``). Its checkpoint is whole.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from dialog_envs.agents.parallel import Processes
from dialog_envs.errors import UsageError

if TYPE_CHECKING:
    from dialog_envs.agents.language_model import DialogueModel

__all__ = ["Shards", "clip_gradients", "local", "sum_gradients"]


class Shards:
    """A model whose blocks are in parts, from the beginning of a training until :meth:`gather`.

    Args:
        model: whole, and anywhere; its blocks go to the device one by one.
        processes: who shares it.
        device: of this process.

    Raises:
        UsageError: the backbone does not say what its blocks are.
    """

    def __init__(self, model: DialogueModel, processes: Processes, device: str) -> None:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        self._places = list(_blocks(model))
        if not self._places:
            raise UsageError("this backbone does not say what its blocks are: train it without --use_fsdp.")
        mesh = init_device_mesh(torch.device(device).type, (processes.size,))
        self._empty: list[nn.Module] = []
        for parent, index in self._places:
            self._empty.append(_without_weights(parent[index]))
            fully_shard(parent[index].to(device), mesh=mesh, reshard_after_forward=True)
        model.to(device)

    def gather(self) -> None:
        """Puts whole blocks back, on the CPU. All processes must call it."""
        for (parent, index), block in zip(self._places, self._empty, strict=True):
            whole = {name: _whole(value) for name, value in parent[index].state_dict().items()}
            learning = {name: p.requires_grad for name, p in parent[index].named_parameters()}
            block.load_state_dict(whole, assign=True)
            for name, parameter in block.named_parameters():
                parameter.requires_grad_(learning[name])
            parent[index] = block


def _blocks(model: nn.Module) -> Iterable[tuple[nn.ModuleList, int]]:
    """Where the transformer blocks of all of the model's trunks are."""
    from transformers import PreTrainedModel

    names = {
        name
        for part in model.modules()
        if isinstance(part, PreTrainedModel)
        for name in part._no_split_modules or ()
    }
    for parent in list(model.modules()):
        if isinstance(parent, nn.ModuleList):
            yield from ((parent, i) for i, block in enumerate(parent) if type(block).__name__ in names)


def _without_weights(block: nn.Module) -> nn.Module:
    """A copy that holds no weights yet; buffers are copied."""
    empty = {id(p): nn.Parameter(p.detach().to("meta"), p.requires_grad) for p in block.parameters()}
    return copy.deepcopy(block, empty)


def _whole(value: Tensor) -> Tensor:
    full = value.full_tensor() if isinstance(value, DTensor) else value
    return full.detach().to("cpu", copy=True)


def local(tensors: Iterable[Tensor]) -> list[Tensor]:
    """This process's parts of tensors; whole ones as they are. Changing them in place changes the tensors."""
    return [tensor.to_local() if isinstance(tensor, DTensor) else tensor for tensor in tensors]


def sum_gradients(parameters: Sequence[nn.Parameter], processes: Processes) -> None:
    """Adds up the gradients of all processes, in place: what is in parts is summed already, but divided."""
    processes.sum_gradients([p for p in parameters if not isinstance(p, DTensor)])
    for gradient in local(p.grad for p in parameters if isinstance(p, DTensor) and p.grad is not None):
        gradient.mul_(processes.size)


def clip_gradients(parameters: Sequence[nn.Parameter], largest: float, processes: Processes) -> Tensor:
    """Scales gradients down to a norm of at most ``largest`` over all parts; returns the norm before."""
    whole = local(p.grad for p in parameters if p.grad is not None and not isinstance(p.grad, DTensor))
    parts = local(p.grad for p in parameters if isinstance(p.grad, DTensor))
    together = processes.total({"squares": _squares(parts)})["squares"]
    norm = torch.tensor((_squares(whole) + together) ** 0.5)
    factor = largest / (float(norm) + 1e-6)
    if factor < 1:
        torch._foreach_mul_([*whole, *parts], factor)
    return norm


def _squares(tensors: Sequence[Tensor]) -> float:
    return float(sum(torch.linalg.vector_norm(t) ** 2 for t in tensors)) if tensors else 0.0
