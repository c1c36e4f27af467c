"""What an agent may do that chooses its next turn from a menu: made from the text alone."""

from __future__ import annotations

from collections.abc import Sequence

from dialog_envs.core.dialogue import Act, TurnView
from dialog_envs.tasks.persuasion.dynamics import SUPPORT
from dialog_envs.tasks.persuasion.policies import appeal
from dialog_envs.tasks.persuasion.scenario import PersuasionScenario
from dialog_envs.tasks.persuasion.tracker import Follower, Tracker

MOST = 14
"""Most entries."""


def menu(brief: str, dialogue: Sequence[TurnView]) -> tuple[PersuasionScenario, list[tuple[Act, ...]]]:
    """The scenario, and at most :data:`MOST` turns: answers first, then questions, appeals, requests and facts."""
    reader = Follower(brief)
    reader.catch_up(dialogue)
    known = reader.tracker
    found = [*_answers(known), *_questions(known), *_appeals(known), *_requests(known)]
    facts = [(Act("inform", fact),) for fact in ("credibility", "impact", "evidence", "story", "spending")]
    told = {act for turn in found for act in turn}
    spare = [turn for turn in facts if turn[0].slot not in known.informed and turn[0] not in told]
    return reader.scenario, [*found, *spare][:MOST]


def _answers(known: Tracker) -> list[tuple[Act, ...]]:
    """Meet an objection, with its fact where that was not told; give the facts that were asked for."""
    found: list[tuple[Act, ...]] = []
    for slot in known.open_objections[:2]:
        fact = SUPPORT[slot]
        new = (Act("inform", fact),) if fact is not None and fact not in known.informed else ()
        found.append((Act("address", slot), *new))
    found += [(Act("inform", fact),) for fact in known.doubts[:1]]
    if known.promised or known.agreed or known.refusals:
        found.append((Act("commit"),))
    return found


def _questions(known: Tracker) -> list[tuple[Act, ...]]:
    """Questions that are not answered yet."""
    left = [slot for slot in ("values", "experience") if slot not in known.told]
    return [(Act("ask", slot),) for slot in [*left, *([] if known.clear else ["concern"])]]


def _appeals(known: Tracker) -> list[tuple[Act, ...]]:
    """Appeals to the value that was told, or to none; not those that are worn out."""
    value, used = known.told.get("values"), [strategy for strategy, _ in known.appealed]
    slots = ("values", "logical", "emotional", "story") if value else ("logical", "emotional", "story")
    return [appeal(slot, value) for slot in slots if used.count(slot) < 2]


def _requests(known: Tracker) -> list[tuple[Act, ...]]:
    """A first step, or an amount."""
    bands = ([] if known.agreed else ["token"]) + ["small", "medium", "large"]
    return [(Act("propose", value=band),) for band in bands]
