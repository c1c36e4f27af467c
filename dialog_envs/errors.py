"""One vocabulary for everything that can go wrong.

Each message says what was wrong, where, and what to do. The command line prints it as one line and exits with
:attr:`DialogEnvsError.exit_code`; in Python it is an ordinary exception.

Blame matters when a score is at stake: :class:`SimulatorError` and :class:`ChatModelError` mean that the *simulator*
or a *model server* failed. The runner then leaves the episode unscored and tries it again on the next run; it never
turns such a failure into a reward of 0.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "AgentError",
    "BudgetExceeded",
    "ChatModelError",
    "CheckpointError",
    "ConfigError",
    "DatasetError",
    "DialogEnvsError",
    "ModelUnavailable",
    "RunFolderError",
    "SimulatorError",
    "UnknownAgent",
    "UnknownFamily",
    "UnknownName",
    "UnknownSuite",
    "UnknownTask",
    "UsageError",
]


class DialogEnvsError(Exception):
    """Base of all errors that this package raises on purpose. Its text is meant for a person."""

    exit_code = 2


class UsageError(DialogEnvsError, ValueError):
    """An argument has a value that cannot be used."""


class ConfigError(UsageError):
    """A suite or configuration file cannot be used."""


class UnknownName(DialogEnvsError, LookupError):
    """A name that is not in its table. The message lists what there is, and the closest match first."""

    kind = "name"

    def __init__(self, name: object, known: Iterable[str], hint: str = "") -> None:
        self.name = str(name)
        self.known = tuple(known)
        close = difflib.get_close_matches(self.name, self.known, n=1, cutoff=0.5)
        guess = f" Did you mean '{close[0]}'?" if close else ""
        there = ", ".join(self.known) if self.known else "none"
        super().__init__(
            f"unknown {self.kind} '{self.name}'.{guess} There is: {there}.{' ' + hint if hint else ''}"
        )


class UnknownTask(UnknownName):
    """No task of that id is registered."""

    kind = "task"


class UnknownFamily(UnknownName):
    """The task has no persona family of that name."""

    kind = "user family"


class UnknownAgent(UnknownName):
    """No agent of that name can be found."""

    kind = "agent"


class UnknownSuite(UnknownName):
    """No suite of that name ships, and no such file exists."""

    kind = "suite"


class AgentError(DialogEnvsError):
    """An agent under test cannot be made, or broke its contract. The blame is the agent's."""


class SimulatorError(DialogEnvsError):
    """The simulated user could not answer. The episode is unscored, never a loss for the agent."""


class ChatModelError(SimulatorError):
    """A chat model gave no usable reply, after all retries."""


class ModelUnavailable(ChatModelError):
    """A chat model, or its engine, is not installed here. The message says how to get it."""


class BudgetExceeded(DialogEnvsError):
    """The money set aside for model calls is spent. Nothing failed: what is done is kept, and a larger budget goes on.

    Not a :class:`SimulatorError`, because the next episode would fare no better: a run ends here.
    """


class DatasetError(DialogEnvsError):
    """A dataset folder is missing, damaged, or not what it says it is."""


class CheckpointError(DialogEnvsError):
    """A checkpoint is missing, damaged, or made for something else."""


class RunFolderError(DialogEnvsError):
    """A run folder cannot be used: other settings, another process at work, or no permission."""
