"""The shape of the sources: links for readers, short files, nothing of one machine, nothing unsafe."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.packaging.environments import ROOT

MOST_LINES = 600
MOST_FUNCTION_LINES = 80
MEDIAN_LINES = 150
MOST_BYTES = 2_000_000
TEXT = {".py", ".md", ".toml", ".txt", ".json", ".html", ".css", ".js", ".svg", ".yml", ".cfg", "", ".jsonl"}


def tracked() -> list[Path]:
    """The repository's files; without git (an unpacked source distribution), every file of the package and tests."""
    shown = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if shown.returncode == 0 and shown.stdout:
        return [ROOT / name for name in shown.stdout.split("\0") if name and (ROOT / name).is_file()]
    folders = (ROOT / "dialog_envs", ROOT / "tests", ROOT / "docs")
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


FILES = [path for path in tracked() if not path.is_symlink()]
SOURCES = [path for path in FILES if path.suffix == ".py"]


def line_count(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


@pytest.mark.parametrize("name", ["agents", "simulators", "benchmarks"])
def test_top_level_shows_the_parts(name: str) -> None:
    link = ROOT / name
    assert link.is_symlink()
    assert link.resolve() == ROOT / "dialog_envs" / name
    assert not link.readlink().is_absolute()


def test_files_are_short() -> None:
    assert {str(path): line_count(path) for path in SOURCES if line_count(path) > MOST_LINES} == {}


def test_half_of_the_files_are_very_short() -> None:
    counts = sorted(line_count(path) for path in SOURCES if ROOT / "dialog_envs" in path.parents)
    assert counts[len(counts) // 2] <= MEDIAN_LINES


def test_functions_are_short() -> None:
    long = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_FUNCTION_LINES:
                    long[f"{path}:{node.name}"] = lines
    assert long == {}


def test_no_large_file() -> None:
    assert {str(path): size for path in FILES if (size := path.stat().st_size) > MOST_BYTES} == {}


def test_nothing_names_one_machine() -> None:
    """Paths of somebody's machine have no place in a public repository."""
    pattern = re.compile(r"(?<![\w.}/])/(?:work|root|home|Users)/[a-z]|/tmp/venv")
    found = []
    for path in FILES:
        if path.suffix in TEXT and path != Path(__file__).resolve():
            text = path.read_text(encoding="utf-8")
            found += [f"{path}: {match.group()}" for match in pattern.finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\s*(?:import|from) (?:pickle|dill|joblib|shelve|marshal)\b",
        r"\btorch\.load\(",
        r"\byaml\.(?:load|unsafe_load)\(",
        r"\bshell\s*=\s*True\b",
        r"^\s*except\s*:",
        r"^\s*except (?:Base)?Exception(?: as \w+)?:\s*(?:pass)?$\n\s*pass\b",
        r"\bnp\.random\.(?:seed|rand|randn|randint|choice|shuffle|random)\(",
        r"^import random$|\brandom\.seed\(",
    ],
)
def test_nothing_unsafe(pattern: str) -> None:
    expression = re.compile(pattern, re.MULTILINE)
    package = [path for path in SOURCES if ROOT / "dialog_envs" in path.parents]
    assert [str(path) for path in package if expression.search(path.read_text(encoding="utf-8"))] == []


def test_nothing_is_left_unfinished() -> None:
    words = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
    assert [
        str(p) for p in SOURCES if p.name != "test_layout.py" and words.search(p.read_text("utf-8"))
    ] == []
