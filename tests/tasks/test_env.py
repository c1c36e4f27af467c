"""PreferenceElicitation-v0 as its page describes it."""

import gc
import re
import sys
import tracemalloc

import gymnasium as gym
import pytest

from dialog_envs.core.seeding import stream
from dialog_envs.tasks.preference.env import PreferenceElicitationEnv
from dialog_envs.tasks.preference.kernel import COST
from dialog_envs.tasks.preference.persona import MANNERS, PreferencePrior
from dialog_envs.tasks.preference.utility import CLOSE, verdicts

ID = "PreferenceElicitation-v0"
PAGE = " ".join((PreferenceElicitationEnv.__doc__ or "").split())


def make(**options):
    return gym.make(ID, disable_env_checker=True, **options).unwrapped


def test_the_page_states_the_numbers_that_the_code_uses():
    env = make()
    assert f"after {env.task.max_turns} agent turns" in PAGE
    assert f"within {CLOSE} of the best" in PAGE
    patience = [manner.patience for manner in MANNERS.values()]
    assert f"Patience ({min(patience)} to {max(patience):g}, by family)" in PAGE
    for name, words in {
        "question": "every question (0.3)",
        "extra question": "several in a turn (0.75",
        "repeated question": "answered already (1.0)",
        "bad suggestion": "(2.0;",
        "too many suggestions": "suggestions at once (1.5",
        "idle": "leads nowhere (0.5;",
        "not understood": "cannot be understood (1.0)",
    }.items():
        assert words in PAGE
        assert str(COST[name]) in words
    assert all(f"`{name}`" in PAGE for name in PreferencePrior().families)


def test_naming_the_right_activity_wins_under_every_reward():
    for reward, expected in (("binary", 1.0), ("graded", 1.0), ("dense", 1.0)):
        env = make(reward=reward)
        env.reset(seed=2, options={"family": "focused"})
        judged = verdicts(env.scenario.items, env.persona)
        best = max(judged.utilities, key=lambda name: judged.utilities[name])
        name = env.scenario.item_names[env.scenario.items.index(best)]
        observation, got, terminated, truncated, info = env.step(f"How about the {name}?")
        assert (got, terminated, truncated) == (expected, True, False)
        assert info["outcome"] == env.outcome.to_json(metrics=False)
        assert info["outcome"]["success"]
        assert len(observation["dialogue"]) == 3


def test_the_opening_tells_nothing():
    env = make()
    scenario = env.task.sample_scenario(stream(0, "scenario"))
    openings = {}
    for seed in range(400):
        observation, _ = env.reset(seed=seed, options={"scenario": scenario})
        openings.setdefault(observation["dialogue"][0]["text"], set()).add(env.persona.theme)
    common = [themes for themes in openings.values() if len(themes) > 1]
    assert len(common) > 5
    words = re.compile(
        r"\b(museum|paint|hik|eat|food|concert|cheap|budget|quiet|stairs|vegetarian|lively)", re.I
    )
    assert not [text for text in openings if words.search(text)]


def test_the_cast_of_an_episode_is_drawn_apart():
    """The scenario of a seed is the same whatever family is asked for: agents are compared on equal terms."""
    env = make()
    briefs = set()
    for family in (None, "typical", "hard", "terse"):
        briefs.add(env.reset(seed=77, options={"family": family} if family else None)[0]["brief"])
    assert len(briefs) == 1


@pytest.mark.parametrize("words", ["What do you like?", "Hello!"])
def test_the_user_answers_every_turn_until_the_end(words):
    env = make()
    for seed in range(20):
        observation, _ = env.reset(seed=seed)
        ended = False
        while not ended:
            observation, _, terminated, truncated, _ = env.step(words)
            ended = terminated or truncated
        texts = [turn["text"] for turn in observation["dialogue"]]
        assert all(text.strip() for text in texts)
        assert [turn["speaker"] for turn in observation["dialogue"]] == [1, *[0, 1] * (len(texts) // 2)]


def test_episodes_leave_nothing_behind():
    env = make()

    def memory_after(first, count):
        for seed in range(first, first + count):
            env.reset(seed=seed)
            env.step("Hello, what do you like?")
            env.step("Goodbye!")
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = memory_after(10_000, 600)  # fills the caches, which hold 512 scenarios
        grown = memory_after(20_000, 200) - before
    finally:
        tracemalloc.stop()
    assert grown < 200 * 1000, f"{grown / 200:.0f} bytes an episode stay"


def test_every_cache_is_bounded():
    play = make()
    play.reset(seed=0)
    play.step("What do you like?")
    caches = {
        f"{module.__name__}.{name}": found.cache_parameters()["maxsize"]
        for module in list(sys.modules.values())
        if getattr(module, "__name__", "").startswith("dialog_envs.tasks")
        for name, found in vars(module).items()
        if hasattr(found, "cache_parameters") and found.__module__ == module.__name__
    }
    assert len(caches) > 5
    assert not [name for name, size in caches.items() if size is None]
