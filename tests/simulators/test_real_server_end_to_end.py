"""Whole episodes through ``openai:`` and a real server, llama.cpp's: users, agents, and a run replayed without it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dialog_envs.agents.registry import resolve_agent
from dialog_envs.benchmarks.episode import play_episodes
from dialog_envs.benchmarks.evaluation import evaluate
from dialog_envs.benchmarks.suite import Unit, parse_suite
from dialog_envs.core.dialogue import AGENT, USER
from dialog_envs.core.env import DialogEnv
from dialog_envs.core.seeding import stream
from dialog_envs.registration import get_task
from dialog_envs.simulators.llm.endpoint import Endpoint
from dialog_envs.simulators.users.fidelity import consistency, fidelity
from dialog_envs.tasks.preference import task as preference

pytestmark = [pytest.mark.embedded, pytest.mark.slow]
PREFERENCE = "PreferenceElicitation-v0"
TURNS, ITEMS, SEED = 2, 4, 7
WALL_TIMES = ("seconds", "agent_seconds")
SUITE = f"""
schema = 1
name = "three-tracks"
tasks = ["{PREFERENCE}"]
baseline = "tiny"
information_per_family = 0
[users.typical]
episodes_per_family = 2
families = ["easygoing"]
[seeds]
report = 10_000_000
validation = 20_000_000
[[tracks]]
name = "grounded"
user = "grounded"
options = {{mode = "both", attempts = 1}}
episodes_per_family = 1
[[tracks]]
name = "llm"
user = "llm"
options = {{mode = "choose"}}
episodes_per_family = 1
"""


def model_at(url: str) -> str:
    """The model's name, with a cap on every reply: so small a model may not find an end."""
    return f'openai:smollm2?base_url={url}&extra={{"max_tokens": 48}}'


@pytest.fixture(autouse=True)
def short_and_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two turns of the agent and four activities: one thread reads some hundred tokens a second."""

    def few(self: Any, rng: np.random.Generator) -> Any:
        full = preference.sample_scenario(rng)
        return replace(full, items=full.items[:ITEMS])

    monkeypatch.setattr(preference.PreferenceTask, "max_turns", TURNS)
    monkeypatch.setattr(preference.PreferenceTask, "sample_scenario", few)


def play_heuristic(env: DialogEnv) -> list[str]:
    """An episode with the scripted policy; what the agent said."""
    observation, _ = env.reset(seed=SEED, options={"family": "easygoing"})
    policy, words = env.task.policies["heuristic"](), stream(SEED, "words")
    policy.start(observation["brief"], stream(SEED, "policy"))
    said = []
    while env.outcome is None:
        said.append(env.task.language.say(policy.acts(observation), env.scenario, words))
        observation, *_ = env.step(said[-1])
    return said


def test_a_grounded_user_does_what_the_scripted_one_does(llama_server: str) -> None:
    options = {"model": model_at(llama_server), "mode": "both", "attempts": 1}
    grounded = DialogEnv(get_task(PREFERENCE), user="grounded", user_options=options)
    said = play_heuristic(grounded)
    scripted = DialogEnv(get_task(PREFERENCE))
    scripted.reset(seed=SEED, options={"family": "easygoing"})
    for text in said:
        scripted.step(text)
    assert [turn.acts for turn in grounded.turns] == [turn.acts for turn in scripted.turns]
    assert grounded.outcome == scripted.outcome
    assert all(turn.text for turn in grounded.turns)
    assert grounded.user.notes["calls"] >= len(said) and grounded.user.used.tokens_in > 0


def test_an_llm_user_plays_to_the_end_and_is_judged(llama_server: str) -> None:
    options = {"model": model_at(llama_server), "mode": "choose"}
    env = DialogEnv(get_task(PREFERENCE), user="llm", user_options=options)
    said = play_heuristic(env)
    assert env.outcome is not None and 1 <= len(said) <= TURNS
    counts = fidelity(env.task, env.persona, env.scenario, env.turns, env.outcome.ended_by)
    share = consistency([counts])
    assert counts["user_turns"] == len(said) and share is not None and 0 <= share <= 1
    assert env.user.notes["calls"] == len(said) and env.user.used.tokens_out > 0


@pytest.mark.parametrize("mode", ["free", "choice"])
def test_a_prompted_agent_plays_to_the_end(llama_server: str, mode: str) -> None:
    settings = {"mode": mode, "brief": "names", "attempts": "6"}
    agent = resolve_agent(f"prompted:zero-shot:{model_at(llama_server)}", (), settings)
    task = get_task(PREFERENCE)
    unit = Unit(PREFERENCE, "typical", "easygoing", 0, SEED, SEED)
    (record,) = play_episodes(agent, task, [unit], lambda: DialogEnv(task), information=0)
    assert record.blame is None and record.outcome is not None, record.error
    assert 1 <= record.agent_turns <= TURNS and record.tokens > 0
    if mode == "choice":
        assert all(turn.acts for turn in record.turns if turn.speaker == AGENT)


def _run(model: str, folder: Path) -> list[str]:
    """Lines of the run's ``episodes.jsonl`` without wall times, by track and seed: they end in any order."""
    suite = parse_suite(SUITE, "here")
    suite = replace(suite, more_tracks=tuple(track.with_model(model) for track in suite.more_tracks))
    settings = ["mode=choice", "brief=names"]
    run = evaluate(
        suite,
        [f"tiny=prompted:zero-shot:{model}"],
        out=folder,
        only=True,
        quiet=True,
        agent_args=settings,
    )
    assert (run.played, run.missing) == (4, 0)
    rows = [json.loads(line) for line in (folder / "episodes.jsonl").read_text("utf-8").splitlines()]
    for row in rows:
        for name in WALL_TIMES:
            assert row.pop(name) >= 0
    rows.sort(key=lambda row: (row["track"], row["seed"]))
    return [json.dumps(row, ensure_ascii=False) for row in rows]


def test_a_recorded_run_is_replayed_byte_for_byte_without_the_server(
    llama_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "calls.sqlite"
    recorded = _run(f"record:{file}={model_at(llama_server)}", tmp_path / "recorded")
    tracks = [json.loads(line) for line in recorded]
    assert [row["track"] for row in tracks] == ["grounded", "llm", "scripted", "scripted"]
    assert all(row["tokens"] > 0 and row["blame"] is None for row in tracks)
    assert all(row["user"]["tokens"] > 0 for row in tracks[:2])
    assert all(turn["text"] for row in tracks for turn in row["turns"] if turn["speaker"] == USER)

    def gone(*_: Any, **__: Any) -> None:
        raise AssertionError("a replayed run asked a server")

    monkeypatch.setattr(Endpoint, "ask", gone)
    monkeypatch.setattr("socket.socket.connect", gone)
    assert _run(f"replay:{file}", tmp_path / "replayed") == recorded
