"""Instruction-v0 as a task: everything that defines it, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from dialog_envs.core.dialogue import Act, Turn, TurnView
from dialog_envs.core.outcome import Outcome
from dialog_envs.core.task import ActRoles, Task
from dialog_envs.tasks.instruction import posterior, scoring
from dialog_envs.tasks.instruction.kernel import InstructionKernel, InstructionState
from dialog_envs.tasks.instruction.language import phrasing, reading, saying, understanding
from dialog_envs.tasks.instruction.menu import menu
from dialog_envs.tasks.instruction.persona import InstructionPersona, InstructionPrior, persona_from_json
from dialog_envs.tasks.instruction.policies import MIXTURE, POLICIES, make_policy
from dialog_envs.tasks.instruction.prompting import BRIEF
from dialog_envs.tasks.instruction.scenario import (
    InstructionScenario,
    sample_scenario,
    scenario_from_brief,
    scenario_from_json,
)
from dialog_envs.tasks.instruction.view import InstructionView


class InstructionLanguage:
    """Words and acts of students and teachers."""

    def understand(
        self, text: str, scenario: InstructionScenario, dialogue: Sequence[TurnView]
    ) -> tuple[Act, ...]:
        """Agent text → agent acts."""
        return understanding.understand(text, scenario, dialogue)

    def read(self, text: str, scenario: InstructionScenario, dialogue: Sequence[TurnView]) -> tuple[Act, ...]:
        """User text → user acts, from the text alone."""
        return reading.read(text, scenario, dialogue)

    def phrase(
        self,
        acts: tuple[Act, ...],
        persona: InstructionPersona,
        scenario: InstructionScenario,
        rng: np.random.Generator,
        dialogue: Sequence[TurnView] = (),
    ) -> str:
        """User acts → user text in the persona's manner."""
        return phrasing.phrase(acts, persona, scenario, rng, dialogue)

    def opening(
        self, persona: InstructionPersona, scenario: InstructionScenario, rng: np.random.Generator
    ) -> str:
        """The user's first sentence."""
        return phrasing.opening(persona, scenario, rng)

    def say(self, acts: tuple[Act, ...], scenario: InstructionScenario, rng: np.random.Generator) -> str:
        """Agent acts → agent text."""
        return saying.say(acts, scenario, rng)


class InstructionTask(Task[InstructionPersona, InstructionScenario, InstructionState]):
    """Find out what a student knows, believes and follows, and teach them what is missing."""

    id = "Instruction-v0"
    version = "0.1"
    max_turns = 16
    description = "Find out what a student knows, mistakes and can follow, and teach what is missing."

    task_brief = BRIEF

    act_roles = ActRoles(
        discloses={"answer": "slot", "claim": "item", "show": "item", "object": "item"},
        volunteers={},
        drawn_by={
            "answer": ("ask(=)", "ask(open)"),
            "claim": ("ask(=)", "ask(open)", "quiz(=)", "explain(=)", "correct(=)", "confirm", "recap"),
            "show": ("quiz(=)",),
            "object": ("explain(=)", "correct(=)", "quiz(=)"),
        },
        accepts=frozenset(("content",)),
        moves=frozenset(("ask", "quiz", "explain", "correct")),
        asks=frozenset(("ask", "quiz")),
    )

    def __init__(self) -> None:
        self.prior = InstructionPrior()
        self.kernel = InstructionKernel()
        self.language = InstructionLanguage()
        self.view = InstructionView()
        self.policies = {name: partial(make_policy, name) for name in POLICIES}
        self.behaviour_mixture = MIXTURE

    def sample_scenario(self, rng: np.random.Generator) -> InstructionScenario:
        """Draw a concept."""
        return sample_scenario(rng)

    def read_brief(self, brief: str) -> InstructionScenario:
        """What somebody knows who has read the brief."""
        return scenario_from_brief(brief)

    def persona_from_json(self, data: Mapping[str, Any]) -> InstructionPersona:
        """Inverse of the persona's ``to_json``."""
        return persona_from_json(data)

    def scenario_from_json(self, data: Mapping[str, Any]) -> InstructionScenario:
        """Inverse of the scenario's ``to_json``."""
        return scenario_from_json(data)

    def score(
        self, persona: InstructionPersona, scenario: InstructionScenario, turns: Sequence[Turn], ended_by: str
    ) -> Outcome:
        """See :mod:`dialog_envs.tasks.instruction.scoring`."""
        return scoring.score(persona, scenario, turns, ended_by)

    def belief_trace(self, scenario: InstructionScenario, turns: Sequence[Turn]) -> list[dict[str, Any]]:
        """See :mod:`dialog_envs.tasks.instruction.posterior`."""
        return posterior.belief_trace(scenario, turns)

    def menu(
        self, brief: str, dialogue: Sequence[TurnView]
    ) -> tuple[InstructionScenario, list[tuple[Act, ...]]]:
        """See :mod:`dialog_envs.tasks.instruction.menu`."""
        return menu(brief, dialogue)

    def persona_card(self, persona: InstructionPersona) -> list[tuple[str, str]]:
        """Knowledge, background and manner in words."""
        from dialog_envs.tasks.instruction.card import card

        return card(persona)
