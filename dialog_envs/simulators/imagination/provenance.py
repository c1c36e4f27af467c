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
from dialog_envs.core.user import USERS, make_user
from dialog_envs.datasets.schema import Episode
from dialog_envs.simulators.imagination.asking import add_up
from dialog_envs.simulators.imagination.casting import default_mixture
from dialog_envs.simulators.imagination.critique import CRITERIA, failed
from dialog_envs.simulators.imagination.making import USER, Direction, Made
from dialog_envs.simulators.imagination.models import Models
from dialog_envs.simulators.imagination.reading import COUNTS
from dialog_envs.simulators.imagination.reasoning import Reasoned
from dialog_envs.simulators.imagination.rollout import Cast

_SOURCES = (".py", ".json", ".toml")


def settings(direction: Direction, mode: str, models: Models, people: int) -> dict[str, Any]:
    """What decides each attempt, but for the number of episodes."""
    cast = direction.cast
    return {
        "task": cast.task.id,
        "task_version": cast.task.version,
        "code": code_hash(cast),
        "user": cast.user,
        "user_version": user_version(cast),
        "seed": cast.seed,
        "mixture": dict(cast.mixture),
        "families": list(cast.families),
        "reward_scheme": cast.reward,
        "criteria": [*direction.rules, *direction.criteria] if direction.critique else [],
        "models": dict(cast.models) | taking_part(mode, models, people),
        "prompts": {name: text for name in cast.speakers if (text := prompt_hash(cast.speakers[name]))}
        | direction.prompts.hashes(prompts_used(direction, mode, people)),
        **_engine_settings(direction, mode, people),
    }


def _engine_settings(direction: Direction, mode: str, people: int) -> dict[str, Any]:
    """What only matters where a model makes or judges dialogues."""
    if mode == "rollout" and not people and not direction.critic:
        return {}
    return {
        "mode": mode,
        "personas": people,
        "success_share": direction.cast.success_share,
        "rounds": direction.rounds,
        "attempts": direction.attempts,
    }


def taking_part(mode: str, models: Models, people: int) -> dict[str, str]:
    """Versions of the imaginer and the critic, where they do something."""
    found = {"imaginer": models.version("imaginer") if mode == "imagine" or people else None}
    found["critic"] = models.version("critic")
    return {name: version for name, version in found.items() if version is not None}


def prompts_used(direction: Direction, mode: str, people: int) -> list[str]:
    """Names of the engine's prompts that play a part."""
    names = ["reason", "reason_manner", "map", "again"] if people else []
    if mode == "imagine":
        names += ["again", *(["small"] if direction.small else direction.cast.mixture)]
    if direction.critic:
        names += ["critique", "again", *(["revise"] if mode == "imagine" and direction.rounds else [])]
    return sorted(set(names))


def user_version(cast: Cast) -> str:
    """The user simulator's version; of whole dialogues that of the engine, since nobody plays the user."""
    if cast.user == USER:
        return "imagined-1"
    return make_user(cast.user, **cast.user_options).version


