"""Personas, scenarios and agent turns at random, for property tests; hypothesis shrinks what fails."""

from __future__ import annotations

from hypothesis import strategies as st

from dialog_envs.core.dialogue import Act
from dialog_envs.core.seeding import stream
from dialog_envs.tasks.preference.catalogue import places
from dialog_envs.tasks.preference.persona import MANNERS, SLOTS, SOFT, VALUES, PreferencePersona, allowed
from dialog_envs.tasks.preference.scenario import PreferenceScenario, sample_scenario

OTHER_KINDS = ("greet", "acknowledge", "inform", "check", "close", "refuse", "unknown")
ELSEWHERE = places()[0].items[0].id
"""An activity that most scenarios do not offer."""


@st.composite
def personas(draw, families=tuple(MANNERS)):
    """Anybody in the support."""
    family = draw(st.sampled_from(families))
    taste = {slot: draw(st.sampled_from(VALUES[slot])) for slot in SLOTS}
    if family == "cost_averse":
        taste["budget"] = "low"
    priority = draw(st.sampled_from([slot for slot in SOFT if taste[slot] != "any"]))
    persona = PreferencePersona(family, **taste, priority=priority)
    if not allowed(persona):  # a contradictory one without anything to contradict
        persona = PreferencePersona(family, **(taste | {"crowd": "quiet"}), priority=priority)
    return persona


@st.composite
def scenarios(draw) -> PreferenceScenario:
    """Scenarios by their seed."""
    return sample_scenario(stream(draw(st.integers(0, 500)), "scenario"))


@st.composite
def agent_turns(draw, scenario: PreferenceScenario):
    """Any acts in any order: surveys, the same question by name and not, suggestions, small talk, a goodbye."""
    slot = st.sampled_from((*SLOTS, "open"))
    items = st.sampled_from((*scenario.items, ELSEWHERE))
    asks = slot.flatmap(
        lambda name: st.builds(
            Act, st.just("ask"), st.just(name), st.sampled_from((None, *VALUES.get(name, ())[:2]))
        )
    )
    suggests = st.builds(Act, st.just("suggest"), item=items)
    others = st.builds(Act, st.sampled_from(OTHER_KINDS))
    one = st.one_of(asks, suggests, others)
    acts = draw(st.one_of(asks.map(lambda a: [a]), suggests.map(lambda a: [a]), st.lists(one, max_size=5)))
    return tuple(dict.fromkeys(acts))


@st.composite
def cases(draw, families=tuple(MANNERS), turns=8):
    """(persona, scenario, agent turns, seed of the user's coins)."""
    scenario = draw(scenarios())
    talk = draw(st.lists(agent_turns(scenario), min_size=1, max_size=turns))
    return draw(personas(families)), scenario, talk, draw(st.integers(0, 1000))
