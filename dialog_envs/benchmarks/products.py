"""The two stages that everything is made of: a dataset imagined, an agent trained on it. See :mod:`.stages`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dialog_envs.benchmarks.stages import Stage, own_command

__all__ = ["LISTS", "imagine_stage", "imagine_words", "train_stage"]

LISTS = {"families": "family", "criteria": "criterion"}
"""Settings of ``dialog-envs imagine`` that are lists → the option that is repeated. ``policies`` is a table."""
FLAGS = ("reward", "backbone", "layers", "width", "lora_rank", "device", "save_every")
"""Settings of a training that are options of ``dialog-envs train``; the others are the algorithm's own (``--set``)."""


def imagine_words(settings: Mapping[str, Any]) -> list[str]:
    """Settings as options of ``dialog-envs imagine``."""
    plain = {key: value for key, value in settings.items() if key not in LISTS and key != "policies"}
    words = [f"--{key.replace('_', '-')}={value}" for key, value in plain.items()]
    words += [f"--policy={name}={weight}" for name, weight in settings.get("policies", {}).items()]
    return words + [f"--{flag}={one}" for key, flag in LISTS.items() for one in settings.get(key, ())]


def imagine_stage(name: str, task: str, out: Path, settings: Mapping[str, Any]) -> Stage:
    """A dataset of a task in the folder ``out``."""
    words = imagine_words(settings)
    return Stage(
        name,
        out / "manifest.json",
        own_command("imagine", task, "-o", str(out), "--replace", *words),
        lambda: {"arguments": words, **_base(task)},
    )


def train_stage(
    name: str,
    task: str,
    data: Path,
    out: Path,
    algorithm: str,
    settings: Mapping[str, Any],
    after: Sequence[str],
    init: tuple[Path, Path] | None = None,
) -> Stage:
    """An agent trained on the dataset folder ``data``.

    Args:
        name, task: of the stage.
        data: the dataset.
        out: folder of the checkpoint.
        algorithm: a name that ``dialog-envs train`` knows.
        settings: ``seed``, :data:`FLAGS`, and the algorithm's.
        after: names of the stages that it needs.
        init: a checkpoint to start from, and the note of the stage that made it.
    """
    own = dict(settings)
    seed = int(own.pop("seed", 0))
    flags = [f"--{key.replace('_', '-')}={own.pop(key)}" for key in FLAGS if key in own]
    words = [f"--set={key}={json.dumps(value)}" for key, value in own.items()] + flags
    words += [f"--seed={seed}", "--threads=1"]  # weights depend on the number of threads
    inputs = [data / "manifest.json", *([init[1]] if init is not None else [])]
    start = [f"--init={init[0]}"] if init is not None else []

    def made_from() -> dict[str, Any]:
        hashes = [hashlib.sha256(part.read_bytes()).hexdigest() for part in inputs]
        return {"inputs": hashes, "algorithm": algorithm, "arguments": words, **_base(task)}

    command = own_command(
        "train", algorithm, f"--data={data}", f"--task={task}", "-o", str(out), *words, *start
    )
    return Stage(name, out, command, made_from, tuple(after))


def _base(task: str) -> dict[str, str]:
    """Versions that every product depends on."""
    from dialog_envs import __version__
    from dialog_envs.registration import get_task

    return {"task": task, "task_version": get_task(task).version, "dialog_envs": __version__}
