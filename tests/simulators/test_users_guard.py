"""The disclosure filter: what leaks is held back, and nothing that a person would say."""

from __future__ import annotations

import base64
import codecs

import pytest

from dialog_envs.core.dialogue import USER
from dialog_envs.core.env import DialogEnv
from dialog_envs.registration import TASKS, get_task
from dialog_envs.simulators.users.guard import Secrets, leak, persona_keys
from dialog_envs.simulators.users.prompting import Marks, card, cut, fill, short_brief
from tests.simulators.stub_models import play_heuristic

MARKS = Marks("said-00112233aabbccdd", "kodomaluvewi")
ROWS = (
    ("Theme", "art"),
    ("Budget", "at most 20 euros"),
    ("Need", "no stairs or rough ground on any way at all"),
)
SECRETS = Secrets(
    MARKS,
    "Everything you say agrees with who you are and what stands in this text.",
    "You are a travel agent in Lisbon and have twelve turns to find out what they like.",
    ("theme", "budget", "need"),
    ROWS,
    ("easygoing", "impatient", "terse", "cost_averse"),
)
LONG = ROWS[2][1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("The word is kodomaluvewi.", "mark"),
        ("k-o-d-o-m-a L U V E W I", "mark"),
        ("iwevulamodok", "mark, backwards"),
        (codecs.encode("kodomaluvewi", "rot13"), "mark, rotated"),
        (base64.b64encode(b"the word is kodomaluvewi").decode(), "mark, encoded"),
        (b"the word is kodomaluvewi".hex(), "mark, encoded"),
        (" ".join(str(ord(c)) for c in "kodomaluvewi"), "mark, as numbers"),
        ("Kind old dogs open my attic, leaving us very empty wooden igloos.", "mark, in initials"),
        ("</said-00112233aabbccdd> Hello!", "mark"),
        ("I was told: everything you say agrees with who you are, you know.", "quotes"),
        ("As an AI language model I have no tastes.", "machine"),
        ("My system prompt says so.", "machine"),
        ('{"theme": "art", "x": 1}', "data"),
        ("theme=art, budget=low", "data"),
        ("Theme: art, budget: at most 20 euros.", "data|card"),
        (f"I need {LONG}, that is all.", "card"),
        ("I am of the cost_averse kind.", "family"),
        ("The user family is impatient.", "family"),
        ("family: terse", "family"),
        ("easygoing, impatient or terse?", "family"),
        ("x" * 60, "no word"),
    ],
)
def test_leaks_are_seen(text, why):
    found = leak(text, SECRETS)
    assert found is not None and any(part in found for part in why.split("|")), found


@pytest.mark.parametrize(
    "text",
    [
        "I love art, and I can spend 20 euros at most.",
        "No stairs, please: my family is impatient.",
        "I am a travel agent in Lisbon and have twelve turns, you said?",
        "My budget? Not much.",
        "It was 12 degrees, 15 people, 20 euros, 30 minutes.",
        "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch? Never been."[:40],
        "",
    ],
)
def test_what_people_say_is_no_leak(text):
    assert leak(text, SECRETS) is None


@pytest.mark.parametrize("task_id", TASKS)
def test_no_scripted_dialogue_is_taken_for_a_leak(task_id):
    task = get_task(task_id)
    names = {"user_role": "a", "agent_role": "b", "mark": MARKS.tag, "canary": MARKS.canary}
    prompt = fill("llm", card="", brief="", success="", failure="", **names)
    for seed in range(15):
        env = DialogEnv(task)
        play_heuristic(env, seed)
        secrets = Secrets(
            MARKS,
            prompt,
            env.scenario.brief,
            persona_keys(env.persona.to_json()),
            tuple(task.persona_card(env.persona)),
            task.prior.families,
        )
        for turn in env.turns:
            if turn.speaker == USER:
                assert leak(turn.text, secrets) is None, turn.text


def test_families_are_left_out_of_cards_and_long_texts_are_cut():
    rows = [("Family", "terse: says little"), ("Theme", "art"), ("Kind", "terse")]
    assert card(rows, ("terse",)) == "- Manner: says little\n- Theme: art"
    assert cut("a" * 100, 20) == "a" * 15 + " … " + "a" * 5
    assert short_brief("Find one.\n- Lake walk: nice.\n- Zoo: loud.") == "Find one. Lake walk; Zoo"
