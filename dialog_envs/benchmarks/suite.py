"""Suites: which episodes a benchmark plays, as data.

A suite is a TOML file, shipped in ``benchmarks/suites`` or your own. It fixes tasks, user families, numbers of
episodes, and seeds. Every agent plays the *same* episodes: the unit of a suite is one (task, family, seed), and the
seed decides persona, scenario and user. Seeds for reporting and for validation are ranges that never meet.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from dialog_envs.benchmarks.tracks import SCRIPTED, Track, track_from_toml
from dialog_envs.core.outcome import REWARDS
from dialog_envs.core.persona import GROUPS
from dialog_envs.errors import ConfigError, UnknownSuite

__all__ = ["SPLITS", "AgentEntry", "Suite", "Unit", "UserGroup", "load_suite", "suite_names"]

SPLITS = ("report", "validation")
"""What a run's seeds are for: the figures to report, or choosing settings."""

_TOP = {
    "schema", "name", "summary", "tasks", "track", "user_model", "reward", "baseline", "information_per_family",
}  # fmt: skip
_TABLES = {"tracks", "users", "seeds", "agents", "dataset", "training", "overrides", "stages"}


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A row of the leaderboard: several user families together.

    Attributes:
        name: ``"typical"`` or ``"hard"``.
        families: family names, or empty for all that the task counts to the group.
        episodes_per_family: how many episodes each family gets.
    """

    name: str
    families: tuple[str, ...]
    episodes_per_family: int


@dataclass(frozen=True, slots=True)
class AgentEntry:
    """An agent that a suite scores.

    Attributes:
        name: as :func:`dialog_envs.agents.resolve_agent` reads it.
        episodes_per_family: cap for agents that are slow; they play the first units of each family.
        optional: left out, with a note, when it cannot be made here (no checkpoint, no model).
    """

    name: str
    episodes_per_family: int | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """One episode of a suite, before any agent plays it.

    Attributes:
        task: task id.
        users: the group it is reported under.
        family: the persona's family.
        index: number within its family, from 0.
        seed: decides persona, scenario and user.
        persona_seed: decides the persona alone; equal to ``seed`` for a persona's first episode.
    """

    task: str
    users: str
    family: str
    index: int
    seed: int
    persona_seed: int


@dataclass(frozen=True)
class Suite:
    """A benchmark as data. See the module's text.

    Attributes:
        name: the suite's name.
        summary: one sentence for people.
        tasks: task ids.
        track: who plays the user: ``scripted``, ``grounded``, ``llm`` or ``module:attribute``.
        user_model: the chat model behind it, if it has one.
        more_tracks: other users that play the same episodes, or some of them.
        reward: reward scheme of the episodes' returns.
        baseline: the agent that others are compared with, pairwise.
        groups: user groups.
        seeds: first seed of each split.
        training_seeds: every agent of ``training`` is trained once for each, and its rows are over all of them;
            empty: once, with the seed of its settings.
        episodes_per_persona: episodes that share a persona (with different scenarios).
        agents: the agents it scores by default.
        information_per_family: episodes of each family whose exact posterior is computed (``None``: all).
        dataset: settings of the imagined dataset, as the imagination engine takes them.
        training: settings a trained agent, as the trainer takes them.
        overrides: task id → ``{"dataset": …, "training": {agent: …}}``, settings that differ for a task.
        stages: expected seconds of each stage of ``dialog-envs demo`` on one core, for the remaining time it shows.
    """

    name: str
    summary: str
    tasks: tuple[str, ...]
    groups: tuple[UserGroup, ...]
    seeds: Mapping[str, int]
    episodes_per_persona: int = 1
    track: str = "scripted"
    user_model: str | None = None
    more_tracks: tuple[Track, ...] = ()
    reward: str = "graded"
    baseline: str = "bc"
    agents: tuple[AgentEntry, ...] = ()
    information_per_family: int | None = None
    dataset: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stages: Mapping[str, float] = field(default_factory=dict)
    training_seeds: tuple[int, ...] = ()
    source: str = ""
    """What :func:`load_suite` was given, so that another process finds the same."""

    @property
    def main(self) -> Track:
        """The track that counts: the others stand beside it."""
        return Track.of(self.track, self.user_model)

    @property
    def tracks(self) -> tuple[Track, ...]:
        """All of them, the main one first.

        Raises:
            ConfigError: two have one name.
        """
        found = (self.main, *self.more_tracks)
        names = [track.name for track in found]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(
                    f"suite '{self.name}' has two tracks called '{name}': give one another name."
                )
        return found

    def played_by(self, user: str | None, model: str | None) -> Suite:
        """The suite with this user alone, where one is given; a model alone goes to the tracks that have one.

        Raises:
            ConfigError: a model for users that have none.
        """
        if user is not None:
            if user == SCRIPTED and model is not None:
                raise ConfigError(
                    f"scripted users have no model: leave '{model}' out, or choose another user."
                )
            return replace(self, track=user, user_model=model, more_tracks=())
        if model is None:
            return self
        if all(track.scripted for track in self.tracks):
            raise ConfigError(
                f"suite '{self.name}' has scripted users only, which have no model: choose a user as well, "
                "with --user llm or --user grounded."
            )
        main = self.user_model if self.track == SCRIPTED else model
        more = tuple(track.with_model(model) for track in self.more_tracks)
        return replace(self, user_model=main, more_tracks=more)

    def dataset_for(self, task: str) -> dict[str, Any]:
        """Settings of a task's imagined dataset."""
        return {**self.dataset, **self.overrides.get(task, {}).get("dataset", {})}

    def training_for(self, task: str, agent: str) -> dict[str, Any]:
        """Settings of an agent's training on a task."""
        return {**self.training[agent], **self.overrides.get(task, {}).get("training", {}).get(agent, {})}

    def only(self, tasks: Sequence[str]) -> Suite:
        """The suite on some of its tasks, under a name that says so.

        Raises:
            ConfigError: one is not the suite's.
        """
        for task in tasks:
            if task not in self.tasks:
                raise ConfigError(
                    f"suite '{self.name}' has no task '{task}'. It has: {', '.join(self.tasks)}."
                )
        kept = tuple(task for task in self.tasks if task in tasks)
        if not kept or kept == self.tasks:
            return self
        return replace(self, name="-".join([self.name, *kept]), tasks=kept)

    def units(self, families: Mapping[str, Mapping[str, Sequence[str]]], split: str = "report") -> list[Unit]:
        """All episodes, family after family in turn, so that every prefix is balanced.

        Args:
            families: ``task id → {"typical": names, "hard": names}``, from the tasks' priors.
            split: ``"report"`` or ``"validation"``.

        Raises:
            ConfigError: an unknown split, or a family that the task does not have in the group.
        """
        if split not in SPLITS:
            raise ConfigError(f"unknown split '{split}': choose one of {', '.join(SPLITS)}.")
        return sorted(self._units(families, self.seeds[split]), key=lambda unit: unit.index)

    def _units(self, families: Mapping[str, Mapping[str, Sequence[str]]], first: int) -> Iterator[Unit]:
        for task in self.tasks:
            known = [name for group in families[task].values() for name in group]
            for group in self.groups:
                names = group.families or tuple(families[task][group.name])
                for family in names:
                    if family not in known:
                        raise ConfigError(
                            f"suite '{self.name}' asks for the user family '{family}', "
                            f"which {task} does not have. It has: {', '.join(known)}."
                        )
                    if family not in families[task][group.name]:
                        raise ConfigError(
                            f"suite '{self.name}' puts the user family '{family}' under '{group.name}', "
                            f"and {task} counts only these to it: {', '.join(families[task][group.name])}."
                        )
                    for index in range(group.episodes_per_family):
                        # A family's place among all of the task's is part of the seed, so no two families share one.
                        seed = first + known.index(family) * _FAMILY_STRIDE + index
                        shared = seed - index % self.episodes_per_persona
                        yield Unit(task, group.name, family, index, seed, shared)

    def fingerprint(self, split: str = "report") -> str:
        """Changes whenever the episodes or what is measured on them change; agents do not count."""
        parts = {
            "tasks": self.tasks,
            "groups": [(group.name, group.families, group.episodes_per_family) for group in self.groups],
            "seed": self.seeds[split],
            "episodes_per_persona": self.episodes_per_persona,
            "track": SCRIPTED,  # once a part of it; now tracks are told apart episode by episode
            "reward": self.reward,
            "information_per_family": self.information_per_family,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


_FAMILY_STRIDE = 10_000
"""Seeds between two families: more than any family has episodes."""


def suite_names() -> tuple[str, ...]:
    """The suites that ship with the package."""
    folder = resources.files("dialog_envs.benchmarks") / "suites"
    return tuple(
        sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))
    )


