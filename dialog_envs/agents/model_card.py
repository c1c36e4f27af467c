"""The page beside a checkpoint: README.md, with the front matter that the Hugging Face Hub reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dialog_envs import __version__

CARD = "README.md"


def model_card(record: Mapping[str, Any], name: str) -> str:
    """The page of a checkpoint, in Markdown.

    Args:
        record: ``training.json``.
        name: of the checkpoint, for its heading and the examples.
    """
    shape = record.get("shape") or {}
    backbone = str(shape.get("backbone", "small"))
    front = ["library_name: transformers", "pipeline_tag: text-generation"]
    if "/" in backbone and not Path(backbone).exists():
        front.append(f"base_model: {backbone}")
    tags = [
        "dialogue",
        "offline-reinforcement-learning",
        "dialog-envs",
        str(record["task"]),
        str(record["algorithm"]),
    ]
    front += ["tags:", *[f"- {tag}" for tag in tags]]
    parts = [
        "---", *front, "---", "",
        f"# {name}: {record['algorithm']} for {record['task']}", "",
        f"An agent for the goal-directed dialogue environment `{record['task']}`, trained with `{record['algorithm']}` "
        f"by dialog-envs {__version__}. It is meant for that task's simulated users: the model writes the task's "
        "shorthand, which the library turns into sentences.", "",
        "## How to load it", "", *_loading(record, name), "",
        "## Training", "", *_training(record, backbone), "",
        "## Losses", "", *_losses(record), "",
        "## Settings", "", "```json", json.dumps(record["config"], indent=1), "```", "",
    ]  # fmt: skip
    return "\n".join(parts)


def write_card(record: Mapping[str, Any], folder: Path, name: str) -> None:
    """Writes the page into a checkpoint's folder."""
    (folder / CARD).write_text(model_card(record, name), encoding="utf-8")


def _loading(record: Mapping[str, Any], name: str) -> Iterator[str]:
    yield from (
        "```python",
        "from dialog_envs.agents.learned import LearnedAgent",
        "",
        f'agent = LearnedAgent.from_pretrained("{name}")  # the folder',
        "```",
        "",
        f"or `dialog-envs eval --agent {record['algorithm']}={name}` for its score. The policy alone, without value "
        "heads, is a causal language model that `AutoModelForCausalLM.from_pretrained` loads.",
    )


def _training(record: Mapping[str, Any], backbone: str) -> Iterator[str]:
    report = record["report"]
    yield "| what | value |"
    yield "|---|---|"
    start = f"the checkpoint `{record['init']}`" if record.get("init") else f"`{backbone}`"
    rows: dict[str, Any] = {
        "task": f"{record['task']}, version {record['task_version']}",
        "data (fingerprint)": f"`{record['data']}`, {record['episodes']:,} episodes used",
        "starts from": start,
        "parameters": f"{record['parameters']:,}, of which {record['learning']:,} learned",
        "LoRA": f"rank {record['lora_rank']}" if record.get("lora_rank") else "no",
        "seed": record["seed"],
        "optimiser": {"muon": "Muon, and AdamW beside it"}.get(report.get("optimizer", ""), "AdamW"),
        "optimiser steps": f"{report['steps']:,}",
        "tokens read": f"{report['tokens']:,} ({report['useful_share']:.1%} of the batches, the rest is padding)",
        "time": f"{report['seconds']:.0f} s on {report['device']} in {report['precision']}",
        "fingerprint of this training": f"`{record['fingerprint']}`",
    }
    if report.get("kept_step") is not None:
        rows["weights kept"] = f"of step {report['kept_step']:,}"
    for what, value in rows.items():
        yield f"| {what} | {value} |"


def _losses(record: Mapping[str, Any]) -> Iterator[str]:
    stages = {**record.get("stages", {}), record["algorithm"]: record}
    yield "| stage | part | at the end | on held-out personas |"
    yield "|---|---|---|---|"
    for stage, figures in stages.items():
        report = figures["report"]
        for part, value in report["losses"].items():
            held_out = report["validation"].get(part)
            yield f"| {stage} | {part} | {value:.4f} | {'' if held_out is None else f'{held_out:.4f}'} |"
