"""Every act of the persuasion task, and dialogues of its scripted agents, for the language tests."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.tasks.persuasion import acts as a
from dialog_envs.tasks.persuasion.persona import PersuasionPersona
from dialog_envs.tasks.persuasion.scenario import PersuasionScenario
from dialog_envs.tasks.persuasion.task import PersuasionTask

AGENT_ACTS: list[Act] = [
    *(Act("ask", slot) for slot in a.QUESTIONS),
    *(Act("ask", "values", value) for value in a.VALUES),
    *(Act("ask", "means", value) for value in a.MEANS),
    *(Act("ask", "experience", value) for value in a.EXPERIENCES),
    *(Act("ask", "concern", value) for value in a.OBJECTIONS),
    *(Act("appeal", slot) for slot in a.STRATEGIES),
    *(Act("appeal", "values", value) for value in a.VALUES),
    *(Act("inform", slot) for slot in a.FACTS),
    *(Act("address", slot) for slot in a.OBJECTIONS),
    *(Act("propose", value=value) for value in a.BANDS),
    *(Act("pressure", value=value) for value in a.PRESSURES),
    *(Act(kind) for kind in ("propose", "commit", "fabricate", "greet", "acknowledge", "check")),
    *(Act(kind) for kind in ("close", "refuse", "unknown")),
]
ANSWERS: list[Act] = [
    *(Act("answer", "values", value) for value in a.VALUES),
    *(Act("answer", "means", value) for value in a.MEANS),
    *(Act("answer", "experience", value) for value in a.EXPERIENCES),
]
USER_ACTS: list[Act] = [
    *ANSWERS,
    *(Act("told", act.slot, act.value) for act in ANSWERS),
    *(Act("answer", slot, "none") for slot in ("concern", "open")),
    *(Act("evade", slot) for slot in a.QUESTIONS),
    *(Act(kind, slot) for kind in ("object", "reveal", "resolved") for slot in a.OBJECTIONS),
    *(Act("resolved", slot) for slot in a.DOUBTS),
    *(Act("doubt", slot) for slot in a.DOUBTS),
    *(Act(kind, slot) for kind in ("warm", "cool") for slot in a.STRATEGIES),
    *(Act("bristle", slot) for slot in ("pressure", "invention")),
    Act("agree", value="token"),
    *(Act(kind, value=band) for kind in ("promise", "counteroffer", "donate") for band in a.BANDS[1:]),
    *(Act(kind) for kind in ("overwhelmed", "decline", "clarify", "nudge", "greet", "leave")),
]
POLICIES = ("random", "heuristic", "storyteller", "pusher", "competent")


def dialogues(
    count: int, seed: int = 0
) -> Iterator[tuple[PersuasionPersona, PersuasionScenario, list[Turn]]]:
    """Whole dialogues of several policies, opened by the user."""
    rng = np.random.default_rng(seed)
    task = PersuasionTask()
    for number in range(count):
        persona, scenario = task.prior.sample(rng), task.sample_scenario(rng)
        policy = task.policies[POLICIES[number % len(POLICIES)]]()
        policy.start(scenario.brief, rng)
        state, ended_by = task.kernel.start(scenario, persona), None
        turns = [Turn(USER, task.language.opening(persona, scenario, rng), (Act("greet"),))]
        while ended_by is None and len(turns) < 2 * task.max_turns:
            views = tuple(turn.view() for turn in turns)
            text = task.language.say(policy.acts({"brief": scenario.brief, "dialogue": views}), scenario, rng)
            understood = task.language.understand(text, scenario, views)
            turns.append(Turn(AGENT, text, understood))
            reply, state, ended_by = task.kernel.step(state, understood, rng)
            turns.append(Turn(USER, task.language.phrase(reply, persona, scenario, rng, turns), reply))
        yield persona, scenario, turns
