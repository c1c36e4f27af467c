"""The command line: results on stdout, one line for a mistake, exit codes, and no heavy import for the help."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import dialog_envs
from dialog_envs.benchmarks.cli import main

ROOT = str(Path(dialog_envs.__file__).parents[1])  # the tests run installed or not, and from any folder
START = f"import sys; sys.path.insert(0, {ROOT!r}); from dialog_envs.benchmarks.cli import main; "
MAIN = [sys.executable, "-c", START + "sys.exit(main())"]
TASK = "PreferenceElicitation-v0"

SUITE = f"""
schema = 1
name = "mini"
tasks = ["{TASK}"]
information_per_family = 0
[users.typical]
families = ["focused"]
episodes_per_family = 3
[users.hard]
families = ["terse"]
episodes_per_family = 3
[seeds]
report = 10_000_000
validation = 20_000_000
[[agents]]
name = "random"
[[agents]]
name = "bc"
optional = true
"""

AGENT = """
class MyAgent:
    def start(self, brief, seed):
        pass

    def act(self, observation):
        return "What do you like?"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mini.toml").write_text(SUITE)
    (tmp_path / "my_agent.py").write_text(AGENT)
    return tmp_path


def test_eval_own_agent_beside_the_suites(here: Path, capsys: Any) -> None:
    words = ["eval", "--agent", "my_agent.py:MyAgent", "--suite", "mini.toml", "--json"]
    assert main(words) == 0
    out, err = capsys.readouterr()
    board = json.loads(out)
    assert {row["agent"] for row in board["rows"]} == {"random", "MyAgent"}
    assert {row["users"] for row in board["rows"]} == {"typical", "hard", "focused", "terse"}
    assert "bc: left out" in err
    assert (here / "runs/mini/leaderboard.html").is_file()
    before = (here / "runs/mini/episodes.jsonl").read_bytes()
    assert main([*words[:-1], "-q"]) == 0
    assert "MyAgent" in capsys.readouterr().out
    assert (here / "runs/mini/episodes.jsonl").read_bytes() == before
    assert main(["board", "--markdown"]) == 0
    assert "| MyAgent |" in capsys.readouterr().out


def test_same_run_in_two_processes_is_the_same(here: Path) -> None:
    lines = []
    for number in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": number}
        command = [*MAIN, "eval", "-s", "mini.toml", "-q", "-o", number]
        subprocess.run(command, check=True, env=environment, capture_output=True)
        records = [json.loads(line) for line in (here / number / "episodes.jsonl").read_text().splitlines()]
        lines.append([{k: v for k, v in r.items() if "seconds" not in k} for r in records])
    assert lines[0] == lines[1]


def test_processes_change_nothing(here: Path, capsys: Any) -> None:
    (here / "many.toml").write_text(SUITE.replace("episodes_per_family = 3", "episodes_per_family = 50"))
    boards = []
    for jobs in ("1", "2"):
        assert main(["eval", "-s", "many.toml", "-j", jobs, "-o", jobs, "--json"]) == 0
        board = json.loads(capsys.readouterr().out)
        boards.append([{k: v for k, v in row.items() if "seconds" not in k} for row in board["rows"]])
    assert boards[0] == boards[1]
    assert boards[0][0]["episodes"] == 50


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["eval", "--agent", "heuristc"], "Did you mean 'heuristic'"),
        (["eval", "--suite", "quik"], "Did you mean 'quick'"),
        (["eval", "--suite", "missing.toml"], "cannot be read"),
        (["eval", "--agent", "my_agent.py:Nobody"], "unknown agent 'Nobody'"),
        (["eval", "--agent", "ilql"], "dialog-envs train ilql"),
        (["eval", "--episodes", "0"], "--episodes"),
        (["eval", "-s", "mini.toml", "-o", "my_agent.py/run"], "cannot write"),
        (["eval", "-s", "mini.toml", "--split", "test"], "unknown split 'test'"),
        (["play", "Nothing-v0"], "unknown task"),
        (["play", TASK, "--family", "nobody"], "unknown user family"),
        (["tasks", "Nothing-v0"], "unknown task"),
        (["board", "nowhere"], "there is no run in 'nowhere'"),
        (["board"], "there is no run in 'runs'"),
        (["demo", "--suite", "quick"], "needs a [dataset] table"),
        (["nonsense"], "No such command"),
    ],
)
def test_mistakes_are_one_line(here: Path, capsys: Any, words: list[str], part: str) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and part in lines[0]
    assert "Traceback" not in err
    assert out == ""


def test_interrupt_keeps_what_is_finished(here: Path) -> None:
    slow = AGENT.replace("return", "import time; time.sleep(0.3); return")
    (here / "slow.py").write_text(slow)
    command = [*MAIN, "eval", "-a", "slow.py:MyAgent", "-s", "mini.toml", "--only"]
    # Tests that a shell runs in the background inherit that interrupts are ignored.
    listening = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=listening)
    episodes = here / "runs/mini/episodes.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (episodes.exists() and episodes.stat().st_size):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.splitlines()[-1].startswith("stopped. Finished dialogues, trainings and episodes are kept")
    assert "Traceback" not in err
    assert episodes.read_text().endswith("\n")
    kept = len(episodes.read_text().splitlines())
    assert 1 <= kept < 6


def test_play_from_a_pipe(here: Path) -> None:
    done = subprocess.run(
        [*MAIN, "play", TASK, "--seed", "3", "--json"],
        input="What do you like?\n",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["turns"][1]["text"] == "What do you like?"
    assert "No score" in done.stderr


def test_tasks(capsys: Any) -> None:
    assert main(["tasks", "--json"]) == 0
    assert TASK in [fact["id"] for fact in json.loads(capsys.readouterr().out)]
    assert main(["tasks", TASK]) == 0
    assert "hard users" in capsys.readouterr().out


def test_help_is_light() -> None:
    code = START + (
        "code = main(['--help']);"
        "heavy = {'torch', 'transformers', 'openai', 'rich', 'matplotlib', 'scipy'} & set(sys.modules);"
        "sys.exit(code or (f'imported {heavy}' if heavy else 0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for verb in ("tasks", "play", "eval", "board", "demo"):
        assert verb in done.stdout
