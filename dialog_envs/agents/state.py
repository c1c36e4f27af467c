"""A training under way, on disk: what is needed to go on from there as if nothing had happened.

Beside the checkpoint-to-be stands a folder ``.NAME.partial-FINGERPRINT`` while a training runs, and after it was cut
off. It holds the log, and from time to time a *state*: weights, the optimiser's averages, random generators, the place
in the plan. On the CPU a training that was killed and started again ends with the weights that it would have had.

A state is two files: tensors (safetensors), and a JSON file that names them. The JSON file is replaced last and at
once, so that a kill in the middle of saving leaves the state before.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from dialog_envs.agents.checkpoint import METRICS
from dialog_envs.errors import CheckpointError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from dialog_envs.agents.language_model import DialogueModel

STATE = "state.json"
SECONDS = 60.0
"""Between two states where no number of steps was asked for; longer where saving takes more than a twentieth of it."""


@dataclass(slots=True)
class Place:
    """How far a stage of the training is. JSON values only."""

    stage: str
    step: int = 0
    """Optimiser steps that were taken."""
    log: dict[str, Any] = field(default_factory=dict)
    watch: dict[str, Any] = field(default_factory=dict)


class Unfinished:
    """The folder of a training under way. Use it in a ``with`` block.

    A block that ends without an error removes the folder; call :meth:`done` before. A block that is broken off leaves
    it if it holds a state.

    Args:
        out: where the checkpoint shall be.
        key: the training's fingerprint.
        every: steps between two states; 0 saves none, None saves one about every minute.
        writes: whether this process writes; of several, one does.

    Raises:
        CheckpointError: another process is at the same training, or the folder cannot be written.
    """

    def __init__(self, out: Path, key: str, every: int | None = None, writes: bool = True) -> None:
        self.out, self.every, self.writes = out, every, writes
        self.folder = out.with_name(f".{out.name}.partial-{key[:12]}")
        self.stages: dict[str, Any] = {}
        """Reports of the stages that are done."""
        self._found: dict[str, Any] | None = None
        self._lock: IO[str] | None = None
        self._saved, self._cost = time.monotonic(), 0.0

    @property
    def metrics(self) -> Path:
        """The log of the training."""
        return self.folder / METRICS

    def __enter__(self) -> Unfinished:
        try:
            if self.writes:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._lock = (self.folder / "lock").open("a", encoding="utf-8")
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._read()
        except BlockingIOError as error:
            self._close()
            raise CheckpointError(
                f"another process is at the same training ('{self.folder}' is locked): wait for it, or choose "
                "another folder with --out."
            ) from error
        except (OSError, ValueError, KeyError) as error:
            self._close()
            reason = getattr(error, "strerror", None) or str(error)
            raise CheckpointError(
                f"'{self.folder}' cannot be used ({reason}): choose another folder with --out, or remove this one to "
                "begin again."
            ) from error
        return self

    def _close(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._lock is None:
            return
        if kind is None:
            for folder in self.out.parent.glob(f".{self.out.name}.partial-*"):
                _remove(folder, mine=folder == self.folder)
        elif not (self.folder / STATE).is_file():
            shutil.rmtree(self.folder, ignore_errors=True)
        self._close()

    def _read(self) -> None:
        """Finds the state that an earlier process left, and cuts the log off where the state was saved."""
        file = self.folder / STATE
        if file.is_file():
            found = self._found = json.loads(file.read_text(encoding="utf-8"))
            self.stages = dict(found["stages"])
        if self.writes:
            with self.metrics.open("ab") as log:
                log.truncate(self._found["logged"] if self._found else 0)

    # ---- what the trainer calls --------------------------------------------------------------------------------------

    def at(self, stage: str) -> Place | None:
        """Where an earlier process was in this stage; None if it never saved a state of it."""
        found = self._found
        if found is None or found["place"]["stage"] != stage:
            return None
        return Place(**found["place"])

    def due(self, step: int) -> bool:
        """Whether it is time to save a state, after ``step`` steps."""
        if not self.writes or self.every == 0:
            return False
        if self.every is not None:
            return step % self.every == 0
        return time.monotonic() - self._saved > max(SECONDS, 20.0 * self._cost)

    def save(
        self,
        place: Place,
        model: DialogueModel,
        optimizers: Sequence[torch.optim.Optimizer],
        best: Mapping[str, Tensor],
    ) -> None:
        """Writes a state.

        Args:
            place: how far the stage is.
            model: its weights are taken, targets included.
            optimizers: their averages are taken.
            best: the weights that did best so far; may be empty.
        """
        from safetensors.torch import save_file

        began = time.monotonic()
        before = self._found["tensors"] if self._found else None
        name = f"{place.stage}-{place.step:08d}.safetensors"
        save_file(_tensors(model, optimizers, best), self.folder / f"new-{name}")
        os.replace(self.folder / f"new-{name}", self.folder / name)
        self._found = {
            "stages": self.stages, "place": {f: getattr(place, f) for f in Place.__slots__},
            "tensors": name, "logged": self.metrics.stat().st_size if self.metrics.is_file() else 0,
        }  # fmt: skip
        new = self.folder / f"new-{STATE}"
        with new.open("w", encoding="utf-8") as file:
            json.dump(self._found, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self.folder / STATE)
        if before not in (None, name):
            (self.folder / str(before)).unlink(missing_ok=True)
        self._saved = time.monotonic()
        self._cost = self._saved - began

    def restore(self, model: DialogueModel, optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, Tensor]:
        """Puts model, optimisers and random generators where the state was saved; returns the best weights so far.

        Raises:
            CheckpointError: the state does not fit, or is damaged.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        assert self._found is not None
        file = self.folder / self._found["tensors"]
        try:
            tensors = load_file(file)
            model.load_state_dict(_part(tensors, "model."))
            saved = {name.split(".")[1] for name in tensors if name.startswith("optimizer.")}
            if saved != {str(number) for number in range(len(optimizers))}:
                raise ValueError("it was saved with other optimisers")
            for number, optimizer in enumerate(optimizers):
                _restore_optimizer(optimizer, _part(tensors, f"optimizer.{number}."))
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise CheckpointError(
                f"the state '{file}' cannot be used ({reason:.200}): remove '{self.folder}' and begin again."
            ) from error
        _restore_random(_part(tensors, "random."))
        return _part(tensors, "best.")


