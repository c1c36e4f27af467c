"""The kernel's manners, one by one."""

import pytest

from dialog_envs.core.dialogue import Act
from dialog_envs.core.seeding import stream
from dialog_envs.tasks.preference.kernel import COST, PreferenceKernel, contradicts
from dialog_envs.tasks.preference.persona import PreferencePersona, PreferencePrior
from dialog_envs.tasks.preference.scenario import sample_scenario
from dialog_envs.tasks.preference.utility import verdicts

KERNEL = PreferenceKernel()
SCENARIO = sample_scenario(stream(5, "scenario"))
YES, NO = (lambda p: p > 0), (lambda p: p >= 1)
"""Coins: everything that can happen happens; only what must happen happens."""


def someone(family="focused", **changes):
    taste = dict.fromkeys(("setting", "pace", "budget", "time"), "any")
    taste |= {"theme": "food", "crowd": "quiet", "need": "none", "priority": "theme"}
    return PreferencePersona(family, **(taste | changes))


def ask(*slots):
    return tuple(Act("ask", slot=slot) for slot in slots)


def suggest(*items):
    return tuple(Act("suggest", item=name) for name in items)


def talk(persona, *agent_turns, coin=NO, scenario=SCENARIO):
    """The user's turns, the last state, and who ended it."""
    state, replies, ended_by = KERNEL.start(scenario, persona), [], None
    for agent_acts in agent_turns:
        assert ended_by is None
        acts, state, ended_by = KERNEL.respond(state, agent_acts, coin)
        replies.append([str(act) for act in acts])
    return replies, state, ended_by


def good_and_bad(persona, scenario=SCENARIO):
    judged = verdicts(scenario.items, persona)
    return sorted(judged.acceptable), [name for name in scenario.items if name not in judged.acceptable]


def test_a_question_brings_its_answer_or_hard_to_say():
    assert talk(someone(), ask("theme"), coin=lambda p: p >= 0.95)[0] == [["answer(theme, food)"]]
    assert talk(someone(), ask("theme"))[0] == [["evade(theme)"]]
    assert talk(someone("reserved"), ask("theme"), coin=lambda p: p > 0.75)[0] == [["evade(theme)"]]
    # a question that names a value is easier: half the distance to certainty
    assert talk(someone("reserved"), (Act("ask", "theme", "art"),), coin=lambda p: p >= 0.875)[0] == [
        ["answer(theme, food)"]
    ]


def test_an_open_question_brings_what_matters_most_and_then_nothing():
    coin = lambda p: p >= 0.9  # noqa: E731
    replies, _, _ = talk(someone(priority="crowd"), *[ask("open")] * 3, coin=coin)
    assert replies == [["answer(crowd, quiet)"], ["answer(theme, food)"], ["answer(open, none)"]]


def test_a_survey_is_answered_in_its_first_point_only():
    replies, state, _ = talk(someone(), ask("theme", "crowd", "budget"), coin=lambda p: p >= 0.9)
    assert replies == [["overwhelmed(questions)", "answer(theme, food)"]]
    assert state.used == pytest.approx(COST["question"] + 2 * COST["extra question"])


def test_asking_again_costs_and_annoys():
    replies, state, _ = talk(someone(), ask("theme"), ask("theme"), coin=lambda p: p >= 0.9)
    assert replies[1] == ["told(theme, food)"]
    assert state.used == pytest.approx(2 * COST["question"] + COST["repeated question"])


@pytest.mark.parametrize(
    "agent_acts",
    [
        ask("open", "theme"),  # "What are you looking for? Food, music?"
        (Act("ask", "theme"), Act("ask", "theme", "food")),  # "What do you like? Food?"
    ],
)
def test_one_turn_is_not_answered_twice(agent_acts):
    replies, state, _ = talk(someone(), agent_acts, coin=lambda p: p >= 0.9)
    assert replies == [["answer(theme, food)"]]
    assert state.used < COST["repeated question"] + COST["question"]


