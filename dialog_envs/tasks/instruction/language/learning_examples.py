"""What the understanding of teachers is trained on: labelled utterances (``tests/tasks/understanding``), the teaching
material, what scripted teachers say, hand-written sentences (``grammar/taught.toml``, ``grammar/manners.toml``), and
turns put together of these."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from ....core.dialogue import Act
from ....core.seeding import stream
from ..content import Concept, concepts
from ..scenario import InstructionScenario
from . import understanding
from .classifier import meant
from .deciding import hints
from .features import bucket, features
from .labelled import TRAINING, labelled
from .learning_ideas import meaning_for
from .material import Material, material
from .saying import say
from .sentences import Sentence, cut
from .setting import Setting
from .vectors import Ints

MATERIAL, SAID, TAUGHT, SUMS, MIXED, WRITTEN = 0.12, 0.15, 1.0, 0.2, 0.15, 1.0
"""What an example counts: of the material, of ``say``, by hand, of sums, of mixtures, and a labelled one."""
Rows = list[NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a labelled utterance comes from."""

    concept: str
    author: str
    setting: Setting
    acts: tuple[Act, ...]


@dataclass(slots=True)
class Example:
    """A turn: sentences, the labels of its acts in order, each sentence's features and meaning, and the labels of its
    sentences as far as they are known."""

    sentences: list[Sentence]
    wanted: list[str]
    rows: Rows
    dense: list[Ints]
    weight: float
    found: list[str]
    source: Source | None = None


def example(
    text: str, wanted: list[str], table: Material, setting: Setting, weight: float, author: str = ""
) -> Example | None:
    """A labelled turn; ``None`` where it cannot be aligned."""
    sentences = cut(text, table)
    if not sentences or len(wanted) > len(sentences):
        return None
    rules, tables = hints(sentences, table, setting), meaning_for(table.id, author)
    near = [tables.touched(now.tokens) for now in sentences]
    rows = [
        np.array(sorted(bucket(name) for name in features(sentences, i, tables, setting, rules[i], near)))
        for i in range(len(sentences))
    ]
    return Example(sentences, wanted, rows, [meant(now) for now in sentences], weight, [])


def label_of(act: Act) -> str:
    """The classifier's label of an act."""
    return act.slot or "open" if act.kind == "ask" else act.kind


def of_labelled(name: str) -> list[Example]:
    """The labelled utterances of a file as examples."""
    found = []
    for row in labelled(name):
        acts = tuple(Act.from_json(act) for act in row["acts"])
        wanted = [label_of(act) for act in acts if act.kind != "lengthy"]
        wanted = [label for i, label in enumerate(wanted) if i == 0 or wanted[i - 1] != label]
        if "unknown" in wanted:
            continue
        setting = understanding.setting(row["concept"], row.get("dialogue", ()))
        made = example(row["text"], wanted, material(row["concept"]), setting, WRITTEN, TRAINING[name])
        if made is not None:
            made.source = Source(row["concept"], TRAINING[name], setting, acts)
            found.append(made)
    return found


def of_material() -> list[Example]:
    """The sentences of the material."""
    found = []
    for entry in concepts():
        table = material(entry.id)
        for idea in entry.ideas:
            texts = [("explain", idea.text(kind)) for kind in ("analogy", "plain", "technical", "example")]
            texts.append(("quiz", idea.quiz))
            texts.extend(("correct", wrong.correction) for wrong in idea.misconceptions)
            for name, text in texts:
                made = example(text, [name], table, Setting(), MATERIAL)
                if made is not None:
                    found.append(made)
    return found


def of_saying() -> list[Example]:
    """What scripted teachers say without the material."""
    rng = stream(0, "instruction", "learning")
    acts = [Act("ask", slot) for slot in ("background", "style", "open")]
    acts += [
        Act(k) for k in ("confirm", "encourage", "recap", "close", "greet", "acknowledge", "inform", "refuse")
    ]
    found = []
    for place, entry in enumerate(concepts()):
        scenario, table = InstructionScenario(entry.id), material(entry.id)
        for act in (*acts, Act("ask", "idea", item=entry.ideas[place % len(entry.ideas)].id)):
            made = example(say((act,), scenario, rng), [label_of(act)], table, Setting(), SAID)
            if made is not None:
                found.append(made)
    return found


