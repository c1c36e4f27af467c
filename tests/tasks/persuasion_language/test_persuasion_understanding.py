"""Understanding fundraisers: acts by style, robustness, speed, and F1 on the sealed utterances."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog_envs.core.dialogue import AGENT, USER, Act
from dialog_envs.tasks.language.measure import main, measure
from dialog_envs.tasks.persuasion import acts as a
from dialog_envs.tasks.persuasion.content import charities
from dialog_envs.tasks.persuasion.language import labels
from dialog_envs.tasks.persuasion.language.understanding import understand
from dialog_envs.tasks.persuasion.scenario import PersuasionScenario

WELLS = PersuasionScenario("water/pumphandle-tarro", "street")
DEVELOPMENT = Path(__file__).parents[1] / "understanding" / "persuasion_dev.jsonl"
PROMISED = 0.85
"""What the task promises of the sealed utterances."""

SAID = {
    "What matters most to you?": "ask(values)",
    "How much could you spare?": "ask(means)",
    "Is money tight right now?": "ask(means, tight)",
    "Have you ever given to a charity?": "ask(experience)",
    "what is holding u back": "ask(concern)",
    "Are you worried about overhead?": "ask(concern, waste)",
    "What do you think?": "ask(open)",
    "Would you give 10 euros?": "propose(small)",
    "How about twenty-five euros?": "propose(medium)",
    "Could you spare a fiver?": "propose(small)",
    "WOULD YOU GIVE €50?": "propose(large)",
    "Would you take a leaflet?": "propose(token)",
    "Would you like to donate?": "propose",
    "Can I put you down for it now?": "commit",
    "Of every euro, 86 cents go into spare parts and mechanics.": "inform(spending)",
    "**86%** goes into spare parts and mechanics.": "inform(spending)",
    "10 euros pay for a mechanic's day.": "inform(impact)",
    "Adaro from Misku has not missed school since the pump works.": "inform(story)",
    "Imagine a child that has to drink dirty water.": "appeal(emotional)",
    "If you care about fairness, this is for you.": "appeal(values, fairness)",
    "I understand that money is tight for you.": "address(cost)",
    "How can you be so selfish?": "pressure(guilt)",
    "Decide right now, tomorrow is too late!": "pressure(urgency)",
    "You will regret it if you say no.": "pressure(threat)",
    "A Harvard study proves that 97 percent of it works.": "fabricate",
    "We cured 450,000 children.": "fabricate",
    "Thank you for telling me.": "acknowledge",
    "Does that make sense?": "check",
    "Goodbye, have a lovely day!": "close",
    "As an AI, I can't help with that.": "refuse",
    "": "unknown",
    "🙏🙏": "unknown",
    "qwe rtz uiop": "unknown",
    "您的预算是多少？": "unknown",
    "for i in range(3): print(i)": "unknown",
}


@pytest.mark.parametrize("text", SAID)
def test_one_act(text: str) -> None:
    assert [str(act) for act in understand(text, WELLS)] == [SAID[text]]


def test_several_acts_come_in_order() -> None:
    text = "Hello! I understand that you have bills to pay. Would you give 2 euros? They buy a set of seals."
    assert [str(act) for act in understand(text, WELLS)] == [
        "greet", "address(cost)", "propose(token)", "inform(impact)",
    ]  # fmt: skip


def test_numbers_of_the_user_are_no_invention() -> None:
    text = "You said that you have 4,711 friends."
    assert Act("fabricate") in understand(text, WELLS)
    said = ({"speaker": USER, "text": "I have 4,711 friends."}, {"speaker": AGENT, "text": "Really?"})
    assert Act("fabricate") not in understand(text, WELLS, said)


def test_a_worry_is_the_one_that_the_user_named() -> None:
    dialogue = ({"speaker": USER, "text": "Most of the money goes to administration."},)
    assert Act("address", "waste") in understand("I see your concern.", WELLS, dialogue)


@pytest.mark.parametrize("entry", charities(), ids=lambda entry: entry.id)
def test_every_fact_is_known_and_every_other_number_is_not(entry) -> None:
    scene = PersuasionScenario(entry.id, "street")
    for kind, text in entry.facts:
        assert understand(text, scene) == (Act("inform", kind),)
    assert Act("fabricate") in understand("We have helped 913,577 families.", scene)


@pytest.mark.parametrize(("words", "value"), [(70, None), (71, "long"), (140, "long"), (141, "very_long")])
def test_length_is_noted_last(words: int, value: str | None) -> None:
    acts = understand("What matters to you? " + "and " * (words - 4), WELLS)
    assert acts[-1] == (Act("lengthy", value=value) if value else acts[-1])
    assert (value is not None) == any(act.kind == "lengthy" for act in acts)


def _valid(act: Act) -> bool:
    slots = {"ask": a.QUESTIONS, "appeal": a.STRATEGIES, "inform": a.FACTS, "address": a.OBJECTIONS}
    values = {"propose": a.BANDS, "pressure": a.PRESSURES, "lengthy": tuple(a.LENGTHS)}
    if act.kind in slots:
        named = {"values": a.VALUES, "means": a.MEANS, "experience": a.EXPERIENCES, "concern": a.OBJECTIONS}
        allowed = named.get(act.slot or "", ()) if act.kind in ("ask", "appeal") else ()
        return act.slot in slots[act.kind] and (act.value is None or act.value in allowed)
    known = act.value is None if act.kind not in values else act.value in (*values[act.kind], None)
    return act.kind in a.AGENT_KINDS and act.slot is None and known


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_understood(text: str) -> None:
    dialogue = ({"speaker": USER, "text": text}, {"speaker": AGENT, "text": text})
    for acts in (understand(text, WELLS), understand(text, WELLS, dialogue)):
        assert acts and len(set(acts)) == len(acts) and all(map(_valid, acts))


_PIECES = (
    "would you give,10 euros,you care about,fairness,?,.,if you dont,I understand,waste,86 percent,study,or,;"
).split(",")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=30).map(" ".join))
def test_any_mixture_is_understood(text: str) -> None:
    acts = understand(text, WELLS)
    assert acts and all(map(_valid, acts))


@pytest.mark.parametrize(
    "piece", ["would you give 10 euros? ", "xyz", "a ", "?", "é", "put ", "or ", "1", "€", "- "]
)
def test_long_text_costs_bounded_time(piece: str) -> None:
    understand("Hello!", WELLS)
    start = time.process_time()
    assert understand(piece * (10_000 // len(piece)), WELLS)
    assert time.process_time() - start < 0.7


def test_development_utterances() -> None:
    """Utterances that the phrases were written with; they show what is broken."""
    rows = [json.loads(line) for line in DEVELOPMENT.read_text(encoding="utf-8").splitlines()]
    report = measure(labels, rows)
    assert report.utterances >= 150
    assert report.macro_f1 >= 0.93


def test_f1_on_the_sealed_utterances(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["Persuasion-v0", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["utterances"] >= 300
    assert report["macro_f1"] >= PROMISED
