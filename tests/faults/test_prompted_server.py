"""Prompted agents against a server on loopback, through the command line: from the request to the leaderboard."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dialog_envs.agents.prompted import METHODS, variant_names
from dialog_envs.benchmarks.cli import main
from dialog_envs.benchmarks.journal import read_episodes
from tests.faults.answering import answer
from tests.faults.chat_server import Answer, ChatServer, completion, serve

SUITE = """
schema = 1
name = "tiny"
tasks = ["PreferenceElicitation-v0"]
information_per_family = 0
[users.typical]
families = ["focused"]
episodes_per_family = 4
[seeds]
report = 10_000_000
validation = 20_000_000
"""
MODEL = "openai:stub?price=1/2"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(SUITE)
    return tmp_path


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    with serve(answer) as started:
        monkeypatch.setenv("OPENAI_BASE_URL", started.url)
        yield started


def evaluate(*words: str) -> int:
    return main(["eval", "--suite", "tiny.toml", "--only", "-q", "--json", *words])


def test_every_method_from_the_request_to_the_leaderboard(
    here: Path, server: ChatServer, capsys: Any
) -> None:
    agents = [word for method in METHODS for word in ("--agent", f"{method}=prompted:{method}:{MODEL}")]
    plan = ["--agent", f"gdp-zero=prompted:gdp-zero:{MODEL}", "--agent-args", "simulations=2"]
    assert evaluate(*agents[:-2]) == 0
    capsys.readouterr()
    assert evaluate(*plan, "--agent-args", "samples=1") == 0
    board = json.loads(capsys.readouterr().out)
    rows = {row["agent"]: row for row in board["rows"] if row["users"] == "typical"}
    assert set(rows) == set(METHODS)
    for method, row in rows.items():
        # The server says that each request takes 10 tokens in and 3 out, at 1 and 2 dollars a million.
        assert row["episodes"] == 4 and row["unscored"] == 0, method
        assert row["tokens"] > 0 and row["cost_usd"] == pytest.approx(row["tokens"] / 13 * 16e-6), method
    assert rows["clam"]["tokens"] > rows["zero-shot"]["tokens"]
    assert rows["gdp-zero"]["tokens"] > 4 * rows["zero-shot"]["tokens"]
    total = sum(row["tokens"] * row["episodes"] for row in rows.values())
    assert total == 13 * len(server.requests)  # nothing is paid that no episode has on its account
    assert server.most_in_flight >= 4
    described = board["versions"]["agents"]["cot"]["description"]
    assert "stub" in described and "cot, free, prompts plain " in described


def test_paraphrases_are_played_and_compared(here: Path, server: ChatServer, capsys: Any) -> None:
    assert evaluate("--agent", f"mine=prompted:zero-shot:{MODEL}", "--prompt-variants") == 0
    board = json.loads(capsys.readouterr().out)
    assert {row["agent"] for row in board["rows"]} == {f"mine@{name}" for name in variant_names()}
    (table,) = board["prompt_variants"]
    assert table["agent"] == "mine" and table["episodes"] == 4 and len(table["variants"]) == 5
    assert len({request["messages"][0]["content"] for request in server.requests}) == 5
    words = ["eval", "-s", "tiny.toml", "--only", "-q", "--agent", f"mine=prompted:zero-shot:{MODEL}"]
    assert main([*words, "--prompt-variants"]) == 0
    assert "How much success depends on the wording: mine" in capsys.readouterr().out
    assert json.loads((here / "runs/tiny/prompt-variants.json").read_text())[0]["p"] == table["p"]


def test_a_reply_of_no_use_leaves_the_episode_unscored(here: Path, monkeypatch: Any, capsys: Any) -> None:
    with serve(lambda *_: Answer(body=completion("Agent:"))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert evaluate("--agent", f"mine=prompted:zero-shot:{MODEL}") == 1
        assert len(server.requests) == 4 * 3
    records = read_episodes(here / "runs/tiny")
    assert [record.blame for record in records] == ["model"] * 4
    assert all(record.outcome is None and record.tokens == 39 for record in records)


def test_reasoning_that_never_ends_is_paid_and_said_by_nobody(
    here: Path, monkeypatch: Any, capsys: Any
) -> None:
    """The chat layer asks four times for the form; what that took stands on the episode's account."""
    with serve(lambda *_: Answer(body=completion('{"reasoning": "and then', "length"))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert evaluate("--agent", f"mine=prompted:cot:{MODEL}") == 1
    records = read_episodes(here / "runs/tiny")
    assert [(record.blame, record.agent_turns) for record in records] == [("model", 0)] * 4
    assert sum(record.tokens for record in records) == 13 * len(server.requests)


def test_one_dialogues_failure_is_asked_for_once(here: Path, monkeypatch: Any, capsys: Any) -> None:
    def refuse_one(number: int, request: dict[str, Any]) -> Answer:
        return Answer(400, b'{"error": {"message": "no"}}') if number == 0 else answer(number, request)

    with serve(refuse_one) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert evaluate("--agent", f"mine=prompted:zero-shot:{MODEL}") == 1
    records = read_episodes(here / "runs/tiny")
    assert sorted(str(record.blame) for record in records) == ["None", "None", "None", "model"]
    said = sum(record.agent_turns for record in records)
    assert len(server.requests) == said + 1


def test_a_budget_ends_the_run_in_time_and_a_larger_one_goes_on(
    here: Path, server: ChatServer, capsys: Any
) -> None:
    """A request costs 0.3 cents; before it is sent, the most that it could cost is set aside: 20 cents and a bit."""
    words = ("--agent", "mine=prompted:zero-shot:openai:stub?price=1/1000", "--max-cost")
    assert evaluate(*words, "0.22") == 2
    assert "run the same command with a larger --max-cost" in capsys.readouterr().err
    assert 0 < 0.00301 * (asked := len(server.requests)) <= 0.22
    assert main(["board", "runs/tiny"]) == 0  # what there is can be looked at
    assert evaluate(*words, "0.22") == 2  # what was broken off was paid
    assert 0.00301 * len(server.requests) <= 0.22 and len(server.requests) - asked < asked
    assert evaluate(*words, "9") == 0
    assert all(not record.unscored for record in read_episodes(here / "runs/tiny"))


def test_nobody_waits_for_the_slowest_dialogue(here: Path, monkeypatch: Any, capsys: Any) -> None:
    def one_is_slow(number: int, request: dict[str, Any]) -> Answer:
        return replace(answer(number, request), delay=2.0 if number == 0 else 0.0)

    with serve(one_is_slow) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert evaluate("--agent", f"mine=prompted:zero-shot:{MODEL}") == 0
    meanwhile = [time for time in server.times if time < server.times[0] + 2.0]
    assert len(meanwhile) >= 3 * 2 + 1, "the other three have gone on"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--agent-args", "mode=free"], "add one with --agent"),
        (["--agent", "heuristic", "--agent-args", "mode=free"], "has no settings"),
        (["--agent", "heuristic", "--prompt-variants"], "is for prompted agents"),
        (["--agent", "prompted", "--agent-args", "mode"], "write --agent-args NAME=VALUE"),
        (["--agent", "prompted", "--agent-args", "mode=free", "--agent-args", "mode=choice"], "given twice"),
        (["--agent", "prompted", "--agent-args", "variant=terse", "--prompt-variants"], "leave the setting"),
        (["--agent", "prompted:cot", "--agent-args", "prompts=nowhere"], "no prompt files"),
    ],
)
def test_mistakes_are_one_line(here: Path, capsys: Any, words: list[str], part: str) -> None:
    assert evaluate(*words) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1 and part in err


