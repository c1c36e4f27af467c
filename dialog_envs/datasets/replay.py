"""Could this dialogue have happened, and does it happen again? Kernel, understanding and environment, held against a
written trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.core.task import Task
from dialog_envs.datasets.schema import Episode

if TYPE_CHECKING:
    from dialog_envs.core.env import DialogEnv

MAX_STATES = 64
"""Ways to the same acts that are followed at once; chance hides in the state only rarely."""


def exchanges(turns: Sequence[Turn]) -> list[tuple[Turn, Turn]] | None:
    """(agent turn, user turn) pairs after the user's opening, if any; ``None`` where turns do not alternate."""
    rest = turns[1:] if turns and turns[0].speaker == USER else turns
    agent, user = rest[::2], rest[1::2]
    if len(agent) != len(user) or any(turn.speaker != AGENT for turn in agent):
        return None
    if any(turn.speaker != USER for turn in user):
        return None
    return list(zip(agent, user, strict=True))


def impossible_turn(
    task: Task[Any, Any, Any], persona: Any, scenario: Any, turns: Sequence[Turn], ended_by: str
) -> str | None:
    """Why the kernel could not have produced this trace, or ``None`` if it could.

    Every user turn must have positive probability given the agent's acts and all that went before, and the dialogue
    must end where, and as, the kernel ends it.
    """
    pairs = exchanges(turns)
    if pairs is None:
        return "agent and user do not take turns"
    if len(pairs) > task.max_turns:
        return f"{len(pairs)} agent turns, and the task allows {task.max_turns}"
    states = [task.kernel.start(scenario, persona)]
    for i, (agent, user) in enumerate(pairs):
        last = i == len(pairs) - 1
        wanted = None if not last or ended_by == "cap" else ended_by
        states = _after(task, states, agent.acts, user.acts, wanted)
        if not states:
            end = f" and end the dialogue ({wanted})" if wanted else ""
            acts = ", ".join(map(str, user.acts))
            return f"in exchange {i + 1} this persona could not say {acts}{end}"
    if ended_by == "cap" and len(pairs) < task.max_turns:
        return f"it ended at the turn limit after {len(pairs)} of {task.max_turns} turns"
    return None


def _after(
    task: Task[Any, Any, Any], states: list[Any], agent_acts: tuple[Act, ...], user_acts: tuple[Act, ...],
    ended_by: str | None,
) -> list[Any]:  # fmt: skip
    """The states that an exchange can lead to from any of ``states``."""
    found: list[Any] = []
    for state in states:
        for probability, acts, after, end in task.kernel.distribution(state, agent_acts):
            if probability > 0 and acts == user_acts and end == ended_by and after not in found:
                found.append(after)
    return found[:MAX_STATES]


def misread_turn(task: Task[Any, Any, Any], scenario: Any, turns: Sequence[Turn]) -> str | None:
    """The first agent turn whose acts are not what the task understands in its text, or ``None``."""
    views = tuple(turn.view() for turn in turns)
    for i, turn in enumerate(turns):
        if turn.speaker == AGENT:
            acts = task.language.understand(turn.text, scenario, views[:i])
            if acts != turn.acts:
                return (
                    f"turn {i + 1} is stored as [{', '.join(map(str, turn.acts))}], and the task understands "
                    f"[{', '.join(map(str, acts))}]: {turn.text[:80]!r}"
                )
    return None


def replayable(episode: Episode) -> bool:
    """Whether an episode was played as it stands: not written by a model, nor shortened by the critique."""
    return episode.provenance.mode == "rollout" and episode.critique.verdict != "revised"


def played_again(env: DialogEnv, episode: Episode) -> str | None:
    """Play an episode's agent turns in the environment once more, with its seed and persona.

    Args:
        env: of the episode's task, with its reward scheme and its user: the scripted one, or a chat model's replay.
        episode: one that is :func:`replayable`.

    Returns:
        where the environment says something else than the dataset; ``None`` where it never does.

    Raises:
        SimulatorError: the user could not answer, for example because a recording does not hold the reply.
    """
    env.reset(seed=episode.seed, options={"family": episode.family, "persona": episode.persona})
    if env.scenario.to_json() != episode.scenario:
        return f"its seed gives the scenario {env.scenario.to_json()!r:.120}"
    rewards: list[float] = []
    for turn in episode.turns:
        if turn.speaker == AGENT:
            if env.outcome is not None:
                return f"the environment ended it after {len(rewards)} agent turns ({env.outcome.ended_by})"
            rewards.append(float(env.step(turn.text)[1]))
    for number, (stored, met) in enumerate(zip(episode.turns, env.turns, strict=False), 1):
        if stored != met:
            return f"turn {number} is {_said(stored)} in the data, and {_said(met)} in the environment"
    if env.outcome is None or len(env.turns) != len(episode.turns):
        return f"the data ends after {len(episode.turns)} turns, and the environment goes on"
    outcome = env.outcome.to_json(metrics=False)
    for name, stored_value, met_value in (
        ("rewards", episode.rewards, tuple(rewards)),
        ("the outcome", dict(episode.outcome), outcome),
    ):
        if stored_value != met_value:
            return f"{name}: {stored_value!r:.120} in the data, and {met_value!r:.120} in the environment"
    return None


def _said(turn: Turn) -> str:
    return f"{turn.text[:80]!r} [{', '.join(map(str, turn.acts))}]"
