"""Users with a model behind them in environments: alone and together, failures apart, seeds, ids, any task."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import gymnasium as gym
import pytest

from dialog_envs.core.env import DialogEnv
from dialog_envs.errors import ChatModelError, SimulatorError, UsageError
from dialog_envs.registration import ENVIRONMENTS, TASKS, get_task
from dialog_envs.simulators.users.fidelity import consistency, fidelity
from dialog_envs.simulators.users.played import Replies, reply_each
from tests.docs.blocks import read_blocks
from tests.simulators.stub_models import SaysModel, good_actor, play_heuristic, says_the_meaning

ROOT = Path(__file__).resolve().parents[2]
PREFERENCE = "PreferenceElicitation-v0"


def embedded_here() -> bool:
    from dialog_envs.errors import ModelUnavailable
    from dialog_envs.simulators.llm.embedded_file import find_model_file

    try:
        find_model_file()
    except ModelUnavailable:
        return False
    return True


def trace(env: DialogEnv) -> list[tuple[int, str, tuple[str, ...]]]:
    return [(turn.speaker, turn.text, tuple(map(str, turn.acts))) for turn in env.turns]


def test_made_by_name_with_a_model_and_marked_nondeterministic():
    model = SaysModel(says_the_meaning)
    env = gym.make(PREFERENCE, user="grounded", model=model, user_options={"mode": "write"})
    assert env.unwrapped.spec.nondeterministic and "stub-1" in env.unwrapped.user.version
    assert not gym.make(PREFERENCE).spec.nondeterministic
    for task in ENVIRONMENTS:
        for user in ("grounded", "llm"):
            spec = gym.spec(task.replace("-v", f"-{user}-v"))
            assert spec.nondeterministic and spec.kwargs == {"user": user}
    with pytest.raises(UsageError, match="does not take these options"):
        gym.make(PREFERENCE, model="embedded")
    batch = gym.make_vec("Instruction-grounded-v0", num_envs=2, model=model, user_options={"mode": "write"})
    batch.reset(seed=3)
    assert [len(env.turns) for env in batch.envs] == [1, 1]
    batch.step(["What do you know about it?"] * 2)
    assert len({request.seed for request in model.asked}) == len(model.asked) >= 2
    assert [len(env.turns) for env in batch.envs] == [3, 3]


def make(answer, **options) -> DialogEnv:
    return DialogEnv(
        get_task(PREFERENCE),
        user="grounded",
        user_options={"model": SaysModel(answer), "mode": "write", **options},
    )


def test_together_as_alone_and_failures_stay_apart():
    texts = ["What do you like?", "How much can you spend?", "Do you need anything special?"]
    alone = [make(says_the_meaning) for _ in texts]
    for seed, (env, text) in enumerate(zip(alone, texts, strict=True)):
        env.reset(seed=seed)
        env.step(text)

    def fails_for_the_second(request):
        return (
            ChatModelError("down")
            if "spend" in request.messages[-1]["content"]
            else says_the_meaning(request)
        )

    model = SaysModel(fails_for_the_second)
    envs = [make(None) for _ in texts]
    for seed, env in enumerate(envs):
        env.user.model = model
        env.reset(seed=seed)
    dialogues = [env.begin_step(text) for env, text in zip(envs, texts, strict=True)]
    ended = reply_each([env.user for env in envs], dialogues)
    assert isinstance(ended[1], ChatModelError)
    assert [ended[i].text for i in (0, 2)] == [alone[i].turns[-1].text for i in (0, 2)]
    with pytest.raises(ChatModelError, match="down"):
        envs[0].user.reply_batch([env.user for env in envs], dialogues)


def test_replies_come_one_by_one():
    envs = [make(says_the_meaning) for _ in range(3)]
    model = envs[0].user.model
    replies: Replies[str] = Replies(model)
    for name, env in zip("abc", envs, strict=True):
        env.user.model = model
        env.reset(seed=1)
        replies.ask(name, env.user, env.begin_step("What do you like?"))
    assert len(replies) == 3 and replies
    first, turn = replies.wait()
    assert turn.text and len(replies) == 2
    rest = replies.wait_for_some()
    assert {first, *(name for name, _ in rest)} == {"a", "b", "c"} and not replies
    assert replies.wait_for_some() == []


def test_a_users_own_bug_ends_its_own_episode_only():
    env = make(says_the_meaning)
    env.reset(seed=1)
    env.user._task = None
    (ended,) = reply_each([env.user], [({"speaker": 0, "text": "Hi"},)])
    assert isinstance(ended, AttributeError)


@pytest.fixture
def guess_city(tmp_path, monkeypatch):
    """The task that the documentation builds, as its page has it."""
    page = (ROOT / "docs" / "how-to" / "add-a-task.md").read_text("utf-8")
    for block in read_blocks(page):
        if block.file is not None and block.file.startswith("guess_city/"):
            file = tmp_path / block.file
            file.parent.mkdir(exist_ok=True)
            file.write_text(block.code, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield "guess_city:GuessCity-v0"
    for name in [name for name in sys.modules if name.partition(".")[0] == "guess_city"]:
        del sys.modules[name]
    for table in (TASKS, ENVIRONMENTS, gym.registry):
        for name in [name for name in table if name.startswith("GuessCity")]:
            del table[name]


def test_the_documented_task_has_such_users_without_code_of_its_own(guess_city):
    for mode in ("write", "choose"):
        model = SaysModel(says_the_meaning)
        env = gym.make(
            guess_city, user="grounded", model=model, user_options={"mode": mode}, disable_env_checker=True
        ).unwrapped
        play_heuristic(env, 1)
        assert model.asked and env.user.notes["again"] == 0
    model = SaysModel(None)
    env = gym.make(
        guess_city, user="llm", model=model, user_options={"mode": "write"}, disable_env_checker=True
    ).unwrapped
    model.answer = good_actor(env)
    counts = []
    for seed in range(3):
        play_heuristic(env, seed, "frank")
        counts.append(fidelity(env.task, env.persona, env.scenario, env.turns, env.outcome.ended_by))
    assert consistency(counts) == 1.0


@pytest.mark.embedded
@pytest.mark.skipif(not embedded_here(), reason="the embedded model is not installed")
@pytest.mark.parametrize("user", ["grounded", "llm"])
def test_the_embedded_model_plays_offline_and_a_recording_plays_it_again(user, tmp_path):
    file = tmp_path / "replies.db"
    traces = []
    for model in ("embedded", f"record:{file}=embedded", f"replay:{file}"):
        env = gym.make(PREFERENCE, user=user, model=model, disable_env_checker=True).unwrapped
        assert not env.spec.nondeterministic and "SmolLM2" in env.user.version
        env.reset(seed=5)
        for text in ("What kind of thing do you like?", "How much would you like to spend?"):
            if env.outcome is None:
                env.step(text)
        traces.append(trace(env))
        assert env.user.notes["calls"] > 0 and env.user.used.tokens > 0
    assert traces[0] == traces[1] == traces[2]
    assert consistency([fidelity(env.task, env.persona, env.scenario, env.turns, "")]) is not None
    with pytest.raises(SimulatorError, match="holds no reply"):
        env.reset(seed=6)
        env.step("What kind of thing do you like?")
