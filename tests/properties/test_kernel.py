"""What holds for the kernel whoever the traveller is, and whatever the agent does."""

import copy
import math

from hypothesis import event, given, settings

from dialog_envs.core.dialogue import AGENT, USER, Turn
from dialog_envs.core.seeding import stream
from dialog_envs.tasks.preference.catalogue import item
from dialog_envs.tasks.preference.kernel import PreferenceKernel, closes, questions, suggestions
from dialog_envs.tasks.preference.persona import HARD, SLOTS, SOFT, lie_slot
from dialog_envs.tasks.preference.scoring import score
from dialog_envs.tasks.preference.utility import SECOND_RATE, breaks, match, verdicts
from tests.properties.dialogues import cases

KERNEL = PreferenceKernel()
PROPERTY = settings(max_examples=60)


def play(case):
    """(state before, agent acts, user acts, state after, ended_by) of each exchange."""
    persona, scenario, talk, seed = case
    rng, state, ended_by = stream(seed, "coins"), KERNEL.start(scenario, persona), None
    for agent_acts in talk:
        before = state
        user_acts, state, ended_by = KERNEL.step(before, agent_acts, rng)
        yield before, agent_acts, user_acts, state, ended_by
        if ended_by:
            return


def left(state):
    return round(state.persona.manner.patience - state.used, 6)


@PROPERTY
@given(case=cases())
def test_a_response_is_a_distribution_and_sampling_stays_in_it(case):
    for before, agent_acts, user_acts, after, ended_by in play(case):
        rows = KERNEL.distribution(before, agent_acts)
        assert math.isclose(sum(p for p, *_ in rows), 1.0, abs_tol=1e-12)
        assert all(p > 0 for p, *_ in rows)
        assert (user_acts, after, ended_by) in [tuple(row[1:]) for row in rows]
        assert len({row[1] for row in rows}) == len(rows), (
            "two ways to the same acts: the posterior would add them"
        )


@PROPERTY
@given(case=cases())
def test_states_are_values(case):
    persona, scenario, talk, seed = case
    state = KERNEL.start(scenario, persona)
    twin = copy.deepcopy(state)
    first = KERNEL.step(state, talk[0], stream(seed, "coins"))
    assert state == twin
    assert first == KERNEL.step(state, talk[0], stream(seed, "coins"))


@PROPERTY
@given(case=cases())
def test_patience_never_rises_and_leaving_is_its_end(case):
    for before, agent_acts, user_acts, after, ended_by in play(case):
        event(str(ended_by))
        assert after.used >= before.used >= 0
        assert after.turns == before.turns + 1
        assert user_acts, "a user turn does something"
        kinds = [act.kind for act in user_acts]
        assert (ended_by == "agent") == closes(agent_acts, suggestions(agent_acts, before.pondered))
        assert (ended_by == "accept") == ("accept" in kinds)
        assert (ended_by in ("leave", "agent")) == (kinds[-1] == "leave")
        if ended_by in (None, "leave"):
            assert (ended_by == "leave") == (left(after) <= 0)


@PROPERTY
@given(case=cases())
def test_only_what_is_asked_is_answered_and_at_most_one_thing_is_volunteered(case):
    for before, agent_acts, user_acts, after, _ in play(case):
        asked = {act.slot for act in questions(agent_acts)}
        suggested = suggestions(agent_acts, before.pondered)
        known = dict(before.told)
        answers = [act for act in user_acts if act.kind in ("answer", "evade", "told")]
        assert len(answers) <= len(asked)
        assert not (answers and suggested)
        for act in answers:
            if act.kind == "told":
                assert act.slot in asked
                assert known[act.slot] == act.value
            elif "open" in asked:
                assert act.slot in asked or act.slot in SOFT
            else:
                assert act.slot in asked
        said = [act.slot for act in user_acts if act.kind in ("answer", "volunteer", "change", "told")]
        assert len(said) == len(set(said)), "the same thing twice in a turn"
        volunteered = [act for act in user_acts if act.kind == "volunteer"]
        assert len(volunteered) <= 1
        for act in volunteered:
            assert act.slot not in known
            assert act.value == after.persona.says(act.slot) != "any"
            assert asked or suggested
            assert not any(answer.kind == "evade" for answer in answers)
        if len(asked) >= 3 and not suggested:
            assert len(answers) <= 1


