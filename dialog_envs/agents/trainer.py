"""One training loop for every algorithm: batches by length, AdamW, warm-up and cosine decay, metrics as JSONL.

On the CPU two runs with the same seed, settings and number of threads give equal weights. No global random state is
touched: numpy Generators order the data, and torch's generator is forked.
"""

from __future__ import annotations

import abc
import contextlib
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor

from dialog_envs.agents.attention import training_attention
from dialog_envs.agents.batch import Batch, collate
from dialog_envs.agents.language_model import DialogueModel
from dialog_envs.agents.sequences import TextEpisode, TokenEpisode, bucket, split_by_group, useful_share
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
    learning_rate: float = 2e-3
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

    def __post_init__(self) -> None:
        """Raises UsageError if a setting is out of its range."""
        for name in ("epochs", "learning_rate", "clip"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name}={getattr(self, name)} must be above 0.")
        for name in ("tokens_per_batch", "parts"):
            if not getattr(self, name) >= 1:
                raise UsageError(f"{name}={getattr(self, name)} must be at least 1.")
        for name in ("warmup", "validation"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name}={getattr(self, name)} must be at least 0 and below 1.")


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

    Raises:
        DatasetError: there is nothing to learn from.
    """
    config: TrainingConfig = algorithm.config.training
    train, held_out = split_by_group([e for e in episodes if e.agent.any()], config.validation, seed)
    if not train:
        raise DatasetError(
            "the dataset has no agent turns to learn from: imagine or roll out some episodes first."
        )
    lengths = [len(episode.ids) for episode in train]
    plan = _plan(lengths, config, seed)
    dtype = resolve_precision(config.precision, device)
    model.to(device).train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=config.learning_rate, betas=(0.9, 0.99), weight_decay=config.weight_decay, fused=True
    )
    with (
        _Log(algorithm.name, len(plan), metrics, progress) as log,
        seeded(seed, algorithm.name),
        training_attention(model, device, dtype),
    ):
        for step, parts in enumerate(plan):
            rate = config.learning_rate * schedule(step, len(plan), config.warmup)
            for group in optimizer.param_groups:
                group["lr"] = rate
            batches = [
                collate([train[i] for i in part], model.pad_id, model.end_id).to(device) for part in parts
            ]
            optimizer.zero_grad(set_to_none=True)
            figures = _accumulate(algorithm, model, batches, step / len(plan), device, dtype)
            figures["gradient"] = clip_gradients(parameters, config.clip)
            optimizer.step()
            algorithm.after_step(model)
            log.step(step, sum(batch.tokens for batch in batches), rate, figures)
        model.eval()
        useful = useful_share(lengths, [part for parts in plan for part in parts])
        return log.finish(useful, evaluate(algorithm, model, held_out, dtype, device))


def clip_gradients(parameters: Sequence[Tensor], largest: float) -> Tensor:
    """Scales gradients down to a norm of at most ``largest``; returns the norm before."""
    return torch.nn.utils.clip_grad_norm_(parameters, largest)


def _accumulate(
    algorithm: Algorithm[Any],
    model: DialogueModel,
    batches: Sequence[Batch],
    progress: float,
    device: str,
    dtype: torch.dtype | None,
) -> dict[str, Tensor]:
    """Adds up the gradients of a step's parts, so that every agent token of the step weighs the same."""
    count = sum(len(batch.action) for batch in batches)
    figures: dict[str, Tensor] = {}
    for batch in batches:
        with torch.autocast(device, dtype=dtype or torch.bfloat16, enabled=dtype is not None):
            loss, parts = algorithm.loss(model, batch, progress)
        share = len(batch.action) / count
        (loss * share).backward()
        for name, value in {"loss": loss.detach(), **parts}.items():
            figures[name] = figures.get(name, 0.0) + share * value
    return figures


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
        with torch.autocast(device, dtype=dtype or torch.bfloat16, enabled=dtype is not None):
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


class _Log:
    """Progress on stderr and metrics as JSONL, about 200 lines a training whatever its length."""

    def __init__(self, name: str, steps: int, path: Path | None, progress: bool) -> None:
        self.name, self.steps, self.progress = name, steps, progress
        self.file = path.open("a", encoding="utf-8") if path is not None else None
        self.every = max(1, steps // 200)
        self.began = self.shown = time.perf_counter()
        self.tokens = 0
        self.window: list[dict[str, Tensor]] = []
        self.last: dict[str, float] = {}

    def __enter__(self) -> _Log:
        return self

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            self.file.close()

    def step(self, step: int, tokens: int, rate: float, parts: dict[str, Tensor]) -> None:
        """Notes one optimiser step."""
        self.tokens += tokens
        self.window.append(parts)
        if (step + 1) % self.every and step + 1 < self.steps:
            return
        self.last = {k: round(sum(float(p[k]) for p in self.window) / len(self.window), 6) for k in parts}
        self.window.clear()
        seconds = time.perf_counter() - self.began
        speed = self.tokens / max(seconds, 1e-9)
        if self.file is not None:
            line = {"algorithm": self.name, "step": step + 1, "lr": rate, "tokens_per_second": round(speed)}
            self.file.write(json.dumps(line | self.last) + "\n")
            self.file.flush()
        self._show(step + 1, seconds, speed)

    def _show(self, step: int, seconds: float, speed: float) -> None:
        now = time.perf_counter()
        terminal = sys.stderr.isatty()
        if not self.progress or (now - self.shown < (0.2 if terminal else 10.0) and step < self.steps):
            return
        self.shown = now
        left = seconds / step * (self.steps - step)
        line = f"{self.name}: step {step}/{self.steps}, loss {self.last['loss']:.3f}, {speed:,.0f} tokens/s"
        line += f", {left:.0f} s left"
        end = "\n" if not terminal or step == self.steps else ""
        sys.stderr.write(f"\r\x1b[2K{line}{end}" if terminal else f"{line}\n")
        sys.stderr.flush()

    def finish(self, useful: float, validation: dict[str, float]) -> FitReport:
        """Sums up."""
        seconds = time.perf_counter() - self.began
        if self.file is not None:
            self.file.write(json.dumps({"algorithm": self.name, "validation": validation}) + "\n")
        return FitReport(
            self.steps, self.tokens, round(seconds, 2), round(self.tokens / seconds), round(useful, 4),
            self.last, validation,
        )  # fmt: skip
