"""The quick reader of lines gives what the strict one gives, whatever stands in a line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dialog_envs.core.dialogue import Act, Turn
from dialog_envs.core.seeding import stream
from dialog_envs.datasets import Episode, lines
from dialog_envs.datasets.lines import read_line
from dialog_envs.datasets.schema import parse_line
from dialog_envs.datasets.store import encode_line
from dialog_envs.errors import DatasetError

Make = Callable[..., Episode]
PIECES = (
    b"{", b"}", b"[", b"]", b"null", b"-1", b"0", b'"', b"1e999", b"NaN", b"\x00", b"\xff", b"\\", b"\\u00e9", b",",
    b"true", b'"rewards":[', b'],"rewards":[', b',"turns":[', b',"critique":{', b'},{"speaker":', b' ', b'"acts":[]',
    b',"reward":1', b"[" * 5000, "\N{SNOWMAN}".encode(),
)  # fmt: skip


def both(line: bytes) -> tuple[Episode | None, Episode | None]:
    """What the quick reader and the strict one make of a line; ``None``: refused."""
    found: list[Episode | None] = []
    for read in (lambda raw: lines._read(raw.decode("utf-8")), parse_line):
        try:
            found.append(read(line))
        except lines._UNUSUAL:
            found.append(None)
    return found[0], found[1]


def test_lines_of_the_writer_are_read_quickly(imagined: Path) -> None:
    for line in (imagined / "episodes-00000.jsonl").read_bytes().splitlines():
        quick, strict = both(line)
        assert quick == strict is not None
        assert encode_line(strict) == line + b"\n"


@pytest.mark.parametrize(
    "text",
    ['"', "\\", '},{"speaker":0,"text":"x', '],"rewards":[', "\u2028\x00\n", "\ud83d", "ü\N{SNOWMAN}", ""],
)
def test_words_that_look_like_the_form(make_episode: Make, text: str) -> None:
    turns = (Turn(1, text), Turn(0, text, (Act("ask", text, text, text),)))
    episode = make_episode(id=text, turns=turns, rewards=(1.0,), outcome={"success": True, "ended_by": text})
    line = encode_line(episode)[:-1]
    assert both(line) == (episode, episode) and read_line(line) == episode


def test_the_quick_reader_takes_nothing_that_the_strict_one_refuses(
    make_episode: Make, imagined: Path
) -> None:
    rng = stream(0, "mutations")
    wholes = [
        *(imagined / "episodes-00000.jsonl").read_bytes().splitlines()[:5],
        encode_line(make_episode())[:-1],
    ]
    taken = refused = 0
    for _ in range(3000):
        raw = bytearray(wholes[int(rng.integers(len(wholes)))])
        start = int(rng.integers(len(raw)))
        raw[start : start + int(rng.choice([0, 1, 4, 40]))] = PIECES[int(rng.integers(len(PIECES)))]
        quick, strict = both(bytes(raw))
        assert quick is None or quick == strict, bytes(raw)
        taken += quick is not None
        refused += strict is None
    assert taken > 50 and refused > 500


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["rewards"].__setitem__(0, 0),
        lambda data: data["critique"]["criteria"][0].__setitem__("passed", 1),
        lambda data: data["turns"][0].__setitem__("speaker", True),
        lambda data: data["outcome"].__setitem__("success", 1),
        lambda data: data.__setitem__("reward", 0.5),
        lambda data: data.__setitem__("seed", -1),
        lambda data: data["provenance"].__setitem__("mode", "dreamt"),
        lambda data: data["turns"].pop(),
    ],
)
def test_types_are_looked_at(make_episode: Make, change: Callable[[dict[str, object]], object]) -> None:
    read_line(encode_line(make_episode())[:-1])  # what is looked up is there
    data = make_episode().to_json()
    change(data)
    line = json.dumps(data, separators=(",", ":")).encode()
    assert both(line)[0] is None or both(line)[0] == both(line)[1]


def test_errors_are_those_of_the_strict_reader(make_episode: Make) -> None:
    line = encode_line(make_episode())[:-1].replace(b'"verdict":"kept"', b'"verdict":"fine"')
    with pytest.raises(DatasetError, match="'critique' is"):
        read_line(line)
    with pytest.raises(DatasetError, match="no JSON"):
        read_line(b"\xff" + line)
