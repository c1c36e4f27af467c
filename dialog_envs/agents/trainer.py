"""One training loop for every algorithm: batches by length, warm-up and cosine decay, metrics as JSONL.

On the CPU two runs with the same seed, settings and number of threads give equal weights, and so does one that was
killed and started again. No global random state is touched: numpy Generators order the data, and torch's generator is
forked. Several processes share the work of a step (:mod:`dialog_envs.agents.parallel`).
"""

from __future__ import annotations

import abc
import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

import torch
from torch import Tensor

from dialog_envs.agents import sharding
from dialog_envs.agents.attention import training_attention
from dialog_envs.agents.batch import Batch, collate
from dialog_envs.agents.language_model import DialogueModel
from dialog_envs.agents.optimizer import make_optimizers
from dialog_envs.agents.parallel import ALONE, Processes
from dialog_envs.agents.sequences import TextEpisode, TokenEpisode, bucket, split_by_group, useful_share
from dialog_envs.agents.state import Place, Unfinished
from dialog_envs.agents.tracking import Tracker
from dialog_envs.agents.training_log import TrainingLog
from dialog_envs.agents.validation import Score, Watch
from dialog_envs.core.seeding import derive, stream
from dialog_envs.errors import DatasetError, UsageError

Config = TypeVar("Config")


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How an algorithm is trained."""

    epochs: float = 3.0
    tokens_per_batch: int = 2048
    """Tokens of one optimiser step, padding included. Twice as many cost 8 % of the validation loss after an epoch."""
    parts: int = 3
    """Parts of a step, each of dialogues of similar length (accumulated gradients). Length tells about the outcome:
    with one part, every step would see only early successes or only long failures, and values would swing."""
    optimizer: Literal["auto", "muon", "adamw"] = "auto"
    """What moves the matrices of the trunk; auto: Muon if the model learns from scratch (also where it goes on from a
    checkpoint), AdamW if it is pretrained, has adapters, or is in parts."""
    learning_rate: float = 4e-3
    """Peak; for a pretrained backbone choose 1e-5 to 1e-4."""
    warmup: float = 0.05
    """Share of all steps over which the learning rate rises; it then falls as a cosine to a tenth of its peak."""
    weight_decay: float = 0.01
    clip: float = 1.0
    """Largest norm of the gradient."""
    validation: float = 0.05
    """Share of personas whose episodes are held out."""
    precision: str = "auto"
    """fp32, bf16 (matrix products of the trunk only), or auto: bf16 where the processor has instructions for it."""
    temperature: float = 1.0
    """How the trained agent speaks, unless told otherwise: 1 as it has learned, below 1 more surely of itself."""
    stop_on: Literal["never", "loss", "episodes"] = "never"
    """What tells which weights to keep, and when to stop early: the loss on held-out personas, or success with
    simulated users. ``never`` takes all steps and keeps the last weights. The loss of an algorithm with values moves
    with its own goals: there only episodes tell something."""
    evaluate_every: int = 0
    """Steps between two evaluations; 0 is a tenth of the training."""
    patience: int = 3
    """Evaluations without a better one after which the training stops; 0 goes on to the end and keeps the best."""
    validation_episodes: int = 64
    """Played at each evaluation if ``stop_on`` is ``episodes``."""

    def __post_init__(self) -> None:
        """Raises UsageError if a setting is out of its range."""
        for name in ("epochs", "learning_rate", "clip"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name}={getattr(self, name)} must be above 0.")
        for name, least in (
            ("tokens_per_batch", 1), ("parts", 1), ("validation_episodes", 1), ("evaluate_every", 0), ("patience", 0),
        ):  # fmt: skip
            if not getattr(self, name) >= least:
                raise UsageError(f"{name}={getattr(self, name)} must be at least {least}.")
        if not self.temperature >= 0:
            raise UsageError(f"temperature={self.temperature} must be at least 0.")
        for name in ("warmup", "validation"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name}={getattr(self, name)} must be at least 0 and below 1.")
        if self.stop_on not in ("never", "loss", "episodes"):
            raise UsageError(f"stop_on='{self.stop_on}' is unknown: choose never, loss or episodes.")
        if self.optimizer not in ("auto", "muon", "adamw"):
            raise UsageError(f"optimizer='{self.optimizer}' is unknown: choose auto, muon or adamw.")
        if self.stop_on == "loss" and not self.validation:
            raise UsageError("stop_on=loss needs held-out personas: set validation above 0.")


class Algorithm(abc.ABC, Generic[Config]):
    """What the trainer needs to know of an algorithm. Each lives in its own module, beside its config and loss."""

    name: ClassVar[str]
    config_class: ClassVar[type[Any]]
    starts_from_bc: ClassVar[bool]
    """Whether training starts from a BC checkpoint."""

    def __init__(self, config: Config | None = None) -> None:
        self.config: Any = config if config is not None else self.config_class()

    @abc.abstractmethod
    def select(self, episodes: Sequence[TextEpisode]) -> list[TextEpisode]:
        """The episodes to learn from."""

    @abc.abstractmethod
    def prepare(self, model: DialogueModel, episodes: Sequence[TokenEpisode] = ()) -> None:
        """Puts on the model what the algorithm needs beside the language model. Torch is seeded.

        ``episodes`` are those that :meth:`select` chose.
        """

    @abc.abstractmethod
    def loss(self, model: DialogueModel, batch: Batch, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss (a scalar with gradient) and its parts for the log (scalars without).

        ``progress`` rises from 0 to 1 over the training.
        """

    @abc.abstractmethod
    def after_step(self, model: DialogueModel) -> None:
        """What follows an optimiser step, such as moving target networks."""

    def speaking(self) -> dict[str, Any]:
        """What the agent at play must know, for the checkpoint's record: ``beta``, ``min_p``, ``condition``."""
        return {name: getattr(self.config, name) for name in ("beta", "min_p") if hasattr(self.config, name)}


