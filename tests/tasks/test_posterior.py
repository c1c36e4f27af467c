"""The vectorised posterior equals Bayes' rule over the kernel, for any dialogue."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog_envs.core.dialogue import Act
from dialog_envs.core.seeding import stream
from dialog_envs.tasks.preference.kernel import PreferenceKernel
from dialog_envs.tasks.preference.persona import SLOTS, VALUES, PreferencePrior
from dialog_envs.tasks.preference.posterior import Belief
from dialog_envs.tasks.preference.scenario import sample_scenario

KERNEL, PRIOR = PreferenceKernel(), PreferencePrior()


def random_agent_acts(scenario, rng):
    """Anything an agent may do, sensible or not."""
    kind = rng.integers(10)
    items = [scenario.items[i] for i in rng.integers(len(scenario.items), size=5)]
    slots = [(*SLOTS, "open")[i] for i in rng.integers(8, size=3)]
    if kind < 4:
        value = VALUES[slots[0]][0] if slots[0] in VALUES and rng.random() < 0.3 else None
        return (Act("ask", slot=slots[0], value=value),)
    if kind < 7:
        return (Act("suggest", item=items[0]),)
    if kind == 7:
        return tuple(Act("suggest", item=name) for name in dict.fromkeys(items[: int(rng.integers(2, 6))]))
    if kind == 8:
        odd = ["greet", "acknowledge", "inform", "check", "unknown", "refuse", "close"]
        return (Act(odd[int(rng.integers(len(odd)))]),)
    mixed = [Act("suggest", item=items[0])] if rng.random() < 0.5 else []
    return (*mixed, *(Act("ask", slot=slot) for slot in dict.fromkeys(slots)))


def brute_force(scenario, personas, history):
    """Unnormalised posterior of some personas, by running the kernel on each."""
    weights = []
    for persona in personas:
        weight, state = math.exp(PRIOR.log_prob(persona)), KERNEL.start(scenario, persona)
        for agent_acts, user_acts in history:
            fitting = [
                (p, s) for p, acts, s, _ in KERNEL.distribution(state, agent_acts) if acts == user_acts
            ]
            weight *= sum(p for p, _ in fitting)
            if weight == 0:
                break
            state = fitting[0][1]
        weights.append(weight)
    return np.array(weights)


def mass_of(belief, persona):
    row = belief.families.index(persona.family)
    hit = np.ones(len(belief.tastes), bool)
    for slot in (*SLOTS, "priority"):
        hit &= belief.tastes.equals(slot, getattr(persona, slot))
    return float(belief.mass[row, hit].sum())


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_posterior_equals_bayes_rule_over_the_kernel(seed):
    rng = stream(seed, "posterior")
    scenario, truth = sample_scenario(rng), PRIOR.sample(rng)
    state, history, belief = KERNEL.start(scenario, truth), [], Belief(scenario)
    for _ in range(6):
        agent_acts = random_agent_acts(scenario, rng)
        user_acts, state, ended_by = KERNEL.step(state, agent_acts, rng)
        history.append((agent_acts, user_acts))
        belief.update(agent_acts, user_acts)
        if ended_by:
            break
    assert belief.impossible == 0
    # neighbours of the truth, so that some have the same words and some not, and strangers
    others = [PRIOR.sample(rng) for _ in range(10)]
    near = [type(truth)(**(truth.to_json() | {"family": z.family})) for z in others]
    near += [type(truth)(**(truth.to_json() | {s: getattr(others[0], s)})) for s in SLOTS]
    personas = [z for z in [truth, *near, *others] if PRIOR.log_prob(z) > -math.inf]
    expected = brute_force(scenario, personas, history)
    got = np.array([mass_of(belief, persona) for persona in personas])
    assert expected[0] > 0
    np.testing.assert_allclose(got / got[0], expected / expected[0], atol=1e-9, rtol=1e-6)


def test_prior_sums_to_one_and_equals_log_prob():
    belief = Belief(sample_scenario(stream(0, "s")))
    assert belief.mass.sum() == pytest.approx(1.0)
    for i in range(50):
        persona = PRIOR.sample(stream(i, "z"))
        assert mass_of(belief, persona) == pytest.approx(math.exp(PRIOR.log_prob(persona)))


def test_questions_tell_something_and_repeated_ones_nothing():
    scenario, persona = sample_scenario(stream(1, "s")), PRIOR.sample(stream(1, "z"), "focused")
    belief = Belief(scenario)
    before = belief.entropy_bits()
    belief.update((Act("ask", slot="theme"),), (Act("answer", slot="theme", value=persona.theme),))
    after = belief.entropy_bits()
    assert 2.5 < before - after < 3.5  # eight themes, a little less for what nobody volunteered
    belief.update((Act("ask", slot="theme"),), (Act("told", slot="theme", value=persona.theme),))
    assert belief.entropy_bits() == pytest.approx(after, abs=0.1)


def test_a_turn_that_nobody_could_have_said_is_left_out():
    belief = Belief(sample_scenario(stream(1, "s")))
    entropy = belief.entropy_bits()
    belief.update((Act("ask", slot="theme"),), (Act("accept", item="nowhere/nothing"),))
    assert belief.impossible == 1
    assert belief.entropy_bits() == entropy