def facts(
    direction: Direction,
    mode: str,
    models: Models,
    decided: Mapping[str, Any],
    whole: str,
    wanted: int,
    made: Sequence[Made],
    reasoned: Reasoned | None,
    compress: str | None = None,
) -> dict[str, Any]:
    """The manifest but for what the writer adds. Nothing of time or machine: the same command, the same bytes."""
    cast = direction.cast
    attempts = [one.episode for one in made if one.episode is not None]
    verdicts = Counter(episode.critique.verdict for episode in attempts)
    spoken = Counter(e.provenance.policy for e in attempts if e.critique.verdict != "dropped")
    kept = {
        name: decided[name]
        for name in ("task", "task_version", "user", "user_version", "seed", "reward_scheme")
    }
    found = kept | {
        "mode": "imagined" if mode == "imagine" else "rollout",
        "command": command(direction, mode, models, wanted, int(decided.get("personas", 0)), compress),
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
    return found | _imagination(direction, mode, models, made, reasoned)


def _imagination(
    direction: Direction, mode: str, models: Models, made: Sequence[Made], reasoned: Reasoned | None
) -> dict[str, Any]:
    """What models did, what it cost, and what was thrown away; nothing where none took part."""
    usage = add_up(one.usage for one in made)
    if reasoned is not None:
        usage = {"reason": add_up([{"all": spent} for spent in reasoned.usage.values()])["all"]} | usage
    if not usage:
        return {}
    kept = [one.episode for one in made if one.kept and one.episode is not None]
    thrown = [
        *(reasoned.rejected if reasoned is not None else ()),
        *(r for one in made for r in one.rejected),
    ]
    total = sum(spent.cost_usd for spent in usage.values())
    found: dict[str, Any] = {
        "cost": {
            "usd": round(total, 8),
            "usd_per_dialogue": round(total / max(len(kept), 1), 8),
            "usage": {role: spent.to_json() for role, spent in usage.items()},
        }
    }
    told: dict[str, Any] = {
        "attempts": len(made),
        "no_usable_reply": sum(one.episode is None for one in made),
        "rejected": dict(sorted(Counter(one.step for one in thrown).items())),
    }
    if reasoned is not None:
        told["personas"] = reasoned.facts()
    if mode == "imagine":
        told |= {
            "rounds": direction.rounds,
            "success_share": direction.cast.success_share,
            "label": agreement(kept),
            "reading": readings(kept),
        }
    return found | {"imagination": told}


def agreement(episodes: Sequence[Episode]) -> dict[str, Any]:
    """How often the label under which a dialogue was imagined is what the kernel finds."""
    pairs = Counter((bool(e.outcome["label"]), bool(e.outcome["success"])) for e in episodes)
    n = max(len(episodes), 1)
    return {
        "success_label": round((pairs[True, True] + pairs[True, False]) / n, 6),
        "agree": round((pairs[True, True] + pairs[False, False]) / n, 6),
        "label_success_kernel_success": pairs[True, True],
        "label_success_kernel_failure": pairs[True, False],
        "label_failure_kernel_success": pairs[False, True],
        "label_failure_kernel_failure": pairs[False, False],
    }


def readings(episodes: Sequence[Episode]) -> dict[str, Any]:
    """What the kernel reads in dialogues that it did not play: sums over episodes."""
    rows = [episode.outcome["reading"] for episode in episodes]
    found: dict[str, Any] = {"possible": sum(bool(row["possible"]) for row in rows)}
    return found | {name: sum(int(row[name]) for row in rows) for name in ("left_out", *COUNTS)}


def _by_criterion(attempts: Sequence[Episode], criteria: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many episodes failed each criterion and were revised or dropped. One may fail several."""
    counts = Counter((name, episode.critique.verdict) for episode in attempts for name in failed(episode))
    return {name: {verdict: counts[name, verdict] for verdict in ("revised", "dropped")} for name in criteria}


def command(
    direction: Direction, mode: str, models: Models, episodes: int, people: int, compress: str | None = None
) -> str:
    """The command line that makes this dataset."""
    cast = direction.cast
    parts = ["dialog-envs imagine", cast.task.id, f"--episodes {episodes}", f"--seed {cast.seed}"]
    if mode == "imagine":
        parts += ["--mode imagine", f"--model {models.name('imaginer')}", f"--personas {people}"]
        parts += [f"--success-share {cast.success_share:g}", f"--rounds {direction.rounds}"]
        alike = {name: 1 / len(direction.prompts.variants) for name in direction.prompts.variants}
        usual = _rounded(cast.mixture) == _rounded(alike)
    else:
        share = round(sum(cast.mixture.get(name, 0.0) for name in cast.speakers), 9)
        usual = _rounded(cast.mixture) == _rounded(default_mixture(cast.task, tuple(cast.speakers), share))
    parts += [] if usual else [f"--policy {name}={weight:.9g}" for name, weight in cast.mixture.items()]
    if mode == "rollout":
        names = [getattr(getattr(speaker, "model", None), "name", None) for speaker in cast.speakers.values()]
        names += [models.name("imaginer")] if people and not cast.speakers else []
        for model in dict.fromkeys(model for model in names if model is not None):
            parts.append(f"--model {model} --model-share {share:g}")
        parts += [f"--personas {people}"] if people else []
        if cast.user_model is not None:
            parts.append(f"--user {cast.user} --user-model {cast.user_model.name}")
    if direction.critic and (mode == "rollout" or models.name("critic") != models.name("imaginer")):
        parts.append(f"--critic {models.name('critic')}")
    if cast.families != cast.task.prior.typical:
        parts += [f"--family {name}" for name in cast.families]
    parts += [] if cast.reward == "binary" else [f"--reward {cast.reward}"]
    parts += [] if direction.critique else ["--no-critique"]
    if direction.critique and (direction.asked is not None or direction.rules != tuple(CRITERIA)):
        parts += [f"--criterion {name}" for name in (*direction.rules, *direction.criteria)]
    parts += [f"--compress {compress}"] if compress else []
    parts += ["--prompts DIR"] if direction.prompts.own else []
    return " ".join([*parts, "-o DIR"])


def _rounded(mixture: Mapping[str, float]) -> dict[str, float]:
    return {name: round(weight, 9) for name, weight in mixture.items() if weight > 0}


def prompt_hash(speaker: Any) -> str | None:
    """sha256 of the prompt that an agent-like object works with, if it shows one as ``prompt``."""
    prompt = getattr(speaker, "prompt", None)
    return hashlib.sha256(prompt.encode("utf-8")).hexdigest() if isinstance(prompt, str) else None


def code_hash(cast: Cast) -> str:
    """A hash of the source of core, task, user and engine: a journal of older code is not taken for a new one."""
    user = importlib.import_module(USERS.get(cast.user, USERS["scripted"]).partition(":")[0])
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
