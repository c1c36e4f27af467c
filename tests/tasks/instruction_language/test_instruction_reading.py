"""What students say is read back as it was meant, and short answers by what was asked."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog_envs.core.dialogue import AGENT, USER, Act
from dialog_envs.tasks.instruction.language.reading import read
from dialog_envs.tasks.instruction.persona import MANNERS
from dialog_envs.tasks.instruction.scenario import InstructionScenario
from tests.tasks.instruction_language.instruction_lessons import lessons

SCENARIO = InstructionScenario("physics/circuits")


@pytest.mark.parametrize("family", MANNERS)
def test_phrased_turns_read_back(family: str) -> None:
    seen = exact = 0
    for _, scenario, turns in lessons(40, seed=7, family=family):
        views = [turn.view() for turn in turns]
        for i, turn in enumerate(turns):
            if turn.speaker == USER:
                seen += 1
                exact += read(turn.text, scenario, views[:i]) == tuple(dict.fromkeys(turn.acts))
    print(f"{family}: {exact} of {seen}")
    assert exact / seen >= 0.99


QUIZ = "Which lamp is brighter, the 40 watt one or the 60 watt one?"
EXPLAINED = "Voltage is how hard the battery pushes."
CONTEXT = {
    ("Do you know what voltage is?", "Yeah, we did that at school."): [
        Act("claim", value="known", item="voltage")
    ],
    ("Do you know what voltage is?", "no"): [Act("claim", value="unknown", item="voltage")],
    ("Do you know what voltage is?", "hmm, not sure"): [Act("claim", value="unsure", item="voltage")],
    (QUIZ, "no idea"): [Act("show", value="gap", item="power")],
    (QUIZ, "Why do you ask?"): [Act("counter", item="power")],
    (EXPLAINED, "ok I get it"): [Act("follow", item="voltage")],
    (EXPLAINED, "sorry, you lost me"): [Act("puzzled", item="voltage")],
    (EXPLAINED, "that's far too technical"): [Act("puzzled", "technical", item="voltage")],
    (
        EXPLAINED,
        "But I thought that voltage flows through the wires of a circuit from one end to the other.",
    ): [Act("object", item="voltage")],
    ("How old are you?", "I'm a student at university."): [Act("answer", "background", "student")],
    ("How old are you?", "I'd rather not say."): [Act("evade", "background")],
    ("How do you like things explained?", "with examples"): [Act("answer", "style", "example")],
    ("What is unclear to you?", "I don't understand voltage."): [
        Act("claim", value="unknown", item="voltage")
    ],
    ("Well done!", "Thanks!"): [Act("thanks")],
    ("Hello!", "I have to go now."): [Act("leave")],
}


@pytest.mark.parametrize(("said", "answer"), CONTEXT)
def test_answers_are_read_by_what_was_said(said: str, answer: str) -> None:
    before = [{"speaker": USER, "text": "Hi! Teach me."}, {"speaker": AGENT, "text": said}]
    assert list(read(answer, SCENARIO, before)) == CONTEXT[said, answer]


@settings(max_examples=150)
@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    for before in ([], [{"speaker": AGENT, "text": QUIZ}], [{"speaker": AGENT, "text": text}]):
        for act in read(text, SCENARIO, before):
            assert act.item is None or act.item in SCENARIO.items


def test_long_texts_take_bounded_time() -> None:
    start = perf_counter()
    read("I don't get voltage, too technical. " * 20_000, SCENARIO, [{"speaker": AGENT, "text": EXPLAINED}])
    assert perf_counter() - start < 1.0
