"""The steps that ``python -m dialog_envs.benchmarks.speed rl`` compares."""

from __future__ import annotations

import gc
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from transformers import GPT2Config, GPT2LMHeadModel

from dialog_envs.agents.attention import training_attention
from dialog_envs.agents.batch import Batch, collate
from dialog_envs.agents.ilql import ILQL, ILQLConfig
from dialog_envs.agents.language_model import DialogueModel
from dialog_envs.agents.sequences import TokenEpisode
from dialog_envs.agents.tokenizer import ROLE_TOKENS
from dialog_envs.agents.trainer import resolve_precision, seeded, threads
from dialog_envs.core.seeding import stream
from dialog_envs.errors import UsageError

TURN = 16
"""Tokens of a turn: agent and user speak equally long."""
SPOKEN = 400
"""Different tokens that the agent of the made-up data says: ``action_vocabulary="data"`` values these."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A backbone of GPT-2's kind, and a batch for it."""

    name: str
    layers: int
    width: int
    attention_heads: int
    vocabulary: int
    dialogues: int
    length: int


SHAPES = {
    shape.name: shape
    for shape in (
        Shape("gpt2", 12, 768, 12, 50257, dialogues=4, length=256),
        Shape("6x384", 6, 384, 6, 50257, dialogues=8, length=256),
        Shape("4x256", 4, 256, 4, 512, dialogues=16, length=256),
    )
}


@dataclass(frozen=True, slots=True)
class Variant:
    """A step that is compared with another."""

    what: str
    settings: dict[str, Any] | None
    """Of ILQL; None is the plain language-model step."""
    precision: str = "fp32"
    beside: str = "plain"
    """What it is divided by."""
    target: float | None = None


_CQL: dict[str, Any] = {"trunk": "shared", "cql_weight": 0.1, "returns_warmup": 0.0}
VARIANTS = {
    "exact": Variant("ILQL with CQL over the whole vocabulary", _CQL),
    "no-cql": Variant("ILQL without CQL", _CQL | {"cql_weight": 0.0}),
    "data": Variant("ILQL with CQL over the data's tokens", _CQL | {"action_vocabulary": "data"}),
    "separate": Variant("ILQL with CQL on a trunk of its own", _CQL | {"trunk": "separate"}),
    "bf16": Variant("ILQL with CQL, bf16 beside fp32", _CQL, "bf16", "exact"),
}
PLAIN = {"plain": Variant("language model", None), "plain-bf16": Variant("language model", None, "bf16")}

TARGETS = {
    ("gpt2", "exact"): 1.6, ("6x384", "exact"): 1.75, ("4x256", "exact"): 1.12,
    **{(name, variant): 1.1 for name in SHAPES for variant in ("no-cql", "data")},
    **{(name, "bf16"): 0.6 for name in SHAPES},
}  # fmt: skip
"""Ratios that are aimed at."""
MEMORY_TARGET = 1.4


