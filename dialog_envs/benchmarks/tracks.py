"""Tracks: who plays the user. The same episodes can be played on several, and scores of different ones never mix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dialog_envs.errors import ConfigError, ModelUnavailable
from dialog_envs.registration import PLAYED
from dialog_envs.simulators.llm.naming import plain_name

__all__ = ["SCRIPTED", "Track", "track_from_toml"]

SCRIPTED = "scripted"
_KEYS = {"name", "user", "model", "options", "tasks", "agents", "episodes_per_family", "optional"}


@dataclass(frozen=True, slots=True)
class Track:
    """Who plays the user.

    Attributes:
        name: on the leaderboard; unique in a run.
        user: ``scripted``, ``grounded``, ``llm``, or a user's ``module:attribute``.
        model: the chat model behind it, if it has one and not the default.
        options: other arguments of the user, for example ``{"mode": "write"}``.
        tasks: the tasks that are played on it; empty: all.
        agents: the agents that play on it; empty: all.
        episodes_per_family: cap, because users with a model behind them are slow and cost money.
        optional: left out, with a note, where its model is not here.
    """

    name: str
    user: str = SCRIPTED
    model: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    episodes_per_family: int | None = None
    optional: bool = False

    @classmethod
    def of(cls, user: str, model: str | None = None) -> Track:
        """A track of all tasks and agents, with the name that it has unless told otherwise."""
        return cls(track_name(user, model), user, model)

    @property
    def user_options(self) -> dict[str, Any]:
        """As ``gym.make`` takes them."""
        return {**self.options, **({} if self.model is None else {"model": self.model})}

    @property
    def scripted(self) -> bool:
        """Whether users answer in microseconds, without a model."""
        return self.user == SCRIPTED

    @property
    def local(self) -> bool:
        """Whether everything is computed in this process, so that several processes help."""
        return self.scripted or (self.user in PLAYED and self.model in (None, "embedded"))

    def with_model(self, model: str) -> Track:
        """The same with another model, and a name that says so."""
        if self.scripted:
            return self
        known = self.name == track_name(self.user, self.model)
        name = track_name(self.user, model) if known else self.name
        return replace(self, model=model, name=name)

    def available(self) -> str | None:
        """Why its model cannot be used here, or ``None``. Only the embedded one is looked for."""
        if self.scripted or not self.local:
            return None
        from dialog_envs.simulators.llm.embedded_file import find_model_file

        try:
            find_model_file()
        except ModelUnavailable as error:
            return str(error)
        return None


def track_name(user: str, model: str | None) -> str:
    """``scripted``; ``llm (embedded)``; ``grounded (openai:gpt-5-mini)``: without a model's options and recordings.

    Raises:
        UsageError: there is no such model, or no such recording.
    """
    return user if user == SCRIPTED else f"{user} ({shown_model(user, model or 'embedded')})"


def shown_model(user: str, model: str) -> str:
    """A model's name without options and recordings. Users of one's own may have models that are named otherwise."""
    return plain_name(model) if user in PLAYED else model.partition("?")[0]


def track_from_toml(table: Mapping[str, Any]) -> Track:
    """A table of ``[[tracks]]``.

    Raises:
        KeyError: it has no user.
        ValueError: an unknown key, or a value that cannot be used.
    """
    unknown = set(table) - _KEYS
    if unknown:
        raise ValueError(f"[[tracks]] has the unknown key '{sorted(unknown)[0]}'.")
    user, model, cap = str(table["user"]), table.get("model"), table.get("episodes_per_family")
    if user == SCRIPTED and model is not None:
        raise ConfigError(f"a track of scripted users has no model; '{model}' was given.")
    if cap is not None and (not isinstance(cap, int) or isinstance(cap, bool) or cap < 1):
        raise ValueError(f"tracks.episodes_per_family must be a whole number of at least 1, not {cap!r}.")
    return Track(
        name=str(table.get("name", track_name(user, model))),
        user=user,
        model=model,
        options=dict(table.get("options", {})),
        tasks=tuple(table.get("tasks", ())),
        agents=tuple(table.get("agents", ())),
        episodes_per_family=cap,
        optional=bool(table.get("optional", False)),
    )
