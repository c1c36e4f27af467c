"""From sentences and what each does to the acts of a turn: which ideas they are about, and which belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from ....core.dialogue import Act
from ..acts import LENGTHS
from . import sets
from .classifier import LABELS, Weights, meant, score, weights
from .explaining import Explanation
from .features import carried, features
from .levels import Evidence, weigh
from .material import Material
from .meaning import Meaning, meaning
from .ranking import NAT, odds
from .ranking import weights as ranks
from .rules import rhetorical
from .sentences import Sentence
from .setting import Setting
from .turn import Turn
from .vectors import Ints

_SIMPLE = {
    "greet": Act("greet"), "acknowledge": Act("acknowledge"), "encourage": Act("encourage"), "close": Act("close"),
    "refuse": Act("refuse"), "recap": Act("recap"), "inform": Act("inform"), "confirm": Act("confirm"),
    "open": Act("ask", "open"), "background": Act("ask", "background"), "style": Act("ask", "style"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Learned:
    """What is learned: weights of acts and of ideas, and the tables of the concept that the latter weigh."""

    weights: Weights
    ranks: Ints
    tables: Meaning


def learned_for(table: Material) -> Learned:
    """What the package has learned, for a concept."""
    return Learned(weights(), ranks(), meaning(table.id))


SWITCH = 3 * NAT
"""How much likelier another idea must be for a sentence to turn to it."""


def hints(sentences: list[Sentence], table: Material, setting: Setting) -> list[str]:
    """What the rules take each sentence for."""
    turn = Turn(table, setting.focus, setting.doubt)
    found = []
    for i, sentence in enumerate(sentences):
        acts, weak, pending = len(turn.acts), len(turn.weak), len(turn.pending)
        now = replace(sentence, cues=dict(sentence.cues), tokens=list(sentence.tokens))
        if now.question and rhetorical(sentences, i):
            now.question = False
            now.cues.setdefault("rhetoric", 0)
        turn.add(now)
        new = turn.acts[acts:]
        kinds = [
            "explain" if isinstance(act, Explanation) else act.slot or act.kind
            for act in new
            if act is not None
        ]
        if not kinds:
            waits = len(turn.pending) > pending
            kinds = [turn.weak[-1] if len(turn.weak) > weak else "waits" if waits else "same"]
        found.append("+".join(dict.fromkeys(kinds)))
    return found


_ABOUT = ("background", "style")
_NOT_TESTING = ("open", "background", "style", "idea", "confirm")
_NOT_ABOUT = ("open", "idea", "confirm", "inform", "none", "quiz")


def label(sentences: list[Sentence], table: Material, setting: Setting, learned: Learned) -> list[str]:
    """What each sentence does: the likeliest, one after the other; then statements before what tests nothing anew."""
    found: list[str] = []
    odds_of: list[Ints] = []
    before = "start"
    rules = hints(sentences, table, setting)
    near = [learned.tables.touched(now.tokens) for now in sentences]
    for i, sentence in enumerate(sentences):
        names = features(sentences, i, learned.tables, setting, rules[i], near)
        names += carried(before, sentence)
        odds_of.append(score(names, meant(sentence), learned.weights))
        before = LABELS[int(odds_of[-1].argmax())]
        if rules[i] in _ABOUT and sentence.question and before in _NOT_ABOUT:
            before = rules[i]
        found.append(before)
    barren = False
    for i in range(len(found) - 1, -1, -1):  # statements lead in to no test where what follows tests nothing
        if found[i] != "quiz" or sentences[i].question or "quiz" in rules[i]:
            barren = found[i] in _NOT_TESTING
        elif barren:
            odds_of[i][LABELS.index("quiz")] = np.iinfo(np.int64).min
            found[i] = LABELS[int(odds_of[i].argmax())]
    return found


def decide(
    sentences: Sequence[Sentence], labels: Sequence[str], table: Material, setting: Setting, learned: Learned
) -> list[Act]:
    """The acts, in order, without duplicates."""
    acts: list[Act] = []
    current = -1
    pairs = list(zip(_smoothed(labels, sentences), sentences, strict=True))
    for kind, group in groupby(pairs, key=lambda pair: pair[0]):
        members = [sentence for _, sentence in group]
        if kind in _SIMPLE:
            acts.append(_SIMPLE[kind])
        elif kind == "explain":
            current = _explained(members, table, setting, current, acts, learned)
        elif kind == "quiz":
            current = _quizzed(members, table, setting, current, acts, learned)
        elif kind == "correct":
            current = likeliest(members, setting, current, "correct", learned)
            acts.append(Act("correct", item=table.ids[current]))
        elif kind == "idea":
            named = dict.fromkeys(idea for now in members for _, idea, hit in now.hits if hit == "name")
            ideas = list(named) or [likeliest(members, setting, current, "idea", learned)]
            current = ideas[-1]
            acts.extend(Act("ask", "idea", item=table.ids[idea]) for idea in ideas)
    return _settled(acts)


def _settled(acts: list[Act]) -> list[Act]:
    """Without the courtesies that belong to other acts: an apology to a refusal, thanks to a farewell."""
    kinds = {act.kind for act in acts}
    courtesies: set[str] = set()
    if "refuse" in kinds:
        courtesies |= {"confirm"}
    if kinds <= {"close", "acknowledge", "greet"} and "close" in kinds:
        courtesies |= {"acknowledge", "greet"}
    if "greet" in kinds:
        courtesies |= {"acknowledge"}
    return list(dict.fromkeys(act for act in acts if act.kind not in courtesies))


_TOLD = ("explain", "correct", "recap")
_ASIDES = (
    "quiz",
    "encourage",
    "confirm",
    "inform",
    "acknowledge",
    "open",
    "none",
    "explain",
    "greet",
    "idea",
)


def _smoothed(labels: Sequence[str], sentences: Sequence[Sentence]) -> list[str]:
    """Labels with asides taken in by what goes on after them: a rhetorical question within an explanation, say."""
    found = list(labels)
    for i in range(1, len(found) - 1):
        before, after = found[i - 1], found[i + 1]
        if before in _TOLD and before == after and found[i] in _ASIDES:
            found[i] = before
    told = ""
    for i in range(len(found) - 1, -1, -1):  # who goes on to explain has not asked
        if found[i] in ("explain", "correct"):
            told = found[i]
        elif found[i] == "quiz" and told:
            found[i] = told
    for i in range(len(found) - 1, 0, -1):  # scenes of questions
        if found[i] == "quiz" and found[i - 1] == "explain" and _scene(sentences[i - 1]):
            found[i - 1] = "quiz"
    if "recap" in found:
        found = ["recap" if name == "explain" else name for name in found]
    return found


def _scene(now: Sentence) -> bool:
    """Whether a statement may set the scene of the question after it, rather than explain."""
    named = any(kind == "name" for _, _, kind in now.hits)
    bare = now.size <= 14 and not named and "analogy" not in now.cues
    return (bare or now.tokens[0] in sets.SCENE) and sets.EXPLAINS.isdisjoint(now.tokens)


def likeliest(
    members: Sequence[Sentence], setting: Setting, current: int, kind: str, learned: Learned
) -> int:
    """The idea that sentences are most likely about."""
    return int(odds(members, learned.tables, setting, current, kind, learned.ranks).argmax())


def _ideas(members: Sequence[Sentence], setting: Setting, current: int, learned: Learned) -> list[int]:
    """The idea of each sentence of an explanation: that of all of them, but where one clearly turns to another."""
    idea = likeliest(members, setting, current, "explain", learned)
    if len(members) == 1:
        return [idea]
    found = []
    for now in members:
        row = odds([now], learned.tables, setting, idea, "explain", learned.ranks)
        best = int(row.argmax())
        if row[best] - row[idea] > SWITCH:
            idea = best
        found.append(idea)
    return found


def _quizzed(
    members: list[Sentence],
    table: Material,
    setting: Setting,
    current: int,
    acts: list[Act],
    learned: Learned,
) -> int:
    """Questions; scenes set before them go with them. Two that name different ideas are two."""
    pieces: list[list[Sentence]] = [[]]
    for now in members:
        named = {idea for _, idea, hit in now.hits if hit == "name"}
        held = {idea for old in pieces[-1] for _, idea, hit in old.hits if hit == "name"}
        if (
            now.question
            and named
            and held
            and named.isdisjoint(held)
            and any(old.question for old in pieces[-1])
        ):
            pieces.append([])
        pieces[-1].append(now)
    for piece in pieces:
        current = likeliest(piece, setting, current, "quiz", learned)
        acts.append(Act("quiz", item=table.ids[current]))
    return current


def _explained(
    members: list[Sentence],
    table: Material,
    setting: Setting,
    current: int,
    acts: list[Act],
    learned: Learned,
) -> int:
    """Explanations: a sentence goes on with the one before it unless it turns to another idea. An idea is explained
    once: of the labelled turns that explain, six in a thousand do so in two ways."""
    pieces: list[Explanation] = []
    for now, idea in zip(members, _ideas(members, setting, current, learned), strict=True):
        defines = any(
            owner == idea and at <= 4 and any(token in sets.DEFINING for token in now.tokens[at + 1 : at + 6])
            for at, owner, _ in now.hits
        )
        evidence = Evidence()
        evidence.add(weigh(now.raw, now.tokens, set(now.cues), table, idea, defines))
        if pieces and pieces[-1].idea == idea:
            pieces[-1].evidence.add(evidence)
            pieces[-1].sentences.append(now)
        else:
            pieces.append(Explanation(idea, evidence, "", False))
            pieces[-1].sentences.append(now)
    if len({piece.idea for piece in pieces}) >= 3 and all(len(piece.sentences) <= 1 for piece in pieces):
        acts.append(Act("recap"))
        return pieces[-1].idea
    told = {act.item for act in acts if act.kind == "explain"}
    for piece in pieces:
        act = piece.act(table)
        if act.item not in told:
            acts.append(act)
            told.add(act.item)
    return pieces[-1].idea


def lengthy(words: int) -> tuple[Act, ...]:
    """The act of a turn that is too long, if it is."""
    for name in ("very_long", "long"):
        if words > LENGTHS[name]:
            return (Act("lengthy", value=name),)
    return ()
