"""What an episode of Instruction-v0 comes to."""

import pytest
from hypothesis import given, settings

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.core.seeding import stream
from dialog_envs.tasks.instruction.kernel import InstructionKernel
from dialog_envs.tasks.instruction.scoring import score, states
from tests.tasks.instruction.lessons import cases
from tests.tasks.instruction.test_instruction_kernel import (
    FIRST,
    SCENARIO,
    K,
    M,
    U,
    explain,
    lacking,
    persona,
)

KERNEL = InstructionKernel()


def play(student, scenario, talk, seed=0):
    """Turns, last state, ended_by."""
    state, rng = KERNEL.start(scenario, student), stream(seed, "coins")
    turns, ended_by = [Turn(USER, "Hello")], None
    for agent_acts in talk:
        user_acts, state, ended_by = KERNEL.step(state, agent_acts, rng)
        turns += [Turn(AGENT, "", agent_acts), Turn(USER, "", user_acts)]
        if ended_by:
            break
    return turns, state, ended_by or "cap"


def test_success_takes_understanding_and_contentment():
    student = persona(U, U, K, K)
    missing = lacking(student)
    for taught in range(len(missing) + 1):
        talk = [*[(explain(item),) for item in missing[:taught]], (Act("close"),)]
        turns, _, ended_by = play(student, SCENARIO, talk)
        outcome = score(student, SCENARIO, turns, ended_by)
        assert (outcome.success, outcome.graded, ended_by) == (
            taught == len(missing),
            taught / len(missing),
            "agent",
        )
        assert outcome.reward_parts["missing_at_the_end"] == len(missing) - taught
        assert sum(outcome.dense) == pytest.approx(0.5 * outcome.graded + 0.5 * outcome.success)


def test_false_contentment_is_seen():
    student = persona(U, U, U, U, family="overclaims")
    turns, _, ended_by = play(student, SCENARIO, [(Act("confirm"),)] * 4)
    outcome = score(student, SCENARIO, turns, ended_by)
    assert (ended_by, outcome.success, outcome.graded) == ("accept", False, 0.0)
    assert outcome.metrics["falsely_content"] == outcome.metrics["content"] == 1.0
    assert outcome.metrics["understood"] == pytest.approx(
        KERNEL.start(SCENARIO, student).status.count(K) / len(SCENARIO.items)
    )


def test_who_understands_all_and_does_not_think_so_is_no_success():
    student = persona(M, K, K, family="underclaims")
    talk = [(Act("correct", item=FIRST), explain(FIRST)), *[(explain(item),) for item in SCENARIO.items[1:]]]
    turns, state, _ = play(student, SCENARIO, [*talk, (Act("close"),)])
    assert state.understood
    assert not score(student, SCENARIO, turns, "agent").success
    turns, state, _ = play(student, SCENARIO, [*talk, (Act("encourage"),), (Act("close"),)])
    assert score(student, SCENARIO, turns, "agent").success


@settings(max_examples=40, deadline=None)
@given(case=cases())
def test_a_trace_alone_tells_the_state(case):
    student, scenario, talk, seed = case
    turns, last, ended_by = play(student, scenario, talk, seed)
    assert list(states(student, scenario, turns))[-1] == last
    outcome = score(student, scenario, turns, ended_by)
    assert outcome == score(student, scenario, list(turns), ended_by)
    assert outcome.success == (last.understood and last.satisfied and ended_by != "leave")
    assert 0 <= outcome.graded <= 1
    assert len(outcome.dense) == len(turns) // 2
    assert sum(outcome.dense) == pytest.approx(0.5 * outcome.graded + 0.5 * outcome.success)
