"""The table of environments, as strings: nothing is imported before it is needed."""

from __future__ import annotations

import importlib
from functools import cache, partial
from importlib import metadata
from typing import Any

import gymnasium as gym

from dialog_envs.core.task import Task
from dialog_envs.core.user import resolve
from dialog_envs.core.vector import make_vector_env
from dialog_envs.errors import UnknownTask, UsageError

ENTRY_POINT_GROUP = "dialog_envs.tasks"
"""Installed packages name here, under a task's id, the module that registers it when imported."""
TASKS: dict[str, str] = {
    "PreferenceElicitation-v0": "dialog_envs.tasks.preference.task:PreferenceTask",
    "Instruction-v0": "dialog_envs.tasks.instruction.task:InstructionTask",
    "Persuasion-v0": "dialog_envs.tasks.persuasion.task:PersuasionTask",
}
"""Task classes by Gymnasium id."""
ENVIRONMENTS: dict[str, str] = {
    "PreferenceElicitation-v0": "dialog_envs.tasks.preference.env:PreferenceElicitationEnv",
    "Instruction-v0": "dialog_envs.tasks.instruction.env:InstructionEnv",
    "Persuasion-v0": "dialog_envs.tasks.persuasion.env:PersuasionEnv",
}
"""Environment classes by Gymnasium id."""


def get_task(id: str) -> Task[Any, Any, Any]:
    """The task of an id. One object a process: tasks hold no state.

    Args:
        id: a registered id, or ``"module:ID"`` as in ``gym.make``: the module is imported first, and registers it.

    Raises:
        UnknownTask: no task of that id is registered.
        UsageError: the module cannot be imported.
    """
    module, _, name = id.rpartition(":")
    if module and name not in TASKS:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise UsageError(f"cannot import the module of task '{id}': {error}") from error
    if name not in TASKS:
        for plugin in metadata.entry_points(group=ENTRY_POINT_GROUP, name=name):
            plugin.load()
    if name not in TASKS:
        raise UnknownTask(name, TASKS)
    return _task(name)


@cache
def _task(id: str) -> Task[Any, Any, Any]:
    task: Task[Any, Any, Any] = resolve(TASKS[id])()
    return task


def register_task(id: str, task: str, environment: str) -> None:
    """Add a task of your own: its id, and ``"module:Class"`` of task and environment."""
    TASKS[id], ENVIRONMENTS[id] = task, environment
    _register(id)


def register_all() -> None:
    """Register every environment with Gymnasium; what is registered already is left as it is."""
    for id in ENVIRONMENTS:
        _register(id)


def _register(id: str) -> None:
    if id not in gym.registry:
        gym.register(
            id=id,
            entry_point=ENVIRONMENTS[id],
            vector_entry_point=f"{__name__}:{id}",  # as text, so that a spec can be written as JSON
        )


def __getattr__(name: str) -> Any:
    """``registration:ID`` is the maker of batched environments of that id; see ``vector_entry_point``."""
    if name in ENVIRONMENTS:
        return partial(make_vector_env, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
