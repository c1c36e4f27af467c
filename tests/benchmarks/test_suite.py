"""Suites: what ships is valid, seeds never meet, and mistakes are one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialog_envs.benchmarks.suite import SPLITS, Suite, load_suite, parse_suite, suite_names
from dialog_envs.errors import ConfigError, UnknownSuite
from dialog_envs.registration import get_task

FAMILIES = {
    "PreferenceElicitation-v0": {"typical": ("easygoing", "focused"), "hard": ("terse", "impatient")},
    "Tea-v0": {"typical": ("calm", "chatty"), "hard": ("hasty",)},
}


def test_shipped_suites_load() -> None:
    assert {"demo", "quick", "full"} <= set(suite_names())
    for name in suite_names():
        suite = load_suite(name)
        assert suite.name == name
        assert suite.summary


@pytest.mark.parametrize("name", ["demo", "quick", "full"])
def test_seeds_never_meet(name: str) -> None:
    suite = load_suite(name)
    priors = {task: get_task(task).prior for task in suite.tasks}
    families = {task: {"typical": prior.typical, "hard": prior.hard} for task, prior in priors.items()}
    seen: set[int] = set()
    for split in SPLITS:
        units = suite.units(families, split)
        seeds = {unit.seed for unit in units}
        assert len({(unit.task, unit.seed) for unit in units}) == len(units)
        assert not seen & seeds
        assert max(seeds) < 2**31
        seen |= seeds
    # A dataset's own seed is small, and its episodes derive theirs from it.
    assert int(suite.dataset.get("seed", 0)) < min(seen)


def test_every_prefix_is_balanced(suite: Suite) -> None:
    units = suite.units(FAMILIES)
    assert [unit.family for unit in units[:6]] == ["calm", "chatty", "hasty"] * 2
    assert [unit.index for unit in units[:6]] == [0, 0, 0, 1, 1, 1]


def test_fingerprint_follows_the_episodes_and_nothing_else(suite: Suite) -> None:
    from dataclasses import replace

    assert replace(suite, agents=(), summary="x", baseline="y").fingerprint() == suite.fingerprint()
    assert replace(suite, reward="dense").fingerprint() != suite.fingerprint()
    assert suite.fingerprint("validation") != suite.fingerprint("report")


GOOD = """
schema = 1
name = "mine"
tasks = ["Tea-v0"]
[users.typical]
episodes_per_family = 2
[seeds]
report = 10_000_000
validation = 20_000_000
"""


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("schema = 1", "schema = 2", "needs 'schema = 1'"),
        ('name = "mine"', "", "lacks the key 'name'"),
        ("[users.typical]", "[users.strange]", "users must be one of typical, hard"),
        ("episodes_per_family = 2", "episodes_per_family = 0", "at least 1, not 0"),
        ("episodes_per_family = 2", "episodes_per_family = 1_000_000", "at most 10,000"),
        ("validation = 20_000_000", "validation = 10_000_001", "or more apart"),
        ("[seeds]", "[sedes]", "unknown key 'sedes'"),
        ('tasks = ["Tea-v0"]', 'tasks = ["Tea-v0"', "no valid TOML"),
        ("schema = 1", 'schema = 1\nreward = "gold"', "reward must be one of binary"),
    ],
)
def test_mistakes(old: str, new: str, part: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_suite(GOOD.replace(old, new), "'mine.toml'")
    assert part in str(caught.value)
    assert "'mine.toml'" in str(caught.value)


def test_unknown_family_and_split() -> None:
    suite = parse_suite(GOOD.replace("[users.typical]", '[users.typical]\nfamilies = ["calmm"]'), "x")
    with pytest.raises(
        ConfigError, match=r"'calmm', which Tea-v0 does not have. It has: calm, chatty, hasty"
    ):
        suite.units(FAMILIES)
    misplaced = parse_suite(GOOD.replace("[users.typical]", '[users.typical]\nfamilies = ["hasty"]'), "x")
    with pytest.raises(ConfigError, match="'hasty' under 'typical'"):
        misplaced.units(FAMILIES)
    with pytest.raises(ConfigError, match="unknown split"):
        suite.units(FAMILIES, "test")


def test_own_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    assert load_suite(tmp_path / "mine.toml").name == "mine"
    with pytest.raises(ConfigError, match="cannot be read"):
        load_suite(tmp_path / "missing.toml")
    with pytest.raises(UnknownSuite, match="Did you mean 'quick'"):
        load_suite("quik")
