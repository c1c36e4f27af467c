"""The wheel holds everything that is needed at run time, and works from any folder."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.packaging.environments import ROOT, Fresh, run

PACKAGE = ROOT / "dialog_envs"


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_holds_every_file_of_the_package_once(names: set[str]) -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files
    assert {name for name in names if name.startswith("dialog_envs/")} == files


def test_adds_one_package_and_its_metadata_to_the_environment(names: set[str]) -> None:
    """A top-level ``agents`` would overwrite the files of openai-agents."""
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"dialog_envs"}
    assert len(top) == 2
    for file in ("LICENSE", "NOTICE"):
        assert any(name.endswith(f".dist-info/licenses/{file}") for name in names)


def test_is_small(wheel: Path) -> None:
    """Shipped datasets take 1.3 MB, word vectors 0.65, the sentence encoder 0.4; code and material the rest."""
    assert wheel.stat().st_size < 4_000_000


def test_data_files_are_readable(fresh: Fresh) -> None:
    """The installed package, not the checkout, is what is imported, and its data is there."""
    code = """
import json, pathlib, dialog_envs
from importlib.resources import files
root = files("dialog_envs")
kinds = sorted({path.suffix for path in pathlib.Path(str(root)).rglob("*.*")})
places = [p for p in (root / "tasks" / "preference" / "catalogue").iterdir() if p.name.endswith(".json")]
print(json.dumps({"file": dialog_envs.__file__, "kinds": kinds, "places": len(places)}))
"""
    report = json.loads(fresh.python(code))
    assert report["file"].startswith(str(fresh.folder))
    assert report["places"] >= 15
    assert ".json" in report["kinds"]


def test_shipped_datasets_are_there(fresh: Fresh) -> None:
    code = """
from dialog_envs.datasets import load, shipped
print(len(shipped()), min(len(load(name)) for name in shipped()))
"""
    number, fewest = map(int, fresh.python(code).split())
    assert number >= 6 and fewest >= 100


def test_command_works_from_another_folder(fresh: Fresh) -> None:
    shown = run([fresh.bin("dialog-envs"), "--help"], fresh.work).stdout
    for command in ("tasks", "play", "imagine", "data", "train", "eval", "board", "demo", "doctor"):
        assert command in shown
    assert "PreferenceElicitation-v0" in run([fresh.bin("dialog-envs"), "tasks"], fresh.work).stdout


def test_an_episode_runs_from_another_folder(fresh: Fresh) -> None:
    code = """
import gymnasium as gym, dialog_envs
env = gym.make("PreferenceElicitation-v0")
env.reset(seed=1)
print(len(env.step("Do you like to be outdoors?")[0]["dialogue"]))
"""
    assert int(fresh.python(code)) >= 2


def test_gymnasium_finds_the_task_by_module_prefix(fresh: Fresh) -> None:
    code = 'import gymnasium as gym; print(gym.make("dialog_envs:PreferenceElicitation-v0").spec.id)'
    assert fresh.python(code).strip() == "PreferenceElicitation-v0"


def test_version_is_the_metadata_version(fresh: Fresh) -> None:
    code = 'import dialog_envs, importlib.metadata as m; print(dialog_envs.__version__ == m.version("dialog-envs"))'
    assert fresh.python(code).strip() == "True"
