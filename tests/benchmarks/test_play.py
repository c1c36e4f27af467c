"""A person in the dialogue, from piped input."""

from __future__ import annotations

import io
from typing import Any

import pytest

from dialog_envs.agents.registry import AgentSpec
from dialog_envs.benchmarks.play import Session, play_as_agent, play_as_user
from dialog_envs.errors import AgentError


def _session(*lines: str) -> tuple[Session, io.StringIO]:
    written = io.StringIO()
    return Session(io.StringIO("".join(line + "\n" for line in lines)), written), written


def test_as_agent_to_the_end(tea_env: Any) -> None:
    session, written = _session("", "/help", "Which tea?", "Have green or black.")
    result = play_as_agent(tea_env(), session, seed=3, family="calm")
    assert result["outcome"]["success"]
    text = written.getvalue()
    assert "green or black?" in text
    assert "user> Tea, please." in text
    assert "likes" in text and "Score: success (graded 1.00), ended by accept." in text
    assert result["turns"][1]["text"] == "Which tea?"


@pytest.mark.parametrize("lines", [(), ("/quit",), ("Which tea?", "/quit", "never read")])
def test_leaving_early_has_no_score(tea_env: Any, lines: tuple[str, ...]) -> None:
    session, written = _session(*lines)
    result = play_as_agent(tea_env(), session, seed=3, family="calm")
    assert result["outcome"] is None
    assert "No score" in written.getvalue()
    assert "likes" in written.getvalue()


def test_too_long_is_said_and_not_scored(tea_env: Any) -> None:
    session, written = _session("x" * 2000)
    assert play_as_agent(tea_env(), session, seed=3)["outcome"] is None
    assert "too long: 2,000 characters" in written.getvalue()


def test_as_user(tea_task: Any, asking: AgentSpec) -> None:
    session, written = _session("Hello", "I like black", "yes")
    result = play_as_user(tea_task, asking, session, seed=3, family="calm")
    text = written.getvalue()
    assert "agent> Which tea?" in text and "agent> Have black." in text
    # "yes" names nothing: it means what was suggested last.
    assert result["turns"][-1]["acts"] == [{"kind": "accept", "item": "black"}]
    assert result["outcome"]["success"] == (result["persona"]["tea"] == "black")


def test_as_user_with_a_broken_agent(tea_task: Any, spec: Any) -> None:
    def breaks(observation: Any) -> str:
        raise ValueError("oh")

    session, _ = _session("Hello")
    with pytest.raises(AgentError, match="agent 'breaks' failed: ValueError: oh"):
        play_as_user(tea_task, spec("breaks", breaks), session, seed=3)


def test_as_user_with_an_agent_that_cannot_start(tea_task: Any, spec: Any) -> None:
    class Stuck:
        def start(self, brief: str, seed: int) -> None:
            raise ValueError("no fuel")

        def act(self, observation: Any) -> str:
            return ""

    session, _ = _session("Hello")
    with pytest.raises(AgentError, match="agent 'stuck' failed: ValueError: no fuel"):
        play_as_user(tea_task, spec("stuck", Stuck()), session, seed=3)


def test_turn_cap(tea_task: Any, green: AgentSpec) -> None:
    session, _ = _session(*["no"] * 9)
    result = play_as_user(tea_task, green, session, seed=3)
    assert result["outcome"]["ended_by"] == "cap"
