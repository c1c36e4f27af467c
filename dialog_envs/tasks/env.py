"""The environment of a registered task: a class with the task's id, whose docstring is the environment's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from dialog_envs.core.env import DialogEnv
from dialog_envs.registration import get_task


class TaskEnv(DialogEnv):
    """A :class:`dialog_envs.core.env.DialogEnv` that knows its task; the arguments are described there.

    Attributes:
        task_id: the task's id, set by the subclass.
    """

    task_id: ClassVar[str]

    def __init__(
        self,
        user: Any = "scripted",
        reward: str = "binary",
        reveal_persona: bool = False,
        render_mode: str | None = None,
        user_options: Mapping[str, Any] | None = None,
        model: Any = None,
    ) -> None:
        task = get_task(self.task_id)
        super().__init__(task, user, reward, reveal_persona, render_mode, user_options, model)
