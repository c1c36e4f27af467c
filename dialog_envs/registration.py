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
PLAYED = ("grounded", "llm")
"""Users whom a chat model plays. Each environment is registered with them too, as nondeterministic:
``"Instruction-llm-v0"`` is ``gym.make("Instruction-v0", user="llm")``."""


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
    for name, options in {id: {}, **{with_user(id, user): {"user": user} for user in PLAYED}}.items():
        if name not in gym.registry:
            gym.register(
                id=name,
                entry_point=ENVIRONMENTS[id],
                nondeterministic=bool(options),
                kwargs=options,
                vector_entry_point=f"{__name__}:{name}",  # as text, so that a spec can be written as JSON
            )


def with_user(id: str, user: str) -> str:
    """The id of an environment with another user: ``"Instruction-v0"``, ``"llm"`` → ``"Instruction-llm-v0"``."""
    name, dash, version = id.rpartition("-v")
    return f"{name}-{user}-v{version}" if dash else f"{id}-{user}"


def __getattr__(name: str) -> Any:
    """``registration:ID`` is the maker of batched environments of that id; see ``vector_entry_point``."""
    if name in ENVIRONMENTS or name in gym.registry:
        return partial(make_vector_env, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
