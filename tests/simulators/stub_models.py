"""Chat models for tests of users: they say what a function says, or what a good actor would."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dialog_envs.core.env import DialogEnv
from dialog_envs.core.seeding import stream
from dialog_envs.simulators.llm import ChatModelBase, ChatReply, ChatRequest, Choice, Request, Result, Usage
from dialog_envs.simulators.users.llm import LLMUser


class SaysModel(ChatModelBase):
    """Answers with what `answer` makes of a request: a text, or a dict for a structured one. Chooses the first."""

    name, version = "stub", "stub-1"

    def __init__(self, answer: Callable[[ChatRequest], Any]) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        for index, request in enumerate(requests):
            self.asked.append(request)
            if not isinstance(request, ChatRequest):
                yield index, Choice(0, (), Usage(5, 1))
                continue
            said = self.answer(request)
            if isinstance(said, Exception):
                yield index, said  # type: ignore[misc]
            elif isinstance(said, dict):
                yield index, ChatReply(json.dumps(said), Usage(5, 2, 0.25), "stop", "stub", said)
            else:
                yield index, ChatReply(str(said), Usage(5, 2, 0.25), "stop", "stub")


def says_the_meaning(request: ChatRequest) -> str:
    """The line that a grounded user asks for, as it was meant."""
    found = re.findall(r"They mean: (.+)", request.messages[-1]["content"])
    return found[-1] if found else "…"


def first_choice() -> LLMUser:
    """An llm user that takes the first turn on its menu: the kernel's likeliest. A factory, as `module:attribute`."""
    return LLMUser(SaysModel(lambda request: ""), mode="choose")


def good_actor(env: DialogEnv) -> Callable[[ChatRequest], dict[str, Any]]:
    """Plays the persona of `env`, whose user is an llm user in mode write: what the kernel would most likely do."""

    def act(request: ChatRequest) -> dict[str, Any]:
        user = env.user
        assert isinstance(user, LLMUser)
        said = request.messages[-1]["content"].split("\n")[1]
        dialogue = [*[turn.view() for turn in env.turns], {"speaker": 0, "text": said}]
        heard = env.task.language.understand(said, env.scenario, dialogue[:-1])
        branch = user._following.branches(heard)[0]
        text = env.task.language.phrase(
            branch.acts, env.persona, env.scenario, stream(len(env.turns), "actor"), dialogue
        )
        roles = env.task.act_roles
        ends = [a.kind for a in branch.acts if a.kind in roles.accepts | roles.leaves]
        kind = ends[-1] if ends and branch.ended_by != "agent" else branch.acts[0].kind
        return {"text": text, "act": kind, "done": branch.ended_by is not None}

    return act


def play_heuristic(env: DialogEnv, seed: int, family: str | None = None) -> float:
    """An episode with the task's heuristic policy; the return."""
    observation, _ = env.reset(seed=seed, options={"family": family})
    policy, words = env.task.policies["heuristic"](), stream(seed, "words")
    policy.start(observation["brief"], stream(seed, "policy"))
    value = 0.0
    while env.outcome is None:
        text = env.task.language.say(policy.acts(observation), env.scenario, words)
        observation, reward, *_ = env.step(text)
        value += float(reward)
    return value
