"""How a small learned agent sees Persuasion-v0: notes, and a token for every fact.

Before each agent turn stands a note that a program makes from the text alone: what is known of the person, what is in
the way, what went down well. The charity's name appears as ``<charity>``, the value that the person has told as
``<value>``, and a fact of the brief as ``<evidence>``, ``<spending>`` …: so a language model of a million parameters
can learn *what to say next* without having to learn facts by heart (SimpleTOD, Hosseini-Asl et al., 2020;
delexicalisation: Wen et al., 2015). Every learned agent sees the same view.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from dialog_envs.core.dialogue import AGENT, TurnView
from dialog_envs.tasks.persuasion.acts import FACTS
from dialog_envs.tasks.persuasion.dynamics import SUPPORT
from dialog_envs.tasks.persuasion.scenario import PersuasionScenario, scenario_from_brief
from dialog_envs.tasks.persuasion.tracker import Follower, Tracker

_TOKEN = re.compile(r"<(charity|value|" + "|".join(FACTS) + ")>")
_UNTOLD = "what is dear to you"
"""What ``<value>`` becomes while no value was told."""
TIRED = 8
"""User turns after which somebody is taken to be tired."""


class PersuasionView:
    """See the module's text."""

    special_tokens = ("<charity>", "<value>", *(f"<{kind}>" for kind in FACTS))

    def segments(self, brief: str, dialogue: Sequence[TurnView]) -> list[tuple[str, str]]:
        """``[(role, text), …]``: notes, user turns, and agent turns with facts and name as tokens."""
        scenario = scenario_from_brief(brief)
        found: list[tuple[str, str]] = []
        moment: _Moment | None = None
        for i, turn in enumerate(dialogue):
            if turn["speaker"] == AGENT:
                moment = _moment(brief, dialogue[:i], moment)
                found.append(("note", moment.note))
                found.append(("agent", _tokens_for_texts(turn["text"], scenario, moment.value)))
            else:
                found.append(("user", turn["text"].replace(scenario.charity.name, "<charity>")))
        if not dialogue or dialogue[-1]["speaker"] != AGENT:
            found.append(("note", _moment(brief, dialogue, moment).note))
        return found

    def realise(self, text: str, brief: str, dialogue: Sequence[TurnView]) -> str:
        """Tokens → name, value and facts; of two facts of a kind, the one that was not said yet."""
        if "<" not in text:
            return text
        scenario = scenario_from_brief(brief)
        said = " ".join(turn["text"] for turn in dialogue if turn["speaker"] == AGENT)

        def words(found: re.Match[str]) -> str:
            if found[1] == "charity":
                return scenario.charity.name
            if found[1] == "value":
                return _moment(brief, dialogue).value or _UNTOLD
            texts = scenario.charity.texts(found[1])
            return next((fact for fact in texts if fact not in said), texts[0])

        return _TOKEN.sub(words, text)


class _Moment(NamedTuple):
    """What an agent knows before one of its turns."""

    reader: Follower
    note: str

    @property
    def value(self) -> str | None:
        """The name of the value that was told."""
        told = self.reader.tracker.told.get("values")
        return told.replace("_", "-") if told else None


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
        if len(_memo) >= _MEMO_SIZE:
            _memo.clear()
        _memo[key] = found = _Moment(reader, note(reader.tracker))
    return found


@lru_cache(maxsize=256)
def _texts(scenario: PersuasionScenario) -> tuple[tuple[str, str], ...]:
    """(text, token) of the name and the facts, the longest text first."""
    rows = [(text, f"<{kind}>") for kind, text in scenario.facts]
    rows.append((scenario.charity.name, "<charity>"))
    return tuple(sorted(rows, key=lambda row: -len(row[0])))


def _tokens_for_texts(text: str, scenario: PersuasionScenario, value: str | None) -> str:
    for words, token in _texts(scenario):
        text = text.replace(words, token)
    return re.sub(rf"\b{value}\b", "<value>", text) if value else text


def note(tracker: Tracker) -> str:
    """The note before an agent turn, for example

    ``turn 5; value nature; trust bad; open waste needs spending; met cost; warm logical; refused 1``.
    """
    told = tracker.told
    parts = [f"turn {tracker.heard}", f"value {told.get('values', 'unsaid' if _evaded(tracker) else '?')}"]
    if "experience" in told:
        parts.append(f"trust {told['experience']}")
    for slot in tracker.open_objections[:2]:
        fact = SUPPORT[slot]
        parts.append(f"open {slot}" + (f" needs {fact}" if fact and fact not in tracker.informed else ""))
    parts += [f"met {slot}" for slot in tracker.objections if slot in tracker.met]
    parts += [f"doubt {fact}" for fact in tracker.doubts[:1]]
    if tracker.clear:
        parts.append("clear")
    elif "concern" in tracker.evaded:
        parts.append("hides")
    used = [strategy for strategy, _ in tracker.appealed]
    parts += [
        f"{name} {' '.join(slots)}"
        for name, slots in (("warm", tracker.warm), ("cool", tracker.cool))
        if slots
    ]
    worn = sorted({slot for slot in used if used.count(slot) > 1})
    parts += [f"worn {' '.join(worn)}"] if worn else []
    parts.append(f"appeals {min(len(used), 5)}")
    parts += [f"refused {min(tracker.refusals, 4)}"] if tracker.refusals else []
    flags = (("agreed", tracker.agreed), ("promised", tracker.promised), ("cross", tracker.bristled))
    parts += [name for name, here in (*flags, ("tired", tracker.heard >= TIRED)) if here]
    return "; ".join(parts)


def _evaded(tracker: Tracker) -> bool:
    return bool(tracker.evaded & {"values", "open"})
