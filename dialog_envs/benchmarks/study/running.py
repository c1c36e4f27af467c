"""Running a study: datasets and trainings as stages, then the same episodes for every arm, then the tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dialog_envs.agents.registry import AgentSpec, resolve_agent
from dialog_envs.benchmarks.evaluation import evaluate
from dialog_envs.benchmarks.products import imagine_stage, train_stage
from dialog_envs.benchmarks.stages import Clock, Stage, run_stages
from dialog_envs.benchmarks.study.report import StudyReport, report, write_report
from dialog_envs.benchmarks.study.spec import Arm, Size, Study
from dialog_envs.benchmarks.suite import Suite, UserGroup

__all__ = ["run_study"]

REFERENCE = "heuristic"
"""Plays beside the arms, so that one sees how far there is to go."""
_NAME = re.compile(r"[^\w-]+")


def run_study(
    study: Study, size: Size, out: str | Path, *, split: str = "report", jobs: int = 1
) -> StudyReport:
    """Run what is missing of a study, and write ``study.json``, ``study.md`` and ``study.svg``.

    Args:
        study, size: what is done.
        out: the run folder. The same call again goes on where it stopped.
        split: seeds of the episodes: ``report``, or ``validation`` to choose settings.
        jobs: stages at the same time.

    Raises:
        DialogEnvsError: what a stage raises. The stages before it are kept.
    """
    folder = Path(out)
    arms = expand(study, size)
    stages, agents, data = plan(study, size, arms, folder)
    run_stages(folder, stages, jobs, Clock(dict.fromkeys((stage.name for stage in stages), 0.0), jobs))
    suite = Suite(
        name=f"study-{study.name}",
        summary=study.question,
        tasks=(study.task,),
        groups=tuple(UserGroup(users, (), size.episodes) for users in ("typical", "hard")),
        seeds={"report": 10_000_000, "validation": 20_000_000},
        baseline=study.baseline,
        information_per_family=0,
    )
    specs = [make() for make in agents] + [resolve_agent(REFERENCE)]
    run = evaluate(suite, specs, out=folder, only=True, split=split, redo=["changed"], jobs=jobs)
    found = report(study, size, arms, data, run.leaderboard)
    write_report(folder, found)
    return found


def expand(study: Study, size: Size) -> list[Arm]:
    """The arms of a size, those that stand for several models once a model."""
    found: list[Arm] = []
    for arm in study.at(size.name):
        if arm.each_model:
            found += [
                replace(arm, name=_NAME.sub("-", model).strip("-"), about=f"`{model}`", model=model)
                for model in size.models
            ]
        else:
            found.append(arm)
    return found


def plan(
    study: Study, size: Size, arms: Sequence[Arm], folder: Path
) -> tuple[list[Stage], list[Any], dict[str, list[Path]]]:
    """Stages, makers of agents, and the datasets of each arm. Arms that imagine alike share their datasets."""
    imagining: dict[tuple[str, int], Stage] = {}
    training: list[Stage] = []
    agents: list[Any] = []
    data: dict[str, list[Path]] = {}
    for arm in arms:
        model = arm.model or (size.models[0] if size.models else None)
        if arm.agent is not None:
            agents.append(lambda arm=arm, model=model: _prompted(arm, str(model)))
            continue
        for seed in range(size.seeds):
            settings = {**study.imagine, **arm.imagine, "seed": 1 + seed}
            settings["episodes"] = max(1, round(size.dialogues * arm.share))
            if study.needs_model(arm) and "model" not in settings:
                settings["model"] = model
            key = (repr(sorted(settings.items())), seed)
            place = folder / "datasets" / f"{arm.name}-{seed}"
            if key not in imagining:
                imagining[key] = imagine_stage(f"{arm.name}-{seed}/imagine", study.task, place, settings)
            stage = imagining[key]
            data.setdefault(arm.name, []).append(stage.product.parent)
            options = {**study.train, **size.train, **arm.train, "seed": seed}
            if arm.share < 1:  # as many steps as the others take
                options["epochs"] = float(options.get("epochs", 1.0)) / arm.share
            checkpoint = folder / "checkpoints" / f"{arm.name}-{seed}"
            algorithm = str(options.pop("algorithm", "filtered-bc"))
            name = f"{arm.name}-{seed}/train-{algorithm}"
            training.append(
                train_stage(
                    name, study.task, stage.product.parent, checkpoint, algorithm, options, [stage.name]
                )
            )
            label = f"{arm.name}#{seed}"
            agents.append(lambda label=label, place=checkpoint: resolve_agent(f"{label}={place}"))
    return [*imagining.values(), *training], agents, data


def _prompted(arm: Arm, model: str) -> AgentSpec:
    spec = resolve_agent(f"prompted:{arm.agent}:{model}", (), dict(arm.settings))
    return replace(spec, name=arm.name)
