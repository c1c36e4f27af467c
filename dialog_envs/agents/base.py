"""What an agent is.

An agent has ``start(brief, seed)`` and ``act(observation) -> str``. A plain function ``observation -> str`` is an
agent too (:func:`as_agent`). Everything else is optional, and found by looking for it:

========================  ==============================================================================================
``act_batch``             ``(observations, seeds) -> list[str]``: stateless over episodes; the random numbers of a turn
                          come from its seed and the number of agent turns so far, so alone equals in a batch
``act_each``              with ``act_batch``: ``(observations, seeds) -> list[Answer]``, the same with each turn's own
                          usage, and its own error instead of one for all
``asking``                with ``act_batch`` and ``model``: ``(observation, seed)`` -> a generator of tuples of requests
                          to that chat model, is sent their replies, returns the turn: nobody waits for the slowest
``batch_size``            with ``act_batch``: how many episodes are played side by side (64 by default)
``needs_persona = True``  ``reveal(persona, scenario)`` is called after ``start`` (an oracle; never a contestant)
``usage``                 ``() -> Usage`` since ``start``: tokens and cost
``concurrency``           how many instances may act at the same moment, in threads (an agent behind a network)
``description``           one line for the leaderboard, for example the model's name
========================  ==============================================================================================
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from dialog_envs.core.dialogue import Observation
from dialog_envs.errors import AgentError
from dialog_envs.simulators.llm.base import Usage

__all__ = ["Agent", "Answer", "BatchAgent", "FunctionAgent", "Usage", "as_agent", "is_batched"]


@runtime_checkable
class Agent(Protocol):
    """A policy: it reads the brief and the dialogue so far, and says the next thing."""

    def start(self, brief: str, seed: int) -> None:
        """A new episode begins. ``seed`` is the only source of randomness the agent may use."""

    def act(self, observation: Observation) -> str:
        """The agent's next utterance."""


@runtime_checkable
class BatchAgent(Protocol):
    """An agent that answers many episodes in one call, and keeps nothing between calls."""

    def act_batch(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        """One utterance an observation, in order. ``seeds[i]`` is the seed of the i-th observation's episode."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One turn out of many.

    Attributes:
        text: what the agent says.
        usage: what finding it took, failed attempts included.
        error: why there is no text; ``None`` if there is.
    """

    text: str = ""
    usage: Usage = field(default_factory=Usage)
    error: Exception | None = None


class FunctionAgent:
    """A plain function ``observation -> str`` as an agent."""

    def __init__(self, function: Callable[[Observation], str]) -> None:
        self._function = function
        self.description = next(iter((inspect.getdoc(function) or "").splitlines()), "")

    def start(self, brief: str, seed: int) -> None:
        """Nothing to do: a function sees everything in its observation."""

    def act(self, observation: Observation) -> str:
        """What the function says."""
        return self._function(observation)


def is_batched(agent: object) -> bool:
    """Whether the agent offers ``act_batch``."""
    return callable(getattr(agent, "act_batch", None))


def as_agent(thing: Any) -> Agent:
    """An agent from an agent, or from a plain function ``observation -> str``.

    Raises:
        AgentError: the thing is neither. The message says what is missing.
    """
    if isinstance(thing, type):
        raise AgentError(f"{thing.__name__} is a class, not an agent: pass an instance, {thing.__name__}().")
    if callable(getattr(thing, "act", None)):
        if not callable(getattr(thing, "start", None)):
            raise AgentError(
                f"{type(thing).__name__} has act() but no start(brief, seed): add it, it may do nothing."
            )
        agent: Agent = thing
        return agent
    if is_batched(thing):
        return _OneOfBatch(thing)
    if callable(thing):
        return FunctionAgent(thing)
    raise AgentError(
        f"{type(thing).__name__} is no agent: it needs start(brief, seed) and act(observation) -> str, "
        "or to be a function observation -> str."
    )


class _OneOfBatch:
    """An agent with only ``act_batch``, given the methods of a single one."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._seed = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def start(self, brief: str, seed: int) -> None:
        self._seed = seed

    def act(self, observation: Observation) -> str:
        return str(self._inner.act_batch([observation], [self._seed])[0])
