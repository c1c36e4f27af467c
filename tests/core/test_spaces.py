"""Spaces that hold whatever anybody may write."""

import copy

import gymnasium as gym
import pytest
from gymnasium.vector.utils import batch_space
from hypothesis import given
from hypothesis import strategies as st

from dialog_envs.core.spaces import MAX_TEXT, UnicodeText, action_space, observation_space

ANY_TEXT = st.text(alphabet=st.characters(), max_size=60)


@given(text=ANY_TEXT)
def test_any_unicode_is_inside(text):
    assert action_space().contains(text)


@pytest.mark.parametrize("text", ["", " ", "\n", "á你🙂", "\ud800", "\x00", "a" * MAX_TEXT])
def test_odd_texts_are_inside(text):
    assert text in action_space()


@pytest.mark.parametrize("thing", [None, 3, b"bytes", ["list"], "a" * (MAX_TEXT + 1)])
def test_other_things_are_outside(thing):
    assert thing not in action_space()


def test_samples_are_inside_and_follow_the_seed():
    space, twin = UnicodeText(50), UnicodeText(50)
    space.seed(3)
    twin.seed(3)
    samples = [space.sample() for _ in range(50)]
    assert samples == [twin.sample() for _ in range(50)]
    assert all(sample in space for sample in samples)
    assert len(set(samples)) > 40
    assert UnicodeText(0).sample() == ""


def test_equality_is_by_length():
    assert UnicodeText(5) == UnicodeText(5) == copy.deepcopy(UnicodeText(5))
    assert UnicodeText(5) != UnicodeText(6)
    assert UnicodeText(5) != gym.spaces.Text(5)
    assert repr(UnicodeText(5)) == "UnicodeText(5)"


@given(texts=st.lists(ANY_TEXT, max_size=4))
def test_dialogues_are_observations(texts):
    turns = tuple({"speaker": i % 2, "text": text} for i, text in enumerate(texts))
    space = observation_space()
    assert space.contains({"brief": "b", "dialogue": turns})
    assert not space.contains({"brief": "b", "dialogue": ({"speaker": 2, "text": ""},)})
    assert not space.contains({"brief": "b"})


def test_spaces_can_be_batched_and_sampled():
    batched = batch_space(observation_space(), 3)
    assert batched.contains(batched.sample())
    texts = batch_space(action_space(), 3)
    assert texts.contains(("", "á", "🙂"))
    assert observation_space().contains(observation_space().sample())
