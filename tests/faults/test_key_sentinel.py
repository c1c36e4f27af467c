"""A key goes to the server that it is for and nowhere else: into no output and no file of any verb, failing or not."""

from __future__ import annotations

import base64
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from dialog_envs.benchmarks.cli import main
from dialog_envs.benchmarks.cli.app import VERBS
from tests.faults.answering import answer
from tests.faults.chat_server import Answer, Behaviour, ChatServer, serve

KEY = 'sk-SENTINEL/4f7a+91c2=d8e3&b5"06'
"""Holds what URLs, JSON and base64 write differently."""
TASK = "PreferenceElicitation-v0"
SUITE = f"""
schema = 1
name = "tiny"
tasks = ["{TASK}"]
information_per_family = 0
[users.typical]
families = ["focused"]
episodes_per_family = 2
[seeds]
report = 10_000_000
validation = 20_000_000
[[agents]]
name = "prompted:zero-shot:openai:stub?attempts=1"
[dataset]
episodes = 12
seed = 1
model = "openai:stub?attempts=1"
model_share = 0.5
"""


def forms(key: str) -> dict[str, bytes]:
    """The ways in which a key may turn up: as it is, in a URL, in JSON, in hexadecimal, and anywhere inside base64."""
    raw = key.encode()
    found = {
        "raw": raw,
        "a piece of it": b"SENTINEL",
        "url": quote(key, safe="").encode(),
        "url, plus": quote_plus(key).encode(),
        "url, lower case": quote(key, safe="").lower().encode(),
        "json": json.dumps(key)[1:-1].encode(),
        "hex": raw.hex().encode(),
        "reversed": raw[::-1],
    }
    for shift in range(3):
        # Without the letters at either end, which depend on what stands beside the key.
        for name, alphabet in (("base64", b"+/"), ("base64, url", b"-_")):
            encoded = base64.b64encode(b"x" * shift + raw, alphabet).rstrip(b"=")
            found[f"{name}, {shift}"] = encoded[4 if shift else 0 : -3]
    return found


def traces(text: bytes) -> list[str]:
    """In which forms the key is in a text."""
    return [name for name, form in forms(KEY).items() if form in text]


def test_the_search_finds_what_it_looks_for() -> None:
    for hidden in (
        KEY, quote(KEY), json.dumps({"key": KEY}), KEY.encode().hex(), base64.b64encode(f":{KEY}".encode()).decode(),
        base64.urlsafe_b64encode(f"user:{KEY}, and more".encode()).decode(),
    ):  # fmt: skip
        assert traces(f"before {hidden} after".encode()), hidden
    assert not traces(b"sk-another-key-4f7a")


# ---- servers ---------------------------------------------------------------------------------------------------------


def quoting(status: int, kind: str = "application/json") -> Behaviour:
    """A server that fails, and says what it was sent."""
    echo = f"{KEY} {quote(KEY, safe='')} Bearer {KEY} {base64.b64encode(KEY.encode()).decode()}"
    body = json.dumps({"error": {"message": f"Wrong: {echo}", "code": f"invalid {KEY}", "type": "x"}})
    text = f"<html>{echo}</html>" if kind == "text/html" else body
    headers = {"content-type": kind, "x-echo": quote(KEY, safe="")}
    return lambda *_: Answer(status, text.encode(), headers)


SERVERS: dict[str, Behaviour] = {
    "that answers": answer,
    "that refuses the key": quoting(401),
    "that refuses the request": quoting(400),
    "that is broken": quoting(500, "text/html"),
    "that breaks off": lambda *_: Answer(drop=True),
}


@dataclass
class Home:
    """A folder that is all there is of the person's disk, and what was printed so far."""

    path: Path
    server: ChatServer
    read: Callable[[], tuple[str, str]]
    log: pytest.LogCaptureFixture

    def run(self, *words: str) -> int:
        """Run a verb, and look for the key in what it printed, logged and left on the disk."""
        code = main(list(words))
        out, err = self.read()
        assert "Traceback" not in err, err
        assert not traces(out.encode()) and not traces(err.encode()), (words, out, err)
        assert not traces(self.log.text.encode()), words
        for file in self.path.rglob("*"):
            assert not traces(str(file).encode()), file
            if file.is_file():
                assert not traces(file.read_bytes()), (words, file)
        return code


