"""Several processes, one training: data parallelism by summing gradients.

``accelerate launch -m dialog_envs train …`` starts one process for each device. Every process holds the whole model and
takes its share of the dialogues of each part of a step; the gradients are summed before the optimiser moves. A step
sees the same dialogues, and every agent token weighs the same, whatever the number of processes: one process and four
give the same training, as far as floating point allows. Without accelerate, or alone, nothing is summed. With
``accelerate launch --use_fsdp`` the blocks of the model are in parts (:mod:`dialog_envs.agents.sharding`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dialog_envs.errors import UsageError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Item = TypeVar("Item")

FIGURES = 64
"""Room for the figures of a step."""
INSTALL = "pip install 'dialog-envs[train]'"
"""How to get accelerate and peft."""


@dataclass(frozen=True, slots=True)
class Processes:
    """Which of how many processes this one is."""

    rank: int = 0
    size: int = 1
    sharded: bool = False
    """Whether each holds a part of the model only."""

    @property
    def main(self) -> bool:
        """Whether this is the process that writes files and speaks."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """What of a list is this process's to do."""
        return items[self.rank :: self.size] if self.size > 1 else items

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            import torch.distributed as dist

            dist.barrier()

    def total(self, figures: Mapping[str, float]) -> dict[str, float]:
        """The figures of all processes, added up."""
        if self.size == 1:
            return dict(figures)
        import torch

        names = sorted(figures)
        values = torch.tensor([figures[name] for name in names], dtype=torch.float64)
        return dict(zip(names, self._sum(values).tolist(), strict=True))

    def sum_figures(self, figures: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Scalars of all processes, added up. A process that had nothing to do brings none; the main one always does.

        Returns:
            The sums, under this process's own names: empty where it had none.
        """
        if self.size == 1:
            return dict(figures)
        import torch

        room = torch.zeros(FIGURES, dtype=torch.float64)
        room[: len(figures)] = torch.tensor([float(value) for value in figures.values()])
        return dict(zip(figures, self._sum(room), strict=False))

    def of_main(self, figures: Mapping[str, float]) -> dict[str, float]:
        """The main process's figures, everywhere."""
        return self.total({name: value if self.main else 0.0 for name, value in figures.items()})

    def sum_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Adds up the gradients of all processes, in place. Parameters that nobody used keep none."""
        if self.size == 1:
            return
        import torch
        from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors

        used = self._sum(torch.tensor([float(p.grad is not None) for p in parameters]))
        wanted = [p for p, count in zip(parameters, used.tolist(), strict=True) if count]
        grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in wanted]
        for dtype in {grad.dtype for grad in grads}:
            places = [i for i, grad in enumerate(grads) if grad.dtype == dtype]
            flat = self._sum(_flatten_dense_tensors([grads[i] for i in places]))
            parts = _unflatten_dense_tensors(flat, [grads[i] for i in places])
            for i, part in zip(places, parts, strict=True):
                wanted[i].grad = part

    def _sum(self, tensor: Tensor) -> Tensor:
        import torch
        import torch.distributed as dist

        if dist.get_backend() == "nccl" and not tensor.is_cuda:
            moved = tensor.to(torch.device("cuda", torch.cuda.current_device()))
            dist.all_reduce(moved)
            return moved.to(tensor.device)
        dist.all_reduce(tensor)
        return tensor


ALONE = Processes()


def join(device: str) -> tuple[Processes, str]:
    """This process's place among those that ``accelerate launch`` (or torchrun) started, and its device.

    Args:
        device: what was asked for: ``cpu``, ``cuda`` (each process takes its own), ``auto``, or another of torch's.

    Raises:
        UsageError: several processes were started, and accelerate is missing.
    """
    device = resolve_device(device)
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return ALONE, device
    try:
        from accelerate import PartialState
    except ImportError as error:
        raise UsageError(
            f"{os.environ['WORLD_SIZE']} processes were started to train together, which needs accelerate: {INSTALL}."
        ) from error
    state = PartialState(cpu=device == "cpu")
    sharded = os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"
    return (
        Processes(state.process_index, state.num_processes, sharded),
        device if device == "cpu" else str(state.device),
    )


def resolve_device(device: str) -> str:
    """``auto`` is the GPU where torch can compute on one, else the processor."""
    if device != "auto":
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