def test_who_has_just_changed_their_mind_is_not_annoyed_to_be_asked():
    replies, _, _ = talk(someone("changeable"), *[ask("theme")] * 3, coin=lambda p: p >= 0.85)
    assert replies == [["answer(theme, food)"], ["told(theme, food)"], ["change(theme, history)"]]


def test_hard_to_say_is_not_taken_back_in_the_same_turn():
    coin = lambda p: p < 0.5  # noqa: E731  evades, and would volunteer
    assert talk(someone("easygoing"), ask("theme"), coin=coin)[0] == [["evade(theme)"]]
    assert talk(someone("easygoing"), ask("budget"), coin=YES)[0] == [
        ["answer(budget, any)", "volunteer(theme, food)"]
    ]


def test_what_fits_is_accepted_and_what_does_not_is_refused_with_its_reason():
    persona = someone(need="step_free", budget="low")
    good, _ = good_and_bad(persona)
    stairs = next(entry for entry in SCENARIO.activities if not entry.step_free)
    assert talk(persona, suggest(good[0]))[0::2] == ([[f"accept({good[0]})"]], "accept")
    replies, state, _ = talk(persona, suggest(stairs.id))
    assert replies == [[f"reject(need, step_free, {stairs.id})"]]
    assert dict(state.told) == {"need": "step_free"}
    assert state.used == COST["bad suggestion"]


def test_ignoring_what_was_said_and_suggesting_again_cost_more():
    persona = someone(need="step_free")
    first, second = [entry.id for entry in SCENARIO.activities if not entry.step_free][:2]
    assert contradicts(first, {"need": "step_free"})
    assert not contradicts(first, {"need": "none", "open": "none"})
    _, state, ended_by = talk(persona, suggest(first), suggest(second))
    assert state.used == 2 * COST["bad suggestion"] + COST["ignores what was said"]
    assert ended_by == "leave"
    _, state, _ = talk(persona, suggest(first), suggest(first))
    assert state.used == 2 * COST["bad suggestion"] + COST["suggested again"]


def test_four_suggestions_at_once_are_not_considered():
    good, bad = good_and_bad(someone())
    replies, state, _ = talk(someone(), suggest(good[0], *bad[:3]))
    assert replies == [["overwhelmed(suggestions)"]]
    assert state.used == COST["too many suggestions"]
    assert state.rejected == frozenset()


def test_the_same_suggestion_twice_in_a_turn_is_one():
    good, bad = good_and_bad(someone())
    _, state, _ = talk(someone(), suggest(bad[0], bad[0]))
    assert state.used == talk(someone(), suggest(bad[0]))[1].used
    assert talk(someone("indecisive"), suggest(good[0], good[0]))[0] == [[f"hesitate({good[0]})"]]


def test_what_is_not_on_offer_is_refused():
    replies, _, ended_by = talk(someone(), suggest(_elsewhere()))
    assert replies[0][0].startswith("reject(")
    assert ended_by is None


def _elsewhere():
    other = next(s for s in (sample_scenario(stream(i, "s")) for i in range(9)) if s.place != SCENARIO.place)
    return other.items[0]


def test_the_indecisive_want_a_comparison_or_a_second_push():
    persona = someone("indecisive")
    good, bad = good_and_bad(persona)
    replies, _, ended_by = talk(persona, suggest(good[0]), suggest(good[0]))
    assert (replies, ended_by) == ([[f"hesitate({good[0]})"], [f"accept({good[0]})"]], "accept")
    assert talk(persona, suggest(bad[0], good[0]))[0::2] == ([[f"accept({good[0]})"]], "accept")
    # "Shall we do that?" means what was hesitated about; before, it means nothing
    check = (Act("check"),)
    assert talk(persona, suggest(good[0]), check)[2] == "accept"
    assert talk(persona, check)[0] == [["nudge"]]


