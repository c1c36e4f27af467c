"""The kernel's manners, one by one."""

import pytest

from dialog_envs.core.dialogue import Act
from dialog_envs.core.seeding import stream
from dialog_envs.tasks.persuasion import dynamics as d
from dialog_envs.tasks.persuasion import policies
from dialog_envs.tasks.persuasion.acts import band
from dialog_envs.tasks.persuasion.kernel import PersuasionKernel
from dialog_envs.tasks.persuasion.persona import PersuasionPersona
from dialog_envs.tasks.persuasion.scenario import sample_scenario

KERNEL = PersuasionKernel()
SCENARIO = sample_scenario(stream(5, "scenario"))
YES, NO = (lambda p: p > 0), (lambda p: p >= 1)
"""Coins: everything that can happen happens; only what must happen happens."""
OPEN = lambda p: p >= 0.7  # noqa: E731  answers, and volunteers nothing


def someone(family="practical", **changes):
    factors = {"value": "nature", "taste": "reason", "means": "modest", "trust": "high"}
    return PersuasionPersona(family, **(factors | {"objection": "none", "hidden": "none"} | changes))


def ask(*slots):
    return tuple(Act("ask", slot) for slot in slots)


def appeal(slot, value="nature"):
    """An appeal tied to a value, the way scripted policies say it."""
    return policies.appeal(slot, value)


def inform(*facts):
    return tuple(Act("inform", fact) for fact in facts)


def address(*slots):
    return tuple(Act("address", slot) for slot in slots)


def propose(amount="small"):
    return (Act("propose", value=amount),)


COMMIT = (Act("commit"),)
WON = (appeal("logical"), appeal("values"))
"""Two appeals that make a friend of reason willing."""


def talk(persona, *agent_turns, coin=OPEN):
    """The user's turns, the last state, and who ended it."""
    state, replies, ended_by = KERNEL.start(SCENARIO, persona), [], None
    for agent_acts in agent_turns:
        assert ended_by is None
        acts, state, ended_by = KERNEL.respond(state, agent_acts, coin)
        replies.append([str(act) for act in acts])
    return replies, state, ended_by


def test_asking_for_money_at_once_fails():
    replies, state, ended_by = talk(someone(), propose(), propose(), propose())
    assert replies == [["decline"], ["decline"], ["decline"]]
    assert ended_by is None
    assert state.used == 3 * (d.COST["talk"] + d.COST["refused"]) + 3 * d.COST["refused again"]


def test_the_right_lever_wins_a_donation():
    replies, _, ended_by = talk(someone(), *WON, propose("small"))
    assert replies == [["warm(logical)"], ["warm(values)"], ["donate(small)"]]
    assert ended_by == "accept"


@pytest.mark.parametrize(
    ("persona", "acts", "reply", "won"),
    [
        (someone(), appeal("logical"), "warm(logical)", 60),
        (someone(), appeal("logical", None), "warm(logical)", 30),
        (someone(), appeal("logical", "fairness"), "cool(logical)", d.MISSED),
        (someone(), appeal("values", None), "cool(values)", 0),
        (someone(), appeal("emotional"), "nudge", 10),
        (someone(taste="feeling"), appeal("emotional"), "warm(emotional)", 60),
        (someone(trust="low"), appeal("logical"), "warm(logical)", 30),
        (someone("evidence_only"), appeal("story"), "cool(story)", d.OFFENDED),
    ],
)
def test_appeals_work_by_their_fit(persona, acts, reply, won):
    replies, state, _ = talk(persona, acts)
    assert replies == [[reply]]
    assert state.will == won


def test_appeals_wear_off():
    wills = [talk(someone(), *[appeal("logical")] * n)[1].will for n in (1, 2, 3)]
    assert wills == [60, 90, 80]


def test_an_objection_must_be_named_before_it_can_be_met():
    persona = someone(objection="waste")
    assert talk(persona, ask("concern"))[0] == [["object(waste)"]]
    assert talk(persona, address("waste"))[0] == [["object(waste)"]]
    replies, state, _ = talk(persona, ask("concern"), address("waste") + inform("spending"))
    assert replies[1] == ["resolved(waste)"]
    assert state.met == {"waste"}


