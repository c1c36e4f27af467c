"""The grounded user: the scripted user's acts in a model's words, which say no less and no more."""

from __future__ import annotations

import re

import pytest

from dialog_envs.core.dialogue import Act
from dialog_envs.core.env import DialogEnv
from dialog_envs.core.seeding import stream
from dialog_envs.errors import ChatModelError, SimulatorError, UsageError
from dialog_envs.registration import TASKS, get_task
from dialog_envs.simulators.users.checking import ReadBack
from dialog_envs.simulators.users.grounded import GroundedUser, unquoted
from tests.simulators.stub_models import SaysModel, play_heuristic, says_the_meaning

PREFERENCE = "PreferenceElicitation-v0"


@pytest.mark.parametrize("task_id", TASKS)
@pytest.mark.parametrize("mode", ["write", "choose"])
def test_acts_and_scores_are_the_scripted_users(task_id, mode):
    task = get_task(task_id)
    for seed in range(4):
        model = SaysModel(says_the_meaning)
        grounded = DialogEnv(task, user="grounded", user_options={"model": model, "mode": mode})
        scripted = DialogEnv(task)
        for env in (grounded, scripted):
            play_heuristic(env, seed)
        # The policies read words, and words differ: compare up to where the agent does something else.
        for mine, theirs in zip(grounded.turns, scripted.turns, strict=False):
            if mine.acts != theirs.acts:
                assert mine.speaker == 0
                break
        else:
            assert grounded.outcome == scripted.outcome
        assert grounded.user.notes["again"] == 0


def check(acts, text):
    """What is wrong with these words for these acts, after the agent asked about the theme."""
    task = get_task(PREFERENCE)
    scenario = task.sample_scenario(stream(3, "scenario"))
    persona = task.prior.sample(stream(3, "persona"), "easygoing")
    first = scenario.items[0]
    acts = tuple(Act(a.kind, a.slot, a.value, first if a.item else None) for a in acts)
    agent = task.language.say(
        (Act("suggest", item=first),) if any(a.item for a in acts) else (Act("ask", slot="theme"),),
        scenario,
        stream(3, "agent"),
    )
    dialogue = [{"speaker": 0, "text": agent}]
    phrasings = [task.language.phrase(acts, persona, scenario, stream(i, "p"), dialogue) for i in range(4)]
    return ReadBack(task, acts, phrasings, scenario, dialogue).problem(text)


ART = (Act("answer", "theme", "art"),)
NO = (Act("reject", "budget", "low", "item"),)


@pytest.mark.parametrize(
    ("acts", "text", "wrong"),
    [
        (ART, "I could spend whole days in front of paintings, so something with art.", None),
        (ART, "Art, please!", None),
        (ART, "", "empty"),
        (ART, "Art.\nAnd nothing else.", "one line"),
        (ART, "Let us see what there is.", "not clearly say theme art"),
        (ART, "Something with art, and I can spend 20 euros at most.", "also says budget low"),
        (ART, "Sport, please.", "theme art.*theme sport"),
        (ART, "Art. " * 90, "too long"),
        (NO, "Perfect, let's do that!", "not clearly say"),
        (NO, "Too expensive for me, sorry.", None),
        ((Act("evade", "theme"),), "Hm, hard to say.", None),
        ((Act("evade", "theme"),), "Hm, hard to say. Food, perhaps.", "also says theme food"),
        ((Act("clarify"),), "Wonderful, I'll take it, goodbye!", "also says"),
    ],
)
def test_words_say_all_and_nothing_else(acts, text, wrong):
    found = check(acts, text)
    if wrong is None:
        assert found is None
    else:
        assert found is not None and re.search(wrong, found), found


def env_with(answer, **options):
    model = SaysModel(answer)
    return DialogEnv(
        get_task(PREFERENCE), user="grounded", user_options={"model": model, "mode": "write", **options}
    ), model


def test_a_line_that_does_not_pass_is_asked_for_again_with_what_was_wrong():
    lines = iter(["It is sunny today.", '"{}"'])

    def answer(request):
        line = next(lines)
        return line.format(says_the_meaning(first[0])) if first else (first.append(request), line)[1]

    first = []
    env, model = env_with(answer)
    env.reset(seed=2, options={"family": "easygoing"})
    env.step("What kind of thing do you like?")
    assert env.user.notes["again"] == 1 and env.user.notes["calls"] == 2
    again = model.asked[1].messages
    assert "does not clearly say" in again[-1]["content"] and again[-2]["content"] == "It is sunny today."
    assert not env.turns[-1].text.startswith('"')  # what models put around a line is taken off
    assert env.user.used.cost_usd == 0.5
    assert model.asked[0].seed != model.asked[1].seed


def test_no_words_is_the_simulators_fault_and_both_falls_back():
    env, model = env_with(lambda request: "Perfect, I'll take it.", attempts=3)
    env.reset(seed=2, options={"family": "easygoing"})
    with pytest.raises(SimulatorError, match=r"found no words for answer.*3 attempts"):
        env.step("What kind of thing do you like?")
    assert len(model.asked) == 3
    env, _ = env_with(lambda request: "Perfect, I'll take it.", attempts=2, mode="both")
    env.reset(seed=2, options={"family": "easygoing"})
    env.step("What kind of thing do you like?")
    assert [act.kind for act in env.turns[-1].acts][:1] == ["answer"]


def test_a_models_failure_passes_as_it_is():
    env, _ = env_with(lambda request: ChatModelError("server is down"))
    env.reset(seed=2)
    with pytest.raises(ChatModelError, match="server is down"):
        env.step("What do you like?")


def test_the_model_that_writes_knows_nothing_of_the_persona():
    task = get_task(PREFERENCE)
    env, model = env_with(says_the_meaning)
    env.reset(seed=5, options={"family": "easygoing"})
    env.step("What kind of thing do you like?")
    prompt = "\n".join(message["content"] for message in model.asked[0].messages)
    told = {act.slot for act in env.turns[-1].acts}
    for heading, text in task.persona_card(env.persona):
        if heading.lower() not in told and len(text) > 12:
            assert text not in prompt


def test_unknown_modes_are_refused():
    with pytest.raises(UsageError, match="choose, write, both"):
        GroundedUser(SaysModel(str), mode="sing")
    with pytest.raises(UsageError, match="at least once"):
        GroundedUser(SaysModel(str), attempts=0)


def test_quotation_marks_are_taken_off():
    assert unquoted(' "Art, please." ') == "Art, please."
    assert unquoted('"Art", she said, "please"') == '"Art", she said, "please"'
