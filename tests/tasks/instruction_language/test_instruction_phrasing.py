"""What students say varies, fits their manner, and gives nothing away."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from dialog_envs.core.dialogue import USER, Act
from dialog_envs.tasks.instruction.acts import BACKGROUNDS, CLAIMS, KINDS, PUZZLES, SHOWS
from dialog_envs.tasks.instruction.content import concepts
from dialog_envs.tasks.instruction.language.phrasing import belief, opening, phrase
from dialog_envs.tasks.instruction.persona import MANNERS, InstructionPrior
from dialog_envs.tasks.instruction.scenario import InstructionScenario, sample_scenario
from tests.tasks.instruction_language.instruction_lessons import lessons

SCENARIO = InstructionScenario("physics/circuits")
ITEM = SCENARIO.items[0]
EVERY_ACT = [
    *(Act("answer", "background", value) for value in BACKGROUNDS),
    *(Act("answer", "style", value) for value in KINDS),
    *(Act("evade", slot) for slot in ("background", "style", "open")),
    *(Act("claim", value=value, item=ITEM) for value in CLAIMS),
    Act("claim", value="known"),
    *(Act("show", value=value, item=ITEM) for value in SHOWS),
    *(Act("puzzled", slot, item=ITEM) for slot in PUZZLES),
    *(Act(kind, item=ITEM) for kind in ("puzzled", "counter", "follow", "object", "insight")),
    *(Act(kind) for kind in ("tired", "clarify", "nudge", "greet", "thanks", "content", "leave")),
]


def test_a_thousand_lessons_hardly_repeat_a_turn() -> None:
    long = [
        turn.text
        for _, _, turns in lessons(1000, seed=11)
        for turn in turns
        if turn.speaker == USER and len(turn.text.split()) > 6
    ]
    counts = Counter(long)
    assert len(long) > 4000
    assert sum(count for count in counts.values() if count > 1) / len(long) < 0.05


def test_form_capitals_marks_and_no_leftovers() -> None:
    for _, _, turns in lessons(150, seed=5):
        for turn in turns:
            if turn.speaker == USER:
                assert re.search(r"[{}|]|  | [,.?!]|,,|\.\.|,\.", turn.text) is None, turn.text
                assert (turn.text[0].isupper() or turn.text[0].isdigit()) and turn.text[-1] in ".?!", (
                    turn.text
                )


@pytest.mark.parametrize("act", EVERY_ACT, ids=str)
def test_every_act_can_be_said_by_everybody(act: Act) -> None:
    rng = np.random.default_rng(4)
    for family in MANNERS:
        persona = InstructionPrior().sample(rng, family)
        text = phrase((act,), persona, SCENARIO, rng)
        limit = 30 if persona.manner.talk == "low" else 60
        assert 0 < len(text.split()) <= limit


def test_same_stream_same_words() -> None:
    persona = InstructionPrior().sample(np.random.default_rng(1))
    acts = (Act("follow", item=ITEM), Act("tired"))
    assert len({phrase(acts, persona, SCENARIO, np.random.default_rng(9)) for _ in range(3)}) == 1


def test_openings_tell_the_topic_and_nothing_hidden() -> None:
    """Personas that talk as much say the same: neither background, style, knowledge nor attention shows."""
    prior, rng = InstructionPrior(), np.random.default_rng(0)
    said: dict[str, dict[int, str]] = {}
    for _ in range(60):
        persona, scenario = prior.sample(rng), sample_scenario(np.random.default_rng(3))
        for seed in range(5):
            text = opening(persona, scenario, np.random.default_rng(seed))
            assert scenario.entry.name.lower() in text.lower()
            talk = "low" if persona.manner.talk == "low" else "more"
            assert said.setdefault(talk, {}).setdefault(seed, text) == text


def test_texts_name_no_idea_but_the_acts_own() -> None:
    """No frame names another idea, and no frame of the grammar states a belief or a right answer of its own accord."""
    rng = np.random.default_rng(2)
    for family in MANNERS:
        persona = InstructionPrior().sample(rng, family)
        for act in EVERY_ACT:
            text = phrase((act,), persona, SCENARIO, rng).lower()
            for idea in SCENARIO.ideas:
                if idea.id != act.item and act.kind not in ("show", "object", "insight"):
                    assert idea.name not in text
                if act.kind not in ("show", "object", "insight"):
                    assert belief(SCENARIO.concept, idea.id).lower() not in text
                    assert idea.right.lower() not in text


def test_beliefs_stand_inside_a_sentence() -> None:
    for entry in concepts():
        for idea in entry.ideas:
            text = belief(entry.id, idea.id)
            assert text[-1] not in ".!?" and (text[0].islower() or text[0].isupper() or text[0].isdigit())


def test_beliefs_quoted_within_a_sentence_begin_in_lower_case() -> None:
    """Unless they begin with a name or with "I"."""
    high = {
        belief(entry.id, idea.id).split()[0]
        for entry in concepts()
        for idea in entry.ideas
        if belief(entry.id, idea.id)[0].isupper()
    }
    assert high.isdisjoint({"A", "An", "The", "If", "All", "In", "On", "It", "To", "At", "Every", "Any"}), (
        high
    )