@dataclass(frozen=True, slots=True)
class FitReport:
    """What a training was like."""

    steps: int
    """Optimiser steps taken."""
    tokens: int
    """Useful tokens read in all."""
    seconds: float
    tokens_per_second: float
    useful_share: float
    """Share of the batches that was not padding."""
    losses: dict[str, float]
    """Parts of the loss over the last twentieth of all steps."""
    validation: dict[str, float] = field(default_factory=dict)
    """Parts of the loss on held-out personas; empty without any."""
    kept_step: int | None = None
    """The step whose weights were kept, if ``stop_on`` chose among them."""
    precision: str = "fp32"
    """Of the trunk's matrix products."""
    optimizer: str = "adamw"
    """What moved the matrices of the trunk: muon or adamw."""
    device: str = "cpu"
    processes: int = 1
    sharded: bool = False
    """Whether each process held a part of the model only."""


@contextlib.contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Runs torch with ``count`` threads (None: as it is) and puts the old number back."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def seeded(seed: int, name: str) -> Iterator[None]:
    """Seeds torch for a block, and leaves its global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "torch", name))
        yield


def check_device(device: str) -> None:
    """Raises UsageError if torch cannot compute on ``device`` here."""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UsageError(f"device '{device}' cannot be used here ({reason:.200}): choose cpu.") from error


def resolve_precision(precision: str, device: str = "cpu") -> torch.dtype | None:
    """The autocast type, or None for full precision.

    Raises:
        UsageError: unknown precision.
    """
    if precision not in ("auto", "fp32", "bf16"):
        raise UsageError(f"precision='{precision}' is unknown: choose auto, fp32 or bf16.")
    if precision == "auto" and device == "cpu":
        supported = getattr(torch.cpu, "_is_avx512_bf16_supported", bool)  # private: absent in some versions
        precision = "bf16" if supported() else "fp32"
    elif precision == "auto":
        precision = "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return torch.bfloat16 if precision == "bf16" else None


def fit(
    algorithm: Algorithm[Any],
    model: DialogueModel,
    episodes: Sequence[TokenEpisode],
    *,
    seed: int = 0,
    device: str = "cpu",
    metrics: Path | None = None,
    progress: bool = True,
    unfinished: Unfinished | None = None,
    trackers: Sequence[Tracker] = (),
    score: Score | None = None,
    processes: Processes = ALONE,
) -> FitReport:
    """Trains a model in place.

    Args:
        algorithm: with its config.
        model: already prepared by the algorithm.
        episodes: already selected by the algorithm.
        seed: orders the batches and draws the validation split.
        device: where to train.
        metrics: file that gets about 200 JSON lines.
        progress: whether to report on stderr.
        unfinished: where states are saved, and an earlier process's is found.
        trackers: who is told the figures, too.
        score: plays validation episodes; needed if ``stop_on`` is ``episodes``.
        processes: who shares the work.

    Raises:
        DatasetError: there is nothing to learn from.
        UsageError: ``stop_on`` asks for what is not there.
        CheckpointError: an earlier process's state is damaged.
    """
    config: TrainingConfig = algorithm.config.training
    train, held_out = split_by_group([e for e in episodes if e.agent.any()], config.validation, seed)
    if not train:
        raise DatasetError(
            "the dataset has no agent turns to learn from: imagine or roll out some episodes first."
        )
    if (config.stop_on == "episodes" and score is None) or (config.stop_on == "loss" and not held_out):
        raise UsageError(f"stop_on={config.stop_on} finds nothing to evaluate on here: choose stop_on=never.")
    job = _Job(algorithm, model, train, held_out, seed, device, processes)
    speaks = processes.main
    with (
        TrainingLog(
            algorithm.name, len(job.plan), metrics if speaks else None, progress and speaks, trackers
        ) as log,
        seeded(seed, algorithm.name),
    ):
        watch, begin = job.resume(unfinished, log)
        step = begin
        while step < len(job.plan) and not watch.stopped:
            tokens, rate, figures = job.step(step)
            if speaks:
                log.step(step, tokens, rate, figures)
            step += 1
            if watch.due(step):
                found = processes.of_main(job.evaluate(score))
                watch.note(step, found, model)
                log.validation(step, found)
            if unfinished is not None and job.shards is None and unfinished.due(step):
                place = Place(algorithm.name, step, log.to_json(), watch.to_json())
                unfinished.save(place, model, job.optimizers, watch.best)
        watch.restore_best(model)
        validation = job.evaluate(None)
        if job.shards is not None:
            job.shards.gather()
        model.eval()
        log.finish(validation)
    return FitReport(
        step, log.tokens, round(log.seconds, 2), round(log.tokens / log.seconds), round(job.useful(step), 4),
        log.last, validation, watch.step, "fp32" if job.dtype is None else "bf16",
        type(job.optimizers[-1]).__name__.lower(), device, processes.size, processes.sharded,
    )  # fmt: skip


class _Job:
    """What stays the same over a training: data, plan, optimiser, device."""

    def __init__(
        self, algorithm: Algorithm[Any], model: DialogueModel, train: Sequence[TokenEpisode],
        held_out: Sequence[TokenEpisode], seed: int, device: str, processes: Processes,
    ) -> None:  # fmt: skip
        self.algorithm, self.model, self.train, self.held_out = algorithm, model, train, held_out
        self.config: TrainingConfig = algorithm.config.training
        self.device, self.processes = device, processes
        self.dtype = resolve_precision(self.config.precision, device)
        self.lengths = [len(episode.ids) for episode in train]
        self.plan = _plan(self.lengths, self.config, seed)
        self.shards = _shards(model, processes, device, self.config)
        model.to(device).train()
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.optimizers = make_optimizers(model, self.config, self.dtype, self.shards is not None)

    def resume(self, unfinished: Unfinished | None, log: TrainingLog) -> tuple[Watch, int]:
        """Goes to where an earlier process was; the watch and the first step."""
        place = unfinished.at(self.algorithm.name) if unfinished is not None else None
        if unfinished is None or place is None or self.shards is not None:
            return Watch(self.config, len(self.plan)), 0
        best = unfinished.restore(self.model, self.optimizers)
        log.restore(place.log)
        return Watch(self.config, len(self.plan), place.watch, best), place.step

    def step(self, step: int) -> tuple[int, float, dict[str, Tensor]]:
        """One optimiser step: useful tokens of all processes, learning rate, figures."""
        rate = self.config.learning_rate * schedule(step, len(self.plan), self.config.warmup)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.zero_grad(set_to_none=True)
        parts = self.plan[step]
        with training_attention(self.model, self.device, self.dtype):
            figures = self._accumulate(parts, step / len(self.plan))
        if self.shards is not None:
            sharding.sum_gradients(self.parameters, self.processes)
            figures["gradient"] = sharding.clip_gradients(self.parameters, self.config.clip, self.processes)
        else:
            self.processes.sum_gradients(self.parameters)
            figures["gradient"] = clip_gradients(self.parameters, self.config.clip)
        for optimizer in self.optimizers:
            optimizer.step()
        self.algorithm.after_step(self.model)
        return sum(self.lengths[i] for part in parts for i in part), rate, figures

    def _accumulate(self, parts: Sequence[Sequence[int]], progress: float) -> dict[str, Tensor]:
        """Adds up the gradients of a step's parts, so that every agent token of the step weighs the same."""
        count = sum(int(self.train[i].agent.sum()) for part in parts for i in part)
        figures: dict[str, Tensor] = {}
        for part in parts:
            mine = [self.train[i] for i in self.processes.share(part)]
            if not mine and self.shards is None:
                continue
            # Blocks in parts are gathered by all together: a process with nothing to do computes along, for nothing.
            batch = collate(mine or [self.train[part[0]]], self.model.pad_id, self.model.end_id).to(
                self.device
            )
            with autocast(self.device, self.dtype):
                loss, found = self.algorithm.loss(self.model, batch, progress)
            share = len(batch.action) / count if mine else 0.0
            (loss * share).backward()
            for name, value in {"loss": loss.detach(), **found}.items():
                figures[name] = figures.get(name, 0.0) + share * value
        return self.processes.sum_figures(figures)

    def evaluate(self, score: Score | None) -> dict[str, float]:
        """In the middle of a training: success with simulated users, or the loss on held-out personas."""
        self.model.eval()
        try:
            if score is not None and self.config.stop_on == "episodes":
                return dict(score(self.model)) if self.processes.main else {"success": 0.0, "graded": 0.0}
            with training_attention(self.model, self.device, self.dtype):
                return evaluate(self.algorithm, self.model, self.held_out, self.dtype, self.device)
        finally:
            self.model.train()

    def useful(self, steps: int) -> float:
        """Share of the batches of the first ``steps`` steps that was not padding."""
        return useful_share(self.lengths, [part for parts in self.plan[:steps] for part in parts])


