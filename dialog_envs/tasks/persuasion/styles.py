"""Styles of behaviour policies: each does something well that another does badly, and none does everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dialog_envs.tasks.persuasion.acts import FACTS, STRATEGIES


@dataclass(frozen=True)
class Style:
    """How a behaviour policy behaves.

    Attributes:
        questions: what it asks before it argues, in order.
        curious: probability of asking each of them.
        appeals: weights of strategies.
        names: probability that an appeal names the value that the person has told.
        guesses: probability that it names any value when none was told.
        facts: weights of facts told unasked.
        facts_a_turn: how many of them go with an appeal.
        answers: probability of meeting an objection that was named, or a doubt.
        words, backs: probability that this is done in words, and with the fact.
        proposes_at: earliest and latest turn of the first request (drawn once an episode).
        bands: weights of amounts.
        token: probability of beginning with a small step.
        digs: probability of asking what is in the way after a refusal.
        retries: probability of asking again at once after a refusal.
        pushes, invents: probability of pressure, or of an invention, after a refusal.
        commits: probability of asking for a commitment after a promise; otherwise it says thanks and goodbye.
        thanks: probability of beginning a turn with empathy.
        chaos: probability of a random turn.
    """

    questions: tuple[str, ...] = ()
    curious: float = 1.0
    appeals: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(STRATEGIES, 1.0))
    names: float = 0.5
    guesses: float = 0.0
    facts: Mapping[str, float] = field(default_factory=lambda: {"impact": 1.0})
    facts_a_turn: int = 0
    answers: float = 0.8
    words: float = 0.7
    backs: float = 0.5
    proposes_at: tuple[int, int] = (3, 5)
    bands: Mapping[str, float] = field(default_factory=lambda: {"small": 0.6, "medium": 0.3, "large": 0.1})
    token: float = 0.0
    digs: float = 0.2
    retries: float = 0.2
    pushes: float = 0.0
    invents: float = 0.0
    commits: float = 0.5
    thanks: float = 0.1
    chaos: float = 0.0


STYLES: dict[str, Style] = {
    "reciter": Style(
        questions=("open",), curious=0.4, appeals={"logical": 3, "credibility": 1, "values": 2}, names=0.7,
        facts=dict.fromkeys(FACTS, 1.0), facts_a_turn=1, words=0.5, backs=1.0, proposes_at=(4, 6), digs=0.45,
        commits=0.4,
    ),
    "storyteller": Style(
        questions=("values",), appeals={"emotional": 2, "story": 2, "values": 1, "identity": 1}, names=0.95,
        guesses=0.2, facts={"story": 2.0, "mission": 1.0}, facts_a_turn=1, words=1.0, backs=0.5,
        proposes_at=(4, 6), digs=0.5, commits=0.5,
    ),
    "pusher": Style(
        questions=("values",), curious=0.4, appeals={"emotional": 1, "logical": 1, "values": 1}, names=0.8,
        guesses=0.2, answers=0.7, words=0.6, backs=0.8, proposes_at=(1, 3),
        bands={"small": 0.3, "medium": 0.4, "large": 0.3}, retries=0.35, pushes=0.15, invents=0.08, digs=0.15,
        commits=1.0, thanks=0.0,
    ),
    "stepper": Style(
        questions=("open",), appeals={"credibility": 1, "values": 1, "identity": 1, "story": 1}, names=0.8,
        words=0.7, backs=0.7, proposes_at=(4, 6), bands={"small": 1.0}, token=1.0, digs=0.5, commits=0.6,
    ),
    "interviewer": Style(
        questions=("open", "values", "experience", "concern", "concern"), curious=0.85,
        appeals={"logical": 1, "emotional": 1, "values": 2}, names=0.95, words=1.0, backs=0.6,
        proposes_at=(8, 10), digs=0.6, commits=0.6, thanks=0.3,
    ),
    "agreeable": Style(
        questions=("values", "concern"), appeals={"emotional": 1, "values": 2, "story": 1}, names=0.9, words=1.0,
        backs=0.4, proposes_at=(4, 6), bands={"small": 1.0}, digs=0.5, commits=0.1, thanks=0.8,
    ),
    "competent": Style(
        questions=("values", "concern"), appeals={"logical": 1, "emotional": 1, "values": 2}, names=0.95,
        facts={"credibility": 1.0, "evidence": 1.0, "impact": 1.0}, facts_a_turn=1, answers=0.95, words=0.95,
        backs=0.9, proposes_at=(4, 6), digs=0.7, commits=0.9, chaos=0.12,
    ),
}  # fmt: skip
"""Behaviour policies by name, beside ``random`` (``policies.RandomPolicy``)."""
MIXTURE: dict[str, float] = {
    "reciter": 0.17,
    "storyteller": 0.17,
    "pusher": 0.13,
    "stepper": 0.13,
    "interviewer": 0.13,
    "agreeable": 0.11,
    "competent": 0.11,
    "random": 0.05,
}
"""Default shares of behaviour policies in an imagined dataset."""
