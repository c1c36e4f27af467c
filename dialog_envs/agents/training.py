"""Training in one call: a dataset becomes an agent's checkpoint. ``dialog-envs train`` is this on the command line."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialog_envs.agents.algorithms import make_algorithm
from dialog_envs.datasets.files import MANIFEST
from dialog_envs.datasets.labels import REWARD_SOURCES, by_label
from dialog_envs.datasets.reader import read_manifest
from dialog_envs.datasets.shipped import locate
from dialog_envs.errors import DatasetError, UsageError

if TYPE_CHECKING:
    from dialog_envs.agents.language_model import DialogueModel, ModelConfig
    from dialog_envs.agents.parallel import Processes
    from dialog_envs.agents.sequences import TextEpisode
    from dialog_envs.agents.state import Unfinished
    from dialog_envs.agents.tracking import Tracker
    from dialog_envs.agents.trainer import Algorithm

__all__ = ["TrainResult", "data_hash", "train"]


@dataclasses.dataclass(frozen=True, slots=True)
class TrainResult:
    """What ``train`` did."""

    path: Path
    trained: bool
    """False if the checkpoint was there already."""
    record: dict[str, Any]
    """``training.json``."""
    address: str | None = None
    """Of the commit on the Hugging Face Hub, if it was uploaded."""
    main: bool = True
    """Whether this is the process that speaks, of several that trained together."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Order:
    """What one call of :func:`train` asks for, looked up and checked."""

    learner: Algorithm[Any]
    task: Any
    path: Path
    record: dict[str, Any]
    model: ModelConfig
    init: str | Path | None
    seed: int
    threads: int | None
    device: str
    processes: Processes
    progress: bool
    save_every: int | None
    track: tuple[str, ...]


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
    save_every: int | None = None,
    track: Sequence[str] = (),
    push_to_hub: str | None = None,
    reward: str = "kernel",
) -> TrainResult:
    """Trains an agent on a dataset and saves its checkpoint. Does nothing if the same training is there already.

    A training that was broken off, even killed, goes on where its last state was saved when it is called again.

    Args:
        algorithm: a name of :data:`dialog_envs.agents.algorithms.ALGORITHMS`.
        data: a dataset folder, or episodes in the dataset's format.
        out: folder of the checkpoint.
        task: a task or its id; None reads it from the dataset.
        settings: fields of the algorithm's config and of its ``training`` part by name, such as ``{"epochs": 2}``.
        model: the model's shape or backbone, and LoRA; of these only LoRA is read if ``init`` is given.
        init: a checkpoint to start from. An algorithm that starts from BC, such as ILQL, trains BC first without one.
        seed: of weights, batches and validation split.
        threads: for torch; None leaves them as they are.
        device: ``cpu``, ``cuda`` or ``auto``.
        progress: whether to report on stderr.
        save_every: steps between two states to resume from; None is about a minute, 0 saves none.
        track: names of :data:`dialog_envs.agents.tracking.TRACKERS` that are told the figures, beside metrics.jsonl.
        push_to_hub: a repository of the Hugging Face Hub, ``OWNER/NAME``, that gets the checkpoint.
        reward: ``"kernel"``: as it stands in the dataset; ``"label"``: of imagined dialogues, the end that they were to
            have, as in the paper.

    Raises:
        UnknownAgent, UsageError, DatasetError, CheckpointError: each with one sentence that says what to do.
    """
    from dialog_envs.agents import hub
    from dialog_envs.agents.checkpoint import is_finished, read_training
    from dialog_envs.agents.parallel import join
    from dialog_envs.agents.tracking import check_trackers
    from dialog_envs.agents.trainer import check_device

    learner = make_algorithm(algorithm, settings or {})
    check_trackers(track)
    if reward not in REWARD_SOURCES:
        raise UsageError(f"reward must be one of {', '.join(REWARD_SOURCES)}; got {reward!r:.60}")
    if push_to_hub is not None:
        hub.check_repo(push_to_hub)
    processes, device = join(device)
    check_device(device)
    episodes = None if isinstance(data, str | Path) else list(data)
    task = _task(task, data, episodes)
    shape = _model_config(model)
    source = data_hash(str(data) if episodes is None else episodes)
    source = source if reward == "kernel" else f"{reward}:{source}"
    record = _record(learner, task, source, shape, init, seed)
    order = _Order(
        learner, task, Path(out), record, shape, init, seed, threads, device, processes, progress, save_every,
        tuple(track),
    )  # fmt: skip
    finished = is_finished(order.path, record["fingerprint"])
    processes.wait()
    if not finished:
        if episodes is None:
            from dialog_envs.datasets import read_dataset

            episodes = list(read_dataset(Path(str(data))).episodes)
        _run(order, by_label(episodes) if reward == "label" else episodes)
    address = hub.push_to_hub(order.path, push_to_hub) if push_to_hub is not None and processes.main else None
    return TrainResult(order.path, not finished, read_training(order.path), address, processes.main)


