"""What a dataset's manifest says of its making. Nothing of time or machine: the same command gives the same bytes."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dialog_envs import core
from dialog_envs.core.user import USERS, resolve
from dialog_envs.datasets.schema import Episode
from dialog_envs.simulators.imagination.casting import default_mixture
from dialog_envs.simulators.imagination.critique import CRITERIA, failed
from dialog_envs.simulators.imagination.rollout import Cast

_SOURCES = (".py", ".json", ".toml")


def settings(cast: Cast, critique: bool) -> dict[str, Any]:
    """What decides each attempt, but for the number of episodes."""
    return {
        "task": cast.task.id,
        "task_version": cast.task.version,
        "code": code_hash(cast),
        "user": cast.user,
        "user_version": str(getattr(resolve(USERS[cast.user]), "version", "")),
        "seed": cast.seed,
        "mixture": dict(cast.mixture),
        "families": list(cast.families),
        "reward_scheme": cast.reward,
        "criteria": list(CRITERIA) if critique else [],
        "models": dict(cast.models),
        "prompts": {name: prompt for name in cast.speakers if (prompt := prompt_hash(cast.speakers[name]))},
    }


def facts(
    cast: Cast,
    decided: Mapping[str, Any],
    whole: str,
    wanted: int,
    critique: bool,
    attempts: Sequence[Episode],
) -> dict[str, Any]:
    """The manifest but for what the writer adds. Nothing of time or machine: the same command, the same bytes."""
    verdicts = Counter(episode.critique.verdict for episode in attempts)
    spoken = Counter(e.provenance.policy for e in attempts if e.critique.verdict != "dropped")
    kept = {
        name: decided[name]
        for name in ("task", "task_version", "user", "user_version", "seed", "reward_scheme")
    }
    return kept | {
        "mode": "rollout",
        "command": command(cast, wanted, critique),
        "policies": {
            name: {"share": round(share, 6), "episodes": spoken[name], "model": cast.models.get(name)}
            for name, share in cast.mixture.items()
        },
        "models": decided["models"],
        "prompts": decided["prompts"],
        "code": decided["code"],
        "settings_hash": whole,
        "critique": {
            "criteria": decided["criteria"],
            "attempts": len(attempts),
            **{name: verdicts[name] for name in ("kept", "revised", "dropped")},
            "failed": _by_criterion(attempts, decided["criteria"]),
        },
    }


def _by_criterion(attempts: Sequence[Episode], criteria: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many episodes failed each criterion and were revised or dropped. One may fail several."""
    counts = Counter((name, episode.critique.verdict) for episode in attempts for name in failed(episode))
    return {name: {verdict: counts[name, verdict] for verdict in ("revised", "dropped")} for name in criteria}


def command(cast: Cast, episodes: int, critique: bool) -> str:
    """The command line that makes this dataset."""
    parts = ["dialog-envs imagine", cast.task.id, f"--episodes {episodes}", f"--seed {cast.seed}"]
    share = round(sum(cast.mixture.get(name, 0.0) for name in cast.speakers), 9)
    if _rounded(cast.mixture) != _rounded(default_mixture(cast.task, tuple(cast.speakers), share)):
        parts += [f"--policy {name}={weight:.9g}" for name, weight in cast.mixture.items()]
    models = [getattr(getattr(speaker, "model", None), "name", None) for speaker in cast.speakers.values()]
    for model in dict.fromkeys(model for model in models if model is not None):
        parts.append(f"--model {model} --model-share {share:g}")
    if cast.families != cast.task.prior.typical:
        parts += [f"--family {name}" for name in cast.families]
    parts += [] if cast.reward == "binary" else [f"--reward {cast.reward}"]
    parts += [] if critique else ["--no-critique"]
    return " ".join([*parts, "-o DIR"])


def _rounded(mixture: Mapping[str, float]) -> dict[str, float]:
    return {name: round(weight, 9) for name, weight in mixture.items() if weight > 0}


def prompt_hash(speaker: Any) -> str | None:
    """sha256 of the prompt that an agent-like object works with, if it shows one as ``prompt``."""
    prompt = getattr(speaker, "prompt", None)
    return hashlib.sha256(prompt.encode("utf-8")).hexdigest() if isinstance(prompt, str) else None


def code_hash(cast: Cast) -> str:
    """A hash of the source of core, task, user and engine: a journal of older code is not taken for a new one."""
    user = importlib.import_module(USERS[cast.user].partition(":")[0])
    task = importlib.import_module(type(cast.task).__module__)
    folders = [Path(str(module.__file__)).parent for module in (core, task)] + [Path(__file__).parent]
    files = [Path(str(user.__file__))]
    files += [file for folder in folders for file in sorted(folder.rglob("*")) if file.suffix in _SOURCES]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def settings_hash(settings: Mapping[str, Any]) -> str:
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
