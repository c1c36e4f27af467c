"""What an agent can know from words alone."""

import pytest

from dialog_envs.core.dialogue import AGENT, USER, Act
from dialog_envs.core.seeding import stream
from dialog_envs.errors import UsageError
from dialog_envs.tasks.preference.persona import SLOTS, VALUES
from dialog_envs.tasks.preference.scenario import sample_scenario
from dialog_envs.tasks.preference.tracker import Follower, Tracker
from dialog_envs.tasks.preference.utility import breaks
from tests.tasks.preference_play import dialogues

SCENARIO = sample_scenario(stream(3, "scenario"))


def tracker(*user_acts, asked=()):
    found = Tracker(SCENARIO.activities)
    found.hear([Act("ask", slot) for slot in asked], user_acts)
    return found


def test_the_latest_word_on_each_wish_counts():
    heard = tracker(Act("answer", "theme", "food"), asked=("theme",))
    heard.hear((), (Act("change", "theme", "art"), Act("reject", "budget", "low", SCENARIO.items[0])))
    assert heard.wishes == {"theme": "art", "budget": "low"}
    assert heard.refused == {SCENARIO.items[0]}


def test_a_change_of_mind_gives_refused_activities_another_chance():
    heard = tracker(Act("reject", item=SCENARIO.items[0]))
    heard.hear((), (Act("change", "theme", "art"),))
    assert heard.refused == set()


def test_what_was_evaded_stays_open_until_it_is_answered():
    heard = tracker(Act("evade", "theme"), asked=("theme",))
    assert heard.evaded == {"theme"}
    heard.hear((), (Act("volunteer", "theme", "food"),))
    assert heard.evaded == set()


def test_foremost_is_what_an_open_question_brought():
    assert tracker(Act("answer", "theme", "food"), asked=("theme",)).foremost is None
    assert tracker(Act("answer", "crowd", "quiet"), asked=("open",)).foremost == "crowd"
    assert tracker(Act("answer", "budget", "low"), asked=("open",)).foremost is None


def test_without_wishes_all_are_level_and_limits_outweigh_wishes():
    heard = tracker()
    assert heard.leaders() == len(SCENARIO.items)
    assert [name for name, _ in heard.ranking()] == list(SCENARIO.items)
    heard = tracker(Act("answer", "theme", "food"), Act("answer", "budget", "low"))
    ranking = [name for name, _ in heard.ranking()]
    dear = [entry.id for entry in SCENARIO.activities if breaks(entry, "budget", "low")]
    assert set(ranking[-len(dear) :]) == set(dear)


def test_refused_ones_come_last_and_a_pondered_one_first():
    first, second, *_ = SCENARIO.items
    heard = tracker(Act("reject", item=first), Act("hesitate", item=second))
    ranking = [name for name, _ in heard.ranking()]
    assert (ranking[0], ranking[-1]) == (second, first)
    heard.hear((), (Act("reject", item=second),))
    assert heard.ranking()[0][0] not in (first, second)


def test_reading_in_steps_equals_reading_at_once():
    for _, scenario, turns in dialogues(12, seed=5):
        views = [turn.view() for turn in turns]
        whole, steps = Follower(scenario.brief), Follower(scenario.brief)
        whole.catch_up(views)
        for i in range(len(views) + 1):
            steps.catch_up(views[:i])
        assert steps.exchanges == whole.exchanges
        assert steps.tracker == whole.tracker
        assert len(whole.exchanges) == len(turns) // 2


def test_what_is_read_is_nearly_always_what_was_meant():
    right = total = 0
    for _, scenario, turns in dialogues(60, seed=6):
        reader = Follower(scenario.brief)
        reader.catch_up([turn.view() for turn in turns])
        meant = Tracker(scenario.activities)
        for agent, user in zip(turns[1::2], turns[2::2], strict=True):
            meant.hear(agent.acts, user.acts)
        for slot in SLOTS:
            total += slot in meant.wishes
            right += slot in meant.wishes and meant.wishes[slot] == reader.tracker.wishes.get(slot)
        assert all(value in VALUES[slot] for slot, value in reader.tracker.wishes.items())
    assert right / total > 0.97


def test_any_words_can_be_followed():
    reader = Follower(SCENARIO.brief)
    reader.catch_up([])
    odd = ["", "\ud800", "<99> {x}", "9" * 3000, "Nein danke, lieber etwas anderes", SCENARIO.brief]
    reader.catch_up([{"speaker": (AGENT, USER)[i % 2], "text": text} for i, text in enumerate(odd)])
    assert len(reader.exchanges) == 3
    assert len(reader.tracker.ranking()) == len(SCENARIO.items)


def test_a_brief_of_something_else_is_refused():
    with pytest.raises(UsageError, match="not a brief"):
        Follower("Sell a car.")