@pytest.fixture
def home(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any, caplog: Any
) -> Iterator[Home]:
    """With the server that the test's parameter names."""
    caplog.set_level("DEBUG", "openai")
    caplog.set_level("INFO")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for variable in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TMPDIR"):
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / "tiny.toml").write_text(SUITE)
    with serve(SERVERS[getattr(request, "param", "that answers")]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        yield Home(tmp_path, server, capfd.readouterr, caplog)


def seen(server: ChatServer) -> bool:
    return any(headers.get("authorization") == f"Bearer {KEY}" for headers in server.headers)


EVAL = ("eval", "-s", "tiny.toml", "--only")
CACHED = "record:replies.jsonl=openai:stub?attempts=1"


@pytest.mark.slow
def test_every_verb_when_all_goes_well(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    used = {
        "tasks": home.run("tasks", "--json"),
        "doctor": home.run("doctor", "--json"),
        "imagine": home.run(
            "imagine", TASK, "-o", "data", "-n", "8", "--model", "openai:stub", "--model-share", "0.3"
        ),
        "data": home.run("data", "stats", "data"),
        "train": home.run("train", "bc", "--data", "data", "-o", "checkpoints/bc", "--set", "epochs=0.1"),
        "eval": home.run("eval", "-s", "tiny.toml", "--agent", f"kept=prompted:cot:{CACHED}"),
        "board": home.run("board", "--markdown"),
        "study": home.run("study", "--json"),
    }
    # It needs value heads, which BC has not: it says so, in one line.
    assert home.run("diagnose", "calibration", "checkpoints/bc", "--data", "data") == 2
    used["diagnose"] = home.run("diagnose", "--help")
    monkeypatch.setattr("sys.stdin", io.StringIO("Hello!\nSomething quiet.\nYes, please.\n" * 9))
    used["play"] = home.run(
        "play", "--as", "user", "--agent", "prompted:zero-shot:openai:stub", "--seed", "1", "--json"
    )
    assert seen(home.server)
    assert not [verb for verb, code in used.items() if code not in (0, 1)], used
    assert {*used, "demo"} == set(VERBS), "a new verb has to be tried here too"


@pytest.mark.slow
def test_the_demo(home: Home) -> None:
    assert home.run("demo", "-s", "tiny.toml", "-o", "demo") == 0
    assert seen(home.server)


@pytest.mark.parametrize("home", [name for name in SERVERS if name != "that answers"], indirect=True)
def test_every_verb_that_asks_a_model_when_the_server_fails(home: Home) -> None:
    assert home.run(*EVAL, "--agent", "prompted:clam:openai:stub?attempts=1") != 0
    assert home.run(*EVAL, "--agent", f"kept=prompted:cot:{CACHED}", "-o", "kept") != 0
    assert (
        home.run(*EVAL, "--agent", "heuristic", "--user", "llm", "--user-model", "openai:stub?attempts=1")
        != 0
    )
    words = ("imagine", TASK, "-o", "data", "-n", "4", "--model-share", "1")
    assert home.run(*words, "--model", "openai:stub?attempts=1") != 0
    assert home.run(
        "imagine", TASK, "-o", "dreamt", "-n", "4", "--mode", "imagine", "--model", "openai:stub?attempts=1"
    )
    assert home.run("board") in (0, 2)
    assert seen(home.server)


SLIPS = [
    (*EVAL, "--agent", f"prompted:openai:stub?api_key={KEY}"),
    (*EVAL, "--agent", f"mine=prompted:cot:openai:stub?token={quote(KEY, safe='')}"),
    (*EVAL, "--agent", f"prompted:openai:stub?base_url=http://me:{quote(KEY, safe='')}@127.0.0.1:9/v1"),
    (*EVAL, "--agent", "prompted", "--agent-args", f"model=openai:stub?secret={KEY}"),
    (*EVAL, "--agent", "prompted", "--agent-args", f"api_key={KEY}"),
    (
        *EVAL,
        "--agent",
        "heuristic",
        "--user",
        "llm",
        "--user-model",
        f"openai:stub?key={quote(KEY, safe='')}",
    ),
    (
        *EVAL,
        "--agent",
        f"http://me:{quote(KEY, safe='')}@127.0.0.1:9/act?token={quote(KEY, safe='')}",
        "--episodes",
        "1",
    ),
    ("imagine", TASK, "-o", "data", "--model", f"openai:stub?api_key={KEY}"),
    ("play", "--user", "llm", "--user-model", f"openai:stub?api_key={KEY}"),
    ("play", "--as", "user", "--agent", f"prompted:openai:stub?api_key={KEY}"),
]
"""Keys where they do not belong: the person's slip, told without repeating the key."""


@pytest.mark.parametrize("words", SLIPS, ids=lambda words: " ".join(words).replace(KEY, "KEY")[:60])
def test_a_key_in_the_wrong_place_is_told_without_repeating_it(home: Home, words: tuple[str, ...]) -> None:
    assert home.run(*words) != 0
    assert not home.server.requests


def test_a_store_of_replies_holds_none(home: Home) -> None:
    """Not even in the pages that SQLite has freed."""
    assert home.run(*EVAL, "--agent", "kept=prompted:zero-shot:record:replies.db=openai:stub") == 0
    kept = home.path / "replies.db"
    if kept.is_file() and kept.read_bytes()[:6] == b"SQLite":
        with sqlite3.connect(kept) as store:
            assert not traces("\n".join(store.iterdump()).encode())
