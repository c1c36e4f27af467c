"""A chat model that knows the tasks: it imagines what scripted people say, and talks nonsense as often as one likes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from dialog_envs.core.dialogue import AGENT, USER
from dialog_envs.core.env import DialogEnv
from dialog_envs.core.seeding import stream
from dialog_envs.simulators.imagination.prompting import manner, persona_text
from dialog_envs.simulators.llm import ChatModelBase, ChatReply, ChatRequest, Request, Result, Usage
from dialog_envs.simulators.llm.calls import ended

NONSENSE = (
    "blargh fnord",
    '{"people": 7}',
    "",
    "[insert dialogue here]",
    "Agent: Agent: Agent:",
    '{"name": "x"',
)


class Imaginer(ChatModelBase):
    """Replies to the engine's prompts by the form that they ask for.

    Args:
        task: whose dialogues it writes.
        nonsense: share of replies that are of no use.
        strict: share of verdicts that are false.
        cost: of a call, US dollars.
        served: replies come one by one, as from a server, rather than in batches.
    """

    def __init__(
        self, task: Any, nonsense: float = 0.0, strict: float = 0.0, cost: float = 0.0, served: bool = True
    ) -> None:
        self.task, self.nonsense, self.strict, self.cost = task, nonsense, strict, cost
        self.calls, self.served = 0, served
        self.prompt = ""
        self.fail_after = 10**9

    name = "stub"
    version = "stub-1"

    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        for index, request in enumerate(requests):
            assert isinstance(request, ChatRequest)
            self.calls += 1
            if self.calls > self.fail_after:
                from dialog_envs.errors import ChatModelError

                yield index, ChatModelError("the server is gone")
                continue
            yield index, self.reply(request)

    def submit(self, request: Request) -> Future[Result] | None:
        """As a server does it, if it is one."""
        return ended(next(iter(self.each([request])))[1]) if self.served else None

    def reply(self, request: ChatRequest) -> ChatReply:
        rng = stream(request.seed, "stub", request.trial)
        usage = Usage(len(str(request.messages)) // 4, 50, self.cost)
        if rng.random() < self.nonsense:
            text = NONSENSE[int(rng.integers(len(NONSENSE)))]
            return ChatReply(text, usage, "stop", self.version)
        self.prompt = request.messages[0]["content"]
        data = None if request.schema is None else self.form(request.schema, rng)
        text = self.dialogue(request, rng) if data is None else json.dumps(data)
        return ChatReply(text, usage, "stop", self.version, data)

    def form(self, schema: Mapping[str, Any], rng: np.random.Generator) -> Any:
        properties = schema["properties"]
        if "people" in properties:
            return {"people": [self.person(rng) for _ in range(properties["people"]["maxItems"])]}
        if "family" in properties:
            from dialog_envs.simulators.imagination.space import persona_space

            typical = self.task.prior.typical
            meant = [name for name in typical if f"in a {name} manner" in self.prompt]
            family = meant[0] if meant else typical[int(rng.integers(len(typical)))]
            return persona_space(self.task).flat(self.task.prior.sample(rng, family))
        return {
            name: bool(rng.random() >= self.strict) if inner["type"] == "boolean" else "Turn 2 shows it."
            for name, inner in properties.items()
        }

    def person(self, rng: np.random.Generator) -> dict[str, str]:
        """Somebody, of the manner that was asked for."""
        number = int(rng.integers(10**6))
        manners = {
            name: manner(self.task, self.task.prior.sample(stream(0, name), name))
            for name in self.task.prior.typical
        }
        asked = [name for name, text in manners.items() if f"have this manner: {text}." in self.prompt]
        how = f"in a {asked[0]} manner" if asked else "little"
        return {"name": f"person {number}", "who": f"Somebody with the number {number}, who talks {how}."}

    def dialogue(self, request: ChatRequest, rng: np.random.Generator) -> str:
        """What a scripted policy says to the user of the prompt: a good one where it is to end well, else a bad one."""
        prompt = request.messages[-1]["content"]
        env, brief = DialogEnv(self.task), self.task.task_brief
        seed = int(request.episode)
        persona = next(self._people(prompt, seed), None)
        scenario = self.task.sample_scenario(stream(seed, "scenario"))
        assert scenario.brief in prompt, "the scenario is the episode's"
        policy = self.task.policies["information-gain" if brief.outcomes[0] in prompt else "random"]()
        for _ in range(20):
            number = int(rng.integers(2**40))
            known = {} if persona is None else {"persona": persona}
            observation, _info = env.reset(seed=number, options={"scenario": scenario, **known})
            policy.start(observation["brief"], stream(number, "policy"))
            words = stream(number, "words")
            while env.outcome is None:
                said = self.task.language.say(policy.acts(observation), env.scenario, words)
                observation = env.step(said)[0]
            if len(env.turns) >= 5:
                break
        names = {AGENT: brief.agent_name, USER: brief.user_name}
        lines = [f"{names[turn.speaker]}: {plain(turn.text)}" for turn in env.turns]
        return "\n".join(["Here it is:", *lines, f"**{brief.agent_name}:** Thank you, and goodbye!"])

    def _people(self, prompt: str, seed: int) -> Iterator[Any]:
        """The persona of the episode, if it is drawn from the prior and the prompt shows it."""
        for family in self.task.prior.typical:
            persona = self.task.prior.sample(stream(seed, "persona"), family)
            if persona_text(self.task, persona) in prompt:
                yield persona


def plain(text: str) -> str:
    """A turn without what a strict reader takes for a blank to fill in."""
    return re.sub(r"[\[\]{}<>…]", " ", text)
