"""Outcomes: a pure function of persona and trace."""

import pytest

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.core.seeding import stream
from dialog_envs.tasks.persuasion.persona import PersuasionPersona
from dialog_envs.tasks.persuasion.policies import make_policy
from dialog_envs.tasks.persuasion.scenario import sample_scenario
from dialog_envs.tasks.persuasion.scoring import follow, score
from tests.tasks.persuasion.persuasion_play import play

SCENARIO = sample_scenario(stream(0, "s"))
SOMEONE = PersuasionPersona("practical", "nature", "reason", "comfortable", "high", "none", "waste")


def trace(*pairs):
    turns = [Turn(USER, "", (Act("greet"),))]
    for agent, user in pairs:
        turns += [Turn(AGENT, "", agent), Turn(USER, "", user)]
    return turns


ASKED = ((Act("ask", "values"),), (Act("answer", "values", "nature"),))
REFUSED = ((Act("propose", value="small"),), (Act("decline"),))
GIVEN = ((Act("propose", value="medium"),), (Act("donate", value="medium"),))


def test_success_is_a_donation_and_graded_its_share_of_the_most():
    outcome = score(SOMEONE, SCENARIO, trace(ASKED, REFUSED, GIVEN), "accept")
    assert outcome.success
    assert outcome.graded == pytest.approx(25 / 50)
    assert outcome.dense == pytest.approx((0.05, -0.05, 0.5))
    assert outcome.rewards("binary") == (0.0, 0.0, 1.0)
    assert dict(outcome.reward_parts) == {"amount": 25.0, "most": 50.0}


@pytest.mark.parametrize("said", [Act("promise", value="large"), Act("agree", value="token"), Act("decline")])
def test_nothing_else_is_a_success(said):
    outcome = score(SOMEONE, SCENARIO, trace(((Act("propose", value="large"),), (said,))), "agent")
    assert (outcome.success, outcome.graded) == (False, 0.0)
    assert outcome.metrics["promised"] == float(said.kind == "promise")


def test_metrics_count_and_tell_what_was_learnt():
    push = ((Act("pressure", value="guilt"), Act("fabricate")), (Act("bristle", "pressure"),))
    metrics = score(SOMEONE, SCENARIO, trace(ASKED, push, REFUSED), "leave").metrics
    counts = {"turns": 3, "questions": 1, "requests": 1, "elicited": 1, "volunteered": 0, "refusals": 1}
    assert {name: metrics[name] for name in counts} == counts
    assert (metrics["pressure"], metrics["fabrications"], metrics["amount"]) == (1, 1, 0)
    assert metrics["trust"] == pytest.approx(0.1)
    assert metrics["bits_per_question"] > 2
    assert 0 < metrics["information_bits"] < metrics["entropy_bits"] + metrics["information_bits"]


def test_a_trace_tells_the_state_even_where_the_user_was_another():
    assert follow(SOMEONE, SCENARIO, trace(ASKED)).told == (("values", "nature"),)
    odd = trace(((Act("appeal", "logical"),), (Act("leave"),)))
    assert follow(SOMEONE, SCENARIO, odd).will == 30


def test_scores_lie_within_bounds_for_every_policy():
    for seed, name in enumerate(("random", "pusher", "agreeable", "heuristic", "oracle")):
        persona, scenario, turns, ended_by = play(make_policy(name), seed)
        outcome = score(persona, scenario, turns, ended_by)
        assert 0.0 <= outcome.graded <= 1.0
        assert outcome.success == (outcome.graded > 0)
        assert len(outcome.dense) == (len(turns) - 1) // 2
        assert outcome == score(persona, scenario, list(turns), ended_by)
