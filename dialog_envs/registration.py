"""The table of environments, as strings: nothing is imported before it is needed."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import gymnasium as gym

from dialog_envs.core.task import Task
from dialog_envs.core.user import resolve
from dialog_envs.core.vector import make_vector_env
from dialog_envs.errors import UnknownTask

TASKS: dict[str, str] = {"PreferenceElicitation-v0": "dialog_envs.tasks.preference.task:PreferenceTask"}
"""Task classes by Gymnasium id."""
ENVIRONMENTS: dict[str, str] = {
    "PreferenceElicitation-v0": "dialog_envs.tasks.preference.env:PreferenceElicitationEnv"
}
"""Environment classes by Gymnasium id."""


@cache
def get_task(id: str) -> Task[Any, Any, Any]:
    """The task of an id. One object a process: tasks hold no state.

    Raises:
        UnknownTask: no task of that id is registered.
    """
    if id not in TASKS:
        raise UnknownTask(id, TASKS)
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
