"""``dialog-envs train``: a dataset becomes an agent's checkpoint."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialog_envs.agents.algorithms import ALGORITHMS, make_algorithm
from dialog_envs.datasets.files import MANIFEST
from dialog_envs.datasets.reader import read_manifest
from dialog_envs.errors import DatasetError, UsageError

if TYPE_CHECKING:
    from dialog_envs.agents.language_model import DialogueModel, ModelConfig
    from dialog_envs.agents.sequences import TextEpisode
    from dialog_envs.agents.trainer import Algorithm


@dataclasses.dataclass(frozen=True, slots=True)
class TrainResult:
    """What ``train`` did."""

    path: Path
    trained: bool
    """False if the checkpoint was there already."""
    record: dict[str, Any]
    """``training.json``."""


def train(
    algorithm: str,
    data: str | Path | Iterable[Any],
    out: str | Path,
    *,
    task: Any = None,
    settings: Mapping[str, Any] | None = None,
    model: ModelConfig | None = None,
    init: str | Path | None = None,
    seed: int = 0,
    threads: int | None = None,
    device: str = "cpu",
    progress: bool = True,
) -> TrainResult:
    """Trains an agent on a dataset and saves its checkpoint. Does nothing if the same training is there already.

    Args:
        algorithm: a name of :data:`dialog_envs.agents.algorithms.ALGORITHMS`.
        data: a dataset folder, or episodes in the dataset's format.
        out: folder of the checkpoint.
        task: a task or its id; None reads it from the dataset.
        settings: fields of the algorithm's config and of its ``training`` part by name, such as ``{"epochs": 2}``.
        model: the model's shape or backbone; not read if ``init`` is given.
        init: a checkpoint to start from. An algorithm that starts from BC, such as ILQL, trains BC first without one.
        seed: of weights, batches and validation split.
        threads: for torch; None leaves them as they are.
        device: where to train.
        progress: whether to report on stderr.

    Raises:
        UnknownAgent, UsageError, DatasetError, CheckpointError: each with one sentence that says what to do.
    """
    from dialog_envs.agents.checkpoint import fingerprint, is_finished, read_training
    from dialog_envs.agents.trainer import check_device

    learner = make_algorithm(algorithm, settings or {})
    check_device(device)
    episodes = None if isinstance(data, str | Path) else list(data)
    task = _task(task, data, episodes)
    record: dict[str, Any] = {
        "algorithm": algorithm,
        "task": task.id,
        "task_version": task.version,
        "config": dataclasses.asdict(learner.config),
        "seed": seed,
        "data": data_hash(str(data) if episodes is None else episodes),
        "init": read_training(init)["fingerprint"] if init is not None else None,
        "shape": dataclasses.asdict(_model_config(model)) if init is None else None,
    }
    record["fingerprint"] = fingerprint(record)
    path = Path(out)
    if is_finished(path, record["fingerprint"]):
        return TrainResult(path, False, read_training(path))
    if episodes is None:
        from dialog_envs.datasets import read_dataset

        episodes = list(read_dataset(Path(str(data))).episodes)
    _run(learner, task, episodes, path, record, model, init, seed, threads, device, progress)
    return TrainResult(path, True, read_training(path))


def _run(
    learner: Algorithm[Any], task: Any, episodes: Sequence[Any], path: Path, record: dict[str, Any],
    model_config: ModelConfig | None, init: str | Path | None, seed: int, threads: int | None, device: str,
    progress: bool,
) -> None:  # fmt: skip
    """Trains and writes the checkpoint, at once or not at all."""
    from dialog_envs.agents import trainer
    from dialog_envs.agents.bc import BC, BCConfig
    from dialog_envs.agents.checkpoint import METRICS, load_model, replacing, save_model
    from dialog_envs.agents.language_model import build_model

    texts = _texts(task, episodes, str(record["data"]))
    with replacing(path) as folder, trainer.threads(threads):
        metrics = folder / METRICS
        stages: dict[str, Any] = {}
        if init is not None:
            model, _ = load_model(init, task.id)
        else:
            with trainer.seeded(seed, "weights"):
                words = (text for episode in texts for _, text in episode.segments)
                model = build_model(_model_config(model_config), words, task.view.special_tokens)
            if learner.starts_from_bc:
                first = BC(BCConfig(training=learner.config.training))
                stages["bc"] = _stage(first, model, texts, metrics, seed, device, progress)
        report = _stage(learner, model, texts, metrics, seed, device, progress)
        save_model(
            model.to("cpu"), folder,
            record | report | learner.speaking() | {
                "parameters": sum(p.numel() for p in model.parameters()),
                "stages": stages,
            },
        )  # fmt: skip


_LAST_TEXTS: tuple[tuple[object, ...], list[TextEpisode]] | None = None


def _texts(task: Any, episodes: Sequence[Any], data: str) -> list[TextEpisode]:
    """The episodes through the task's view. The last dataset is remembered: several agents learn from the same one."""
    global _LAST_TEXTS
    from dialog_envs.agents.sequences import text_episode

    key = (data, task.id, task.version, task.view)
    if _LAST_TEXTS is None or _LAST_TEXTS[0] != key:
        _LAST_TEXTS = key, [text_episode(e, task.view, lambda s: _brief(task, s)) for e in episodes]
    return _LAST_TEXTS[1]