def load_suite(name: str | Path) -> Suite:
    """A shipped suite by name, or any suite by its file.

    Raises:
        UnknownSuite: neither a shipped suite nor a file.
        ConfigError: the file is no valid suite; the message says which key.
    """
    if str(name).endswith(".toml"):
        path = Path(name)
        try:
            text = path.read_text("utf-8")
        except OSError as error:
            raise ConfigError(
                f"the suite file '{name}' cannot be read: {error.strerror or error}."
            ) from error
        return replace(parse_suite(text, str(name)), source=str(name))
    if str(name) not in suite_names():
        raise UnknownSuite(name, suite_names(), "Your own: give the path of a .toml file.")
    file = resources.files("dialog_envs.benchmarks") / "suites" / f"{name}.toml"
    return replace(parse_suite(file.read_text("utf-8"), f"suite '{name}'"), source=str(name))


def parse_suite(text: str, where: str) -> Suite:
    """A suite from TOML text; ``where`` names it in errors. Raises :class:`ConfigError`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is no valid TOML: {error}.") from error
    unknown = set(data) - _TOP - _TABLES
    if unknown:
        raise ConfigError(f"{where} has the unknown key '{sorted(unknown)[0]}'.")
    if data.get("schema") != 1:
        raise ConfigError(f"{where} needs 'schema = 1'; it has {data.get('schema')!r}.")
    try:
        return _from_toml(data)
    except KeyError as error:
        raise ConfigError(f"{where} lacks the key {error}.") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from error


def _from_toml(data: Mapping[str, Any]) -> Suite:
    seeds = {split: _count(data["seeds"][split], f"seeds.{split}", least=0) for split in SPLITS}
    if abs(seeds["report"] - seeds["validation"]) < 100 * _FAMILY_STRIDE:
        raise ValueError(
            f"seeds.report and seeds.validation must lie {100 * _FAMILY_STRIDE:,} or more apart."
        )
    per_persona = _count(data["seeds"].get("episodes_per_persona", 1), "seeds.episodes_per_persona")
    extra = data.get("information_per_family")
    return Suite(
        name=data["name"],
        summary=data.get("summary", ""),
        tasks=tuple(data["tasks"]),
        groups=tuple(_group(name, table) for name, table in data["users"].items()),
        seeds=seeds,
        episodes_per_persona=per_persona,
        track=data.get("track", SCRIPTED),
        user_model=data.get("user_model"),
        more_tracks=tuple(track_from_toml(table) for table in data.get("tracks", ())),
        reward=_one_of(data.get("reward", "graded"), REWARDS, "reward"),
        baseline=data.get("baseline", "bc"),
        agents=tuple(_agent(table) for table in data.get("agents", ())),
        information_per_family=None if extra is None else _count(extra, "information_per_family", least=0),
        dataset=data.get("dataset", {}),
        training=data.get("training", {}),
        overrides=_overrides(data),
        stages=data.get("stages", {}),
        training_seeds=_training_seeds(data["seeds"].get("training", ())),
    )


def _training_seeds(values: Sequence[Any]) -> tuple[int, ...]:
    seeds = tuple(_count(value, "seeds.training", least=0) for value in values)
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds.training names a seed twice: {list(seeds)}.")
    return seeds


def _overrides(data: Mapping[str, Any]) -> Mapping[str, Any]:
    overrides: Mapping[str, Any] = data.get("overrides", {})
    for task, tables in overrides.items():
        if task not in data["tasks"]:
            raise ValueError(f"overrides.{task} is for no task of the suite.")
        if unknown := set(tables) - {"dataset", "training"}:
            raise ValueError(f"overrides.{task} has the unknown key '{sorted(unknown)[0]}'.")
        if unknown := set(tables.get("training", {})) - set(data.get("training", {})):
            raise ValueError(
                f"overrides.{task}.training.{sorted(unknown)[0]} has no [training.…] of its own."
            )
    return overrides


def _group(name: str, table: Mapping[str, Any]) -> UserGroup:
    _one_of(name, GROUPS, "users")
    count = _count(table["episodes_per_family"], f"users.{name}.episodes_per_family")
    if count > _FAMILY_STRIDE:
        raise ValueError(f"users.{name}.episodes_per_family is at most {_FAMILY_STRIDE:,}.")
    return UserGroup(name, tuple(table.get("families", ())), count)


def _agent(table: Mapping[str, Any]) -> AgentEntry:
    cap = table.get("episodes_per_family")
    count = None if cap is None else _count(cap, "agents.episodes_per_family")
    return AgentEntry(table["name"], count, bool(table.get("optional", False)))


def _count(value: Any, key: str, least: int = 1) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{key} must be a whole number of at least {least}, not {value!r}.")
    return value


def _one_of(value: Any, choices: Sequence[str], key: str) -> str:
    if value not in choices:
        raise ValueError(f"{key} must be one of {', '.join(choices)}, not {value!r}.")
    return str(value)
