"""Persuasion-v0 as a task: everything that defines it, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from dialog_envs.core.dialogue import Act, Turn, TurnView
from dialog_envs.core.outcome import Outcome
from dialog_envs.core.task import ActRoles, Task
from dialog_envs.tasks.persuasion import posterior, scoring
from dialog_envs.tasks.persuasion.card import card
from dialog_envs.tasks.persuasion.kernel import PersuasionKernel, PersuasionState
from dialog_envs.tasks.persuasion.language import phrasing, reading, saying, understanding
from dialog_envs.tasks.persuasion.menu import menu
from dialog_envs.tasks.persuasion.persona import PersuasionPersona, PersuasionPrior, persona_from_json
from dialog_envs.tasks.persuasion.policies import POLICIES, make_policy
from dialog_envs.tasks.persuasion.prompting import BRIEF
from dialog_envs.tasks.persuasion.scenario import (
    PersuasionScenario,
    sample_scenario,
    scenario_from_brief,
    scenario_from_json,
)
from dialog_envs.tasks.persuasion.styles import MIXTURE
from dialog_envs.tasks.persuasion.view import PersuasionView


class PersuasionLanguage:
    """Words and acts of people and fund-raisers."""

    def understand(
        self, text: str, scenario: PersuasionScenario, dialogue: Sequence[TurnView]
    ) -> tuple[Act, ...]:
        """Agent text → agent acts."""
        return understanding.understand(text, scenario, dialogue)

    def read(self, text: str, scenario: PersuasionScenario, dialogue: Sequence[TurnView]) -> tuple[Act, ...]:
        """User text → user acts, from the text alone."""
        return reading.read(text, scenario, dialogue)

    def phrase(
        self,
        acts: tuple[Act, ...],
        persona: PersuasionPersona,
        scenario: PersuasionScenario,
        rng: np.random.Generator,
        dialogue: Sequence[TurnView] = (),
    ) -> str:
        """User acts → user text in the persona's manner."""
        return phrasing.phrase(acts, persona, scenario, rng, dialogue)

    def opening(
        self, persona: PersuasionPersona, scenario: PersuasionScenario, rng: np.random.Generator
    ) -> str:
        """The user's first sentence."""
        return phrasing.opening(persona, scenario, rng)

    def say(self, acts: tuple[Act, ...], scenario: PersuasionScenario, rng: np.random.Generator) -> str:
        """Agent acts → agent text."""
        return saying.say(acts, scenario, rng)


class PersuasionTask(Task[PersuasionPersona, PersuasionScenario, PersuasionState]):
    """Win a donation by honest means from somebody whose values and doubts are hidden."""

    id = "Persuasion-v0"
    version = "0.1"
    max_turns = 14
    description = "Win a donation by honest means from somebody whose values and doubts are hidden."
    task_brief = BRIEF

    act_roles = ActRoles(
        discloses={"answer": "slot", "object": "slot", "reveal": "slot", "doubt": "slot"},
        volunteers={},
        drawn_by={
            "answer": ("ask(=)", "ask(open)"),
            "object": ("ask(concern)", "address", "propose", "commit"),
            "reveal": ("ask(concern)", "address", "propose", "commit"),
            "doubt": ("propose", "commit"),
        },
        accepts=frozenset(("donate",)),
        moves=frozenset(("ask", "appeal", "inform", "address", "propose", "commit")),
    )

    def __init__(self) -> None:
        self.prior = PersuasionPrior()
        self.kernel = PersuasionKernel()
        self.language = PersuasionLanguage()
        self.view = PersuasionView()
        self.policies = {name: partial(make_policy, name) for name in POLICIES}
        self.behaviour_mixture = MIXTURE

    def sample_scenario(self, rng: np.random.Generator) -> PersuasionScenario:
        """Draw a charity and a place."""
        return sample_scenario(rng)

    def read_brief(self, brief: str) -> PersuasionScenario:
        """What somebody knows who has read the brief."""
        return scenario_from_brief(brief)

    def persona_from_json(self, data: Mapping[str, Any]) -> PersuasionPersona:
        """Inverse of the persona's ``to_json``."""
        return persona_from_json(data)

    def scenario_from_json(self, data: Mapping[str, Any]) -> PersuasionScenario:
        """Inverse of the scenario's ``to_json``."""
        return scenario_from_json(data)

    def score(
        self, persona: PersuasionPersona, scenario: PersuasionScenario, turns: Sequence[Turn], ended_by: str
    ) -> Outcome:
        """See :mod:`dialog_envs.tasks.persuasion.scoring`."""
        return scoring.score(persona, scenario, turns, ended_by)

    def belief_trace(self, scenario: PersuasionScenario, turns: Sequence[Turn]) -> list[dict[str, Any]]:
        """See :mod:`dialog_envs.tasks.persuasion.posterior`."""
        return posterior.belief_trace(turns)

    def menu(
        self, brief: str, dialogue: Sequence[TurnView]
    ) -> tuple[PersuasionScenario, list[tuple[Act, ...]]]:
        """See :mod:`dialog_envs.tasks.persuasion.menu`."""
        return menu(brief, dialogue)

    def persona_card(self, persona: PersuasionPersona) -> list[tuple[str, str]]:
        """What moves them, what is in the way, and manner, in words."""
        return card(persona)
