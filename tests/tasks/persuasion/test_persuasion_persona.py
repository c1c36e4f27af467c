"""Personas, scenarios and charities: what they hold, and that they survive JSON and the brief."""

import json
import math
import re

import pytest

from dialog_envs.core.seeding import stream
from dialog_envs.errors import UnknownFamily, UnknownName, UsageError
from dialog_envs.tasks.persuasion.acts import FACTS
from dialog_envs.tasks.persuasion.card import FAMILY_TEXTS, card
from dialog_envs.tasks.persuasion.content import charities, charity
from dialog_envs.tasks.persuasion.persona import (
    DOMAINS,
    FACTORS,
    MANNERS,
    PersuasionPrior,
    persona_from_json,
)
from dialog_envs.tasks.persuasion.scenario import (
    PLACES,
    PersuasionScenario,
    sample_scenario,
    scenario_from_brief,
    scenario_from_json,
)

PRIOR = PersuasionPrior()
GOOD = {"family": "warm", "value": "nature", "taste": "reason", "means": "tight", "trust": "mid"}
GOOD |= {"objection": "cost", "hidden": "none"}


def test_the_prior_sums_to_one_and_samples_follow_it():
    assert sum(math.exp(PRIOR.log_prob(persona)) for persona in PRIOR.support()) == pytest.approx(1.0)
    drawn = [PRIOR.sample(stream(i, "z"), "typical") for i in range(400)]
    assert {persona.family for persona in drawn} == set(PRIOR.typical)
    for factor in FACTORS:
        assert {getattr(persona, factor) for persona in drawn} == set(DOMAINS[factor])
    assert all(math.isfinite(PRIOR.log_prob(persona)) for persona in drawn)


def test_families_keep_their_promises():
    for i in range(60):
        guarded, sham, strict = (
            PRIOR.sample(stream(i, "z"), name) for name in ("guarded", "yes_sayer", "evidence_only")
        )
        assert "none" not in (guarded.objection, guarded.hidden)
        assert guarded.objection != guarded.hidden
        assert sham.hidden != "none"
        assert strict.taste == "reason"


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": "gold"},
        {"hidden": "cost"},
        {"means": None},
        {"extra": "x"},
        {"taste": "feeling", "family": "evidence_only"},
    ],
)
def test_a_persona_that_cannot_be_is_refused(wrong):
    with pytest.raises(UsageError):
        persona_from_json(GOOD | wrong)


def test_personas_survive_json():
    assert persona_from_json(json.loads(json.dumps(GOOD))).to_json() == GOOD
    with pytest.raises(UnknownFamily):
        persona_from_json(GOOD | {"family": "nobody"})


def test_a_card_for_everybody():
    assert set(FAMILY_TEXTS) == set(MANNERS)
    for i in range(20):
        rows = card(PRIOR.sample(stream(i, "z")))
        assert all(heading and text for heading, text in rows)


def test_charities_are_many_and_their_facts_are_concrete():
    entries = charities()
    assert len(entries) >= 24
    assert len({entry.cause for entry in entries}) >= 6
    assert len({entry.id for entry in entries}) == len({entry.name for entry in entries}) == len(entries)
    for entry in entries:
        assert {kind: len(entry.texts(kind)) for kind in FACTS} == dict.fromkeys(FACTS, 1) | {"mission": 2}
        for kind, text in entry.facts:
            assert 10 <= len(text.split()) <= 30, (entry.id, kind, text)
            assert re.search(r"\d", text), (entry.id, kind, text)
            assert text.endswith(".")
    with pytest.raises(UnknownName):
        charity("no/such")


def test_a_brief_says_what_the_scenario_is():
    for i, entry in enumerate(charities()):
        scenario = PersuasionScenario(entry.id, list(PLACES)[i % len(PLACES)])
        assert scenario_from_brief(scenario.brief) == scenario
        assert all(text in scenario.brief for _, text in scenario.facts)
    scenario = sample_scenario(stream(1, "s"))
    assert scenario_from_json(json.loads(json.dumps(scenario.to_json()))) == scenario


@pytest.mark.parametrize(
    "data", [{}, {"charity": "no/such", "place": "door"}, {"charity": "water/pumphandle-tarro", "place": "moon"}, 7]
)  # fmt: skip
def test_a_scenario_that_cannot_be_is_refused(data):
    with pytest.raises(UsageError):
        scenario_from_json(data)


def test_another_text_is_no_brief():
    with pytest.raises(UsageError, match="not a brief"):
        scenario_from_brief("You are a travel agent.")