def _record(
    learner: Algorithm[Any], task: Any, data: str, shape: ModelConfig, init: str | Path | None, seed: int
) -> dict[str, Any]:
    """What decides the training's result, and its fingerprint."""
    from dialog_envs.agents.checkpoint import fingerprint, read_training

    record: dict[str, Any] = {
        "algorithm": learner.name,
        "task": task.id,
        "task_version": task.version,
        "config": dataclasses.asdict(learner.config),
        "seed": seed,
        "data": data,
        "init": read_training(init)["fingerprint"] if init is not None else None,
        "shape": dataclasses.asdict(shape) if init is None else None,
        "lora_rank": shape.lora_rank,
    }
    return record | {"fingerprint": fingerprint(record)}


def _run(order: _Order, episodes: Sequence[Any]) -> None:
    """Trains and writes the checkpoint, at once or not at all."""
    from dialog_envs.agents import trainer
    from dialog_envs.agents.checkpoint import METRICS, check_place, read_training, replacing, save_model
    from dialog_envs.agents.model_card import write_card
    from dialog_envs.agents.state import Unfinished
    from dialog_envs.agents.tracking import tracking

    texts = _texts(order.task, episodes, str(order.record["data"]))
    check_place(order.path)
    main = order.processes.main
    with ExitStack() as stack:
        stack.enter_context(trainer.threads(order.threads))
        unfinished = stack.enter_context(
            Unfinished(order.path, order.record["fingerprint"], order.save_every, main)
        )
        names = order.track if main else ()
        settings = {"algorithm": order.learner.name, "task": order.task.id, "seed": order.seed}
        trackers = stack.enter_context(tracking(names, order.path, settings | order.record["config"]))
        model, figures = _trained(order, texts, unfinished, trackers)
        if main:
            with replacing(order.path) as folder:
                shutil.copyfile(unfinished.metrics, folder / METRICS)
                speaking = {
                    "temperature": order.learner.config.training.temperature
                } | order.learner.speaking()
                save_model(model.to("cpu"), folder, order.record | figures | speaking)
                write_card(read_training(folder), folder, order.path.name)
        order.processes.wait()


def _trained(
    order: _Order, texts: Sequence[TextEpisode], unfinished: Unfinished, trackers: Sequence[Tracker]
) -> tuple[DialogueModel, dict[str, Any]]:
    """All stages of the training: the model, and what the record says of them."""
    from dialog_envs.agents import trainer
    from dialog_envs.agents.bc import BC, BCConfig
    from dialog_envs.agents.checkpoint import load_model
    from dialog_envs.agents.language_model import build_model
    from dialog_envs.agents.lora import add_lora

    learner = order.learner
    if order.init is not None:
        model, _ = load_model(order.init, order.task.id)
        if order.model.lora_rank:
            with trainer.seeded(order.seed, "weights"):
                add_lora(model.policy, order.model.lora_rank)
    else:
        with trainer.seeded(order.seed, "weights"):
            words = (text for episode in texts for _, text in episode.segments)
            model = build_model(order.model, words, order.task.view.special_tokens)
        if learner.starts_from_bc and "bc" not in unfinished.stages:
            first = BC(BCConfig(training=learner.config.training))
            unfinished.stages["bc"] = _stage(order, first, model, texts, unfinished, trackers)
    stages = dict(unfinished.stages)
    report = _stage(order, learner, model, texts, unfinished, trackers)
    learning = sum(p.numel() for p in model.parameters() if p.requires_grad)
    parameters = sum(p.numel() for p in model.parameters())
    return model, report | {"parameters": parameters, "learning": learning, "stages": stages}


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
    order: _Order, learner: Algorithm[Any], model: DialogueModel, texts: Sequence[TextEpisode],
    unfinished: Unfinished, trackers: Sequence[Tracker],
) -> dict[str, Any]:  # fmt: skip
    """One algorithm's training; returns what the record says of it."""
    from dialog_envs.agents import trainer
    from dialog_envs.agents.sequences import encode_episode
    from dialog_envs.agents.validation import episode_score

    known: dict[str, list[int]] = {}
    chosen = [encode_episode(model.tokenizer, e, model.context, known) for e in learner.select(texts)]
    with trainer.seeded(order.seed, f"prepare {learner.name}"):
        learner.prepare(model, chosen)
    score = episode_score(learner, order.task, learner.config.training.validation_episodes)
    report = trainer.fit(
        learner, model, chosen, seed=order.seed, device=order.device, metrics=unfinished.metrics,
        progress=order.progress, unfinished=unfinished, trackers=trackers, score=score, processes=order.processes,
    )  # fmt: skip
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
        return hashlib.sha256((locate(data) / MANIFEST).read_bytes()).hexdigest()[:32]
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
