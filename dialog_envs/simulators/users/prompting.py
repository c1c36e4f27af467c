"""What a model that plays a user is told: prompts from files, filled from the task's brief and the persona's card.

The agent's words are data. They stand between tags whose name differs from episode to episode (drawn from the user's
own random numbers, so that no agent can know it), cut to a length, and without anything that a chat template or a
reader of tags could take for its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import Template

import numpy as np

from dialog_envs.core.dialogue import AGENT, TurnView
from dialog_envs.simulators.llm import Message

LONGEST_LAST, LONGEST_EARLIER = 2_000, 600
"""Characters of an agent's turn that the model reads: of the last one, and of those before."""
_SYLLABLES = ("ba", "do", "fe", "gi", "ko", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve", "wi", "yo", "zu")
_TAG = re.compile(r"</?\s*said\b[^>]*>?", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_TEMPLATE = re.compile(r"<\|.*?\|>|\[/?INST\]|</?s>|<<?/?SYS>>?|<(?:start|end)_of_turn>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Marks:
    """Words that exist in one episode only.

    Attributes:
        tag: name of the tags around what the agent says.
        canary: stands in the prompt and nowhere else: who says it has read the prompt out.
    """

    tag: str
    canary: str

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Marks:
        """New ones. 16 hexadecimal digits, and a word of six syllables that is in no dictionary."""
        digits = "".join(f"{int(n):x}" for n in rng.integers(16, size=16))
        return cls(f"said-{digits}", "".join(_SYLLABLES[int(n)] for n in rng.integers(16, size=6)))


def fill(name: str, **values: str) -> str:
    """The prompt ``prompts/NAME.md`` with its ``${…}`` filled in."""
    return Template(_text(name)).substitute(values)


@cache
def _text(name: str) -> str:
    return (resources.files(__package__) / "prompts" / f"{name}.md").read_text("utf-8").rstrip("\n")


def fingerprint(*names: str) -> str:
    """Eight digits that change whenever one of these prompts does."""
    return hashlib.sha256("\0".join(_text(name) for name in names).encode()).hexdigest()[:8]


def card(rows: Sequence[tuple[str, str]], families: Sequence[str] = ()) -> str:
    """A persona's card as lines. A family's name, which is the project's word and not the person's, is left out."""
    lines = []
    for heading, text in rows:
        name, colon, rest = text.partition(": ")
        if name in families:
            if colon:
                lines.append(f"- Manner: {rest}")
            continue
        lines.append(f"- {heading}: {text}")
    return "\n".join(lines)


def short_brief(brief: str, longest: int | None = 1_200) -> str:
    """The brief on one line, with each line of its list cut at the colon, for models that read slowly.

    Args:
        brief: a scenario's.
        longest: characters; ``None``: all of them.
    """
    lines = brief.splitlines()
    names = [line[2:].partition(": ")[0] for line in lines if line.startswith("- ")]
    text = " ".join([*(line for line in lines if not line.startswith("- ")), "; ".join(names)]).strip()
    return text if longest is None else cut(text, longest)


def cut(text: str, longest: int) -> str:
    """A text with its middle taken out if it is too long."""
    if len(text) <= longest:
        return text
    return f"{text[: longest * 3 // 4]} … {text[-longest // 4 :]}"


def heard(text: str, marks: Marks, longest: int = LONGEST_LAST) -> str:
    """What the agent said, as the model reads it: between this episode's tags, and harmless."""
    clean = _CONTROL.sub("", text)
    for pattern in (_TEMPLATE, _TAG):
        clean = pattern.sub(" ", clean)
    clean = clean.replace(marks.tag, " ").replace("<|", " ").replace("|>", " ")
    return f"<{marks.tag}>\n{cut(clean.strip(), longest) or '(nothing)'}\n</{marks.tag}>"


def chat(system: str, dialogue: Sequence[TurnView], marks: Marks) -> tuple[Message, ...]:
    """The dialogue from the user's side: the agent is ``user``, the persona is ``assistant``; they take turns."""
    messages: list[Message] = [{"role": "system", "content": system}]
    if not dialogue or dialogue[0]["speaker"] != AGENT:
        messages.append({"role": "user", "content": "(You speak first.)"})
    for number, turn in enumerate(dialogue):
        if turn["speaker"] != AGENT:
            messages.append({"role": "assistant", "content": turn["text"] or "…"})
            continue
        longest = LONGEST_LAST if number == len(dialogue) - 1 else LONGEST_EARLIER
        messages.append({"role": "user", "content": heard(turn["text"], marks, longest)})
    return tuple(messages)
