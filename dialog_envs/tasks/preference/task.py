"""PreferenceElicitation-v0 as a task: everything that defines it, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from dialog_envs.core.dialogue import Act, Turn, TurnView
from dialog_envs.core.outcome import Outcome
from dialog_envs.core.task import Task
from dialog_envs.tasks.preference import posterior, scoring
from dialog_envs.tasks.preference.kernel import PreferenceKernel, PreferenceState
from dialog_envs.tasks.preference.language import phrasing, reading, saying, understanding
from dialog_envs.tasks.preference.menu import menu
from dialog_envs.tasks.preference.persona import PreferencePersona, PreferencePrior, persona_from_json
from dialog_envs.tasks.preference.policies import MIXTURE, POLICIES, make_policy
from dialog_envs.tasks.preference.prompting import BRIEF
from dialog_envs.tasks.preference.scenario import (
    PreferenceScenario,
    sample_scenario,
    scenario_from_brief,
    scenario_from_json,
)
from dialog_envs.tasks.preference.view import PreferenceView


class PreferenceLanguage:
    """Words and acts of travellers and travel agents."""

    def understand(
        self, text: str, scenario: PreferenceScenario, dialogue: Sequence[TurnView]
    ) -> tuple[Act, ...]:
        """Agent text → agent acts."""
        return understanding.understand(text, scenario, dialogue)

    def read(self, text: str, scenario: PreferenceScenario, dialogue: Sequence[TurnView]) -> tuple[Act, ...]:
        """User text → user acts, from the text alone."""
        return reading.read(text, scenario, dialogue)

    def phrase(
        self,
        acts: tuple[Act, ...],
        persona: PreferencePersona,
        scenario: PreferenceScenario,
        rng: np.random.Generator,
        dialogue: Sequence[TurnView] = (),
    ) -> str:
        """User acts → user text in the persona's manner."""
        return phrasing.phrase(acts, persona, scenario, rng, dialogue)

    def opening(
        self, persona: PreferencePersona, scenario: PreferenceScenario, rng: np.random.Generator
    ) -> str:
        """The user's first sentence."""
        return phrasing.opening(persona, scenario, rng)

    def say(self, acts: tuple[Act, ...], scenario: PreferenceScenario, rng: np.random.Generator) -> str:
        """Agent acts → agent text."""
        return saying.say(acts, scenario, rng)


class PreferenceTask(Task[PreferencePersona, PreferenceScenario, PreferenceState]):
    """Find out what a traveller likes, needs and can spend, and suggest the activity that suits them."""

    id = "PreferenceElicitation-v0"
    version = "0.1"
    max_turns = 12
    description = (
        "Find out what a traveller likes, needs and can spend, and suggest the activity that suits them."
    )

    task_brief = BRIEF

    def __init__(self) -> None:
        self.prior = PreferencePrior()
        self.kernel = PreferenceKernel()
        self.language = PreferenceLanguage()
        self.view = PreferenceView()
        self.policies = {name: partial(make_policy, name) for name in POLICIES}
        self.behaviour_mixture = MIXTURE

    def sample_scenario(self, rng: np.random.Generator) -> PreferenceScenario:
        """Draw a place, an occasion and the activities on offer."""
        return sample_scenario(rng)

    def read_brief(self, brief: str) -> PreferenceScenario:
        """What somebody knows who has read the brief."""
        return scenario_from_brief(brief)

    def persona_from_json(self, data: Mapping[str, Any]) -> PreferencePersona:
        """Inverse of the persona's ``to_json``."""
        return persona_from_json(data)

    def scenario_from_json(self, data: Mapping[str, Any]) -> PreferenceScenario:
        """Inverse of the scenario's ``to_json``."""
        return scenario_from_json(data)

    def score(
        self, persona: PreferencePersona, scenario: PreferenceScenario, turns: Sequence[Turn], ended_by: str
    ) -> Outcome:
        """See :mod:`dialog_envs.tasks.preference.scoring`."""
        return scoring.score(persona, scenario, turns, ended_by)

    def belief_trace(self, scenario: PreferenceScenario, turns: Sequence[Turn]) -> list[dict[str, Any]]:
        """See :mod:`dialog_envs.tasks.preference.posterior`."""
        return posterior.belief_trace(scenario, turns)

    def menu(
        self, brief: str, dialogue: Sequence[TurnView]
    ) -> tuple[PreferenceScenario, list[tuple[Act, ...]]]:
        """See :mod:`dialog_envs.tasks.preference.menu`."""
        return menu(brief, dialogue)

    def persona_card(self, persona: PreferencePersona) -> list[tuple[str, str]]:
        """Tastes, constraints and manner in words."""
        from dialog_envs.tasks.preference.card import card

        return card(persona)