def test_reason_wants_the_fact_and_feeling_wants_words():
    fact, words = inform("evidence"), address("effect")
    reason, feeling = (someone(objection="effect", taste=taste) for taste in ("reason", "feeling"))
    assert talk(reason, ask("concern"), fact)[0][1] == ["resolved(effect)"]
    assert talk(reason, ask("concern"), words)[0][1] == ["object(effect)"]
    assert talk(feeling, ask("concern"), fact)[0][1] == ["nudge"]
    assert talk(feeling, ask("concern"), words)[0][1] == ["resolved(effect)"]


def test_guessing_at_objections_plants_doubt():
    _, state, _ = talk(someone(), address("waste"))
    assert state.trust == d.TRUST_START["high"] + d.PLANTED


def test_the_hidden_objection_blocks_without_a_word():
    persona = someone("guarded", objection="cost", hidden="trust")
    met = (ask("concern"), address("cost") + inform("impact"))
    replies, _, _ = talk(persona, *WON, *met, propose(), ask("concern"), coin=OPEN)
    assert replies[4] == ["decline"]
    assert replies[5] == ["reveal(trust)"]
    replies, _, ended_by = talk(
        persona, *WON, *met, ask("concern"), address("trust") + inform("credibility"), propose()
    )
    assert ended_by == "accept"


def test_the_hidden_objection_needs_trust():
    guarded = someone("guarded", objection="cost", hidden="waste", trust="mid")
    assert talk(guarded, ask("concern"), ask("concern"))[0] == [["object(cost)"], ["evade(concern)"]]
    warm = someone("warm", objection="cost", hidden="waste", trust="mid")
    assert talk(warm, ask("concern"), ask("concern"))[0][1] == ["reveal(waste)"]


def test_who_does_not_trust_asks_for_facts_first():
    persona = someone(trust="low")
    replies, state, _ = talk(persona, propose(), inform("evidence"))
    assert replies == [["doubt(evidence)"], ["resolved(evidence)"]]
    assert state.trust == d.TRUST_START["low"] + d.FACT_TRUST["evidence"] + d.ANSWERED


def test_the_yes_sayer_promises_and_gives_nothing_until_committed():
    persona = someone("yes_sayer", hidden="time")
    assert talk(persona, propose(), COMMIT)[0] == [["promise(small)"], ["decline"]]
    replies, _, ended_by = talk(persona, propose(), *WON, ask("concern"), address("time"), COMMIT)
    assert replies[0] == ["promise(small)"]
    assert replies[-1] == ["donate(small)"]
    assert ended_by == "accept"
    assert talk(persona, propose(), (Act("acknowledge"), Act("close")))[2] == "agent"


def test_some_say_yes_and_mean_later():
    busy = someone("busy")
    assert talk(busy, *WON, propose(), coin=YES)[0][-1] == ["promise(small)"]
    assert talk(busy, *WON, propose(), COMMIT, coin=YES)[2] == "accept"
    assert talk(busy, *WON, propose() + COMMIT, coin=YES)[2] == "accept"


def test_pressure_and_inventions_backfire():
    push, invent = (Act("pressure", value="guilt"),), (Act("fabricate"),)
    replies, state, _ = talk(someone(), push, coin=YES)
    assert replies == [["bristle(pressure)"]]
    assert state.trust == d.TRUST_START["high"] + d.PUSHED
    assert talk(someone(), push, coin=NO)[0] == [["nudge"]]  # not said, but not forgotten
    assert talk(someone(), push, coin=NO)[1] == talk(someone(), push, coin=YES)[1]
    _, state, _ = talk(someone(), *WON, invent, propose())
    assert state.refusals == 1
    assert talk(someone("reactant"), push, push, coin=NO)[2] == "leave"


