"""How many dialogues a second the imagination engine makes.

Rollouts of scripted policies with scripted users, critique included; and against a server on loopback that answers
every request after 50 ms, 64 requests in flight: rollouts in which a chat model says every turn of the agent, beside
the bare client (requests of 4 KB, nothing done with the replies), and whole dialogues imagined and read by the kernel.
Everything that an ordinary run does is counted: every reply is kept on disk, all of it is read, scored and written.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from dialog_envs.benchmarks.speed.llm import DELAY, loopback, through
from dialog_envs.registration import get_task
from dialog_envs.simulators.imagination import imagine
from dialog_envs.simulators.llm import ChatModel, get_chat_model

IN_FLIGHT = 64
TASK = "PreferenceElicitation-v0"
SAYS = (
    "What kind of activity do you enjoy?",
    "Do you like it quiet, or with more people around?",
    "Would you rather be indoors or outdoors?",
    "How much would you like to spend?",
    "How much time do you have?",
    "Is there anything that I have to keep in mind?",
    "Do you like it relaxed or active?",
)
"""What the server says as the agent, by turns: all of it is understood, so that users answer it."""


def scripted(task: str, episodes: int) -> dict[str, float]:
    """Rollouts without any model."""
    with tempfile.TemporaryDirectory() as folder:
        begin, cpu = time.perf_counter(), time.process_time()
        dataset = imagine(task, Path(folder) / "data", episodes, 0)
        seconds, used = time.perf_counter() - begin, time.process_time() - cpu
    turns = dataset.manifest["counts"]["turns"]
    return {
        "seconds": seconds,
        "cpu_seconds": used,
        "dialogues_per_second": episodes / seconds,
        "turns": turns,
    }


def served(transport: str, seconds: float, rollouts: int) -> dict[str, float]:
    """Turns a second of the bare client and of rollouts in which the model says every agent turn."""
    from dialog_envs.agents.prompted import PromptedAgent

    options = f"transport={transport}&max_in_flight={IN_FLIGHT}"
    with loopback(DELAY, SAYS) as url:
        model = get_chat_model(f"openai:loopback?base_url={url}&{options}")
        before = through(model, IN_FLIGHT, seconds)
        speaker = PromptedAgent(model, mode="free", task=TASK)
        made = _timed(model, rollouts, policies={"model": 1.0}, speakers={"model": speaker}, critique=False)
        after = through(model, IN_FLIGHT, seconds)
    bare = (before + after) / 2
    turns = made["calls"] / made["seconds"]
    return {"bare": bare, "rollout": turns, "ratio": turns / bare}


def imagined(transport: str, dialogues: int) -> dict[str, float]:
    """Whole dialogues a second: the reply is a good dialogue, the criteria are those of the rules."""
    brief = get_task(TASK).task_brief
    options = f"transport={transport}&max_in_flight={IN_FLIGHT}"
    with loopback(DELAY, [brief.transcript(brief.examples[0])]) as url:
        model = get_chat_model(f"openai:loopback?base_url={url}&{options}")
        made = _timed(model, dialogues, mode="imagine", imaginer=model, personas=0, critique=False)
    return {
        "dialogues_per_second": made["dialogues"] / made["seconds"],
        "turns_per_second": made["turns"] / made["seconds"],
    }


def _timed(model: ChatModel, dialogues: int, **options: Any) -> dict[str, float]:
    """A dataset made, with the time it took."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        dataset = imagine(TASK, Path(folder) / "data", dialogues, 0, **options)
        seconds = time.perf_counter() - begin
    manifest = dataset.manifest
    calls = sum(row["calls"] for row in manifest["cost"]["usage"].values())
    return {
        "seconds": seconds,
        "dialogues": len(dataset),
        "turns": manifest["counts"]["turns"],
        "calls": calls,
    }


def measure(seconds: float, episodes: int) -> dict[str, Any]:
    """Everything that the command prints."""
    import importlib.util

    fast = all(importlib.util.find_spec(name) for name in ("aiohttp", "orjson"))
    transports = ("sdk", "fast") if fast else ("sdk",)
    # So many that what is done once, at the end, weighs little.
    rollouts = max(IN_FLIGHT * 2, int(seconds * 600))
    return {
        "scripted": {TASK: scripted(TASK, episodes)},
        "served": {transport: served(transport, seconds, rollouts) for transport in transports},
        "imagined": {transport: imagined(transport, 2 * rollouts) for transport in transports},
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "cores": os.cpu_count(),
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="of the bare client; rollouts take several times as long"
    )
    parser.add_argument("--episodes", type=int, default=1000, help="scripted rollouts")
    parser.add_argument("--json", action="store_true")


def run_command(options: argparse.Namespace) -> None:
    """Measure, and print."""
    result = measure(options.seconds, options.episodes)
    if options.json:
        print(json.dumps(result))
        return
    print(f"{TASK}, {result['cores']} cores, load {result['load']:.1f}")
    for row in result["scripted"].values():
        print(
            f"  {options.episodes:,} scripted rollouts, critique included: {row['seconds']:.1f} s "
            f"({row['cpu_seconds']:.1f} s of processor), {row['dialogues_per_second']:,.0f} dialogues/s"
        )
    print(f"  {DELAY * 1000:.0f} ms on loopback, {IN_FLIGHT} in flight:")
    print(
        f"  {'transport':<12}{'bare turns/s':>14}{'rollout turns/s':>17}{'ratio':>8}{'imagined dialogues/s':>22}"
    )
    for name, row in result["served"].items():
        made = result["imagined"][name]["dialogues_per_second"]
        print(f"  {name:<12}{row['bare']:>14,.0f}{row['rollout']:>17,.0f}{row['ratio']:>8.0%}{made:>22,.0f}")
