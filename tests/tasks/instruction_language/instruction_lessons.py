"""Random lessons for the language tests: the kernel's student answers a teacher that does anything."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.tasks.instruction.acts import KINDS
from dialog_envs.tasks.instruction.kernel import InstructionKernel
from dialog_envs.tasks.instruction.language.phrasing import opening, phrase
from dialog_envs.tasks.instruction.language.saying import say
from dialog_envs.tasks.instruction.persona import InstructionPersona, InstructionPrior
from dialog_envs.tasks.instruction.scenario import InstructionScenario, sample_scenario

SMALL_TALK = ("confirm", "encourage", "recap", "greet", "acknowledge", "inform", "refuse", "unknown", "close")


def agent_acts(rng: np.random.Generator, scenario: InstructionScenario) -> tuple[Act, ...]:
    """Explanations, quizzes, corrections, questions about the student, pairs of these, and small talk."""
    items = scenario.items
    item, other = items[rng.integers(len(items))], items[rng.integers(len(items))]
    explain, correct = Act("explain", value=KINDS[rng.integers(4)], item=item), Act("correct", item=item)
    small = Act(SMALL_TALK[rng.integers(9 if rng.random() < 0.3 else 8)])
    choices: tuple[tuple[float, tuple[Act, ...]], ...] = (
        (0.3, (explain,)),
        (0.15, (Act("quiz", item=item),)),
        (0.1, (correct,)),
        (0.07, (correct, explain)),
        (0.06, (explain, Act("quiz", item=other))),
        (0.06, (Act("ask", "idea", item=item),)),
        (0.08, (Act("ask", ("background", "style", "open")[rng.integers(3)]),)),
        (0.02, (Act("ask", "background"), Act("ask", "style"))),
        (0.03, (explain, Act("confirm"))),
        (0.02, (explain, Act("lengthy", value="very_long"))),
        (0.11, (small,)),
    )
    edges = np.cumsum([p for p, _ in choices])
    return choices[min(int(np.searchsorted(edges, rng.random())), len(choices) - 1)][1]


def lessons(
    count: int, seed: int = 0, family: str | None = None
) -> Iterator[tuple[InstructionPersona, InstructionScenario, list[Turn]]]:
    """Whole lessons, opened by the student."""
    rng = np.random.default_rng(seed)
    kernel, prior = InstructionKernel(), InstructionPrior()
    for _ in range(count):
        persona, scenario = prior.sample(rng, family), sample_scenario(rng)
        state, ended_by = kernel.start(scenario, persona), None
        turns = [Turn(USER, opening(persona, scenario, rng), (Act("greet"),))]
        while ended_by is None and len(turns) < 33:
            acts = agent_acts(rng, scenario)
            turns.append(Turn(AGENT, say(acts, scenario, rng), acts))
            reply, state, ended_by = kernel.step(state, acts, rng)
            turns.append(Turn(USER, phrase(reply, persona, scenario, rng, turns), reply))
        yield persona, scenario, turns
