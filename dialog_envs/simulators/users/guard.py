"""The disclosure filter: whether a user's words give away what no person in that place could say.

It looks for the prompt's canary and tags, for the prompt's own sentences, for the persona's card or JSON, and for the
project's names of user families; as they are, reversed, rotated, spelled out, as initials, and in base64 or hex. What
a persona tells in its own words is no leak: that is what :mod:`dialog_envs.simulators.users.fidelity` measures.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dialog_envs.simulators.users.prompting import Marks

_SHINGLE = 7
"""Words in a row that make a quotation of the prompt."""
_WORD = re.compile(r"[^\W_]+")
_BLOCK = re.compile(r"[A-Za-z0-9+/_=-]{16,}")
_LONGEST_WORD = 40
_MACHINE = re.compile(
    r"\b(?:as an? (?:ai|artificial|language model|assistant)|language model|system prompt|system message|"
    r"my (?:instructions|prompt|persona|role description)|i (?:was|am|have been) (?:instructed|prompted|told) to "
    r"(?:play|act|pretend|be)|role-?play|simulated user|user simulator)\b",
    re.IGNORECASE,
)
_CALLED = r"(?:family|persona|profile|archetype)"


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must not come out.

    Attributes:
        marks: this episode's marks.
        prompt: the system prompt's own words; quoting it is a leak.
        public: texts that may be quoted although they stand in the prompt (the brief).
        keys: fields of the persona's JSON.
        rows: the persona's card, as (heading, text).
        families: the project's names of user families.
    """

    marks: Marks
    prompt: str = ""
    public: str = ""
    keys: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    families: tuple[str, ...] = ()


def leak(text: str, secrets: Secrets) -> str | None:
    """What a text gives away, in words for a person, or ``None``."""
    for form, told in _forms(text):
        found = _plain_leak(told, secrets)
        if found is not None:
            return found + form
    for block in _BLOCK.findall(text):
        if len(block) > _LONGEST_WORD and block not in secrets.public:
            return "it holds what is no word of a person"
    return None


def _plain_leak(text: str, secrets: Secrets) -> str | None:
    letters = _letters(text)
    if _letters(secrets.marks.canary) in letters or secrets.marks.tag.removeprefix("said-") in letters:
        return "it says the private mark"
    if _quotes(text, secrets.prompt, secrets.public):
        return "it quotes the prompt"
    if _MACHINE.search(text):
        return "it speaks as a machine, or of its role"
    if _data(text, secrets.keys):
        return "it holds the persona as data"
    if _card(text, secrets.rows):
        return "it reads out the persona's card"
    if _family(text, secrets.families):
        return "it names its user family"
    return None


def _forms(text: str) -> Iterator[tuple[str, str]]:
    """The text, and what it may hide."""
    yield "", text
    yield ", backwards", text[::-1]
    yield ", rotated", codecs.encode(text, "rot13")
    yield ", in initials", "".join(word[0] for word in _WORD.findall(text))
    for block in _BLOCK.findall(text):
        for decoded in _decoded(block):
            yield ", encoded", decoded
    numbers = re.findall(r"\b\d{2,3}\b", text)
    if len(numbers) >= 8:
        yield ", as numbers", "".join(chr(int(n)) for n in numbers if 32 <= int(n) < 127)


def _decoded(block: str) -> Iterator[str]:
    """A block as base64 and as hex, where it is that."""
    padded = block.rstrip("=") + "=" * (-len(block.rstrip("=")) % 4)
    for decode in (base64.b64decode, base64.urlsafe_b64decode):
        try:
            yield decode(padded).decode("utf-8")
        except (binascii.Error, ValueError):
            continue
    try:
        yield bytes.fromhex(block).decode("utf-8")
    except ValueError:
        return


def _letters(text: str) -> str:
    """Letters and digits alone: what is spelled out with spaces or dashes comes together."""
    return "".join(character for character in text.casefold() if character.isalnum())


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = _words(text)
    return {tuple(words[i : i + _SHINGLE]) for i in range(len(words) - _SHINGLE + 1)}


def _quotes(text: str, prompt: str, public: str) -> bool:
    return bool((_shingles(text) & _shingles(prompt)) - _shingles(public))


def _data(text: str, keys: Sequence[str]) -> bool:
    """Two of the persona's fields written as ``"key": value`` or ``key=value``."""
    found = {key for key in keys if re.search(rf"[\"']?\b{re.escape(key)}\b[\"']?\s*[:=]\s*\S", text)}
    return len(found) >= 2 or bool(found and re.search(r"[{}]", text))


def _card(text: str, rows: Sequence[tuple[str, str]]) -> bool:
    """Two rows of the card in its own form, or a long one word for word."""
    flat = " ".join(_words(text))
    read = sum(f"{heading}: {value}".casefold() in text.casefold() for heading, value in rows)
    return read >= 2 or any(
        len(words := _words(value)) >= _SHINGLE and " ".join(words) in flat for _, value in rows
    )


def _family(text: str, families: Sequence[str]) -> bool:
    """The name of a family as such: with its underscore, beside the word family or the like, or two of them."""
    low = text.casefold()
    named = [name for name in families if re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", low)]
    if any("_" in name for name in named) or len(named) >= 3:
        return True
    return any(
        re.search(rf"\b{_CALLED}[\"']?\s*[:=]\W*{re.escape(name)}\b", low)
        or re.search(rf"\b(?:user|persona) {_CALLED}\b\W+(?:\w+\W+){{0,3}}?{re.escape(name)}\b", low)
        or re.search(rf"\b{re.escape(name)}\W+(?:persona|user|archetype|profile)\b", low)
        for name in named
    )


def persona_keys(data: Mapping[str, object]) -> tuple[str, ...]:
    """Fields of a persona's JSON."""
    return tuple(str(key) for key in data)
