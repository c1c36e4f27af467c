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

A suite with training seeds has other stages for training: see :mod:`dialog_envs.benchmarks.repeats`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from dialog_envs.benchmarks.evaluation import PURSE, default_folder, evaluate
from dialog_envs.benchmarks.parallel import available_cores
from dialog_envs.benchmarks.products import imagine_stage, train_stage
from dialog_envs.benchmarks.progress import duration, note
from dialog_envs.benchmarks.repeats import gather, repeat_stages, untrained
from dialog_envs.benchmarks.runner import Run
from dialog_envs.benchmarks.stages import Clock, Stage, run_stages
from dialog_envs.benchmarks.suite import Suite, load_suite
from dialog_envs.errors import ConfigError, ModelUnavailable
from dialog_envs.simulators.llm.budget import handed_down

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
    max_cost: float | None = None,
) -> Run:
    """Run the whole story; see the module's text.

    Args:
        suite: a suite with ``[dataset]`` and ``[training]``.
        out: the run folder; ``runs/SUITE`` by default.
        split: ``"report"``, or ``"validation"`` to choose settings.
        train_seed: added to the seed of every training; datasets and episodes stay the same.
        jobs: stages at the same time; one a core by default.
        user, user_model: who plays the users; see :func:`dialog_envs.benchmarks.evaluation.evaluate`.
        max_cost: US dollars that model calls may cost, of all stages together.

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
    stages = [_imagine(chosen, task, folder) for task in chosen.tasks]
    if chosen.training_seeds:
        stages += repeat_stages(chosen, folder, split, user, user_model)
    else:
        stages += _trainings(chosen, folder)
    expected = {stage.name: chosen.stages.get(stage.kind, 0.0) for stage in stages}
    # Scoring has processes of its own: it counts once for each core, like the stages.
    clock = Clock(expected | {"score": jobs * chosen.stages.get("score", 0.0)}, jobs)
    with nullcontext() if max_cost is None else handed_down(max_cost, folder / PURSE):
        run_stages(folder, stages, jobs, clock)
    clock.begin("score")
    if chosen.training_seeds:
        run = evaluate(
            untrained(chosen), out=folder, split=split, redo=["changed"], jobs=jobs, max_cost=max_cost
        )
        run = gather(run, chosen)
    else:
        run = evaluate(chosen, out=folder, split=split, redo=["changed"], jobs=jobs, max_cost=max_cost)
    note(f"all done in {duration(clock.elapsed())}")
    return run


def _reseeded(settings: Mapping[str, Any], by: int) -> dict[str, Any]:
    return {**settings, "seed": int(settings.get("seed", 0)) + by}


def _trainings(suite: Suite, folder: Path) -> list[Stage]:
    """Task by task within each agent, so that every core has something to do early."""
    return [
        _train(task, folder, name, dict(suite.training_for(task, name)))
        for name in suite.training
        for task in suite.tasks
    ]


def _imagine(suite: Suite, task: str, folder: Path) -> Stage:
    options = dict(suite.dataset_for(task))
    if (reason := _missing_model(options.get("model"))) is not None:
        note(f"{task}: the dataset is made without a language model: {reason}")
        options.pop("model")
        options.pop("model_share", None)
    out = folder / "datasets" / task
    return imagine_stage(f"{task}/imagine", task, out, options)


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
    start = settings.pop("init", None)
    algorithm = str(settings.pop("algorithm", name))
    after, init = [f"{task}/imagine"], None
    if start is not None:
        after.append(f"{task}/train-{start}")
        init = (checkpoints / start, folder / "stages" / f"{after[-1]}.json")
    return train_stage(
        f"{task}/train-{name}", task, data, checkpoints / name, algorithm, settings, after, init
    )
