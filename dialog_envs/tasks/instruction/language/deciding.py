"""From sentences and what each does to the acts of a turn: which ideas they are about, and which belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ....core.dialogue import Act
from ..acts import LENGTHS
from . import sets
from .classifier import LABELS, score
from .explaining import Explanation
from .features import Setting, carried, features
from .levels import Evidence, weigh
from .material import Material, is_content
from .rules import rhetorical
from .sentences import Sentence
from .stems import stem
from .turn import Turn

_SIMPLE = {
    "greet": Act("greet"), "acknowledge": Act("acknowledge"), "encourage": Act("encourage"), "close": Act("close"),
    "refuse": Act("refuse"), "recap": Act("recap"), "inform": Act("inform"), "confirm": Act("confirm"),
    "open": Act("ask", "open"), "background": Act("ask", "background"), "style": Act("ask", "style"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leanings:
    """How much more than its words an idea counts: talked of last in the turn, in the dialogue, doubted by the
    student; and how much the words of its misconception count in a correction."""

    turn: float = 0.9
    focus: float = 0.7
    doubt: float = 2.5
    belief: float = 0.5
    covered: float = 1.0
    name: float = 0.8
    defines: float = 1.0


LEANINGS = Leanings()


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
_NOT_ABOUT = ("open", "idea", "confirm", "inform", "none", "quiz")


def label(
    sentences: list[Sentence],
    table: Material,
    setting: Setting,
    weights: NDArray[np.float32] | None = None,
) -> list[str]:
    """What each sentence does, the likeliest one after the other."""
    found: list[str] = []
    before = "start"
    rules = hints(sentences, table, setting)
    for i, sentence in enumerate(sentences):
        names = features(sentences, i, table, setting, rules[i])
        before = LABELS[int(score(names + carried(before, sentence), weights).argmax())]
        if rules[i] in _ABOUT and sentence.question and before in _NOT_ABOUT:
            before = rules[i]
        found.append(before)
    return found


def decide(
    sentences: Sequence[Sentence], labels: Sequence[str], table: Material, setting: Setting
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
            current = _explained(members, table, setting, current, acts)
        elif kind == "quiz":
            current = _quizzed(members, table, setting, current, acts)
        elif kind == "correct":
            current = best_idea(members, table, setting, current, "correct")
            acts.append(Act("correct", item=table.ids[current]))
        elif kind == "idea":
            named = dict.fromkeys(idea for now in members for _, idea, hit in now.hits if hit == "name")
            ideas = list(named) or [best_idea(members, table, setting, current, "idea")]
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


def best_idea(
    members: Sequence[Sentence],
    table: Material,
    setting: Setting,
    current: int,
    kind: str,
    lean: Leanings = LEANINGS,
) -> int:
    """The idea that sentences are most likely about."""
    totals = [0.0] * len(table.ids)
    for now in members:
        for i, value in enumerate(now.scores):
            totals[i] += value
        for place, owner, hit in now.hits:
            if hit == "name" and place <= 4:
                totals[owner] += lean.name
                if any(token in sets.DEFINING for token in now.tokens[place + 1 : place + 5]):
                    totals[owner] += lean.defines
    if kind == "correct":
        roots = {stem(token) for now in members for token in now.tokens if is_content(token)}
        for i, words in enumerate(table.beliefs):
            totals[i] += lean.belief * sum(words[root] for root in roots & words.keys())
            totals[i] += lean.covered * table.covered(i, roots)
        if setting.doubt >= 0:
            totals[setting.doubt] += lean.doubt
    if current >= 0:
        totals[current] += lean.turn
    elif setting.focus >= 0:
        totals[setting.focus] += lean.focus
    best = max(range(len(totals)), key=totals.__getitem__)
    for other, rests in enumerate(table.rests):
        if best in rests and totals[other] >= 0.85 * totals[best] and totals[other] > 1.0:
            best = other
    return best


def _quizzed(
    members: list[Sentence], table: Material, setting: Setting, current: int, acts: list[Act]
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
        current = best_idea(piece, table, setting, current, "quiz")
        acts.append(Act("quiz", item=table.ids[current]))
    return current


def _explained(
    members: list[Sentence], table: Material, setting: Setting, current: int, acts: list[Act]
) -> int:
    """Explanations: a sentence goes on with the one before it unless it clearly turns to another idea or kind."""
    pieces: list[Explanation] = []
    for place, now in enumerate(members):
        idea = best_idea([now], table, setting, current, "explain")
        if not pieces and (len(members) > 3 or max(now.scores, default=0.0) < 1.0):
            idea = best_idea(members[place : place + 3], table, setting, current, "explain")
        if pieces and idea != pieces[-1].idea:
            turns = (
                any(owner == idea and (kind == "name" or len(members) < 4) for _, owner, kind in now.hits)
                and now.scores[idea] >= 2.0
            )
            if not turns or now.scores[pieces[-1].idea] >= 0.5 * now.scores[idea]:
                idea = pieces[-1].idea
        current = idea
        defines = any(
            owner == idea and at <= 4 and any(token in sets.DEFINING for token in now.tokens[at + 1 : at + 6])
            for at, owner, _ in now.hits
        )
        evidence = Evidence()
        evidence.add(weigh(now.raw, now.tokens, set(now.cues), table, idea, defines))
        same = bool(pieces) and pieces[-1].idea == idea
        if same and (len(members) > 3 or pieces[-1].takes(evidence, "", True)):
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
        if act.item not in told or act.value in ("analogy", "example"):
            acts.append(act)
    return pieces[-1].idea


def lengthy(words: int) -> tuple[Act, ...]:
    """The act of a turn that is too long, if it is."""
    for name in ("very_long", "long"):
        if words > LENGTHS[name]:
            return (Act("lengthy", value=name),)
    return ()
