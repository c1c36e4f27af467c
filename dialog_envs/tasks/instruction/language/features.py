"""What a classifier of sentences looks at: words without the concept's own, cues, and how they stand in the turn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

from . import denials
from .material import FIELDS, Material, is_content
from .meaning import ONE, TEXTS, Meaning
from .rules import rhetorical
from .sentences import Sentence
from .setting import Setting
from .stems import stem
from .vectors import total

BUCKETS = 1 << 14
"""Features are hashed into this many buckets."""
_LEVELS = (0.2, 0.6, 1.0, 1.6, 2.4, 3.6)
_MAX_TOUCHED = 12
"""Sentences by which a turn is judged to touch ideas."""
_FIRST = ("<s>", "<s>")
Near = tuple[int, set[int]]
"""How many clauses a sentence has, and the ideas that they come near to."""


@lru_cache(maxsize=65_536)
def bucket(name: str) -> int:
    """Where a feature is counted."""
    return crc32(name.encode()) % BUCKETS


def level(value: float) -> int:
    """A score as one of a few levels."""
    return sum(value >= bound for bound in _LEVELS)


def words(now: Sentence, table: Material) -> list[str]:
    """The sentence's words, with figures and the concept's own words as signs."""
    own: dict[int, str] = {place: "<idea>" if kind == "name" else "<term>" for place, _, kind in now.hits}
    found = []
    for i, token in enumerate(now.tokens):
        if i in own:
            found.append(own[i])
        elif token[0].isdigit():
            found.append("<n>")
        elif is_content(token) and any(weight >= 0.55 for _, weight in table.weights(token)):
            found.append("<topic>")
        else:
            found.append(token)
    return found


def features(
    sentences: list[Sentence], place: int, tables: Meaning, setting: Setting, hint: str, near: Sequence[Near]
) -> list[str]:
    """Names of the features of one sentence of a turn, but for what the sentence before it does.

    Args:
        sentences: the turn.
        place: which of them.
        tables: the concept's.
        setting: what was before.
        hint: what the rules take the sentence for.
        near: what :meth:`Meaning.touched` says of each sentence.
    """
    now, table = sentences[place], tables.words
    row = words(now, table)
    tokens = [token for token in row if token[0].isalnum() or token[0] in "<?!:"]
    found = ["bias", f"h:{hint}"]
    found.extend(f"w:{token}" for token in set(tokens))
    line = (*_FIRST, *tokens, "</s>")
    found.extend({f"b:{a} {b}" for a, b in pairwise(line[1:])})
    found.extend({f"t:{a} {b} {c}" for a, b, c in zip(line, line[1:], line[2:], strict=False)})
    found.append(f"f:{tokens[0] if tokens else ''}")
    for kind, at in now.cues.items():
        found.append(f"c:{kind}")
        if at <= 1:
            found.append(f"c0:{kind}")
    found.extend(_standing(sentences, place))
    found.extend(_content(now, table, setting))
    found.extend(_likeness(now, tables))
    found.extend(_touched(sentences, place, near))
    return found


def _standing(sentences: list[Sentence], place: int) -> list[str]:
    """How the sentence stands among the others."""
    now, n = sentences[place], len(sentences)
    size = min(now.size, 3) if now.size <= 3 else 4 + min(now.size // 4, 6)
    asks = "q" if now.question else "s"
    mark = now.tokens[-1] if now.tokens[-1] in "?!." else "-"
    ahead = max(sentences[place + 1].scores, default=0.0) if place + 1 < n else 0.0
    after = "end" if place + 1 == n else "q" if sentences[place + 1].question else "s"
    where = "only" if n == 1 else "first" if place == 0 else "last" if place + 1 == n else "mid"
    return [
        f"q:{asks}", f"z:{size}", f"zq:{size}{asks}", f"m:{mark}", f"n:{after}", f"nq:{after}{asks}", f"p:{where}",
        f"pq:{where}{asks}", f"pz:{where}{size}", f"rh:{now.question and rhetorical(sentences, place)}",
        f"as:{after}{level(ahead)}{asks}",
    ]  # fmt: skip


def _content(now: Sentence, table: Material, setting: Setting) -> list[str]:
    """What the sentence says of the concept's ideas."""
    asks = "q" if now.question else "s"
    top = level(max(now.scores, default=0.0))
    named = any(kind == "name" for _, _, kind in now.hits)
    ideas = min(len({idea for _, idea, _ in now.hits}), 4)
    best, evidence, met = denials.evidence(now, table, setting.focus, setting.doubt, False)
    roots = {stem(token) for token in now.tokens if is_content(token)}
    covered = table.covered(best, roots)
    denied = int(max(-1.0, min(evidence, 4.0)) * 2)
    negative = any(token in denials.NEGATIONS for token in now.tokens)
    early = any(token in denials.NEGATIONS for token in now.tokens[:6])
    several = min(sum(value >= 0.8 for value in now.scores), 4)
    commas = min(now.tokens.count(",") + now.tokens.count(";"), 3)
    talk = f"{int(setting.answered)}{int(setting.doubt >= 0)}"
    manner = f"{setting.manner}{int(setting.doubt >= 0)}"
    return [
        f"s:{top}", f"sq:{top}{asks}", f"nm:{named}{asks}", f"ni:{ideas}", f"niq:{ideas}{asks}", f"d:{denied}",
        f"mt:{min(int(met * 2), 5)}{negative}", f"cv:{int(covered * 5)}", f"cvn:{int(covered * 5)}{negative}",
        f"ng:{negative}{early}{asks}", f"tk:{talk}", f"tkq:{talk}{asks}", f"tkn:{talk}{negative}{asks}",
        f"u:{manner}", f"uq:{manner}{asks}", f"un:{manner}{negative}{early}", f"us:{manner}{min(top, 3)}{asks}",
        f"uf:{manner} {now.tokens[0]}", f"ab:{several}", f"abc:{several}{commas}", f"tks:{talk}{min(top, 3)}{asks}",
    ]  # fmt: skip


