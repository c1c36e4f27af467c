"""How a small learned agent sees PreferenceElicitation-v0: notes, and names as ranks.

Before each agent turn stands a note that a program makes from the text alone: which wishes are known, how many
activities fit them best, and whether the user could not decide. Activities appear as ``<1>``, ``<2>`` …: their rank
by the wishes known at that moment. So a language model of a million parameters can learn *what to do next* from
2,000 dialogues, without first having to learn to look things up (SimpleTOD, Hosseini-Asl et al., 2020;
delexicalisation: Wen et al., 2015). Every learned agent sees the same view.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dialog_envs.core.dialogue import AGENT, TurnView
from dialog_envs.tasks.preference.persona import SLOTS
from dialog_envs.tasks.preference.scenario import MAX_ITEMS
from dialog_envs.tasks.preference.tracker import Tracker, track

_RANK = re.compile(r"<(\d{1,2})>")


class PreferenceView:
    """See the module's text."""

    special_tokens = tuple(f"<{rank}>" for rank in range(1, MAX_ITEMS + 1))

    def segments(self, brief: str, dialogue: Sequence[TurnView]) -> list[tuple[str, str]]:
        """``[(role, text), …]``: notes, user turns, and agent turns with names as ranks."""
        found: list[tuple[str, str]] = []
        steps = track(brief, dialogue)
        for turn in dialogue:
            if turn["speaker"] != AGENT:
                found.append(("user", turn["text"]))
                continue
            tracker, scenario = next(steps)
            found.append(("note", note(tracker)))
            names = dict(zip(scenario.items, scenario.item_names, strict=True))
            text = turn["text"]
            for rank, (item, _) in enumerate(tracker.ranking(), start=1):
                text = text.replace(names[item], f"<{rank}>")
            found.append(("agent", text))
        if not dialogue or dialogue[-1]["speaker"] != AGENT:
            tracker, _ = next(steps)
            found.append(("note", note(tracker)))
        return found

    def realise(self, text: str, brief: str, dialogue: Sequence[TurnView]) -> str:
        """Ranks → names, by the ranking before the coming agent turn. A rank that there is not stays as it is."""
        tracker, scenario = list(track(brief, dialogue))[-1]
        names = dict(zip(scenario.items, scenario.item_names, strict=True))
        ranked = [names[item] for item, _ in tracker.ranking()]

        def name(found: re.Match[str]) -> str:
            rank = int(found[1])
            return ranked[rank - 1] if 1 <= rank <= len(ranked) else found[0]

        return _RANK.sub(name, text)


def note(tracker: Tracker) -> str:
    """The note before an agent turn, for example ``known theme budget; fit 2; refused 1``."""
    known = [slot for slot in SLOTS if slot in tracker.wishes]
    parts = [" ".join(["known", *known]) if known else "known nothing", f"fit {min(tracker.leaders(), 9)}"]
    if tracker.refused:
        parts.append(f"refused {min(len(tracker.refused), 9)}")
    if tracker.pondered:
        parts.append("undecided")
    if tracker.evaded:
        parts.append("unsure " + " ".join(sorted(tracker.evaded)))
    return "; ".join(parts)
