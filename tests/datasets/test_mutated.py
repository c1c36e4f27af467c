"""Datasets of strangers: a thousand damaged or malicious files load, or fail with our own error; none is executed."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dialog_envs.core.seeding import stream
from dialog_envs.datasets import (
    DatasetWriter,
    iterate_dataset,
    read_critiques,
    read_dataset,
    read_dropped,
    read_people,
    read_rejected,
    validate,
)
from dialog_envs.errors import DatasetError, DialogEnvsError, UnknownTask
from dialog_envs.registration import get_task
from dialog_envs.simulators.imagination import imagine
from tests.simulators.imagination_stub import Imaginer

TASK = "PreferenceElicitation-v0"
TIMES = 1000
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, 10**30, 0.5, "", "\u0000", "\ud83d", "../../etc/passwd", [], {}, [[]], {"": None},
    "__import__('os').system('true')", {"__class__": "os.system"}, {"$ref": "/etc/passwd"},
)  # fmt: skip
PIECES = (
    b"{", b"}", b"null", b"-1", b'"', b"1e999", b"NaN", b"-Infinity", b"\x00", b"\xff", b"\xed\xa0\x80", b"[[[",
    b"true", b"\n", b"\r\n", b"[" * 100_000, b'{"a":' * 20_000, b"9" * 6_000,
    b"\\u0000", b"!!python/object", b"cos\nsystem\n",
)  # fmt: skip
FILES = (
    "manifest.json",
    "episodes-00000.jsonl",
    "personas.json",
    "critiques.jsonl",
    "rejected.jsonl",
    "dropped.jsonl",
)
FORBIDDEN = (
    "exec",
    "compile",
    "import",
    "os.",
    "subprocess.",
    "socket.",
    "pickle.",
    "marshal.",
    "ctypes.",
    "shutil.",
)
HARMLESS = ("os.listdir", "os.scandir", "os.putenv")

_watched: list[str] | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    """Hooks stay for ever; this one looks only while something is read."""
    if _watched is None:
        return
    if event == "open" and (not isinstance(arguments[1], str) or set(arguments[1]) <= set("rb")):
        return
    if event == "open" or (event.startswith(FORBIDDEN) and event not in HARMLESS):
        _watched.append(f"{event} {arguments!r:.100}")


sys.addaudithook(_hook)


def read_all(folder: Path) -> None:
    """Everything that reads a dataset."""
    read_dataset(folder, verify=False)
    list(iterate_dataset(folder, verify=True))
    for read in (read_dropped, read_people, read_critiques, read_rejected):
        read(folder)


def looked_at(folder: Path, whole: bool) -> str | None:
    """The error of reading, if any; whatever else is raised fails the test."""
    global _watched
    _watched = []
    try:
        if whole:
            with suppress(UnknownTask):
                validate(folder, limit=5)
        read_all(folder)
        return None
    except DatasetError as error:
        return str(error)
    finally:
        events, _watched = _watched, None
        assert not events, events


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with everything that can stand beside it."""
    out = tmp_path_factory.mktemp("mutated") / "ds"
    model = Imaginer(get_task(TASK), nonsense=0.5, strict=0.1)
    imagine(TASK, out, 6, 3, mode="imagine", imaginer=model, personas=3, rounds=0)
    assert (
        {file.name for file in out.iterdir()} == {*FILES, "card.md"}
        and read_critiques(out)
        and read_rejected(out)
    )
    read_all(out)
    assert validate(out).valid
    return out


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    shutil.copytree(made, tmp_path / "ds")
    return tmp_path / "ds"


# ---- mutations -------------------------------------------------------------------------------------------------------


def bytes_changed(raw: bytes, rng: np.random.Generator) -> bytes:
    """A piece of something else somewhere."""
    start = int(rng.integers(len(raw)))
    return (
        raw[:start] + PIECES[int(rng.integers(len(PIECES)))] + raw[start + int(rng.choice([0, 1, 4, 40])) :]
    )


def cut_off(raw: bytes, rng: np.random.Generator) -> bytes:
    return raw[: int(rng.integers(len(raw)))]


def value_changed(raw: bytes, rng: np.random.Generator) -> bytes:
    """Sound JSON with one value of another kind, or a key twice, missing, or new."""
    lines = (
        raw.decode("utf-8").splitlines()
        if b"\n{" in raw[:-1] and raw[:2] != b"{\n"
        else [raw.decode("utf-8")]
    )
    place = int(rng.integers(len(lines)))
    data = json.loads(lines[place])
    holder, key = _somewhere(data, rng)
    how = int(rng.integers(4))
    if how == 0 and isinstance(holder, dict):
        holder[str(key) + "x"] = holder.pop(key)
    elif how == 1 and isinstance(holder, dict):
        text = json.dumps({**holder, "twice": 0}).replace('"twice"', json.dumps(key))
        lines[place] = json.dumps(data).replace(json.dumps(holder), text)
        return ("\n".join(lines) + "\n").encode()
    else:
        holder[key] = ODD[int(rng.integers(len(ODD)))]
    lines[place] = json.dumps(data)
    return ("\n".join(lines) + "\n").encode()


