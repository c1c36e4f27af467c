"""A chat model without a model: it answers the engine's prompts from the task itself, with faults as often as asked.

``scripted`` imagines without a language model, a key or a network, so that everything behind it can be tried and
measured: it reads from a prompt which task and whose dialogue is meant, has the task's suboptimal policies talk with
the kernel's user until a dialogue ends as the prompt wants it, and writes that down. As a critic it says what the
kernel reads; asked to revise, it writes the dialogue without faults. It knows what a language model would have to
guess, so what it writes shows how the *engine* works, and never how good a language model's data are.

``flawed`` is the same with the faults that the critique is there for, each in so many dialogues:

===========  =======================================================================================================
``tells``    the user gives the hidden things away at once, in the first answer
``contrary`` the end is contrary to the one that was wanted: a wanted success fails, a wanted failure succeeds
``loops``    the agent says the same three times, and is answered the same
===========  =======================================================================================================

The shares (:data:`FLAWED`) are set by hand: they are no measurement of any language model. Other shares, and people who
are alike, by options: ``scripted?tells=0.5&loops=0.1&alike=16``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from dialog_envs import registration
from dialog_envs.core.dialogue import AGENT, USER, Turn
from dialog_envs.core.env import DialogEnv
from dialog_envs.core.sampling import pick
from dialog_envs.core.seeding import stream
from dialog_envs.core.task import Task
from dialog_envs.datasets.schema import Critique, Episode, Provenance
from dialog_envs.errors import ChatModelError, UsageError
from dialog_envs.simulators.imagination.critique import REPEATED, TOO_MUCH, gradual
from dialog_envs.simulators.imagination.imagining import FEWEST, Line
from dialog_envs.simulators.imagination.prompting import manner, persona_text
from dialog_envs.simulators.imagination.reading import read_dialogue
from dialog_envs.simulators.imagination.space import FAMILY, persona_space
from dialog_envs.simulators.llm import ChatModelBase, ChatReply, ChatRequest, Request, Result, Usage
from dialog_envs.simulators.llm.calls import ended

FLAWED = 0.25
"""Share of dialogues with each fault, where the model is named ``flawed``."""
TRIES = 24
"""Dialogues that are played in search of one that ends as wanted; then it is as it is."""
_TALK = re.compile(r"<(talk-\w+)>\n(.*?)\n</\1>", re.DOTALL)
_NUMBER = re.compile(r"Somebody with the number (\d+)")
_BRACKETS = re.compile(r"[\[\]{}<>…]")
Exchange = tuple[Turn, Turn]
"""What the agent says, and the answer."""


class ScriptedImaginer(ChatModelBase):
    """See the module's text.

    Args:
        name: how it was asked for.
        tells, contrary, loops: share of dialogues with each fault, independently of each other.
        alike: of so many people whom it could propose, it proposes the one most like the first: 1 is no likeness.

    Raises:
        UsageError: a share is no share.
    """

    def __init__(
        self,
        name: str = "scripted",
        tells: float = 0.0,
        contrary: float = 0.0,
        loops: float = 0.0,
        alike: int = 1,
    ) -> None:
        self.faults = {"tells": tells, "contrary": contrary, "loops": loops}
        for fault, share in self.faults.items():
            if not 0.0 <= share <= 1.0:
                raise UsageError(
                    f"the share of dialogues with the fault '{fault}' lies between 0 and 1; got {share}"
                )
        if alike < 1:
            raise UsageError(f"alike is the number of people to choose from, at least 1; got {alike}")
        self.alike = alike
        options = {
            **{key: share for key, share in self.faults.items() if share},
            **({"alike": alike} if alike > 1 else {}),
        }
        self._version = "scripted-1" + "".join(f" {key}={value:g}" for key, value in options.items())
        plain = name == "flawed" and set(self.faults.values()) == {FLAWED} and alike == 1
        query = "&".join(f"{key}={value:g}" for key, value in options.items())
        self._name = name if plain or not query else f"scripted?{query}"

    @property
    def name(self) -> str:
        """As it is asked for, with its options: they are what it is."""
        return self._name

    @property
    def version(self) -> str:
        """With the options."""
        return self._version

    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        """A reply to each."""
        for index, request in enumerate(requests):
            yield index, self._result(request)

    def submit(self, request: Request) -> Future[Result] | None:
        """At once."""
        return ended(self._result(request))

    def _result(self, request: Request) -> Result:
        if not isinstance(request, ChatRequest):
            return ChatModelError(
                f"'{self.name}' imagines dialogues, and chooses nothing: use another model for that."
            )
        try:
            data = None if request.schema is None else self._filled(request, request.schema)
            text = self._dialogue(request) if data is None else json.dumps(data, ensure_ascii=False)
        except _Unknown as error:
            return ChatModelError(
                f"'{self.name}' answers the shipped prompts of 'dialog-envs imagine' only, for registered "
                f"tasks: {error}."
            )
        return ChatReply(text, Usage(), "stop", self.version, data)

    # ---- forms -------------------------------------------------------------------------------------------------------

    def _filled(self, request: ChatRequest, schema: Mapping[str, Any]) -> dict[str, Any]:
        prompt, properties = request.messages[0]["content"], schema["properties"]
        task, rng = _task(prompt), stream(request.seed, "scripted", request.trial)
        if "people" in properties:
            return {"people": [_somebody(task, prompt, rng) for _ in range(properties["people"]["maxItems"])]}
        if FAMILY in properties:
            number = _number(prompt)
            allowed = [name for name in task.prior.typical if name in properties[FAMILY]["enum"]]
            meant = [name for name in allowed if f"in a {name} manner" in prompt]
            family = meant[0] if meant else allowed[number % len(allowed)]
            return persona_space(task).flat(self._person(task, number, family))
        if all(inner["type"] in ("boolean", "string") for inner in properties.values()):
            return self._verdicts(task, request, properties)
        raise _Unknown("the form is none of its own")

    def _person(self, task: Task[Any, Any, Any], number: int, family: str) -> Any:
        """The persona of a number: of ``alike`` candidates the one that shares most fields with the family's first."""
        rng, space = stream(number, "person", family), persona_space(task)
        candidates = [task.prior.sample(rng, family) for _ in range(self.alike)]
        model = space.flat(task.prior.sample(stream(0, "first person"), family))
        shared = [
            sum(model.get(key) == value for key, value in space.flat(one).items()) for one in candidates
        ]
        return candidates[int(np.argmax(shared))]

    def _verdicts(
        self, task: Task[Any, Any, Any], request: ChatRequest, properties: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What the kernel reads: whether all came at once, and whether the end is the one that was wanted."""
        prompt = request.messages[0]["content"]
        found = _TALK.search(prompt)
        if found is None:
            raise _Unknown("there is no dialogue in the prompt")
        scenario, persona = self._scene(task, prompt, int(request.episode))
        reading = read_dialogue(task, persona, scenario, _lines(task, found[2]))
        outcome = task.score(persona, scenario, reading.turns, reading.ended_by)
        wanted = _wanted(task, prompt)
        episode = Episode(
            "", task.id, 0, "", {}, {}, reading.turns, (), 0.0, outcome.to_json(metrics=False), Critique(),
            Provenance("imagined", "", ""),
        )  # fmt: skip
        at_once = gradual(episode, task.act_roles)
        ends = "in success" if outcome.success else "without success"
        said = {"gradual": (at_once is None, at_once or "it comes little by little")}
        said["sentiment"] = (outcome.success == wanted, f"it ends {ends}")
        return {
            name: said.get(name, (True, ""))[0]
            if inner["type"] == "boolean"
            else said.get(name.removesuffix("_reason"), ("", "as it should be"))[1]
            for name, inner in properties.items()
        }

    # ---- dialogues ---------------------------------------------------------------------------------------------------

    def _dialogue(self, request: ChatRequest) -> str:
        """One that was played, with the faults that its seed gives it; a revision has none."""
        prompt, seed = request.messages[0]["content"], int(request.episode)
        task = _task(prompt)
        scenario, persona = self._scene(task, prompt, seed)
        draws = stream(seed, "faults").random(len(self.faults))
        faults = {
            name for (name, share), draw in zip(self.faults.items(), draws, strict=True) if draw < share
        }
        if request.role == "critic":
            faults = set()
        wanted = _wanted(task, prompt) != ("contrary" in faults)
        exchanges, heard = _played(task, scenario, persona, wanted, seed, "tells" in faults)
        if "tells" in faults:
            exchanges = _told_at_once(task, exchanges, heard)
        rows = [(agent.text, user.text) for agent, user in exchanges]
        if "loops" in faults and len(rows) > 1:
            place = int(stream(seed, "loop").integers(len(rows) - 1))
            rows[place:place] = [rows[place]] * (REPEATED - 1)
        brief = task.task_brief
        return "\n".join(
            f"{brief.agent_name}: {_plain(agent)}\n{brief.user_name}: {_plain(user)}" for agent, user in rows
        )

    def _scene(self, task: Task[Any, Any, Any], prompt: str, seed: int) -> tuple[Any, Any]:
        """(scenario, persona) of an episode: drawn as the engine draws them, and the prompt must show them."""
        scenario = task.sample_scenario(stream(seed, "scenario"))
        for family in task.prior.typical:
            drawn = [task.prior.sample(stream(seed, "persona"), family)]
            if _NUMBER.search(prompt):
                drawn.append(self._person(task, _number(prompt), family))
            for persona in drawn:
                if persona_text(task, persona) in prompt:
                    return scenario, persona
        raise _Unknown("it does not know the person in the prompt")


class _Unknown(Exception):
    """Nothing that it can answer."""


def _task(prompt: str) -> Task[Any, Any, Any]:
    for name in registration.TASKS:
        task = registration.get_task(name)
        if task.task_brief.agent_role in prompt:
            return task
    raise _Unknown("the prompt names the agent of no task")


def _wanted(task: Task[Any, Any, Any], prompt: str) -> bool:
    good, bad = task.task_brief.outcomes
    if (good in prompt) == (bad in prompt):
        raise _Unknown("the prompt does not say how the dialogue is to end")
    return good in prompt


def _number(prompt: str) -> int:
    found = _NUMBER.search(prompt)
    if found is None:
        raise _Unknown("somebody else proposed the person in the prompt")
    return int(found[1])


def _somebody(task: Task[Any, Any, Any], prompt: str, rng: np.random.Generator) -> dict[str, str]:
    """A number, and the manner that was asked for, if one was."""
    number = int(rng.integers(10**9))
    manners = {name: manner(task, task.prior.sample(stream(0, name), name)) for name in task.prior.typical}
    asked = [name for name, text in manners.items() if f"have this manner: {text}." in prompt]
    how = f", who talks in a {asked[0]} manner" if asked else ""
    return {"name": f"person {number}", "who": f"Somebody with the number {number}{how}."}


def _played(
    task: Task[Any, Any, Any], scenario: Any, persona: Any, wanted: bool, seed: int, listen: bool
) -> tuple[list[Exchange], dict[str, str]]:
    """A dialogue of a suboptimal policy that ends as wanted, and what the user told in all that were played.

    Args:
        listen: play on until enough is told to give everything away.
    """
    env, heard = DialogEnv(task), dict[str, str]()
    best: list[Exchange] = []
    fits = False
    for trial in range(TRIES):
        rng = stream(seed, "scripted", trial)
        policy = task.policies[pick(task.behaviour_mixture, float(rng.random()))]()
        number = int(rng.integers(2**40))
        observation, _ = env.reset(seed=number, options={"scenario": scenario, "persona": persona})
        policy.start(observation["brief"], stream(number, "policy"))
        words = stream(number, "words")
        while env.outcome is None:
            observation = env.step(task.language.say(policy.acts(observation), scenario, words))[0]
        first = int(env.turns[0].speaker != AGENT)
        exchanges = list(zip(env.turns[first::2], env.turns[first + 1 :: 2], strict=False))
        for _, user in exchanges:
            for subject in _subjects(task, user):
                heard.setdefault(subject, user.text)
        if len(exchanges) >= FEWEST and (not best or not fits):
            best, fits = exchanges, env.outcome.success == wanted
        if fits and (not listen or len(set(heard.values())) > TOO_MUCH):
            break
    if not best:
        raise _Unknown("its policies find no dialogue of two turns")
    return best, heard


def _subjects(task: Task[Any, Any, Any], turn: Turn) -> list[str]:
    return [subject for act in turn.acts if (subject := task.act_roles.subject(act)) is not None]


def _told_at_once(
    task: Task[Any, Any, Any], exchanges: Sequence[Exchange], heard: Mapping[str, str]
) -> list[Exchange]:
    """All that the user told, in the first answer; then the exchanges in which nothing is told, the last one always."""
    agent, user = exchanges[0]
    everything = " ".join(dict.fromkeys([user.text, *heard.values()]))
    rest = [one for one in exchanges[1:-1] if not _subjects(task, one[1])]
    return [(agent, Turn(user.speaker, everything, user.acts)), *rest, exchanges[-1]]


def _lines(task: Task[Any, Any, Any], text: str) -> list[Line]:
    """The turns of a dialogue in a prompt, each on a line of its own."""
    names = {task.task_brief.agent_name: AGENT, task.task_brief.user_name: USER}
    rows = [row.partition(": ") for row in text.splitlines()]
    return [(names[name], said) for name, _, said in rows if name in names]


def _plain(text: str) -> str:
    """A turn without what a strict reader takes for a blank to fill in."""
    return " ".join(_BRACKETS.sub(" ", text).split())
