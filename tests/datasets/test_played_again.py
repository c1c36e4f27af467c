"""Data equals environment: a dataset's agent turns meet the same users and rewards when they are played once more."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dialog_envs.core.dialogue import Act, Turn
from dialog_envs.core.env import DialogEnv
from dialog_envs.core.seeding import stream
from dialog_envs.datasets import DatasetWriter, Episode, read_dataset
from dialog_envs.datasets.replay import played_again, replayable
from dialog_envs.errors import SimulatorError
from dialog_envs.registration import TASKS, get_task
from dialog_envs.simulators.imagination import imagine
from dialog_envs.simulators.imagination.rollout import Attempt, Cast, begin, record
from dialog_envs.simulators.llm.replay import RecordingModel
from dialog_envs.testing import check_dataset
from tests.simulators.imagination_stub import Imaginer
from tests.simulators.stub_models import SaysModel, good_actor, says_the_meaning


@pytest.mark.parametrize("reward", ["binary", "graded", "dense"])
@pytest.mark.parametrize("task", TASKS)
def test_scripted_users(task: str, reward: str, tmp_path: Path) -> None:
    made = imagine(task, tmp_path / "ds", 10, 4, reward=reward)
    assert check_dataset(tmp_path / "ds") == sum(map(replayable, made.episodes)) > 5


def test_people_whom_a_model_proposed(tmp_path: Path) -> None:
    """The persona is the episode's, not what its seed would draw."""
    task = "PreferenceElicitation-v0"
    made = imagine(
        task, tmp_path / "ds", 10, 4, imaginer=Imaginer(get_task(task)), personas=3, critique=False
    )
    assert check_dataset(tmp_path / "ds") == 10
    env = DialogEnv(get_task(task))
    env.reset(seed=made.episodes[0].seed, options={"family": made.episodes[0].family})
    assert env.persona.to_json() != made.episodes[0].persona


def test_whole_dialogues_and_shortened_ones_are_not_played(tmp_path: Path) -> None:
    task = "PreferenceElicitation-v0"
    imagine(task, tmp_path / "ds", 4, 4, mode="imagine", imaginer=Imaginer(get_task(task)), personas=0)
    assert check_dataset(tmp_path / "ds") == 0


# ---- users whom a model plays ----------------------------------------------------------------------------------------


def recorded(task_id: str, user: str, folder: Path, episodes: int = 3) -> list[Episode]:
    """A dataset of a heuristic policy with users of a model whose replies are recorded in ``calls.sqlite``."""
    task = get_task(task_id)
    cast = Cast(task, 5, {"heuristic": 1.0}, task.prior.typical, user)
    made = []
    actor = SaysModel(says_the_meaning)
    model = RecordingModel(folder / "calls.sqlite", actor)
    for index in range(episodes):
        env = DialogEnv(task, user=user, user_options={"model": model, "mode": "write"})
        if user == "llm":
            actor.answer = good_actor(env)
        attempt = Attempt(index, 1000 + index, task.prior.typical[index % 2], "heuristic")
        observation, words = begin(env, attempt), stream(index, "words")
        policy = task.policies["heuristic"]()
        policy.start(observation["brief"], stream(index, "policy"))
        while env.outcome is None:
            observation = env.step(task.language.say(policy.acts(observation), env.scenario, words))[0]
        made.append(record(cast, env, attempt))
    model.close()
    facts = {"task": task_id, "task_version": task.version, "user": user, "reward_scheme": "binary"}
    with DatasetWriter(folder / "ds", facts) as writer:
        writer.write_all(made)
    return made


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("user", ["llm", "grounded"])
def test_replayed_users(task: str, user: str, tmp_path: Path) -> None:
    """The recording plays the user: the same words, the same acts, the same reward, and no model is there."""
    recorded(task, user, tmp_path)
    dataset = read_dataset(tmp_path / "ds")
    env = DialogEnv(
        get_task(task),
        user=user,
        user_options={"model": f"replay:{tmp_path / 'calls.sqlite'}", "mode": "write"},
    )
    for episode in dataset.episodes:
        assert played_again(env, episode) is None
    said = dataset.episodes[0].turns[1].text
    turns = tuple(
        replace(turn, text="Hello?") if turn.text == said else turn for turn in dataset.episodes[0].turns
    )
    with pytest.raises(SimulatorError, match="holds no reply to this request"):
        played_again(env, replace(dataset.episodes[0], turns=turns))


def test_the_check_takes_a_replay(tmp_path: Path) -> None:
    task = "PreferenceElicitation-v0"
    recorded(task, "grounded", tmp_path)
    assert check_dataset(tmp_path / "ds", model=f"replay:{tmp_path / 'calls.sqlite'}", mode="write") == 3


# ---- what differs is told --------------------------------------------------------------------------------------------


def test_differences_are_named(tmp_path: Path) -> None:
    task = "PreferenceElicitation-v0"
    episode = imagine(task, tmp_path / "ds", 1, 4, critique=False).episodes[0]
    env = DialogEnv(get_task(task))
    assert played_again(env, episode) is None
    last = episode.turns[-1]

    def changed(**changes: Any) -> str:
        found = played_again(env, replace(episode, **changes))
        assert found is not None
        return found

    assert f"turn {len(episode.turns)} is" in changed(
        turns=(*episode.turns[:-1], replace(last, text="Never!"))
    )
    acts = (*last.acts, Act("volunteer", slot="pace", value="slow"))
    assert "volunteer(pace, slow)" in changed(turns=(*episode.turns[:-1], replace(last, acts=acts)))
    assert "goes on" in changed(turns=episode.turns[:-2])
    assert "the environment ended it" in changed(turns=(*episode.turns, Turn(0, "And?"), Turn(1, "No.")))
    assert "rewards: " in changed(rewards=tuple(0.5 for _ in episode.rewards))
    assert "the outcome: " in changed(outcome={**episode.outcome, "graded": 0.25})
    assert "scenario" in changed(scenario={**episode.scenario, "place": "Atlantis"})
    manifest = json.loads((tmp_path / "ds" / "manifest.json").read_text("utf-8"))
    (tmp_path / "ds" / "manifest.json").write_text(
        json.dumps({**manifest, "reward_scheme": "dense"}), "utf-8"
    )
    with pytest.raises(AssertionError, match="rewards"):
        check_dataset(tmp_path / "ds")
