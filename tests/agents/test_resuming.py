"""A training that is killed goes on as if nothing had happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from dialog_envs.agents import trainer
from dialog_envs.agents.checkpoint import load_model
from dialog_envs.agents.language_model import ModelConfig
from dialog_envs.agents.training import TrainResult, train
from dialog_envs.errors import CheckpointError
from tests.agents.toy import ToyTask, corridor_episodes

TINY = ModelConfig(layers=1, width=32, attention_heads=2, vocabulary=320, context=96)
SETTINGS = {"epochs": 2, "tokens_per_batch": 384, "stop_on": "loss", "evaluate_every": 3, "patience": 0}
EVERY = 4
LAST_STEP = 9
"""Of the second stage: the process is killed in its tenth step, the last state was saved after its eighth."""


def run(out: Path, **more: Any) -> TrainResult:
    return train(
        "ilql", corridor_episodes(60), out, task=ToyTask(), settings=SETTINGS, model=TINY, progress=False,
        threads=1, save_every=EVERY, **more,
    )  # fmt: skip


def killed(out: Path) -> None:
    """Trains until the process kills itself, without any chance to clean up."""
    fit = trainer._Job.step

    def step(self: Any, number: int) -> Any:
        if self.algorithm.name == "ilql" and number == LAST_STEP:
            os.kill(os.getpid(), signal.SIGKILL)
        return fit(self, number)

    trainer._Job.step = step  # type: ignore[method-assign]
    run(out)


def curve(path: Path) -> tuple[list[str], list[float]]:
    """What the log says, in order: names, and numbers. How fast it went is left out."""
    names: list[str] = []
    numbers: list[float] = []
    for line in map(json.loads, (path / "metrics.jsonl").read_text().splitlines()):
        for name, value in {**line, **line.get("validation", {})}.items():
            names.append(f"{name}={value}" if name in ("algorithm", "step") else name)
            if name not in ("algorithm", "validation", "tokens_per_second"):
                numbers.append(value)
    return names, numbers


@pytest.mark.slow
def test_a_killed_training_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = "import sys, pathlib, tests.agents.test_resuming as t; t.killed(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", call, str(tmp_path / "a")]
    found = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
    assert found.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".a.partial-")
    state = json.loads((left / "state.json").read_text())
    assert state["place"]["stage"] == "ilql" and state["place"]["step"] == 8 and "bc" in state["stages"]

    steps: list[tuple[str, int]] = []
    step = trainer._Job.step

    def counted(self: Any, number: int) -> Any:
        steps.append((self.algorithm.name, number))
        return step(self, number)

    monkeypatch.setattr(trainer._Job, "step", counted)
    resumed = run(tmp_path / "a")
    assert steps[0] == ("ilql", 8)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]

    whole = run(tmp_path / "b")
    (names, numbers), (others, expected) = curve(tmp_path / "a"), curve(tmp_path / "b")
    assert names == others and len(numbers) > 200
    assert numbers == pytest.approx(expected, abs=1e-6, rel=0)
    ours, theirs = (load_model(tmp_path / name)[0].state_dict() for name in "ab")
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
    for key in ("steps", "tokens", "kept_step", "losses"):
        assert resumed.record["report"][key] == whole.record["report"][key]


def interrupted_run(out: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Path:
    step = trainer._Job.step

    def stop(self: Any, number: int) -> Any:
        if number == 6:
            raise KeyboardInterrupt
        return step(self, number)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(trainer._Job, "step", stop)
        run(out, **more)
    (left,) = out.parent.glob(f".{out.name}.partial-*")
    return left


def test_another_training_in_its_place_begins_anew_and_clears_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted_run(tmp_path / "a", monkeypatch)
    run(tmp_path / "a", seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_damaged_state_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = interrupted_run(tmp_path / "a", monkeypatch)
    (tensors,) = left.glob("*.safetensors")
    tensors.write_bytes(tensors.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"cannot be used .* begin again"):
        run(tmp_path / "a")
    (left / "state.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"cannot be used .* begin again"):
        run(tmp_path / "a")


def test_two_processes_cannot_do_the_same_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    left = interrupted_run(tmp_path / "a", monkeypatch)
    with (left / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CheckpointError, match="another process is at the same training"):
            run(tmp_path / "a")
