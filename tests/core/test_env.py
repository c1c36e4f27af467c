"""The environment every task shares: its contract with callers, good and bad."""

import json

import gymnasium as gym
import numpy as np
import pytest

from dialog_envs.core.dialogue import Act, UserTurn
from dialog_envs.core.spaces import MAX_TEXT
from dialog_envs.core.user import resolve
from dialog_envs.errors import (
    DialogEnvsError,
    SimulatorError,
    UnknownFamily,
    UnknownName,
    UnknownTask,
    UsageError,
)
from dialog_envs.registration import get_task

ID = "PreferenceElicitation-v0"


def make(**options):
    return gym.make(ID, disable_env_checker=True, **options).unwrapped


class CountingUser:
    """Speaks first only if told to, and leaves after ``patience`` replies (``None``: never)."""

    def __init__(self, patience=None, fails_at=None):
        self.patience, self.fails_at = patience, fails_at

    def start(self, task, persona, scenario, rng):
        self.replies = 0

    def opening(self):
        return None

    def reply(self, dialogue):
        assert dialogue[-1]["speaker"] == 0
        self.replies += 1
        if self.replies == self.fails_at:
            raise SimulatorError("the model is down: try again later")
        done = self.replies == self.patience
        return UserTurn("mhm", (Act("nudge"),), done, "leave" if done else None, (Act("inform"),))


@pytest.mark.parametrize("action", [None, 3, b"hello", ["hello"], "a" * (MAX_TEXT + 1)])
def test_actions_that_are_no_text_are_refused_and_the_episode_goes_on(action):
    env = make()
    env.reset(seed=0)
    with pytest.raises(UsageError, match="an action is a text"):
        env.step(action)
    observation, *_ = env.step("What do you like?")
    assert len(observation["dialogue"]) == 3


@pytest.mark.parametrize("text", ["", "a" * MAX_TEXT, "\ud800\x00\u202e", "🙂" * 500, "{x} %s \\n <1>"])
def test_any_text_is_answered(text):
    env = make()
    env.reset(seed=0)
    observation, *_ = env.step(text)
    assert observation["dialogue"][-2] == {"speaker": 0, "text": text}
    assert observation["dialogue"][-1]["text"].strip()
    assert env.observation_space.contains(observation)


def test_no_step_before_reset_or_after_the_end():
    env = make()
    with pytest.raises(UsageError, match="call reset"):
        env.step("Hello")
    env.reset(seed=0)
    _, reward, terminated, truncated, info = env.step("Goodbye!")
    assert (reward, terminated, truncated) == (0.0, True, False)
    assert info["outcome"]["ended_by"] == "agent"
    with pytest.raises(UsageError, match="call reset"):
        env.step("Hello")


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"colour": "red"}, UsageError, "family, persona and scenario"),
        ({"family": "focussed"}, UnknownFamily, "Did you mean 'focused'"),
        ({"family": ["terse"]}, UnknownFamily, "There is"),
        ({"persona": {"family": "terse"}}, UsageError, "exactly the fields"),
        ({"persona": "terse"}, UsageError, "or its JSON"),
        ({"scenario": {"place": "Lisbon"}}, UsageError, "exactly the fields"),
        ({"scenario": 3}, UsageError, "or its JSON"),
    ],
)
def test_options_that_cannot_be_used(options, error, words):
    env = make()
    env.reset(seed=0)
    with pytest.raises(error, match=words):
        env.reset(seed=1, options=options)
    with pytest.raises(UsageError, match="call reset"):  # no half-new episode to go on with
        env.step("Hello")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"reward": "sparse"}, UsageError),
        ({"render_mode": "html"}, UsageError),
        ({"user": "scriptd"}, UnknownName),
        ({"user": "no.such.module:User"}, UsageError),
        ({"user": "json:NoSuchName"}, UsageError),
        ({"user": ":x"}, UsageError),
        ({"user": ".x:y"}, UsageError),
        ({"user": 3}, UsageError),
        ({"user_options": {"mood": "bad"}}, UsageError),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # gymnasium's own, about an unknown render mode
def test_arguments_that_cannot_be_used(arguments, error):
    with pytest.raises(error) as caught:
        make(**arguments)
    assert isinstance(caught.value, DialogEnvsError)
    assert len(str(caught.value)) > 20


def test_unknown_tasks_and_names():
    with pytest.raises(UnknownTask, match="PreferenceElicitation-v0"):
        get_task("PreferenceElicitation-v1")
    with pytest.raises(UsageError, match="cannot find"):
        resolve("json:")


