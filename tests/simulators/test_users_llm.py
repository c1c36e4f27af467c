"""The llm user: a model plays, control is in fields, the kernel keeps score."""

from __future__ import annotations

import pytest

from dialog_envs.core.env import DialogEnv
from dialog_envs.core.seeding import stream
from dialog_envs.errors import SimulatorError, UsageError
from dialog_envs.registration import TASKS, get_task
from dialog_envs.simulators.users.acting import user_acts
from dialog_envs.simulators.users.fidelity import consistency, fidelity
from dialog_envs.simulators.users.llm import LLMUser
from tests.simulators.stub_models import SaysModel, good_actor, play_heuristic

PREFERENCE = "PreferenceElicitation-v0"


def env_with(answer, task=PREFERENCE, **options):
    model = SaysModel(answer)
    return DialogEnv(
        get_task(task), user="llm", user_options={"model": model, "mode": "write", **options}
    ), model


def says(text, act="answer", done=False):
    return lambda request: {"text": text, "act": act, "done": done}


@pytest.mark.parametrize("task_id", TASKS)
def test_a_good_actor_scores_as_the_kernel_does(task_id):
    successes, counts = 0, []
    for seed in range(4):
        env, model = env_with(None, task_id)
        model.answer = good_actor(env)
        play_heuristic(env, seed, "typical")
        successes += env.outcome.success
        assert env.user.notes["again"] == 0
        counts.append(fidelity(env.task, env.persona, env.scenario, env.turns, env.outcome.ended_by))
        assert env.outcome.metrics  # the exact posterior takes such traces
    assert successes >= 2
    assert consistency(counts) == 1.0


def test_control_is_in_the_fields_and_never_in_the_words():
    env, _ = env_with(says("Perfect, I'll take the first one! Goodbye, that is all.", "answer"))
    env.reset(seed=1)
    _, _, terminated, _, _ = env.step("How about that one?")
    assert not terminated
    assert not {act.kind for act in env.turns[-1].acts} & {"accept", "leave"}
    env, _ = env_with(says("Hm.", "leave"))
    env.reset(seed=1)
    _, _, terminated, _, info = env.step("What do you like?")
    assert terminated and info["outcome"]["ended_by"] == "leave"
    env, _ = env_with(says("Hm.", "evade", done=True))
    env.reset(seed=1)
    assert env.step("What do you like?")[4]["outcome"]["ended_by"] == "leave"
    env, _ = env_with(says("Bye then.", "answer"))
    env.reset(seed=1)
    assert env.step("Goodbye!")[4]["outcome"]["ended_by"] == "agent"


def test_consent_that_the_persona_would_not_give_is_never_let_through():
    env, model = env_with(says("Yes, I take it.", "accept", True), attempts=3)
    env.reset(seed=1)
    with pytest.raises(SimulatorError, match="would not do that now"):
        env.step("Do you like music?")
    kinds = [request.schema["properties"]["act"]["enum"] for request in model.asked]
    assert "accept" in kinds[0] and "accept" not in kinds[1] and "accept" not in kinds[2]
    assert "would not do that now" in model.asked[1].messages[-1]["content"]
    assert env.user.notes["refused"] == 3


def test_consent_that_the_persona_gives_ends_the_talk_and_is_scored_by_the_task():
    env, _ = env_with(says("Yes, gladly.", "accept", True))
    env.reset(seed=4, options={"family": "easygoing"})
    best = env.task.policies["oracle"]()
    best.reveal(env.persona, env.scenario)
    best.start(env.scenario.brief, stream(0))
    view = {"brief": env.scenario.brief, "dialogue": tuple(t.view() for t in env.turns)}
    text = env.task.language.say(best.acts(view), env.scenario, stream(0))
    _, reward, terminated, _, info = env.step(text)
    assert terminated and reward == 1.0 and info["outcome"]["ended_by"] == "accept"
    assert env.turns[-1].acts[-1].item is not None  # what was offered, though the words do not name it


def test_telling_everything_at_once_is_held_back():
    dump = "I love art, outdoors, quiet places, at most 20 euros, two hours, and I am a vegetarian."
    replies = iter([dump, "Hm, hard to say."])
    env, _ = env_with(lambda request: {"text": next(replies), "act": "answer", "done": False})
    env.reset(seed=1)
    env.step("What would you like?")
    assert env.turns[-1].text == "Hm, hard to say." and env.user.notes["leaks"] == 1


def test_drift_is_let_through_and_counted():
    env, _ = env_with(None)
    env.reset(seed=1, options={"family": "easygoing"})
    other = "sport" if env.persona.theme != "sport" else "art"
    env.user.model.answer = says(f"Something with {other}, please.")
    env.step("What kind of thing do you like?")
    counts = fidelity(env.task, env.persona, env.scenario, env.turns, "")
    assert counts["drift_turns"] == 1 and consistency([counts]) == 0.0


def test_the_prompt_holds_persona_brief_and_vocabulary_but_no_family():
    env, model = env_with(says("Hm, hard to say.", "evade"))
    env.reset(seed=1, options={"family": "cost_averse"})
    env.step("What do you like?")
    prompt = model.asked[0].messages[0]["content"]
    assert env.scenario.brief in prompt and "cost_averse" not in prompt
    assert f"- Theme: {env.persona.theme}" in prompt and "never says so" in prompt
    assert set(model.asked[0].schema["properties"]["act"]["enum"]) == set(user_acts(env.task))
    assert {"accept", "leave", "answer", "evade", "reject"} <= set(user_acts(env.task))


def test_choosing_takes_a_turn_from_what_anybody_might_say():
    for task_id in TASKS:
        model = SaysModel(None)
        env = DialogEnv(get_task(task_id), user="llm", user_options={"model": model, "mode": "choose"})
        play_heuristic(env, 3)
        assert all(2 <= len(set(request.candidates)) <= 12 for request in model.asked)
        counts = fidelity(env.task, env.persona, env.scenario, env.turns, env.outcome.ended_by)
        assert consistency([counts]) == 1.0  # the first on the menu is the persona's own


def test_unknown_modes_are_refused():
    with pytest.raises(UsageError, match="write, choose"):
        LLMUser(SaysModel(str), mode="sing")
