"""User text into user acts, as an agent would read it that sees only the text.

First the words are looked up among those that this task's users speak with (:mod:`phrasebook`); what is not among
them is read by the commonest phrases (``grammar/user_cues.toml``) and by what the agent's last turn asked, proposed or
appealed to.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from dialog_envs.core.dialogue import AGENT, Act, Turn
from dialog_envs.tasks.language.tokens import tokenise
from dialog_envs.tasks.persuasion.acts import BANDS, band
from dialog_envs.tasks.persuasion.language.context import last_agent_acts
from dialog_envs.tasks.persuasion.language.free_reading import read_freely
from dialog_envs.tasks.persuasion.language.matching import ENDS
from dialog_envs.tasks.persuasion.language.phrasebook import MONEY, normalise, phrasebook

_TOLD = ("values", "means", "experience")
_IDLE = frozenset(("answer", "greet", "nudge"))
"""What first words may hold without saying anything."""
Span = tuple[int, int, tuple[str, ...]]
"""Where a phrase stands, and its tags."""


def read(text: str, scenario: Any, dialogue: Sequence[Any] = ()) -> tuple[Act, ...]:
    """The acts of one user utterance, in order of appearance; () if nothing is understood.

    Args:
        text: anything a user may say.
        scenario: the charity talked about.
        dialogue: the turns before; the agent's last turn settles what short answers refer to.
    """
    acts = _by_phrasebook(text)
    if not any(_speaker(turn) == AGENT for turn in dialogue):
        return tuple(act for act in acts if act.kind not in _IDLE) or (Act("greet"),)
    if acts:
        return acts
    return read_freely(text, last_agent_acts(dialogue, scenario))


def _speaker(turn: Any) -> int:
    return turn.speaker if isinstance(turn, Turn) else int(turn["speaker"])


@lru_cache(maxsize=16_384)
def _by_phrasebook(text: str) -> tuple[Act, ...]:
    """The acts of a text that the users' own grammar speaks; () where it says nothing in its words."""
    tokens, values = normalise(tokenise(text))
    acts: list[Act] = []
    carried: set[str] = set()
    topic = ""
    for spans in _sentences(tokens, _cover(tokens)):
        modes = {tag.partition(" ")[2] for _, _, tags in spans for tag in tags if tag.startswith("mark ")}
        said = [span for span in spans if not span[2][0].startswith("mark ")]
        if not said and topic and "evade" in modes:
            acts.append(Act("evade", topic))
        elif not said:
            carried |= modes
            continue
        acts += _sentence_acts(said, modes | carried, tokens, values, acts)
        last = said[-1][2][0] if said else ""
        topic, carried = last.partition(" ")[2] if last.startswith("topic ") else "", set()
    return tuple(dict.fromkeys(acts))


def _cover(tokens: list[str]) -> list[Span]:
    """The longest phrases, left to right, without overlap. A single word counts as an act only if it is all."""
    best: dict[int, tuple[int, tuple[str, ...]]] = {}
    words = sum(token[0].isalnum() or token == MONEY for token in tokens)
    for start, end, tag in phrasebook().find(tokens):
        alone = end - start == 1 and words > 1 and tag.startswith(("act", "nothing", "means", "mark"))
        if alone and tokens[end : end + 1] != [":"]:
            continue
        known = best.get(start)
        if known is None or end > known[0]:
            best[start] = (end, (tag,))
        elif end == known[0]:
            best[start] = (end, (*known[1], tag))
    found, i = [], 0
    for start in sorted(best):
        if start >= i:
            found.append((start, *best[start]))
            i = best[start][0]
    return found


def _sentences(tokens: list[str], spans: list[Span]) -> list[list[Span]]:
    """The phrases of each sentence; marks inside a phrase end nothing."""
    groups: list[list[Span]] = []
    after = 0
    for span in spans:
        if not groups or not ENDS.isdisjoint(tokens[after : span[0]]):
            groups.append([])
        groups[-1].append(span)
        after = span[1]
    return groups


def _sentence_acts(
    spans: list[Span], modes: set[str], tokens: list[str], values: list[float], before: list[Act]
) -> list[Act]:
    """The acts of one sentence: what is said, by what its frame makes of it."""
    acts: list[Act] = []
    for start, end, tags in spans:
        about = [tag for tag in tags if tag.startswith("about ")]
        tag = about[0] if about and modes & {"resolved", "reveal"} else tags[0]
        kind, _, slot = tag.partition(" ")
        if kind == "act":
            acts.append(_act(slot, tokens, values, start, end))
        elif kind in _TOLD:
            if not any(act.slot == kind for act in (*before, *acts) if act.kind in ("answer", "told")):
                acts.append(Act("told" if "told" in modes else "answer", kind, slot))
        elif kind == "nothing":
            acts.append(Act("answer", slot, "none"))
        elif kind == "objection":
            acts.append(Act("reveal" if "reveal" in modes else "object", slot))
        elif kind == "about" and "resolved" in modes:
            acts.append(Act("resolved", slot))
        elif kind == "about" and "reveal" in modes:
            acts.append(Act("reveal", slot))
        elif kind == "topic" and "evade" in modes:
            acts.append(Act("evade", slot))
    return acts


def _act(name: str, tokens: list[str], values: list[float], start: int, end: int) -> Act:
    """The act of a tag, with the amount that stands in its phrase."""
    kind, _, slot = name.partition(" ")
    if kind in ("promise", "counteroffer", "donate"):
        place = tokens[:end].count(MONEY) - 1
        euros = values[place] if MONEY in tokens[start:end] else 0.0
        return Act(kind, value=max(band(euros), BANDS[1], key=BANDS.index))
    if kind == "agree":
        return Act("agree", value="token")
    return Act(kind, slot or None)
