"""The record of one episode: a line of ``episodes.jsonl``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dialog_envs.benchmarks.suite import Unit
from dialog_envs.benchmarks.tracks import SCRIPTED
from dialog_envs.core.dialogue import AGENT, Turn

__all__ = ["BLAMES", "EpisodeKey", "EpisodeRecord"]

BLAMES = ("agent", "simulator", "model", "network")
"""Whose fault a broken episode is. The agent's own scores 0; the others are unscored, and tried again."""

EpisodeKey = tuple[str, str, str, int, str]
"""(agent, task, family, seed, track): what makes an episode of a run unique."""


@dataclass(frozen=True, slots=True)
class EpisodeRecord:
    """What happened in one episode.

    Attributes:
        agent: the agent's name in this run.
        task: task id.
        users: user group.
        family: the persona's family.
        index: number within its family.
        seed: decides persona, scenario and user.
        persona: the hidden parameter.
        scenario: the public context.
        turns: the dialogue with its acts.
        outcome: ``Outcome.to_json()``, or ``None`` when unscored.
        value: the return under the suite's reward scheme.
        seconds: wall time of agent and user together; an agent's batch is shared out evenly.
        agent_seconds: the agent's part of it.
        tokens: tokens that the agent's model read and wrote.
        cost_usd: what they cost.
        blame: one of :data:`BLAMES` when the episode broke, else ``None``.
        error: the error's text when it broke.
        track: who played the user.
        user: of users with a chat model behind them: tokens, cost, requests, and counts for fidelity
            (:mod:`dialog_envs.simulators.users.fidelity`).
    """

    agent: str
    task: str
    users: str
    family: str
    index: int
    seed: int
    persona: Mapping[str, Any] = field(default_factory=dict)
    scenario: Mapping[str, Any] = field(default_factory=dict)
    turns: tuple[Turn, ...] = ()
    outcome: Mapping[str, Any] | None = None
    value: float = 0.0
    seconds: float = 0.0
    agent_seconds: float = 0.0
    tokens: int = 0
    cost_usd: float = 0.0
    blame: str | None = None
    error: str | None = None
    track: str = SCRIPTED
    user: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def broken(cls, agent: str, unit: Unit, blame: str, error: str, track: str = SCRIPTED) -> EpisodeRecord:
        """An unscored episode that never began."""
        where = (unit.task, unit.users, unit.family, unit.index, unit.seed)
        return cls(agent, *where, blame=blame, error=error, track=track)

    @property
    def key(self) -> EpisodeKey:
        """What makes it unique in its run."""
        return (self.agent, self.task, self.family, self.seed, self.track)

    @property
    def unscored(self) -> bool:
        """No score, because something other than the agent failed. The next run tries again."""
        return self.outcome is None

    @property
    def persona_key(self) -> str:
        """The persona as text: episodes with the same one form a cluster."""
        return json.dumps(self.persona, sort_keys=True)

    @property
    def trained(self) -> tuple[str, int | None]:
        """Name and training seed of an agent that was trained several times, and plays as ``NAME#SEED``."""
        name, mark, seed = self.agent.rpartition("#")
        return (name, int(seed)) if mark and name and seed.isdigit() else (self.agent, None)

    @property
    def agent_turns(self) -> int:
        """How often the agent spoke."""
        return sum(turn.speaker == AGENT for turn in self.turns)

    def to_line(self) -> str:
        """One line of JSON, without its end."""
        data = {name: getattr(self, name) for name in _NAMES}
        data["turns"] = [turn.to_json() for turn in self.turns]
        data["return"] = data.pop("value")
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> EpisodeRecord:
        """Inverse of :meth:`to_line`, after ``json.loads``. Raises ``KeyError`` or ``TypeError`` for anything else."""
        fields = {"value" if name == "return" else name: value for name, value in data.items()}
        fields["turns"] = tuple(Turn.from_json(turn) for turn in data["turns"])
        return cls(**fields)


_NAMES = tuple(field.name for field in dataclasses.fields(EpisodeRecord))
