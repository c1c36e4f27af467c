"""Fidelity: figures with known answers, and 1 for whoever is the kernel itself."""

from __future__ import annotations

import pytest

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.core.env import DialogEnv
from dialog_envs.registration import TASKS, get_task
from dialog_envs.simulators.users.fidelity import consistency, elicited_share, fidelity, variety
from tests.simulators.stub_models import play_heuristic


@pytest.mark.parametrize("task_id", TASKS)
def test_scripted_users_are_consistent_by_construction(task_id):
    env, counts = DialogEnv(get_task(task_id)), []
    for seed in range(12):
        play_heuristic(env, seed)
        counts.append(fidelity(env.task, env.persona, env.scenario, env.turns, env.outcome.ended_by))
    assert consistency(counts) == 1.0
    assert all(one["untimely_turns"] == one["unread_turns"] == 0 for one in counts)
    assert elicited_share(counts) > 0.7


def trace(env: DialogEnv, *pairs: tuple[Act, Act]) -> dict[str, float]:
    turns = [Turn(USER, "Hello.", (Act("greet"),))]
    for asked, answered in pairs:
        turns += [Turn(AGENT, "…", (asked,)), Turn(USER, "…", (answered,))]
    return fidelity(env.task, env.persona, env.scenario, turns, "")


def test_drift_untimely_and_volunteered_are_told_apart():
    env = DialogEnv(get_task("PreferenceElicitation-v0"))
    env.reset(seed=1, options={"family": "focused"})
    me, ask = env.persona, Act("ask", slot="theme")
    other = "sport" if me.theme != "sport" else "art"
    right = trace(env, (ask, Act("answer", "theme", me.theme)))
    assert (right["drift_turns"], right["untimely_turns"], right["elicited"]) == (0, 0, 1)
    wrong = trace(env, (ask, Act("answer", "theme", other)))
    assert (wrong["drift_turns"], wrong["elicited"]) == (1, 0)
    unasked = trace(env, (ask, Act("answer", "budget", me.says("budget"))))
    assert (unasked["drift_turns"], unasked["untimely_turns"], unasked["volunteered"]) == (0, 1, 1)
    again = trace(env, *2 * [(ask, Act("answer", "theme", me.theme))])
    assert (again["drift_turns"], again["elicited"], again["volunteered"]) == (0, 1, 0)


def test_shares_and_variety():
    assert consistency([]) is elicited_share([]) is variety([]) is variety([["a b c"]]) is None
    assert consistency([{"user_turns": 3, "drift_turns": 1}, {"user_turns": 1, "drift_turns": 0}]) == 0.75
    assert elicited_share([{"elicited": 3, "volunteered": 1}]) == 0.75
    assert variety([["I like art."], ["i LIKE art"]]) == 0.0
    assert variety([["I like art."], ["No more, thanks."]]) == 1.0
    assert variety([["a b c"], ["a b d"], ["x y"]]) == pytest.approx(1 - (1 / 3) / 3)