def _remove(folder: Path, mine: bool) -> None:
    """Removes an unfinished training's folder, another's only if nobody works in it."""
    try:
        with (folder / "lock").open("a", encoding="utf-8") as lock:
            if not mine:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def copied(model: DialogueModel) -> dict[str, Tensor]:
    """A copy of all weights, on the CPU. Tied ones are copied apart: no two share their memory."""
    return {
        name: value.detach().to("cpu", copy=True).contiguous() for name, value in model.state_dict().items()
    }


def _tensors(
    model: DialogueModel, optimizers: Sequence[torch.optim.Optimizer], best: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    import torch

    result = {f"model.{name}": value for name, value in copied(model).items()}
    result |= {f"best.{name}": value for name, value in best.items()}
    for number, optimizer in enumerate(optimizers):
        for index, averages in optimizer.state_dict()["state"].items():
            for name, value in averages.items():
                place = f"optimizer.{number}.{index}.{name}"
                result[place] = value.detach().to("cpu", copy=True).contiguous()
    result["random.cpu"] = torch.random.get_rng_state()
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        result["random.cuda"] = torch.cuda.get_rng_state()
    return result


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    averages: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, _, what = name.partition(".")
        averages.setdefault(int(index), {})[what] = value
    optimizer.load_state_dict({"state": averages, "param_groups": optimizer.state_dict()["param_groups"]})


def _restore_random(states: Mapping[str, Tensor]) -> None:
    import torch

    torch.random.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
