"""Helpers: a command run outside the checkout, and a fresh environment that holds a wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(command: Sequence[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command outside the checkout, without its import path; fails the test with the command's output."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{command} exited with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@dataclass(frozen=True, slots=True)
class Fresh:
    """A virtual environment that holds the wheel, and a folder to work in.

    The dependencies are borrowed from the environment that runs the tests, by a path file: installing torch again
    would take minutes and show nothing about this wheel.
    """

    folder: Path
    work: Path

    def bin(self, name: str) -> Path:
        return self.folder / "bin" / name

    def python(self, code: str) -> str:
        """What a program prints in this environment."""
        return run([self.bin("python"), "-c", code], self.work).stdout

    def pip(self, *arguments: str | Path) -> None:
        """pip, which pip's own ``--python`` lets work on another environment."""
        run([sys.executable, "-m", "pip", "--python", self.bin("python"), "-q", *arguments], self.work)


def make_environment(folder: Path, wheel: Path) -> Fresh:
    run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], folder)
    site = next((folder / "venv" / "lib").glob("python*/site-packages"))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    (folder / "work").mkdir()
    fresh = Fresh(folder / "venv", folder / "work")
    fresh.pip("install", "--no-deps", "--no-index", "--force-reinstall", "--ignore-installed", wheel)
    return fresh
