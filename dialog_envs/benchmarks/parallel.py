"""Episodes in several processes: small models and scripted agents use one core each, and a machine has more.

A worker is ``python -m dialog_envs.benchmarks.parallel``. It reads one job as JSON from its standard input and writes
one JSON object a line: first ``{"ready": description}`` or ``{"error": sentence}``, then ``{"episode": record}`` as
each ends. Every episode depends on its own seed alone, so the records are those that one process would make.
"""

from __future__ import annotations

import dataclasses
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from dialog_envs.benchmarks.record import EpisodeRecord
from dialog_envs.benchmarks.suite import Unit
from dialog_envs.benchmarks.tracks import SCRIPTED
from dialog_envs.errors import AgentError, DialogEnvsError

__all__ = ["Job", "NotMade", "available_cores", "play_in_workers", "worker_environment"]


@dataclass(frozen=True, slots=True)
class Job:
    """What every worker does, with units of its own.

    Attributes:
        agent: the agent's name, as :func:`dialog_envs.agents.resolve_agent` reads it.
        task: task id.
        track: the track's name.
        user, options: who plays the user; see :class:`dialog_envs.benchmarks.tracks.Track`.
        reward: reward scheme.
        information: as for :func:`dialog_envs.benchmarks.episode.play_episodes`.
    """

    agent: str
    task: str
    track: str
    reward: str
    information: int | None
    user: str = SCRIPTED
    options: Mapping[str, Any] = field(default_factory=dict)


class NotMade(Exception):
    """An agent cannot be made here: no model, no checkpoint, a mistake in its file.

    Attributes:
        reason: the error to show.
    """

    def __init__(self, reason: DialogEnvsError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def available_cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def worker_environment() -> dict[str, str]:
    """Environment variables of a process that runs this very package on one thread, without progress bars."""
    package = str(Path(__file__).parents[2])
    path = os.pathsep.join(part for part in (package, os.environ.get("PYTHONPATH", "")) if part)
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    quiet = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "TOKENIZERS_PARALLELISM": "false"}
    return {**os.environ, **threads, **quiet, "PYTHONPATH": path}


def play_in_workers(
    job: Job, units: Sequence[Unit], workers: int
) -> Generator[str | EpisodeRecord, None, None]:
    """Play the units in ``workers`` processes of one thread each.

    Yields the agent's description once, then each record as its episode ends. Closing the generator, or an
    interrupt, stops the workers.

    Raises:
        NotMade: the agent cannot be made.
        AgentError: a worker died.
    """
    lines: queue.Queue[dict[str, Any]] = queue.Queue()
    processes = [_start(job, units[number::workers], lines) for number in range(workers)]
    try:
        yield from _records(lines, len(processes))
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _records(lines: queue.Queue[dict[str, Any]], running: int) -> Iterator[str | EpisodeRecord]:
    described = False
    while running:
        message = lines.get()
        if "episode" in message:
            yield EpisodeRecord.from_json(message["episode"])
        elif "ready" in message:
            if not described:
                yield str(message["ready"])
            described = True
        elif "error" in message:
            raise NotMade(AgentError(message["error"]))
        else:
            running -= 1
            if message["end"] != 0:
                raise AgentError(
                    f"a worker process died (exit code {message['end']}; out of memory, perhaps). "
                    "Finished episodes are kept: run again, with --jobs 1 if it happens again."
                )


def _start(job: Job, units: Sequence[Unit], lines: queue.Queue[dict[str, Any]]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "dialog_envs.benchmarks.parallel"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=worker_environment(),
    )
    threading.Thread(target=_feed, args=(process, job, units, lines), daemon=True).start()
    return process


def _feed(
    process: subprocess.Popen[str], job: Job, units: Sequence[Unit], lines: queue.Queue[dict[str, Any]]
) -> None:
    """Hand a worker its job, and pass on what it says until it ends."""
    assert process.stdin is not None and process.stdout is not None
    question = {"job": dataclasses.asdict(job), "units": [dataclasses.asdict(unit) for unit in units]}
    try:
        with process.stdin as stdin:
            stdin.write(json.dumps(question))
        with process.stdout as stdout:
            for line in stdout:
                lines.put(json.loads(line))
    except (OSError, ValueError):
        process.kill()  # it died, or wrote something else; its exit code tells the rest
    lines.put({"end": process.wait()})


# ---- in the worker ---------------------------------------------------------------------------------------------------


def work(source: IO[str], sink: IO[str]) -> None:
    """Read a job, play it, write the records."""
    question = json.load(source)
    job, units = Job(**question["job"]), [Unit(**unit) for unit in question["units"]]

    def say(**message: Any) -> None:
        sink.write(json.dumps(message, ensure_ascii=False) + "\n")
        sink.flush()

    from dialog_envs.agents.registry import resolve_agent
    from dialog_envs.benchmarks.episode import make_env, play_episodes
    from dialog_envs.registration import get_task

    try:
        spec, task = resolve_agent(job.agent), get_task(job.task)
        agent = spec.build(task)
    except DialogEnvsError as error:
        return say(error=str(error))
    description = getattr(agent, "description", "")
    say(ready=description if isinstance(description, str) else "")
    made, build = [agent], spec.build
    spec = dataclasses.replace(spec, build=lambda task: made.pop() if made else build(task))
    for record in play_episodes(
        spec,
        task,
        units,
        lambda: make_env(job.task, job.user, job.reward, job.options),
        information=job.information,
        track=job.track,
    ):
        say(episode=json.loads(record.to_line()))


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the parent, which ends its workers
    sink = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever an agent prints must not stand between the records
    try:
        work(sys.stdin, sink)
    except BrokenPipeError:
        os._exit(0)  # the parent is gone


if __name__ == "__main__":
    _main()
