"""Play at the level of acts: a policy against the kernel, without words."""

from __future__ import annotations

from typing import Any

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.core.seeding import stream
from dialog_envs.tasks.persuasion.kernel import PersuasionKernel
from dialog_envs.tasks.persuasion.persona import PersuasionPersona, PersuasionPrior
from dialog_envs.tasks.persuasion.scenario import PersuasionScenario, sample_scenario

KERNEL, PRIOR = PersuasionKernel(), PersuasionPrior()
MAX_TURNS = 14


def play(
    policy: Any, seed: int, family: str | None = None, persona: PersuasionPersona | None = None
) -> tuple[PersuasionPersona, PersuasionScenario, list[Turn], str]:
    """One episode: persona, scenario, turns without text, and who ended it."""
    rng = stream(seed, "play")
    persona = persona or PRIOR.sample(rng, family)
    scenario = sample_scenario(rng)
    policy.start(scenario.brief, stream(seed, "agent"))
    if hasattr(policy, "reveal"):
        policy.reveal(persona, scenario)
    state, ended_by = KERNEL.start(scenario, persona), None
    turns = [Turn(USER, "", (Act("greet"),))]
    policy.reader.user_acts = turns[0].acts
    for _ in range(MAX_TURNS):
        acts = policy.decide()
        reply, state, ended_by = KERNEL.step(state, acts, rng)
        policy.reader.take_in(acts, reply)
        turns += [Turn(AGENT, "", acts), Turn(USER, "", reply)]
        if ended_by is not None:
            break
    return persona, scenario, turns, ended_by or "cap"


def gives(turns: list[Turn]) -> bool:
    """Whether a donation was made."""
    return any(act.kind == "donate" for turn in turns for act in turn.acts)
