"""Random play for the language tests: the kernel's user answers an agent that does anything."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.tasks.preference.kernel import PreferenceKernel
from dialog_envs.tasks.preference.language.phrasing import opening, phrase
from dialog_envs.tasks.preference.language.saying import say
from dialog_envs.tasks.preference.persona import VALUES, PreferencePersona, PreferencePrior
from dialog_envs.tasks.preference.scenario import PreferenceScenario, sample_scenario

SLOTS = ("theme", "setting", "pace", "crowd", "budget", "time", "need", "open")
SMALL_TALK = ("greet", "acknowledge", "check", "inform", "refuse", "unknown", "close")


def agent_acts(rng: np.random.Generator, scenario: PreferenceScenario) -> tuple[Act, ...]:
    """A question (a third of them for a value), a survey, suggestions, or small talk."""
    kind = rng.random()
    if kind < 0.45:
        slot = SLOTS[rng.integers(8)]
        values = [value for value in VALUES.get(slot, ()) if value not in ("any", "none")]
        named = values and rng.random() < 0.3
        return (Act("ask", slot, values[rng.integers(len(values))] if named else None),)
    if kind < 0.53:
        return tuple(Act("ask", SLOTS[i]) for i in rng.permutation(7)[: rng.integers(2, 5)])
    if kind < 0.88:
        count = (1, 1, 1, 2, 2, 3, 5)[rng.integers(7)]
        chosen = rng.permutation(len(scenario.items))[:count]
        return tuple(Act("suggest", item=scenario.items[i]) for i in chosen)
    return (Act(SMALL_TALK[rng.integers(len(SMALL_TALK))]),)


def dialogues(
    count: int, seed: int = 0, family: str | None = None
) -> Iterator[tuple[PreferencePersona, PreferenceScenario, list[Turn]]]:
    """Whole dialogues, opened by the user."""
    rng = np.random.default_rng(seed)
    kernel, prior = PreferenceKernel(), PreferencePrior()
    for _ in range(count):
        persona, scenario = prior.sample(rng, family), sample_scenario(rng)
        state, ended_by = kernel.start(scenario, persona), None
        turns = [Turn(USER, opening(persona, scenario, rng), (Act("greet"),))]
        while ended_by is None and len(turns) < 24:
            acts = agent_acts(rng, scenario)
            turns.append(Turn(AGENT, say(acts, scenario, rng), acts))
            reply, state, ended_by = kernel.step(state, acts, rng)
            turns.append(Turn(USER, phrase(reply, persona, scenario, rng, turns), reply))
        yield persona, scenario, turns