_WRITTEN = [TEXTS.index(name) for name in FIELDS]
_NEAR = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def _likeness(now: Sentence, tables: Meaning) -> list[str]:
    """How near the sentence comes in meaning to what is taught, and to a text or saying of which kind."""
    asks = "q" if now.question else "s"
    vector = total(t for t in now.tokens if is_content(t))
    like = tables.likeness(vector)[:, _WRITTEN]
    best = int(like.max(axis=0).argmax())
    near = sum(like.max() >= bound * ONE for bound in _NEAR)
    said = tables.echoes(vector)
    first = max(said, key=said.__getitem__)
    least = min(said["correct"] - said["explain"], 96) // 24
    return [
        f"v:{near}", f"vq:{near}{asks}", f"vf:{FIELDS[best]}", f"vn:{FIELDS[best]}{near}{asks}",
        f"e:{first}{asks}", f"ec:{max(least, -4)}{asks}", f"en:{max(said.values()) // 32}{asks}",
    ]  # fmt: skip


def _touched(sentences: list[Sentence], place: int, near: Sequence[Near]) -> list[str]:
    """How many ideas the sentence and the turn come near to."""
    clauses, mine = near[place]
    ideas = mine.union(*(others for _, others in near[:_MAX_TOUCHED]))
    n, asks = len(mine), "q" if sentences[place].question else "s"
    return [
        f"o:{min(n, 5)}{asks}",
        f"oc:{min(n, 5)}{min(clauses, 6)}",
        f"ot:{min(len(ideas), 6)}{min(len(sentences), 5)}",
    ]


def carried(before: str, now: Sentence) -> list[str]:
    """Features of what the sentence before does."""
    asks = "q" if now.question else "s"
    top = min(level(max(now.scores, default=0.0)), 4)
    first = now.tokens[0]
    return [f"l:{before}", f"lq:{before}{asks}", f"ls:{before}{top}{asks}", f"lf:{before} {first}"]
