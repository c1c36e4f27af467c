"""Trainings that are repeated: every agent of a suite, trained once for each of its training seeds, and scored.

A suite with ``[seeds] training = [0, 1, …]`` makes ``dialog-envs demo`` do this. One stage does all that belongs to a
task and a seed, in one process: the trainings in the suite's order (``init`` names an earlier one, of the same seed),
then their episodes. Agents play as ``NAME#SEED``; the leaderboard's rows are over all seeds of a name.

=======================================  ==========================================================
stage                                    product
=======================================  ==========================================================
``TASK/seed-SEED/trainings``             ``checkpoints/seed-SEED/TASK/NAME/`` for each agent, and the
                                         run folder ``trainings/TASK-seed-SEED/``
=======================================  ==========================================================

By hand: ``python -m dialog_envs.benchmarks.repeats algorithms TASK SEED -o FOLDER``. What was finished is kept, and a
training that was broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dialog_envs.benchmarks.collector import collect_rarely
from dialog_envs.benchmarks.evaluation import evaluate, write_leaderboard
from dialog_envs.benchmarks.journal import read_episodes
from dialog_envs.benchmarks.runner import Run, read_run
from dialog_envs.benchmarks.stages import Stage
from dialog_envs.benchmarks.suite import SPLITS, Suite, load_suite
from dialog_envs.errors import ConfigError, DialogEnvsError

__all__ = ["gather", "repeat_stages", "untrained"]

_SHAPE = ("backbone", "layers", "width", "lora_rank")
_CALL = ("reward", "device", "save_every")


def repeat_stages(
    suite: Suite, folder: Path, split: str, user: str | None = None, user_model: str | None = None
) -> list[Stage]:
    """A stage for each training seed and task, all tasks of a seed before the next one.

    Raises:
        ConfigError: the suite was made in Python, so that no other process finds it.
    """
    if not suite.source:
        raise ConfigError(f"suite '{suite.name}' repeats trainings: give its name or its file.")
    who = [f"--{key}={value}" for key, value in (("user", user), ("user-model", user_model)) if value]
    return [
        _stage(suite, task, seed, folder, [f"--split={split}", *who])
        for seed in suite.training_seeds
        for task in suite.tasks
    ]


def _stage(suite: Suite, task: str, seed: int, folder: Path, options: Sequence[str]) -> Stage:
    data = folder / "datasets" / task / "manifest.json"
    trainings = {name: suite.training_for(task, name) for name in suite.training}

    def made_from() -> dict[str, Any]:
        from dialog_envs import __version__

        digest = hashlib.sha256(data.read_bytes()).hexdigest()
        episodes = suite.fingerprint(SPLITS[0]), suite.fingerprint(SPLITS[1])
        facts = {"trainings": trainings, "options": list(options), "dialog_envs": __version__}
        return {"data": digest, "episodes": episodes, **facts}

    command = (
        sys.executable, "-m", __name__, suite.source, task, str(seed), "-o", str(folder), *options,
    )  # fmt: skip
    name = f"{task}/seed-{seed}/trainings"
    return Stage(
        name, _part(folder, task, seed) / "leaderboard.json", command, made_from, (f"{task}/imagine",)
    )


def _part(folder: Path, task: str, seed: int) -> Path:
    return folder / "trainings" / f"{task}-seed-{seed}"


def untrained(suite: Suite) -> Suite:
    """The suite without the agents that it trains."""
    return dataclasses.replace(suite, agents=tuple(a for a in suite.agents if a.name not in suite.training))


def gather(run: Run, suite: Suite) -> Run:
    """Put the episodes of all trainings into the run folder, and write its leaderboard again."""
    known = {record.key: record for record in read_episodes(run.folder)}
    found = [
        record
        for seed in suite.training_seeds
        for task in suite.tasks
        for record in read_episodes(_part(run.folder, task, seed))
    ]
    new = [record for record in found if known.get(record.key) != record]
    with (run.folder / "episodes.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(record.to_line() + "\n" for record in new)
    board, records = read_run(run.folder)
    write_leaderboard(run.folder, board, records)
    unscored = sum(record.unscored for record in found)
    return dataclasses.replace(run, leaderboard=board, missing=run.missing + unscored)


# ---- in the stage's process ------------------------------------------------------------------------------------------


def train_and_score(suite: Suite, task: str, seed: int, folder: Path, split: str = "report") -> Run:
    """All trainings of a task and a seed, then the episodes of what they made."""
    from dialog_envs.agents.training import train

    place = folder / "checkpoints" / f"seed-{seed}" / task
    for name in suite.training:
        settings = suite.training_for(task, name)
        start = settings.pop("init", None)
        train(
            str(settings.pop("algorithm", name)),
            folder / "datasets" / task,
            place / name,
            task=task,
            init=place / start if start is not None else None,
            seed=int(settings.pop("seed", 0)) + seed,
            threads=1,  # weights depend on it
            **_options(settings),
        )
    agents = [f"{name}#{seed}={place / name}" for name in suite.training]
    return evaluate(
        suite.only([task]),
        agents,
        out=_part(folder, task, seed),
        only=True,
        split=split,
        redo=["changed"],
        jobs=1,
    )


def _options(settings: dict[str, Any]) -> Mapping[str, Any]:
    """What remains of a training's settings, as :func:`dialog_envs.agents.training.train` takes them."""
    from dialog_envs.agents.language_model import ModelConfig

    shape = {key: settings.pop(key) for key in _SHAPE if key in settings}
    options = {key: settings.pop(key) for key in _CALL if key in settings}
    return {**options, "settings": settings, "model": ModelConfig(**shape) if shape else None}


def _main() -> None:
    parser = argparse.ArgumentParser(prog=f"python -m {__name__}", description=__doc__)
    parser.add_argument("suite", help="a suite's name or its .toml file")
    parser.add_argument("task")
    parser.add_argument("seed", type=int)
    parser.add_argument("-o", "--out", type=Path, required=True, help="the run folder, with datasets/TASK")
    parser.add_argument("--split", choices=SPLITS, default=SPLITS[0])
    parser.add_argument("--user")
    parser.add_argument("--user-model")
    options = parser.parse_args()
    collect_rarely()
    try:
        suite = load_suite(options.suite).played_by(options.user, options.user_model)
        run = train_and_score(suite, options.task, options.seed, options.out, options.split)
    except DialogEnvsError as error:
        sys.exit(f"error: {error}")
    if run.missing:
        sys.exit(f"error: {run.missing} episodes are unscored: run the same command again.")


if __name__ == "__main__":
    _main()
