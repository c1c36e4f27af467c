"""What a user can do with a turn, by name: the vocabulary that a model that plays a persona chooses its act from.

A task does not list the kinds of its user acts, so they are collected from a few scripted dialogues, with a sentence
that shows what each is like. The same task always gives the same list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from dialog_envs.core.dialogue import USER
from dialog_envs.core.env import DialogEnv
from dialog_envs.core.seeding import stream
from dialog_envs.core.task import Task

_EPISODES = 4
_LONGEST = 90
"""Characters of an example: short ones are enough, and easier to imitate."""


def user_acts(task: Task[Any, Any, Any]) -> Mapping[str, str]:
    """Kind of act → how somebody put it; ends of the talk last, and without an example."""
    return _collected(task)


@lru_cache(maxsize=8)
def _collected(task: Task[Any, Any, Any]) -> Mapping[str, str]:
    examples: defaultdict[str, str] = defaultdict(str)
    ends = task.act_roles.accepts | task.act_roles.leaves
    env = DialogEnv(task)
    for name in sorted(task.behaviour_mixture):
        for seed, family in enumerate(task.prior.families * _EPISODES):
            for text, kinds in _dialogue(env, name, seed, family):
                short = text if len(kinds) == 1 and len(text) <= _LONGEST else ""
                for kind in kinds:
                    examples[kind] = examples[kind] or short
    goes_on = {kind: examples[kind] for kind in sorted(examples) if kind not in ends}
    return goes_on | dict.fromkeys(sorted(ends), "")


def _dialogue(env: DialogEnv, policy: str, seed: int, family: str) -> list[tuple[str, set[str]]]:
    """The user's texts after the first, and the kinds of acts in each."""
    observation, _ = env.reset(seed=seed, options={"family": family})
    speaker = env.task.policies[policy]()
    words = stream(seed, "glossary words")
    speaker.start(observation["brief"], stream(seed, "glossary"))
    while env.outcome is None:
        observation = env.step(env.task.language.say(speaker.acts(observation), env.scenario, words))[0]
    said = [turn for turn in env.turns if turn.speaker == USER][1:]
    return [(turn.text, {act.kind for act in turn.acts}) for turn in said]
