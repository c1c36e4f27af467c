"""Understanding of teachers' free text: acts, levels, what "it" is, robustness, speed, F1 on the sealed utterances."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialog_envs.core.dialogue import AGENT, USER, Act
from dialog_envs.tasks.instruction.acts import AGENT_KINDS, KINDS
from dialog_envs.tasks.instruction.content import Concept, concepts
from dialog_envs.tasks.instruction.language import labels
from dialog_envs.tasks.instruction.language.labelled import labelled
from dialog_envs.tasks.instruction.language.material import SHORT, material, normal, sentences
from dialog_envs.tasks.instruction.language.understanding import setting, understand
from dialog_envs.tasks.instruction.scenario import InstructionScenario
from dialog_envs.tasks.language.measure import FOLDER, main, measure

SCENARIO = InstructionScenario("physics/circuits")

SAID = {
    "Hi there! Have you heard of voltage before?": "greet; ask idea @voltage",
    "How old are you?": "ask background",
    "Would you rather have examples or formulas?": "ask style",
    "What do you already know about circuits?": "ask open",
    "So, what would happen if you doubled the resistance?": "quiz @resistance",
    "explain in your own words what resistance does": "quiz @resistance",
    "Picture a crowd trying to leave through a narrow door. That's resistance.": "explain analogy @resistance",
    "Resistance is how hard it is for the electricity to get through something.": "explain plain @resistance",
    "Ohm's law: I = U / R": "explain technical @resistance",
    "For example, a 2000 watt heater uses 2 kWh in an hour.": "explain example @power",
    "Actually, that's not true. A lamp doesn't use up the current.": "correct @current",
    "A common misconception is that voltage flows. It does not.": "correct @voltage",
    "**RESISTANCE** is how hard it is for the electricity to get thru something 🙂": "explain plain @resistance",
    "does that make sense": "confirm",
    "To sum up: current flows, voltage drives it and resistance hinders it.": "recap",
    "You're doing great, keep going!": "encourage",
    "Goodbye, that's all for today!": "close",
    "I'm not able to help with that.": "refuse",
    "blorp zim quax": "unknown",
    "¿Qué es la corriente?": "unknown",
    "": "unknown",
    "🎉🎉": "unknown",
}


def parse(text: str) -> tuple[Act, ...]:
    """ "explain plain @voltage; confirm" as acts."""
    acts = []
    for part in text.split(";"):
        kind, *fields = part.split()
        item = next((field[1:] for field in fields if field[0] == "@"), None)
        rest = next((field for field in fields if field[0] != "@"), None)
        acts.append(Act(kind, rest if kind == "ask" else None, rest if kind == "explain" else None, item))
    return tuple(acts)


@pytest.mark.parametrize("text", SAID)
def test_acts(text: str) -> None:
    assert understand(text, SCENARIO) == parse(SAID[text])


def test_it_is_what_was_talked_of_last() -> None:
    dialogue = [
        {"speaker": AGENT, "text": "Voltage is how hard the battery pushes."},
        {"speaker": USER, "text": "Hm, I see."},
    ]
    assert understand("Can you explain it in your own words?", SCENARIO, dialogue) == (
        Act("quiz", item="voltage"),
    )


def test_a_denial_meets_what_the_student_has_just_said() -> None:
    said = "But I thought that a lamp uses up some of the current."
    acts = understand("No, nothing is lost on the way.", SCENARIO, [{"speaker": USER, "text": said}])
    assert acts == (Act("correct", item="current"),)


def test_long_turns_are_marked() -> None:
    acts = understand("Voltage is the push of the battery. " + "It pushes and pushes. " * 20, SCENARIO)
    assert acts == (Act("explain", value="plain", item="voltage"), Act("lengthy", value="long"))


@given(st.text(max_size=300))
def test_any_text_is_understood(text: str) -> None:
    acts = understand(text, SCENARIO, ({"speaker": USER, "text": text},))
    assert acts and len(set(acts)) == len(acts)
    for act in acts:
        assert act.kind in AGENT_KINDS


_PIECES = (
    "voltage,is,do you,know,imagine,for example,actually,not,?,.,so,what happens,right,lamp,like a".split(",")
)


@given(st.lists(st.sampled_from(_PIECES), max_size=30).map(" ".join))
def test_any_mixture_of_frames_is_understood(text: str) -> None:
    for act in understand(text, SCENARIO, ({"speaker": USER, "text": "a lamp uses up current"},)):
        assert (act.item in SCENARIO.items) == (
            act.kind in ("quiz", "explain", "correct") or act.slot == "idea"
        )
        assert act.kind != "explain" or act.value in KINDS


_SAID = "ok,yes,no,hm,?,!,.,…,),because,what,can you,is it,a lamp uses up current".split(",")


@given(st.lists(st.sampled_from(_SAID), max_size=8).map(" ".join))
def test_whatever_a_student_says_before(said: str) -> None:
    assert understand("It pushes the charges along.", SCENARIO, ({"speaker": USER, "text": said},))


@pytest.mark.parametrize(
    ("said", "manner"),
    [
        ("What does voltage do?", "asks"), ("so why is that", "asks"), ("Can you say that again", "asks"),
        ("From the battery?", "wonders"), ("does it get used up", "wonders"), ("ok?!", "wonders"),
        ("Really?!", "wonders"), ("ok", "nods"), ("", "nods"), ("yes, sure.", "nods"),
        ("bc the wire is thin", "reasons"),
        ("A lamp uses up the current.", "states"),
    ],
)  # fmt: skip
def test_how_a_student_speaks(said: str, manner: str) -> None:
    found = setting(SCENARIO.concept, ({"speaker": USER, "text": said},))
    assert found.manner == manner and found.answered


def test_small_talk_before_an_open_question_is_no_quiz() -> None:
    text = "The museum was crowded. My feet hurt. Well then, what do you already know about all this?"
    assert "quiz" not in {act.kind for act in understand(text, SCENARIO)}


@pytest.mark.parametrize("concept", concepts(), ids=lambda entry: entry.id)
def test_every_sentence_of_the_material_is_known_again(concept: Concept) -> None:
    table = material(concept.id)
    for i, idea in enumerate(concept.ideas):
        for text in (idea.plain, idea.technical, idea.quiz, idea.misconceptions[0].correction):
            last = normal(sentences(text)[-1])
            if len(last) >= SHORT:
                found = table.recognise(["here", "it", "comes", *last])
                assert found is not None and found[0] == i, text
    assert table.recognise(["nothing", "of", "this", "kind"]) is None


@pytest.mark.parametrize(
    "piece", ["Voltage is a push. ", "xyz", "a ", "?", "é", "so what, ", "no, ", "1. ", "'"]
)
def test_long_text_costs_bounded_time(piece: str) -> None:
    start = time.process_time()
    assert understand(piece * (100_000 // len(piece)), SCENARIO)
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize(
    ("name", "floor"),
    [
        ("instruction_dev", 0.96),
        ("instruction_dev2", 0.92),
        ("instruction_dev3", 0.92),
        ("instruction_train3", 0.95),
    ],
)
def test_the_sets_that_train_stay_understood(name: str, floor: float) -> None:
    """This shows that weights, words and features belong together, and no more."""
    report = measure(labels, labelled(name))
    assert report.utterances >= 200
    assert report.macro_f1 >= floor


def test_utterances_that_train_nothing() -> None:
    lines = (FOLDER / "instruction_dev4.jsonl").read_text(encoding="utf-8").splitlines()
    assert measure(labels, [json.loads(line) for line in lines]).macro_f1 >= 0.85


def test_f1_on_the_sealed_utterances(capsys: pytest.CaptureFixture[str]) -> None:
    """Text that nobody saw who wrote the understanding: 0.85 is promised, over all and by the two sets that were
    measured once before this test was written. The floor of the oldest is what has been reached."""
    assert main(["Instruction-v0", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["macro_f1"] >= 0.85
    floors = {"instruction_sealed": 0.83, "instruction_sealed2": 0.85, "instruction_sealed3": 0.85}
    assert {Path(name).stem for name in report["files"]} == set(floors)
    for name, row in report["files"].items():
        assert row["utterances"] >= 300
        assert row["macro_f1"] >= floors[Path(name).stem]
