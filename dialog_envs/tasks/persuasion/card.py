"""A persona in words, for people who read transcripts or play."""

from __future__ import annotations

from dialog_envs.tasks.persuasion.acts import EUROS
from dialog_envs.tasks.persuasion.persona import PersuasionPersona

FAMILY_TEXTS = {
    "warm": "talks freely, has patience, and is led on by a first small step",
    "practical": "says what is what, and wants to get to the point",
    "cautious": "takes time, answers some questions, and likes to begin small",
    "busy": "has little patience, and likes to put things off with a promise",
    "guarded": "names a pretext; the real objection comes out only when asked about, and with trust",
    "yes_sayer": "says yes to get away, and gives nothing until a commitment is asked for and their concern is met",
    "reactant": "resents being pushed, twice as much as others, and walks out the second time",
    "evidence_only": "gives on evidence alone; stories and feelings put them off",
}
"""What each family is like, one line each."""
VALUE_TEXTS = {
    "compassion": "compassion: that nobody suffers",
    "fairness": "fairness: that everybody gets the same chance",
    "community": "community: that people stand together",
    "nature": "nature: that what lives and grows is kept",
    "self_reliance": "self-reliance: that people can stand on their own feet",
    "achievement": "achievement: that something is really brought about",
}
OBJECTION_TEXTS = {
    "cost": "cannot afford it",
    "waste": "the money is lost in overhead",
    "effect": "does it help at all?",
    "local": "help should begin at home",
    "trust": "was taken in by a charity before",
    "time": "no time for it now",
    "none": "nothing",
}
_TASTES = {"reason": "reasons and figures", "feeling": "feeling and stories"}
_TRUST = {"low": "little: seen bad things", "mid": "some", "high": "much: good experience"}


def card(persona: PersuasionPersona) -> list[tuple[str, str]]:
    """(heading, text) pairs."""
    return [
        ("Family", f"{persona.family}: {FAMILY_TEXTS[persona.family]}"),
        ("Moved by", VALUE_TEXTS[persona.value]),
        ("Likes", _TASTES[persona.taste]),
        ("Means", f"{persona.means}: {EUROS[persona.most]} euros at most"),
        ("Trusts charities", _TRUST[persona.trust]),
        ("Says is in the way", OBJECTION_TEXTS[persona.objection]),
        ("Keeps to themselves", OBJECTION_TEXTS[persona.hidden]),
    ]
