"""The environment's page says what the code does, and an episode in words goes from end to end."""

import re

import gymnasium as gym
import numpy as np
import pytest

from dialog_envs.agents.scripted import ScriptedAgent
from dialog_envs.tasks.persuasion import dynamics as d
from dialog_envs.tasks.persuasion.env import PersuasionEnv
from dialog_envs.tasks.persuasion.persona import MANNERS, TYPICAL
from dialog_envs.tasks.persuasion.task import PersuasionTask
from dialog_envs.testing import play, success_rate

ID = "Persuasion-v0"
PAGE = re.sub(r"\s+", " ", PersuasionEnv.__doc__)


@pytest.mark.parametrize("family", MANNERS)
def test_the_page_tells_each_family(family):
    group = "typical" if family in TYPICAL else "hard"
    row = next(line for line in PersuasionEnv.__doc__.splitlines() if f"| `{family}` | {group} |" in line)
    assert re.search(rf"patience {MANNERS[family].patience / 100:g}\b", row)
    if 0 < MANNERS[family].promises < 1:
        assert f"{100 * MANNERS[family].promises:.0f} % of its first yeses are promises" in row


def test_the_page_tells_the_numbers():
    levels = {band: level / 100 for band, level in d.LEVELS.items()}
    assert "from {small:g} a small, {medium:g} a medium, {large:g} a large donation".format(**levels) in PAGE
    cost = {name: f"{hundredths / 100:.2f}".rstrip("0") for name, hundredths in d.COST.items()}
    cost = {name: number if number[-1] != "." else f"{number}0" for name, number in cost.items()}
    for text in (
        f"every turn ({cost['talk']})",
        f"question ({cost['question']})",
        f"appeal ({cost['appeal']}; coolly received {cost['cool appeal']} more)",
        f"repeated question ({cost['repeated question']} more)",
        f"request refused ({cost['refused']};",
        f"further point of a turn ({cost['crowded']})",
        f"pressure or invention ({cost['invention']})",
        f"over 70 words {cost['long']}, over 140 {cost['very_long']}",
        f"idle talk ({cost['idle']};",
        f"after {PersuasionTask.max_turns} agent turns",
        f"with trust of {d.WARY / 100:g}",
    ):
        assert text in PAGE, text


def test_a_donation_in_words():
    env = gym.make(ID, reward="graded", reveal_persona=True).unwrapped
    persona = {
        "family": "practical",
        "value": "nature",
        "taste": "reason",
        "means": "modest",
        "trust": "high",
    }
    env.reset(seed=1, options={"persona": {**persona, "objection": "waste", "hidden": "none"}})
    facts = dict(env.scenario.facts)
    rewards = []
    for text in (
        "What matters most to you?",
        "Is there anything that would keep you from giving?",
        f"I understand that you worry about overhead. {facts['spending']}",
        f"If you care about nature, this is for you. It makes sense: small sums add up. {facts['impact']}",
        "This is about nature, and that matters to you.",
        "Would 10 euros be possible?",
    ):
        _, reward, terminated, _, info = env.step(text)
        rewards.append(reward)
        if terminated:
            break
    assert terminated
    assert info["outcome"]["success"]
    assert rewards == pytest.approx([0.0] * (len(rewards) - 1) + [10 / 25])


@pytest.mark.parametrize(
    "pushed", ["Give now or a child will die, and it will be your fault!", "Shame on you."]
)
def test_pressure_in_words_costs_trust(pushed):
    env, _ = play(ID, lambda observation: pushed, 3, "reactant")
    assert env.outcome is not None
    assert env.outcome.ended_by == "leave"
    assert env.outcome.metrics["pressure"] >= 2
    assert env.outcome.metrics["trust"] < 0.5


def test_words_change_nothing_of_what_policies_reach():
    rates = [
        success_rate(ID, ScriptedAgent(name, ID), range(60)) for name in ("random", "heuristic", "oracle")
    ]
    assert rates[0] <= 0.1
    assert 0.5 <= rates[1] <= 0.9
    assert rates[2] >= 0.98


def test_what_scripted_agents_read_is_what_was_meant():
    for seed in range(10):
        agent = ScriptedAgent("competent", ID)
        env, _ = play(ID, agent, seed)
        meant = [turn.acts for turn in env.turns[2::2]]
        heard = agent.policy.reader.exchanges
        assert np.mean([read == acts for (_, read), acts in zip(heard, meant, strict=False)]) > 0.9
