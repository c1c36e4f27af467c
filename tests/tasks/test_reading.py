"""Reading: what users say is read back as it was meant, also when other people said it."""

from __future__ import annotations

import os
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog_envs.core.dialogue import AGENT, USER, Act
from dialog_envs.tasks.preference.catalogue import places
from dialog_envs.tasks.preference.language.reading import read
from dialog_envs.tasks.preference.persona import MANNERS
from dialog_envs.tasks.preference.scenario import PreferenceScenario, sample_scenario
from tests.tasks.preference_play import dialogues

SENTENCES = Path(__file__).with_name("user_sentences.txt")
TURNS = int(os.environ.get("READING_TURNS", "3000"))
"""How many turns to read back; 20,000 take about ten seconds on a quiet core."""


def lisbon() -> PreferenceScenario:
    place = next(place for place in places() if place.slug == "lisbon")
    return PreferenceScenario(
        "Lisbon", "a long weekend for two", "couple", tuple(entry.id for entry in place.items)
    )


def parse(labels: str) -> tuple[Act, ...]:
    """ "reject @alfama-tile-workshop budget=low; leave" as acts."""
    acts = []
    for part in labels.split(";"):
        kind, *fields = part.split()
        slot = value = item = None
        for text in fields:
            if text.startswith("@"):
                item = f"lisbon/{text[1:]}"
            elif "=" in text:
                slot, _, value = text.partition("=")
            elif kind == "evade":
                slot = text
            else:
                value = text
        acts.append(Act(kind, slot, value, item))
    return tuple(acts)


def test_phrased_turns_read_back() -> None:
    turns_read = exact = acts_said = acts_read = 0
    for number, family in enumerate(MANNERS):
        seen = 0
        for _, scenario, turns in dialogues(10**6, seed=100 + number, family=family):
            views = [turn.view() for turn in turns]
            for i, turn in enumerate(turns):
                if turn.speaker == USER:
                    found = read(turn.text, scenario, views[:i])
                    seen += 1
                    exact += found == turn.acts
                    acts_said += len(turn.acts)
                    acts_read += sum(act in found for act in turn.acts)
            if seen >= TURNS / len(MANNERS):
                break
        turns_read += seen
    print(
        f"{turns_read} turns: {exact / turns_read:.4f} exact; of their acts {acts_read / acts_said:.4f} read"
    )
    assert exact / turns_read >= 0.99 and acts_read / acts_said >= 0.99


def test_sentences_by_other_hands() -> None:
    rows = [
        line.split("=>")
        for line in SENTENCES.read_text(encoding="utf-8").splitlines()
        if "=>" in line and line[0] != "#"
    ]
    scenario, wrong = lisbon(), []
    for said, text, labels in rows:
        before = [{"speaker": USER, "text": "Hi, I'm in Lisbon."}, {"speaker": AGENT, "text": said.strip()}]
        found = read(text.strip(), scenario, before)
        if found != parse(labels):
            wrong.append(f"{said} => {text}: wanted {labels}, got {'; '.join(map(str, found))}")
    print(f"{len(rows)} sentences: {1 - len(wrong) / len(rows):.3f} exact")
    assert len(rows) >= 100
    assert len(wrong) / len(rows) <= 0.1, "\n".join(wrong)


@pytest.mark.parametrize(
    ("agent", "user", "acts"),
    [
        ("Do you like it quiet?", "Yes.", (Act("answer", "crowd", "quiet"),)),
        ("Do you like it quiet?", "No.", (Act("answer", "crowd", "lively"),)),
        ("What is your budget?", "No preference.", (Act("answer", "budget", "any"),)),
        ("Do you have any special needs?", "No.", (Act("answer", "need", "none"),)),
        ("Indoors or outdoors?", "either is fine", (Act("answer", "setting", "any"),)),
        (
            "How about the Cork purse making?",
            "no, too pricey",
            (Act("reject", "budget", "low", "lisbon/cork-purse-making"),),
        ),
        ("How about the Cork purse making?", "Yes.", (Act("accept", item="lisbon/cork-purse-making"),)),
    ],
)
def test_context_settles_short_answers(agent: str, user: str, acts: tuple[Act, ...]) -> None:
    assert read(user, lisbon(), [{"speaker": AGENT, "text": agent}]) == acts


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    scenario = lisbon()
    for before in (
        [],
        [{"speaker": AGENT, "text": "Indoors or outdoors?"}],
        [{"speaker": AGENT, "text": text}],
    ):
        for act in read(text, scenario, before):
            assert act.item is None or act.item in scenario.items


def test_long_texts_take_bounded_time() -> None:
    scenario = sample_scenario(np.random.default_rng(0))
    start = perf_counter()
    read("too pricey, not the tile workshop. " * 20_000, scenario, [{"speaker": AGENT, "text": "Hm?"}])
    assert perf_counter() - start < 1.0


def test_speed() -> None:
    """About 30 microseconds for a short turn on a quiet machine; the limit leaves room for a busy one."""
    rows = [
        (turn.text, scenario, tuple(t.view() for t in turns[:i]))
        for _, scenario, turns in dialogues(60, seed=2)
        for i, turn in enumerate(turns)
        if i and turn.speaker == USER
    ]
    best = 1.0
    for _ in range(5):
        start = perf_counter()
        for text, scenario, before in rows:
            read(text, scenario, before)
        best = min(best, (perf_counter() - start) / len(rows))
    assert best < 250e-6
