"""How a small learned agent sees PreferenceElicitation-v0: notes, and names as ranks.

Before each agent turn stands a note that a program makes from the text alone: how many turns the user has had, what
is still open, how many activities fit the wishes best, and whether the user could not decide. Activities appear as
``<1>``, ``<2>`` …: their rank by the wishes known at that moment. So a language model of a million parameters can
learn *what to do next* from a few thousand dialogues, without first having to learn to look things up (SimpleTOD,
Hosseini-Asl et al., 2020; delexicalisation: Wen et al., 2015). Every learned agent sees the same view.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from dialog_envs.core.dialogue import AGENT, TurnView
from dialog_envs.tasks.preference.persona import SLOTS
from dialog_envs.tasks.preference.scenario import MAX_ITEMS
from dialog_envs.tasks.preference.tracker import Follower, Tracker

_RANK = re.compile(r"<(\d{1,2})>")


class PreferenceView:
    """See the module's text."""

    special_tokens = tuple(f"<{rank}>" for rank in range(1, MAX_ITEMS + 1))

    def segments(self, brief: str, dialogue: Sequence[TurnView]) -> list[tuple[str, str]]:
        """``[(role, text), …]``: notes, user turns, and agent turns with names as ranks."""
        found: list[tuple[str, str]] = []
        moment: _Moment | None = None
        for i, turn in enumerate(dialogue):
            if turn["speaker"] == AGENT:
                moment = _moment(brief, dialogue[:i], moment)
                found.append(("note", moment.note))
                found.append(("agent", _ranks_for_names(turn["text"], moment.ranked)))
            else:
                found.append(("user", turn["text"]))
        if not dialogue or dialogue[-1]["speaker"] != AGENT:
            found.append(("note", _moment(brief, dialogue, moment).note))
        return found

    def realise(self, text: str, brief: str, dialogue: Sequence[TurnView]) -> str:
        """Ranks → names, by the ranking before the coming agent turn. A rank that there is not stays as it is."""
        if "<" not in text:
            return text
        ranked = _moment(brief, dialogue).ranked

        def name(found: re.Match[str]) -> str:
            rank = int(found[1])
            return ranked[rank - 1] if 1 <= rank <= len(ranked) else found[0]

        return _RANK.sub(name, text)


class _Moment(NamedTuple):
    """What an agent knows before one of its turns."""

    reader: Follower
    note: str
    ranked: tuple[str, ...]
    """Names of the activities, the best first."""


_MEMO_SIZE = 2_048
_memo: dict[tuple[str, tuple[tuple[int, str], ...]], _Moment] = {}
"""The moments seen last. A dialogue grows turn by turn, and an agent looks at all of it before each turn."""


def _moment(brief: str, dialogue: Sequence[TurnView], earlier: _Moment | None = None) -> _Moment:
    """The moment after a dialogue; ``earlier``, one of the same dialogue, saves reading its turns again."""
    key = (brief, tuple((turn["speaker"], turn["text"]) for turn in dialogue))
    found = _memo.get(key)
    if found is None:
        reader = earlier.reader.copy() if earlier else Follower(brief)
        reader.catch_up(dialogue)
        names = dict(zip(reader.scenario.items, reader.scenario.item_names, strict=True))
        ranked = tuple(names[item] for item, _ in reader.tracker.ranking())
        if len(_memo) >= _MEMO_SIZE:
            _memo.clear()
        _memo[key] = found = _Moment(reader, note(reader.tracker), ranked)
    return found


def _ranks_for_names(text: str, ranked: Sequence[str]) -> str:
    for rank, name in enumerate(ranked, start=1):
        text = text.replace(name, f"<{rank}>")
    return text


def note(tracker: Tracker) -> str:
    """The note before an agent turn, for example ``turn 3; open need budget pace; unsure time; fit 2; refused 1``.

    What is still open is listed, rather than what is known: the next question can be copied from it.
    """
    left = [slot for slot in SLOTS if slot not in tracker.wishes and slot not in tracker.evaded]
    parts = [f"turn {tracker.heard}", " ".join(["open", *left]), f"fit {min(tracker.leaders(), 9)}"]
    if tracker.evaded:
        parts.insert(2, " ".join(["unsure", *sorted(tracker.evaded)]))
    if tracker.refused:
        parts.append(f"refused {min(len(tracker.refused), 9)}")
    if tracker.pondered:
        parts.append("undecided")
    return "; ".join(parts)
