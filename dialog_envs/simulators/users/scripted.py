"""The scripted user: acts by the task's kernel, words by the task's grammar. Reproducible to the bit, no model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dialog_envs.core.dialogue import Act, TurnView, UserTurn
from dialog_envs.core.seeding import stream
from dialog_envs.core.task import Task


class ScriptedUser:
    """A user without a model; the default.

    Acts and words draw from streams of their own, so that a richer grammar never changes what users do.
    """

    version = "scripted-1"

    def start(self, task: Task[Any, Any, Any], persona: Any, scenario: Any, rng: np.random.Generator) -> None:
        """Begin an episode."""
        self._task, self._persona, self._scenario = task, persona, scenario
        self._acts_rng, self._words_rng = rng, stream(int(rng.integers(2**63)), "words")
        self._state = task.kernel.start(scenario, persona)

    def opening(self) -> UserTurn:
        """A greeting that tells nothing hidden."""
        text = self._task.language.opening(self._persona, self._scenario, self._words_rng)
        return UserTurn(text, (Act("greet"),))

    def reply(self, dialogue: Sequence[TurnView]) -> UserTurn:
        """Understand the agent, let the kernel choose the acts, and phrase them."""
        task = self._task
        heard = task.language.understand(dialogue[-1]["text"], self._scenario, dialogue[:-1])
        acts, self._state, ended_by = task.kernel.step(self._state, heard, self._acts_rng)
        text = task.language.phrase(acts, self._persona, self._scenario, self._words_rng, dialogue)
        return UserTurn(text, acts, ended_by is not None, ended_by, heard)
