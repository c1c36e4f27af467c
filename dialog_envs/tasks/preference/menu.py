"""What an agent that chooses may say: a short menu of turns, from the text alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dialog_envs.core.dialogue import USER, Act, TurnView
from dialog_envs.tasks.preference.persona import SLOTS
from dialog_envs.tasks.preference.scenario import PreferenceScenario, scenario_from_brief

SHORTLIST = 4
"""Most activities on the menu."""
_WORD = re.compile(r"[^\W\d_]{4,}")


def menu(brief: str, dialogue: Sequence[TurnView]) -> tuple[PreferenceScenario, list[tuple[Act, ...]]]:
    """A question about each slot and an open one, a suggestion of each short-listed activity, and a choice of two."""
    scenario = scenario_from_brief(brief)
    questions: list[tuple[Act, ...]] = [(Act("ask", slot),) for slot in ("open", *SLOTS)]
    listed = {line[2:].partition(": ")[0]: line for line in brief.splitlines() if line.startswith("- ")}
    names = _shortlist(listed, dialogue)
    ids = {entry.name: entry.id for entry in scenario.activities}
    suggestions = [Act("suggest", item=ids[name]) for name in names]
    pair: list[tuple[Act, ...]] = [tuple(suggestions[:2])] if len(suggestions) > 1 else []
    return scenario, [*questions, *((act,) for act in suggestions), *pair]


def _shortlist(listed: dict[str, str], dialogue: Sequence[TurnView]) -> list[str]:
    """The activities whose lines share most words with what the user said; of equals, those first in the brief.

    What the agent named before stands behind the others: the user answered it already.
    """
    said = {word for turn in dialogue if turn["speaker"] == USER for word in _words(turn["text"])}
    named = " ".join(turn["text"] for turn in dialogue if turn["speaker"] != USER).casefold()

    def place(name: str) -> tuple[bool, int]:
        known = name.casefold().removeprefix("the ") in named
        return known, -len(said & _words(listed[name]))

    return sorted(listed, key=place)[:SHORTLIST]


def _words(text: str) -> set[str]:
    """Words of four letters or more, without a plural's s."""
    return {word.casefold().removesuffix("s") for word in _WORD.findall(text)}
