"""Running a suite: from agents and a folder to a leaderboard.

:func:`run_suite` is what ``dialog-envs eval`` calls. Call it again and it plays what is missing, and nothing else.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from dialog_envs.agents.registry import AgentSpec
from dialog_envs.benchmarks import episode
from dialog_envs.benchmarks.journal import RunFolder, read_episodes
from dialog_envs.benchmarks.leaderboard import Leaderboard, build_leaderboard
from dialog_envs.benchmarks.parallel import Job, NotMade, available_cores, play_in_workers
from dialog_envs.benchmarks.progress import Progress, note
from dialog_envs.benchmarks.record import EpisodeRecord
from dialog_envs.benchmarks.suite import Suite, Unit
from dialog_envs.benchmarks.tracks import Track, shown_model
from dialog_envs.errors import BudgetExceeded, DialogEnvsError, RunFolderError

__all__ = ["Contestant", "Run", "read_run", "read_runs", "run_suite"]

_GIVE_UP = 8
"""Unscored episodes in a row after which an agent is left for the next run: something is down."""
_WORTH_A_PROCESS = 50
"""Episodes of an agent for which starting another process pays."""
_WORTH_A_PROCESS_PLAYED = 4
"""The same where a model plays the user."""
_USER_THREADS = 8
"""Users that are asked at the same moment, where they are not scripted and cannot be asked together."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """An agent that takes part in a run.

    Attributes:
        spec: the agent.
        episodes_per_family: cap for a slow one; it plays the first units of every family.
        optional: leave it out with a note if it cannot be made.
    """

    spec: AgentSpec
    episodes_per_family: int | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """What a run came to.

    Attributes:
        folder: the run folder.
        leaderboard: over all agents in the folder.
        played: episodes played now; the rest was there.
        missing: episodes that are still to do (unscored, or an agent was given up).
    """

    folder: Path
    leaderboard: Leaderboard
    played: int
    missing: int


def run_suite(
    suite: Suite,
    contestants: Sequence[Contestant],
    folder: str | Path,
    *,
    split: str = "report",
    redo: Sequence[str] = (),
    jobs: int | None = None,
    quiet: bool = False,
    get_task: Callable[[str], Any] | None = None,
    make_env: Callable[[str], Any] | None = None,
) -> Run:
    """Score agents on a suite.

    Args:
        suite: what is played.
        contestants: who plays.
        folder: the run folder; what it holds already is not played again.
        split: ``"report"`` or ``"validation"`` seeds.
        redo: names of agents whose episodes are dropped first; ``"changed"``: those whose code or weights changed.
        jobs: processes for agents that gain from several; one a core by default.
        quiet: no progress on standard error.
        get_task, make_env: where tasks and environments come from, by task id; the registered ones by default.

    Raises:
        DialogEnvsError: a run folder of other settings, an agent that cannot be made, an unknown task or family.
        KeyboardInterrupt: passed on; everything finished is kept.
    """
    from dialog_envs import registration

    find = get_task or registration.get_task
    tasks = {name: find(name) for name in suite.tasks}
    families = {
        name: {"typical": task.prior.typical, "hard": task.prior.hard} for name, task in tasks.items()
    }
    units = suite.units(families, split)
    _refuse_doubles(contestants)
    tracks = _open_tracks(suite, make_env, quiet)
    versions = _versions(suite, split, tasks, tracks)
    settings = {
        "suite": suite.name,
        "split": split,
        "tasks": [f"{name} {version}" for name, version in versions["tasks"].items()],
        "episodes": suite.fingerprint(split),
    }
    begun = time.monotonic()
    with RunFolder(folder, settings) as run:
        if run.repaired and not quiet:
            note(f"the last line of '{run.path}/episodes.jsonl' was cut short; that episode is played again.")
        workers = (jobs or available_cores()) if get_task is None and make_env is None else 1
        for contestant in contestants:
            _claim(run, redo, contestant.spec)
        parts: list[_Part] = []
        for track in tracks:
            run.claim_track(track.track.name, track.facts())
            plan = _Plan(run, suite, track, tasks, units, workers, quiet)
            parts += [(plan, contestant, task) for contestant, task in plan.cast(contestants)]
        parts, stopped = _play_parts(parts)
        records = list(run.records.values())
        versions["users"] = {name: facts["version"] for name, facts in run.tracks.items()}
        versions["agents"] = run.agents
        main = next(iter(run.tracks), suite.main.name)  # the folder's first: others stand beside it
        board = build_leaderboard(records, suite.name, main, suite.baseline, versions)
        missing = sum(len(plan.missing(contestant, task)) for plan, contestant, task in parts)
        run.sync()
        run.write_manifest(_manifest(versions, suite, board, missing, run.added, time.monotonic() - begun))
    if stopped is not None:
        raise stopped
    return Run(Path(folder), board, run.added, missing)


def read_run(folder: str | Path) -> tuple[Leaderboard, list[Any]]:
    """The leaderboard of a run folder, made again from its episodes, and the episodes.

    Raises:
        RunFolderError: there is no run in the folder.
    """
    import json

    manifest = Path(folder) / "manifest.json"
    try:
        facts = json.loads(manifest.read_text("utf-8"))
        head = facts["leaderboard"]
    except FileNotFoundError as error:
        raise RunFolderError(f"there is no run in '{folder}': it has no manifest.json.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFolderError(
            f"'{manifest}' cannot be read: {error}. Run the evaluation again to repair it."
        ) from error
    records = read_episodes(folder)
    board = build_leaderboard(records, head["suite"], head["track"], head["baseline"], facts["versions"])
    return board, records


def read_runs(folders: Sequence[str | Path]) -> tuple[Leaderboard, list[EpisodeRecord]]:
    """One leaderboard of several run folders: agents that played the same episodes with different users, side by side.

    A track that another folder holds too, with another version of its users, goes by its folder's name as well. Where
    two folders hold the same episode, the later one's counts.

    Raises:
        RunFolderError: there is no run in a folder, or another version of a task was played in it.
    """
    first, _ = read_run(folders[0])
    versions: dict[str, Any] = {**first.versions, "users": {}, "agents": {}}
    records: dict[Any, EpisodeRecord] = {}
    for folder in folders:
        board, found = read_run(folder)
        _refuse_other_tasks(first, board, folder)
        names = {}
        for track, version in board.versions["users"].items():
            taken = versions["users"].get(track, version) != version
            names[track] = f"{track}, {Path(folder).name}" if taken else track
            versions["users"][names[track]] = version
        versions["agents"] |= board.versions.get("agents", {})
        for record in found:
            record = replace(record, track=names.get(record.track, record.track))
            records[record.key] = record
    together = list(records.values())
    baseline = first.paired[0].baseline if first.paired else ""
    return build_leaderboard(together, first.suite, first.track, baseline, versions), together


def _refuse_other_tasks(first: Leaderboard, other: Leaderboard, folder: str | Path) -> None:
    mine, theirs = first.versions["tasks"], other.versions["tasks"]
    for task in mine.keys() & theirs.keys():
        if mine[task] != theirs[task]:
            raise RunFolderError(
                f"'{folder}' holds episodes of {task} {theirs[task]}, and the first run {task} {mine[task]}: their "
                "scores cannot be compared."
            )


@dataclass(frozen=True, slots=True)
class _OpenTrack:
    """A track whose users can be had here."""

    track: Track
    version: str
    make_env: Callable[[str], Any]

    def facts(self) -> dict[str, str]:
        """As in ``config.toml``."""
        user, model = self.track.user, self.track.model
        shown = {} if model is None else {"model": shown_model(user, model)}
        return {"user": user, **shown, "version": self.version}


def _open_tracks(suite: Suite, make_env: Callable[[str], Any] | None, quiet: bool) -> list[_OpenTrack]:
    """The suite's tracks with the versions of their users; optional ones without their model are left out."""
    found = []
    for track in suite.tracks:
        if (reason := track.available()) is not None and track.optional:
            if not quiet:
                note(f"track {track.name}: left out: {reason}")
            continue
        given = make_env if track == suite.main else None
        make = given or partial(_make_env, track.user, suite.reward, track.user_options)
        env = make(suite.tasks[0])
        version = str(getattr(getattr(env, "user", None), "version", "unknown"))
        env.close()
        found.append(_OpenTrack(track, version, make))
    return found


