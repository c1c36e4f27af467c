"""Scenarios: 12 to 16 activities, something for everybody, and a brief that tells it all."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog_envs.core.seeding import stream
from dialog_envs.core.spaces import MAX_BRIEF
from dialog_envs.errors import UsageError
from dialog_envs.tasks.preference.catalogue import facts, parse_facts, places
from dialog_envs.tasks.preference.persona import PreferencePrior
from dialog_envs.tasks.preference.scenario import (
    MAX_ITEMS,
    MIN_ITEMS,
    OCCASIONS,
    PreferenceScenario,
    fits_everybody,
    sample_scenario,
    scenario_from_brief,
    scenario_from_json,
)
from dialog_envs.tasks.preference.utility import verdicts

SCENARIOS = st.integers(0, 10**6).map(lambda seed: sample_scenario(stream(seed, "scenario")))
GOOD = sample_scenario(stream(0, "scenario")).to_json()


@settings(max_examples=40)
@given(scenario=SCENARIOS)
def test_every_scenario_is_well_formed(scenario):
    assert MIN_ITEMS <= len(scenario.items) <= MAX_ITEMS
    assert len(set(scenario.items)) == len(set(scenario.item_names)) == len(scenario.items)
    assert (scenario.occasion, scenario.company) in OCCASIONS
    assert sum(map(fits_everybody, scenario.activities)) >= 2
    assert all(scenario.company in entry.suits for entry in scenario.activities)
    assert len(scenario.brief) <= MAX_BRIEF


@settings(max_examples=40)
@given(scenario=SCENARIOS)
def test_the_brief_tells_everything_that_the_kernel_knows(scenario):
    lines = [line[2:] for line in scenario.brief.splitlines() if line.startswith("- ")]
    assert len(lines) == len(scenario.items)
    for line, entry in zip(lines, scenario.activities, strict=True):
        assert line == f"{entry.name}: {entry.blurb}. {facts(entry)}."
        stated = parse_facts(line.removeprefix(f"{entry.name}: {entry.blurb}. "))
        assert stated == {name: getattr(entry, name) for name in stated}
    assert scenario_from_brief(scenario.brief) == scenario
    assert scenario_from_json(json.loads(json.dumps(scenario.to_json()))) == scenario


def test_places_occasions_and_sizes_all_occur():
    drawn = [sample_scenario(stream(seed, "scenario")) for seed in range(400)]
    assert {scenario.place for scenario in drawn} == {place.name for place in places()}
    assert {scenario.occasion for scenario in drawn} == {occasion for occasion, _ in OCCASIONS}
    assert {len(scenario.items) for scenario in drawn} >= {12, 13, 14, 15}


def test_everybody_finds_something_everywhere():
    prior = PreferencePrior()
    for seed in range(2000):
        persona = prior.sample(stream(seed, "persona"))
        scenario = sample_scenario(stream(seed, "scenario"))
        assert verdicts(scenario.items, persona).acceptable
        assert verdicts(scenario.items, persona.changed()).acceptable


def test_usually_few_activities_suit():
    prior = PreferencePrior()
    counts = [
        len(verdicts(sample_scenario(stream(seed, "s")).items, prior.sample(stream(seed, "z"))).acceptable)
        for seed in range(500)
    ]
    assert 1.0 <= sum(counts) / len(counts) <= 3.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"items": "lisbon/x"}, "list of activity ids"),
        ({"items": []}, "1 to 16"),
        ({"items": [GOOD["items"][0]] * 2}, "each once"),
        ({"items": ["nowhere/nothing"]}, "unknown name"),
        ({"items": [[]]}, "list of activity ids"),
        ({"place": "Atlantis"}, "place must be one of"),
        ({"company": "aliens"}, "occasion and company"),
        ({"occasion": ["a honeymoon"]}, "occasion and company"),
        ({"weather": "fine"}, "exactly the fields"),
    ],
)
def test_scenarios_that_cannot_be(changes, words):
    with pytest.raises(UsageError, match=words):
        scenario_from_json(GOOD | changes)


def test_activities_of_another_place_are_refused():
    other = next(place for place in places() if place.name != GOOD["place"])
    with pytest.raises(UsageError, match="is not in"):
        scenario_from_json(GOOD | {"items": [other.items[0].id]})
    with pytest.raises(UsageError):
        scenario_from_json([])


@pytest.mark.parametrize(
    "text", ["", "Hello", "You are a travel agent. A traveller is in Atlantis for fun and wants one"]
)
def test_other_texts_are_no_brief(text):
    with pytest.raises(UsageError, match="not a brief"):
        scenario_from_brief(text)


def test_scenarios_are_values():
    twin = PreferenceScenario(**(GOOD | {"items": tuple(GOOD["items"])}))
    assert twin == scenario_from_json(GOOD)
    assert hash(twin) == hash(scenario_from_json(GOOD))