def _somewhere(data: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """A container within, and one of its keys."""
    holder, key = data, _key(data, rng)
    while isinstance(holder[key], (dict, list)) and holder[key] and rng.random() < 0.8:
        holder, key = holder[key], _key(holder[key], rng)
    return holder, key


def _key(data: Any, rng: np.random.Generator) -> Any:
    keys = list(data) if isinstance(data, dict) else range(len(data))
    return keys[int(rng.integers(len(keys)))]


CHANGES: tuple[Callable[[bytes, np.random.Generator], bytes], ...] = (
    bytes_changed,
    bytes_changed,
    cut_off,
    value_changed,
)


def test_a_thousand_mutated_files_load_or_fail_with_our_error(folder: Path) -> None:
    rng = stream(0, "mutated")
    wholes = {name: (folder / name).read_bytes() for name in FILES}
    seen: Counter[tuple[str, bool]] = Counter()
    for number in range(TIMES):
        name = FILES[number // 2 % len(FILES)] if number % 2 else FILES[number % 4 // 2]
        raw = CHANGES[int(rng.integers(len(CHANGES)))](wholes[name], rng)
        (folder / name).write_bytes(raw)
        error = looked_at(folder, whole=number % 4 == 0)
        seen[name, error is None] += 1
        if error is not None:
            assert str(folder / name) in error or name == "manifest.json", error
            assert str(folder) in error and len(error) < 2_000, error
            if name not in ("manifest.json", "episodes-00000.jsonl", "dropped.jsonl"):
                assert re.search(r"' line \d+: ", error), error
            elif name == "episodes-00000.jsonl":
                assert re.search(r"' line \d+", error) or "sha256 differs" in error, error
        (folder / name).write_bytes(wholes[name])
    assert all(seen[name, False] > 10 for name in FILES), seen
    assert seen["manifest.json", True] > 20 and looked_at(folder, whole=True) is None


@pytest.mark.parametrize("ending", ["gz", "xz"])
def test_mutated_archives(made: Path, tmp_path: Path, ending: str) -> None:
    episodes = read_dataset(made).episodes
    with DatasetWriter(tmp_path / "ds", {"task": TASK}, compress=ending) as writer:
        writer.write_all(episodes)
    assert read_dataset(tmp_path / "ds").episodes == episodes
    file = tmp_path / "ds" / f"episodes-00000.jsonl.{ending}"
    whole, rng = file.read_bytes(), stream(1, ending)
    refused = 0
    for number in range(200):
        change = cut_off if number % 3 == 0 else bytes_changed
        file.write_bytes(change(whole, rng) if number else b"")
        error = looked_at(tmp_path / "ds", whole=False)
        assert error is None or re.search(re.escape(f"'{file}'") + r" (line \d+|was changed)", error), error
        refused += error is not None
    assert refused > 190
    file.write_bytes(whole + whole)
    assert "damaged here" in str(looked_at(tmp_path / "ds", whole=False))


@pytest.mark.parametrize("ending", ["gz", "xz"])
def test_a_small_archive_cannot_fill_the_memory(made: Path, tmp_path: Path, ending: str) -> None:
    import gzip
    import lzma

    with DatasetWriter(tmp_path / "ds", {"task": TASK}, compress=ending) as writer:
        writer.write_all(read_dataset(made).episodes)
    bomb = (gzip if ending == "gz" else lzma).compress(bytes(20_000_000))
    (tmp_path / "ds" / f"episodes-00000.jsonl.{ending}").write_bytes(bomb)
    assert len(bomb) < 100_000 and "that the manifest says" in str(looked_at(tmp_path / "ds", whole=True))


# ---- other files than they seem --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["../secret.jsonl", "/etc/passwd", "..", "", "a/b.jsonl", "episodes-00000.jsonl\x00", "x" * 300 + ".jsonl",
     ".jsonl", "C:\\x.jsonl", "~/x.jsonl", "episodes-00000.pkl",
     "episodes-00000.jsonl\n", 7, None, ["episodes-00000.jsonl"]],
)  # fmt: skip
@pytest.mark.parametrize("where", ["shards", "dropped"])
def test_shards_stay_in_the_folder(folder: Path, name: Any, where: str) -> None:
    (folder.parent / "secret.jsonl").write_bytes((folder / "episodes-00000.jsonl").read_bytes())
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    entry = manifest["shards"][0] if where == "shards" else manifest["dropped"]
    entry["file"] = name
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    assert "a shard is {file" in str(looked_at(folder, whole=False))


def _links() -> Iterator[tuple[str, Callable[[Path], object]]]:
    yield "a loop", lambda file: file.symlink_to(file.name)
    yield "nowhere", lambda file: file.symlink_to("nothing")
    yield "a folder", lambda file: file.mkdir()
    yield "a device", lambda file: file.symlink_to("/dev/zero")
    yield "a pipe", lambda file: os.mkfifo(file)
    yield "a secret", lambda file: file.symlink_to(__file__)


@pytest.mark.skipif(os.name != "posix", reason="links and pipes")
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(("what", "make"), list(_links()), ids=[what for what, _ in _links()])
def test_what_is_no_ordinary_file(folder: Path, name: str, what: str, make: Callable[[Path], object]) -> None:
    (folder / name).unlink()
    make(folder / name)
    error = looked_at(folder, whole=False)
    assert error is not None and (str(folder / name) in error or str(folder) in error)
    assert "skipif" not in error, "nothing of the file is shown"


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_links_to_sound_files_are_followed(folder: Path) -> None:
    """A cache of downloads is made of them."""
    store = folder.parent / "blobs"
    store.mkdir()
    for number, file in enumerate(sorted(folder.iterdir())):
        file.rename(store / str(number))
        file.symlink_to(store / str(number))
    assert looked_at(folder, whole=True) is None


def test_a_manifest_of_odd_facts_is_a_problem_and_no_crash(folder: Path) -> None:
    """What is only stated is compared, whatever kind it is of."""
    whole = json.loads((folder / "manifest.json").read_text("utf-8"))
    for key in sorted(set(whole) - {"schema", "task", "shards", "dropped"}):
        for value in ODD:
            (folder / "manifest.json").write_text(json.dumps({**whole, key: value}), "utf-8")
            try:
                validate(folder)
            except DialogEnvsError as error:
                assert str(folder) in str(error) or "reward" in str(error)
