"""Playing episodes: an agent against simulated users, many episodes at once.

Episodes do not wait for each other: a pool of environments is kept full, and a finished episode's place is taken by
the next one at once. An agent with ``act_batch`` answers all of the pool in one call; others get an instance a place.

Users behind whom stands a chat model are asked together: their requests are in flight at the same moment, and whoever
has answered meets the agent again at once. The same holds for agents that hand their requests out (``asking``): nobody
waits for the slowest dialogue.

Blame is told apart. What the *agent* raises is its own outcome: scored 0, with the error's text. What the simulated
user, a chat model or the network raises leaves the episode unscored. A chat model's failure inside an agent counts as
the model's, not the agent's.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dialog_envs.agents.base import Usage, is_batched
from dialog_envs.agents.registry import AgentSpec
from dialog_envs.benchmarks.record import EpisodeRecord
from dialog_envs.benchmarks.suite import Unit
from dialog_envs.benchmarks.tracks import SCRIPTED
from dialog_envs.core.dialogue import Observation
from dialog_envs.core.env import agent_seed
from dialog_envs.core.seeding import stream
from dialog_envs.core.text import whole
from dialog_envs.errors import AgentError, BudgetExceeded, ChatModelError, SimulatorError

if TYPE_CHECKING:
    from dialog_envs.agents.prompted.asking import Turns
    from dialog_envs.simulators.users.played import Replies

__all__ = ["make_env", "play_episodes"]

_BATCH = 64
_LONGEST_ERROR = 500
_PATIENCE = 0.01
"""Seconds to wait on one side while there is something to wait for on the other."""


@dataclass
class _Place:
    """One place of the pool: an environment, and the episode that it holds.

    ``said``, at ``asked``, is what the agent said and the user has not answered yet; ``thinking``: its turn is in
    the making.
    """

    env: Any
    agent: Any
    unit: Unit | None = None
    seed: int = 0
    observation: Observation = field(default_factory=lambda: Observation(brief="", dialogue=()))
    value: float = 0.0
    seconds: float = 0.0
    agent_seconds: float = 0.0
    usage: Usage = field(default_factory=Usage)
    said: str | None = None
    asked: float = 0.0
    thinking: bool = False

    def turns(self) -> tuple[Any, ...]:
        """The dialogue so far."""
        return tuple(getattr(self.env, "turns", ()) or ())


def play_episodes(
    spec: AgentSpec,
    task: Any,
    units: Iterable[Unit],
    make_env: Callable[[], Any],
    *,
    user_threads: int = 1,
    information: int | None = None,
    track: str = SCRIPTED,
) -> Generator[EpisodeRecord, None, None]:
    """Play every unit and yield its record as soon as it ends, in the order of ending.

    Args:
        spec: the agent.
        task: the task that all units belong to.
        units: the episodes to play.
        make_env: makes an environment of the task.
        user_threads: environments that are stepped at the same moment, for users behind a network.
        information: episodes with an index from here on are scored without the exact posterior (``None``: none).
        track: the track's name, for the records.

    Raises:
        DialogEnvsError: the agent cannot be made.
        BudgetExceeded: no money is left for model calls. Nothing else that happens *inside* an episode is raised.
    """
    pool = _Pool(spec, task, make_env, user_threads, information, track)
    with pool:
        yield from pool.play(deque(units))


def make_env(task: str, user: str, reward: str, options: Mapping[str, Any] | None = None) -> Any:
    """An environment of a registered task for the runner, which checks what it hands in itself.

    Args:
        task: the id.
        user: who plays the user.
        reward: reward scheme.
        options: arguments of the user, its chat model for one.
    """
    import gymnasium

    made = gymnasium.make(
        task, user=user, reward=reward, user_options=options or None, disable_env_checker=True
    )
    return made.unwrapped


class _Pool:
    def __init__(
        self,
        spec: AgentSpec,
        task: Any,
        make_env: Callable[[], Any],
        user_threads: int,
        information: int | None,
        track: str,
    ) -> None:
        self._spec, self._task, self._make_env = spec, task, make_env
        self._information, self._track = information, track
        self._first = spec.build(task)
        self._batched = is_batched(self._first) and not getattr(self._first, "needs_persona", False)
        threads = 1 if spec.shared else int(getattr(self._first, "concurrency", 1))
        self._size = max(threads, user_threads)
        if self._batched:
            self._size = int(getattr(self._first, "batch_size", _BATCH))
        elif spec.shared:
            self._size = 1
        self._agent_threads, self._user_threads = threads, user_threads
        self._stack = ExitStack()

    def __enter__(self) -> _Pool:
        def executor(threads: int) -> ThreadPoolExecutor | None:
            return self._stack.enter_context(ThreadPoolExecutor(threads)) if threads > 1 else None

        self._agent_executor = executor(self._agent_threads)
        self._user_executor = executor(self._user_threads)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def play(self, queue: deque[Unit]) -> Generator[EpisodeRecord, None, None]:
        """All episodes of ``queue``."""
        if not queue:
            return
        places = [self._place(self._first)]
        replies = _replies(places[0].env)
        size = self._size if replies is None or self._spec.shared else max(self._size, replies.at_once)
        for _ in range(1, min(size, len(queue))):
            places.append(self._place(self._first if self._batched else self._spec.build(self._task)))
        turns = _turns(self._first)
        while True:
            for place in places:
                while place.unit is None and queue:
                    broken = self._begin(place, queue.popleft())
                    if broken is not None:
                        yield broken
            free = [place for place in places if place.said is None and not place.thinking]
            ready = [place for place in free if place.unit is not None]
            if not ready and not replies and not turns:
                return
            # Whoever failed to answer is done; the others' texts go to their users.
            if turns is not None:
                pairs = self._think(turns, places, ready, _PATIENCE if replies else None)
            else:
                pairs = list(zip(ready, self._ask(ready) if ready else [], strict=True))
            if replies is None:
                results = _map(self._user_executor, lambda pair: self._step(*pair), pairs)
            else:
                results = self._converse(replies, places, pairs, _PATIENCE if turns else None)
            yield from (record for record in results if record is not None)

    def _place(self, agent: Any) -> _Place:
        place = _Place(self._make_env(), agent)
        self._stack.callback(place.env.close)
        return place

    def _converse(
        self,
        replies: Replies[int],
        places: Sequence[_Place],
        pairs: Sequence[tuple[_Place, str | Exception]],
        patience: float | None,
    ) -> list[EpisodeRecord | None]:
        """Put the agent's texts to users that are asked together; the steps that ended."""
        ended: list[EpisodeRecord | None] = []
        for place, answer in pairs:
            if isinstance(answer, Exception):
                ended.append(self._broken(place, answer))
                continue
            place.said, place.asked = answer, time.perf_counter()
            replies.ask(places.index(place), place.env.user, place.env.begin_step(answer))
        for number, reply in replies.wait_for_some(first=patience):
            place = places[number]
            said, place.said = place.said, None
            place.seconds += time.perf_counter() - place.asked
            if isinstance(reply, Exception):
                ended.append(self._record(place, None, _blame(reply, "simulator"), reply))
            else:
                ended.append(self._stepped(place, lambda: place.env.finish_step(said, reply)))  # noqa: B023
        return ended

    def _think(
        self, turns: Turns[int], places: Sequence[_Place], ready: Sequence[_Place], patience: float | None
    ) -> list[tuple[_Place, str | Exception]]:
        """Begin the turns of those who are ready, and take all that are done. Time is shared by those who think."""
        for place in ready:
            place.thinking = True
            turns.begin(places.index(place), place.agent.asking(place.observation, place.seed))
        thinking = [place for place in places if place.thinking]
        begun = time.perf_counter()
        done = turns.wait_for_some(first=patience)
        for place in thinking:
            place.agent_seconds += (time.perf_counter() - begun) / len(thinking)
        pairs: list[tuple[_Place, str | Exception]] = []
        for number, answer in done:
            place = places[number]
            place.thinking = False
            place.usage = place.usage + answer.usage
            pairs.append((place, _caught(answer.text, place) if answer.error is None else answer.error))
        return pairs

    # ---- an episode's beginning, middle and end ----------------------------------------------------------------------

    def _begin(self, place: _Place, unit: Unit) -> EpisodeRecord | None:
        place.seed = agent_seed(unit.seed)
        place.value, place.seconds, place.agent_seconds, place.usage = 0.0, 0.0, 0.0, Usage()
        begun = time.perf_counter()
        try:
            place.observation, _ = place.env.reset(seed=unit.seed, options=self._options(unit))
        except Exception as error:  # noqa: BLE001  (whatever a simulator raises is put on record, not on the run)
            blame = _blame(error, "simulator")
            return EpisodeRecord.broken(self._spec.name, unit, blame, _words(error), self._track)
        place.seconds += time.perf_counter() - begun
        place.unit = unit
        if self._batched:
            return None
        try:
            place.agent.start(place.observation["brief"], place.seed)
            if getattr(place.agent, "needs_persona", False):
                place.agent.reveal(place.env.persona, place.env.scenario)
        except Exception as error:  # noqa: BLE001
            return self._broken(place, error)
        return None

    def _options(self, unit: Unit) -> dict[str, Any]:
        if unit.persona_seed == unit.seed:
            return {"family": unit.family}
        return {"persona": self._task.prior.sample(stream(unit.persona_seed, "persona"), unit.family)}

    def _step(self, place: _Place, answer: str | Exception) -> EpisodeRecord | None:
        if isinstance(answer, Exception):
            return self._broken(place, answer)
        return self._stepped(place, lambda: place.env.step(answer))

    def _stepped(self, place: _Place, step: Callable[[], Any]) -> EpisodeRecord | None:
        """Take a step, or the second half of one; the record, if it was the last."""
        begun = time.perf_counter()
        try:
            place.observation, reward, terminated, truncated, _ = step()
            place.seconds += time.perf_counter() - begun
            place.value += float(reward)
            if not (terminated or truncated):
                return None
            unit = place.unit
            cheap = unit is not None and self._information is not None and unit.index >= self._information
            outcome = place.env.outcome.to_json(metrics=not cheap)
        except Exception as error:  # noqa: BLE001
            return self._record(place, None, _blame(error, "simulator"), error)
        return self._record(place, outcome)

    def _broken(self, place: _Place, error: Exception) -> EpisodeRecord:
        """The record of an episode in which asking the agent failed."""
        blame = _blame(error, "agent")
        if blame != "agent":
            return self._record(place, None, blame, error)
        place.value = 0.0
        outcome = {"success": False, "graded": 0.0, "ended_by": "error", "reward_parts": {}}
        return self._record(place, outcome, blame, error)

    def _record(
        self,
        place: _Place,
        outcome: dict[str, Any] | None,
        blame: str | None = None,
        error: Exception | None = None,
    ) -> EpisodeRecord:
        if isinstance(error, BudgetExceeded):
            raise error  # the next episode would fare no better; this one is played again
        unit = place.unit
        assert unit is not None
        usage = place.usage
        if not self._batched:
            usage = _usage(place.agent)
        place.unit = None
        return EpisodeRecord(
            self._spec.name,
            unit.task,
            unit.users,
            unit.family,
            unit.index,
            unit.seed,
            persona=place.env.persona.to_json(),
            scenario=place.env.scenario.to_json(),
            turns=place.turns(),
            outcome=outcome,
            value=round(place.value, 9),
            seconds=round(place.seconds + place.agent_seconds, 6),
            agent_seconds=round(place.agent_seconds, 6),
            tokens=usage.tokens,
            cost_usd=usage.cost_usd,
            blame=blame,
            error=None if error is None else _words(error),
            track=self._track,
            user=self._user_facts(place, outcome),
        )

    def _user_facts(self, place: _Place, outcome: Mapping[str, Any] | None) -> dict[str, float]:
        """What a user with a model behind it used, and how well it played its persona."""
        user = place.env.user
        if not hasattr(user, "notes"):
            return {}
        from dialog_envs.simulators.users.fidelity import fidelity

        facts = {"tokens": float(user.used.tokens), "cost_usd": user.used.cost_usd, **user.notes}
        if outcome is not None:
            env, ended_by = place.env, str(outcome.get("ended_by", ""))
            facts |= fidelity(env.task, env.persona, env.scenario, place.turns(), ended_by)
        return {name: round(value, 9) for name, value in facts.items()}

    # ---- asking the agent ----------------------------------------------------------------------------------------

    def _ask(self, places: Sequence[_Place]) -> list[str | Exception]:
        if self._batched:
            return self._ask_batch(places)
        return list(_map(self._agent_executor, self._ask_one, places))

    def _ask_one(self, place: _Place) -> str | Exception:
        begun = time.perf_counter()
        try:
            return _checked(place.agent.act(place.observation), place)
        except Exception as error:  # noqa: BLE001
            return error
        finally:
            place.agent_seconds += time.perf_counter() - begun

    def _ask_each(self, places: Sequence[_Place]) -> list[str | Exception]:
        """Ask an agent that tells every turn's usage and failure by itself."""
        agent: Any = self._first
        begun = time.perf_counter()
        told = agent.act_each([place.observation for place in places], [place.seed for place in places])
        share = (time.perf_counter() - begun) / len(places)
        answers: list[str | Exception] = []
        for place, answer in zip(places, told, strict=True):
            place.agent_seconds += share
            place.usage = place.usage + answer.usage
            answers.append(_caught(answer.text, place) if answer.error is None else answer.error)
        return answers

    def _ask_batch(self, places: Sequence[_Place]) -> list[str | Exception]:
        agent: Any = self._first
        if callable(getattr(agent, "act_each", None)):
            return self._ask_each(places)
        before = _usage(agent)
        begun = time.perf_counter()
        try:
            texts = agent.act_batch([place.observation for place in places], [place.seed for place in places])
            if len(texts) != len(places):
                raise AgentError(f"act_batch returned {len(texts)} texts for {len(places)} observations.")
            answers: list[str | Exception] = [
                _caught(text, place) for text, place in zip(texts, places, strict=True)
            ]
        except Exception as error:  # noqa: BLE001
            if len(places) > 1:  # one episode's fault must not become the others'
                return [answer for place in places for answer in self._ask_batch([place])]
            answers = [error]
        share = (time.perf_counter() - begun) / len(places)
        spent = _usage(agent) - before
        for number, place in enumerate(places):
            place.agent_seconds += share
            place.usage = place.usage + _part(spent, number, len(places))
        return answers


