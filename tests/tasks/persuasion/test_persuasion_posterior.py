"""The vectorised posterior equals Bayes' rule over the kernel, for any dialogue."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog_envs.core.dialogue import Act
from dialog_envs.core.seeding import stream
from dialog_envs.tasks.persuasion.acts import (
    BANDS,
    FACTS,
    OBJECTIONS,
    PRESSURES,
    QUESTIONS,
    STRATEGIES,
    VALUES,
)
from dialog_envs.tasks.persuasion.kernel import PersuasionKernel
from dialog_envs.tasks.persuasion.persona import FACTORS, PersuasionPersona, PersuasionPrior
from dialog_envs.tasks.persuasion.posterior import Belief
from dialog_envs.tasks.persuasion.scenario import sample_scenario

KERNEL, PRIOR = PersuasionKernel(), PersuasionPrior()
SCENARIO = sample_scenario(stream(0, "scenario"))


def pick(rng, values):
    return values[int(rng.integers(len(values)))]


def one_act(rng, persona):
    """One act, sensible or not; half of the time about what is in the way of this persona."""
    kind = rng.integers(20)
    own = [slot for slot in (persona.objection, persona.hidden) if slot != "none"] or list(OBJECTIONS)
    value = persona.value if rng.random() < 0.5 else pick(rng, (*VALUES, None))
    if kind < 4:
        return Act("ask", slot=pick(rng, ("concern", *QUESTIONS)))
    if kind < 8:
        return (
            Act("appeal", slot="values", value=value)
            if kind < 6
            else Act("appeal", slot=pick(rng, STRATEGIES))
        )
    if kind < 11:
        return Act("inform", slot=pick(rng, FACTS))
    if kind < 14:
        return Act("address", slot=pick(rng, own if rng.random() < 0.5 else OBJECTIONS))
    if kind < 17:
        return Act("propose", value=pick(rng, (*BANDS, "small", "small", None)))
    if kind == 17:
        return Act("commit")
    odd = [Act("pressure", value=pick(rng, PRESSURES)), Act("fabricate"), Act("lengthy", value="long")]
    odd += [Act(name) for name in ("greet", "acknowledge", "check", "close", "refuse", "unknown")]
    return pick(rng, odd)


def random_agent_acts(rng, persona):
    count = int(pick(rng, (1, 1, 2, 2, 2, 3, 6)))
    return tuple(dict.fromkeys(one_act(rng, persona) for _ in range(count)))


def brute_force(personas, history):
    """Unnormalised posterior of some personas, by running the kernel on each."""
    weights = []
    for persona in personas:
        weight, state = math.exp(PRIOR.log_prob(persona)), KERNEL.start(SCENARIO, persona)
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


def neighbours(truth, rng):
    """Personas that differ from the truth in one or two factors, and strangers."""
    others = [PRIOR.sample(rng) for _ in range(12)]
    near = [PersuasionPersona(**(truth.to_json() | {"family": z.family})) for z in others]
    near += [PersuasionPersona(**(truth.to_json() | {f: getattr(z, f)})) for f in FACTORS for z in others[:4]]
    near += [PersuasionPersona(**(z.to_json() | {"hidden": truth.hidden})) for z in near[:12]]
    return [truth, *(z for z in [*near, *others] if PRIOR.log_prob(z) > -math.inf)]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_posterior_equals_bayes_rule_over_the_kernel(seed):
    rng = stream(seed, "posterior")
    truth = PRIOR.sample(rng)
    state, history, belief = KERNEL.start(SCENARIO, truth), [], Belief()
    for _ in range(8):
        agent_acts = random_agent_acts(rng, truth)
        user_acts, state, ended_by = KERNEL.step(state, agent_acts, rng)
        history.append((agent_acts, user_acts))
        belief.update(agent_acts, user_acts)
        if ended_by:
            break
    assert belief.impossible == 0
    assert belief.mass.sum() == pytest.approx(1.0)
    personas = neighbours(truth, rng)
    expected = brute_force(personas, history)
    got = np.array([belief.probability(persona) for persona in personas])
    assert expected[0] > 0
    np.testing.assert_allclose(got / got[0], expected / expected[0], atol=1e-9, rtol=1e-6)


def test_prior_sums_to_one_and_equals_log_prob():
    belief = Belief()
    assert belief.mass.sum() == pytest.approx(1.0)
    assert len(belief.mass) == len(list(PRIOR.support()))
    for i in range(30):
        persona = PRIOR.sample(stream(i, "z"))
        assert belief.probability(persona) == pytest.approx(math.exp(PRIOR.log_prob(persona)))


def test_an_answer_about_values_tells_more_than_two_bits():
    belief = Belief()
    before = belief.entropy_bits()
    belief.update((Act("ask", "values"),), (Act("answer", "values", "nature"),))
    assert 2.3 < before - belief.entropy_bits() < 2.9  # six values
    assert belief.marginals()["value"]["nature"] == pytest.approx(1.0)


def test_a_refusal_without_reason_points_to_what_is_hidden():
    belief = Belief(["guarded"])
    prior = belief.marginals()["hidden"]["waste"]
    belief.update((Act("ask", "concern"),), (Act("object", "cost"),))
    belief.update((Act("address", "cost"), Act("inform", "impact")), (Act("resolved", "cost"),))
    belief.update((Act("ask", "concern"),), (Act("reveal", "waste"),))
    assert prior < 0.3
    assert belief.marginals()["hidden"]["waste"] == pytest.approx(1.0)


def test_a_turn_that_nobody_could_have_said_is_left_out():
    belief = Belief()
    entropy = belief.entropy_bits()
    belief.update((Act("ask", "values"),), (Act("donate", value="large"),))
    assert belief.impossible == 1
    assert belief.entropy_bits() == pytest.approx(entropy)
