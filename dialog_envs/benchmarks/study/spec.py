"""A study as data: a TOML file, shipped in ``benchmarks/studies`` or one's own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from dialog_envs.errors import ConfigError, UnknownName, UsageError

__all__ = ["Arm", "Size", "Study", "UnknownStudy", "load_study", "study_names"]

_TOP = {"schema", "name", "question", "note", "task", "baseline", "imagine", "train", "sizes", "arms"}


class UnknownStudy(UnknownName):
    """No study of that name ships, and no such file exists."""

    kind = "study"


@dataclass(frozen=True, slots=True)
class Arm:
    """One thing that is compared.

    Attributes:
        name: for tables and files.
        about: what it is, in words.
        imagine, train: settings that differ from the study's.
        share: of the size's dialogues.
        model: who imagines, where that is not the size's model.
        each_model: the arm stands for one arm a model.
        agent: a prompted agent's method that plays instead of a trained one.
        settings: of that agent.
        sizes: sizes that have it; empty: all.
    """

    name: str
    about: str = ""
    imagine: Mapping[str, Any] = field(default_factory=dict)
    train: Mapping[str, Any] = field(default_factory=dict)
    share: float = 1.0
    model: str | None = None
    each_model: bool = False
    agent: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    sizes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done.

    Attributes:
        name: ``minutes`` or ``full``, or what a file says.
        dialogues: in a dataset.
        seeds: trainings of each arm, each on a dataset of its own.
        episodes: of each user family, at play.
        models: who imagines; the first one where an arm needs only one.
        train: settings of every training.
    """

    name: str
    dialogues: int = 1000
    seeds: int = 3
    episodes: int = 10
    models: tuple[str, ...] = ()
    train: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """A question and its arms. See the module's text."""

    name: str
    question: str
    task: str
    baseline: str
    arms: tuple[Arm, ...]
    sizes: Mapping[str, Size]
    imagine: Mapping[str, Any] = field(default_factory=dict)
    train: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    def size(self, name: str, models: Sequence[str] = (), **changes: int | None) -> Size:
        """A size by name, with other models and numbers where some are given.

        Raises:
            UnknownName: there is no such size.
            UsageError: it imagines with a language model, and none is named.
        """
        if name not in self.sizes:
            raise UnknownName(name, self.sizes, f"These are the sizes of the study '{self.name}'.")
        numbers: dict[str, Any] = {key: value for key, value in changes.items() if value is not None}
        size = replace(self.sizes[name], models=tuple(models) or self.sizes[name].models, **numbers)
        needed = any(arm.model is None and self.needs_model(arm) for arm in self.at(name))
        if needed and not size.models:
            raise UsageError(
                f"size '{name}' of the study '{self.name}' needs a language model: name one with --model openai:MODEL."
            )
        return size

    def needs_model(self, arm: Arm) -> bool:
        """Whether a chat model takes part in an arm."""
        return arm.agent is not None or {**self.imagine, **arm.imagine}.get("mode") == "imagine"

    def at(self, size: str) -> list[Arm]:
        """The arms of a size."""
        return [arm for arm in self.arms if not arm.sizes or size in arm.sizes]


def study_names() -> tuple[str, ...]:
    """The studies that ship with the package."""
    folder = resources.files("dialog_envs.benchmarks") / "studies"
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


def load_study(name: str | Path) -> Study:
    """A shipped study by name, or any study by its file.

    Raises:
        UnknownStudy: neither a shipped study nor a file.
        ConfigError: the file is no valid study.
    """
    if str(name).endswith(".toml"):
        try:
            return parse_study(Path(name).read_text("utf-8"), str(name))
        except OSError as error:
            raise ConfigError(f"the study '{name}' cannot be read: {error.strerror or error}.") from error
    if str(name) not in study_names():
        raise UnknownStudy(name, study_names(), "Your own: give the path of a .toml file.")
    file = resources.files("dialog_envs.benchmarks") / "studies" / f"{name}.toml"
    return parse_study(file.read_text("utf-8"), f"study '{name}'")


def parse_study(text: str, where: str) -> Study:
    """A study from TOML text; ``where`` names it in errors. Raises :class:`ConfigError`."""
    try:
        data = tomllib.loads(text)
        if unknown := sorted(set(data) - _TOP):
            raise ConfigError(f"{where} has the unknown key '{unknown[0]}'.")
        if data.pop("schema", None) != 1:
            raise ConfigError(f"{where} needs 'schema = 1'.")
        arms = tuple(Arm(**{**arm, "sizes": tuple(arm.get("sizes", ()))}) for arm in data.pop("arms"))
        sizes = {
            key: Size(key, **{**table, "models": tuple(table.get("models", ()))})
            for key, table in data.pop("sizes").items()
        }
        return Study(arms=arms, sizes=sizes, **data)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is no valid TOML: {error}.") from error
    except KeyError as error:
        raise ConfigError(f"{where} lacks the key {error}.") from error
    except TypeError as error:
        raise ConfigError(f"{where}: {error}.") from error
