"""The advantage along a dialogue, drawn over its transcript: for a terminal, and as a page without any script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialog_envs.agents.diagnostics import Word
    from dialog_envs.benchmarks.diagnostics.dialogues import Dialogues

STEPS = 5
"""Shades of a colour on the page."""


@dataclass(frozen=True, slots=True)
class Read:
    """A dialogue with the values of its words."""

    name: str
    total: float
    """What it brought."""
    segments: tuple[tuple[str, str], ...]
    words: tuple[Word, ...]
    worst: int | None
    """Place of the word with the least advantage."""

    def of_turn(self, turn: int) -> list[tuple[int, Word]]:
        """The words of an agent turn with their places."""
        return [(place, word) for place, word in enumerate(self.words) if word.turn == turn]


def read(dialogues: Dialogues) -> list[Read]:
    """The words of all dialogues."""
    from dialog_envs.agents.diagnostics import words, worst_word

    found = []
    rows = zip(dialogues.names, dialogues.texts, dialogues.tokens, dialogues.spoken, strict=True)
    for name, text, tokens, spoken in rows:
        said = tuple(words(dialogues.agent.model, spoken))
        segments = text.segments
        if len(tokens.ids) == dialogues.agent.model.context:  # the beginning may have been cropped
            kept = int(spoken.last.sum())
            while sum(role == "agent" for role, _ in segments) > kept:
                segments = segments[1:]
        found.append(Read(name, text.total_reward, segments, said, worst_word(said)))
    return found


def losses(reads: Sequence[Read], count: int) -> list[Read]:
    """Those that brought the least; of equal ones those with the worst word."""
    return sorted(reads, key=lambda r: (r.total, min((w.advantage for w in r.words), default=0.0)))[:count]


def as_text(one: Read) -> str:
    """For a terminal: the value after each turn, and its worst word in brackets."""
    lines = [f"{one.name}   return {one.total:g}"]
    turn = 0
    for role, text in one.segments:
        if role != "agent":
            lines.append(f"{role:>6}  {text}")
            continue
        said = one.of_turn(turn)
        turn += 1
        least = min((word.advantage for _, word in said), default=0.0)
        parts = []
        for place, word in said:
            shown = word.text or " (end)"
            marked = place == one.worst or (word.advantage == least and least < 0)
            space = shown[: len(shown) - len(shown.lstrip())]
            parts.append(f"{space}[{shown.strip()} {word.advantage:+.3f}]" if marked else word.text)
        value = f"{said[-1][1].q:.3f}" if said else ""
        lines.append(f"{'agent':>6}  {''.join(parts).strip()}   -> value {value}")
    if one.worst is not None:
        word = one.words[one.worst]
        lines.append(f"\nworst word: {_name(word)}, turn {word.turn + 1}, advantage {word.advantage:+.3f}")
    return "\n".join(lines) + "\n"


def _name(word: Word) -> str:
    return f"'{word.text.strip()}'" if word.text.strip() else "ending the turn"


_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.6 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2.5rem;font-size:1.1rem}.lead{opacity:.8}
.turn{display:grid;grid-template-columns:5rem 1fr 5rem;gap:1rem;padding:.25rem 0}
.who{opacity:.6}.note{opacity:.5;font-size:.85rem}.value{text-align:right;font-variant-numeric:tabular-nums}
.w{border-radius:3px;padding:1px 0}.worst{outline:2px solid currentColor}
""" + "".join(
    f".b{i}{{background:rgba(214,69,48,{0.16 * i:.2f})}}.g{i}{{background:rgba(30,130,90,{0.16 * i:.2f})}}"
    for i in range(1, STEPS + 1)
)


def as_page(reads: Sequence[Read], title: str) -> str:
    """One HTML page: each word on red where it is worse than what the policy says on average, on green where better."""
    scale = max((abs(word.advantage) for one in reads for word in one.words), default=0.0) or 1.0
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'"
    body = "\n".join(_section(one, scale) for one in reads)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        '<p class="lead">Each word of the agent on red if its advantage is below 0, on green if above; '
        f"the deepest shade is {scale:.3f}. The word with the least advantage has a frame. At the right "
        f"the value after each turn. Names appear as the agent sees them.</p>\n{body}\n</body>\n</html>\n"
    )


def _section(one: Read, scale: float) -> str:
    rows = []
    turn = 0
    for role, text in one.segments:
        said, value = escape(text), ""
        if role == "agent":
            words = one.of_turn(turn)
            turn += 1
            said = "".join(_word(word, place == one.worst, scale) for place, word in words)
            value = f"{words[-1][1].q:.3f}" if words else ""
        kind = " note" if role == "note" else ""
        rows.append(
            f'<div class="turn{kind}"><span class="who">{escape(role)}</span><span>{said}</span>'
            f'<span class="value">{value}</span></div>'
        )
    worst = ""
    if one.worst is not None:
        word = one.words[one.worst]
        worst = f" · worst: {escape(_name(word))}, turn {word.turn + 1}, {word.advantage:+.3f}"
    return (
        f"<section><h2>{escape(one.name)} · return {one.total:g}{worst}</h2>\n"
        + "\n".join(rows)
        + "</section>"
    )


def _word(word: Word, worst: bool, scale: float) -> str:
    step = min(STEPS, round(STEPS * abs(word.advantage) / scale))
    shade = f" {'g' if word.advantage > 0 else 'b'}{step}" if step else ""
    text = word.text or " ⏎"
    space, shown = text[: len(text) - len(text.lstrip())], text.lstrip()
    about = f"advantage {word.advantage:+.3f}, value {word.q:.3f}, policy {100 * word.chance:.1f} %"
    frame = " worst" if worst else ""
    return f'{escape(space)}<span class="w{shade}{frame}" title="{about}">{escape(shown)}</span>'
