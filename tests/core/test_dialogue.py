"""Records survive JSON and compare by value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn, transcript
from dialog_envs.core.outcome import Outcome

FIELD = st.one_of(st.none(), st.text(max_size=5))
ACTS = st.builds(Act, st.text(max_size=5), FIELD, FIELD, FIELD)
TURNS = st.builds(
    Turn, st.sampled_from((AGENT, USER)), st.text(max_size=20), st.lists(ACTS, max_size=3).map(tuple)
)


@given(turn=TURNS)
def test_turns_survive_json(turn):
    assert Turn.from_json(json.loads(json.dumps(turn.to_json()))) == turn


def test_acts_say_what_is_set_and_nothing_else():
    assert Act("ask", slot="budget").to_json() == {"kind": "ask", "slot": "budget"}
    assert str(Act("reject", "budget", "low", "x/y")) == "reject(budget, low, x/y)"
    with pytest.raises(KeyError):
        Act.from_json({"slot": "budget"})
    with pytest.raises(TypeError):
        Act.from_json({"kind": "ask", "colour": "red"})


def test_a_view_holds_words_only():
    assert Turn(USER, "Hi", (Act("greet"),)).view() == {"speaker": USER, "text": "Hi"}
    assert (
        transcript([{"speaker": AGENT, "text": "a"}, {"speaker": USER, "text": "b"}]) == "Agent: a\nUser: b"
    )


def test_rewards_by_scheme():
    outcome = Outcome(True, 0.9, "accept", (0.05, -0.05, 0.9))
    assert outcome.rewards("binary") == (0.0, 0.0, 1.0)
    assert outcome.rewards("graded") == (0.0, 0.0, 0.9)
    assert outcome.rewards("dense") == (0.05, -0.05, 0.9)


def test_metrics_are_computed_once_and_only_when_asked_for():
    calls = []
    outcome = Outcome(False, 0.0, "cap", (0.0,), {}, lambda: calls.append(1) or {"turns": 1.0})
    assert "metrics" not in outcome.to_json(metrics=False)
    assert calls == []
    assert outcome.to_json()["metrics"] == outcome.metrics == {"turns": 1.0}
    assert calls == [1]
