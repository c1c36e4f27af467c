"""Lines of shards, read quickly: what the writer wrote is taken apart where its parts must be, and looked up.

A dataset says little twice, but its acts, verdicts and sources are a few thousand texts, repeated a million times. A
line of the writer's own form is cut at the borders of its turns; a turn's words are read by the scanner of the standard
library, its acts are looked up. Everything else, and everything in which anything is unusual, is read by the strict
reader (:mod:`dialog_envs.datasets.schema`), which also finds the words for what is wrong. Both give the same episodes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.datasets.schema import (
    DECODER,
    LARGEST,
    Critique,
    Episode,
    Provenance,
    act_from,
    critique_from,
    parse_line,
    provenance_from,
)
from dialog_envs.errors import DatasetError

_LIMIT = 50_000
"""Entries of a table; they only save time."""
_TURNS, _REWARDS, _CRITIQUE = ',"turns":[', '],"rewards":[', ',"critique":{'
_FIRST, _BETWEEN = '{"speaker":', '},{"speaker":'
_SPEAKERS = {f'{number},"text":"': number for number in (AGENT, USER)}
_PREFIX = len('0,"text":"')
_AGENT_TURN = f'{{"speaker":{AGENT},"text":"'
_HEAD = ["id", "task", "seed", "family", "persona", "scenario"]
_HEAD_KINDS = [str, str, int, str, dict, dict]
_SCAN: Callable[[str, int], tuple[Any, int]] = DECODER.scan_once  # type: ignore[attr-defined]
_STRING: Callable[[str, int], tuple[str, int]] = json.decoder.scanstring  # type: ignore[attr-defined]
_UNUSUAL = (DatasetError, StopIteration, ValueError, KeyError, TypeError, AttributeError, RecursionError)

_PUTS = [Episode.__dict__[field.name].__set__ for field in fields(Episode)]

_acts: dict[str, tuple[Act, ...]] = {}
_ends: dict[str, tuple[Critique, Provenance]] = {}


def read_line(line: bytes) -> Episode:
    """One line of a shard as an episode, as :func:`~dialog_envs.datasets.schema.parse_line` reads it.

    Raises:
        DatasetError: the line is no JSON, or no episode. The caller adds file and line.
    """
    try:
        return _read(line.decode("utf-8"))
    except _UNUSUAL:
        return parse_line(line)


def _read(line: str) -> Episode:
    """A line of the writer's form. Raises one of :data:`_UNUSUAL` for any other, and for what is no episode."""
    begin = line.index(_TURNS)
    end = line.index(_REWARDS, begin)
    head = _whole(line[:begin] + "}")
    if list(head) != _HEAD or list(map(type, head.values())) != _HEAD_KINDS or head["seed"] < 0:
        raise ValueError
    said = line[begin + len(_TURNS) : end]
    last = line.rindex(_CRITIQUE)
    rest = _whole("{" + line[end + 2 : last] + "}")
    rewards, reward, outcome = rest["rewards"], rest["reward"], rest["outcome"]
    critique, provenance = _ends.get(line[last:]) or _end(line[last:])
    if len(rest) != 3 or [type(rewards), type(reward), type(outcome)] != [list, float, dict]:
        raise ValueError
    if type(outcome["success"]) is not bool or type(outcome["ended_by"]) is not str:
        raise ValueError
    if rewards and (
        set(map(type, rewards)) != {float} or max(rewards) >= LARGEST or min(rewards) <= -LARGEST
    ):
        raise ValueError
    if said.count(_AGENT_TURN) != len(rewards) or not abs(sum(rewards) - reward) <= 1e-6:
        raise ValueError
    episode = object.__new__(Episode)  # its own __init__ takes longer than all of the above
    values = (*head.values(), _turns(said), tuple(rewards), reward, outcome, critique, provenance)
    for put, value in zip(_PUTS, values, strict=True):
        put(episode, value)
    return episode


def _turns(said: str) -> tuple[Turn, ...]:
    if not said:
        return ()
    if not said.startswith(_FIRST) or said[-1] != "}":
        raise ValueError
    known, speakers, string = _acts, _SPEAKERS, _STRING
    found = []
    # No text is cut: a quotation mark within one stands behind a backslash.
    for part in said[len(_FIRST) : -1].split(_BETWEEN):
        text, end = string(part, _PREFIX)
        rest = part[end:]
        acts = known.get(rest)
        found.append(Turn(speakers[part[:_PREFIX]], text, _new_acts(rest) if acts is None else acts))
    return tuple(found)


def _new_acts(rest: str) -> tuple[Act, ...]:
    """The acts of a turn, from what stands behind its text."""
    data = _whole("{" + rest[1:] + "}")
    if rest[:1] != "," or data.keys() != {"acts"} or type(data["acts"]) is not list:
        raise ValueError
    acts = tuple([act_from(act) for act in data["acts"]])
    if len(_acts) < _LIMIT:
        _acts[rest] = acts
    return acts


def _end(text: str) -> tuple[Critique, Provenance]:
    """Critique and provenance, from the end of a line."""
    data = _whole("{" + text[1:])
    if data.keys() != {"critique", "provenance"} or type(data["provenance"]) is not dict:
        raise ValueError
    found = critique_from(data["critique"]), provenance_from(data["provenance"])
    if len(_ends) < _LIMIT:
        _ends[text] = found
    return found


def _whole(text: str) -> dict[str, Any]:
    """A JSON object and nothing behind it."""
    data, end = _SCAN(text, 0)
    if end != len(text) or type(data) is not dict:
        raise ValueError
    return data
