"""``python -m dialog_envs.benchmarks.speed env``: how fast the scripted environment is, beside an empty text one.

Time is the processor time of one thread, so that what else the machine does counts little; the empty environment
shows, in the same minute, what the machine can do.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import json
import pstats
import resource
import sys
import time
from typing import Any

import gymnasium as gym
import numpy as np

import dialog_envs  # noqa: F401  (registers the environments)
from dialog_envs.agents.scripted import ScriptedAgent
from dialog_envs.core.env import DialogEnv, agent_seed
from dialog_envs.core.seeding import stream
from dialog_envs.core.spaces import action_space, observation_space

RECORDED = 300
"""Episodes of suboptimal agents whose utterances are replayed, so that no agent's time is counted."""


class EmptyTextEnv(gym.Env[Any, str]):
    """The least that a text environment does: appends turns, understands nothing, ends after six."""

    def __init__(self) -> None:
        self.observation_space = observation_space()
        self.action_space = action_space()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """No dialogue."""
        super().reset(seed=seed)
        self._texts: tuple[str, ...] = ()
        return self._observation(), {}

    def step(self, action: str) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Echo."""
        self._texts = (*self._texts, action, "I see.")
        return self._observation(), 0.0, len(self._texts) >= 12, False, {}

    def _observation(self) -> dict[str, Any]:
        # New dicts each time, as Gymnasium asks for: what was handed out may be kept.
        turns = tuple([{"speaker": i % 2, "text": text} for i, text in enumerate(self._texts)])
        return {"brief": "", "dialogue": turns}


def record_utterances(env_id: str, episodes: int = RECORDED) -> list[tuple[int, list[str]]]:
    """(seed, agent utterances) of episodes that a mixture of scripted policies plays."""
    env = gym.make(env_id, disable_env_checker=True).unwrapped
    assert isinstance(env, DialogEnv)
    names = list(env.task.behaviour_mixture)
    weights = np.array(list(env.task.behaviour_mixture.values()))
    found = []
    for seed in range(episodes):
        name = names[int(stream(seed, "speed").choice(len(names), p=weights / weights.sum()))]
        agent = ScriptedAgent(name, env.task)
        observation, _ = env.reset(seed=seed)
        agent.start(observation["brief"], agent_seed(seed))
        texts: list[str] = []
        ended = False
        while not ended:
            texts.append(agent.act(observation))
            observation, _, terminated, truncated, _ = env.step(texts[-1])
            ended = terminated or truncated
        found.append((seed, texts))
    return found


def run(env: gym.Env[Any, str], script: list[tuple[int, list[str]]], steps: int, offset: int = 0) -> float:
    """Processor seconds for ``steps`` steps, resets included. ``offset`` moves the seeds: new users, same words."""
    done = 0
    begin = time.process_time()
    while done < steps:
        for seed, texts in script:
            env.reset(seed=seed + offset)
            for text in texts:
                _, _, terminated, truncated, _ = env.step(text)
                done += 1
                if terminated or truncated:
                    break
        offset += len(script)
    return (time.process_time() - begin) * steps / done


def measure(env_id: str, steps: int, parts: int) -> dict[str, Any]:
    """Steps per second in ``parts`` stretches of one long run, memory before and after, and the empty environment's."""
    script = record_utterances(env_id)
    env, empty = gym.make(env_id), gym.make(_empty_id())
    run(env, script, 2_000)
    run(empty, script, 2_000)
    rates, memory = [], [_megabytes()]
    for part in range(parts):
        rates.append(steps / run(env, script, steps, offset=1_000_000 * (part + 1)))
        memory.append(_megabytes())
        print(f"  {part + 1}/{parts}: {rates[-1]:,.0f} steps/s, {memory[-1]:.0f} MB", file=sys.stderr)
    empty_rate = steps / run(empty, script, steps)
    return {
        "environment": env_id,
        "steps": steps * parts,
        "steps_per_second": rates,
        "empty_steps_per_second": empty_rate,
        "ratio_to_empty": float(np.mean(rates)) / empty_rate,
        "last_over_first": rates[-1] / rates[0],
        "megabytes": memory,
    }


def profile(env_id: str, steps: int = 20_000, rows: int = 14) -> str:
    """Where a step's time goes: the functions with the most time of their own."""
    script, env = record_utterances(env_id), gym.make(env_id)
    run(env, script, 2_000)
    profiler = cProfile.Profile()
    profiler.enable()
    run(env, script, steps, offset=50_000_000)
    profiler.disable()
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime").print_stats(rows)
    return "\n".join(line for line in text.getvalue().splitlines()[6:] if line.strip())


def _empty_id() -> str:
    if "EmptyText-v0" not in gym.registry:
        gym.register("EmptyText-v0", entry_point=lambda **_: EmptyTextEnv())
    return "EmptyText-v0"


def _megabytes() -> float:
    """Largest resident memory so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024.0 * 1024.0 if sys.platform == "darwin" else 1024.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--env", default="PreferenceElicitation-v0")
    parser.add_argument("--steps", type=int, default=50_000, help="steps of each stretch")
    parser.add_argument("--parts", type=int, default=4, help="stretches; 20 with 50,000 steps make a million")
    parser.add_argument("--json", action="store_true")


def run_command(options: argparse.Namespace) -> None:
    """Measure, and print."""
    result = measure(options.env, options.steps, options.parts)
    if options.json:
        print(json.dumps(result))
        return
    print(
        f"{options.env}, scripted user, Gymnasium's default wrappers, one thread, {result['steps']:,} steps with resets"
    )
    print(
        f"  steps/s        {np.mean(result['steps_per_second']):>10,.0f}   (empty text environment: "
        f"{result['empty_steps_per_second']:,.0f}; ratio {result['ratio_to_empty']:.2f})"
    )
    print(f"  last / first   {result['last_over_first']:>10.2f}")
    print(
        f"  peak memory    {result['megabytes'][0]:>10.0f} MB at the start, {result['megabytes'][-1]:.0f} MB at the end"
    )
    print("where the time goes (profiled, 20,000 steps):")
    print(profile(options.env))
