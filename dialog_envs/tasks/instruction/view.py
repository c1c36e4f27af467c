"""How a small learned agent sees Instruction-v0: notes, ideas as numbers, and material as two tokens.

Before each agent turn stands a note that a program makes from the text alone: how it stands with each idea, and what
the student said about itself. Ideas are ``<1>`` … ``<7>`` in teaching order. An explanation, quiz or correction that is
a sentence of the material becomes its kind and its idea, such as ``<analogy> <2>``, and back. So a language model of
a million parameters can learn *what to do next* from a few thousand lessons, without first having to learn physics
(delexicalisation: Wen et al., 2015). Every learned agent sees the same view.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from dialog_envs.core.dialogue import AGENT, TurnView
from dialog_envs.tasks.instruction.acts import KINDS
from dialog_envs.tasks.instruction.content import MAX_IDEAS, Idea, concept
from dialog_envs.tasks.instruction.scenario import scenario_from_brief
from dialog_envs.tasks.instruction.tracker import GAP, MISC, OPEN, SAYS, TOLD, Follower, Tracker

TEXTS = (*KINDS, "quiz", "correct", "belief", "answer")
"""Kinds of sentences of the material, each a token."""
_TEXT = re.compile(rf"<({'|'.join(TEXTS)})>\s*<(\d)>")
_IDEA = re.compile(r"<(\d)>")
_LONE = re.compile(rf"<({'|'.join(TEXTS)})>")


class InstructionView:
    """See the module's text."""

    special_tokens = (*(f"<{n}>" for n in range(1, MAX_IDEAS + 1)), *(f"<{text}>" for text in TEXTS))

    def segments(self, brief: str, dialogue: Sequence[TurnView]) -> list[tuple[str, str]]:
        """``[(role, text), …]``: notes, user turns and agent turns, with tokens for ideas and material."""
        found: list[tuple[str, str]] = []
        concept_id = scenario_from_brief(brief).concept
        moment: _Moment | None = None
        for i, turn in enumerate(dialogue):
            if turn["speaker"] == AGENT:
                moment = _moment(brief, dialogue[:i], moment)
                found.append(("note", moment.note))
                found.append(("agent", _to_tokens(turn["text"], concept_id)))
            else:
                found.append(("user", _to_tokens(turn["text"], concept_id, "user")))
        if not dialogue or dialogue[-1]["speaker"] != AGENT:
            found.append(("note", _moment(brief, dialogue, moment).note))
        return found

    def realise(self, text: str, brief: str, dialogue: Sequence[TurnView]) -> str:
        """Tokens → the material's sentences and the ideas' names. An idea that there is not stays as it is."""
        if "<" not in text:
            return text
        ideas = _moment(brief, dialogue).reader.scenario.ideas

        def sentence(found: re.Match[str]) -> str:
            place = int(found[2]) - 1
            return _sentences(ideas[place])[found[1]] if 0 <= place < len(ideas) else found[0]

        def name(found: re.Match[str]) -> str:
            place = int(found[1]) - 1
            return ideas[place].name if 0 <= place < len(ideas) else found[0]

        return _LONE.sub(r"\1", _IDEA.sub(name, _TEXT.sub(sentence, text)))


def _sentences(idea: Idea) -> dict[str, str]:
    """The sentences of an idea by their kind."""
    wrong = idea.misconceptions[0]
    return {kind: idea.text(kind) for kind in KINDS} | {
        "quiz": idea.quiz,
        "correct": wrong.correction,
        "belief": wrong.belief,
        "answer": idea.right,
    }


@lru_cache(maxsize=256)
def _table(concept_id: str, speaker: str) -> tuple[re.Pattern[str], dict[str, str]]:
    """What stands for what, by its lower case, and a pattern that finds the longest first.

    Agent texts are found letter by letter, so that they can be written back; students change a capital and a full stop.
    """
    texts: dict[str, str] = {}
    names: dict[str, str] = {}
    for place, idea in enumerate(concept(concept_id).ideas):
        for kind, text in _sentences(idea).items():
            texts[text if speaker == "agent" else text.rstrip(".")] = f"<{kind}> <{place + 1}>"
        names[idea.name] = f"<{place + 1}>"
    longest = [re.escape(text) for text in sorted(texts, key=len, reverse=True)]
    longest += [rf"\b{re.escape(name)}\b" for name in sorted(names, key=len, reverse=True)]
    pattern = re.compile("|".join(longest), re.IGNORECASE if speaker == "user" else 0)
    return pattern, {text.lower(): token for text, token in (names | texts).items()}


def _to_tokens(text: str, concept_id: str, speaker: str = "agent") -> str:
    pattern, table = _table(concept_id, speaker)
    return pattern.sub(lambda found: table[found[0].lower()], text)


class _Moment(NamedTuple):
    """What an agent knows before one of its turns."""

    reader: Follower
    note: str


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


def note(tracker: Tracker) -> str:
    """The note before an agent turn, for example ``turn 3; misc <2>; gap <4>; open <5> <6>; told <1>; style <plain>``.

    ``wait``: ideas that lack what they rest on; ``not``: kinds of explanation that were not understood; ``unsure``:
    the student could not say which style suits. Ideas that a quiz has shown to be known are left out: nothing is to be
    done about them.
    """
    gaps = tracker.marked(GAP)
    groups = {
        "misc": tracker.marked(MISC),
        "gap": [item for item in gaps if tracker.ready(item)],
        "wait": [item for item in gaps if not tracker.ready(item)],
        "says": tracker.marked(SAYS),
        "open": tracker.marked(OPEN),
        "told": tracker.marked(TOLD),
    }
    place = {item: f"<{i + 1}>" for item, i in tracker.scenario.index.items()}
    parts = [f"turn {tracker.heard}"]
    parts += [" ".join([word, *(place[item] for item in items)]) for word, items in groups.items() if items]
    if tracker.style:
        parts.append(f"style <{tracker.style}>")
    else:
        parts += [tracker.background] if tracker.background else []
        failed = [f"<{kind}>" for kind in KINDS if kind in tracker.unsuited]
        parts.append(" ".join(["not", *failed]) if failed else "style ?")
        parts += ["unsure"] if "style" in tracker.evaded else []
    flags = (
        ("praised", tracker.encouraged),
        ("long", tracker.too_long),
        ("satisfied", tracker.satisfied),
        ("tired", tracker.tired),
    )
    return "; ".join([*parts, *(word for word, on in flags if on)])
