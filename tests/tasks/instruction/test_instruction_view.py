"""The view of learned agents: a note before each of their turns, material as tokens, nothing hidden."""

import pytest

from dialog_envs.agents.scripted import ScriptedAgent
from dialog_envs.core.dialogue import AGENT, USER, Act
from dialog_envs.core.seeding import stream
from dialog_envs.tasks.instruction.content import concepts
from dialog_envs.tasks.instruction.scenario import InstructionScenario, sample_scenario
from dialog_envs.tasks.instruction.tracker import GAP, MISC, OPEN, RIGHT, SAYS, TOLD, Tracker
from dialog_envs.tasks.instruction.view import TEXTS, InstructionView, note
from dialog_envs.testing import play

VIEW = InstructionView()
NAMES = ("heuristic", "lecturer", "credulous", "scattered", "corrector")


@pytest.fixture(scope="module")
def lessons():
    """(brief, dialogue, scenario) of some lessons."""
    found = []
    for seed, name in enumerate(NAMES * 2):
        env, _ = play("Instruction-v0", ScriptedAgent(name, "Instruction-v0"), seed)
        found.append((env.scenario.brief, [turn.view() for turn in env.turns], env.scenario))
    return found


def test_a_note_stands_before_each_agent_turn_and_at_the_end(lessons):
    for brief, dialogue, _ in lessons:
        roles = [role for role, _ in VIEW.segments(brief, dialogue)]
        expected = []
        for turn in dialogue:
            expected += ["note", "agent"] if turn["speaker"] == AGENT else ["user"]
        assert roles == [*expected, "note"]
        assert VIEW.segments(brief, dialogue[:-1])[-1][0] == "agent"


def test_the_past_never_changes(lessons):
    for brief, dialogue, _ in lessons:
        whole = VIEW.segments(brief, dialogue)
        for cut in range(1, len(dialogue) + 1):
            part = VIEW.segments(brief, dialogue[:cut])
            assert part == whole[: len(part)], "what an agent was trained on differs from what it will see"


def test_material_becomes_tokens_and_tokens_the_same_material(lessons):
    for brief, dialogue, scenario in lessons:
        texts = [text for role, text in VIEW.segments(brief, dialogue) if role == "agent"]
        where = [t for t, turn in enumerate(dialogue) if turn["speaker"] == AGENT]
        for t, text in zip(where, texts, strict=True):
            assert len(text.split()) <= 30, "short to write"
            for idea in scenario.ideas:
                assert idea.quiz not in text
                assert idea.plain not in text
            assert VIEW.realise(text, brief, dialogue[:t]) == dialogue[t]["text"]
        said = [text for role, text in VIEW.segments(brief, dialogue) if role == "user"]
        assert len(said) == sum(turn["speaker"] == USER for turn in dialogue)
        assert not any(idea.misconceptions[0].belief in text for idea in scenario.ideas for text in said)


def test_every_sentence_of_the_material_can_be_written_and_read_back():
    for entry in concepts():
        scenario = InstructionScenario(entry.id)
        for place, idea in enumerate(scenario.ideas, start=1):
            for kind in TEXTS:
                token = f"<{kind}> <{place}>"
                text = VIEW.realise(token, scenario.brief, [])
                assert text != token
                _, seen = VIEW.segments(scenario.brief, [{"speaker": AGENT, "text": text}])[1]
                assert VIEW.realise(seen, scenario.brief, []) == text
                assert seen == token, idea.id


def test_tokens_that_stand_for_nothing():
    scenario = sample_scenario(stream(3, "scenario"))
    assert VIEW.realise("<0> <8> <99> <x> a < b", scenario.brief, []) == "<0> <8> <99> <x> a < b"
    assert VIEW.realise("<1> or <1>?", scenario.brief, []) == "{0} or {0}?".format(scenario.item_names[0])
    assert (
        VIEW.realise("an <example>, <plain><1>", scenario.brief, [])
        == f"an example, {scenario.ideas[0].plain}"
    )
    assert len(set(VIEW.special_tokens)) == 7 + len(TEXTS)


def test_marks_and_notes():
    scenario = next(InstructionScenario(c.id) for c in concepts() if c.needs[:3] == ((), (0,), (0, 1)))
    first, second, third = scenario.items[:3]
    heard = Tracker(scenario)
    everything = " ".join(f"<{i + 1}>" for i in range(len(scenario.items)))
    assert note(heard) == f"turn 0; open {everything}; style ?"
    heard.hear((Act("quiz", item=first),), (Act("show", value="gap", item=first),))
    heard.hear((Act("ask", "idea", item=second),), (Act("claim", value="unknown", item=second),))
    assert (heard.marks[first], heard.ready(first), heard.ready(second)) == (GAP, True, False)
    assert note(heard).startswith("turn 2; gap <1>; wait <2>; open <3>")
    explain = Act("explain", value="analogy", item=first)
    heard.hear((explain,), (Act("puzzled", "childish", item=first),))
    heard.hear((Act("ask", "style"),), (Act("evade", "style"),))
    assert note(heard).endswith("not <analogy>; unsure")
    assert heard.best_kind(first) != "analogy"
    heard.hear((Act("explain", value="example", item=first),), (Act("follow", item=first), Act("tired")))
    assert heard.marks[first] == TOLD
    assert note(heard).endswith("tired")
    heard.hear((Act("explain", value="example", item=second),), (Act("object", item=second),))
    assert heard.marks[second] == MISC
    heard.hear(
        (Act("correct", item=second), Act("explain", value="example", item=second)),
        (Act("insight", item=second), Act("follow", item=second)),
    )
    heard.hear((Act("ask", "idea", item=third),), (Act("claim", value="known", item=third),))
    assert [heard.marks[item] for item in (first, second, third)] == [TOLD, TOLD, SAYS]
    heard.hear((Act("quiz", item=third),), (Act("show", value="right", item=third),))
    heard.hear((Act("ask", "style"),), (Act("answer", "style", "technical"),))
    assert heard.marks[third] == RIGHT
    assert "told <1> <2>; style <technical>" in note(heard)
    assert all(mark == OPEN for mark in list(heard.marks.values())[3:])
    twin = heard.copy()
    twin.hear((Act("quiz", item=first),), (Act("show", value="misconception", item=first),))
    assert heard.marks[first] == TOLD
