"""User text into user acts, as an agent would read it that sees only the text.

The words are looked up in one table (``grammar/user_cues.toml`` over the lexicon's phrases) and in the names of the
place's activities; sentences are read one by one by what stands in them; the agent's last turn says what "yes",
"outdoors" or "no, too pricey" answer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.language.context import texts
from dialog_envs.tasks.language.phrases import Meaning, Trie, build
from dialog_envs.tasks.language.tokens import tokenise
from dialog_envs.tasks.preference.language import lexicon
from dialog_envs.tasks.preference.language.context import last_agent_acts
from dialog_envs.tasks.preference.language.references import distinctive_words
from dialog_envs.tasks.preference.language.references import table as name_table
from dialog_envs.tasks.preference.scenario import OCCASIONS

_ENDS = frozenset(".!?;\n…")
_BREAKS = frozenset((",", ":", "—", "–", "-", "(", ")", "but"))
_CURRENCY = frozenset(("euros", "euro", "eur", "€", "bucks", "dollars", "$", "£", "pounds"))
_ARTICLES = (["the"], ["that"], ["this"], ["your"])
_VERBS = (["sounds"], ["looks"], ["is"], ["seems"])
_NEGATING = frozenset(("none", "no", "reject"))
_LIMITS = frozenset(("under", "below", "most", "max", "maximum", "than", "to", "spend", "exceed"))
_FLIP = {
    ("setting", "indoors"): "outdoors", ("setting", "outdoors"): "indoors", ("pace", "relaxed"): "active",
    ("pace", "active"): "relaxed", ("crowd", "quiet"): "lively", ("crowd", "lively"): "quiet",
    ("budget", "any"): "low", ("time", "any"): "short",
}  # fmt: skip
"""What a negated value, or too much of it, means."""
_NAMED_ORDER = {"first": 0, "second": 1, "third": 2, "last": -1}
_ASKING = frozenset(("answer", "volunteer", "told", "change"))

_NUMBERS = frozenset(lexicon.NUMBER_WORDS)
Mention = tuple[int, str, str, bool]
"""Position of a value, its slot, its value, and whether a "not" or "too" stands before it."""


@dataclass(slots=True)
class _Sentence:
    """What was found between two full stops."""

    cues: dict[str, int] = field(default_factory=dict)
    """Cue → where it stands first."""
    values: list[Mention] = field(default_factory=list)
    slots: list[tuple[int, str]] = field(default_factory=list)
    items: list[tuple[int, str]] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    question: bool = False
    size: int = 0


def read(text: str, scenario: Any, dialogue: Sequence[Any] = ()) -> tuple[Act, ...]:
    """The acts of one user utterance, in order of appearance; () if nothing is understood.

    Args:
        text: anything a user may say.
        scenario: its ``items`` are the activities that can be meant.
        dialogue: the turns before; the agent's last turn settles what short answers refer to.
    """
    reader = _Reader(scenario, dialogue)
    heads = distinctive_words(tuple(reader.suggested)) if reader.suggested else {}
    for sentence in _sentences(tokenise(text), scenario.items, heads):
        reader.add(sentence)
    return reader.finish()


@lru_cache(maxsize=1)
def _table() -> Trie:
    """All phrases, word by word; under "" stands what the words so far mean."""
    data = tomllib.loads((files(__package__) / "grammar" / "user_cues.toml").read_text(encoding="utf-8"))
    rows: list[tuple[Meaning, str]] = [
        ((kind, slot.rstrip("~"), value.rstrip("~")), phrases)
        for (kind, slot, value), phrases in lexicon.groups()
    ]
    rows += [(("cue", name, ""), phrases) for name, phrases in data["cue"].items() if name != "ignore"]
    rows += [(("slot", name, ""), phrases) for name, phrases in data["slot"].items()]
    for name, phrases in data["value"].items():
        slot, _, value = name.partition(".")
        rows.append((("value", slot, value), phrases))
    occasions = [" ".join(tokenise(occasion)) for occasion, _ in OCCASIONS]
    rows.append((("cue", "ignore", ""), ",".join([data["cue"]["ignore"], *occasions])))
    root: Trie = {}
    for phrases in build(rows).values():
        for _, words, meaning in phrases:
            node = root
            for word in words:
                node = node.setdefault(word, {})
            node[""] = meaning
    return root


def _sentences(tokens: list[str], items: tuple[str, ...], heads: Mapping[str, str]) -> list[_Sentence]:
    """One pass over the tokens: names first ("the hike" only if ``heads`` has it), then the longest phrases."""
    phrases, names = _table(), name_table(items[0].partition("/")[0] if items else "")
    done: list[_Sentence] = []
    now, negated, i, n = _Sentence(), -9, 0, len(tokens)
    while i < n:
        token = tokens[i]
        if token in _ENDS:
            now.question = token == "?"
            if now.size:
                done.append(now)
                now, negated = _Sentence(), -9
            i += 1
            continue
        now.size += 1
        if token in names:
            hit = next(
                (row for row in names[token] if tokens[i : i + row[0]] == row[1] and row[2] in items), None
            )
            if hit is not None:
                now.items.append((i, hit[2]))
                i += hit[0]
                continue
        if token in heads and (tokens[i - 1 : i] in _ARTICLES or tokens[i + 1 : i + 2] in _VERBS):
            now.items.append((i, heads[token]))
            i += 1
            continue
        if token in _BREAKS:
            now.breaks.append(i)
            if token != "but":
                negated = -9
        node = phrases.get(token)
        end, meaning = i, None
        j = i + 1
        while node is not None:
            if "" in node:
                end, meaning = j, node[""]
            if j == n:
                break
            node = node.get(tokens[j])
            j += 1
        if meaning is not None:
            kind, slot, value = meaning
            if kind == "cue":
                now.cues.setdefault(slot, i)
                if slot == "neg" or slot == "too" or (token in lexicon.NEGATIONS and slot in _NEGATING):
                    negated = end
            elif kind == "value":
                now.values.append((i, slot, value, i - negated <= 3))
            else:
                now.slots.append((i, slot))
            i = end
            continue
        if token in _NUMBERS or token[0].isdigit():
            number = _number(tokens, i)
            if number is not None:
                now.values.append((i, *number, False))
        i += 1
    if now.size:
        done.append(now)
    return done


def _number(tokens: list[str], i: int) -> tuple[str, str] | None:
    """(slot, value) of an amount of money or time."""
    token = tokens[i]
    digits = token.replace(",", "").partition(".")[0]
    amount = int(digits[:6]) if digits.isascii() and digits.isdigit() else lexicon.NUMBER_WORDS.get(token)
    if amount is None:
        return None
    after = tokens[i + 1] if i + 1 < len(tokens) else ""
    before = tokens[i - 1] if i else ""
    if after in ("hours", "hour", "hrs", "h", "hr"):
        return "time", "short" if amount <= 2 else "half_day" if amount <= 5 else "any"
    if (
        after in _CURRENCY
        or before in _CURRENCY
        or (before in _LIMITS and amount >= 10)
        or after in ("max", "each")
    ):
        return "budget", "low" if amount <= 20 else "medium" if amount <= 60 else "any"
    return None


class _Reader:
    """Collects the acts of a turn, sentence by sentence."""

    def __init__(self, scenario: Any, dialogue: Sequence[Any]) -> None:
        self.scenario, self.dialogue = scenario, dialogue
        context = last_agent_acts(dialogue, scenario)
        self.asks = [act for act in context if act.kind == "ask" and act.slot]
        self.asked = {act.slot for act in self.asks}
        self.suggested = [act.item for act in context if act.kind == "suggest" and act.item]
        self.checked = any(act.kind == "check" for act in context)
        self.acts: list[Act] = []
        self.weak: list[str] = []
        self.mode = ""
        self.pending: int | None = None
        self.topic: list[str] = []
        self.raised: list[tuple[int, str]] = []

    def finish(self) -> tuple[Act, ...]:
        """The acts; small talk only if there is nothing else."""
        acts = self.acts
        if any(act.kind == "accept" for act in acts):
            acts = [act for act in acts if act.kind != "leave"]
        if all(act.kind in ("leave", "change") for act in acts) and self._small_talk():
            acts = sorted([Act(self._small_talk()), *acts], key=lambda act: act.kind == "leave")
            acts.sort(key=lambda act: act.kind != "change")
        return tuple(dict.fromkeys(acts))

    def _small_talk(self) -> str:
        if not self.dialogue:
            return "greet"
        return next((kind for kind in ("clarify", "greet", "nudge") if kind in self.weak), "")

    def add(self, now: _Sentence) -> None:
        """Read one sentence."""
        cues = now.cues
        for kind in ("clarify", "greet", "nudge"):
            if kind in cues:
                self.weak.append(kind)
        if "what" in cues and now.question and now.size <= 3:
            self.weak.append("clarify")
        if "pick" in cues:
            cues.setdefault("ref", cues["pick"])
        if "ovq" in cues and len(self.suggested) > 1 and not self.asks:
            cues["ovs"] = cues.pop("ovq")
        if "ovq" in cues and (len(self.asks) > 1 or not now.values):
            self._once(Act("overwhelmed", value="questions"))
            return
        if "ovs" in cues and not now.values and not now.items and len(self.suggested) != 1:
            self._once(Act("overwhelmed", value="suggestions"))
            return
        if "leave" in cues and not now.items:
            self._once(Act("leave"))
            return
        for mode in ("told", "change"):
            if mode in cues:
                self.mode = mode
        values = self._values(now)
        if "clarify" in cues and not values and not now.items:
            return
        if self._about_items(now, values):
            return
        if values:
            self._state(now, values)
        elif not self.acts or self.acts[-1].kind in ("overwhelmed", "change") or len(self.asks) > 1:
            self._without_value(now)

    def _once(self, act: Act) -> None:
        if act not in self.acts:
            self.acts.append(act)

    # Values.

    def _values(self, now: _Sentence) -> dict[str, str]:
        """Slot → value that the sentence says, in order, with "don't mind" and "not" taken into account."""
        values: dict[str, str] = {}
        free = self._free_slots(now) if "nopref" in now.cues else ()
        both = "or" in now.cues
        flaw = self._is_flaw(now)
        mentions = now.values
        if free:
            mentions = sorted(mentions + [(p, slot, "any", False) for p, slot in now.slots if slot in free])
        for position, slot, value, negated in mentions:
            if slot in free or (slot == "need" and "okwith" in now.cues):
                value = "none" if slot == "need" else "any"
            elif negated or (flaw and position > now.cues["ref"] and slot in ("setting", "pace", "crowd")):
                if slot == "theme":
                    continue
                value = _FLIP.get((slot, value), value)
            elif flaw and (slot, value) in (("budget", "any"), ("time", "any")):
                value = _FLIP[slot, value]
            if both and values.get(slot, value) != value and slot in ("setting", "pace", "crowd"):
                value = "any"
            values[slot] = value
        return values

    def _free_slots(self, now: _Sentence) -> tuple[str, ...]:
        """Slots about which the sentence says that they do not matter: those of the clause, or of its neighbours."""
        place = now.cues["nopref"]
        start = max((b for b in now.breaks if b < place), default=-1)
        end = min((b for b in now.breaks if b > place), default=10**9)
        marks = [(p, slot) for p, slot, _, _ in now.values] + now.slots
        for inside in (
            [slot for p, slot in marks if start < p < end],
            [slot for p, slot in marks if p < start],
            [slot for p, slot in marks if p > end],
        ):
            if inside:
                return tuple(dict.fromkeys(inside))
        return ()

    def _is_flaw(self, now: _Sentence) -> bool:
        """Whether a sentence describes what was suggested ("it's indoors") rather than a wish."""
        cues = now.cues
        wishes = [position for cue, position in cues.items() if cue in ("please", "instead")]
        if (
            self.mode
            or "vol" in cues
            or "accept" in cues
            or not (now.items or (self.suggested and "ref" in cues))
        ):
            return False
        cues["ref"] = now.items[0][0] if now.items else cues["ref"]
        return not wishes or bool(now.items and max(wishes) < cues["ref"])

    def _state(self, now: _Sentence, values: dict[str, str]) -> None:
        """Acts that say values."""
        said = {act.slot for act in self.acts if act.kind in _ASKING or act.kind == "reject"}
        for slot, value in values.items():
            if self.mode:
                self.acts.append(Act(self.mode, slot=slot, value=value))
            elif slot not in said:
                self.acts.append(Act(self._kind(now, slot), slot=slot, value=value))
        self.mode, self.pending = "", None

    def _kind(self, now: _Sentence, slot: str) -> str:
        """Answered or volunteered: by what was asked."""
        if slot in self.asked and not ("vol" in now.cues and self.acts):
            return "answer"
        marked = "vol" in now.cues or any(act.kind in ("answer", "evade") for act in self.acts)
        if "open" in self.asked or not (self.dialogue or marked):
            return "volunteer" if marked else "answer"
        return "volunteer"

    # Suggestions.

    def _about_items(self, now: _Sentence, values: dict[str, str]) -> bool:
        """Consent, hesitation, refusal. True if the sentence was one of them."""
        cues = now.cues
        named = [name for _, name in now.items]
        if self.pending is not None and values and not (named or self.mode or "vol" in cues):
            return self._give_reason(values)
        if self.topic and not named:
            named, self.topic = self.topic, []
        targets = named or self._meant(now)
        if not targets or self.mode or ("vol" in cues and not named):
            return False
        verdict = self._verdict(now, values, bool(named))
        if verdict == "accept":
            self.acts = [act for act in self.acts if act.kind != "accept" or not named]
            after = [name for position, name in now.items if position > cues.get("accept", 0)]
            self._once(Act("accept", item=after[0] if after else named[-1] if named else targets[0]))
        elif verdict == "hesitate":
            self._once(Act("hesitate", item=targets[0]))
        elif verdict == "reject":
            self._refuse(targets, values, now)
        elif now.question and now.items:
            self.topic = named
            return True
        return bool(verdict)

    def _verdict(self, now: _Sentence, values: dict[str, str], named: bool) -> str:
        """ "accept", "hesitate", "reject", or "" if the sentence judges nothing."""
        cues = now.cues
        if ("nudge" in cues or "nudge" in self.weak) and "accept" not in cues and not named and not values:
            return "hesitate" if "hesitate" in cues else "reject" if "instead" in cues else ""
        if not named and Act("overwhelmed", value="suggestions") in self.acts:
            return ""
        judged = any(act.kind in ("reject", "hesitate", "accept") for act in self.acts)
        if judged and not named:
            return "accept" if "accept" in cues and "ref" in cues and not values else ""
        if "accept" in cues and not ("reject" in cues or "instead" in cues):
            return "accept"
        if ("hesitate" in cues or "evade" in cues) and not values:
            return "hesitate"
        if "reject" in cues or "instead" in cues:
            return "reject"
        if values:
            return "" if self.asks and not named and "too" not in cues else "reject"
        if "all" in cues and "good" not in cues:
            return "reject"
        if "but" in cues or "too" in cues or "no" in cues or "neg" in cues:
            return "reject"
        if "maybe" in cues:
            return "hesitate"
        if "pick" in cues and now.size <= 4 and not now.question:
            return "accept"
        if "good" in cues or "yes" in cues or (named and "please" in cues):
            return "accept"
        if named and now.size <= 3 and not now.question:
            return "accept"
        return ""

    def _meant(self, now: _Sentence) -> list[str]:
        """The activities that a sentence without a name is about."""
        cues, suggested = now.cues, self.suggested
        for cue, place in _NAMED_ORDER.items():
            if cue in cues and len(suggested) > 1:
                return [suggested[min(place, len(suggested) - 1)]]
        if suggested:
            decided = {"accept", "hesitate"} & set(cues)
            return suggested[:1] if decided and "all" not in cues else suggested
        if self.checked or (not self.asks and "accept" in cues):
            return self._last_mentioned()
        return []

    def _last_mentioned(self) -> list[str]:
        for text in texts(self.dialogue):
            found = [name for s in _sentences(tokenise(text), self.scenario.items, {}) for _, name in s.items]
            if found:
                return found[:1]
        return []

    def _refuse(self, targets: list[str], values: dict[str, str], now: _Sentence) -> None:
        """Refusals, each with the reason that follows its name; without names, the first has it."""
        reasons = list(values.items())
        self.pending = len(self.acts)
        if len(now.items) > 1 and len(reasons) > 1:
            self._refuse_each(values, now)
            return
        for rank, name in enumerate(targets):
            slot, value = reasons[0] if reasons and not rank else (None, None)
            self.acts.append(Act("reject", slot=slot, value=value, item=name))
        self.acts += [Act("volunteer", slot=slot, value=value) for slot, value in reasons[1:]]

    def _refuse_each(self, values: dict[str, str], now: _Sentence) -> None:
        """ "The hike is too long and the supper too expensive": every reason to the name before it."""
        ends = [position for position, _ in now.items[1:]] + [now.size + 10**6]
        for (start, name), end in zip(now.items, ends, strict=True):
            inside = [
                slot for position, slot, _, _ in now.values if start < position < end and slot in values
            ]
            slot = inside[0] if inside else None
            self.acts.append(Act("reject", slot=slot, value=values.get(slot or ""), item=name))

    def _give_reason(self, values: dict[str, str]) -> bool:
        """What is wanted instead: completes the refusal before."""
        assert self.pending is not None
        refusal = self.acts[self.pending]
        slot = refusal.slot if refusal.slot in values else next(iter(values))
        if refusal.slot is None or refusal.slot == slot:
            self.acts[self.pending] = Act("reject", slot=slot, value=values.pop(slot), item=refusal.item)
        self.acts += [Act("volunteer", slot=s, value=v) for s, v in values.items()]
        self.pending = None
        return True

    # Answers without a value.

    def _without_value(self, now: _Sentence) -> None:
        """ "Yes", "no", "whatever", "hard to say", "that's all"."""
        cues = now.cues
        if "more" in cues and ("open" in self.asked or not self.asks):
            self._once(Act("answer", slot="open", value="none"))
        elif now.question and not ("evade" in cues or "hesitate" in cues) and (now.slots or "open" in cues):
            self.raised = now.slots + [(0, "open")] * ("open" in cues)
        elif ("evade" in cues or "hesitate" in cues) and (self.asks or now.slots or "open" in cues):
            self._once(Act("evade", slot=self._topic(now)))
        elif self.asks and not any(act.kind in (*_ASKING, "evade") for act in self.acts):
            self._bare(self.asks[0], cues)

    def _topic(self, now: _Sentence) -> str:
        """What an evasion is about: the slot it names, if asked about; else what was asked."""
        named = [slot for _, slot in now.slots + self.raised] + ["open"] * ("open" in now.cues)
        asked = [act.slot or "open" for act in self.asks]
        return next((slot for slot in named if slot in asked), asked[0] if asked else [*named, "open"][0])

    def _bare(self, ask: Act, cues: dict[str, int]) -> None:
        """A short answer to a question."""
        slot, value = ask.slot or "open", ask.value
        nothing = "none" if slot in ("need", "open") else "any"
        if slot == "crowd" and "notthem" in cues:
            self._once(Act("answer", slot=slot, value="quiet"))
        elif "nopref" in cues:
            self._once(Act("answer", slot=slot, value=nothing))
        elif value and ("yes" in cues or "accept" in cues):
            self._once(Act("answer", slot=slot, value=value))
        elif "no" in cues or "none" in cues or "neg" in cues:
            opposite = _FLIP.get((slot, value or ""), nothing)
            if value or slot in ("need", "open", "budget", "time"):
                self._once(Act("answer", slot=slot, value=opposite))
