"""The whole story: imagine a dataset, train agents on it, score them, write the leaderboard.

Each stage leaves a product in the run folder, and a note of what it was made from (``stages/NAME.json``). A stage
whose product was made from the same is skipped, so running again is instant, and goes on where it was stopped.

=================  =====================================================================
stage              product
=================  =====================================================================
``imagine``        ``dataset/``
``train-NAME``     ``checkpoints/NAME/``, for each agent in the suite's ``[training]``
``score``          ``episodes.jsonl`` and ``leaderboard.*``
=================  =====================================================================
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dialog_envs.benchmarks.evaluation import default_folder, evaluate
from dialog_envs.benchmarks.journal import write_text
from dialog_envs.benchmarks.progress import duration, note
from dialog_envs.benchmarks.runner import Run
from dialog_envs.benchmarks.suite import Suite, load_suite
from dialog_envs.errors import ConfigError, ModelUnavailable, RunFolderError

__all__ = ["Stage", "run_demo", "run_stages"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A step that leaves a product.

    Attributes:
        name: for people and for the note.
        product: the folder or file it leaves.
        made_from: everything that decides the product, as JSON; called after the stages before it are done.
        work: makes the product.
    """

    name: str
    product: Path
    made_from: Callable[[], Mapping[str, Any]]
    work: Callable[[], Any]


def run_demo(
    suite: str | Path | Suite = "demo",
    out: str | Path | None = None,
    *,
    split: str = "report",
    train_seed: int = 0,
) -> Run:
    """Run the whole story; see the module's text.

    Args:
        suite: a suite with ``[dataset]`` and ``[training]``.
        out: the run folder; ``runs/SUITE`` by default.
        split: ``"report"``, or ``"validation"`` to choose settings.
        train_seed: added to the seed of every training; dataset and episodes stay the same.

    Raises:
        ConfigError: the suite has no dataset settings, or several tasks.
        DialogEnvsError: what a stage raises. The stages before it are kept.
    """
    chosen = suite if isinstance(suite, Suite) else load_suite(suite)
    if not chosen.dataset or len(chosen.tasks) != 1:
        raise ConfigError(f"suite '{chosen.name}' needs one task and a [dataset] table to be a demo.")
    if train_seed:
        chosen = replace(chosen, training={n: _reseeded(t, train_seed) for n, t in chosen.training.items()})
    folder = Path(out) if out is not None else default_folder(chosen, split)
    clock = _Clock(chosen.stages)
    run_stages(folder, [_imagine(chosen, folder), *_training(chosen, folder)], clock)
    clock.begin("score")
    run = evaluate(chosen, out=folder, split=split, redo=["changed"])
    note(f"all done in {duration(clock.elapsed())}")
    return run


def run_stages(folder: Path, stages: list[Stage], clock: _Clock | None = None) -> list[str]:
    """Do the stages whose product is missing or was made from something else; returns their names."""
    clock = clock or _Clock({})
    done = []
    for stage in stages:
        record = folder / "stages" / f"{stage.name}.json"
        fingerprint = _digest(stage.made_from())
        if stage.product.exists() and _fingerprint_in(record) == fingerprint:
            clock.skip(stage.name)
            continue
        clock.begin(stage.name)
        begun = time.monotonic()
        try:
            record.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise RunFolderError(
                f"cannot write to '{folder}': {reason}. Choose another with --out."
            ) from error
        record.unlink(missing_ok=True)  # until the product is whole, nothing vouches for it
        stage.work()
        facts = {"fingerprint": fingerprint, "seconds": round(time.monotonic() - begun, 1)}
        write_text(record, json.dumps(facts) + "\n")
        clock.skip(stage.name)
        done.append(stage.name)
    return done


def _reseeded(settings: Mapping[str, Any], by: int) -> dict[str, Any]:
    return {**settings, "seed": int(settings.get("seed", 0)) + by}


# ---- the stages ------------------------------------------------------------------------------------------------------


def _imagine(suite: Suite, folder: Path) -> Stage:
    settings = dict(suite.dataset)
    task = suite.tasks[0]

    def work() -> None:
        from dialog_envs.benchmarks.cli.imagine import make_dataset

        try:
            make_dataset(task, folder / "dataset", replace=True, **settings)
        except ModelUnavailable as error:
            note(f"the dataset is made without a language model: {error}")
            make_dataset(task, folder / "dataset", replace=True, **{**settings, "model": None})

    return Stage(
        "imagine", folder / "dataset" / "manifest.json", lambda: {"settings": settings, **_base(task)}, work
    )


def _training(suite: Suite, folder: Path) -> list[Stage]:
    return [_train(suite.tasks[0], folder, name, dict(settings)) for name, settings in suite.training.items()]


def _train(task: str, folder: Path, name: str, settings: dict[str, Any]) -> Stage:
    out, data = folder / "checkpoints" / name, folder / "dataset"
    seed, threads = int(settings.pop("seed", 0)), settings.pop("threads", None)
    init = settings.pop("init", None)
    algorithm = str(settings.pop("algorithm", name))
    start = folder / "checkpoints" / init if init else None

    def made_from() -> dict[str, Any]:
        parts = [data / "manifest.json"] + ([folder / "stages" / f"train-{init}.json"] if init else [])
        hashes = [hashlib.sha256(part.read_bytes()).hexdigest() for part in parts]
        return {"inputs": hashes, "settings": settings, "algorithm": algorithm, "seed": seed, **_base(task)}

    def work() -> None:
        from dialog_envs.benchmarks.cli.train import train

        train(algorithm, data, out, task=task, settings=settings, init=start, seed=seed, threads=threads)

    return Stage(f"train-{name}", out, made_from, work)


def _base(task: str) -> dict[str, str]:
    """Versions that every product depends on."""
    from dialog_envs import __version__
    from dialog_envs.registration import get_task

    return {"task": task, "task_version": get_task(task).version, "dialog_envs": __version__}


def _fingerprint_in(record: Path) -> str | None:
    try:
        found = json.loads(record.read_text("utf-8"))["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(found)


def _digest(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()


class _Clock:
    """Says which stage begins, and about how long everything will still take."""

    def __init__(self, expected: Mapping[str, float]) -> None:
        self._expected = dict(expected)
        self._left = dict(expected)
        self._begun = time.monotonic()
        self._worked: dict[str, float] = {}
        self._current: tuple[str, float] | None = None

    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._begun

    def skip(self, name: str) -> None:
        """The stage is done."""
        if self._current is not None and self._current[0] == name:
            self._worked[name] = time.monotonic() - self._current[1]
        self._left.pop(name, None)

    def begin(self, name: str) -> None:
        """Announce a stage. The estimate scales with how this machine did so far."""
        self._current = (name, time.monotonic())
        known = [stage for stage in self._worked if stage in self._expected]
        expected, took = sum(self._expected[s] for s in known), sum(self._worked[s] for s in known)
        pace = took / expected if expected >= 10 else 1.0
        left = pace * sum(self._left.values())
        number = len(self._expected) - len(self._left) + 1
        place = f"[{number}/{len(self._expected)}] " if name in self._left else ""
        remaining = f" (about {duration(left)} left in all)" if left else ""
        note(f"{place}{name.replace('-', ' ', 1)}{remaining}")
