"""A hand-made episode for tests of the format, and a small imagined dataset for tests of its meaning."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.datasets import Criterion, Critique, Episode, Provenance
from dialog_envs.simulators.imagination import imagine

TASK = "PreferenceElicitation-v0"


def _episode(number: int = 0) -> Episode:
    turns = (
        Turn(USER, "Hello, I need a plan – für morgen \u2603.", (Act("greet"),)),
        Turn(AGENT, 'Do you like it "quiet"?\n', (Act("ask", slot="crowd", value="quiet"),)),
        Turn(USER, "Quiet, yes.", (Act("answer", slot="crowd", value="quiet"),)),
        Turn(AGENT, "Then the tile workshop.", (Act("suggest", item="lisbon/tile-workshop"),)),
        Turn(USER, "I'll take it.", (Act("accept", item="lisbon/tile-workshop"),)),
    )
    return Episode(
        id=f"e{number}",
        task=TASK,
        seed=number,
        family="focused",
        persona={"family": "focused", "theme": "art", "number": number // 2},
        scenario={"place": "Lisbon", "items": ["lisbon/tile-workshop"]},
        turns=turns,
        rewards=(0.0, 1.0),
        reward=1.0,
        outcome={"success": True, "graded": 1.0, "ended_by": "accept", "reward_parts": {"utility": 0.5}},
        critique=Critique("kept", (Criterion("gradual", True), Criterion("no-loops", True))),
        provenance=Provenance("rollout", "hasty", "scripted", None),
    )


@pytest.fixture
def make_episode() -> Callable[..., Episode]:
    """``make_episode(number, **changes)``: episodes that differ in id; two in a row share their persona."""
    return lambda number=0, **changes: replace(_episode(number), **changes)


@pytest.fixture(scope="session")
def _imagined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "small"
    imagine(TASK, folder, 40, 5)
    return folder


@pytest.fixture
def imagined(_imagined: Path, tmp_path: Path) -> Path:
    """A valid dataset of 40 dialogues, to be spoiled at will."""
    shutil.copytree(_imagined, tmp_path / "small")
    return tmp_path / "small"
