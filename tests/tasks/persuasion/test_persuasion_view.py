"""What learned agents see, and the menu: made from the text alone."""

import re

import pytest

from dialog_envs.core.dialogue import AGENT, USER, Act
from dialog_envs.core.seeding import stream
from dialog_envs.tasks.persuasion.language.saying import say
from dialog_envs.tasks.persuasion.menu import MOST, menu
from dialog_envs.tasks.persuasion.scenario import sample_scenario
from dialog_envs.tasks.persuasion.task import PersuasionTask
from dialog_envs.tasks.persuasion.tracker import Follower, Tracker
from dialog_envs.tasks.persuasion.view import PersuasionView, note

SCENARIO = sample_scenario(stream(2, "s"))
TASK, VIEW = PersuasionTask(), PersuasionView()


def exchange(tracker, agent, user):
    tracker.hear(agent, user)
    return tracker


def talk(seed, family=None, turns=6):
    """A dialogue of the competent policy in words."""
    rng = stream(seed, "talk")
    persona, scenario = TASK.prior.sample(rng, family), TASK.sample_scenario(rng)
    policy = TASK.policies["competent"]()
    policy.start(scenario.brief, rng)
    dialogue = [{"speaker": USER, "text": TASK.language.opening(persona, scenario, rng)}]
    state = TASK.kernel.start(scenario, persona)
    for _ in range(turns):
        text = TASK.language.say(
            policy.acts({"brief": scenario.brief, "dialogue": tuple(dialogue)}), scenario, rng
        )
        heard = TASK.language.understand(text, scenario, dialogue)
        dialogue.append({"speaker": AGENT, "text": text})
        acts, state, ended_by = TASK.kernel.step(state, heard, rng)
        dialogue.append(
            {"speaker": USER, "text": TASK.language.phrase(acts, persona, scenario, rng, dialogue)}
        )
        if ended_by:
            break
    return scenario, dialogue


def test_the_note_tells_what_is_known_and_what_is_in_the_way():
    tracker = Tracker()
    assert note(tracker) == "turn 0; value ?; appeals 0"
    exchange(tracker, (Act("ask", "values"),), (Act("answer", "values", "nature"),))
    exchange(tracker, (Act("ask", "concern"),), (Act("object", "waste"),))
    assert note(tracker) == "turn 2; value nature; open waste needs spending; appeals 0"
    exchange(tracker, (Act("address", "waste"), Act("inform", "spending")), (Act("resolved", "waste"),))
    exchange(
        tracker, (Act("appeal", "values", "nature"), Act("appeal", "logical")), (Act("warm", "logical"),)
    )
    exchange(tracker, (Act("appeal", "emotional"),), (Act("cool", "emotional"),))
    exchange(tracker, (Act("propose", value="small"),), (Act("decline"),))
    assert note(tracker) == (
        "turn 6; value nature; met waste; warm logical; cool emotional; appeals 2; refused 1"
    )
    exchange(tracker, (Act("ask", "concern"),), (Act("evade", "concern"),))
    exchange(tracker, (Act("propose", value="small"),), (Act("promise", value="small"),))
    assert note(tracker).endswith(
        "hides; warm logical; cool emotional; appeals 2; refused 1; promised; tired"
    )


def test_facts_and_the_name_are_tokens_and_back():
    texts = [
        say((Act("inform", kind),), SCENARIO, stream(i, "w")) for i, kind in enumerate(["spending", "story"])
    ]
    dialogue = [{"speaker": USER, "text": f"What is {SCENARIO.charity.name}?"}]
    dialogue += [{"speaker": AGENT, "text": text} for text in texts]
    segments = VIEW.segments(SCENARIO.brief, dialogue)
    assert segments[0] == ("user", "What is <charity>?")
    agent = [text for role, text in segments if role == "agent"]
    assert "<spending>" in agent[0]
    assert "<story>" in agent[1]
    assert [VIEW.realise(text, SCENARIO.brief, dialogue[:1]) for text in agent] == texts


def test_the_value_that_was_told_is_a_token_and_back():
    dialogue = [
        {"speaker": USER, "text": "Hello."},
        {"speaker": AGENT, "text": "Which values are important to you?"},
        {"speaker": USER, "text": "That people can stand on their own feet."},
        {"speaker": AGENT, "text": "If you care about self-reliance, this is for you."},
    ]
    segments = VIEW.segments(SCENARIO.brief, dialogue)
    assert ("agent", "If you care about <value>, this is for you.") in segments
    assert VIEW.realise(segments[-1][1], SCENARIO.brief, dialogue[:3]) == dialogue[3]["text"]
    assert VIEW.realise("<value>", SCENARIO.brief, dialogue[:1]) == "what is dear to you"


def test_the_second_fact_of_a_kind_comes_when_the_first_was_told():
    first, second = SCENARIO.charity.texts("mission")
    told = [{"speaker": AGENT, "text": first}]
    assert VIEW.realise("<mission> <charity>", SCENARIO.brief, []) == f"{first} {SCENARIO.charity.name}"
    assert VIEW.realise("<mission>", SCENARIO.brief, told) == second
    assert VIEW.realise("<nothing> 2 < 3", SCENARIO.brief, told) == "<nothing> 2 < 3"


@pytest.mark.parametrize("seed", range(4))
def test_a_view_grows_with_the_dialogue_and_realises_to_what_was_said(seed):
    scenario, dialogue = talk(seed)
    whole = VIEW.segments(scenario.brief, dialogue)
    assert [role for role, _ in whole[:3]] == ["user", "note", "agent"]
    assert whole[-1][0] == "note"
    for i in range(1, len(dialogue)):
        part = VIEW.segments(scenario.brief, dialogue[:i])
        cut = part if dialogue[i - 1]["speaker"] == AGENT else part[:-1]
        assert whole[: len(cut)] == cut
    for text in (text for role, text in whole if role == "agent"):
        assert set(re.findall(r"<\w+>", text)) <= set(VIEW.special_tokens)
        assert scenario.charity.name not in text


def test_a_copied_reader_goes_on_by_itself():
    scenario, dialogue = talk(1)
    reader = Follower(scenario.brief)
    reader.catch_up(dialogue[:3])
    twin, before = reader.copy(), note(reader.tracker)
    twin.catch_up(dialogue)
    assert note(reader.tracker) == before
    whole = Follower(scenario.brief)
    whole.catch_up(dialogue)
    assert note(twin.tracker) == note(whole.tracker)
    assert twin.exchanges == whole.exchanges


@pytest.mark.parametrize("seed", range(4))
def test_the_menu_is_short_and_can_be_said(seed):
    scenario, dialogue = talk(seed)
    for i in range(1, len(dialogue) + 1, 2):
        found, turns = menu(scenario.brief, dialogue[:i])
        assert found == scenario
        assert 6 <= len(turns) <= MOST
        assert len(set(turns)) == len(turns)
        for acts in turns:
            text = say(acts, scenario, stream(i, "w"))
            assert set(TASK.language.understand(text, scenario, dialogue[:i])) == set(acts)


def test_the_menu_answers_an_objection_first():
    dialogue = [
        {"speaker": USER, "text": "Hello."},
        {"speaker": AGENT, "text": "What would hold you back from giving?"},
        {"speaker": USER, "text": "I can't afford it."},
    ]
    _, turns = menu(SCENARIO.brief, dialogue)
    assert turns[0] == (Act("address", "cost"), Act("inform", "impact"))
