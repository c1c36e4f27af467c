"""The algorithms that can be trained: one table, from which the agents' registry and the command line read.

An algorithm is a module of its own: config, loss as a pure function with its formula and source, and the class that
the trainer drives. A new one needs a row here, and nothing else.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dialog_envs.errors import UnknownAgent, UsageError

if TYPE_CHECKING:
    from dialog_envs.agents.trainer import Algorithm

ALGORITHMS: dict[str, str] = {
    "bc": "dialog_envs.agents.bc:BC",
    "filtered-bc": "dialog_envs.agents.filtered_bc:FilteredBC",
    "mc": "dialog_envs.agents.mc:MC",
    "ilql": "dialog_envs.agents.ilql:ILQL",
    "cql": "dialog_envs.agents.cql:CQL",
    "awr": "dialog_envs.agents.awr:AWR",
    "qsft": "dialog_envs.agents.qsft:QSFT",
    "dt": "dialog_envs.agents.dt:DT",
}
"""Name -> class. Strings, so that looking at the table imports nothing heavy."""


def algorithm_class(name: str) -> type[Algorithm[Any]]:
    """The class of an algorithm.

    Raises:
        UnknownAgent: no such algorithm.
    """
    if name not in ALGORITHMS:
        raise UnknownAgent(name, ALGORITHMS, "(of those that can be trained)")
    module, _, attribute = ALGORITHMS[name].partition(":")
    kind: type[Algorithm[Any]] = getattr(importlib.import_module(module), attribute)
    return kind


def make_algorithm(name: str, settings: Mapping[str, Any]) -> Algorithm[Any]:
    """An algorithm with its defaults changed by ``settings``.

    Args:
        name: a name of the table.
        settings: fields of the algorithm's config, and of its ``training`` part, by name.

    Raises:
        UnknownAgent: no such algorithm.
        UsageError: no such setting, or one of another kind than its default.
    """
    from dialog_envs.agents.trainer import TrainingConfig

    kind = algorithm_class(name)
    shared = {field.name for field in dataclasses.fields(TrainingConfig)}
    own = {field.name for field in dataclasses.fields(kind.config_class)} - {"training"}
    unknown = [key for key in settings if key not in shared | own]
    if unknown:
        known = ", ".join(sorted(own | shared))
        raise UsageError(f"{name} has no setting '{unknown[0]}'. There is: {known}.")
    base = kind.config_class()
    for key, value in settings.items():
        _check_kind(name, key, value, getattr(base.training if key in shared else base, key))
    training = dataclasses.replace(base.training, **{k: v for k, v in settings.items() if k in shared})
    rest = {k: v for k, v in settings.items() if k in own}
    return kind(dataclasses.replace(base, training=training, **rest))


def _check_kind(algorithm: str, key: str, value: Any, default: Any) -> None:
    """Raises UsageError if a setting's value is of another kind than its default (``None`` stands for a number)."""
    if isinstance(default, bool | str):
        fine, wanted = (
            type(value) is type(default),
            "true or false" if isinstance(default, bool) else "a word",
        )
    elif isinstance(default, int):
        fine, wanted = type(value) is int, "a whole number"
    else:
        fine, wanted = type(value) in (int, float) or (value is None and default is None), "a number"
    if not fine:
        raise UsageError(f"{algorithm}: the setting {key} must be {wanted}; got {value!r:.60}.")
