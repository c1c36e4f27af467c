"""The view of learned agents: a note before each of their turns, names as ranks, nothing hidden."""

import pytest

from dialog_envs.core.dialogue import AGENT, USER, Act
from dialog_envs.core.seeding import stream
from dialog_envs.registration import get_task
from dialog_envs.tasks.preference.catalogue import places
from dialog_envs.tasks.preference.language.saying import say
from dialog_envs.tasks.preference.scenario import PreferenceScenario, sample_scenario
from dialog_envs.tasks.preference.tracker import Tracker
from dialog_envs.tasks.preference.view import PreferenceView, note
from tests.tasks.preference_play import dialogues

VIEW = PreferenceView()
DIALOGUES = [(scenario, [turn.view() for turn in turns]) for _, scenario, turns in dialogues(15, seed=8)]
IDS = range(len(DIALOGUES))


@pytest.mark.parametrize("i", IDS)
def test_a_note_stands_before_each_agent_turn_and_at_the_end(i):
    scenario, dialogue = DIALOGUES[i]
    roles = [role for role, _ in VIEW.segments(scenario.brief, dialogue)]
    expected = []
    for turn in dialogue:
        expected += ["note", "agent"] if turn["speaker"] == AGENT else ["user"]
    assert roles == [*expected, "note"]
    assert VIEW.segments(scenario.brief, dialogue[:-1])[-1][0] == "agent"


@pytest.mark.parametrize("i", IDS)
def test_the_past_never_changes(i):
    scenario, dialogue = DIALOGUES[i]
    whole = VIEW.segments(scenario.brief, dialogue)
    for cut in range(1, len(dialogue) + 1):
        part = VIEW.segments(scenario.brief, dialogue[:cut])
        assert part == whole[: len(part)], "what an agent was trained on differs from what it will see"


@pytest.mark.parametrize("i", IDS)
def test_names_become_ranks_and_ranks_become_the_same_names(i):
    scenario, dialogue = DIALOGUES[i]
    texts = [text for role, text in VIEW.segments(scenario.brief, dialogue) if role == "agent"]
    where = [t for t, turn in enumerate(dialogue) if turn["speaker"] == AGENT]
    for t, text in zip(where, texts, strict=True):
        assert not any(name in text for name in scenario.item_names)
        assert VIEW.realise(text, scenario.brief, dialogue[:t]) == dialogue[t]["text"]


def test_user_words_are_left_as_they_are():
    scenario, dialogue = DIALOGUES[0]
    said = [text for role, text in VIEW.segments(scenario.brief, dialogue) if role == "user"]
    assert said == [turn["text"] for turn in dialogue if turn["speaker"] == USER]


@pytest.mark.parametrize("place", places(), ids=lambda place: place.slug)
def test_every_activity_can_be_named_and_read_back(place):
    understand = get_task("PreferenceElicitation-v0").language.understand
    for start in range(0, len(place.items), 16):
        ids = tuple(entry.id for entry in place.items[start : start + 16])
        scenario = PreferenceScenario(place.name, "a honeymoon", "couple", ids)
        for id, name in zip(scenario.items, scenario.item_names, strict=True):
            text = say((Act("suggest", item=id),), scenario, stream(1, "words"))
            _, seen = VIEW.segments(scenario.brief, [{"speaker": AGENT, "text": text}])[1]
            assert name not in seen
            assert VIEW.realise(seen, scenario.brief, []) == text
            assert Act("suggest", item=id) in understand(text, scenario, [])


def test_ranks_that_there_are_not_stay_as_they_are():
    scenario = sample_scenario(stream(3, "scenario"))
    assert VIEW.realise("<0> <17> <99> <x> a < b", scenario.brief, []) == "<0> <17> <99> <x> a < b"
    assert VIEW.realise("<1> or <1>?", scenario.brief, []) == "{0} or {0}?".format(scenario.item_names[0])
    assert VIEW.special_tokens == tuple(f"<{rank}>" for rank in range(1, 17))


def test_notes():
    scenario = sample_scenario(stream(3, "scenario"))
    heard = Tracker(scenario.activities)
    assert note(heard) == "turn 0; open theme setting pace crowd budget time need; fit 9"
    heard.hear(
        (), (Act("answer", "theme", "food"), Act("evade", "pace"), Act("hesitate", item=scenario.items[0]))
    )
    heard.hear((), (Act("reject", "budget", "low", scenario.items[1]),))
    assert note(heard).startswith("turn 2; open setting crowd time need; unsure pace; fit ")
    assert note(heard).endswith("; refused 1; undecided")
