"""Importing the package is cheap, and shows what it says it shows."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from types import ModuleType

import pytest

HEAVY = ("torch", "transformers", "openai", "rich", "matplotlib", "typer", "scipy", "xllamacpp", "gguf")
LIGHT_MODULES = ("dialog_envs", "dialog_envs.core", "dialog_envs.tasks", "dialog_envs.datasets")
PACKAGES = (*LIGHT_MODULES, "dialog_envs.simulators", "dialog_envs.agents", "dialog_envs.benchmarks")


def loaded_after(code: str) -> set[str]:
    """Top-level modules that a new Python process has loaded after the code."""
    shown = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {name.partition(".")[0] for name in json.loads(shown.splitlines()[-1])}


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_import_loads_no_heavy_library(module: str) -> None:
    assert not loaded_after(f"import {module}") & set(HEAVY)


def test_a_scripted_episode_loads_no_heavy_library() -> None:
    code = """
import gymnasium, dialog_envs
env = gymnasium.make("PreferenceElicitation-v0")
env.reset(seed=0)
env.step("What do you enjoy?")
"""
    assert not loaded_after(code) & (set(HEAVY) - {"scipy"})


def test_help_of_the_command_loads_no_model_library() -> None:
    code = """
from dialog_envs.benchmarks.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
"""
    assert not loaded_after(code) & {"torch", "transformers", "openai", "matplotlib"}


@pytest.mark.parametrize("name", PACKAGES)
def test_public_surface_is_all(name: str) -> None:
    """``__all__`` names every public thing of a package, and nothing that is not there."""
    module = importlib.import_module(name)
    declared = list(getattr(module, "__all__", ()))
    assert len(declared) == len(set(declared))
    missing = [entry for entry in declared if not hasattr(module, entry)]
    assert not missing
    public = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_") and not isinstance(value, ModuleType) and key != "annotations"
    }
    assert public - set(declared) == set()
