"""What an agent that chooses may say: the turns open to it, for prompted agents. From the text alone."""

from __future__ import annotations

from collections.abc import Sequence

from dialog_envs.core.dialogue import Act, TurnView
from dialog_envs.tasks.instruction.acts import KINDS
from dialog_envs.tasks.instruction.scenario import InstructionScenario
from dialog_envs.tasks.instruction.tracker import GAP, MISC, OPEN, RIGHT, SAYS, TOLD, Follower, Tracker

Acts = tuple[Act, ...]


def menu(brief: str, dialogue: Sequence[TurnView]) -> tuple[InstructionScenario, list[Acts]]:
    """The scenario, and at most 14 turns: questions, quizzes, a correction, explanations of every kind, and phrases.

    Quizzes are of the first ideas that nobody has tested. All four kinds of explanation are open for the first idea
    that is known to lack (or, if there is none, that was not talked about), the kind that suits best for the second.
    """
    reader = Follower(brief)
    reader.catch_up(dialogue)
    tracker, items = reader.tracker, reader.scenario.items
    turns: list[Acts] = [(Act("ask", slot),) for slot in ("style", "background", "open")]
    untested = [*tracker.marked(OPEN, SAYS), *tracker.marked(TOLD), *tracker.marked(GAP, MISC)]
    turns += [(Act("quiz", item=item),) for item in (untested or list(items))[:2]]
    lacking = _lacking(tracker) or list(items)
    wrong = (tracker.marked(MISC) or tracker.marked(SAYS, OPEN) or lacking)[0]
    turns.append((Act("correct", item=wrong), Act("explain", value=tracker.best_kind(wrong), item=wrong)))
    turns += [(Act("explain", value=kind, item=lacking[0]),) for kind in KINDS]
    turns += [(Act("explain", value=tracker.best_kind(item), item=item),) for item in lacking[1:2]]
    return reader.scenario, [*turns, (Act("encourage"),), (Act("confirm"),), (Act("close"),)]


def _lacking(tracker: Tracker) -> list[str]:
    """Ideas to explain: those known to lack first, in teaching order, then those that nobody has spoken of."""
    gaps = tracker.marked(GAP)
    ready = [item for item in gaps if tracker.ready(item)]
    rest = [item for item, mark in tracker.marks.items() if mark != RIGHT and item not in ready]
    order = {GAP: 0, OPEN: 1, SAYS: 2, MISC: 3, TOLD: 4}
    return [*ready, *sorted(rest, key=lambda item: order[tracker.marks[item]])]
