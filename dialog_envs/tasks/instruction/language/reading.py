"""User text into user acts, as a teacher would read it that sees only the text.

Sentences of the student grammar are known again (:mod:`templates`); others are read by their cues
(``grammar/user_cues.toml``) and by the material that they sound like. The agent's last turn says what "that" is, and
whether "no idea" answers a quiz or a question about the student.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from dialog_envs.core.dialogue import AGENT, Act, Turn
from dialog_envs.tasks.instruction.language.material import Material, material
from dialog_envs.tasks.instruction.language.templates import BELIEF, NAME, RIGHT, recognise, split
from dialog_envs.tasks.instruction.language.understanding import understand
from dialog_envs.tasks.language.context import last_agent_acts
from dialog_envs.tasks.language.phrases import Trie, build, find, trie
from dialog_envs.tasks.language.tokens import tokenise

_ENDING = ("tired", "content", "leave")
_WEAK = ("clarify", "nudge", "greet", "thanks")
_PUZZLES = ("technical", "childish", "long")
_LOOK_BACK = 6
"""How many turns back "that" may be looked for."""


def read(text: str, scenario: Any, dialogue: Sequence[Any] = ()) -> tuple[Act, ...]:
    """The acts of one user utterance, in order of appearance; () if nothing is understood.

    Args:
        text: anything a student may say.
        scenario: its ``concept`` (an id) is what is taught.
        dialogue: the turns before, views or records; they settle what short answers refer to.
    """
    if not dialogue:
        return (Act("greet"),)
    reader = _Reader(scenario, dialogue)
    for words, ideas in split(tokenise(text), scenario.concept):
        reader.add(words, ideas)
    return reader.finish()


@lru_cache(maxsize=1)
def _cues() -> Trie:
    """All phrases; a meaning is (cue or value, name, value)."""
    data = tomllib.loads((files(__package__) / "grammar" / "user_cues.toml").read_text(encoding="utf-8"))
    rows = [(("cue", name, ""), phrases) for name, phrases in data["cue"].items()]
    for slot, values in data["value"].items():
        rows += [(("value", slot, value), phrases) for value, phrases in values.items()]
    return trie(build(_merged(rows)))


def _merged(rows: Iterable[tuple[tuple[str, str, str], str]]) -> list[tuple[tuple[str, str, str], str]]:
    """Values first, so that cues win where both list a phrase."""
    return sorted(rows, key=lambda row: row[0][0] == "cue")


class _Reader:
    """Collects the acts of a turn, sentence by sentence."""

    def __init__(self, scenario: Any, dialogue: Sequence[Any]) -> None:
        self.scenario, self.dialogue = scenario, dialogue
        self.table: Material = material(scenario.concept)
        context = last_agent_acts(dialogue, scenario, understand)
        self.context = context
        self.quizzed = [act.item for act in context if act.kind == "quiz"]
        self.asked = [act for act in context if act.kind == "ask"]
        self.taught = [act.item for act in context if act.kind == "explain"]
        self.corrected = [act.item for act in context if act.kind == "correct"]
        self.acts: list[Act] = []
        self.weak: list[str] = []
        self.name: str | None = None

    def finish(self) -> tuple[Act, ...]:
        """The acts; small talk only where there is nothing else."""
        acts = list(dict.fromkeys(self.acts))
        if all(act.kind in _ENDING for act in acts):
            kind = next((kind for kind in _WEAK if kind in self.weak), None)
            if kind is not None:
                return (Act(kind), *acts)
        return tuple(acts)

    def add(self, words: tuple[str, ...], ideas: tuple[int, ...]) -> None:
        """Read one sentence."""
        named = [
            self.table.ids[i]
            for word, i in zip((w for w in words if w in (NAME, BELIEF, RIGHT)), ideas, strict=True)
            if word == NAME
        ]
        if words == (NAME,) or (len(words) <= 4 and words[-2:] == (",", NAME)):
            self.name = named[0]
            return
        item = named[-1] if named else self.name
        if words[:2] == ("about", NAME) and len(words) > 3:
            words, item = words[2:], named[0]
        self.name = None
        if RIGHT in words or BELIEF in words:
            self._quoted(words, ideas)
            return
        kinds = recognise(words)
        if kinds is None:
            kinds = self._by_words(words, item)
        if kinds:
            self._do(kinds, item)

    def _quoted(self, words: tuple[str, ...], ideas: tuple[int, ...]) -> None:
        """A sentence that holds a right answer or a belief of the material."""
        marks = [word for word in words if word in (NAME, BELIEF, RIGHT)]
        for mark, i in zip(marks, ideas, strict=True):
            item = self.table.ids[i]
            if mark == RIGHT:
                self.acts.append(Act("show", value="right", item=item))
            elif mark == BELIEF:
                rest = tuple(word for word in words if word != ",")
                cues = {meaning[1] for _, _, meaning in find(list(rest), _cues())}
                known = recognise(words)
                kind = (
                    known[0]
                    if known
                    else "insight"
                    if "insight" in cues
                    else "object"
                    if "object" in cues
                    else ""
                )
                if kind in ("insight", "object"):
                    self.acts.append(Act(kind, item=item))
                elif item in self.quizzed or not (self.taught or self.corrected):
                    self.acts.append(Act("show", value="misconception", item=item))
                else:
                    self.acts.append(Act("object", item=item))

    # What a sentence does, among what it may do.

    def _do(self, kinds: tuple[str, ...], item: str | None) -> None:
        kind = kinds[0] if len(kinds) == 1 else self._choose(kinds)
        if kind == "counter" and not self.quizzed:
            return
        if kind in _WEAK:
            self.weak.append(kind)
            return
        first, _, rest = kind.partition(" ")
        if kind in _ENDING:
            act: Act | None = Act(kind)
        elif first in ("answer", "evade"):
            slot, _, value = rest.partition(" ")
            act = Act(first, slot, value or None)
        elif kind == "all_known":
            act = Act("claim", value="known")
        else:
            act = self._about(kind, item)
        if act is not None:
            self.acts.append(act)

    def _choose(self, kinds: tuple[str, ...]) -> str:
        """The kind that answers what was asked and is not yet answered."""
        answered = {(act.kind, act.slot) for act in self.acts}
        slots = [act.slot for act in self.asked if not {("answer", act.slot), ("evade", act.slot)} & answered]
        if self.quizzed and not answered & {("show", None), ("counter", None)}:
            wanted = ["gap", "counter"]
        elif "idea" in slots:
            wanted = ["unknown", "unsure", "known"]
        else:
            wanted = [f"evade {slot}" for slot in slots] + [
                kind for kind in kinds if kind.split(" ")[0] == "answer"
            ]
            wanted += ["unknown"] if "open" in slots else []
        if self.taught or self.corrected:
            wanted += ["follow", "puzzled", "basis", "known", "unknown"]
        return next((kind for kind in wanted if kind in kinds), kinds[0])

    def _about(self, kind: str, item: str | None) -> Act | None:
        """An act about an idea: the one named, or the one that the agent's turn was about."""
        if kind in ("known", "unknown", "unsure"):
            asked = [act.item for act in self.asked if act.item is not None]
            done = {act.item for act in self.acts if act.kind == "claim"}
            item = item or next((each for each in asked if each not in done), None) or self._last()
            return Act("claim", value=kind, item=item) if item or kind == "known" else None
        if kind in ("gap", "counter"):
            item = (self.quizzed or [item])[0] or self._last()
            if item is None:
                return None
            return Act("counter", item=item) if kind == "counter" else Act("show", value="gap", item=item)
        item = item or self._last()
        if item is None:
            return None
        if kind == "basis" or kind in _PUZZLES:
            return Act("puzzled", slot=kind, item=item)
        return Act(kind, item=item)

    def _last(self) -> str | None:
        """The idea that "that" is about: explained or corrected last, else talked of last."""
        for items in (self.taught, self.corrected, self.quizzed):
            if items:
                return items[0]
        asked = [act.item for act in self.asked if act.item is not None]
        if asked:
            return asked[-1]
        for i in range(len(self.dialogue) - 1, max(-1, len(self.dialogue) - 1 - _LOOK_BACK), -1):
            turn = self.dialogue[i]
            speaker = turn.speaker if isinstance(turn, Turn) else turn["speaker"]
            if speaker == AGENT:
                acts = turn.acts if isinstance(turn, Turn) else understand(turn["text"], self.scenario, ())
                found = [act.item for act in acts if act.kind in ("explain", "correct", "quiz") and act.item]
                if found:
                    return found[0]
        return None

    # Sentences by other hands.

    def _by_words(self, words: tuple[str, ...], item: str | None) -> tuple[str, ...]:
        """What a sentence may do by its cues; a full answer to a quiz is judged by the material it sounds like."""
        tokens = [word for word in words if word != ","]
        found = find(tokens, _cues())
        cues = {name for _, _, (kind, name, _) in found if kind == "cue"}
        values = [(name, value) for _, _, (kind, name, value) in found if kind == "value"]
        slots = [act.slot for act in self.asked]
        for slot, value in values:
            if slot in slots or (
                slot == "background" and len(tokens) <= 14 and tokens[0] in ("im", "i") and not item
            ):
                return (f"answer {slot} {value}",)
        for kind in ("insight", "leave", "content", "tired"):
            if kind in cues and not (kind == "insight" and not (self.corrected or self.taught)):
                return (kind,)
        if "object" in cues:
            return ("object",)
        if (
            self.quizzed
            and not {"gap", "counter", "known", "puzzled", "unknown", "unsure", "clarify"} & cues
            and len(tokens) > 3
        ):
            self.acts.append(self._judged(tokens))
            return ()
        for kind in _PUZZLES:
            if kind in cues and (self.taught or self.corrected):
                return (kind,)
        if "basis" in cues and item is not None and item not in self.taught and self.taught:
            return ("basis",)
        return self._own_view(cues, slots, len(tokens))

    def _own_view(self, cues: set[str], slots: list[str | None], size: int) -> tuple[str, ...]:
        """Claims, evasions and small talk, by what was asked."""
        if self.quizzed:
            for kind, needs in (
                ("counter", {"counter"}),
                ("gap", {"gap", "unknown", "unsure", "puzzled", "no"}),
            ):
                if cues & needs:
                    return (kind,)
        if "idea" in slots:
            for kind, needs in (("unsure", {"unsure"}), ("unknown", {"unknown", "no", "gap", "puzzled"}),
                                ("known", {"known", "yes", "follow"})):  # fmt: skip
                if cues & needs:
                    return (kind,)
        for slot in ("background", "style", "open"):
            if slot in slots and cues & {f"evade_{slot}", "evade", "gap", "unsure"}:
                return (f"evade {slot}",)
        if "open" in slots and "all_known" in cues:
            return ("all_known",)
        for kind in ("puzzled", "unknown", "known", "follow", "unsure", "all_known", *_WEAK):
            if kind in cues:
                return (kind,)
        if "yes" in cues and size <= 4 and any(act.kind == "confirm" for act in self.context):
            return ("follow",)
        if "no" in cues and size <= 4 and any(act.kind == "confirm" for act in self.context):
            return ("puzzled",)
        return ()

    def _judged(self, tokens: list[str]) -> Act:
        """An answer to a quiz in the student's own words: right, or the mistaken belief, by the words it shares."""
        item = self.quizzed[0] or ""
        place = self.table.index[item]
        from dialog_envs.tasks.instruction.language.material import content

        said = content(" ".join(tokens))
        idea = self.scenario.ideas[place]
        right = content(" ".join((idea.right, idea.plain, idea.technical)))
        wrong = content(idea.misconceptions[0].belief)
        share = len(said & right) / max(len(right), 1) ** 0.5, len(said & wrong) / max(len(wrong), 1) ** 0.5
        return Act("show", value="right" if share[0] >= share[1] else "misconception", item=item)
