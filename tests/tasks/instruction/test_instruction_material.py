"""Concepts, scenarios and personas of Instruction-v0."""

import copy
import json
import math
from importlib.resources import files

import pytest

from dialog_envs.core.seeding import stream
from dialog_envs.errors import UnknownFamily, UnknownName, UsageError
from dialog_envs.tasks.instruction.card import card
from dialog_envs.tasks.instruction.content import concept, concepts, read_subject
from dialog_envs.tasks.instruction.persona import (
    MANNERS,
    InstructionPersona,
    InstructionPrior,
    knowledge,
    persona_from_json,
    project,
)
from dialog_envs.tasks.instruction.scenario import (
    InstructionScenario,
    sample_scenario,
    scenario_from_brief,
    scenario_from_json,
)

PRIOR = InstructionPrior()


def test_every_concept_is_a_graph_to_teach():
    assert len(concepts()) >= 40
    assert len({entry.subject for entry in concepts()}) >= 8
    names = [(entry.subject, entry.name) for entry in concepts()]
    assert len(set(names)) == len(names), "a brief must say which concept it is"
    for entry in concepts():
        assert not entry.needs[0], entry.id
        assert all(need < i for i, basis in enumerate(entry.needs) for need in basis), entry.id
        texts = [
            idea.text(kind) for idea in entry.ideas for kind in ("analogy", "plain", "technical", "example")
        ]
        texts += [idea.quiz for idea in entry.ideas] + [
            m.correction for idea in entry.ideas for m in idea.misconceptions
        ]
        assert len(set(texts)) == len(texts), entry.id


def test_briefs_say_what_the_scenario_is():
    for entry in concepts():
        scenario = InstructionScenario(entry.id)
        assert scenario_from_brief(scenario.brief) == scenario
        assert scenario_from_json(json.loads(json.dumps(scenario.to_json()))) == scenario
        assert all(name in scenario.brief for name in scenario.item_names)
    assert sample_scenario(stream(1, "scenario")) == sample_scenario(stream(1, "scenario"))


@pytest.mark.parametrize(
    "data", [None, {}, {"concept": 3}, {"concept": "nowhere/x"}, {"concept": "a", "b": 1}]
)
def test_nonsense_is_no_scenario(data):
    with pytest.raises(UsageError):
        scenario_from_json(data)
    with pytest.raises(UsageError):
        scenario_from_brief("You are a travel agent.")
    with pytest.raises(UnknownName):
        concept("nowhere/x")


def spoil(path, value):
    """A subject of which one thing is wrong."""
    name = next(
        f for f in sorted(files("dialog_envs.tasks.instruction").joinpath("concepts").iterdir(), key=str)
    )
    data = copy.deepcopy(json.loads(name.read_text(encoding="utf-8")))
    place = data["concepts"][0]["ideas"][1]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (["quiz"], "no question", "question mark"),
        (["needs"], ["later-on"], "no earlier idea"),
        (["id"], "Not An Id", "made of"),
        (["plain"], " ", "empty"),
        (["misconceptions"], [], "misconceptions"),
        (["terms"], None, "wrong type"),
    ],
)
def test_broken_material_is_named(path, value, says):
    with pytest.raises(UsageError, match=says):
        read_subject(spoil(path, value), "somewhere.json")


def test_the_prior_is_one():
    for name in MANNERS:
        assert math.isclose(sum(knowledge(name).values()), 1.0)
        persona = PRIOR.sample(stream(5, name), name)
        assert math.isfinite(PRIOR.log_prob(persona))
        assert persona_from_json(json.loads(json.dumps(persona.to_json()))) == persona
        assert dict(card(persona))["Family"].startswith(name)
    total = sum(math.exp(PRIOR.log_prob(persona)) for persona in PRIOR.support("busy"))
    assert math.isclose(total, PRIOR.weights["busy"])


def test_there_is_always_something_to_teach():
    for entry in concepts():
        for ideas in knowledge("curious"):
            assert project(ideas, entry.needs).count("known") <= len(entry.ideas) - 2


@pytest.mark.parametrize(
    "change",
    [
        {"family": 3}, {"background": "cat"}, {"style": "song"}, {"ideas": ["known"] * 7}, {"ideas": ["known"]},
        {"ideas": ["unknown"] * 6 + ["x"]}, {"background": "child", "style": "technical"}, {"more": 1},
    ],
)  # fmt: skip
def test_nonsense_is_no_persona(change):
    good = InstructionPersona("curious", "student", "plain", ("unknown",) * 7).to_json()
    with pytest.raises((UsageError, UnknownFamily)):
        persona_from_json(good | change)
