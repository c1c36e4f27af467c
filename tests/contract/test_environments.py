"""What holds for every registered environment, by the same checks that plug-in authors run."""

import gymnasium as gym
import pytest

from dialog_envs import testing
from dialog_envs.agents.scripted import ScriptedAgent
from dialog_envs.core.vector import unbatch
from dialog_envs.registration import ENVIRONMENTS

IDS = list(ENVIRONMENTS)
EPISODES = 60


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize(
    "check",
    [
        testing.check_gymnasium,
        testing.check_seeds,
        testing.check_prior,
        testing.check_outcome_is_pure,
        testing.check_nothing_hidden_leaks,
        testing.check_posterior,
    ],
    ids=lambda check: check.__name__,
)
def test_contract(env_id, check):
    check(env_id)


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("users", ["typical", "hard"])
def test_scale_random_and_oracle(env_id, users):
    seeds = range(70_000, 70_000 + 2 * EPISODES)
    assert testing.success_rate(env_id, ScriptedAgent("oracle", env_id), seeds, users) >= 0.95
    assert testing.success_rate(env_id, ScriptedAgent("random", env_id), seeds, users) <= 0.2


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("name", list(testing.DEGENERATE_AGENTS))
def test_degenerate_agents_score_no_more_than_random(env_id, name):
    assert (
        testing.success_rate(env_id, testing.DEGENERATE_AGENTS[name], range(80_000, 80_000 + EPISODES)) <= 0.2
    )


@pytest.mark.parametrize("env_id", IDS)
def test_ids_work_with_module_prefix_and_as_vectors(env_id):
    env = gym.make(f"dialog_envs:{env_id}")
    observation, _ = env.reset(seed=3)
    batch = gym.make_vec(env_id, num_envs=3)
    observations, _ = batch.reset(seed=3)
    assert unbatch(observations)[0] == observation
    assert batch.observation_space.contains(observations)


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_batches_reset_themselves(env_id, mode):
    batch = gym.make_vec(env_id, num_envs=3, autoreset_mode=mode)
    batch.reset(seed=0)
    ends = 0
    for _ in range(40):
        observations, rewards, terminated, truncated, infos = batch.step(["Goodbye!"] * 3)
        ended = terminated | truncated
        ends += int(ended.sum())
        assert rewards.shape == terminated.shape == truncated.shape == (3,)
        if mode == "SameStep" and ended.any():
            assert infos["_final_obs"].tolist() == ended.tolist()
            assert all(len(observation["dialogue"]) <= 1 for observation in unbatch(observations))
    assert ends == (120 if mode == "SameStep" else 60)