def _shards(
    model: DialogueModel, processes: Processes, device: str, config: TrainingConfig
) -> sharding.Shards | None:
    """Puts the model in parts, if that was asked for.

    Raises:
        UsageError: weights in parts cannot be kept for later, as ``stop_on`` wants.
    """
    if not processes.sharded:
        return None
    if config.stop_on != "never":
        raise UsageError(f"stop_on={config.stop_on} cannot be had with --use_fsdp: choose stop_on=never.")
    return sharding.Shards(model, processes, device)


def autocast(device: str, dtype: torch.dtype | None) -> torch.autocast:
    """Computes in ``dtype`` where torch thinks it safe; None changes nothing."""
    kind = torch.device(device).type
    return torch.autocast(kind, dtype=dtype or torch.bfloat16, enabled=dtype is not None)


def clip_gradients(parameters: Sequence[Tensor], largest: float) -> Tensor:
    """Scales gradients down to a norm of at most ``largest``; returns the norm before."""
    return torch.nn.utils.clip_grad_norm_(parameters, largest)


def schedule(step: int, steps: int, warmup: float) -> float:
    """Factor of the learning rate: linear warm-up, then a cosine from 1 to 0.1."""
    rising = max(1, round(warmup * steps))
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, steps - rising)
    return 0.1 + 0.45 * (1.0 + math.cos(math.pi * done))