def of_taught() -> list[Example]:
    """Hand-written sentences: label -> turns, about no concept in particular."""
    found = []
    entries = concepts()
    for key, turns in _taught().items():
        for i, turn in enumerate(turns):
            entry = entries[i % len(entries)]
            table = material(entry.id)
            said = _filled(turn, entry, i)
            met = (
                Setting(True, i % len(entry.ideas), -1)
                if key.endswith("-met")
                else Setting(i % 2 == 0, -1, -1)
            )
            made = example(said, [key.partition("-")[0]], table, met, TAUGHT)
            if made is not None:
                found.append(made)
    return found


def _filled(turn: str, entry: Concept, i: int) -> str:
    """A turn with names of ideas in it."""
    names = [idea.name for idea in entry.ideas]
    for sign, step in (("{x}", 0), ("{y}", 1), ("{z}", 2)):
        turn = turn.replace(sign, names[(i + step) % len(names)])
    return turn.replace("{n}", str(len(names)))


_SUMS = (
    "So: {0}; {1}; {2}.", "{0}, {1}, and {2}.", "To sum up, {0}, {1}, and {2}.", "So we have: {0}, {1}, and {2}.",
    "What have we found out? {0}, {1} and {2}.", "So far: {0}. {1}. {2}.", "In short, {0} and {1}.",
    "Let us gather the threads: {0}, {1}, {2}.", "Remember: {0}, {1} and {2}.", "Quick summary:\n- {0}\n- {1}\n- {2}",
)  # fmt: skip


def of_sums() -> list[Example]:
    """Recaps made of the beginnings of plain explanations."""
    found = []
    for place, entry in enumerate(concepts()):
        parts = []
        for idea in entry.ideas:
            words = idea.plain.split(",")[0].rstrip(".").split()
            parts.append(" ".join([words[0].lower(), *words[1:9]]))
        for i in range(3):
            frame = _SUMS[(3 * place + i) % len(_SUMS)]
            said = frame.format(*(parts[(i + step) % len(parts)] for step in range(3)))
            made = example(said[0].upper() + said[1:], ["recap"], material(entry.id), Setting(), SUMS)
            if made is not None:
                found.append(made)
    return found


def of_mixtures(count: int = 700) -> list[Example]:
    """Turns of several acts: manners, something of the material, and a question."""
    rng = stream(0, "instruction", "mixtures")
    pools = _taught()
    found = []
    for _ in range(count):
        entry = concepts()[int(rng.integers(len(concepts())))]
        i = int(rng.integers(len(entry.ideas)))
        idea = entry.ideas[i]
        kind = ("explain", "explain", "correct", "quiz", "")[int(rng.integers(5))]
        first = ("encourage", "acknowledge", "greet", "", "")[int(rng.integers(5))]
        last = ("confirm", "quiz", "open", "", "encourage", "close", "idea")[int(rng.integers(7))]
        parts = [(name, _filled(_pick(pools[name], rng), entry, i)) for name in (first,) if name]
        if kind:
            explained = idea.text(("analogy", "plain", "technical", "example")[int(rng.integers(4))])
            text = {"explain": explained, "quiz": idea.quiz, "correct": idea.misconceptions[0].correction}[
                kind
            ]
            parts.append((kind, text))
        parts.extend((name, _filled(_pick(pools[name], rng), entry, i)) for name in (last,) if name)
        wanted = [name for n, (name, _) in enumerate(parts) if n == 0 or parts[n - 1][0] != name]
        said = " ".join(text for _, text in parts)
        made = (
            example(said, wanted, material(entry.id), Setting(rng.random() < 0.5), MIXED) if parts else None
        )
        if made is not None:
            found.append(made)
    return found


def _pick(pool: Sequence[str], rng: np.random.Generator) -> str:
    return pool[int(rng.integers(len(pool)))]


@lru_cache(maxsize=16)
def _taught() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in ("taught", "manners"):
        text = (files(__package__) / "grammar" / f"{name}.toml").read_text(encoding="utf-8")
        for key, row in tomllib.loads(text).items():
            found.setdefault(key, []).extend(row["text"])
    return found


def of_others() -> list[Example]:
    """All examples but labelled utterances."""
    return [*of_material(), *of_saying(), *of_taught(), *of_sums(), *of_mixtures()]
