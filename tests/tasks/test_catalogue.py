"""The catalogue's promises: balance, unambiguous names, one vocabulary, and facts that can be read back."""

from __future__ import annotations

import dataclasses
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from dialog_envs.errors import UnknownName, UsageError
from dialog_envs.tasks.preference import catalogue as c

PLACES = c.places()
ITEMS = [item for place in PLACES for item in place.items]
ATTRIBUTES = [f.name for f in dataclasses.fields(c.Item) if f.name not in ("id", "name", "blurb")]
SMALL_WORDS = {"a", "and", "at", "by", "de", "for", "in", "la", "of", "on", "over", "the", "to", "with"}
VOCABULARY = {
    *c.THEMES,
    *c.SETTINGS,
    *c.PACES,
    *c.CROWDS,
    *c.COMPANIES,
    "free",
    "cheap",
    "vegetarian",
    "day",
    "water",
}

by_place = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.slug)


def words(text: str) -> set[str]:
    """The telling words of a name without accents and plural endings, as a forgiving reader compares them."""
    plain = "".join(ch for ch in unicodedata.normalize("NFKD", text) if not unicodedata.combining(ch)).lower()
    found = {word for word in re.findall(r"[a-z0-9]+", plain) if len(word) > 1 and word not in SMALL_WORDS}
    return {w.removesuffix("s") if len(w) > 3 and not w.endswith("ss") else w for w in found}


def everybody_can(item: c.Item) -> bool:
    """Whether no hard constraint of any persona speaks against the item."""
    bars = item.heights or item.water or not item.step_free or not item.vegetarian
    return item.cost_level == "low" and item.duration == "short" and not bars


def test_size() -> None:
    assert len(PLACES) >= 16 and all(len(place.items) == 20 for place in PLACES)
    assert len({item.id for item in ITEMS}) == len({item.name for item in ITEMS}) == len(ITEMS) >= 320
    assert [place.slug for place in PLACES] == sorted({place.slug for place in PLACES})


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)
def test_item_is_well_formed(item: c.Item) -> None:
    assert item.theme in c.THEMES and item.setting in c.SETTINGS and item.pace in c.PACES
    assert item.crowd in c.CROWDS and item.duration in c.DURATIONS
    assert item.suits and item.suits == tuple(company for company in c.COMPANIES if company in item.suits)
    assert type(item.cost) is int and 0 <= item.cost <= 200 and item.cost != 1
    assert all(type(getattr(item, flag)) is bool for flag in ("step_free", "heights", "water", "vegetarian"))
    assert item.vegetarian or item.theme == "food"
    assert re.fullmatch(r"[a-z-]+/[a-z0-9]+(-[a-z0-9]+)*", item.id)
    assert 2 <= len(item.name.split()) <= 5 and 6 <= len(item.blurb.split()) <= 14
    # The brief lists "{name}: {blurb}. {facts}": these marks would make it ambiguous.
    assert not re.search(r"[.:;\n\"<>]", item.name + item.blurb)
    assert not words(item.name) & VOCABULARY, "a name must not sound like a wish"


@by_place
def test_names_share_no_word(place: c.Place) -> None:
    counts = Counter(word for item in place.items for word in words(item.name))
    assert [word for word, n in counts.items() if n > 1] == []
    assert not words(place.name) & counts.keys()


@by_place
def test_attributes_are_balanced(place: c.Place) -> None:
    def count(attribute: str) -> Counter[object]:
        return Counter(getattr(item, attribute) for item in place.items)

    assert set(count("theme")) == set(c.THEMES) and set(count("theme").values()) <= {2, 3}
    assert all(8 <= count("setting")[setting] <= 12 for setting in c.SETTINGS)
    assert all(count("pace")[pace] >= 4 for pace in c.PACES)
    assert all(count("crowd")[crowd] >= 4 for crowd in c.CROWDS)
    cost = count("cost_level")
    assert cost["low"] >= 7 and cost["medium"] >= 5 and cost["high"] >= 4 and count("cost")[0] >= 1
    duration = count("duration")
    assert duration["short"] >= 6 and duration["half_day"] >= 6 and duration["full_day"] >= 4
    assert 11 <= count("step_free")[True] <= 13
    assert 2 <= count("heights")[True] <= 4 and 2 <= count("water")[True] <= 4
    assert 1 <= count("vegetarian")[False] <= 2
    assert any(item.theme == "food" and item.vegetarian for item in place.items)
    assert all(sum(company in item.suits for item in place.items) >= 15 for company in c.COMPANIES)


@by_place
@pytest.mark.parametrize("company", c.COMPANIES)
def test_some_activities_meet_every_constraint(place: c.Place, company: str) -> None:
    open_to_all = [item for item in place.items if everybody_can(item) and company in item.suits]
    assert len(open_to_all) >= 5
    assert len({item.theme for item in open_to_all}) >= 4
    assert len({item.setting for item in open_to_all}) == 2


