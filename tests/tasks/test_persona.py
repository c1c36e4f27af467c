"""The prior is explicit: what it says equals what it draws."""

import json
import math
from collections import Counter

import pytest

from dialog_envs.core.seeding import stream
from dialog_envs.errors import UnknownFamily, UsageError
from dialog_envs.tasks.preference.card import FAMILY_TEXTS, card
from dialog_envs.tasks.preference.persona import (
    HARD_FAMILIES,
    MANNERS,
    PRIOR,
    SLOTS,
    TYPICAL,
    PreferencePersona,
    PreferencePrior,
    lie_slot,
    persona_from_json,
)

PRIOR_OF_ALL = PreferencePrior()
GOOD = {
    "family": "focused",
    "theme": "food",
    "setting": "any",
    "pace": "relaxed",
    "crowd": "any",
    "budget": "low",
    "time": "any",
    "need": "none",
    "priority": "pace",
}


def test_families_are_those_of_the_manners_and_each_has_its_words():
    assert PRIOR_OF_ALL.families == TYPICAL + HARD_FAMILIES == tuple(MANNERS) == tuple(FAMILY_TEXTS)
    assert sum(PRIOR_OF_ALL.weights.values()) == pytest.approx(1.0)
    assert all(sum(table.values()) == pytest.approx(1.0) for table in PRIOR.values())
    assert [name for name, manner in MANNERS.items() if not manner.decided] == ["hesitant", "indecisive"]


@pytest.mark.parametrize("family", ["focused", "cost_averse", "contradictory"])
def test_the_support_sums_to_the_weight_of_the_family(family):
    total = math.fsum(math.exp(PRIOR_OF_ALL.log_prob(persona)) for persona in PRIOR_OF_ALL.support(family))
    assert total == pytest.approx(PRIOR_OF_ALL.weights[family], abs=1e-9)


def test_samples_are_as_frequent_as_the_prior_says():
    draws = [PRIOR_OF_ALL.sample(stream(seed, "z")) for seed in range(4000)]
    families = Counter(persona.family for persona in draws)
    for name, weight in PRIOR_OF_ALL.weights.items():
        assert abs(families[name] / len(draws) - weight) < 4 * math.sqrt(weight / len(draws))
    for slot in SLOTS:
        plain = [
            getattr(persona, slot)
            for persona in draws
            if persona.family not in ("cost_averse", "contradictory")
        ]
        for value, p in PRIOR[slot].items():
            assert abs(plain.count(value) / len(plain) - p) < 4 * math.sqrt(p / len(plain)), (slot, value)
    theme_only = [z for z in draws if (z.setting, z.pace, z.crowd) == ("any", "any", "any")]
    assert {z.priority for z in theme_only} <= {"theme"}
    assert all(math.isfinite(PRIOR_OF_ALL.log_prob(persona)) for persona in draws)


@pytest.mark.parametrize("group", [*TYPICAL, *HARD_FAMILIES, "typical", "hard"])
def test_a_family_or_group_is_kept(group):
    names = {PRIOR_OF_ALL.sample(stream(seed, "z"), group).family for seed in range(60)}
    assert names == set(PRIOR_OF_ALL.group(group))


def test_unknown_families_are_named():
    with pytest.raises(UnknownFamily, match="Did you mean 'indecisive'"):
        PRIOR_OF_ALL.sample(stream(0, "z"), "indecisve")


def test_what_lies_outside_the_support_has_no_probability():
    def log_prob(**changes):
        return PRIOR_OF_ALL.log_prob(PreferencePersona(**(GOOD | changes)))

    assert math.isfinite(log_prob())
    assert log_prob(priority="crowd") == -math.inf  # no preference there, so it cannot matter most
    assert log_prob(family="cost_averse", budget="any") == -math.inf
    assert log_prob(family="contradictory", pace="any", priority="theme") == -math.inf
    assert log_prob(theme="shopping") == log_prob(priority="budget") == log_prob(family="grumpy") == -math.inf


def test_personas_survive_json():
    persona = persona_from_json(json.loads(json.dumps(GOOD)))
    assert persona.to_json() == GOOD
    assert persona.ranked() == ("pace", "theme")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"theme": "shopping"}, "theme must be one of art"),
        ({"theme": ["food"]}, "every field is a word"),
        ({"family": {}}, "every field is a word"),
        ({"priority": "budget"}, "priority must be one of theme"),
        ({"priority": "setting"}, "cannot occur"),
        ({"family": "cost_averse", "budget": "any"}, "cannot occur"),
        ({"age": "40"}, "exactly the fields"),
    ],
)
def test_personas_that_cannot_be(changes, words):
    with pytest.raises(UsageError, match=words):
        persona_from_json(GOOD | changes)


def test_unknown_family_in_json():
    with pytest.raises(UnknownFamily):
        persona_from_json(GOOD | {"family": "grumpy"})
    with pytest.raises(UsageError):
        persona_from_json([])


def test_what_people_say_is_true_but_for_two_families():
    for family in MANNERS:
        for seed in range(30):
            persona = PRIOR_OF_ALL.sample(stream(seed, "z"), family)
            untrue = [slot for slot in SLOTS if persona.says(slot) != getattr(persona, slot)]
            expected = {"cost_averse": ["budget"], "contradictory": [lie_slot(persona)]}.get(family, [])
            assert untrue == expected


def test_a_change_of_mind_is_another_theme_and_nothing_else():
    persona = PreferencePersona(**GOOD)
    assert persona.changed().to_json() == GOOD | {"theme": "history"}
    assert persona.changed().changed() == persona


def test_cards_tell_what_is_special():
    def rows(**changes):
        return dict(card(PreferencePersona(**(GOOD | changes))))

    assert rows()["Setting"] == "no preference"
    assert rows(family="changeable")["Changes to"] == "history"
    assert rows(family="contradictory")["Says instead"] == "pace: active"
    assert "Says instead" not in rows()