def _make_env(user: str, reward: str, options: Mapping[str, Any], task: str) -> Any:
    return episode.make_env(task, user, reward, options)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the agents of a run have in common on a track."""

    run: RunFolder
    suite: Suite
    open: _OpenTrack
    tasks: Mapping[str, Any]
    units: Sequence[Unit]
    workers: int
    quiet: bool

    @property
    def track(self) -> Track:
        """Who plays the user."""
        return self.open.track

    def cast(self, contestants: Sequence[Contestant]) -> Iterator[tuple[Contestant, str]]:
        """Who plays which task, agent after agent."""
        for contestant in contestants:
            if self.track.agents and contestant.spec.name not in self.track.agents:
                continue
            for task in self.tasks:
                if not self.track.tasks or task in self.track.tasks:
                    yield contestant, task

    def missing(self, contestant: Contestant, task: str) -> list[Unit]:
        """The units of a task that an agent has no score on."""
        name, track = contestant.spec.name, self.track.name
        caps = [cap for cap in (contestant.episodes_per_family, self.track.episodes_per_family) if cap]

        def done(unit: Unit) -> bool:
            record = self.run.records.get((name, unit.task, unit.family, unit.seed, track))
            return record is not None and not record.unscored

        mine = (unit for unit in self.units if unit.task == task)
        return [unit for unit in mine if all(unit.index < cap for cap in caps) and not done(unit)]


_Part: TypeAlias = tuple[_Plan, Contestant, str]
"""An agent on a task of a track."""


def _play_parts(parts: Sequence[_Part]) -> tuple[list[_Part], BaseException | None]:
    """Play them all: without those that were left out, and what ended it before its time.

    An interrupt, and the end of the money, are no reason to leave a folder that cannot be looked at.
    """
    kept = list(parts)
    for part in parts:
        plan, contestant, task = part
        try:
            _run_agent(plan, contestant, task)
        except NotMade as error:
            if not contestant.optional:
                raise error.reason from error
            note(f"{contestant.spec.name}: left out of {task}: {error.reason}")
            kept.remove(part)
        except (BudgetExceeded, KeyboardInterrupt) as error:
            return kept, error
    return kept, None


def _run_agent(plan: _Plan, contestant: Contestant, task: str) -> None:
    """Play what is missing of one agent on one task."""
    spec, run = contestant.spec, plan.run
    todo = plan.missing(contestant, task)
    unscored = 0
    last = None
    label = spec.name if len(plan.tasks) == 1 else f"{task} {spec.name}"
    label += "" if plan.track == plan.suite.main else f", users: {plan.track.name}"
    with (
        Progress(label, len(todo), quiet=plan.quiet or not todo) as progress,
        closing(_episodes(plan, spec, task, todo)) as episodes,
    ):
        for record in episodes:
            run.add(record)
            progress.advance()
            if record.blame == "agent" and record.error != last and not plan.quiet:
                note(f"{spec.name}: an episode failed, and counts 0: {record.error}")
                last = record.error
            unscored = unscored + 1 if record.unscored else 0
            if unscored >= _GIVE_UP:
                words = f"{unscored} episodes in a row unscored ({record.error})"
                note(f"{spec.name}: {words}; left for the next run.")
                break


def _claim(run: RunFolder, redo: Sequence[str], spec: AgentSpec) -> None:
    """Make sure that the folder's episodes under the agent's name are its own."""
    if spec.name in redo:
        run.forget(spec.name)
    if run.claim(spec.name, spec.source, spec.fingerprint):
        return
    if "changed" not in redo:
        raise RunFolderError(
            f"the run folder '{run.path}' holds episodes of another version of agent '{spec.name}'. "
            f"Score it afresh with --redo {spec.name}, or under a new name: --agent NEW={spec.source}."
        )
    run.forget(spec.name)
    run.claim(spec.name, spec.source, spec.fingerprint)


def _episodes(
    plan: _Plan, spec: AgentSpec, task: str, units: Sequence[Unit]
) -> Generator[EpisodeRecord, None, None]:
    """The records of the units, in several processes where that pays.

    Raises:
        NotMade: the agent cannot be built here.
    """
    if not units:
        return
    suite, described = plan.suite, False
    for item in _play(plan, spec, task, units, suite.information_per_family):
        if isinstance(item, EpisodeRecord):
            yield item
        elif not described:
            plan.run.claim(spec.name, spec.source, spec.fingerprint, item)
            described = True


def _play(
    plan: _Plan, spec: AgentSpec, task: str, units: Sequence[Unit], information: int | None
) -> Iterator[str | EpisodeRecord]:
    """The agent's description, then its records."""
    track, reward = plan.track, plan.suite.reward
    worth = _WORTH_A_PROCESS if track.scripted else _WORTH_A_PROCESS_PLAYED
    workers = min(plan.workers, len(units) // worth) if track.local else 1
    if spec.elsewhere is not None and workers > 1:
        job = Job(spec.elsewhere, task, track.name, reward, information, track.user, track.user_options)
        with closing(play_in_workers(job, units, workers)) as items:
            yield from items
        return
    made, description = _made_once(spec, plan.tasks[task])
    yield description
    threads = 1 if track.scripted else _USER_THREADS
    env = partial(plan.open.make_env, task)
    with closing(
        episode.play_episodes(
            made,
            plan.tasks[task],
            units,
            env,
            user_threads=threads,
            information=information,
            track=track.name,
        )
    ) as records:
        yield from records


def _made_once(spec: AgentSpec, task: Any) -> tuple[AgentSpec, str]:
    """The same agent, whose first building has already happened, and its description.

    Raises:
        NotMade: it cannot be built here.
    """
    try:
        first = [spec.build(task)]
    except DialogEnvsError as error:
        raise NotMade(error) from error
    description = getattr(first[0], "description", "")
    again = replace(spec, build=lambda task: first.pop() if first else spec.build(task))
    return again, description if isinstance(description, str) else ""


def _refuse_doubles(contestants: Sequence[Contestant]) -> None:
    names = [contestant.spec.name for contestant in contestants]
    for name in names:
        if names.count(name) > 1:
            raise DialogEnvsError(
                f"two agents are called '{name}': give one another name with --agent NAME=…"
            )


def _versions(
    suite: Suite, split: str, tasks: Mapping[str, Any], tracks: Sequence[_OpenTrack]
) -> dict[str, Any]:
    import dialog_envs

    return {
        "dialog_envs": getattr(dialog_envs, "__version__", "unknown"),
        "tasks": {name: task.version for name, task in tasks.items()},
        "users": {track.track.name: track.version for track in tracks},
        "split": split,
        "python": platform.python_version(),
    }


def _manifest(
    versions: Mapping[str, Any], suite: Suite, board: Leaderboard, missing: int, played: int, seconds: float
) -> dict[str, Any]:
    rows = [row for row in board.rows if row.users in ("typical", "hard")]
    return {
        "schema": 1,
        "leaderboard": {"suite": suite.name, "track": board.track, "baseline": suite.baseline},
        "versions": dict(versions),
        "episodes": {
            "scored": sum(row.episodes for row in rows),
            "unscored": sum(row.unscored for row in rows),
        },
        "missing": missing,
        "last_run": {
            "played": played,
            "seconds": round(seconds, 1),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        },
        "host": {"system": platform.system(), "machine": platform.machine(), "cpus": os.cpu_count()},
    }