def test_the_terse_do_not_always_say_why():
    _, bad = good_and_bad(someone("terse"))
    assert talk(someone("terse"), suggest(bad[0]))[0] == [[f"reject({bad[0]})"]]
    assert talk(someone("terse"), suggest(bad[0]), coin=lambda p: p >= 0.5)[0][0][0].count(",") == 2


def test_some_settle_for_second_best_and_others_leave():
    # looks for somebody to whom something is second-rate: good, but not among the best
    for i in range(200):
        persona = PreferencePrior().sample(stream(i, "z"), "impatient")
        judged = verdicts(SCENARIO.items, persona)
        close = [
            n for n, u in judged.utilities.items() if 0.7 * judged.best <= u and n not in judged.acceptable
        ]
        if close:
            break
    replies, _, ended_by = talk(persona, suggest(close[0]), coin=YES)
    assert (replies, ended_by) == ([[f"accept({close[0]})"]], "accept")
    patient = PreferencePersona(**(persona.to_json() | {"family": "focused"}))
    replies, _, ended_by = talk(patient, suggest(close[0]), suggest(close[0]), coin=NO)
    assert ended_by == "leave"
    assert "accept" not in replies[0][0]


def test_change_of_mind_counts_at_once_but_minds_nothing_unsaid():
    persona = someone("changeable", priority="theme", crowd="any")
    later = persona.changed()
    _, bad = good_and_bad(later)
    food = next(name for name in bad if name in good_and_bad(persona)[0])
    replies, state, _ = talk(persona, ask("time"), ask("pace"), suggest(food), coin=lambda p: p >= 0.9)
    assert replies[2][0] == "change(theme, history)"
    assert replies[2][1].startswith("reject(theme, history")
    assert state.used == pytest.approx(
        2 * COST["question"] + COST["bad suggestion"]
    )  # nobody could have known
    assert talk(
        persona, ask("time"), ask("pace"), suggest(good_and_bad(later)[0][0]), coin=lambda p: p >= 0.9
    )[2] == ("accept")


@pytest.mark.parametrize(
    ("kinds", "reply", "cost"),
    [
        (("greet",), "greet", 0.0),
        (("acknowledge",), "nudge", 0.0),
        (("inform",), "nudge", COST["idle"]),
        (("check",), "nudge", COST["idle"]),
        (("unknown",), "clarify", COST["not understood"]),
        (("greet", "unknown"), "clarify", COST["not understood"]),
        (("refuse",), "clarify", COST["not understood"]),
        ((), "clarify", COST["not understood"]),
    ],
)
def test_talk_that_leads_nowhere(kinds, reply, cost):
    replies, state, _ = talk(someone("easygoing"), tuple(Act(kind) for kind in kinds), coin=YES)
    assert replies == [[reply]]
    assert state.used == cost


def test_one_pleasantry_is_free():
    _, state, _ = talk(someone(), (Act("greet"),), (Act("greet"),))
    assert state.used == COST["idle"]


def test_goodbye_ends_it_but_not_together_with_a_suggestion():
    good, bad = good_and_bad(someone())
    bye = Act("close")
    assert talk(someone(), (bye,))[0::2] == ([["leave"]], "agent")
    assert talk(someone(), (*suggest(good[0]), bye))[2] == "accept"
    assert talk(someone(), (*suggest(bad[0]), bye))[2] is None


def test_costs_add_up_without_rounding_errors():
    # 8 × 0.5 is the whole patience of 4.0; tenths that add up to it must end it as well
    _, state, ended_by = talk(someone("reserved"), *[(Act("inform"),)] * 8)
    assert ended_by == "leave"
    assert state.used == 4.0
    _, _, ended_by = talk(
        someone("impatient"), *[ask("budget")] * 8, coin=NO
    )  # 8 × 0.3 = 2.4 but for rounding
    assert ended_by == "leave"
