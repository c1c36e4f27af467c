"""The same dialogue in other shapes."""

import json

import gymnasium as gym
import pytest

from dialog_envs.wrappers import ChatMessages, LastUtterance, RecordEpisodes, TranscriptText

ID = "PreferenceElicitation-v0"


@pytest.mark.parametrize("wrapper", [LastUtterance, TranscriptText, ChatMessages])
def test_observations_lie_in_the_wrapped_space(wrapper):
    env = wrapper(gym.make(ID))
    for observation in (env.reset(seed=0)[0], env.step("What do you like?")[0]):
        assert env.observation_space.contains(observation)


def test_they_show_the_same_words():
    plain = gym.make(ID)
    plain.reset(seed=0)
    dialogue = plain.step("What do you like?")[0]["dialogue"]
    shapes = []
    for wrapper in (LastUtterance, TranscriptText, ChatMessages):
        env = wrapper(gym.make(ID))
        env.reset(seed=0)
        shapes.append(env.step("What do you like?")[0])
    last, text, messages = shapes
    assert last == dialogue[-1]["text"]
    assert text.endswith(f"Agent: What do you like?\nUser: {last}")
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "user"]
    assert [m["content"] for m in messages[1:]] == [turn["text"] for turn in dialogue]


def test_recorded_episodes_can_be_scored_again(tmp_path):
    from dialog_envs import Turn, get_task

    env = RecordEpisodes(gym.make(ID), tmp_path / "episodes.jsonl")
    for seed in range(2):
        env.reset(seed=seed)
        env.step("Goodbye!")
    records = [json.loads(line) for line in (tmp_path / "episodes.jsonl").read_text().splitlines()]
    task = get_task(ID)
    for record in records:
        outcome = task.score(
            task.persona_from_json(record["persona"]),
            task.scenario_from_json(record["scenario"]),
            [Turn.from_json(turn) for turn in record["turns"]],
            record["outcome"]["ended_by"],
        )
        assert outcome.to_json(metrics=False) == record["outcome"]
    assert len(records) == 2