def _turns(agent: Any) -> Turns[int] | None:
    """Where turns of this agent are made together, if it hands out its requests."""
    if not callable(getattr(agent, "asking", None)):
        return None
    from dialog_envs.agents.prompted.asking import Turns

    return Turns(agent.model)


def _replies(env: Any) -> Replies[int] | None:
    """Where users of this kind are asked together, if they are."""
    user: Any = getattr(env, "user", None)
    if not hasattr(user, "answering"):
        return None
    from dialog_envs.simulators.users.played import Replies

    return Replies(user.model)


def _usage(agent: Any) -> Usage:
    """What the agent says it used, if it says so."""
    usage = getattr(agent, "usage", None)
    return usage() if callable(usage) else Usage()


def _part(spent: Usage, number: int, parts: int) -> Usage:
    """The share of part ``number``: whole tokens that add up to what was spent."""

    def share(total: int) -> int:
        return total * (number + 1) // parts - total * number // parts

    return Usage(share(spent.tokens_in), share(spent.tokens_out), spent.cost_usd / parts)


def _checked(text: Any, place: _Place) -> str:
    if not isinstance(text, str):
        raise AgentError(f"the agent returned {type(text).__name__}, not a str.")
    if not place.env.action_space.contains(text):
        raise AgentError(
            f"the agent returned a text of {len(text):,} characters, which is outside the action space."
        )
    return whole(text)


def _caught(text: Any, place: _Place) -> str | Exception:
    try:
        return _checked(text, place)
    except AgentError as error:
        return error


def _blame(error: Exception, otherwise: str) -> str:
    if isinstance(error, ChatModelError):
        return "model"
    if isinstance(error, SimulatorError):
        return "simulator"
    if isinstance(error, ConnectionError | TimeoutError):
        return "network"
    return otherwise


def _words(error: Exception) -> str:
    text = (
        str(error) if isinstance(error, AgentError | SimulatorError) else f"{type(error).__name__}: {error}"
    )
    return text if len(text) <= _LONGEST_ERROR else text[:_LONGEST_ERROR] + " …"


def _map(
    executor: ThreadPoolExecutor | None, function: Callable[[Any], Any], things: Iterable[Any]
) -> list[Any]:
    return (
        list(executor.map(function, things))
        if executor is not None
        else [function(thing) for thing in things]
    )