@torch.no_grad()
def evaluate(
    algorithm: Algorithm[Any],
    model: DialogueModel,
    episodes: Sequence[TokenEpisode],
    dtype: torch.dtype | None = None,
    device: str = "cpu",
) -> dict[str, float]:
    """Mean parts of the loss over agent tokens; empty if there are no episodes."""
    totals: dict[str, float] = {}
    count = 0
    model.eval()
    for indices in bucket(
        [len(episode.ids) for episode in episodes], algorithm.config.training.tokens_per_batch, None
    ):
        batch = collate([episodes[i] for i in indices], model.pad_id, model.end_id).to(device)
        with autocast(device, dtype):
            loss, parts = algorithm.loss(model, batch, progress=1.0)
        n = len(batch.action)
        count += n
        for name, value in {"loss": loss, **parts}.items():
            totals[name] = totals.get(name, 0.0) + n * float(value)
    return {name: round(total / count, 6) for name, total in totals.items()} if count else {}


def _plan(lengths: Sequence[int], config: TrainingConfig, seed: int) -> list[list[list[int]]]:
    """All steps of a training, epoch after epoch, each a list of parts: one from each stratum of lengths."""
    plan: list[list[list[int]]] = []
    for epoch in range(math.ceil(config.epochs)):
        rng = stream(seed, "batches", epoch)
        pieces = bucket(lengths, max(1, config.tokens_per_batch // config.parts), rng)
        pieces.sort(key=lambda piece: max(lengths[i] for i in piece))
        steps = max(1, math.ceil(len(pieces) / config.parts))
        strata = [pieces[begin : begin + steps] for begin in range(0, len(pieces), steps)]
        mixed = [[stratum[i] for i in rng.permutation(len(stratum))] for stratum in strata]
        epoch_plan = [[stratum[i] for stratum in mixed if i < len(stratum)] for i in range(steps)]
        share = min(1.0, config.epochs - epoch)
        plan.extend(epoch_plan[: max(1, round(share * steps))])
    return plan
