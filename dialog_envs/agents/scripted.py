"""Agents without a model: a task's scripted policies, put into words."""

from __future__ import annotations

from typing import Any

from dialog_envs.core.dialogue import Observation
from dialog_envs.core.seeding import stream
from dialog_envs.core.task import Task
from dialog_envs.errors import UnknownName
from dialog_envs.registration import get_task

DEFAULT_TASK = "PreferenceElicitation-v0"


class ScriptedAgent:
    """One of ``task.policies`` as an agent: ``random``, ``heuristic``, ``information-gain``, ``oracle`` …

    Args:
        policy: the policy's name.
        task: a task, or its id.

    Raises:
        UnknownName: the task has no policy of that name.
    """

    def __init__(self, policy: str, task: Task[Any, Any, Any] | str = DEFAULT_TASK) -> None:
        self.task = get_task(task) if isinstance(task, str) else task
        if policy not in self.task.policies:
            raise UnknownName(policy, self.task.policies, "These are the scripted policies of the task.")
        self.policy = self.task.policies[policy]()
        self.needs_persona = hasattr(self.policy, "reveal")

    def start(self, brief: str, seed: int) -> None:
        """Begin an episode."""
        self.policy.start(brief, stream(seed, "acts"))
        self._words = stream(seed, "words")
        self._scenario = self.task.read_brief(brief)

    def reveal(self, persona: Any, scenario: Any) -> None:
        """Show the persona to a policy that needs it (the oracle)."""
        if self.needs_persona:
            self.policy.reveal(persona, scenario)  # type: ignore[attr-defined]

    def act(self, observation: Observation) -> str:
        """The next utterance."""
        return self.task.language.say(self.policy.acts(observation), self._scenario, self._words)


class RandomAgent(ScriptedAgent):
    """Random questions and suggestions: the lower end of the scale."""

    def __init__(self, task: Task[Any, Any, Any] | str = DEFAULT_TASK) -> None:
        super().__init__("random", task)


class HeuristicAgent(ScriptedAgent):
    """A fixed good questionnaire, then suggestions by what was heard."""

    def __init__(self, task: Task[Any, Any, Any] | str = DEFAULT_TASK) -> None:
        super().__init__("heuristic", task)


class InformationGainAgent(ScriptedAgent):
    """Plans with the exact posterior, without seeing the persona: the practical ceiling."""

    def __init__(self, task: Task[Any, Any, Any] | str = DEFAULT_TASK) -> None:
        super().__init__("information-gain", task)


class OracleAgent(ScriptedAgent):
    """Sees the persona: the upper end of the scale."""

    def __init__(self, task: Task[Any, Any, Any] | str = DEFAULT_TASK) -> None:
        super().__init__("oracle", task)
