"""Rollouts: suboptimal policies talk with the simulated user in the environment.

Two kinds of speakers: the task's scripted policies, which choose acts, and agent-like objects (a prompted language
model, or anything with ``act_batch`` or ``start`` and ``act``), whose episodes are played side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dialog_envs.core.dialogue import Observation
from dialog_envs.core.env import DialogEnv, agent_seed
from dialog_envs.core.sampling import pick
from dialog_envs.core.seeding import derive, stream
from dialog_envs.core.task import Task
from dialog_envs.datasets.schema import Critique, Episode, Provenance
from dialog_envs.errors import SimulatorError
from dialog_envs.simulators.imagination.reasoning import Proposal
from dialog_envs.simulators.llm import ChatModel

BATCH = 8
"""Most episodes that are played side by side; a kill loses them."""
SEED_BITS = 52
"""Episode seeds have so many bits, so that any JSON reader keeps them whole."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt at an episode will be; everything follows from the dataset's seed and its index.

    Attributes:
        index, seed: its number and its seed.
        family: the user's.
        policy: who speaks for the agent; of an imagined dialogue the prompt's variant.
        person: who was proposed as the user; ``None``: drawn from the prior.
        label: whether an imagined dialogue is to end in success.
    """

    index: int
    seed: int
    family: str
    policy: str
    person: Proposal | None = None
    label: bool = True


@dataclass(frozen=True)
class Cast:
    """Who talks with whom.

    Attributes:
        task: the task.
        seed: the dataset's seed.
        mixture: policy → share; the shares sum to 1.
        families: user families, drawn by their weight in the prior.
        user: name of the user simulator.
        user_model: the chat model that plays the user, if one does.
        reward: scheme of the stored rewards.
        speakers: agent-like objects by policy name; other names are the task's scripted policies.
        models: policy → name of the language model behind it.
        people: who was proposed as users; empty: they are drawn from the prior.
        success_share: share of imagined dialogues that are to end in success.
    """

    task: Task[Any, Any, Any]
    seed: int
    mixture: Mapping[str, float]
    families: tuple[str, ...]
    user: str = "scripted"
    reward: str = "binary"
    speakers: Mapping[str, Any] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    people: tuple[Proposal, ...] = ()
    success_share: float = 0.5
    user_model: ChatModel | None = None

    @property
    def user_options(self) -> dict[str, Any]:
        """Arguments of the user simulator."""
        return {} if self.user_model is None else {"model": self.user_model}

    def environment(self) -> DialogEnv:
        """A new environment with this user."""
        return DialogEnv(self.task, user=self.user, user_options=self.user_options)

    def attempt(self, index: int) -> Attempt:
        """The ``index``-th attempt."""
        seed = derive(self.seed, "episode", index) >> (63 - SEED_BITS)
        draws = stream(seed, "cast").random(3).tolist()
        there = {person.family for person in self.people}
        weights = {
            name: self.task.prior.weights[name] for name in self.families if not there or name in there
        }
        family = pick(weights, draws[0])
        people = [person for person in self.people if person.family == family]
        person = people[int(draws[2] * len(people))] if people else None
        # So many successes among the first n attempts as the share asks for, whatever n is.
        label = int((index + 1) * self.success_share) > int(index * self.success_share)
        return Attempt(index, seed, family, pick(self.mixture, draws[1]), person, label)


def play(cast: Cast, attempts: Sequence[Attempt]) -> Iterator[tuple[int, Episode]]:
    """(index, episode) of each attempt, those of scripted policies first, as they finish.

    Raises:
        SimulatorError: a user or a language model could not answer.
    """
    env = cast.environment()
    waiting: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        if attempt.policy in cast.speakers:
            waiting.setdefault(attempt.policy, []).append(attempt)
        else:
            yield attempt.index, _play_policy(cast, env, attempt)
    for name, group in waiting.items():
        if callable(getattr(cast.speakers[name], "act_batch", None)):
            for start in range(0, len(group), BATCH):
                yield from _play_batch(cast, group[start : start + BATCH])
        else:
            for attempt in group:
                yield attempt.index, _play_alone(cast, env, attempt)


def _play_policy(cast: Cast, env: DialogEnv, attempt: Attempt) -> Episode:
    """One episode with a scripted policy: it chooses acts, the task's language finds words."""
    observation = begin(env, attempt)
    say = scripted_speaker(cast, env, attempt, observation["brief"])
    while env.outcome is None:
        observation = env.step(say(observation))[0]
    return record(cast, env, attempt)


def scripted_speaker(
    cast: Cast, env: DialogEnv, attempt: Attempt, brief: str
) -> Callable[[Observation], str]:
    """What a scripted policy says, turn by turn, in an episode that has begun."""
    policy = cast.task.policies[attempt.policy]()
    words = stream(attempt.seed, "policy words")
    policy.start(brief, stream(attempt.seed, "policy"))
    return lambda observation: cast.task.language.say(policy.acts(observation), env.scenario, words)


def _play_alone(cast: Cast, env: DialogEnv, attempt: Attempt) -> Episode:
    """One episode with an agent that plays one at a time."""
    speaker = cast.speakers[attempt.policy]
    observation = begin(env, attempt)
    speaker.start(observation["brief"], agent_seed(attempt.seed))
    while env.outcome is None:
        observation = env.step(speaker.act(observation))[0]
    return record(cast, env, attempt)


def _play_batch(cast: Cast, attempts: Sequence[Attempt]) -> Iterator[tuple[int, Episode]]:
    """Episodes side by side with an agent that answers many in one call."""
    speaker = cast.speakers[attempts[0].policy]
    running = []
    for attempt in attempts:
        env = cast.environment()
        running.append((attempt, env, begin(env, attempt)))
    while running:
        texts = speaker.act_batch(
            [observation for _, _, observation in running],
            [agent_seed(attempt.seed) for attempt, _, _ in running],
        )
        if len(texts) != len(running):
            raise SimulatorError(
                f"policy '{attempts[0].policy}' gave {len(texts)} texts for {len(running)} dialogues: "
                "act_batch must return one for each."
            )
        stepped = [
            (attempt, env, env.step(text)[0]) for (attempt, env, _), text in zip(running, texts, strict=True)
        ]
        running = [row for row in stepped if row[1].outcome is None]
        yield from ((attempt.index, record(cast, env, attempt)) for attempt, env, _ in stepped if env.outcome)


def begin(env: DialogEnv, attempt: Attempt) -> Observation:
    """Reset the environment to the attempt's user."""
    options: dict[str, Any] = {"family": attempt.family}
    if attempt.person is not None:
        options["persona"] = attempt.person.persona
    return env.reset(seed=attempt.seed, options=options)[0]


def record(cast: Cast, env: DialogEnv, attempt: Attempt) -> Episode:
    """The record of a finished episode, before the critique."""
    assert env.outcome is not None
    rewards = env.outcome.rewards(cast.reward)
    return Episode(
        id=f"{cast.seed}-{attempt.index:06d}",
        task=cast.task.id,
        seed=attempt.seed,
        family=env.persona.family,
        persona=env.persona.to_json(),
        scenario=env.scenario.to_json(),
        turns=tuple(env.turns),
        rewards=rewards,
        reward=float(sum(rewards)),
        outcome=env.outcome.to_json(metrics=False),
        critique=Critique(),
        provenance=Provenance("rollout", attempt.policy, cast.user, cast.models.get(attempt.policy)),
    )
