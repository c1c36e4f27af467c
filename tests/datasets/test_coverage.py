"""Disclosure and coverage by hand, on dialogues of three turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.core.task import ActRoles
from dialog_envs.datasets import Episode, load
from dialog_envs.datasets.coverage import Step, askable, coverage, steps
from dialog_envs.datasets.disclosure import disclosure, told
from dialog_envs.registration import get_task

Make = Callable[..., Episode]
ASK_A, ASK_B = Act("ask", slot="a"), Act("ask", slot="b")
TELL_A, TELL_B = Act("answer", slot="a", value="x"), Act("answer", slot="b", value="y")


def talk(make: Make, number: int, *pairs: tuple[Act, Act], success: bool = True) -> Episode:
    turns = [Turn(USER, "Hello.", (Act("greet"),))]
    for agent, user in pairs:
        turns += [Turn(AGENT, "…", (agent,)), Turn(USER, "…", (user,))]
    rewards = (*(0.0 for _ in pairs[1:]), float(success))
    return make(
        number,
        turns=tuple(turns),
        rewards=rewards,
        reward=float(success),
        outcome={"success": success, "graded": float(success), "ended_by": "accept" if success else "leave"},
    )


def test_disclosure(make_episode: Make) -> None:
    long = talk(
        make_episode,
        0,
        (ASK_A, TELL_A),
        (ASK_B, Act("volunteer", slot="c", value="z")),
        (ASK_A, TELL_A),
    )
    short = talk(make_episode, 1, (ASK_A, Act("evade", slot="a")))
    roles = ActRoles()
    assert told(long, roles) == [(0, 0), (1, 0), (1, 1), (1, 1)]
    found = disclosure([long, short], roles, [[4.0, 1.0], [4.0, 3.0, 2.0], None])
    assert found.elicited == (0.0, 0.5, 0.5, 0.5) and found.volunteered == (0.0, 0.0, 0.5, 0.5)
    assert found.going_on == (1.0, 1.0, 0.5, 0.5)
    assert found.bits == pytest.approx((0.0, 0.5, 0.625))  # the first stays at 1 - 1/4
    assert (found.bits_episodes, found.bits_prior, found.contradictory) == (2, 4.0, 1)


@pytest.mark.parametrize(
    ("task", "user", "agent", "unasked"),
    [
        ("PreferenceElicitation-v0", Act("volunteer", "budget", "low"), Act("ask", "budget"), True),
        ("PreferenceElicitation-v0", Act("answer", "budget", "low"), Act("suggest", item="p"), False),
        ("Persuasion-v0", Act("answer", "values", "nature"), Act("ask", "values"), False),
        ("Persuasion-v0", Act("answer", "values", "nature"), Act("ask", "open"), False),
        ("Persuasion-v0", Act("answer", "values", "nature"), Act("ask", "means"), True),
        ("Persuasion-v0", Act("object", "cost"), Act("propose", value="small"), False),
        ("Persuasion-v0", Act("object", "cost"), Act("inform", "mission"), True),
        ("Instruction-v0", Act("claim", value="known", item="p"), Act("explain", value="plain", item="p"), False),
        ("Instruction-v0", Act("claim", value="unknown", item="q"), Act("explain", value="plain", item="p"), True),
        ("Instruction-v0", Act("claim", value="unknown", item="q"), Act("recap"), False),
        ("Instruction-v0", Act("answer", "background", "child"), Act("encourage"), True),
    ],
)  # fmt: skip
def test_what_comes_unasked(task: str, user: Act, agent: Act, unasked: bool) -> None:
    roles = get_task(task).act_roles
    assert roles.subject(user) and roles.unasked(user, (Act("acknowledge"), agent)) is unasked


def test_scripted_users_volunteer_as_their_manner_says() -> None:
    """The kernel's own: nobody volunteers in Instruction; in Persuasion those do most who have it most in them."""
    for name in ("Instruction-v0", "Persuasion-v0"):
        dataset, roles = load(f"{name}/scripted"), get_task(name).act_roles
        who = Counter(episode.family for episode in dataset.episodes if told(episode, roles)[-1][1])
        assert [family for family, _ in who.most_common(2)] == (
            [] if name[0] == "I" else ["warm", "practical"]
        )


def test_steps_have_no_names(make_episode: Make) -> None:
    one = talk(
        make_episode,
        0,
        (ASK_A, TELL_A),
        (Act("suggest", item="p"), Act("reject", slot="b", value="y", item="p")),
        (Act("suggest", item="p"), Act("hesitate", item="p")),
        (Act("suggest", item="q"), Act("accept", item="q")),
    )
    roles = ActRoles()
    slots = askable([one, talk(make_episode, 1, (ASK_B, TELL_B))], roles)
    assert slots == {"a", "b"}
    assert steps(one, roles, slots) == [
        Step("nothing", "-", "ask(a)"),
        Step("told a", "answer", "suggest(new)"),
        Step("told a, b; 1 reject", "reject", "suggest(reject)"),
        Step("told a, b; 1 hesitate", "hesitate", "suggest(new)"),
    ]


def test_coverage_by_stitching(make_episode: Make) -> None:
    suggest, take = Act("suggest", item="p"), Act("accept", item="p")
    good = talk(make_episode, 0, (ASK_A, TELL_A), (ASK_B, TELL_B), (suggest, take))
    first = talk(make_episode, 1, (ASK_A, TELL_A), (ASK_B, Act("leave")), success=False)
    second = talk(make_episode, 2, (ASK_B, TELL_B), (suggest, take))
    lost = talk(make_episode, 3, (suggest, Act("leave")), success=False)
    found = coverage([first, second], [good, lost], ActRoles(), "good")
    assert (found.policy, found.played, found.success, found.steps) == ("good", 2, 0.5, 3)
    situation, reply, act = found.levels
    # The suggestion stands after "told b" only, so the situation is another one; after "answer" it is the same.
    assert (situation.covered, situation.stitched) == (pytest.approx(2 / 3), 0.0)
    assert (reply.covered, reply.often, reply.stitched, reply.whole) == (1.0, 0.0, 1.0, 0.0)
    assert (
        act.covered == 1.0 and act.different == 4
    )  # ask(a), ask(b) first, ask(b) and suggest after an answer
    by_move = {row.step.move: row for row in found.rows}
    assert by_move["ask(b)"].dialogues == {"situation": 1, "reply": 1, "act": 1}
    assert by_move["ask(b)"].reward == 0.0 and by_move["suggest(new)"].reward is None
    whole = coverage([good], [good], ActRoles()).levels[0]
    assert (whole.covered, whole.stitched, whole.whole) == (1.0, 1.0, 1.0)
    assert [(one.counts, one.whole) for one in situation.held] == [((1, 1, 0), False)]
    assert [(one.counts, one.whole) for one in whole.held] == [((1, 1, 1), True)]
    assert coverage([good], [lost], ActRoles()).levels == ()


def test_acts_of_a_move_may_come_from_several_dialogues(make_episode: Make) -> None:
    both = talk(make_episode, 0, (ASK_A, TELL_A))
    both = make_episode(
        0, turns=(both.turns[0], Turn(AGENT, "…", (ASK_A, ASK_B)), both.turns[2]), rewards=(1.0,)
    )
    data = [talk(make_episode, 1, (ASK_A, TELL_A)), talk(make_episode, 2, (ASK_B, TELL_B))]
    _, reply, act = coverage(data, [both], ActRoles()).levels
    assert (reply.covered, act.covered, act.whole) == (0.0, 1.0, 0.0)
