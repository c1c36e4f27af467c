"""A chat model that knows the tasks: it imagines what scripted people say, and talks nonsense as often as one likes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dialog_envs.core.dialogue import AGENT
from dialog_envs.core.env import DialogEnv
from dialog_envs.core.seeding import stream
from dialog_envs.simulators.llm import ChatModelBase, ChatReply, ChatRequest, Request, Result, Usage

NONSENSE = ("blargh fnord", '{"people": 7}', "", "[insert dialogue here]", "Agent: Agent: Agent:", '{"name": "x"')


class Imaginer(ChatModelBase):
    """Replies to the engine's prompts by the form that they ask for.

    Args:
        task: whose dialogues it writes.
        nonsense: share of replies that are of no use.
        strict: share of verdicts that are false.
        cost: of a call, US dollars.
    """

    def __init__(self, task: Any, nonsense: float = 0.0, strict: float = 0.0, cost: float = 0.0) -> None:
        self.task, self.nonsense, self.strict, self.cost = task, nonsense, strict, cost
        self.calls = 0
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

    def reply(self, request: ChatRequest) -> ChatReply:
        rng = stream(request.seed, "stub", request.trial)
        usage = Usage(len(str(request.messages)) // 4, 50, self.cost)
        if rng.random() < self.nonsense:
            text = NONSENSE[int(rng.integers(len(NONSENSE)))]
            return ChatReply(text, usage, "stop", self.version)
        data = None if request.schema is None else self.form(request.schema, rng)
        text = self.dialogue(rng) if data is None else json.dumps(data)
        return ChatReply(text, usage, "stop", self.version, data)

    def form(self, schema: Mapping[str, Any], rng: np.random.Generator) -> Any:
        properties = schema["properties"]
        if "people" in properties:
            return {"people": [self.person(rng) for _ in range(properties["people"]["maxItems"])]}
        if "family" in properties:
            from dialog_envs.simulators.imagination.space import persona_space

            family = properties["family"]["enum"][int(rng.integers(len(properties["family"]["enum"]) - 1))]
            return persona_space(self.task).flat(self.task.prior.sample(rng, family))
        return {
            name: bool(rng.random() >= self.strict) if inner["type"] == "boolean" else "Turn 2 shows it."
            for name, inner in properties.items()
        }

    @staticmethod
    def person(rng: np.random.Generator) -> dict[str, str]:
        number = int(rng.integers(10**6))
        return {"name": f"person {number}", "who": f"Somebody with the number {number}, who talks little."}

    def dialogue(self, rng: np.random.Generator) -> str:
        """What a scripted policy and a scripted user say."""
        env = DialogEnv(self.task)
        seed = int(rng.integers(2**40))
        observation, _ = env.reset(seed=seed, options={"family": "typical"})
        names = sorted(self.task.behaviour_mixture)
        policy = self.task.policies[names[int(rng.integers(len(names)))]]()
        policy.start(observation["brief"], stream(seed, "policy"))
        words = stream(seed, "words")
        while env.outcome is None:
            said = self.task.language.say(policy.acts(observation), env.scenario, words)
            observation = env.step(said)[0]
        brief = self.task.task_brief
        lines = [
            f"{brief.agent_name if turn.speaker == AGENT else brief.user_name}: {plain(turn.text)}"
            for turn in env.turns
        ]
        if len(lines) < 5:
            return self.dialogue(rng)
        return "\n".join([*lines, f"{brief.agent_name}: Thank you, and goodbye!"])


def plain(text: str) -> str:
    """A turn without what a strict reader takes for a blank to fill in."""
    return re.sub(r"[\[\]{}<>…]", " ", text)