def _stage(
    learner: Algorithm[Any], model: DialogueModel, texts: Sequence[TextEpisode], metrics: Path, seed: int,
    device: str, progress: bool,
) -> dict[str, Any]:  # fmt: skip
    """One algorithm's training; returns what the record says of it."""
    from dialog_envs.agents import trainer
    from dialog_envs.agents.sequences import encode_episode

    known: dict[str, list[int]] = {}
    chosen = [encode_episode(model.tokenizer, e, model.context, known) for e in learner.select(texts)]
    with trainer.seeded(seed, f"prepare {learner.name}"):
        learner.prepare(model, chosen)
    report = trainer.fit(learner, model, chosen, seed=seed, device=device, metrics=metrics, progress=progress)
    cropped = sum(len(episode.ids) == model.context for episode in chosen)
    return {
        "episodes": len(chosen), "cropped": cropped, "vocabulary": len(model.tokenizer),
        "report": dataclasses.asdict(report),
    }  # fmt: skip


def data_hash(data: str | Path | Sequence[Any]) -> str:
    """A hash of a dataset: of its manifest, which holds the hashes of all shards, or of the episodes themselves.

    Raises:
        DatasetError: the folder has no manifest, or a damaged one.
    """
    if isinstance(data, str | Path):
        read_manifest(data)
        return hashlib.sha256((Path(data) / MANIFEST).read_bytes()).hexdigest()[:32]
    digest = hashlib.sha256()
    for episode in data:
        plain = episode.to_json() if hasattr(episode, "to_json") else episode
        digest.update(json.dumps(plain, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:32]


def _model_config(model: ModelConfig | None) -> ModelConfig:
    from dialog_envs.agents.language_model import ModelConfig

    return model if model is not None else ModelConfig()


def _task(task: Any, data: Any, episodes: Sequence[Any] | None) -> Any:
    """The task object: given, or named by the dataset."""
    if task is not None and not isinstance(task, str):
        return task
    from dialog_envs.registration import get_task

    if task is None and episodes is None:
        task = read_manifest(data)["task"]
    elif task is None and episodes:
        first = episodes[0]
        task = first["task"] if isinstance(first, Mapping) else first.task
    if not isinstance(task, str):
        raise DatasetError("the dataset does not say which task it is for: name one with --task.")
    return get_task(task)


def _brief(task: Any, scenario: Any) -> str:
    """The brief of a scenario that may still be JSON."""
    return str((task.scenario_from_json(scenario) if isinstance(scenario, Mapping) else scenario).brief)


def _parse(assignments: Sequence[str]) -> dict[str, Any]:
    """``["beta=8", "trunk=separate"]`` -> ``{"beta": 8, "trunk": "separate"}``."""
    settings: dict[str, Any] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"'{text}' is no setting: write --set NAME=VALUE, for example --set epochs=2.")
        try:
            settings[key.strip().replace("-", "_")] = json.loads(value)
        except ValueError:
            settings[key.strip().replace("-", "_")] = value
    return settings


def register(app: typer.Typer) -> None:
    """Adds the command ``train`` to the application."""

    @app.command("train")
    def command(
        algorithm: Annotated[str, typer.Argument(help=f"One of: {', '.join(ALGORITHMS)}.")],
        data: Annotated[Path, typer.Option(help="Dataset folder.")],
        out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the checkpoint.")],
        backbone: Annotated[str, typer.Option(help="'small', a hub id or a folder.")] = "small",
        init: Annotated[Path | None, typer.Option(help="Checkpoint to start from (ILQL: a BC one).")] = None,
        settings: Annotated[
            list[str] | None, typer.Option("--set", help="NAME=VALUE of the algorithm's config; repeatable.")
        ] = None,
        task: Annotated[
            str | None, typer.Option(help="Task id, if the dataset shall be read as another's.")
        ] = None,
        seed: Annotated[int, typer.Option(min=0, help="Of weights and batches.")] = 0,
        threads: Annotated[int | None, typer.Option(min=1, help="Threads of torch.")] = None,
        device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
        as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
    ) -> None:
        """Train an agent on a dataset."""
        from dialog_envs.agents.language_model import ModelConfig

        result = train(
            algorithm, data, out, task=task, settings=_parse(settings or []), model=ModelConfig(backbone=backbone),
            init=init, seed=seed, threads=threads, device=device,
        )  # fmt: skip
        if as_json:
            sys.stdout.write(json.dumps(result.record) + "\n")
        else:
            done = "trained" if result.trained else "was trained before"
            report = result.record["report"]
            sys.stdout.write(
                f"{result.path}: {algorithm} {done}, {report['steps']} steps, {report['seconds']:.0f} s\n"
            )
