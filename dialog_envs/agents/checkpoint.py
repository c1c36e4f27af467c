"""Checkpoints: a folder that transformers can load too, with value heads and a record of the training beside.

===========================  =======================================================================
config.json, model.safetensors  the policy, as ``AutoModelForCausalLM.from_pretrained`` reads it
tokenizer.json, …            its tokenizer
value_heads.safetensors      Q, target and V heads (and a separate value trunk), if the algorithm has any
training.json                algorithm, settings, task, data, fingerprint and figures
metrics.jsonl                the log of the training
README.md                    the model card
===========================  =======================================================================

A folder is written under another name and renamed when it is complete: a checkpoint is whole, or it is not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialog_envs.errors import CheckpointError

if TYPE_CHECKING:
    from dialog_envs.agents.language_model import DialogueModel
    from dialog_envs.agents.value_heads import Heads

FORMAT = 1
TRAINING, VALUES, METRICS = "training.json", "value_heads.safetensors", "metrics.jsonl"


def fingerprint(record: Mapping[str, Any]) -> str:
    """A hash of everything that decides what a training results in."""
    return hashlib.sha256(json.dumps(record, sort_keys=True, default=str).encode()).hexdigest()[:32]


def read_training(path: str | Path) -> dict[str, Any]:
    """The record of a checkpoint's training. Imports nothing heavy.

    Raises:
        CheckpointError: there is no checkpoint, or its record is damaged.
    """
    file = Path(path) / TRAINING
    if not file.is_file():
        raise CheckpointError(
            f"'{path}' is no checkpoint ({TRAINING} is missing): train one with `dialog-envs train`."
        )
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"'{file}' cannot be read ({error}): train the agent again.") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise CheckpointError(f"'{file}' is not of checkpoint format {FORMAT}: train the agent again.")
    return record


def is_finished(path: str | Path, wanted: str) -> bool:
    """Whether a checkpoint with this fingerprint stands at ``path``."""
    if not (Path(path) / TRAINING).is_file():
        return False
    try:
        return bool(read_training(path).get("fingerprint") == wanted)
    except CheckpointError:
        return False


def check_place(path: str | Path) -> Path:
    """Raises CheckpointError if ``path`` holds something that is no checkpoint, which saving would destroy."""
    target = Path(path)
    if (
        target.exists()
        and not (target / TRAINING).is_file()
        and (not target.is_dir() or any(target.iterdir()))
    ):
        raise CheckpointError(f"'{target}' exists and is no checkpoint: choose another place to save to.")
    return target


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Gives an empty folder to write in, which becomes ``path`` when the block ends without an error.

    An older checkpoint at ``path`` is replaced at that moment. If the block raises, Ctrl-C included, nothing changes.

    Raises:
        CheckpointError: ``path`` holds something that is no checkpoint, or cannot be written.
    """
    target = check_place(path)
    work = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        work.mkdir(parents=True)
    except OSError as error:
        raise CheckpointError(
            f"'{target}' cannot be written ({error.strerror}): choose another place."
        ) from error
    old = work.with_suffix(".old")
    try:
        yield work
        if target.exists():
            os.replace(target, old)
        os.replace(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def save_model(model: DialogueModel, folder: Path, record: Mapping[str, Any]) -> None:
    """Writes a model and the record of its training into an existing folder; the record last."""
    from safetensors.torch import save_file

    from dialog_envs.agents.backbones import quiet

    model.merge_adapters()
    with quiet():
        model.policy.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    shape: dict[str, Any] = {"context": model.context, "heads": None, "trunk": "shared"}
    if model.heads is not None:
        shape["heads"] = model.heads.shape()
        tensors = {f"heads.{k}": v.contiguous() for k, v in model.heads.saved().items()}
        if model.value_trunk is not None:
            shape["trunk"] = "separate"
            tensors |= {f"trunk.{k}": v.contiguous() for k, v in model.value_trunk.state_dict().items()}
        save_file(tensors, folder / VALUES)
    full = {"format": FORMAT, **record, "model": shape}
    (folder / TRAINING).write_text(json.dumps(full, indent=1, default=str) + "\n", encoding="utf-8")


def load_model(path: str | Path, task: str | None = None) -> tuple[DialogueModel, dict[str, Any]]:
    """Loads a checkpoint, in eval mode on the CPU, and the record of its training.

    Args:
        path: the folder.
        task: the id of the task it shall be used for, or None for any.

    Raises:
        CheckpointError: missing, damaged, or trained for another task.
    """
    record = read_training(path)
    check_task(path, record, task)
    from safetensors import SafetensorError

    try:
        return _load(Path(path), record["model"]), record
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CheckpointError(
            f"the checkpoint '{path}' is damaged ({reason}): train the agent again."
        ) from error


def check_task(path: str | Path, record: Mapping[str, Any], task: str | None) -> None:
    """Raises CheckpointError if the checkpoint was trained for another task than ``task``."""
    trained = record.get("task")
    if task is not None and trained != task:
        raise CheckpointError(
            f"the checkpoint '{path}' was trained for {trained}, not for {task}: train one for it."
        )


def _load(path: Path, shape: Mapping[str, Any]) -> DialogueModel:
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from dialog_envs.agents.backbones import quiet
    from dialog_envs.agents.language_model import DialogueModel

    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        policy = AutoModelForCausalLM.from_pretrained(
            path, local_files_only=True, dtype=torch.float32, use_safetensors=True
        )
    model = DialogueModel(policy, tokenizer, int(shape["context"]))
    if shape["heads"]:
        tensors = load_file(path / VALUES)
        heads = _make_heads(model, shape["heads"], str(shape["trunk"]), tensors)
        heads.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("heads.")})
        if model.value_trunk is not None:
            model.value_trunk.load_state_dict(
                {k[6:]: v for k, v in tensors.items() if k.startswith("trunk.")}
            )
    return model.eval()


def _make_heads(
    model: DialogueModel, shape: Mapping[str, Any], trunk: str, tensors: Mapping[str, Any]
) -> Heads:
    """Heads of a checkpoint's shape, their weights still to be loaded."""
    if shape["kind"] == "likelihood":
        return model.add_likelihood(shape["extraction"], targets=False)
    actions = tensors["heads.actions"] if shape["actions"] is not None else None
    return model.add_heads(int(shape["hidden"]), trunk, actions)