@pytest.mark.parametrize("attribute", ["setting", "pace", "crowd", "cost_level"])
def test_theme_does_not_tell_the_rest(attribute: str) -> None:
    """Every theme comes with at least two values of every other attribute, none of them in more than 85 %."""
    for theme in c.THEMES:
        counts = Counter(getattr(item, attribute) for item in ITEMS if item.theme == theme)
        assert max(counts.values()) <= 0.85 * counts.total(), (theme, counts)


CONTRADICTIONS: list[tuple[str, Callable[[c.Item], bool]]] = [
    (r"\b(hush(ed)?|silent|silence|whisper(s|ing|ed)?|quiet)\b", lambda i: i.crowd == "lively"),
    (r"\b(packed|throng|noisy|shouting|roaring|crowd(ed)?|rowdy)\b", lambda i: i.crowd == "quiet"),
    (
        r"\b(kayak(ing)?|raft(s|ing)?|swim(mers|ming)?|surf|canoe drift|cruise|sailing)\b",
        lambda i: not i.water,
    ),
    (r"\b(rooftop \w+|summit|parapet|ziplines|balloon|cliff-edge)\b", lambda i: not i.heights),
    (r"\b(endless staircase|steep|spiral stair|ladders|scramble)\b", lambda i: i.step_free),
    (r"\b(full day|all day|to dusk|from dawn|till evening)\b", lambda i: i.duration != "full_day"),
    (r"\b(fish on|pork|lamb|goat buried|mutton|tripe|brisket|ham|crayfish|oyster)\b", lambda i: i.vegetarian),
]


@pytest.mark.parametrize(
    ("pattern", "wrong"), CONTRADICTIONS, ids=["quiet", "lively", "water", "heights", "steps", "time", "diet"]
)
def test_words_contradict_no_attribute(pattern: str, wrong: Callable[[c.Item], bool]) -> None:
    matching = [i for i in ITEMS if re.search(pattern, f"{i.name}: {i.blurb}".lower()) and wrong(i)]
    assert [f"{item.name}: {item.blurb}" for item in matching] == []


def test_facts_round_trip() -> None:
    for item in ITEMS:
        stated = {name: getattr(item, name) for name in ATTRIBUTES}
        assert c.parse_facts(c.facts(item)) == stated
        assert c.parse_facts(c.facts(item) + ".") == stated


def test_facts_round_trip_beyond_the_catalogue() -> None:
    subsets = [s for n in range(1, 5) for s in itertools.combinations(c.COMPANIES, n)]
    flags = itertools.product([False, True], repeat=4)
    for suits, (step_free, heights, water, vegetarian) in itertools.product(subsets, flags):
        item = dataclasses.replace(ITEMS[0], theme="food", vegetarian=vegetarian, suits=suits)
        item = dataclasses.replace(item, step_free=step_free, heights=heights, water=water)
        assert all(getattr(item, k) == v for k, v in c.parse_facts(c.facts(item)).items())


def test_facts_read_as_promised() -> None:
    assert c.facts(c.item("lisbon/alfama-tile-workshop")) == (
        "Craft, indoors, relaxed pace, quiet; 35 euros; half a day; for solo visitors, couples and friends; step-free"
    )
    assert c.facts(c.item("kyoto/kaiseki-riverside-dinner")).endswith("; step-free; no vegetarian options")
    assert c.facts(c.item("oaxaca/hierve-pools-swim")).endswith(
        "; stairs or rough ground; high up; on the water"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a nice place",
        "Craft, indoors, relaxed pace, quiet; cheap; half a day; for anyone; step-free",
        "Golf, indoors, relaxed pace, quiet; free; half a day; for anyone; step-free",
        "Craft, indoors, relaxed pace, quiet; free; a week; for anyone; step-free",
        "Craft, indoors, relaxed pace, quiet; free; half a day; for anyone; step-free; on fire",
        "Craft, indoors, relaxed pace, quiet; free; half a day; for nobody; step-free",
        "Craft, indoors, relaxed pace, calm; free; half a day; for anyone; step-free",
    ],
)
def test_what_is_no_clause_of_facts_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="not a clause of facts"):
        c.parse_facts(text)


def test_lookup() -> None:
    assert all(c.item(item.id) is item and item.id.startswith(f"{item.place}/") for item in ITEMS)
    assert c.places() is c.places()
    with pytest.raises(UnknownName, match="Did you mean 'lisbon/alfama-tile-workshop'"):
        c.item("lisbon/tile-workshop")
    with pytest.raises(UnknownName, match="lisbon"):
        c.item("atlantis/ruin-dive")


def test_cost_levels() -> None:
    levels = {20: "low", 21: "medium", 60: "medium", 61: "high", 0: "low"}
    assert {cost: dataclasses.replace(ITEMS[0], cost=cost).cost_level for cost in levels} == levels


def test_every_place_is_one_file() -> None:
    folder = Path(c.__file__).parent
    assert sorted(path.stem for path in folder.glob("*.json")) == [place.slug for place in PLACES]
