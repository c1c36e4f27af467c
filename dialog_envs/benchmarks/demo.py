"""The whole story: imagine datasets, train agents on them, score everything, write the leaderboard.

For each task of the suite these stages leave their products in the run folder (see
:mod:`dialog_envs.benchmarks.stages`: each is a command that could be given by hand, and is skipped when its product
was made from the same). Stages of different tasks run side by side, one a core.

=======================  ===============================================================================
stage                    product
=======================  ===============================================================================
``TASK/imagine``         ``datasets/TASK/``
``TASK/train-NAME``      ``checkpoints/TASK/NAME/``, for each agent in the suite's ``[training]``
score                    ``episodes.jsonl`` and ``leaderboard.*``, over all tasks
=======================  ===============================================================================
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dialog_envs.benchmarks.evaluation import default_folder, evaluate
from dialog_envs.benchmarks.parallel import available_cores
from dialog_envs.benchmarks.progress import duration, note
from dialog_envs.benchmarks.runner import Run
from dialog_envs.benchmarks.stages import Clock, Stage, own_command, run_stages
from dialog_envs.benchmarks.suite import Suite, load_suite
from dialog_envs.errors import ConfigError, ModelUnavailable

__all__ = ["run_demo"]


def run_demo(
    suite: str | Path | Suite = "demo",
    out: str | Path | None = None,
    *,
    split: str = "report",
    train_seed: int = 0,
    jobs: int | None = None,
    user: str | None = None,
    user_model: str | None = None,
) -> Run:
    """Run the whole story; see the module's text.

    Args:
        suite: a suite with ``[dataset]`` and ``[training]``.
        out: the run folder; ``runs/SUITE`` by default.
        split: ``"report"``, or ``"validation"`` to choose settings.
        train_seed: added to the seed of every training; datasets and episodes stay the same.
        jobs: stages at the same time; one a core by default.
        user, user_model: who plays the users; see :func:`dialog_envs.benchmarks.evaluation.evaluate`.

    Raises:
        ConfigError: the suite has no dataset settings.
        DialogEnvsError: what a stage raises. The stages before it are kept.
    """
    chosen = (suite if isinstance(suite, Suite) else load_suite(suite)).played_by(user, user_model)
    if not chosen.dataset:
        raise ConfigError(f"suite '{chosen.name}' needs a [dataset] table to be a demo.")
    if train_seed:
        chosen = replace(chosen, training={n: _reseeded(t, train_seed) for n, t in chosen.training.items()})
    folder = Path(out) if out is not None else default_folder(chosen, split)
    jobs = jobs or available_cores()
    stages = _stages(chosen, folder)
    expected = {stage.name: chosen.stages.get(stage.kind, 0.0) for stage in stages}
    # Scoring has processes of its own: it counts once for each core, like the stages.
    clock = Clock(expected | {"score": jobs * chosen.stages.get("score", 0.0)}, jobs)
    run_stages(folder, stages, jobs, clock)
    clock.begin("score")
    run = evaluate(chosen, out=folder, split=split, redo=["changed"], jobs=jobs)
    note(f"all done in {duration(clock.elapsed())}")
    return run


def _reseeded(settings: Mapping[str, Any], by: int) -> dict[str, Any]:
    return {**settings, "seed": int(settings.get("seed", 0)) + by}


def _stages(suite: Suite, folder: Path) -> list[Stage]:
    """All stages, task by task within each kind, so that every core has something to do early."""
    imagining = [_imagine(suite, task, folder) for task in suite.tasks]
    training = [
        _train(task, folder, name, dict(suite.training_for(task, name)))
        for name in suite.training
        for task in suite.tasks
    ]
    return imagining + training


def _imagine(suite: Suite, task: str, folder: Path) -> Stage:
    settings = dict(suite.dataset_for(task))
    options = {key: value for key, value in settings.items() if key not in ("policies", "families")}
    if (reason := _missing_model(options.get("model"))) is not None:
        note(f"{task}: the dataset is made without a language model: {reason}")
        options.pop("model")
        options.pop("model_share", None)
    words = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
    words += [f"--policy={name}={weight}" for name, weight in settings.get("policies", {}).items()]
    words += [f"--family={family}" for family in settings.get("families", ())]
    out = folder / "datasets" / task
    return Stage(
        f"{task}/imagine",
        out / "manifest.json",
        own_command("imagine", task, "-o", str(out), "--replace", *words),
        lambda: {"arguments": words, **_base(task)},
    )


def _missing_model(name: str | None) -> str | None:
    """Why the embedded model cannot be used here, or ``None``. Any other model is taken to be there."""
    from dialog_envs.simulators.llm.embedded_file import find_model_file

    if name != "embedded":
        return None
    try:
        find_model_file()
    except ModelUnavailable as error:
        return str(error)
    return None


def _train(task: str, folder: Path, name: str, settings: dict[str, Any]) -> Stage:
    checkpoints, data = folder / "checkpoints" / task, folder / "datasets" / task
    seed = int(settings.pop("seed", 0))
    init = settings.pop("init", None)
    algorithm = str(settings.pop("algorithm", name))
    inputs = [data / "manifest.json"]
    words = [f"--set={key}={json.dumps(value)}" for key, value in settings.items()]
    words += [f"--seed={seed}", "--threads=1"]  # weights depend on the number of threads
    after = [f"{task}/imagine"]
    if init is not None:
        after.append(f"{task}/train-{init}")
        inputs.append(folder / "stages" / f"{after[-1]}.json")
    start = [f"--init={checkpoints / init}"] if init is not None else []

    def made_from() -> dict[str, Any]:
        hashes = [hashlib.sha256(part.read_bytes()).hexdigest() for part in inputs]
        return {"inputs": hashes, "algorithm": algorithm, "arguments": words, **_base(task)}

    out = checkpoints / name
    command = own_command(
        "train", algorithm, f"--data={data}", f"--task={task}", "-o", str(out), *words, *start
    )
    return Stage(f"{task}/train-{name}", out, command, made_from, tuple(after))


def _base(task: str) -> dict[str, str]:
    """Versions that every product depends on."""
    from dialog_envs import __version__
    from dialog_envs.registration import get_task

    return {"task": task, "task_version": get_task(task).version, "dialog_envs": __version__}
