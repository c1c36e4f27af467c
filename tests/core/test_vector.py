"""Many dialogues at once are the same dialogues."""

import gymnasium as gym
import numpy as np
import pytest

from dialog_envs.core.vector import batch, unbatch
from dialog_envs.errors import UsageError
from tests.core.test_env import CountingUser

ID = "PreferenceElicitation-v0"
WORDS = (
    "What do you like?",
    "How much may it cost?",
    "Do you need anything?",
    "Hello!",
    "Quiet or lively?",
    "Why?",
)


def alone(seed, words):
    """The dialogue of one environment, until it ends."""
    env = gym.make(ID, disable_env_checker=True)
    observation, _ = env.reset(seed=seed)
    for text in words:
        observation, _, terminated, truncated, _ = env.step(text)
        if terminated or truncated:
            break
    return observation


def test_alone_equals_in_a_batch_whatever_the_neighbours_say():
    envs = gym.make_vec(ID, num_envs=3)
    seeds = [5, 900, 17]
    observation, _ = envs.reset(seed=seeds)
    seen = [[o] for o in unbatch(observation)]
    for t, text in enumerate(WORDS[:3]):
        observation, *_ = envs.step([text, WORDS[-1 - t], "Goodbye!"])
        for i, row in enumerate(unbatch(observation)):
            seen[i].append(row)
    assert seen[0][3] == alone(5, WORDS[:3])
    assert seen[1][3] == alone(900, WORDS[:2:-1])
    assert seen[2][1] == alone(17, ["Goodbye!"])


def test_one_seed_stands_for_a_row_of_them():
    envs = gym.make_vec(ID, num_envs=3)
    assert envs.reset(seed=7)[0] == envs.reset(seed=[7, 8, 9])[0]
    assert envs.reset(seed=[7, None, 9])[0]["brief"][2] == envs.reset(seed=9)[0]["brief"][0]


@pytest.mark.parametrize("seeds", [[1, 2], [1, 2, 3, 4]])
def test_a_wrong_number_of_seeds_is_refused(seeds):
    with pytest.raises(UsageError, match="seeds for 3 episodes"):
        gym.make_vec(ID, num_envs=3).reset(seed=seeds)


@pytest.mark.parametrize("actions", ["one text", ["a", "b"], ["a"] * 4])
def test_a_wrong_number_of_texts_is_refused(actions):
    envs = gym.make_vec(ID, num_envs=3)
    envs.reset(seed=0)
    with pytest.raises(UsageError, match="3 texts"):
        envs.step(actions)


def test_one_bad_text_spoils_nothing():
    envs = gym.make_vec(ID, num_envs=2)
    envs.reset(seed=0)
    with pytest.raises(UsageError, match="an action is a text"):
        envs.step(["What do you like?", None])
    observation, *_ = envs.step(["What do you like?", "Hello!"])
    assert unbatch(observation)[0] == alone(0, ["What do you like?"])


def test_next_step_resets_with_the_step_after_the_end():
    envs = gym.make_vec(ID, num_envs=2)
    envs.reset(seed=0)
    _, _, terminated, _, infos = envs.step(["Goodbye!", "Hello!"])
    assert terminated.tolist() == [True, False]
    assert infos["outcome"]["ended_by"].tolist() == ["agent", None]
    observation, rewards, terminated, _, infos = envs.step(["said to nobody", "What do you like?"])
    first, second = unbatch(observation)
    assert len(first["dialogue"]) == 1
    assert len(second["dialogue"]) == 5
    assert (rewards[0], terminated[0], "outcome" in infos) == (0.0, False, False)


def test_same_step_hands_back_the_last_observation_and_info():
    envs = gym.make_vec(ID, num_envs=2, autoreset_mode="SameStep")
    envs.reset(seed=0)
    observation, _, terminated, _, infos = envs.step(["Goodbye!", "Hello!"])
    assert (
        terminated.tolist() == infos["_final_obs"].tolist() == infos["_final_info"].tolist() == [True, False]
    )
    assert infos["final_obs"][0] == alone(0, ["Goodbye!"])
    assert infos["final_obs"][1] is None
    assert infos["final_info"]["outcome"]["ended_by"][0] == "agent"
    assert len(unbatch(observation)[0]["dialogue"]) == 1
    assert not envs.step(["Hello!"] * 2)[2].any()


def test_disabled_resets_what_the_mask_names():
    envs = gym.make_vec(ID, num_envs=3, autoreset_mode="Disabled")
    with pytest.raises(UsageError, match="first reset"):
        envs.reset(options={"reset_mask": np.array([True, False, False])})
    envs.reset(seed=0)
    before = unbatch(envs.step(["Goodbye!", "Hello!", "Hello!"])[0])
    with pytest.raises(UsageError, match="call reset"):
        envs.step(["Hello!"] * 3)
    with pytest.raises(UsageError, match="3 bools"):
        envs.reset(options={"reset_mask": np.array([True])})
    after = unbatch(envs.reset(seed=50, options={"reset_mask": np.array([True, False, False])})[0])
    assert after[0] == alone(50, [])
    assert after[1:] == before[1:]


def test_users_that_can_answer_together_are_asked_together():
    calls = []

    class Together(CountingUser):
        @staticmethod
        def reply_batch(users, dialogues):
            calls.append(len(users))
            return [user.reply(dialogue) for user, dialogue in zip(users, dialogues, strict=True)]

    envs = gym.make_vec(ID, num_envs=4, user=Together, user_options={"patience": 2})
    envs.reset(seed=0)
    for _ in range(3):
        envs.step(["Hi"] * 4)
    assert calls == [4, 4]  # the third step begins new episodes


def test_options_reach_every_episode_and_batches_unbatch():
    envs = gym.make_vec(ID, num_envs=4, reveal_persona=True)
    observation, infos = envs.reset(seed=0, options={"family": "hard"})
    hard = envs.envs[0].task.prior.hard
    assert all(env.persona.family in hard for env in envs.envs)
    assert infos["persona"]["family"].tolist() == [env.persona.family for env in envs.envs]
    assert batch(unbatch(observation)) == observation


def test_there_must_be_an_episode_and_it_must_be_a_dialogue():
    with pytest.raises(UsageError, match="at least 1"):
        gym.make_vec(ID, num_envs=0)


def test_render_gives_one_text_an_episode():
    envs = gym.make_vec(ID, num_envs=2, render_mode="ansi")
    envs.reset(seed=0)
    first, second = envs.render()
    assert first.startswith("User   ")
    assert second.startswith("User   ")
    envs.close()
