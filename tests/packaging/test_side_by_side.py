"""Installing next to openai-agents breaks neither."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.packaging.environments import ROOT, Fresh, make_environment, run

LIST_FILES = """
import sys
from importlib.metadata import distribution
print("\\n".join(str(path) for path in distribution(sys.argv[1]).files))
"""


@pytest.fixture(scope="module")
def both(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """An environment with the wheel, and then openai-agents with all it needs."""
    folder = tmp_path_factory.mktemp("both")
    probe = folder / "download"
    probe.mkdir()
    constraints = ROOT / "constraints.txt"
    pip = [sys.executable, "-m", "pip", "--retries", "1", "download", "-q", "--no-deps", "-c", constraints]
    try:
        run([*pip, "--dest", probe, "openai-agents"], probe)
    except AssertionError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"openai-agents cannot be fetched from the package index: {str(error).splitlines()[-1]}")
    environment = make_environment(folder, wheel)
    environment.pip("install", "--constraint", constraints, *probe.glob("*.whl"))
    return environment


def test_no_file_belongs_to_both(both: Fresh) -> None:
    def files(name: str) -> set[str]:
        shown = run([both.bin("python"), "-c", LIST_FILES, name], both.work).stdout
        return {line for line in shown.splitlines() if "__pycache__" not in line}

    ours, theirs = files("dialog-envs"), files("openai-agents")
    assert any(name.startswith("agents/") for name in theirs)
    assert any(name.startswith("dialog_envs/") for name in ours)
    assert not ours & theirs


def test_both_work_in_one_program(both: Fresh) -> None:
    code = """
import agents, gymnasium, dialog_envs
from dialog_envs.agents import base
agent = agents.Agent(name="guide", instructions="Find out what the traveller likes.")
env = gymnasium.make("PreferenceElicitation-v0")
env.reset(seed=0)
print(agent.name, env.step("Hello!")[2], agents.__file__ != base.__file__)
"""
    assert both.python(code).split()[0] == "guide"


def test_our_command_still_works(both: Fresh) -> None:
    assert "leaderboard" in run([both.bin("dialog-envs"), "--help"], both.work).stdout