@PROPERTY
@given(case=cases())
def test_reasons_are_true_and_name_a_limit_first(case):
    for _, _, user_acts, after, _ in play(case):
        for act in user_acts:
            if act.kind != "reject" or act.slot is None:
                continue
            entry, persona = item(act.item), after.persona
            assert act.value == getattr(persona, act.slot)
            broken = [slot for slot in HARD if breaks(entry, slot, getattr(persona, slot))]
            if broken:
                assert act.slot == broken[0]
            else:
                assert match(entry, act.slot, act.value) < 1.0


@PROPERTY
@given(case=cases())
def test_success_is_exactly_accepting_what_is_among_the_best(case):
    persona, scenario, *_ = case
    turns, ended_by, last = [Turn(USER, "Hello")], None, None
    for before, agent_acts, user_acts, after, end in play(case):
        turns += [Turn(AGENT, "", agent_acts), Turn(USER, "", user_acts)]
        ended_by, last = end, (before, after)
    taken = [act.item for turn in turns if turn.speaker == USER for act in turn.acts if act.kind == "accept"]
    outcome = score(persona, scenario, turns, ended_by or "cap")
    judged = verdicts(scenario.items, last[1].persona)
    assert judged.acceptable
    assert outcome.success == bool(taken and taken[0] in judged.acceptable)
    assert outcome.graded == (judged.utilities[taken[0]] / judged.best if taken else 0.0)
    if taken and not outcome.success:
        assert persona.manner.settles
        assert SECOND_RATE <= outcome.graded < 1
        assert 0 < left(last[1]) <= 1.0
    if outcome.success:
        assert outcome.graded >= 0.9


@PROPERTY
@given(case=cases(families=("cost_averse",)))
def test_the_cost_averse_tell_their_budget_only_in_refusals(case):
    for _, _, user_acts, _, _ in play(case):
        for act in user_acts:
            if act.slot == "budget" and act.kind != "evade":
                assert (act.kind, act.value) in (
                    ("reject", "low"),
                    ("answer", "any"),
                    ("told", "any"),
                    ("told", "low"),
                )


@PROPERTY
@given(case=cases(families=("contradictory",)))
def test_the_contradictory_lie_about_exactly_one_thing(case):
    persona = case[0]
    lies = {slot for slot in SLOTS if persona.says(slot) != getattr(persona, slot)}
    assert lies == {lie_slot(persona)}
    for _, _, user_acts, _, _ in play(case):
        for act in user_acts:
            if act.kind in ("answer", "volunteer") and act.slot in SLOTS:
                assert (act.value == getattr(persona, act.slot)) == (act.slot not in lies)


@PROPERTY
@given(case=cases(families=("changeable",)))
def test_the_changeable_change_once_in_the_third_turn(case):
    persona = case[0]
    for number, (before, agent_acts, user_acts, after, _) in enumerate(play(case), start=1):
        changes = [act for act in user_acts if act.kind == "change"]
        closed = closes(agent_acts, suggestions(agent_acts, before.pondered))
        assert len(changes) == (number == 3 and not closed)
        assert after.persona == (persona.changed() if after.changed else persona)
        assert after.changed == (number > 3 or bool(changes))


@PROPERTY
@given(case=cases(families=("easygoing", "focused", "terse", "impatient")))
def test_nobody_else_hesitates_lies_or_changes(case):
    persona = case[0]
    for _, _, user_acts, after, _ in play(case):
        assert after.persona == persona
        assert not {"hesitate", "change"} & {act.kind for act in user_acts}
        for act in user_acts:
            if act.kind in ("answer", "volunteer") and act.slot in SLOTS:
                assert act.value == getattr(persona, act.slot)
