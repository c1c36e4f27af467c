"""Saying: what scripted agents say is understood as it was meant."""

from __future__ import annotations

import numpy as np
import pytest

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.preference.language.grammar import load
from dialog_envs.tasks.preference.language.saying import say
from dialog_envs.tasks.preference.language.understanding import understand
from dialog_envs.tasks.preference.persona import VALUES
from dialog_envs.tasks.preference.scenario import sample_scenario
from tests.tasks.preference_play import SLOTS

OTHERS = ("inform", "greet", "acknowledge", "check", "close", "refuse", "unknown")
VALUE_QUESTIONS = [
    Act("ask", slot, value) for slot, values in VALUES.items() for value in values
    if value != "none" and (value != "any" or slot in ("budget", "time"))
]  # fmt: skip
SINGLE = [Act("ask", slot) for slot in SLOTS] + VALUE_QUESTIONS + [Act(kind) for kind in OTHERS]


@pytest.mark.parametrize("act", SINGLE, ids=str)
def test_single_acts_are_understood(act: Act) -> None:
    rng = np.random.default_rng(0)
    scenario = sample_scenario(rng)
    for _ in range(40):
        text = say((act,), scenario, rng)
        assert understand(text, scenario, ()) == (act,), text


def test_suggestions_and_surveys_are_understood() -> None:
    rng = np.random.default_rng(1)
    for _ in range(400):
        scenario = sample_scenario(rng)
        chosen = rng.permutation(len(scenario.items))[: rng.integers(1, 6)]
        suggested = tuple(Act("suggest", item=scenario.items[i]) for i in chosen)
        asked = tuple(Act("ask", SLOTS[i]) for i in rng.permutation(8)[: rng.integers(2, 6)])
        mixed = (Act("acknowledge"), Act("ask", SLOTS[rng.integers(8)]))
        for acts in (
            suggested,
            asked,
            mixed,
            (Act("acknowledge"), *suggested[:1]),
            (*suggested[:1], Act("check")),
        ):
            text = say(acts, scenario, rng)
            assert understand(text, scenario, ()) == acts, text


def test_variants_and_vocabulary_are_few() -> None:
    data = load("agent")
    for bank in [*data["ask"].values(), *data["other"].values(), *data["suggest"].values()]:
        assert 6 <= len(bank) <= 10
    text = " ".join(sentence for bank in _banks(data) for sentence in bank).lower()
    assert len(set(text.split())) < 320


def test_questions_are_one_short_sentence() -> None:
    for bank in load("agent")["ask"].values():
        for text in bank:
            assert text.count("?") == 1 and text.endswith("?") and len(text.split()) <= 14


def _banks(node: object) -> list[tuple[str, ...]]:
    if isinstance(node, dict):
        return [bank for child in node.values() for bank in _banks(child)]
    assert isinstance(node, tuple)
    return [node]
