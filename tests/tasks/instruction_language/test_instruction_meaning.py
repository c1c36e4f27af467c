"""Vectors of words, what sentences have in common with ideas, and the ranking of ideas: whole numbers that belong
together."""

from __future__ import annotations

from importlib.resources import files
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.instruction.content import Concept, concepts
from dialog_envs.tasks.instruction.language import classifier, ranking, vectors
from dialog_envs.tasks.instruction.language.heard import heard
from dialog_envs.tasks.instruction.language.learning_ideas import gathered
from dialog_envs.tasks.instruction.language.meaning import FEATURES, ONE, meaning
from dialog_envs.tasks.instruction.language.sentences import cut
from dialog_envs.tasks.instruction.language.setting import Setting
from dialog_envs.tasks.instruction.language.understanding import understand
from dialog_envs.tasks.instruction.scenario import InstructionScenario

WORDS = st.lists(
    st.sampled_from("river current lamp push narrow door the of xyzzy battery water not".split()), max_size=12
)


@given(WORDS, st.randoms(use_true_random=False))
def test_sums_are_exact_whatever_the_order(words: list[str], random: Random) -> None:
    mixed = random.sample(words, len(words))
    assert (vectors.total(words) == vectors.total(mixed)).all()
    one = vectors.unit(vectors.total(words))
    assert one.dtype == np.int64
    assert not one.any() or abs(float(np.sqrt(one @ one)) - vectors.UNIT) < 6


def test_words_alike_in_meaning_lie_near() -> None:
    def likeness(a: str, b: str) -> float:
        one, other = (vectors.unit(vectors.total([word])) for word in (a, b))
        return int(one @ other) / vectors.UNIT**2

    assert likeness("doctor", "nurse") > 0.5 > likeness("doctor", "violin")
    assert likeness("river", "stream") > 0.3 > likeness("river", "salary")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the lawyer was tired", ["the", "lawyer", "was", "tired"]),
        ("more resistence becuase", ["more", "resistance", "because"]),
        ("the volatge drops", ["the", "voltage", "drops"]),
    ],
)
def test_typos_are_mended_and_words_are_not(text: str, words: list[str]) -> None:
    assert cut(text, meaning("physics/circuits").words)[0].tokens == words


def test_what_is_learned_belongs_together() -> None:
    folder = files(classifier.__package__ or "") / "grammar"
    assert len((folder / "vectors.npz").read_bytes()) < 700_000
    assert ranking.weights().shape == (len(FEATURES),)
    weights = classifier.weights()
    assert weights.features.shape == (classifier.BUCKETS, len(classifier.LABELS))
    numbers = len(classifier.meant(cut("Push.", meaning("physics/circuits").words)[0]))
    assert weights.meaning.shape == (numbers, len(classifier.LABELS))


def test_what_was_heard_is_what_the_training_sets_say() -> None:
    assert heard() == gathered()


@pytest.mark.parametrize("entry", concepts(), ids=lambda entry: entry.id)
def test_each_text_of_an_idea_is_likest_to_that_idea(entry: Concept) -> None:
    tables = meaning(entry.id)
    right = total = 0
    for place, idea in enumerate(entry.ideas):
        for text in (idea.plain, idea.example, idea.right):
            members = cut(text, tables.words)
            features = tables.features(members, Setting(), -1, "explain")
            assert features.dtype == np.int64
            assert features.shape == (len(tables.words.ids), len(FEATURES))
            right += int(ranking.odds(members, tables, Setting(), -1, "explain").argmax()) == place
            total += 1
    assert right >= 0.9 * total


def test_a_mean_word_touches_no_idea() -> None:
    tables = meaning("physics/circuits")
    assert tables.touched(["the", "of"]) == (0, set())
    assert not tables.nearness("xyzzyx").any()
    assert not tables.likeness(vectors.total([])).any()
    assert 0.4 * ONE < tables.likeness(vectors.total(["battery"])).max() <= ONE


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("Next up: resistance.", Act("inform")),
        ("I had a bulb like that at my grandma's house.", Act("inform")),
        ("You've made great progress today!", Act("encourage")),
        ("Could I carry on, or is something still muddled?", Act("confirm")),
        ("What part of it gives you a headache?", Act("ask", "open")),
        ("Push, flow, brake, and how much comes out per second: that was it.", Act("recap")),
    ],
)
def test_manners_in_words_of_their_own(text: str, act: Act) -> None:
    assert understand(text, InstructionScenario("physics/circuits")) == (act,)
