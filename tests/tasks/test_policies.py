"""Scripted policies: what they may see, and that good ones are good and bad ones bad."""

from dataclasses import replace

import gymnasium as gym
import pytest

from dialog_envs.agents.scripted import ScriptedAgent
from dialog_envs.core.dialogue import Act
from dialog_envs.core.env import agent_seed
from dialog_envs.core.seeding import stream
from dialog_envs.errors import UnknownName
from dialog_envs.tasks.preference.catalogue import item
from dialog_envs.tasks.preference.persona import PreferencePersona
from dialog_envs.tasks.preference.policies import BASELINES, MIXTURE, POLICIES, STYLES, make_policy
from dialog_envs.tasks.preference.scenario import sample_scenario
from dialog_envs.testing import check_agent, play, success_rate

ID = "PreferenceElicitation-v0"


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_plays_and_repeats_itself_from_its_seed(name):
    if name != "oracle":
        check_agent(ScriptedAgent(name), ID, seeds=range(2))
    env, _ = play(ID, ScriptedAgent(name), 5, family="typical")
    assert env.outcome is not None


@pytest.mark.parametrize("name", [name for name in POLICIES if name != "oracle"])
def test_policies_decide_by_brief_and_words_alone(name):
    env, _ = play(ID, ScriptedAgent(name), 11, family="hesitant")
    views = [turn.view() for turn in env.turns]
    policy = make_policy(name)
    again = []
    policy.start(env.scenario.brief, stream(3, "acts"))
    twin = make_policy(name)
    twin.start("".join(env.scenario.brief), stream(3, "acts"))
    for cut in range(1, len(views), 2):
        observation = {"brief": env.scenario.brief, "dialogue": tuple(views[:cut])}
        again.append(policy.acts(observation))
        copied = {"brief": env.scenario.brief, "dialogue": tuple(dict(view) for view in views[:cut])}
        assert twin.acts(copied) == again[-1]
    for acts in again:
        assert acts
        assert all(act.kind in ("ask", "suggest") for act in acts)
        assert all(act.item in env.scenario.items for act in acts if act.kind == "suggest")


def test_unknown_policies_are_named():
    with pytest.raises(UnknownName, match="heuristic"):
        ScriptedAgent("heuristics")


def test_the_oracle_must_be_shown_the_persona():
    agent = ScriptedAgent("oracle")
    assert agent.needs_persona
    scenario = sample_scenario(stream(1, "s"))
    agent.start(scenario.brief, 0)
    with pytest.raises(RuntimeError, match="persona"):
        agent.act({"brief": scenario.brief, "dialogue": ()})


def test_mixture():
    assert sum(MIXTURE.values()) == pytest.approx(1.0)
    assert set(MIXTURE) <= {"random", *STYLES}
    assert set(BASELINES) < set(POLICIES)


def test_good_is_better_than_suboptimal_is_better_than_random():
    seeds = range(500, 560)
    rates = {
        name: success_rate(ID, ScriptedAgent(name), seeds)
        for name in ("random", "hasty", "heuristic", "oracle")
    }
    assert rates["random"] < 0.25 < rates["heuristic"] < rates["oracle"]
    assert rates["hasty"] < rates["heuristic"]
    assert rates["oracle"] > 0.95


def test_nobody_good_asks_what_was_said_already():
    for name in ("heuristic", "information-gain"):
        repeats = [
            play(ID, ScriptedAgent(name), seed)[0].outcome.metrics["repeated_questions"] for seed in range(12)
        ]
        assert sum(repeats) <= 1  # a misread answer


def test_the_undecided_are_helped_to_decide():
    persona = PreferencePersona("indecisive", "food", "any", "any", "quiet", "any", "any", "none", "theme")
    won = 0
    for seed in range(8):
        env, _ = play_with(ScriptedAgent("information-gain"), seed, persona)
        for user, agent in zip(env.turns[2::2], env.turns[3::2], strict=False):
            if any(act.kind == "hesitate" for act in user.acts):
                assert [act.kind for act in agent.acts] == ["suggest", "suggest"]
        won += env.outcome.success
    assert won >= 5


def play_with(agent, seed, persona):
    env = gym.make(ID, disable_env_checker=True).unwrapped
    observation, _ = env.reset(seed=seed, options={"persona": persona})
    agent.start(observation["brief"], agent_seed(seed))
    while True:
        observation, _, terminated, truncated, info = env.step(agent.act(observation))
        if terminated or truncated:
            return env, info


@pytest.mark.parametrize("name", ["heuristic", "information-gain"])
def test_a_scenario_of_one_activity_can_be_played(name):
    scenario = sample_scenario(stream(2, "s"))
    scenario = replace(scenario, items=scenario.items[:1])
    policy = make_policy(name)
    policy.start(scenario.brief, stream(0, "acts"))
    hesitation = hesitate(scenario)
    assert policy.acts({"brief": scenario.brief, "dialogue": ()}) == (Act("suggest", item=scenario.items[0]),)
    assert Act("suggest", item=scenario.items[0]) in policy.acts(
        {"brief": scenario.brief, "dialogue": hesitation}
    )


def hesitate(scenario):
    name = item(scenario.items[0]).name
    return (
        {"speaker": 0, "text": f"How about {name}?"},
        {"speaker": 1, "text": f"{name} sounds good, but I can't decide. What else is there to compare?"},
    )