def test_persona_and_scenario_can_be_given_as_objects_and_as_json():
    env = make(reveal_persona=True)
    _, info = env.reset(seed=5, options={"family": "terse"})
    persona, scenario = env.persona, env.scenario
    assert (persona.family, info["persona"]) == ("terse", persona.to_json())
    for given in (
        {"persona": persona, "scenario": scenario},
        json.loads(json.dumps({"persona": persona.to_json(), "scenario": scenario.to_json()})),
    ):
        env.reset(seed=9, options=given)
        assert (env.persona, env.scenario) == (persona, scenario)


def test_a_seed_is_an_episode_whatever_was_played_before():
    def episode(env, seed):
        observation, _ = env.reset(seed=seed)
        for words in ("What do you like?", "How much may it cost?"):
            observation = env.step(words)[0]
        return observation

    fresh, used = make(), make()
    for seed in range(3):
        used.reset(seed=seed)
        used.step("Hello!")
    used.reset()
    assert episode(fresh, 11) == episode(used, 11)


def test_resets_without_a_seed_follow_the_first_seed():
    first, second = make(), make()
    briefs = []
    for env in (first, second):
        env.reset(seed=4)
        briefs.append([env.reset()[0]["brief"] for _ in range(4)])
    assert briefs[0] == briefs[1]
    assert len(set(briefs[0])) > 1


def test_observations_are_the_callers_own():
    env = make()
    observation, _ = env.reset(seed=0)
    observation["dialogue"][0]["text"] = "changed by the agent"
    again, *_ = env.step("What do you like?")
    assert again["dialogue"][0]["text"] != "changed by the agent"


def test_a_user_of_ones_own_who_does_not_open_and_leaves():
    env = make(user=CountingUser, user_options={"patience": 2}, reward="dense")
    observation, _ = env.reset(seed=0)
    assert observation["dialogue"] == ()
    assert env.step("One")[1:4] == (0.0, False, False)
    _, reward, terminated, truncated, info = env.step("Two")
    assert (reward, terminated, truncated) == (0.0, True, False)
    assert info["outcome"]["ended_by"] == "leave"
    assert len(env.outcome.rewards("dense")) == 2


def test_the_turn_cap_truncates():
    env = make(user=CountingUser)
    env.reset(seed=0)
    results = [env.step("Go on")[2:] for _ in range(env.task.max_turns)]
    assert [(end, cut) for end, cut, _ in results] == [(False, False)] * 11 + [(False, True)]
    assert results[-1][2]["outcome"]["ended_by"] == "cap"
    assert env.outcome.rewards("binary") == (0.0,) * 12


def test_a_failing_simulator_is_an_error_and_no_turn():
    env = make(user=CountingUser, user_options={"fails_at": 2})
    env.reset(seed=0)
    env.step("One")
    with pytest.raises(SimulatorError):
        env.step("Two")
    assert [turn.text for turn in env.turns] == ["One", "mhm"]
    assert env.outcome is None


def test_ansi_shows_the_dialogue_and_the_result():
    env = make(render_mode="ansi")
    env.reset(seed=0)
    env.step("")
    assert "(silence)" in env.render()
    env.step("Goodbye!")
    text = env.render()
    assert text.splitlines()[-1] == "-- no success, graded 0.00, ended by agent"
    assert text.count("Agent  ") == 2
    assert max(map(len, text.splitlines())) <= 88


def test_human_prints_every_turn_once(capsys):
    env = make(render_mode="human")
    env.reset(seed=0)
    env.step("What do you like?")
    env.step("Goodbye!")
    assert env.render() is None
    printed = capsys.readouterr().out
    whole = make(render_mode="ansi")
    whole.reset(seed=0)
    whole.step("What do you like?")
    whole.step("Goodbye!")
    assert printed == whole.render() + "\n"


def test_rgb_array_is_a_picture():
    pytest.importorskip("PIL")
    env = make(render_mode="rgb_array")
    env.reset(seed=0)
    blank = env.render()
    for _ in range(6):
        env.step("a long sentence " * 200)
        if env.outcome:
            break
    picture = env.render()
    assert (picture.shape, picture.dtype) == ((720, 1280, 3), np.uint8)
    assert not np.array_equal(picture, blank)


def test_no_render_mode_warns():
    env = make()
    env.reset(seed=0)
    with pytest.warns(UserWarning, match="no render_mode"):
        assert env.render() is None


def test_the_spec_can_be_written_as_json():
    spec = gym.make(ID).spec
    assert gym.make(type(spec).from_json(spec.to_json())).spec.id == ID
