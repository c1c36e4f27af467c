"""Scripted teachers: what they may see, and that good ones are good and bad ones bad."""

import pytest

from dialog_envs.agents.scripted import ScriptedAgent
from dialog_envs.core.dialogue import AGENT, Act
from dialog_envs.core.seeding import stream
from dialog_envs.registration import get_task
from dialog_envs.tasks.instruction.acts import AGENT_KINDS, KINDS
from dialog_envs.tasks.instruction.policies import BASELINES, MIXTURE, POLICIES, STYLES, make_policy
from dialog_envs.tasks.instruction.scenario import sample_scenario
from dialog_envs.testing import check_agent, play, success_rate
from tests.tasks.instruction.lessons import give

ID = "Instruction-v0"


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_plays_and_repeats_itself_from_its_seed(name):
    if name != "oracle":
        check_agent(ScriptedAgent(name, ID), ID, seeds=range(2))
    env, _ = play(ID, ScriptedAgent(name, ID), 5, family="typical")
    assert env.outcome is not None
    for turn in env.turns:
        if turn.speaker == AGENT:
            assert {act.kind for act in turn.acts} <= set(AGENT_KINDS)
            assert all(act.item in env.scenario.items for act in turn.acts if act.item)


@pytest.mark.parametrize("name", [name for name in POLICIES if name != "oracle"])
def test_policies_decide_by_brief_and_words_alone(name):
    env, _ = play(ID, ScriptedAgent(name, ID), 11, family="quiet")
    views = [turn.view() for turn in env.turns]
    policy, twin = make_policy(name), make_policy(name)
    policy.start(env.scenario.brief, stream(3, "acts"))
    twin.start("".join(env.scenario.brief), stream(3, "acts"))
    for cut in range(1, len(views), 2):
        observation = {"brief": env.scenario.brief, "dialogue": tuple(views[:cut])}
        copied = {"brief": env.scenario.brief, "dialogue": tuple(dict(view) for view in views[:cut])}
        acts = policy.acts(observation)
        assert acts
        assert twin.acts(copied) == acts


def test_the_oracle_must_be_shown_the_persona():
    agent = ScriptedAgent("oracle", ID)
    assert agent.needs_persona
    agent.start(sample_scenario(stream(1, "s")).brief, 0)
    with pytest.raises(RuntimeError, match="persona"):
        agent.act({"brief": "", "dialogue": ()})


def test_the_scale():
    """Success through words, few episodes; the figures on the task's page come from more."""
    seeds = range(30_000, 30_040)
    rate = {name: success_rate(ID, ScriptedAgent(name, ID), seeds) for name in BASELINES}
    assert rate["random"] <= 0.1
    assert 0.5 <= rate["heuristic"] <= 0.9
    assert rate["information-gain"] >= max(0.75, rate["heuristic"])
    assert rate["oracle"] >= 0.97


def test_behaviour_has_room_above_and_something_to_learn_from():
    """At the level of acts, where episodes cost next to nothing."""
    rates = {}
    for name in STYLES:
        ends = [give(name, seed, "typical")[4] for seed in range(120)]
        rates[name] = sum(
            state.understood and state.satisfied and end != "leave" for state, end in ends
        ) / len(ends)
    assert set(MIXTURE) <= {*STYLES, "random"}
    assert sum(MIXTURE.values()) == pytest.approx(1.0)
    assert 0.25 <= sum(MIXTURE[name] * rates[name] for name in STYLES) <= 0.45
    assert max(rates.values()) < 0.7


@pytest.mark.parametrize("kind", KINDS)
def test_a_lecture_at_one_level_and_a_quiz_of_all_do_not_get_far(kind):
    from dialog_envs.tasks.instruction.kernel import InstructionKernel
    from dialog_envs.tasks.instruction.persona import InstructionPrior

    kernel, wins = InstructionKernel(), {"lecture": 0, "quiz": 0}
    for seed in range(100):
        scenario, persona = sample_scenario(stream(seed, "s")), InstructionPrior().sample(stream(seed, "p"))
        for name, acts in (
            ("lecture", [(Act("explain", value=kind, item=item),) for item in scenario.items]),
            ("quiz", [(Act("quiz", item=item),) for item in scenario.items]),
        ):
            state, rng, end = kernel.start(scenario, persona), stream(seed, "c"), None
            for turn in (*acts, (Act("encourage"),), (Act("close"),)):
                if end is None:
                    _, state, end = kernel.step(state, turn, rng)
            wins[name] += state.understood and state.satisfied and end != "leave"
    assert wins["lecture"] <= 12
    assert wins["quiz"] == 0


def test_the_menu_is_short_and_can_be_said():
    task = get_task(ID)
    for seed in range(6):
        env, _ = play(ID, ScriptedAgent("random", ID), seed)
        views = [turn.view() for turn in env.turns]
        for cut in range(1, len(views), 2):
            scenario, turns = task.menu(env.scenario.brief, views[:cut])
            assert scenario == env.scenario
            assert 8 <= len(turns) <= 14
            assert len(set(turns)) == len(turns)
            for acts in turns:
                text = task.language.say(acts, scenario, stream(seed, "words"))
                assert acts[0].kind in {
                    act.kind for act in task.language.understand(text, scenario, views[:cut])
                }
