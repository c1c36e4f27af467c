"""Stages: skipped when their product was made from the same, done again when not, in order, side by side."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from dialog_envs.benchmarks.stages import Stage, run_stages
from dialog_envs.errors import DialogEnvsError

WRITE = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('x'); print('said', file=sys.stderr)"


def _stage(
    folder: Path, name: str, made_from: Mapping[str, Any], after: Sequence[str] = (), code: str = WRITE
) -> Stage:
    product = folder / name.replace("/", "-")
    return Stage(name, product, [sys.executable, "-c", code, str(product)], lambda: made_from, tuple(after))


def test_stages_are_skipped_when_nothing_changed(tmp_path: Path) -> None:
    stages = [_stage(tmp_path, "t/a", {"seed": 1}), _stage(tmp_path, "t/b", {"seed": 1}, ["t/a"])]
    assert run_stages(tmp_path, stages) == ["t/a", "t/b"]
    assert run_stages(tmp_path, stages) == []
    stages[1] = _stage(tmp_path, "t/b", {"seed": 2}, ["t/a"])
    assert run_stages(tmp_path, stages) == ["t/b"]
    (tmp_path / "t-a").unlink()
    assert run_stages(tmp_path, stages, jobs=2) == ["t/a"]


def test_what_a_stage_needs_is_there_before_it(tmp_path: Path) -> None:
    needs = "import pathlib, sys; p = pathlib.Path(sys.argv[1]); p.write_text((p.parent / 'a').read_text())"
    slow = "import time; time.sleep(0.3); " + WRITE
    stages = [_stage(tmp_path, "a", {}, code=slow), _stage(tmp_path, "c", {}, code=slow)]
    stages += [_stage(tmp_path, "b", {}, ["a"], needs), _stage(tmp_path, "d", {}, ["c", "b"], needs)]
    assert sorted(run_stages(tmp_path, stages, jobs=3)) == ["a", "b", "c", "d"]
    assert (tmp_path / "d").read_text() == "x"


def test_a_failed_stage_says_its_last_word_and_vouches_for_nothing(tmp_path: Path) -> None:
    first = _stage(tmp_path, "a", {"seed": 1})
    run_stages(tmp_path, [first])
    broken = "import sys; print('error: the well is dry', file=sys.stderr); sys.exit(2)"
    with pytest.raises(DialogEnvsError, match="a: the well is dry"):
        run_stages(tmp_path, [_stage(tmp_path, "a", {"seed": 2}, code=broken)])
    # Neither the old settings nor the new ones may vouch for what was left behind.
    assert run_stages(tmp_path, [first]) == ["a"]


def test_one_failure_stops_the_others(tmp_path: Path) -> None:
    endless = _stage(tmp_path, "a", {}, code="import time; time.sleep(600)")
    with pytest.raises(DialogEnvsError, match="b: exit code 3"):
        run_stages(tmp_path, [endless, _stage(tmp_path, "b", {}, code="import sys; sys.exit(3)")], jobs=2)
