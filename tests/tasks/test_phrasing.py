"""Phrasing: what users say fits their acts and manner, varies, and gives nothing away."""

from __future__ import annotations

import re
from collections import Counter
from time import perf_counter
from typing import Any

import numpy as np
import pytest

from dialog_envs.core.dialogue import USER, Act
from dialog_envs.tasks.language.grammar import expand
from dialog_envs.tasks.language.tokens import tokenise
from dialog_envs.tasks.preference.catalogue import places
from dialog_envs.tasks.preference.language import lexicon
from dialog_envs.tasks.preference.language.grammar import load
from dialog_envs.tasks.preference.language.phrasing import opening, phrase
from dialog_envs.tasks.preference.language.references import reference
from dialog_envs.tasks.preference.persona import MANNERS, SLOTS, VALUES, PreferencePrior
from dialog_envs.tasks.preference.scenario import sample_scenario
from tests.tasks.preference_play import dialogues


def words(text: str) -> int:
    return len(text.split())


def test_a_thousand_dialogues_hardly_repeat_a_turn() -> None:
    long = [
        turn.text
        for _, _, turns in dialogues(1000, seed=11)
        for turn in turns
        if turn.speaker == USER and words(turn.text) > 6
    ]
    counts = Counter(long)
    assert len(long) > 2500
    assert sum(count for count in counts.values() if count > 1) / len(long) < 0.05


def test_form_capitals_marks_and_no_leftovers() -> None:
    for _, _, turns in dialogues(150, seed=5):
        for turn in turns:
            assert re.search(r"[{}|()]|  | [,.?!]|,,|\.\.|,\.|[.!?] [a-z]", turn.text) is None, turn.text
            assert (turn.text[0].isupper() or turn.text[0].isdigit()) and turn.text[-1] in ".?!", turn.text


@pytest.mark.parametrize("family", MANNERS)
def test_length_fits_the_manner(family: str) -> None:
    rng = np.random.default_rng(3)
    lengths = []
    for _ in range(200):
        persona, scenario = PreferencePrior().sample(rng, family), sample_scenario(rng)
        slot = SLOTS[rng.integers(7)]
        acts = (Act("answer", slot, VALUES[slot][rng.integers(len(VALUES[slot]))]),)
        lengths.append(words(phrase(acts, persona, scenario, rng)))
    talk = MANNERS[family].talk
    if talk == "low":
        assert max(lengths) <= 8 and np.mean(lengths) <= 4
    else:
        assert min(lengths) >= 2 and np.mean(lengths) >= (12 if talk == "high" else 9)


def test_same_stream_same_words() -> None:
    rng = np.random.default_rng(1)
    persona, scenario = PreferencePrior().sample(rng), sample_scenario(rng)
    acts = (Act("answer", "crowd", "quiet"), Act("volunteer", "theme", "food"))
    texts = {phrase(acts, persona, scenario, np.random.default_rng(9)) for _ in range(3)}
    assert len(texts) == 1
    assert len({opening(persona, scenario, np.random.default_rng(9)) for _ in range(3)}) == 1


def test_words_around_values_name_no_value() -> None:
    """Openers, tails, asides and the rest must not hint at anything: no phrase of the lexicon for a value."""
    for text in _strings(load("frames")):
        hits = [
            (text, meaning)
            for start, end, meaning in lexicon.find(
                tokenise(re.sub(r"\{\w\}|(?i:good) (morning|afternoon)", "", text))
            )
            if meaning[0] == "value" and not meaning[2].endswith("~")
        ]
        assert not hits, hits


def test_every_wording_of_a_value_stays_with_its_slot() -> None:
    """No wording or reason of one value contains the lexicon's phrase for a value of another slot."""
    near = {("setting", "theme"), ("theme", "setting")}
    for slot, values in load("values").items():
        for value, banks in values.items():
            for text in _strings(banks):
                found = {
                    m[1] for _, _, m in lexicon.find(tokenise(text)) if m[0] == "value" and m[2][-1] != "~"
                }
                strange = {other for other in found - {slot} if (slot, other) not in near}
                assert not strange, (slot, value, text, strange)


def test_openings_tell_place_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        persona, scenario = PreferencePrior().sample(rng), sample_scenario(rng)
        text = opening(persona, scenario, rng)
        assert scenario.place in text
        rest = text.replace(scenario.occasion, "").replace(
            scenario.occasion[0].upper() + scenario.occasion[1:], ""
        )
        greeting = re.sub(r"(?i)good (morning|afternoon)", "", rest)
        found = [m for _, _, m in lexicon.find(tokenise(greeting)) if m[0] == "value" and m[2][-1] != "~"]
        assert not found, (text, found)


def test_references_are_natural_and_unique() -> None:
    for place in places():
        full, short = {}, {}
        for entry in place.items:
            names = reference(entry.id)
            assert (names.full.startswith("the ") or "ing " in names.full) and not re.search(
                r"\b[Tt]he [Tt]he\b", names.full
            )
            assert full.setdefault(names.full.lower(), entry.id) == entry.id
            assert short.setdefault(names.short.lower(), entry.id) == entry.id


def test_expand() -> None:
    assert expand("so (a|b) (c|)") == ["so a c", "so a ", "so b c", "so b "]
    assert expand("(really|) good, (yes |)ok.")[2:] == [" good, yes ok.", " good, ok."]


def test_every_combination_of_kernel_acts_can_be_said() -> None:
    rng = np.random.default_rng(4)
    for family in MANNERS:
        persona, scenario = PreferencePrior().sample(rng, family), sample_scenario(rng)
        for slot in SLOTS:
            for value in VALUES[slot]:
                for kind in ("answer", "volunteer", "told", "change"):
                    assert phrase((Act(kind, slot, value),), persona, scenario, rng)
                if value not in ("any", "none"):
                    assert phrase((Act("reject", slot, value, scenario.items[0]),), persona, scenario, rng)
            assert phrase((Act("evade", slot),), persona, scenario, rng)
        for act in (Act("answer", "open", "none"), Act("told", "open", "none"), Act("evade", "open")):
            assert phrase((act,), persona, scenario, rng)


def test_speed() -> None:
    """20 microseconds a turn on a quiet machine; the limit here leaves room for a busy one."""
    rows = [
        (turn.acts, persona, scenario, tuple(turns[:i]))
        for persona, scenario, turns in dialogues(100, seed=2)
        for i, turn in enumerate(turns)
        if i and turn.speaker == USER
    ]
    rng, best = np.random.default_rng(0), 1.0
    for _ in range(5):
        start = perf_counter()
        for acts, persona, scenario, before in rows:
            phrase(acts, persona, scenario, rng, before)
        best = min(best, (perf_counter() - start) / len(rows))
    assert best < 100e-6


def _strings(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [text for child in node.values() for text in _strings(child)]
    return list(node)
