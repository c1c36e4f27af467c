"""One dialogue from beginning to end: imagined or rolled out, read by the kernel, criticised, revised.

Each is a generator of requests (:mod:`dialog_envs.simulators.imagination.asking`), so that any number of them are made
side by side. What an attempt will be follows from the dataset's seed and its index, and from what the model replies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dialog_envs.core.dialogue import Observation
from dialog_envs.core.env import DialogEnv, agent_seed
from dialog_envs.core.seeding import stream
from dialog_envs.datasets.schema import Criterion, Critique, Episode, Provenance
from dialog_envs.errors import ChatModelError, SimulatorError
from dialog_envs.simulators.imagination.asking import Asking, GivenUp, Rejected, Reply, Spent
from dialog_envs.simulators.imagination.critique import CRITERIA, criticise
from dialog_envs.simulators.imagination.imagining import Line, Scene, imagine_dialogue
from dialog_envs.simulators.imagination.judging import chosen, judge, model_criteria, revise_dialogue
from dialog_envs.simulators.imagination.prompting import Prompts
from dialog_envs.simulators.imagination.reading import read_dialogue, scored, spoken
from dialog_envs.simulators.imagination.revise import revise
from dialog_envs.simulators.imagination.rollout import Attempt, Cast, begin, record, scripted_speaker
from dialog_envs.simulators.llm.structured import UnusableReply

USER = "imagined"
"""Name of the user in dialogues that were written as a whole."""


@dataclass(frozen=True, slots=True)
class Version:
    """A dialogue that the critic judged.

    Attributes:
        lines: what is said in it.
        criteria: the verdicts, with reasons also where it passed.
        did: ``kept``, ``revised`` (the next version is its revision) or ``dropped``.
    """

    lines: tuple[Line, ...]
    criteria: tuple[Criterion, ...]
    did: str

    def to_json(self) -> dict[str, Any]:
        """By name."""
        return {
            "did": self.did,
            "criteria": [{"name": c.name, "passed": c.passed, "reason": c.reason} for c in self.criteria],
            "lines": [{"speaker": who, "text": text} for who, text in self.lines],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Version:
        """Inverse of :meth:`to_json`."""
        lines = tuple((line["speaker"], line["text"]) for line in data["lines"])
        return cls(lines, tuple(Criterion(**row) for row in data["criteria"]), data["did"])


@dataclass(frozen=True, slots=True)
class Made:
    """What became of an attempt.

    Attributes:
        episode: with its critique; ``None`` where the model gave no dialogue.
        versions: what the critic judged, the last one included.
        rejected: replies that were thrown away on the way.
        usage: what it took, by role.
    """

    episode: Episode | None
    versions: tuple[Version, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    usage: Mapping[str, Spent] = field(default_factory=dict)

    @property
    def kept(self) -> bool:
        """Whether it is part of the data."""
        return self.episode is not None and self.episode.critique.verdict != "dropped"


@dataclass(frozen=True)
class Direction:
    """How dialogues are made.

    Attributes:
        cast: who talks with whom.
        prompts: what models are told.
        critique: whether the rules judge.
        critic: whether a model judges, too.
        rounds: how often a dialogue is revised at most.
        attempts: how often a reply is asked for.
        small: the imagining model is the embedded one.
        critic_small: the critic is.
        model: the imagining model's version.
        rules: the rules that judge, by name.
        asked: criteria that the critic judges by, as datasets call them; ``None``: all of the task's.
        idle: environments that nobody plays in at the moment.
    """

    cast: Cast
    prompts: Prompts
    critique: bool = True
    critic: bool = False
    rounds: int = 1
    attempts: int = 4
    small: bool = False
    critic_small: bool = False
    model: str | None = None
    rules: tuple[str, ...] = tuple(CRITERIA)
    asked: tuple[str, ...] | None = None
    idle: list[DialogEnv] = field(default_factory=list)

    @property
    def criteria(self) -> tuple[str, ...]:
        """Names of the model's criteria, where it judges."""
        every = self.cast.task.task_brief.all_criteria()
        return model_criteria(chosen(every, self.asked)) if self.critic else ()