def test_settings_of_ones_own_agent(here: Path, capsys: Any) -> None:
    (here / "mine.py").write_text(
        "class Mine:\n"
        "    def __init__(self, words: int = 1, loud: bool = False, task=None):\n"
        "        self.text = ('HELLO ' if loud else 'hello ') * words\n"
        "    def start(self, brief, seed):\n        pass\n"
        "    def act(self, observation):\n        return self.text\n"
    )
    assert evaluate("--agent", "mine.py:Mine", "--agent-args", "words=2", "--agent-args", "loud=yes") == 0
    assert read_episodes(here / "runs/tiny")[0].turns[1].text == "HELLO HELLO "
    assert evaluate("--agent", "mine.py:Mine") == 2  # another agent of that name
    assert evaluate("--agent", "mine.py:Mine", "--agent-args", "words=two") == 2
    assert "the setting words cannot be 'two'" in capsys.readouterr().err


@pytest.mark.parametrize("user", ["grounded", "llm"])
def test_users_with_a_model_and_agents_with_one_meet(
    here: Path, server: ChatServer, capsys: Any, user: str
) -> None:
    """Both sides ask the same server at the same moment, and every dialogue comes to an end."""
    words = ("--agent", f"mine=prompted:cot:{MODEL}", "--user", user, "--user-model", MODEL)
    assert evaluate(*words) in (0, 1)  # what this server says is rarely fit for the user to be said
    records = read_episodes(here / "runs/tiny")
    assert len(records) == 4
    assert all(record.tokens > 0 and record.blame in (None, "simulator", "model") for record in records)


def test_a_person_against_a_prompted_agent(
    here: Path, server: ChatServer, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Hello\nI like painting\n"))
    words = ["play", "--as", "user", "--agent", f"prompted:{MODEL}", "--seed", "1", "--json"]
    assert main([*words, "--agent-args", "method=cot", "--agent-args", "temperature=0"]) == 0
    assert [turn["speaker"] for turn in json.loads(capsys.readouterr().out)["turns"]] == [1, 0, 1, 0]
    assert {request["temperature"] for request in server.requests} == {0}
    assert all("response_format" in request for request in server.requests)
    monkeypatch.setattr("sys.stdin", io.StringIO("Hello\n"))
    assert main([*words, "--max-cost", "0.000001"]) == 2
    assert "larger --max-cost" in capsys.readouterr().err
    for wrong in (["--agent-args", "method=cot"], ["--user-model", "embedded"]):
        assert main(["play", *wrong]) == 2
        assert capsys.readouterr().err.startswith("error: ")
