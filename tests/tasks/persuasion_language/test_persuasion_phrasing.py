"""Phrasing and reading: users vary, say no more than they do, and are read back from their words."""

from __future__ import annotations

from collections import Counter
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.tasks.language.tokens import tokenise
from dialog_envs.tasks.persuasion.acts import OBJECTIONS, VALUES
from dialog_envs.tasks.persuasion.language.grammar import load
from dialog_envs.tasks.persuasion.language.objections import objections_in
from dialog_envs.tasks.persuasion.language.phrasing import opening, phrase
from dialog_envs.tasks.persuasion.language.reading import read
from dialog_envs.tasks.persuasion.persona import MANNERS, PersuasionPersona, PersuasionPrior
from dialog_envs.tasks.persuasion.scenario import PersuasionScenario, sample_scenario
from tests.tasks.persuasion_language.persuasion_talk import USER_ACTS, dialogues

WELLS = PersuasionScenario("water/pumphandle-tarro", "street")
AFTER = ({"speaker": AGENT, "text": "Hm."},)


def persona(family: str, seed: int = 0) -> PersuasionPersona:
    return PersuasionPrior().sample(np.random.default_rng(seed), family)


@pytest.mark.parametrize("family", MANNERS)
def test_every_act_is_phrased_and_read_back(family: str) -> None:
    rng, someone = np.random.default_rng(0), persona(family)
    wrong = []
    for act in USER_ACTS:
        for _ in range(12):
            text = phrase((act,), someone, WELLS, rng)
            if read(text, WELLS, AFTER) != (act,):
                wrong.append((str(act), text))
    assert len(wrong) <= 0.01 * 12 * len(USER_ACTS), wrong[:10]


def test_dialogues_are_read_back_and_hardly_repeat_a_turn() -> None:
    seen = exact = 0
    long: list[str] = []
    for _, scenario, turns in dialogues(1000, seed=5):
        views = [turn.view() for turn in turns]
        for i, turn in enumerate(turns):
            if turn.speaker == USER:
                seen += 1
                exact += read(turn.text, scenario, views[:i]) == turn.acts
                long += [turn.text] if len(turn.text.split()) > 6 else []
    counts = Counter(long)
    repeated = sum(count for count in counts.values() if count > 1) / len(long)
    print(f"{seen} turns, {exact / seen:.4f} read back, {repeated:.4f} repeated")
    assert exact / seen >= 0.99
    assert len(long) > 2500 and repeated < 0.05


def test_first_words_tell_nothing_hidden() -> None:
    """The same draws give the same words, whatever is hidden; and they name no doubt and no value."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        scenario, family = sample_scenario(rng), list(MANNERS)[seed % len(MANNERS)]
        texts = {opening(persona(family, i), scenario, np.random.default_rng(seed)) for i in range(5)}
        assert len(texts) == 1
        text = texts.pop()
        assert scenario.charity.name in text
        assert not objections_in(text.replace(scenario.charity.name, ""))
        assert read(text, scenario, ()) == (Act("greet"),)


def test_words_depend_on_acts_and_family_alone() -> None:
    for family in MANNERS:
        for act in (Act("decline"), Act("promise", value="small"), Act("nudge")):
            texts = {phrase((act,), persona(family, i), WELLS, np.random.default_rng(7)) for i in range(5)}
            assert len(texts) == 1


def test_who_says_yes_to_get_away_sounds_warm() -> None:
    """A promise that will not be kept has the words of one that will."""
    act = (Act("promise", value="medium"),)
    for seed in range(50):
        assert phrase(act, persona("warm"), WELLS, np.random.default_rng(seed)) == phrase(
            act, persona("yes_sayer"), WELLS, np.random.default_rng(seed)
        )


def test_who_takes_an_offer_names_it() -> None:
    offer = Turn(AGENT, "Would you give 12 euros?", (Act("propose", value="small"),))
    for family in MANNERS:
        text = phrase(
            (Act("donate", value="small"),), persona(family), WELLS, np.random.default_rng(0), (offer,)
        )
        assert "12 euros" in text


def test_openers_tails_and_asides_say_nothing() -> None:
    """What stands around the words of an act names no doubt and no value."""
    frames = load("frames")
    idle = [*frames["opener"].values(), *frames["aside"].values()]
    idle += [bank["tail"] for bank in frames.values() if "tail" in bank]
    for text in (text for bank in idle for text in bank if text):
        assert not objections_in(text), text
        assert not set(VALUES) & set(tokenise(text)), text


def test_no_string_belongs_to_two_acts() -> None:
    """A doubt's words are its own."""
    frames = load("frames")["objection"]
    for one in OBJECTIONS:
        for text in (*frames[one]["clause"], *frames[one]["low"]):
            assert one in objections_in(text), text


BY_OTHERS = [
    ("Would you give 10 euros?", "ok, put me down for that", "donate(small)"),
    ("Would you give 10 euros?", "Nah.", "decline"),
    ("Would you give 50 euros?", "I could do 20.", "counteroffer(medium)"),
    ("Would you give 50 euros?", "Maybe later.", "promise(large)"),
    ("What matters most to you?", "I'd say justice.", "answer(values, fairness)"),
    ("What matters most to you?", "None of your business.", "evade(values)"),
    ("How much could you spare?", "I'm broke.", "answer(means, tight)"),
    ("Have you given to a charity before?", "Never.", "answer(experience, none)"),
    ("What holds you back?", "Nothing really.", "answer(concern, none)"),
    ("What holds you back?", "To be honest, I was scammed once.", "reveal(trust)"),
    ("Would you give 10 euros?", "It all ends up in overhead anyway.", "object(waste)"),
    ("This is your last chance, decide now.", "Stop pressuring me.", "bristle(pressure)"),
    ("You can trust us, our books are open.", "Who audits you?", "doubt(credibility)"),
    ("Imagine how it feels to be left alone.", "That's so touching.", "warm(emotional)"),
    ("Hello!", "I have to go, bye.", "leave"),
]  # fmt: skip


@pytest.mark.parametrize(("agent", "user", "act"), BY_OTHERS)
def test_words_of_other_people(agent: str, user: str, act: str) -> None:
    assert [str(found) for found in read(user, WELLS, [{"speaker": AGENT, "text": agent}])] == [act]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    before: Any
    for before in ((), AFTER, ({"speaker": AGENT, "text": text},)):
        for act in read(text, WELLS, before):
            assert isinstance(act, Act)


def test_long_texts_are_read_in_bounded_time() -> None:
    start = perf_counter()
    read("too much overhead, money is tight. " * 300, WELLS, AFTER)
    assert perf_counter() - start < 1.0