# ---- imagined --------------------------------------------------------------------------------------------------------


def imagined(direction: Direction, attempt: Attempt) -> Asking[Made]:
    """A dialogue that the model writes as a whole."""
    rejected: list[Rejected] = []
    scene = scene_of(direction, attempt)
    variant = "small" if direction.small else attempt.policy
    try:
        lines = yield from imagine_dialogue(scene, direction.prompts, variant, direction.attempts, rejected)
    except GivenUp:
        return Made(None, (), tuple(rejected))
    versions: list[Version] = []
    first = episode = _written(direction, attempt, scene, lines)
    verdict = "kept"
    while direction.critique:
        criteria = criticise(episode, scene.task.act_roles, direction.rules).critique.criteria
        if direction.critic:
            critic = replace(scene, small=direction.critic_small)
            said = spoken(episode.turns)
            criteria += yield from judge(
                critic, said, direction.prompts, direction.attempts, rejected, len(versions), direction.asked
            )
        if not versions:
            first = replace(episode, critique=Critique("dropped", _without_praise(criteria)))
        faults = [row for row in criteria if not row.passed]
        verdict = ("revised" if versions else "kept") if not faults else "dropped"
        revisable = bool(faults) and direction.critic and len(versions) < direction.rounds
        new = None
        if revisable:
            new = yield from _again(direction, scene, episode, faults, rejected, len(versions))
        versions.append(Version(spoken(episode.turns), criteria, "revised" if new else verdict))
        if new is None:
            break
        episode = _written(direction, attempt, scene, new)
    if verdict == "dropped":
        return Made(first, tuple(versions), tuple(rejected))
    done = replace(episode, critique=Critique(verdict, first.critique.criteria))
    return Made(done, tuple(versions) if direction.critic else (), tuple(rejected))


def _again(
    direction: Direction, scene: Scene, episode: Episode, faults: Sequence[Criterion], rejected: list[Rejected],
    version: int,
) -> Asking[tuple[Line, ...] | None]:  # fmt: skip
    critic = replace(scene, small=direction.critic_small)
    said = spoken(episode.turns)
    try:
        return (
            yield from revise_dialogue(
                critic, said, faults, direction.prompts, direction.attempts, rejected, version
            )
        )
    except GivenUp:
        return None


def scene_of(direction: Direction, attempt: Attempt) -> Scene:
    """Persona, scenario and label of an attempt, from its seed alone (and from the cast, if people were proposed)."""
    task, seed = direction.cast.task, attempt.seed
    if attempt.person is not None and attempt.person.persona is not None:
        persona, who = task.persona_from_json(attempt.person.persona), attempt.person.who
    else:
        persona, who = task.prior.sample(stream(seed, "persona"), attempt.family), ""
    scenario = task.sample_scenario(stream(seed, "scenario"))
    opening = task.language.opening(persona, scenario, stream(seed, "opening"))
    return Scene(task, persona, scenario, who, attempt.label, opening, seed, direction.small)


def _written(direction: Direction, attempt: Attempt, scene: Scene, lines: Sequence[Line]) -> Episode:
    """The episode that the kernel reads in a dialogue, before the critique."""
    task, cast = scene.task, direction.cast
    reading = read_dialogue(task, scene.persona, scene.scenario, lines)
    rewards, outcome = scored(task, scene.persona, scene.scenario, reading, cast.reward, scene.label)
    return Episode(
        id=f"{cast.seed}-{attempt.index:06d}",
        task=task.id,
        seed=attempt.seed,
        family=scene.persona.family,
        persona=scene.persona.to_json(),
        scenario=scene.scenario.to_json(),
        turns=reading.turns,
        rewards=rewards,
        reward=float(sum(rewards)),
        outcome=outcome,
        critique=Critique(),
        provenance=Provenance("imagined", attempt.policy, USER, direction.model),
    )


def _without_praise(criteria: Sequence[Criterion]) -> tuple[Criterion, ...]:
    """Verdicts as a dataset holds them: reasons only where a criterion was failed."""
    return tuple(replace(row, reason="") if row.passed else row for row in criteria)


