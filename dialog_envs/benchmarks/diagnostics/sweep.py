"""What beta, tau and the amount of data change: small trainings, each played with the same users.

Trainings that differ in beta only are one training: beta is read at play. One of BC a number of dialogues serves all
of them. What is trained already is not trained again, so a sweep that was broken off goes on.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialog_envs.errors import UsageError

if TYPE_CHECKING:
    from dialog_envs.benchmarks.stats import Interval

FILE = "sweep.jsonl"


@dataclass(frozen=True, slots=True)
class Grid:
    """What to try."""

    algorithm: str = "ilql"
    betas: tuple[float, ...] = (0.0, 4.0, 16.0, 32.0)
    expectiles: tuple[float, ...] = (0.7,)
    """tau; not read by algorithms without one."""
    sizes: tuple[int, ...] = ()
    """Numbers of dialogues, the dataset's first; all if empty."""
    settings: tuple[tuple[str, Any], ...] = ()
    """Of every training."""
    play: int = 60
    users: str = "typical"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """One point of a sweep, with its figures."""

    episodes: int
    expectile: float | None
    beta: float
    success: Interval
    graded: Interval
    checkpoint: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def sweep(
    data: str | Path, out: str | Path, grid: Grid, task: Any = None, tell: Callable[[str], None] = print
) -> Iterator[Cell]:
    """Trains and plays every point, and yields each as it is done. Writes ``sweep.jsonl`` into ``out``.

    Raises:
        UsageError: the grid asks for more dialogues than there are, or for a tau that the algorithm does not have.
    """
    from dialog_envs.agents.algorithms import make_algorithm
    from dialog_envs.datasets import read_dataset

    episodes: list[Any] = list(read_dataset(Path(data)).episodes)
    sizes = sorted(set(grid.sizes)) or [len(episodes)]
    if sizes[-1] > len(episodes) or sizes[0] < 1:
        raise UsageError(f"'{data}' has {len(episodes):,} dialogues: sizes must lie from 1 to that.")
    learner = make_algorithm(grid.algorithm, dict(grid.settings))
    taus: Sequence[float | None] = grid.expectiles if hasattr(learner.config, "expectile") else (None,)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    with (out / FILE).open("w", encoding="utf-8") as file:
        for size, tau in itertools.product(sizes, taus):
            checkpoint = _trained(episodes[:size], out, grid, tau, task, learner.starts_from_bc, tell)
            for cell in _played(checkpoint, size, tau, grid, task, tell):
                file.write(json.dumps(cell.to_json()) + "\n")
                file.flush()
                yield cell


def _trained(
    episodes: Sequence[Any], out: Path, grid: Grid, tau: float | None, task: Any, from_bc: bool,
    tell: Callable[[str], None],
) -> Path:  # fmt: skip
    from dialog_envs.agents.training import train

    settings = dict(grid.settings)
    common: dict[str, Any] = {"task": task, "seed": grid.seed, "progress": False}
    first: Path | None = None
    if from_bc:
        first = out / f"bc-{len(episodes)}"
        tell(f"bc on {len(episodes):,} dialogues")
        train("bc", episodes, first, settings=_of_training(settings), **common)
    name = f"{grid.algorithm}-{len(episodes)}" + ("" if tau is None else f"-tau{tau:g}")
    tell(f"{grid.algorithm} on {len(episodes):,} dialogues" + ("" if tau is None else f", tau {tau:g}"))
    own = settings | ({} if tau is None else {"expectile": tau})
    return train(grid.algorithm, episodes, out / name, settings=own, init=first, **common).path


def _of_training(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that every algorithm has."""
    from dataclasses import fields

    from dialog_envs.agents.trainer import TrainingConfig

    names = {field.name for field in fields(TrainingConfig)} - {"learning_rate"}
    return {name: value for name, value in settings.items() if name in names}


def _played(
    checkpoint: Path, size: int, tau: float | None, grid: Grid, task: Any, tell: Callable[[str], None]
) -> Iterator[Cell]:
    from dialog_envs.agents.checkpoint import read_training
    from dialog_envs.agents.learned import LearnedAgent
    from dialog_envs.benchmarks.diagnostics.dialogues import played
    from dialog_envs.benchmarks.stats import mean_interval, rate_interval
    from dialog_envs.registration import get_task

    task = task if task is not None else get_task(read_training(checkpoint)["task"])
    for beta in grid.betas:
        tell(f"playing with beta {beta:g}")
        agent = LearnedAgent.from_pretrained(checkpoint, beta=beta, task=task)
        outcomes = [one["outcome"] for one in played(agent, task, grid.play, grid.users)]
        personas = list(range(len(outcomes)))
        yield Cell(
            size,
            tau,
            beta,
            rate_interval([float(outcome["success"]) for outcome in outcomes], personas),
            mean_interval([float(outcome["graded"]) for outcome in outcomes], personas),
            checkpoint.name,
        )


def table(cells: Sequence[Cell]) -> str:
    """The figures as Markdown."""
    lines = [
        "| dialogues | tau | beta | success % | graded % |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    for cell in cells:
        tau = "" if cell.expectile is None else f"{cell.expectile:g}"
        lines.append(
            f"| {cell.episodes:,} | {tau} | {cell.beta:g} | {_words(cell.success)} | {_words(cell.graded)} |"
        )
    return "\n".join(lines) + "\n"


def _words(interval: Interval) -> str:
    return f"{100 * interval.mean:.0f} ({100 * interval.low:.0f} to {100 * interval.high:.0f})"
