"""The users' grammar as a table of phrases, for reading: what each string of ``frames.toml`` says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from dialog_envs.tasks.language.tokens import tokenise
from dialog_envs.tasks.persuasion.language.amounts import amounts
from dialog_envs.tasks.persuasion.language.grammar import load
from dialog_envs.tasks.persuasion.language.matching import ENDS, Cues

MONEY = "€"
"""The token that stands for every amount of money, so that one phrase covers them all."""


def normalise(tokens: list[str]) -> tuple[list[str], list[float]]:
    """The tokens with every amount of money as one :data:`MONEY`, and the amounts in euros."""
    row: list[str] = []
    values: list[float] = []
    i = 0
    for amount in amounts(tokens):
        if amount.money:
            row += [*tokens[i : amount.start], MONEY]
            values.append(amount.value)
            i = amount.end
    return row + tokens[i:], values


@lru_cache(maxsize=1)
def phrasebook() -> Cues:
    """Every string that users speak with. Tags: ``act KIND SLOT``, ``value V``, ``objection O`` and the like for what
    is said, ``mark MODE`` for what a frame makes of it, and ``ignore`` for openers, tails and asides."""
    table = Cues(())
    for tag, text in _strings(load("frames")):
        words = normalise(tokenise(text.replace("{a}", "2 euros")))[0]
        while words and (words[-1] in ENDS or words[-1] in ",:–"):
            words.pop()
        while words and words[0] in (",", ".", ":", ";", "–"):
            words.pop(0)
        if words and (len(words) > 1 or not tag.startswith(("mark", "ignore")) or words[0] not in ENDS):
            table.add(words, tag)
    return table


def _strings(frames: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for kind in ("warm", "cool", "doubt", "bristle"):
        for slot, bank in frames[kind].items():
            if slot not in ("frame", "tail", "low", "text"):
                yield from _tagged(f"act {kind} {slot}", bank)
    for kind in (
        "promise",
        "counteroffer",
        "donate",
        "agree",
        "decline",
        "clarify",
        "nudge",
        "greet",
        "leave",
        "overwhelmed",
    ):
        yield from _tagged(f"act {kind}", {"text": frames[kind]["text"], "low": frames[kind]["low"]})
    for slot, bank in frames["nothing"].items():
        yield from _tagged(f"nothing {slot}", bank)
    for slot in ("values", "means", "experience"):
        for value, bank in frames[slot].items():
            if isinstance(bank, dict):
                yield from _tagged(f"{slot} {value}", bank)
    for slot, bank in frames["objection"].items():
        yield from _tagged(f"objection {slot}", {"clause": bank["clause"], "low": bank["low"]})
        yield from _tagged(f"about {slot}", {"np": bank["np"]})
    for slot, bank in frames["fact"].items():
        yield from _tagged(f"about {slot}", bank)
    for slot, bank in frames["evade"]["topic"].items():
        yield from ((f"topic {slot}", text) for text in bank)
    yield from _marks(frames)
    yield from _idle(frames)


def _tagged(tag: str, bank: dict[str, Iterable[str]]) -> Iterator[tuple[str, str]]:
    for texts in bank.values():
        yield from ((tag, text) for text in texts)


def _marks(frames: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What stands before and behind the gap of a frame."""
    for mode in ("reveal", "resolved", "evade"):
        for text in (*frames[mode]["frame"], *frames[mode]["low"]):
            for part in _parts(text):
                yield f"mark {mode}", part
    for text in (*frames["told"]["lead"], *frames["told"]["low"]):
        yield "mark told", text


def _parts(text: str) -> Iterator[str]:
    """The pieces of a frame around its gaps, but for single words."""
    for gap in ("{c}", "{n}", "{s}", "{t}", "{T}"):
        text = text.replace(gap, "|")
    for part in text.split("|"):
        if len(tokenise(part.strip(" .,:?"))) > 1:
            yield part.strip(" .,:?")


def _idle(frames: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for bank in (*frames["opener"].values(), *frames["aside"].values(), *frames["volunteer"].values()):
        yield from (("ignore", text) for text in bank)
    for bank in frames.values():
        if "tail" in bank:
            yield from (("ignore", text) for text in bank["tail"])