# ---- rolled out ------------------------------------------------------------------------------------------------------


def rolled_out(direction: Direction, attempt: Attempt) -> Asking[Made]:
    """A dialogue that is played in the environment, where the agent or the user asks a model for its turns."""
    cast = direction.cast
    env = direction.idle.pop() if direction.idle else cast.environment()
    observation = begin(env, attempt)
    say = _speaker(cast, env, attempt, observation["brief"])
    try:
        while env.outcome is None:
            text = yield from say(observation)
            observation = yield from _stepped(env, text)
    except SimulatorError as error:
        if isinstance(error, ChatModelError) and not isinstance(error, UnusableReply):
            raise  # the model is out of reach; the others have answered, and would answer the same again
        return Made(None, (), (Rejected("rollout", str(error), ""),))
    episode = record(cast, env, attempt)
    direction.idle.append(env)
    return (yield from judged(direction, attempt, episode))


def _speaker(
    cast: Cast, env: DialogEnv, attempt: Attempt, brief: str
) -> Callable[[Observation], Asking[str]]:
    """Who speaks for the agent: its next turn, given an observation."""
    speaker: Any = cast.speakers.get(attempt.policy)
    seed = agent_seed(attempt.seed)
    if hasattr(speaker, "asking"):
        return lambda observation: _asked(speaker.asking(observation, seed), f"{attempt.policy}/{seed}")
    if speaker is None:
        say = scripted_speaker(cast, env, attempt, brief)
    elif hasattr(speaker, "act_batch"):
        say = lambda observation: speaker.act_batch([observation], [seed])[0]  # noqa: E731
    else:
        speaker.start(brief, seed)
        say = speaker.act
    return lambda observation: _at_once(say, observation)


def _asked(asking: Asking[str], label: str) -> Asking[str]:
    """The turn of an agent that asks a model; its requests go by this label."""
    replies: tuple[Reply, ...] | None = None
    while True:
        try:
            requests = next(asking) if replies is None else asking.send(replies)
        except StopIteration as stop:
            return str(stop.value)
        replies = yield tuple([replace(one, episode=label) for one in requests])


def _at_once(say: Callable[[Observation], str], observation: Observation) -> Asking[str]:
    """A turn without a request."""
    yield from ()
    return say(observation)


def _stepped(env: DialogEnv, text: str) -> Asking[Observation]:
    """The user's answer, asked for where a model plays the user."""
    user: Any = env.user
    if not hasattr(user, "answering"):
        return env.step(text)[0]
    asking, reply = user.answering(env.begin_step(text)), None
    while True:
        try:
            request = next(asking) if reply is None else asking.send(reply)
        except StopIteration as stop:
            return env.finish_step(text, stop.value)[0]
        (reply,) = yield (request,)
        user.spent(reply.usage)


def judged(direction: Direction, attempt: Attempt, episode: Episode) -> Asking[Made]:
    """A dialogue that was played, with its critique. What the environment said is never rewritten."""
    if not direction.critique:
        return Made(episode)
    task = direction.cast.task
    episode = revise(task, criticise(episode, task.act_roles, direction.rules), direction.cast.reward)
    if not direction.critic or episode.critique.verdict == "dropped":
        return Made(episode)
    rejected: list[Rejected] = []
    persona, scenario = task.persona_from_json(episode.persona), task.scenario_from_json(episode.scenario)
    who = attempt.person.who if attempt.person is not None else ""
    scene = Scene(
        task,
        persona,
        scenario,
        who,
        bool(episode.outcome["success"]),
        "",
        episode.seed,
        direction.critic_small,
    )
    said = spoken(episode.turns)
    criteria = yield from judge(
        scene, said, direction.prompts, direction.attempts, rejected, names=direction.asked
    )
    passed = all(row.passed for row in criteria)
    verdict = episode.critique.verdict if passed else "dropped"
    rows = (*episode.critique.criteria, *_without_praise(criteria))
    versions = (Version(said, criteria, "kept" if passed else "dropped"),)
    return Made(replace(episode, critique=Critique(verdict, rows)), versions, tuple(rejected))
