"""What scripted teachers say is understood as it was meant, over all concepts."""

from __future__ import annotations

import numpy as np
import pytest

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.instruction.acts import KINDS
from dialog_envs.tasks.instruction.content import concepts
from dialog_envs.tasks.instruction.language.grammar import load
from dialog_envs.tasks.instruction.language.saying import say
from dialog_envs.tasks.instruction.language.understanding import understand
from dialog_envs.tasks.instruction.scenario import InstructionScenario

OTHERS = ("confirm", "encourage", "recap", "close", "greet", "acknowledge", "inform", "refuse", "unknown")
SCENARIO = InstructionScenario("physics/circuits")


@pytest.mark.parametrize("kind", OTHERS)
def test_acts_without_an_idea_are_understood(kind: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        text = say((Act(kind),), SCENARIO, rng)
        assert understand(text, SCENARIO) == (Act(kind),), text


def test_everything_about_every_idea_is_understood() -> None:
    """At least 99 of 100 turns of one to three acts come back as they were meant."""
    rng = np.random.default_rng(1)
    turns = wrong = 0
    for entry in concepts():
        scenario = InstructionScenario(entry.id)
        for place, item in enumerate(scenario.items):
            other = scenario.items[(place + 1) % len(scenario.items)]
            explain = [Act("explain", value=kind, item=item) for kind in KINDS]
            quiz, correct = Act("quiz", item=item), Act("correct", item=item)
            one = explain[rng.integers(4)]
            for acts in (
                *((each,) for each in (*explain, quiz, correct, Act("ask", "idea", item=item))),
                (correct, one),
                (one, Act("confirm")),
                (Act("acknowledge"), one),
                (one, Act("quiz", item=other)),
                (Act("explain", value="plain", item=other), one),
                (Act("encourage"), one, quiz),
                (one, Act("lengthy", value="very_long")),
            ):
                text = say(acts, scenario, rng)
                turns += 1
                wrong += understand(text, scenario) != acts
    print(f"{wrong} of {turns} turns misunderstood")
    assert wrong / turns <= 0.01


def test_long_turns_are_long() -> None:
    rng = np.random.default_rng(2)
    explain = Act("explain", value="plain", item=SCENARIO.items[0])
    for value, least, most in (("long", 71, 140), ("very_long", 141, 260)):
        text = say((explain, Act("lengthy", value=value)), SCENARIO, rng)
        assert least <= len(text.split()) <= most


def test_variants_are_few() -> None:
    data = load("agent")
    for bank in [*data["ask"].values(), *data["other"].values()]:
        assert 4 <= len(bank) <= 10