def test_a_small_step_opens_the_door_for_some():
    step = propose("token")
    assert talk(someone("warm"), step)[0] == [["agree(token)"]]
    assert talk(someone("warm"), step)[1].will == d.FOOT
    assert talk(someone("practical"), step)[1].will == 0
    assert talk(someone("warm", trust="low"), step)[0] == [["decline"]]
    assert talk(someone("warm"), step, step)[0][1] == ["decline"]


def test_too_much_is_answered_with_what_is_possible():
    replies, _, ended_by = talk(someone(means="tight"), *WON, propose("large"), COMMIT)
    assert replies[2:] == [["counteroffer(small)"], ["donate(small)"]]
    assert ended_by == "accept"
    more = (*WON, appeal("identity"), inform("impact"), propose("large"))
    assert talk(someone(means="modest"), *more)[0][-1] == ["counteroffer(medium)"]
    assert talk(someone(means="comfortable"), *more)[0][-1] == ["donate(large)"]


def test_questions_bring_answers_or_not_and_only_once():
    assert talk(someone(), ask("values"), ask("values"))[0] == [
        ["answer(values, nature)"],
        ["told(values, nature)"],
    ]
    assert talk(someone(), ask("means"), coin=NO)[0] == [["evade(means)"]]
    assert talk(someone(trust="low"), ask("experience"))[0] == [["answer(experience, bad)"]]
    assert talk(someone(), ask("open"), ask("open"), ask("open"))[0] == [
        ["answer(values, nature)"],
        ["answer(experience, good)"],
        ["answer(open, none)"],
    ]
    assert talk(someone(), ask("concern"))[0] == [["answer(concern, none)"]]
    assert talk(someone(), ask("values", "means", "experience"))[0] == [
        ["overwhelmed", "answer(values, nature)"]
    ]


def test_a_question_beside_a_request_is_not_answered():
    assert talk(someone(), ask("values") + propose())[0] == [["decline"]]


def test_crowded_and_long_turns_tire():
    _, one, _ = talk(someone(), appeal("logical"))
    _, two, _ = talk(someone(), (*appeal("logical"), Act("appeal", "emotional")))
    assert two.used == one.used + d.COST["extra appeal"]
    _, four, _ = talk(someone(), appeal("logical") + inform("mission", "impact") + ask("open"))
    points = 2 * d.COST["fact"] + d.COST["question"] + 2 * d.COST["crowded"]
    assert four.used == one.used + points
    _, long, _ = talk(someone(), (*appeal("logical"), Act("lengthy", value="very_long")))
    assert long.used == one.used + d.COST["very_long"]


@pytest.mark.parametrize(
    ("kinds", "reply", "cost"),
    [
        (("greet",), "greet", 0),
        (("acknowledge",), "nudge", 0),
        (("check",), "nudge", d.COST["idle"]),
        (("unknown",), "clarify", d.COST["not understood"]),
        (("refuse",), "clarify", d.COST["not understood"]),
        ((), "clarify", d.COST["not understood"]),
    ],
)
def test_talk_that_leads_nowhere(kinds, reply, cost):
    replies, state, _ = talk(someone(), tuple(Act(kind) for kind in kinds))
    assert replies == [[reply]]
    assert state.used == cost


def test_goodbye_ends_it_but_not_together_with_a_request():
    bye = (Act("close"),)
    assert talk(someone(), bye)[0::2] == ([["leave"]], "agent")
    assert talk(someone(), propose() + bye)[2] is None


def test_patience_ends():
    assert talk(someone("busy"), *[ask("concern")] * 10)[2] is None  # 10 × 0.7
    assert talk(someone("busy"), *[ask("concern")] * 11)[2] == "leave"
    _, state, ended_by = talk(someone("busy"), *[(Act("unknown"),)] * 8)
    assert ended_by == "leave"
    assert state.used >= 750


def test_amounts_have_bands():
    assert [band(euros) for euros in (1, 2, 3, 15, 16, 40, 41, 500)] == [
        "token", "token", "small", "small", "medium", "medium", "large", "large",
    ]  # fmt: skip
