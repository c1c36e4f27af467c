"""The exact posterior of Instruction-v0 against Bayes' rule over the kernel."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog_envs.core.dialogue import Act
from dialog_envs.core.seeding import stream
from dialog_envs.tasks.instruction.content import concepts
from dialog_envs.tasks.instruction.kernel import InstructionKernel
from dialog_envs.tasks.instruction.likelihood import FAMILIES, TASTES
from dialog_envs.tasks.instruction.persona import InstructionPrior, project
from dialog_envs.tasks.instruction.policies import STYLES
from dialog_envs.tasks.instruction.posterior import Belief
from dialog_envs.tasks.instruction.scenario import InstructionScenario
from tests.tasks.instruction.lessons import cases, give

KERNEL = InstructionKernel()
CROWD = 60


def crowd(persona, seed):
    """The persona and others, each once: mostly like the persona in something, so that acts do not tell them apart."""
    rng, prior = stream(seed, "crowd"), InstructionPrior()
    found = [persona]
    for family in prior.families:
        for _ in range(CROWD // len(prior.families)):
            other = prior.sample(rng, family)
            same = replace(other, ideas=persona.ideas) if rng.random() < 0.7 else other
            if rng.random() < 0.3:
                same = replace(same, background=persona.background, style=persona.style)
            found += [each for each in (same, other) if prior.log_prob(each) > -math.inf][:1]
    return list(dict.fromkeys(found))


def by_bayes(personas, scenario, talk, heard):
    """P(persona | talk) by running the kernel for each of them."""
    prior, mass = InstructionPrior(), []
    for persona in personas:
        state, p = KERNEL.start(scenario, persona), np.exp(prior.log_prob(persona))
        for agent_acts, user_acts in zip(talk, heard, strict=False):
            rows = [row for row in KERNEL.distribution(state, agent_acts) if row[1] == user_acts]
            p *= sum(row[0] for row in rows)
            if not rows:
                break
            state = rows[0][2]
        mass.append(p)
    return np.array(mass) / np.sum(mass)


def by_belief(belief, personas, scenario):
    """The belief's mass on each persona; those who differ in nothing that the concept shows share it."""
    students = belief.students
    cells = {}
    for i in range(len(students)):
        key = (
            FAMILIES[students.family[i]],
            *TASTES[students.taste[i]],
            tuple(students.patterns[students.origin[i]]),
        )
        cells[key] = cells.get(key, 0.0) + belief.mass[i]
    codes = {"known": 0, "unknown": 1, "misconceived": 2}
    keys = [
        (p.family, p.background, p.style, tuple(codes[s] for s in project(p.ideas, scenario.needs)))
        for p in personas
    ]
    return keys, cells


def compare(persona, scenario, talk, heard, crowd_seed):
    """The belief on a crowd after a talk is what Bayes' rule says."""
    personas = crowd(persona, crowd_seed)
    belief = Belief(scenario, personas=personas)
    for agent_acts, user_acts in zip(talk, heard, strict=False):
        belief.update(agent_acts, user_acts)
    assert belief.impossible == 0
    expected = by_bayes(personas, scenario, talk, heard)
    keys, cells = by_belief(belief, personas, scenario)
    sums: dict = {}
    for key, p in zip(keys, expected, strict=True):
        sums[key] = sums.get(key, 0.0) + p
    for key, p in sums.items():
        assert abs(cells.get(key, 0.0) - p) < 1e-9, key
    assert abs(belief.mass.sum() - 1.0) < 1e-9


@settings(max_examples=60, deadline=None)
@given(case=cases(), crowd_seed=st.integers(0, 10_000))
def test_belief_is_bayes_rule_over_the_kernel(case, crowd_seed):
    persona, scenario, talk, seed = case
    state, rng, heard = KERNEL.start(scenario, persona), stream(seed, "coins"), []
    for agent_acts in talk:
        user_acts, state, ended_by = KERNEL.step(state, agent_acts, rng)
        heard.append(user_acts)
        if ended_by:
            break
    compare(persona, scenario, talk, heard, crowd_seed)


@pytest.mark.parametrize("seed", range(45))
def test_belief_is_bayes_rule_in_lessons_as_they_are_given(seed):
    names = [*STYLES, "heuristic", "random"]
    families = InstructionPrior().families
    talk, heard, persona, scenario, _ = give(
        names[seed % len(names)], seed, families[seed % len(families)], seed % 3
    )
    compare(persona, scenario, talk, heard, seed)


@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_states_of_the_possible_students_hold_the_true_one(case):
    persona, scenario, talk, seed = case
    belief, state, rng = (
        Belief(scenario, personas=[persona]),
        KERNEL.start(scenario, persona),
        stream(seed, "coins"),
    )
    for agent_acts in talk:
        user_acts, state, ended_by = KERNEL.step(state, agent_acts, rng)
        belief.update(agent_acts, user_acts)
        codes = {"known": 0, "unknown": 1, "misconceived": 2}
        assert belief.students.status[0].tolist() == [codes[status] for status in state.status]
        assert belief.students.believed[0].tolist() == list(state.believed)
        assert int(belief.students.used[0]) == state.used
        assert belief.lesson == state.lesson
        if ended_by:
            break


def test_what_nobody_could_have_said_leaves_the_belief_as_it_was():
    scenario = InstructionScenario(concepts()[0].id)
    belief = Belief(scenario)
    before = belief.entropy_bits()
    belief.update((Act("greet"),), (Act("content"), Act("leave")))
    assert belief.impossible == 1
    assert belief.entropy_bits() == before


def test_quick_enough():
    scenario = InstructionScenario(max(concepts(), key=lambda entry: len(entry.ideas)).id)
    belief = Belief(scenario)
    begin = time.perf_counter()
    for item in scenario.items[:4]:
        belief.update((Act("quiz", item=item),), (Act("show", value="gap", item=item),))
    assert time.perf_counter() - begin < 0.5
    assert 0 < len(belief.students) < 50_000
