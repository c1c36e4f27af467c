"""Is a dataset what it says it is? Everything that can be computed again is, and compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dialog_envs.core.task import Task
from dialog_envs.datasets.beside import read_critiques, read_people, read_rejected
from dialog_envs.datasets.reader import read_manifest, read_shard
from dialog_envs.datasets.replay import impossible_turn, misread_turn
from dialog_envs.datasets.schema import UNKNOWN, Episode
from dialog_envs.datasets.shipped import locate
from dialog_envs.datasets.store import Totals
from dialog_envs.errors import DatasetError, DialogEnvsError

TOLERANCE = 1e-6
"""Largest difference between a stored and a recomputed reward."""


@dataclass(slots=True)
class Validation:
    """What a validation found.

    Attributes:
        path: the dataset.
        episodes: how many were looked at.
        problems: one sentence each, with file and line where there is one; at most ``limit`` are kept.
        count: how many problems there are by kind, all of them counted.
    """

    path: Path
    limit: int = 50
    episodes: int = 0
    problems: list[str] = field(default_factory=list)
    count: Counter[str] = field(default_factory=Counter)

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.count

    def add(self, kind: str, text: str) -> None:
        """One more problem."""
        self.count[kind] += 1
        if len(self.problems) < self.limit:
            self.problems.append(f"{kind}: {text}")

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "path": str(self.path), "valid": self.valid, "episodes": self.episodes, "count": dict(self.count),
            "problems": self.problems,
        }  # fmt: skip

    def to_text(self) -> str:
        """For people."""
        if self.valid:
            return f"{self.path}: valid, {self.episodes:,} episodes checked"
        kinds = ", ".join(f"{number} × {kind}" for kind, number in self.count.most_common())
        left = sum(self.count.values()) - len(self.problems)
        more = [f"… and {left} more"] if left else []
        return "\n".join(
            [f"{self.path}: NOT valid ({kinds})", *(f"  {text}" for text in self.problems), *more]
        )


def validate(path: str | Path, task: Task[Any, Any, Any] | None = None, limit: int = 50) -> Validation:
    """Check hashes, schema, rewards, families, acts, the kernel and the manifest's counts.

    Args:
        path: the dataset's folder.
        task: the task; by default the one that the manifest names.
        limit: how many problems are described (all are counted).

    Raises:
        DatasetError: there is no dataset, or no readable manifest; anything else is a problem in the result.
        UnknownTask: the manifest names a task that is not registered here.
    """
    path = locate(path)
    manifest = read_manifest(path)
    if task is None:
        from dialog_envs.registration import get_task

        task = get_task(str(manifest["task"]))
    found = Validation(path, limit)
    if manifest.get("task_version") != task.version:
        found.add(
            "version",
            f"made with version {manifest.get('task_version')} of {task.id}; here it is {task.version}",
        )
    totals, ids, policies, verdicts = Totals(), Counter[str](), Counter[str](), Counter[str]()
    for shard in manifest["shards"]:
        for where, episode in _readable(path, shard, found):
            found.episodes += 1
            totals.add(episode)
            ids[episode.id] += 1
            policies[episode.provenance.policy] += 1
            verdicts[episode.critique.verdict] += 1
            for kind, text in episode_problems(task, episode, str(manifest.get("reward_scheme", "binary"))):
                found.add(kind, f"{where} ({episode.id}): {text}")
    _check_beside(path, manifest, found)
    for name, times in ids.items():
        if times > 1:
            found.add("id", f"'{name}' stands {times} times")
    _compare_counts(found, manifest, totals, policies, verdicts)
    return found


def _readable(path: Path, shard: dict[str, Any], found: Validation) -> Iterator[tuple[str, Episode]]:
    try:
        for number, episode in read_shard(path, shard):
            yield f"{shard['file']} line {number}", episode
    except DatasetError as error:
        found.add("file", str(error))


def _check_beside(path: Path, manifest: dict[str, Any], found: Validation) -> None:
    """What is no part of the data is only to be there, unchanged and readable."""
    if isinstance(dropped := manifest.get("dropped"), dict):
        for _ in _readable(path, dropped, found):
            pass
    for read in (read_people, read_critiques, read_rejected):
        try:
            read(path)
        except DatasetError as error:
            found.add("file", str(error))


def episode_problems(
    task: Task[Any, Any, Any], episode: Episode, scheme: str = "binary"
) -> list[tuple[str, str]]:
    """(kind, text) of everything that is wrong with one episode."""
    problems: list[tuple[str, str]] = []
    if episode.task != task.id:
        return [("task", f"is of task {episode.task}, not {task.id}")]
    if episode.family == UNKNOWN and not episode.persona:
        return _problems_of_a_stranger(task, episode)
    if episode.family not in task.prior.typical:
        problems.append(("held-out family", f"family '{episode.family}' must not occur in training data"))
    if episode.critique.verdict == "dropped":
        problems.append(("critique", "was dropped by the critique, and stands in the data all the same"))
    try:
        persona = task.persona_from_json(episode.persona)
        scenario = task.scenario_from_json(episode.scenario)
    except DialogEnvsError as error:
        return [*problems, ("schema", str(error))]
    if persona.family != episode.family:
        problems.append(("schema", f"says family '{episode.family}', its persona says '{persona.family}'"))
    checks: tuple[tuple[str, Callable[[], str | None]], ...] = (
        ("acts", lambda: misread_turn(task, scenario, episode.turns)),
        ("reward", lambda: _reward_problem(task, persona, scenario, episode, scheme)),
        ("kernel", lambda: _kernel_problem(task, persona, scenario, episode)),
    )
    for kind, check in checks:
        try:
            text = check()
        except DialogEnvsError as error:
            text = str(error)
        if text is not None:
            problems.append((kind, text))
            if kind == "acts":
                break  # score and kernel are defined on acts that the task understands
    return problems


def _problems_of_a_stranger(task: Task[Any, Any, Any], episode: Episode) -> list[tuple[str, str]]:
    """A dialogue from elsewhere whose persona nobody knows: its reward is as it was stated, its acts are read again."""
    try:
        text = misread_turn(task, task.scenario_from_json(episode.scenario), episode.turns)
    except DialogEnvsError as error:
        return [("schema", str(error))]
    return [("acts", text)] if text is not None else []


def _kernel_problem(task: Task[Any, Any, Any], persona: Any, scenario: Any, episode: Episode) -> str | None:
    if episode.provenance.mode == "imagined":
        return None  # nobody played it: what the kernel makes of it stands in its outcome
    return impossible_turn(task, persona, scenario, episode.turns, str(episode.outcome["ended_by"]))


def _reward_problem(
    task: Task[Any, Any, Any], persona: Any, scenario: Any, episode: Episode, scheme: str
) -> str | None:
    outcome = task.score(persona, scenario, episode.turns, str(episode.outcome["ended_by"]))
    wanted = outcome.rewards(scheme)
    if len(wanted) != len(episode.rewards):
        return f"{len(episode.rewards)} rewards are stored, and the task gives {len(wanted)}"
    if any(abs(a - b) > TOLERANCE for a, b in zip(wanted, episode.rewards, strict=True)):
        return f"rewards {list(episode.rewards)} are stored, and persona and trace give {list(wanted)}"
    if outcome.success != episode.outcome["success"]:
        return (
            f"success is stored as {episode.outcome['success']}, and persona and trace give {outcome.success}"
        )
    graded = episode.outcome.get("graded")
    if type(graded) is not float or abs(graded - outcome.graded) > TOLERANCE:
        return f"graded is stored as {graded!r:.40}, and persona and trace give {outcome.graded}"
    return None


def _compare_counts(
    found: Validation,
    manifest: dict[str, Any],
    totals: Totals,
    policies: Counter[str],
    verdicts: Counter[str],
) -> None:
    """What the manifest says of the whole, against the episodes."""
    for name, value in totals.facts().items():
        if manifest.get(name) != value:
            found.add("manifest", f"'{name}' is {manifest.get(name)!r:.200}, and the episodes give {value}")
    stated = manifest.get("policies")
    if isinstance(stated, dict):
        counted = {name: row.get("episodes") for name, row in stated.items() if isinstance(row, dict)}
        if any(counted.get(name) != number for name, number in policies.items()):
            found.add("manifest", f"'policies' counts {counted}, and the episodes give {dict(policies)}")
    critique = manifest.get("critique")
    if isinstance(critique, dict) and "kept" in critique:
        stated = [critique.get("kept"), critique.get("revised")]
        if stated != [verdicts["kept"], verdicts["revised"]]:
            found.add(
                "manifest",
                f"'critique' states kept and revised as {stated}, the episodes give {dict(verdicts)}",
            )
