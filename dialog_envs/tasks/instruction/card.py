"""A persona in words, for people who read transcripts or play."""

from __future__ import annotations

from dialog_envs.tasks.instruction.persona import InstructionPersona

FAMILY_TEXTS = {
    "curious": "says freely what is unclear, and why",
    "quiet": "says little, and sometimes nods without having understood",
    "chatty": "talks freely, and tires a little sooner",
    "busy": "has little attention to spare",
    "overclaims": "thinks that everything is known, and does not listen, until a quiz shows a gap",
    "underclaims": "does not trust its own knowledge until a quiz or praise confirms it",
    "stubborn": "agrees with whatever goes against a mistake, and keeps it, until the mistake was voiced and then met",
    "restless": "learns nothing from long turns, which tire it three times as much",
    "deflects": "answers the first quiz of each idea with a question, and 'do you know …?' with 'not sure'",
}
"""What each family is like, one line each."""
_BACKGROUNDS = {
    "child": "a child, for whom technical terms are too hard",
    "student": "a student, who can take any kind of explanation",
    "professional": "a professional from another field, who finds comparisons childish unless fond of them",
}
_STYLES = {
    "analogy": "everyday comparisons",
    "plain": "plain words",
    "technical": "technical terms",
    "example": "worked examples",
}


def card(persona: InstructionPersona) -> list[tuple[str, str]]:
    """(heading, text) pairs. Knowledge is by position: what an idea rests on has to be known too."""
    places = {
        status: ", ".join(str(i + 1) for i, each in enumerate(persona.ideas) if each == status) or "none"
        for status in ("known", "unknown", "misconceived")
    }
    return [
        ("Family", f"{persona.family}: {FAMILY_TEXTS[persona.family]}"),
        ("Background", _BACKGROUNDS[persona.background]),
        ("Learns best from", _STYLES[persona.style]),
        ("Attention", f"{persona.manner.attention} points"),
        ("Knows (if what it rests on is known)", f"ideas {places['known']}"),
        ("Does not know", f"ideas {places['unknown']}"),
        ("Is mistaken about", f"ideas {places['misconceived']}"),
    ]
