"""Settings of agents as texts, ``NAME=VALUE``, read as the agent's own signature has them."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Union

from dialog_envs.errors import AgentError, UnknownName, UsageError

__all__ = ["parse_assignments", "read_arguments"]

_WORDS = {
    "1": True,
    "yes": True,
    "true": True,
    "on": True,
    "0": False,
    "no": False,
    "false": False,
    "off": False,
}
_GIVEN = ("self", "task", "path")


class UnknownSetting(UnknownName, UsageError):
    """An agent has no setting of that name."""

    kind = "setting"


def parse_assignments(texts: Sequence[str]) -> dict[str, str]:
    """``["mode=free", "temperature=0"]`` → ``{"mode": "free", "temperature": "0"}``.

    Raises:
        UsageError: one is no ``NAME=VALUE``, or a name stands twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name.isidentifier():
            raise UsageError(
                f"'{text:.80}' is no setting of an agent: write --agent-args NAME=VALUE, as in mode=free."
            )
        if name in found:
            raise UsageError(f"the agent's setting '{name}' is given twice.")
        found[name] = value
    return found


def read_arguments(factory: Callable[..., Any], texts: Mapping[str, str], agent: str) -> dict[str, Any]:
    """Texts as the keyword arguments of a class or function: numbers, yes or no, paths, or texts, by its annotations.

    Args:
        factory: what makes the agent.
        texts: by name.
        agent: for messages.

    Raises:
        UnknownSetting: it has no such parameter; the message lists those it has.
        UsageError: a text is no value of the parameter's kind.
        AgentError: its signature cannot be read.
    """
    if not texts:
        return {}
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError) as error:
        raise AgentError(f"agent '{agent}' takes no settings: its signature cannot be read.") from error
    kinds = _annotations(factory)
    named = [
        n
        for n, p in parameters.items()
        if n not in _GIVEN and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in named and not anything:
            raise UnknownSetting(name, named, f"These are the settings of agent '{agent}'.")
        try:
            values[name] = _value(text, kinds.get(name))
        except ValueError:
            raise UsageError(f"agent '{agent}': the setting {name} cannot be '{text:.80}'.") from None
    return values


def _annotations(factory: Callable[..., Any]) -> Mapping[str, Any]:
    function = factory.__init__ if isinstance(factory, type) else factory  # type: ignore[misc]
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError):  # names that exist for type checkers only
        return {}


def _value(text: str, kind: Any) -> Any:
    """The text as a value of an annotated kind; of a union, the first that can be read."""
    if typing.get_origin(kind) in (Union, types.UnionType):
        kinds = sorted(typing.get_args(kind), key=_strictness)
        if type(None) in kinds and text.lower() == "none":
            return None
        for one in kinds:
            try:
                return _value(text, one)
            except ValueError:
                continue
        raise ValueError(text)
    if kind is type(None):
        raise ValueError(text)
    if kind is bool:
        if text.lower() not in _WORDS:
            raise ValueError(text)
        return _WORDS[text.lower()]
    if kind in (int, float, Path):
        return kind(text)
    return text


def _strictness(kind: Any) -> int:
    """The kinds that admit fewer texts first."""
    order = (bool, int, float, Path, str)
    return order.index(kind) if kind in order else len(order)
