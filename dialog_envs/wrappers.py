"""Wrappers that hand the same dialogue over in other shapes.

env = ChatMessages(gym.make("PreferenceElicitation-v0"))
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
from gymnasium import spaces

from dialog_envs.core.dialogue import AGENT, USER, Observation, transcript
from dialog_envs.core.env import DialogEnv
from dialog_envs.core.spaces import MAX_BRIEF, MAX_TEXT, UnicodeText

__all__ = ["ChatMessages", "LastUtterance", "RecordEpisodes", "TranscriptText"]

_LONGEST = MAX_BRIEF + 64 * (MAX_TEXT + 16)


class LastUtterance(gym.ObservationWrapper[str, str, Observation]):
    """Only what the user said last (the empty text before they spoke). For agents that keep their own memory."""

    def __init__(self, env: gym.Env[Observation, str]) -> None:
        super().__init__(env)
        self.observation_space = UnicodeText(MAX_TEXT)

    def observation(self, observation: Observation) -> str:
        """The user's last turn."""
        said = [turn["text"] for turn in observation["dialogue"] if turn["speaker"] == USER]
        return said[-1] if said else ""


class TranscriptText(gym.ObservationWrapper[str, str, Observation]):
    """Brief and dialogue as one text, a line a turn: ``Agent: …`` and ``User: …``."""

    def __init__(self, env: gym.Env[Observation, str]) -> None:
        super().__init__(env)
        self.observation_space = UnicodeText(_LONGEST)

    def observation(self, observation: Observation) -> str:
        """The whole text."""
        return f"{observation['brief']}\n\n{transcript(observation['dialogue'])}"


class ChatMessages(gym.ObservationWrapper[tuple[dict[str, str], ...], str, Observation]):
    """Chat messages: the brief as ``system``, the agent as ``assistant``, the user as ``user``."""

    def __init__(self, env: gym.Env[Observation, str]) -> None:
        super().__init__(env)
        message = spaces.Dict({"role": UnicodeText(16), "content": UnicodeText(MAX_TEXT)})
        self.observation_space = spaces.Sequence(message)

    def observation(self, observation: Observation) -> tuple[dict[str, str], ...]:
        """``({"role": …, "content": …}, …)``."""
        turns = (
            {"role": "assistant" if turn["speaker"] == AGENT else "user", "content": turn["text"]}
            for turn in observation["dialogue"]
        )
        return ({"role": "system", "content": observation["brief"]}, *turns)


class RecordEpisodes(gym.Wrapper[Observation, str, Observation, str]):
    """Append each finished episode to a JSONL file: persona, scenario, turns with acts, outcome.

    The file holds what the environment hides; the observations do not change.
    """

    def __init__(self, env: gym.Env[Observation, str], path: str | Path) -> None:
        super().__init__(env)
        self.path = Path(path)

    def step(self, action: str) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """As the environment; writes when the episode ends."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        base = self.env.unwrapped
        if (terminated or truncated) and isinstance(base, DialogEnv) and base.outcome is not None:
            record = {
                "task": base.task.id,
                "seed": base.episode_seed,
                "persona": base.persona.to_json(),
                "scenario": base.scenario.to_json(),
                "turns": [turn.to_json() for turn in base.turns],
                "outcome": base.outcome.to_json(metrics=False),
            }
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
        return observation, reward, terminated, truncated, info
