"""What a student does next, case by case."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings

from dialog_envs.core.dialogue import Act
from dialog_envs.core.seeding import stream
from dialog_envs.tasks.instruction.acts import USER_KINDS
from dialog_envs.tasks.instruction.content import concepts
from dialog_envs.tasks.instruction.kernel import InstructionKernel, misfit
from dialog_envs.tasks.instruction.lesson import COST, TIRED, agent_turn
from dialog_envs.tasks.instruction.persona import InstructionPersona
from dialog_envs.tasks.instruction.scenario import InstructionScenario
from tests.tasks.instruction.lessons import cases

KERNEL = InstructionKernel()
K, U, M = "known", "unknown", "misconceived"
SCENARIO = next(
    InstructionScenario(entry.id)
    for entry in concepts()
    if entry.needs[:3] == ((), (0,), (0, 1)) and len(entry.ideas) > 4
)
"""A concept whose second idea rests on the first, and whose third rests on both."""
FIRST, SECOND, THIRD = SCENARIO.items[:3]


def persona(*ideas, family="curious", background="student", style="plain"):
    return InstructionPersona(family, background, style, (*ideas, *(K,) * 7)[:7])


def explain(item, value="plain"):
    return Act("explain", value=value, item=item)


def quiz(item):
    return Act("quiz", item=item)


def correct(item):
    return Act("correct", item=item)


def lesson(student, *turns, coin=True):
    """(user acts of the last turn, state, ended_by); ``coin``: every toss falls so."""
    state, acts, ended_by = KERNEL.start(SCENARIO, student), (), None
    for turn in turns:
        assert ended_by is None, "the lesson had ended"
        turn = turn if isinstance(turn, tuple) else (turn,)
        acts, state, ended_by = KERNEL.respond(state, turn, lambda p: p >= 1 or (coin and p > 0))
    return [str(act) for act in acts], state, ended_by


def lacking(student):
    """Ideas to explain, in teaching order."""
    status = KERNEL.start(SCENARIO, student).status
    return [item for item, each in zip(SCENARIO.items, status, strict=True) if each != K]


def test_what_rests_on_the_unknown_is_not_known():
    assert KERNEL.start(SCENARIO, persona(U, K, K)).status[:3] == (U, U, U)
    assert KERNEL.start(SCENARIO, persona(M, K, M)).status[:3] == (M, U, M)


def test_the_preferred_style_teaches_at_once():
    acts, state, _ = lesson(persona(U, U, K), explain(FIRST))
    assert acts == [f"follow({FIRST})"]
    assert state.status[0] == K
    assert state.believed[0]
    assert state.used == COST["explanation"]


def test_of_other_suitable_styles_the_second_teaches():
    student = persona(U, U, K, style="technical")
    acts, state, _ = lesson(student, explain(FIRST), coin=False)
    assert acts == [f"puzzled({FIRST})"]
    assert state.status[0] == U
    again, state, _ = lesson(student, explain(FIRST), explain(FIRST), coin=False)
    assert again == [f"puzzled({FIRST})"]
    acts, state, _ = lesson(student, explain(FIRST), explain(FIRST, "example"), coin=False)
    assert acts == [f"follow({FIRST})"]
    assert state.status[0] == K


@pytest.mark.parametrize(
    ("background", "style", "kind", "why"),
    [
        ("child", "plain", "technical", "technical"),
        ("professional", "plain", "analogy", "childish"),
        ("professional", "analogy", "analogy", ""),
        ("student", "plain", "technical", ""),
    ],
)
def test_levels(background, style, kind, why):
    assert misfit(background, style, kind) == why
    student = persona(U, U, K, background=background, style=style, family="curious")
    state = KERNEL.start(SCENARIO, student)
    rows = KERNEL.distribution(state, (explain(FIRST, kind),))
    said = {str(act) for _, acts, _, _ in rows for act in acts}
    assert (f"puzzled({why}, {FIRST})" in said) == bool(why)
    assert all((row[2].status[0] == K) == (kind == style) for row in rows)
    assert all(row[2].used == COST["explanation"] + COST["wrong level"] for row in rows) or not why


def test_without_its_basis_an_idea_is_not_understood():
    acts, state, _ = lesson(persona(U, U, U), explain(THIRD), coin=True)
    assert acts == [f"puzzled(basis, {FIRST})"]
    assert state.status[2] == U
    acts, _, _ = lesson(persona(U, U, U), explain(THIRD), coin=False)
    assert acts == [f"puzzled({THIRD})"], "who is not frank does not say why"


def test_a_misconception_stays_until_it_is_met():
    student = persona(M, U, K)
    acts, state, _ = lesson(student, explain(FIRST), coin=False)
    assert acts == [f"object({FIRST})"]
    assert state.status[0] == M
    acts, state, _ = lesson(student, correct(FIRST))
    assert acts == [f"insight({FIRST})"]
    assert state.status[0] == U
    acts, state, _ = lesson(student, (correct(FIRST), explain(FIRST)))
    assert acts == [f"insight({FIRST})", f"follow({FIRST})"]
    assert state.status[0] == K


def test_the_stubborn_argue_unless_the_mistake_was_voiced():
    student = persona(M, U, K, family="stubborn")
    acts, state, _ = lesson(student, explain(FIRST), coin=False)
    assert acts == [f"follow({FIRST})"], "agrees and keeps it"
    acts, state, _ = lesson(student, (correct(FIRST), explain(FIRST)))
    assert acts == [f"object({FIRST})"]
    assert state.status[0] == M
    for first in (quiz(FIRST), correct(FIRST)):
        _, state, _ = lesson(student, first, (correct(FIRST), explain(FIRST)))
        assert state.status[0] == K


def test_over_claimers_do_not_listen_before_a_quiz_and_are_content_early():
    student = persona(U, U, U, U, family="overclaims")
    acts, state, _ = lesson(student, Act("ask", "idea", item=FIRST))
    assert acts == [f"claim(known, {FIRST})"]
    acts, state, _ = lesson(student, explain(FIRST))
    assert acts == [f"claim(known, {FIRST})"]
    assert state.status[0] == U
    acts, state, _ = lesson(student, quiz(FIRST), explain(FIRST))
    assert state.status[0] == K
    acts, state, ended_by = lesson(student, explain(FIRST), explain(SECOND), Act("confirm"))
    assert ended_by == "accept"
    assert acts[-1] == "content"
    assert not state.understood
    assert state.satisfied


def test_under_claimers_need_a_quiz_or_praise():
    student = persona(K, U, U, family="underclaims")
    acts, state, _ = lesson(student, Act("ask", "idea", item=FIRST))
    assert acts == [f"claim(unknown, {FIRST})"]
    _, state, _ = lesson(student, quiz(FIRST), explain(SECOND))
    assert state.believed[:2] == (True, False)
    assert state.status[1] == K
    _, state, _ = lesson(student, quiz(FIRST), explain(SECOND), Act("encourage"))
    assert state.believed[:2] == (True, True)
    _, state, _ = lesson(student, Act("encourage"))
    assert state.believed[:2] == (False, False), "praise reaches only what was gone through"


def test_who_deflects_shows_at_the_second_quiz():
    student = persona(U, U, K, family="deflects")
    assert lesson(student, quiz(FIRST))[0] == [f"counter({FIRST})"]
    assert lesson(student, quiz(FIRST), quiz(FIRST))[0] == [f"show(gap, {FIRST})"]
    assert lesson(student, Act("ask", "idea", item=FIRST))[0] == [f"claim(unsure, {FIRST})"]


def test_long_turns():
    long, very = Act("lengthy", value="long"), Act("lengthy", value="very_long")
    assert lesson(persona(U, U, K), (explain(FIRST), long))[1].status[0] == K
    acts, state, _ = lesson(persona(U, U, K), (explain(FIRST), very))
    assert acts == [f"puzzled(long, {FIRST})"]
    restless = persona(U, U, K, family="restless")
    acts, state, _ = lesson(restless, (explain(FIRST), long))
    assert acts == [f"puzzled(long, {FIRST})"]
    assert state.used == COST["explanation"] + 3 * COST["long"]


def test_one_thing_at_a_time():
    _, state, _ = lesson(persona(U, U, K), (explain(FIRST), explain(SECOND)))
    assert state.status[:2] == (K, U)
    assert state.used == COST["explanation"] + COST["overload"]
    turn = agent_turn((correct(FIRST), explain(SECOND)), SCENARIO.items)
    assert (turn.correct, turn.explain, turn.overload) == (0, None, 1)


def test_a_student_that_thinks_it_knows_all_ends_the_lesson_unless_it_is_tested():
    student = persona(U, U, K, K)
    taught = [explain(item) for item in lacking(student)]
    acts, _, ended_by = lesson(student, *taught)
    assert (acts, ended_by) == ([f"follow({taught[-1].item})"], None)
    assert lesson(student, *taught, quiz(FIRST))[2] is None
    for idle in (Act("confirm"), Act("ask", "open"), explain(FIRST)):
        acts, _, ended_by = lesson(student, *taught, idle)
        assert ended_by == "accept"
        assert acts[-1] == "content"
    acts, _, ended_by = lesson(student, *taught, Act("close"))
    assert (acts, ended_by) == (["thanks"], "agent")
    assert lesson(student, explain(FIRST), Act("close"))[0::2] == (["leave"], "agent")


def test_attention_has_an_end():
    student = persona(K, U, U, family="busy")
    bored = [explain(FIRST)] * 2
    acts, state, ended_by = lesson(student, *bored)
    assert (acts, ended_by) == ([f"claim(known, {FIRST})"], None)
    assert state.used == 2 * (COST["explanation"] + COST["known already"]) + COST["same words again"]
    for left, end in ((TIRED + 1, "tired"), (TIRED, None), (COST["question"], "leave")):
        before = replace(state, used=student.manner.attention - left)
        acts, _, ended_by = KERNEL.respond(before, (Act("ask", "style"),), lambda p: p > 0)
        assert [str(act) for act in acts] == ["answer(style, plain)", *filter(None, [end])]
        assert ended_by == ("leave" if end == "leave" else None)


def test_who_runs_out_of_attention_and_thinks_it_knows_all_is_content():
    student = persona(U, U, K, K)
    taught = [explain(item) for item in lacking(student)]
    _, state, _ = lesson(student, *taught[:-1])
    acts, _, ended_by = KERNEL.respond(
        replace(state, used=student.manner.attention - 1), (taught[-1],), lambda p: False
    )
    assert ([str(act) for act in acts], ended_by) == ([f"follow({taught[-1].item})", "content"], "accept")


@settings(max_examples=60, deadline=None)
@given(case=cases())
def test_a_response_is_a_distribution_and_what_is_learnt_does_not_hang_on_chance(case):
    student, scenario, talk, seed = case
    state, rng = KERNEL.start(scenario, student), stream(seed, "coins")
    for agent_acts in talk:
        rows = KERNEL.distribution(state, agent_acts)
        assert math.isclose(sum(row[0] for row in rows), 1.0, abs_tol=1e-12)
        assert len({(row[2].status, row[2].believed, row[2].tried, row[2].used) for row in rows}) == 1
        assert len({row[1] for row in rows}) == len({row[1:] for row in rows}), "the acts fix state and end"
        acts, after, ended_by = KERNEL.step(state, agent_acts, rng)
        assert (acts, after, ended_by) in [row[1:] for row in rows]
        assert acts
        assert {act.kind for act in acts} <= set(USER_KINDS)
        assert after.used >= state.used
        assert all(was != K or now == K for was, now in zip(state.status, after.status, strict=True))
        if ended_by == "accept":
            assert after.satisfied
            assert acts[-1].kind == "content"
        if ended_by:
            return
        assert student.manner.attention > after.used
        state = after
