"""The numbers of Persuasion-v0's dynamics, shared by the kernel and the posterior. All are whole hundredths.

Sources of the shapes: appeals work by their fit to the person, and wear off (Petty and Cacioppo, 1986); a small first
step eases the next (Freedman and Fraser, 1966); threats to freedom are answered by reactance (Brehm, 1966); credibility
is what facts are believed by (Hovland, Janis and Kelley, 1953). The sizes are this project's choice.
"""

from __future__ import annotations

from collections.abc import Iterable

from dialog_envs.core.dialogue import Act

READY = 80
"""Willingness from which something is given."""
LEVELS: dict[str, int] = {"small": 80, "medium": 110, "large": 140}
"""Willingness from which each band is given (as far as means allow)."""
TRUST_START: dict[str, int] = {"low": 20, "mid": 50, "high": 70}
TRUSTED = 50
"""Trust without which nothing is given."""
WARY = 30
"""Below this trust, appeals count half."""
CONFIDES_AT = {"guarded": 60}
"""Trust from which somebody asked about it names the hidden objection; others at ``WARY``."""

FIT: dict[str, dict[str, int]] = {
    "reason": {"logical": 60, "emotional": 10, "credibility": 25, "story": 15, "identity": 30, "values": 45},
    "feeling": {"logical": 15, "emotional": 60, "credibility": 10, "story": 50, "identity": 40, "values": 45},
}
"""What an appeal adds to willingness that names the value which moves the person, by taste."""
NEEDS_VALUE = ("values",)
"""Appeals that do nothing unless they name a value; others do half."""
VALUE_FREE = ("credibility",)
"""Appeals in which a value changes nothing."""
MISSED = -10
"""An appeal to a value that is not the person's, and one more than twice."""
SENTIMENTAL = ("emotional", "story", "identity")
OFFENDED = -20
"""What a sentimental appeal adds with the family ``evidence_only``."""
WARM, COOL = 30, 0
"""An appeal that adds this much or more is warmly received; one that adds this little or less coolly."""

FACT_TRUST: dict[str, int] = {"credibility": 20, "evidence": 15, "spending": 15}
"""What a fact adds to trust, once."""
ANSWERED = 15
"""What it adds besides if the person had asked for it."""
CREDIBLE = 5
"""What a credibility appeal adds to trust."""
FACT_WILL: dict[str, dict[str, int]] = {
    "reason": {"impact": 15, "evidence": 15, "mission": 5},
    "feeling": {"impact": 10, "story": 15, "mission": 10},
}
"""What a fact adds to willingness, once."""
SUPPORT: dict[str, str | None] = {
    "cost": "impact", "waste": "spending", "effect": "evidence", "local": "mission", "trust": "credibility",
    "time": None,
}  # fmt: skip
"""The fact that meets an objection (none for ``time``: words do)."""
RELIEF = 10
"""What a met objection adds to willingness."""
PLANTED = -10
"""What speaking of an objection that the person does not have adds to trust."""
DOUBT_ORDER: dict[str, tuple[str, ...]] = {
    "reason": ("evidence", "spending", "credibility"),
    "feeling": ("credibility", "spending", "evidence"),
}
"""What the mistrustful ask for, by taste: the first that was not said."""
PUSHED, PUSHED_REACTANT, INVENTED = -20, -40, -40
"""What pressure and inventions add to trust."""
VOICED = {"pressure": 0.7, "invention": 0.6}
"""Probability that somebody says so (the reactant always speak up against pressure)."""
FOOT = 25
"""What a first small step adds to willingness, in families that it works on."""
TOKEN_TRUST = 30
"""Trust from which a first small step is taken."""

COST = {
    "talk": 30,
    "question": 40,
    "extra question": 60,
    "repeated question": 70,
    "appeal": 40,
    "cool appeal": 60,
    "extra appeal": 60,
    "fact": 25,
    "repeated fact": 40,
    "extra fact": 40,
    "address": 25,
    "repeated address": 60,
    "planted": 70,
    "unmet": 40,
    "refused": 80,
    "refused again": 30,
    "hard sell": 40,
    "too large": 60,
    "step": 30,
    "refused step": 80,
    "promise": 20,
    "pressure": 150,
    "pressure on the reactant": 250,
    "invention": 150,
    "crowded": 120,
    "long": 50,
    "very_long": 100,
    "not understood": 100,
    "idle": 50,
}
"""What agent turns use up of the user's patience."""
FACTS_A_TURN, ADDRESSED_A_TURN, QUESTIONS_A_TURN = 2, 2, 2
"""How many of a turn are taken in; what is more only tires."""
POINTS_A_TURN = 2
"""Arguments, facts and questions of a turn that somebody follows with ease; each further one is ``crowded``."""
SUBSTANCE = frozenset(("ask", "appeal", "inform", "address", "propose", "commit", "pressure", "fabricate"))
"""Kinds of agent acts that somebody reacts to; the rest is small talk."""


def unique(acts: Iterable[Act], kind: str) -> list[Act]:
    """Acts of a kind, one a slot; one that names a value wins over one that does not."""
    found: dict[str | None, Act] = {}
    for act in acts:
        if act.kind == kind and (
            act.slot not in found or (found[act.slot].value is None and act.value is not None)
        ):
            found[act.slot] = act
    return list(found.values())


def crowding(acts: Iterable[Act]) -> int:
    """How many points of a turn are too many."""
    kinds = [act.kind for act in acts if act.kind in ("ask", "appeal", "inform", "address", "propose")]
    points = len(kinds) - max(kinds.count("appeal") - 1, 0)
    return max(points - POINTS_A_TURN, 0)


def appeal_of(acts: Iterable[Act]) -> tuple[str | None, str | None, int]:
    """(strategy, value, extra): what a turn appeals to, the value it names, and how many appeals are too many.

    Of several strategies the first counts; "this is for nature" beside one of them says whom it speaks to.
    """
    appeals = unique(acts, "appeal")
    slots = [act.slot for act in appeals if act.slot not in (None, "values")]
    value = next((act.value for act in appeals if act.value is not None), None)
    main = slots[0] if slots else ("values" if appeals else None)
    return main, value, max(len(slots) - 1, 0)


def offensive(acts: Iterable[Act]) -> bool:
    """Whether a turn pushes or invents: nobody volunteers anything after that."""
    return any(act.kind in ("pressure", "fabricate") for act in acts)


def asked_for(acts: tuple[Act, ...], offered: str | None) -> tuple[str | None, bool]:
    """(band, commits): what a turn proposes, if anything, and whether it asks for a commitment.

    Of several amounts the first counts; no amount means what was on the table, or ``small``.
    """
    bands = [act.value for act in acts if act.kind == "propose"]
    commits = any(act.kind == "commit" for act in acts)
    if not bands and not commits:
        return None, False
    named = next((band for band in bands if band is not None), None)
    on_the_table = offered if offered not in (None, "token") else "small"
    return named or on_the_table, commits and named != "token"


def closes(acts: tuple[Act, ...]) -> bool:
    """Whether the agent ends the talk; a request in the same turn still waits for its answer."""
    kinds = {act.kind for act in acts}
    return "close" in kinds and not kinds & {"propose", "commit", "ask"}
