"""How people refer to an activity, and finding such references in user text.

"Alfama tile workshop" is called just so, or "the tile workshop" where no other activity of the place ends alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from dialog_envs.tasks.language.tokens import tokenise
from dialog_envs.tasks.preference.catalogue import Item, item, places

_LINKS = re.compile(
    r" (?:in|at|on|of|to|by|with|from|through|along|around|and|under|over|above|for|near|into|via|like|before|after) "
)
_DOING = re.compile(r"\w+ing (?:the|like|with|in|on) ")
"""Names such as "Cycling the Kamo banks" take no article and are not shortened."""


def with_article(name: str) -> str:
    """The name as it stands after "how about": "the ...", unless it begins with an article or says a doing."""
    if _DOING.match(name):
        return name
    return f"the {name[4:] if name.startswith('The ') else name}"


@dataclass(frozen=True, slots=True)
class Reference:
    """An activity's name as it stands inside a sentence: with its article, in full and shortened."""

    full: str
    short: str


@lru_cache(maxsize=4096)
def reference(id: str) -> Reference:
    """The references to one activity; raises UnknownName for an unknown id."""
    entry = item(id)
    return Reference(_with_article(entry.name), _with_article(_shortened(entry)))


def _with_article(name: str) -> str:
    """Inside a user's sentence: a plural becomes "the ... visit", so that verbs agree; a common word stays small."""
    first, _, rest = name.partition(" ")
    if first in ("The", "A", "An"):
        name = rest
        first = rest.partition(" ")[0]
    if first.lower() in _common_words() and not rest[:1].isupper():
        name = name[0].lower() + name[1:]
    if _DOING.match(name):
        return name
    return f"the {name} visit" if _plural(name) else f"the {name}"


def _plural(name: str) -> bool:
    head = _LINKS.split(name, maxsplit=1)[0]
    return head.endswith("s") and not head.endswith(("ss", "us", "tennis", "chess"))


@lru_cache(maxsize=1)
def _common_words() -> frozenset[str]:
    """Words that stand in lower case somewhere in the catalogue: no proper names."""
    texts = [f"{entry.name.partition(' ')[2]} {entry.blurb}" for place in places() for entry in place.items]
    return frozenset(word for text in texts for word in re.findall(r"[^\W\d_]+", text) if word.islower())


def _shortened(entry: Item) -> str:
    """The last two words before "in", "of" ..., if that is shorter, at least two words, and unique in the place."""
    words = _LINKS.split(entry.name, maxsplit=1)[0].split()
    short = " ".join(words[-2:])
    if len(words) < 2 or _DOING.match(entry.name) or short == entry.name:
        return entry.name
    return short if _count(entry.place, tuple(tokenise(short))) == 1 else entry.name


def _count(slug: str, words: tuple[str, ...]) -> int:
    """How many of the place's names contain these words in a row."""
    target = " " + " ".join(words) + " "
    return sum(target in f" {' '.join(tokenise(entry.name))} " for entry in _place_items(slug))


@lru_cache(maxsize=64)
def _place_items(slug: str) -> tuple[Item, ...]:
    return next((place.items for place in places() if place.slug == slug), ())


Table = dict[str, tuple[tuple[int, list[str], str], ...]]


@lru_cache(maxsize=64)
def table(slug: str) -> Table:
    """First word → (length, words, id), the longest first, of all references to activities of a place."""
    rows: dict[tuple[str, ...], str | None] = {}
    for entry in _place_items(slug):
        names = {entry.name, reference(entry.id).short, reference(entry.id).full}
        words = {tuple(tokenise(name)) for name in names}
        words |= {row[1:] for row in words if row[0] == "the" and len(row) > 2}
        for row in words:
            rows[row] = entry.id if rows.get(row, entry.id) == entry.id else None
    found: dict[str, list[tuple[int, list[str], str]]] = {}
    for row, name in sorted(rows.items(), key=lambda pair: -len(pair[0])):
        if name is not None:
            found.setdefault(row[0], []).append((len(row), list(row), name))
    return {first: tuple(entries) for first, entries in found.items()}


@lru_cache(maxsize=16_384)
def distinctive_words(ids: tuple[str, ...]) -> dict[str, str]:
    """Word → id, for the words by which one of these few activities may be called for short: "the hike"."""
    owners: dict[str, set[str]] = {}
    for name in ids:
        words = tokenise(item(name).name)
        head = tokenise(_LINKS.split(item(name).name, maxsplit=1)[0])
        for word in (words[0], head[-1], words[-1]):
            if len(word) > 3:
                owners.setdefault(word, set()).add(name)
    return {word: next(iter(found)) for word, found in owners.items() if len(found) == 1}
