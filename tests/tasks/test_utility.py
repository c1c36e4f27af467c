"""What suits whom, on examples that can be checked by hand, and as laws."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialog_envs.tasks.preference.catalogue import Item, places
from dialog_envs.tasks.preference.persona import HARD, SOFT, PreferencePersona
from dialog_envs.tasks.preference.utility import (
    CLOSE,
    FLOOR,
    broken_constraint,
    complaint,
    feasible,
    match,
    utility,
    verdicts,
    weight,
)
from tests.properties.dialogues import personas, scenarios

ENTRY = Item(
    "x/y",
    "Y",
    "y",
    "food",
    "indoors",
    "relaxed",
    "mixed",
    30,
    "half_day",
    ("solo",),
    True,
    False,
    False,
    True,
)
EVERY_ITEM = [entry for place in places() for entry in place.items]
PERSONA = PreferencePersona(
    "focused", "food", "outdoors", "relaxed", "quiet", "medium", "half_day", "none", "theme"
)


def test_by_hand():
    # theme weighs 2 + 2 and is met; setting 1.5 is not; pace 1.5 is; crowd 1.5 is half met
    assert [weight(PERSONA, slot) for slot in SOFT] == [4.0, 1.5, 1.5, 1.5]
    assert utility(ENTRY, PERSONA) == pytest.approx(FLOOR + 0.9 * (4.0 + 0.0 + 1.5 + 0.75) / 8.5)
    assert match(ENTRY, "theme", "history") == 0.5  # who loves history likes food half as much
    assert match(ENTRY, "theme", "art") == 0.0
    assert complaint(ENTRY, PERSONA) == "crowd"
    assert complaint(ENTRY, replace(PERSONA, crowd="any")) == "setting"
    assert complaint(ENTRY, replace(PERSONA, crowd="any", setting="any")) is None


@pytest.mark.parametrize(
    ("entry", "wants", "slot"),
    [
        ({"cost": 20}, {"budget": "low"}, None),
        ({"cost": 21}, {"budget": "low"}, "budget"),
        ({"cost": 60}, {"budget": "medium"}, None),
        ({"cost": 61}, {"budget": "medium"}, "budget"),
        ({"cost": 900}, {"budget": "any"}, None),
        ({"duration": "half_day"}, {"time": "short"}, "time"),
        ({"duration": "full_day"}, {"time": "half_day"}, "time"),
        ({"duration": "full_day"}, {"time": "any"}, None),
        ({"step_free": False}, {"need": "step_free"}, "need"),
        ({"heights": True}, {"need": "no_heights"}, "need"),
        ({"water": True}, {"need": "no_water"}, "need"),
        ({"vegetarian": False}, {"need": "vegetarian"}, "need"),
        ({"vegetarian": False, "water": True, "heights": True, "step_free": False}, {"need": "none"}, None),
        (
            {"cost": 90, "water": True},
            {"budget": "low", "need": "no_water"},
            "need",
        ),  # needs come before money
    ],
)
def test_limits(entry, wants, slot):
    persona = replace(PERSONA, **wants)
    assert broken_constraint(replace(ENTRY, **entry), persona) == slot
    assert feasible(replace(ENTRY, **entry), persona) == (slot is None)


@given(persona=personas(), entry=st.sampled_from(EVERY_ITEM))
def test_utility_is_zero_exactly_when_a_limit_is_broken(persona, entry):
    value = utility(entry, persona)
    assert value == 0.0 if broken_constraint(entry, persona) else FLOOR <= value <= 1.0 + 1e-12
    if complaint(entry, persona) is None:
        assert value == pytest.approx(1.0)
    if complaint(entry, persona) in HARD:
        assert value == 0.0


@given(persona=personas(), entry=st.sampled_from(EVERY_ITEM), slot=st.sampled_from(SOFT))
def test_meeting_one_wish_more_never_makes_it_worse(persona, entry, slot):
    wish = getattr(persona, slot)
    if wish != "any":
        assert utility(replace(entry, **{slot: wish}), persona) >= utility(entry, persona)


@given(persona=personas(), scenario=scenarios())
def test_verdicts(persona, scenario):
    judged = verdicts(scenario.items, persona)
    assert judged.best == max(judged.utilities.values()) > 0
    best = {name for name, value in judged.utilities.items() if value == judged.best}
    assert best <= judged.acceptable <= set(scenario.items)
    assert all(judged.utilities[name] >= judged.best - CLOSE for name in judged.acceptable)
    assert verdicts(scenario.items[::-1], persona).acceptable == judged.acceptable
