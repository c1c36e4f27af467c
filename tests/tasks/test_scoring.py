"""Scores are a pure function of persona and acts."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.core.seeding import stream
from dialog_envs.registration import get_task
from dialog_envs.tasks.preference.persona import PreferencePersona
from dialog_envs.tasks.preference.scenario import sample_scenario
from dialog_envs.tasks.preference.scoring import LEARNED, REFUSED, score
from dialog_envs.tasks.preference.utility import verdicts
from tests.tasks.preference_play import dialogues

SCENARIO = sample_scenario(stream(5, "scenario"))
PERSONA = PreferencePersona("focused", "food", "any", "any", "quiet", "any", "any", "none", "theme")
JUDGED = verdicts(SCENARIO.items, PERSONA)
RANKED = sorted(SCENARIO.items, key=lambda name: -JUDGED.utilities[name])


def exchange(agent, *user):
    return [Turn(AGENT, "…", (agent,)), Turn(USER, "…", user)]


def trace(*exchanges):
    return [Turn(USER, "Hello", (Act("greet"),)), *[turn for pair in exchanges for turn in pair]]


ASKED = exchange(Act("ask", "theme"), Act("answer", "theme", "food"))
REFUSED_ONE = exchange(Act("suggest", item=RANKED[-1]), Act("reject", "theme", "food", RANKED[-1]))


def taken(item):
    return exchange(Act("suggest", item=item), Act("accept", item=item))


def test_the_best_is_a_success():
    outcome = score(PERSONA, SCENARIO, trace(ASKED, REFUSED_ONE, taken(RANKED[0])), "accept")
    assert (outcome.success, outcome.graded, outcome.ended_by) == (True, 1.0, "accept")
    assert outcome.dense == pytest.approx((LEARNED, REFUSED, 1.0))
    assert outcome.rewards("binary") == (0.0, 0.0, 1.0)
    assert outcome.reward_parts["best_utility"] == JUDGED.best


def test_second_rate_is_graded_and_no_success():
    second = next(name for name in RANKED if name not in JUDGED.acceptable)
    outcome = score(PERSONA, SCENARIO, trace(taken(second)), "accept")
    assert not outcome.success
    assert outcome.graded == pytest.approx(JUDGED.utilities[second] / JUDGED.best)


@pytest.mark.parametrize("ended_by", ["leave", "agent", "cap"])
def test_nothing_accepted_is_nothing(ended_by):
    outcome = score(PERSONA, SCENARIO, trace(ASKED), ended_by)
    assert (outcome.success, outcome.graded, outcome.rewards("graded")) == (False, 0.0, (0.0,))


def test_a_change_of_mind_counts_for_the_changeable_only():
    change = exchange(Act("ask", "time"), Act("change", "theme", "history"))
    changeable = replace(PERSONA, family="changeable")
    later = verdicts(SCENARIO.items, changeable.changed())
    best = max(later.utilities, key=lambda name: later.utilities[name])
    assert score(changeable, SCENARIO, trace(change, taken(best)), "accept").success
    assert best not in JUDGED.acceptable
    # another simulator's user may be misread as having changed: the persona is still what it is
    assert not score(PERSONA, SCENARIO, trace(change, taken(best)), "accept").success


def test_nothing_else_to_tell_is_no_answer():
    nothing = exchange(Act("ask", "open"), Act("answer", "open", "none"))
    outcome = score(PERSONA, SCENARIO, trace(*[nothing] * 5), "cap")
    assert outcome.dense == (0.0,) * 5
    assert outcome.metrics["elicited"] == 0


def test_what_nobody_offered_and_where_nothing_fits():
    outcome = score(PERSONA, SCENARIO, trace(taken("nowhere/nothing")), "accept")
    assert (outcome.success, outcome.graded) == (False, 0.0)
    hard = replace(SCENARIO, items=tuple(e.id for e in SCENARIO.activities if not e.step_free))
    nobody = replace(PERSONA, need="step_free")
    assert score(nobody, hard, trace(taken(hard.items[0])), "accept").graded == 0.0


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), words=st.text(max_size=20))
def test_words_do_not_matter(seed, words):
    persona, scenario, turns = next(dialogues(1, seed))
    ended_by = "cap"
    first = score(persona, scenario, turns, ended_by)
    again = score(persona, scenario, [replace(turn, text=words) for turn in turns], ended_by)
    assert first == again
    assert first.success == (
        first.graded > 0 and first.reward_parts["utility"] >= first.reward_parts["best_utility"] - 0.04
    )
    assert sum(first.rewards("graded")) == first.graded


def test_metrics_count_and_information_adds_up():
    turns = trace(
        ASKED,
        exchange(Act("ask", "theme"), Act("told", "theme", "food")),
        exchange(Act("unknown"), Act("clarify")),
        REFUSED_ONE,
    )
    metrics = score(PERSONA, SCENARIO, turns, "leave").metrics
    counts = (
        "turns",
        "questions",
        "suggestions",
        "repeated_questions",
        "not_understood",
        "elicited",
        "refusals",
    )
    assert [metrics[name] for name in counts] == [4, 2, 1, 1, 1, 1, 1]
    trail = [
        step["entropy_bits"] for step in get_task("PreferenceElicitation-v0").belief_trace(SCENARIO, turns)
    ]
    assert metrics["entropy_bits"] == pytest.approx(trail[-1])
    assert metrics["information_bits"] == pytest.approx(trail[0] - trail[-1])
    assert metrics["bits_per_question"] == pytest.approx((trail[0] - trail[2]) / 2)


def test_the_belief_survives_acts_that_nobody_could_have_said():
    odd = [
        exchange(Act("suggest", item=RANKED[0]), Act("reject", "open", "none", RANKED[0])),
        exchange(Act("suggest", item=RANKED[0]), Act("reject", "budget", "50", RANKED[0])),
        exchange(Act("ask", "budget"), Act("answer", "budget", "a lot")),
        exchange(Act("ask", "theme"), Act("answer", "colour", "red")),
        exchange(Act("suggest", item=RANKED[1]), Act("hesitate")),
        exchange(Act("greet")),
    ]
    metrics = score(PERSONA, SCENARIO, trace(*odd), "cap").metrics
    assert metrics["information_bits"] == pytest.approx(metrics["information_bits"])  # a number
    assert metrics["entropy_bits"] >= 0
