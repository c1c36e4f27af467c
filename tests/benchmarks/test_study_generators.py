"""The scripted imaginer: without faults the critique passes all; each fault fails its own criterion."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialog_envs.errors import UnknownName, UsageError
from dialog_envs.simulators.imagination import imagine
from dialog_envs.simulators.llm import get_chat_model

TASK = "PreferenceElicitation-v0"


def failures(model: str, out: Path, **options: object) -> dict[str, int]:
    dataset = imagine(TASK, out, 12, 3, mode="imagine", imaginer=model, personas=0, rounds=0, **options)  # type: ignore[arg-type]
    failed = dataset.manifest["critique"]["failed"]
    return {name: row["dropped"] for name, row in failed.items() if row["dropped"]}


@pytest.mark.parametrize(
    ("fault", "criteria"),
    [
        ("tells", {"gradual", "model:gradual"}),
        ("contrary", {"model:sentiment"}),
        ("loops", {"no-loops"}),
    ],
)
def test_each_fault_fails_its_criterion(fault: str, criteria: set[str], tmp_path: Path) -> None:
    assert not set(failures("scripted", tmp_path / "plain")) & {"gradual", "model:gradual", "model:sentiment"}
    assert criteria <= set(failures(f"scripted?{fault}=0.5", tmp_path / "faulty"))


def test_only_the_chosen_criteria_judge(tmp_path: Path) -> None:
    assert set(failures("flawed", tmp_path / "one", criteria=["no-loops"])) == {"no-loops"}
    with pytest.raises(UnknownName, match="no-loops"):
        failures("flawed", tmp_path / "two", criteria=["noloops"])


def test_options_are_checked_and_named() -> None:
    assert get_chat_model("flawed").name == "flawed"
    assert get_chat_model("scripted?loops=0.5").name == "scripted?loops=0.5"
    with pytest.raises(UsageError, match="between 0 and 1"):
        get_chat_model("scripted?loops=2")