def shape_of(name: str, tokens: int | None) -> Shape:
    """A shape by name, its batch of about ``tokens`` tokens.

    Raises:
        UsageError: no such shape.
    """
    if name not in SHAPES:
        raise UsageError(f"there is no shape '{name}': choose {', '.join(SHAPES)}.")
    shape = SHAPES[name]
    return replace(shape, dialogues=max(1, tokens // shape.length)) if tokens else shape


def usable_variants(device: str) -> list[str]:
    """All, bf16 only where the processor computes with it."""
    fast = resolve_precision("auto", device) is not None
    return [name for name, variant in VARIANTS.items() if variant.precision == "fp32" or fast]


class _Roles:
    """Stands for a tokenizer: the role tokens are the first ids."""

    def get_vocab(self) -> dict[str, int]:
        """Token -> id."""
        return {token: i for i, token in enumerate(ROLE_TOKENS)}


def make_batch(shape: Shape, seed: int = 0) -> tuple[list[TokenEpisode], Batch]:
    """Dialogues of equal length in which every other turn is the agent's, and their batch."""
    rng = stream(seed, "speed", "batch")
    own = np.arange(shape.length) // TURN % 2 == 1
    ends = own & (np.arange(shape.length) % TURN == TURN - 1)
    episodes = []
    for i in range(shape.dialogues):
        spoken = rng.integers(len(ROLE_TOKENS), min(shape.vocabulary, SPOKEN), shape.length)
        ids = np.where(own, spoken, rng.integers(len(ROLE_TOKENS), shape.vocabulary, shape.length))
        ids[ends] = ROLE_TOKENS.index("<|end|>")
        rewards = np.zeros(shape.length, dtype=np.float32)
        rewards[np.flatnonzero(ends)[-1]] = rng.random()
        episodes.append(TokenEpisode(ids, own, rewards, True, str(i), float(rewards.sum())))
    return episodes, collate(episodes, 0, ROLE_TOKENS.index("<|end|>"))


def make_step(shape: Shape, name: str, device: str) -> Callable[[], object]:
    """One training step of a kind, ready to be called again and again."""
    variant = (VARIANTS | PLAIN)[name]
    episodes, batch = make_batch(shape)
    batch = batch.to(device)
    with seeded(0, "speed"):
        policy = GPT2LMHeadModel(
            GPT2Config(bos_token_id=1, eos_token_id=1,
                vocab_size=shape.vocabulary, n_positions=1024, n_embd=shape.width, n_layer=shape.layers,
                n_head=shape.attention_heads, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
            )
        )  # fmt: skip
        model = DialogueModel(policy, cast(Any, _Roles()), shape.length)
        learner = ILQL(ILQLConfig(**variant.settings)) if variant.settings is not None else None
        if learner is not None:
            learner.prepare(model, episodes)
    model.to(device).train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4, fused=True)
    dtype = resolve_precision(variant.precision, device)
    following = F.pad(batch.ids[:, 1:], (0, 1), value=-100).flatten()  # what transformers makes of labels

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        lowered = torch.autocast(device, dtype=dtype or torch.bfloat16, enabled=dtype is not None)
        if learner is None:
            with lowered:
                logits = policy(input_ids=batch.ids, use_cache=False).logits
            loss = F.cross_entropy(logits.flatten(0, 1).float(), following)
        else:
            with lowered, training_attention(model, device, dtype):
                loss = learner.loss(model, batch, 1.0)[0]
        loss.backward()
        optimizer.step()
        if learner is not None:
            learner.after_step(model)

    return step


def measure(shape: Shape, name: str, repeats: int, count: int, device: str) -> dict[str, Any]:
    """Median seconds of a step and of the one beside it, taken in turns.

    Args:
        shape: backbone and batch.
        name: of the variant.
        repeats: steps of each.
        count: threads of torch. With one thread processor time is measured, which what else runs disturbs little.
        device: cpu or cuda.
    """
    steps = {kind: make_step(shape, kind, device) for kind in (name, VARIANTS[name].beside)}
    clock = time.process_time if count == 1 and device == "cpu" else time.perf_counter
    taken: dict[str, list[float]] = {kind: [] for kind in steps}
    with threads(count):
        for repeat in range(-1, repeats):  # the first warms up
            for kind, step in steps.items():
                begin = clock()
                step()
                if device != "cpu":
                    torch.cuda.synchronize()
                if repeat >= 0:
                    taken[kind].append(clock() - begin)
    own, other = (statistics.median(taken[kind]) for kind in steps)
    del steps
    gc.collect()
    return {
        "shape": shape.name, "variant": name, "what": VARIANTS[name].what, "beside": VARIANTS[name].beside,
        "tokens": shape.dialogues * shape.length, "seconds": own, "beside_seconds": other, "ratio": own / other,
        "target": TARGETS.get((shape.name, name)),
    }  # fmt: skip


def peak_bytes(shape: Shape, name: str, device: str) -> int:
    """Most memory that two steps take beyond what the process had before the model was there."""
    before = _most_resident()
    step = make_step(shape, name, device)
    step()
    step()
    return int(torch.cuda.max_memory_allocated()) if device != "cpu" else _most_resident() - before


def _most_resident() -> int:
    """Bytes of this process at its largest. Linux's getrusage would count the process that started this one, too."""
    status = Path("/proc/self/status")
    if status.is_file():
        (kilobytes,) = re.findall(r"VmHWM:\s*(\d+) kB", status.read_text())
        return 1024 * int(kilobytes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024)


def line(row: dict[str, Any]) -> str:
    """A row for people."""
    target = f"(at most {row['target']:.2f})" if row["target"] else ""
    text = (
        f"{row['shape']:<6} {row['what']:<42} {row['seconds']:8.3f} s beside {row['beside_seconds']:7.3f} s"
        f"  ratio {row['ratio']:5.2f} {target:<14}"
    )
    if "memory_ratio" in row:
        text += f"  memory {row['megabytes']:,.0f} beside {row['beside_megabytes']:,.0f} MB, {row['memory_ratio']:.2f}"
    return text
