"""Batched decoding with value heads, beside the same backbone without them; and what an evaluation makes of it.

Both decode the same number of tokens for the same dialogues out of preallocated keys and values, on one thread, in
processor time by turns. The plain decoder does for a token what any must: trunk, output layer, top-k, softmax, a draw.
With a checkpoint and ``--play``, whole episodes with scripted users are counted as well, beside the agent's own part.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

TARGET = 1.25
"""At most so many times the plain decoder's time, with value heads on a shared trunk."""
TARGET_LOOP = 0.8
"""Least share of the agent's own episodes a second that the whole loop reaches."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--dialogues", type=int, default=64, help="decoded side by side")
    parser.add_argument("--prefix", type=int, default=150, help="tokens before the first new one")
    parser.add_argument("--tokens", type=int, default=32, help="new tokens of each dialogue")
    parser.add_argument("--repeats", type=int, default=5, help="by turns; the median counts")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--checkpoint", type=Path, help="a learned agent, for --play")
    parser.add_argument(
        "--play", type=int, default=0, help="episodes to play with it, after as many to warm up"
    )
    parser.add_argument("--json", action="store_true")


def run_command(options: argparse.Namespace) -> None:
    """Measure, and print."""
    import torch

    torch.set_num_threads(1)
    rows = [_decoding(options, trunk) for trunk in ("shared", "separate")]
    if options.checkpoint is not None and options.play:
        rows.append(_loop(options.checkpoint, options.play))
    if options.json:
        print(json.dumps({"device": options.device, "rows": rows}))
        return
    for row in rows:
        print(_line(row))


def _decoding(options: argparse.Namespace, trunk: str) -> dict[str, Any]:
    """The default model with value heads on a trunk of this kind, beside itself without them."""
    import torch

    from dialog_envs.agents.decoding import DecodingConfig, generate
    from dialog_envs.agents.language_model import ModelConfig, build_model
    from dialog_envs.agents.trainer import seeded

    words = [f"{a}{b}{c}" for a in "abcdefgh" for b in "ijklmno" for c in "pqrstuvw"]
    with seeded(0, "speed"):
        model = build_model(ModelConfig(), [" ".join(words)] * 3)
        model.add_heads(trunk=trunk)
    model.to(options.device).eval()
    with torch.no_grad():  # nobody ends a turn, so all work is the same
        embedded = model.policy.get_output_embeddings().weight
        assert isinstance(embedded, torch.Tensor)
        embedded[model.end_id] = 0.0
    rng = np.random.default_rng(0)
    prefixes = rng.integers(300, model.vocabulary, (options.dialogues, options.prefix)).tolist()
    uniforms = rng.random((options.dialogues, options.tokens))
    seconds: dict[float, list[float]] = {0.0: [], 4.0: []}
    written: dict[float, int] = {}
    for repeat in range(options.repeats + 1):
        for beta, times in seconds.items():
            config = DecodingConfig(beta=beta, max_tokens=options.tokens, top_k=20)
            begun = _now(options.device)
            out = generate(model, prefixes, uniforms, config)
            if repeat:  # the first is for warming up
                times.append(_now(options.device) - begun)
            written[beta] = sum(map(len, out))
    plain, valued = (statistics.median(seconds[b]) / max(written[b], 1) for b in (0.0, 4.0))
    return {
        "what": f"value heads, {trunk} trunk", "tokens_per_second": 1 / valued, "plain_tokens_per_second": 1 / plain,
        "ratio": valued / plain, "target": TARGET if trunk == "shared" else None,
    }  # fmt: skip


def _now(device: str) -> float:
    """Processor time; on a GPU the clock, when it is done."""
    if device == "cpu":
        return time.process_time()
    import torch

    torch.cuda.synchronize()
    return time.perf_counter()


def _loop(checkpoint: Path, count: int) -> dict[str, Any]:
    """Episodes a second of the whole loop and of the agent's part of it, in processor time."""
    from dialog_envs.agents.checkpoint import read_training
    from dialog_envs.agents.learned import LearnedAgent
    from dialog_envs.benchmarks.diagnostics.dialogues import played
    from dialog_envs.registration import get_task

    task = get_task(read_training(checkpoint)["task"])
    agent = LearnedAgent.from_pretrained(checkpoint)
    timed = _Timed(agent)
    played(
        timed, task, min(count, 16), "hard"
    )  # others than those that count; reads word lists, makes buffers
    timed.seconds = 0.0
    begun = time.process_time()
    played(timed, task, count, "typical")
    whole = time.process_time() - begun
    return {
        "what": f"{count} episodes of {task.id} with {checkpoint.name}", "episodes_per_second": count / whole,
        "agent_episodes_per_second": count / timed.seconds, "ratio": timed.seconds / whole, "target": TARGET_LOOP,
    }  # fmt: skip


class _Timed:
    """An agent that counts its own processor time."""

    def __init__(self, agent: Any) -> None:
        self.agent, self.seconds = agent, 0.0

    def act_batch(self, observations: Any, seeds: Any) -> list[str]:
        """What the agent says."""
        begun = time.process_time()
        texts: list[str] = self.agent.act_batch(observations, seeds)
        self.seconds += time.process_time() - begun
        return texts


def _line(row: dict[str, Any]) -> str:
    if "tokens_per_second" in row:
        target = f"  (target: at most {row['target']})" if row["target"] else ""
        return (
            f"{row['what']:<40} {row['tokens_per_second']:>8,.0f} tokens/s, {row['plain_tokens_per_second']:>8,.0f} "
            f"without: {row['ratio']:.2f} times the time{target}"
        )
    return (
        f"{row['what']:<40} {row['episodes_per_second']:.1f} episodes/s, {row['agent_episodes_per_second']:.1f} "
        f"in the agent alone: {row['ratio']:.2f}  (target: at least {row['target']})"
    )
