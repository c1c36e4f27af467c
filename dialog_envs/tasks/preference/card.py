"""A persona in words, for people who read transcripts or play."""

from __future__ import annotations

from dialog_envs.tasks.preference.persona import SECOND_THEME, PreferencePersona, lie_slot

FAMILY_TEXTS = {
    "easygoing": "talks freely, is patient, and settles for something second-rate when tired of looking",
    "focused": "answers what is asked, and not much else",
    "reserved": "says little; a question does not always bring an answer",
    "hesitant": "knows what fits, but often does not take it at once",
    "cost_averse": "has little to spend, never says so, and turns down what is expensive",
    "indecisive": "takes nothing that stands alone: wants two things compared, or a second push",
    "terse": "answers few questions, in few words, and often refuses without a reason",
    "impatient": "leaves soon; settles for something second-rate in a hurry",
    "changeable": "changes to another theme in the third turn",
    "contradictory": "says the opposite of what they accept about one thing",
}
"""What each family is like, one line each."""
_NEEDS = {
    "none": "none",
    "step_free": "no stairs or rough ground",
    "no_heights": "afraid of heights",
    "no_water": "nothing on or in the water",
    "vegetarian": "vegetarian",
}
_BUDGETS = {"low": "at most 20 euros", "medium": "at most 60 euros", "any": "no limit"}
_TIMES = {"short": "two hours at most", "half_day": "half a day at most", "any": "the whole day"}


def card(persona: PreferencePersona) -> list[tuple[str, str]]:
    """(heading, text) pairs."""
    rows = [("Family", f"{persona.family}: {FAMILY_TEXTS[persona.family]}"), ("Theme", persona.theme)]
    rows += [
        (slot.capitalize(), "no preference" if getattr(persona, slot) == "any" else getattr(persona, slot))
        for slot in ("setting", "pace", "crowd")
    ]
    rows += [
        ("Budget", _BUDGETS[persona.budget]),
        ("Time", _TIMES[persona.time]),
        ("Need", _NEEDS[persona.need]),
        ("Matters most", persona.priority),
    ]
    lie = lie_slot(persona)
    if persona.family == "contradictory" and lie is not None:
        rows.append(("Says instead", f"{lie}: {persona.says(lie)}"))
    if persona.family == "changeable":
        rows.append(("Changes to", SECOND_THEME[persona.theme]))
    return rows
