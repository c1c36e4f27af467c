"""Training curves in somebody's tracker, by name. The trackers are imported when one is asked for, never before."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from dialog_envs.errors import UnknownName, UsageError

PROJECT = "dialog-envs"


class Tracker(Protocol):
    """Who is told the figures of a training."""

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures after ``step`` steps, named ``ALGORITHM/FIGURE``."""

    def close(self) -> None:
        """Nothing more will come."""


class UnknownTracker(UnknownName):
    """No tracker of that name."""

    kind = "tracker"


class TensorBoard:
    """Event files in the folder ``tensorboard/NAME`` beside the checkpoint: ``tensorboard --logdir tensorboard``."""

    def __init__(self, out: Path, settings: Mapping[str, Any]) -> None:
        _imported("tensorboard", "tensorboard")
        from torch.utils.tensorboard import SummaryWriter

        self.writer: Any = SummaryWriter(str(out.parent / "tensorboard" / out.name))
        lines = "\n".join(f"    {name}: {value}" for name, value in settings.items())
        self.writer.add_text("settings", lines)

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """See :class:`Tracker`."""
        for name, value in figures.items():
            self.writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Writes what is left."""
        self.writer.close()


class Run:
    """A run of trackio or wandb, which share their interface: ``init``, ``log`` and ``finish``.

    Where the run goes is for the tracker's own settings and environment variables to say.
    """

    def __init__(self, library: str, out: Path, settings: Mapping[str, Any]) -> None:
        self.library = _imported(library, library)
        self.library.init(project=PROJECT, name=out.name, config=dict(settings))

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """See :class:`Tracker`. The two stages of a training count their steps apart, so the step is a figure, too."""
        self.library.log({**figures, "step": step})

    def close(self) -> None:
        """Ends the run."""
        self.library.finish()


TRACKERS: dict[str, Callable[[Path, Mapping[str, Any]], Tracker]] = {
    "tensorboard": TensorBoard,
    "trackio": lambda out, settings: Run("trackio", out, settings),
    "wandb": lambda out, settings: Run("wandb", out, settings),
}
"""Name -> what makes one from the checkpoint's place and the training's settings."""


def check_trackers(names: Sequence[str]) -> None:
    """Raises UnknownTracker for a name that is none."""
    for name in names:
        if name not in TRACKERS:
            raise UnknownTracker(name, TRACKERS)


@contextmanager
def tracking(names: Sequence[str], out: Path, settings: Mapping[str, Any]) -> Iterator[list[Tracker]]:
    """Opens trackers for a block.

    Args:
        names: of :data:`TRACKERS`.
        out: where the checkpoint will be; its last part names the run.
        settings: what the run is labelled with.

    Raises:
        UnknownTracker: no such tracker.
        UsageError: one is not installed.
    """
    check_trackers(names)
    with ExitStack() as stack:
        opened = []
        for name in names:
            tracker = TRACKERS[name](out, settings)
            stack.callback(tracker.close)
            opened.append(tracker)
        yield opened


def _imported(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"the tracker {package} is not installed: pip install {package}, or leave --track {package} out."
        ) from error
