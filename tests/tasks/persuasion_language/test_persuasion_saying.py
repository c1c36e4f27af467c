"""Saying: what scripted fundraisers say is understood as it was meant, for every charity."""

from __future__ import annotations

import numpy as np
import pytest

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.persuasion.acts import LENGTHS
from dialog_envs.tasks.persuasion.content import charities
from dialog_envs.tasks.persuasion.language.saying import say
from dialog_envs.tasks.persuasion.language.understanding import understand
from dialog_envs.tasks.persuasion.scenario import PersuasionScenario
from tests.tasks.persuasion_language.persuasion_talk import AGENT_ACTS, dialogues

OPENING = {"greet": 0, "acknowledge": 1}


@pytest.mark.parametrize("entry", charities(), ids=lambda entry: entry.id)
def test_single_acts_are_understood(entry) -> None:
    rng = np.random.default_rng(0)
    scenario = PersuasionScenario(entry.id, "stall")
    said = [(act, say((act,), scenario, rng)) for act in AGENT_ACTS for _ in range(4)]
    wrong = [(str(act), text) for act, text in said if understand(text, scenario) != (act,)]
    assert len(wrong) <= 0.01 * len(said), wrong


def test_turns_of_several_acts_are_understood() -> None:
    rng = np.random.default_rng(1)
    # an open question, or a request without an amount, is but the lead of another one in the same turn
    alone = ("unknown", "refuse", "close")
    choice = [
        act for act in AGENT_ACTS if act.kind not in alone and act not in (Act("ask", "open"), Act("propose"))
    ]
    entries, wrong = charities(), []
    for _ in range(1000):
        scenario = PersuasionScenario(entries[rng.integers(len(entries))].id, "stall")
        drawn = [choice[i] for i in rng.permutation(len(choice))[: rng.integers(2, 4)]]
        acts = tuple(sorted(drawn, key=lambda act: OPENING.get(act.kind, 2)))
        text = say(acts, scenario, rng)
        if understand(text, scenario) != acts:
            wrong.append((text, acts))
    assert len(wrong) <= 10, wrong[:5]


@pytest.mark.parametrize("value", LENGTHS)
def test_a_lengthy_turn_is_as_long_as_it_says(value: str) -> None:
    rng = np.random.default_rng(2)
    acts = (Act("ask", "values"), Act("lengthy", value=value))
    text = say(acts, PersuasionScenario("food/seedloan", "stall"), rng)
    assert len(text.split()) > LENGTHS[value]
    assert understand(text, PersuasionScenario("food/seedloan", "stall")) == acts


def test_facts_are_those_of_the_brief() -> None:
    rng = np.random.default_rng(3)
    for entry in charities():
        scenario = PersuasionScenario(entry.id, "stall")
        text = say((Act("inform", "mission"), Act("inform", "mission")), scenario, rng)
        assert all(fact in text for fact in entry.texts("mission"))


def test_what_policies_say_in_dialogues_is_understood() -> None:
    said = [turn for _, _, turns in dialogues(60, seed=4) for turn in turns if turn.speaker == 0]
    assert (
        all(act.kind != "unknown" for turn in said for act in turn.acts if "Blorp" not in turn.text) or said
    )
