"""What can be set about a prompted agent, and how a name on the command line is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from dialog_envs.agents.prompted.prompts import load_prompts
from dialog_envs.errors import UnknownName, UsageError
from dialog_envs.simulators.llm.naming import plain_name, same_replies, unwrapped
from dialog_envs.simulators.llm.registry import UnknownModel, check_name

__all__ = ["METHODS", "Settings", "identity", "make_settings", "read_name", "sections", "shown_name"]

METHODS = {
    "few-shot": "instructions and example dialogues (Brown et al., 2020)",
    "zero-shot": "instructions alone",
    "cot": "reasons in private before each turn (Wei et al., 2022)",
    "clam": "detects that something is unclear, asks, then acts (Kuhn et al., 2022)",
    "gdp-zero": "searches a tree of dialogue acts with the model as prior, user and value (Yu et al., 2023)",
}
"""Ways to prompt, the default first."""
MODES = ("choice", "free")
BRIEFS = ("names", "full")
_OWN_SECTIONS = {
    "cot": ("think", "decide"),
    "clam": ("detect", "clarify", "proceed"),
    "gdp-zero": ("user", "value", "carry"),
}
_PLANNING = ("gdp-zero",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a prompted agent speaks. ``None`` takes the default of the model: the embedded one is small and slow.

    Attributes:
        method: one of :data:`METHODS`.
        mode: ``"choice"``: the model chooses its utterance from the task's menu; ``"free"``: it writes it.
        temperature: of the choice or the writing; by default 0.25 for choosing (mean log-probabilities a token lie
            close together) and 0.7 for writing.
        brief: how much of the brief's list the model reads: ``"names"`` (what stands before each colon) or ``"full"``.
        prompts: a folder of prompt files; the shipped ones by default.
        variant: which of them, by its name without ``.md``.
        max_tokens: longest utterance.
        attempts: how often a reply is asked for that cannot be used, the first time included.
        thought_tokens: longest reasoning (``cot``).
        threshold: probability of "something is unclear" from which the agent asks (``clam``), where the model tells
            one; by default 0.4 for the embedded one, which is rarely sure, else its own Yes or No is taken.
        simulations: dialogues imagined before each turn (``gdp-zero``).
        exploration: weight of the prior against the value found so far (``gdp-zero``; the paper's c_p).
        realisations: different ways in which the same turns may go (``gdp-zero``; the paper's k).
        samples: how often a model that tells no probabilities is asked for its next move and its judgement
            (``gdp-zero``; the paper's m).
    """

    method: str = "few-shot"
    mode: str | None = None
    temperature: float | None = None
    brief: str | None = None
    prompts: str | Path | None = None
    variant: str | None = None
    max_tokens: int | None = None
    attempts: int = 3
    thought_tokens: int | None = None
    threshold: float | None = None
    simulations: int | None = None
    exploration: float = 1.0
    realisations: int = 3
    samples: int = 3

    def __post_init__(self) -> None:
        _one_of("method", self.method, METHODS)
        if self.mode is not None:
            _one_of("mode", self.mode, MODES)
        if self.brief is not None:
            _one_of("brief", self.brief, BRIEFS)
        for name in ("max_tokens", "attempts", "thought_tokens", "simulations", "realisations", "samples"):
            _at_least(name, getattr(self, name), 1)
        for name in ("temperature", "threshold", "exploration"):
            _at_least(name, getattr(self, name), 0)

    def resolved(self, small: bool) -> Settings:
        """The same with every default in its place; `small` for the embedded model."""
        mode = self.mode or ("choice" if small else "free")
        defaults: dict[str, Any] = {
            "mode": mode,
            "temperature": 0.25 if mode == "choice" else 0.7,
            "brief": "names" if small else "full",
            "max_tokens": 60 if small else 200,
            "thought_tokens": 48 if small else 400,
            "simulations": 4 if small else 10,
            "threshold": 0.4 if small else None,
        }
        left = {name: value for name, value in defaults.items() if getattr(self, name) is None}
        return replace(self, **left)

    def changed(self) -> dict[str, Any]:
        """What differs from the defaults, by name, the method and the prompts apart."""
        apart = ("method", "mode", "prompts", "variant")
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in apart}
        return {name: value for name, value in values.items() if value != _DEFAULTS[name]}


_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Settings)}
_ONLY_FOR: dict[str, tuple[str, ...]] = {
    "thought_tokens": ("cot",),
    "threshold": ("clam",),
    "simulations": _PLANNING,
    "exploration": _PLANNING,
    "realisations": _PLANNING,
    "samples": _PLANNING,
}
_KINDS: dict[str, Callable[[str], Any]] = {
    "model": str,
    "threads": int,
    **dict.fromkeys(("method", "mode", "brief", "prompts", "variant"), str),
    **dict.fromkeys(("temperature", "threshold", "exploration"), float),
    **dict.fromkeys(
        ("max_tokens", "attempts", "thought_tokens", "simulations", "realisations", "samples"), int
    ),
}


class UnknownSetting(UnknownName, UsageError):
    """The agent has no setting of that name."""

    kind = "setting of a prompted agent"


class UnknownPrompting(UnknownName, UsageError):
    """What stands behind ``prompted:`` is neither a method nor a chat model."""

    kind = "way to prompt or chat model"


def make_settings(options: Mapping[str, Any]) -> Settings:
    """Settings from keyword arguments.

    Raises:
        UnknownSetting: there is no setting of that name.
        UsageError: a value cannot be used, or is none of the method's.
    """
    for name in options:
        if name not in _DEFAULTS:
            raise UnknownSetting(name, _DEFAULTS)
    settings = Settings(**options)
    for name, only in _ONLY_FOR.items():
        if settings.method not in only and getattr(settings, name) != _DEFAULTS[name]:
            raise UsageError(
                f"prompted agent: {name} is a setting of {', '.join(only)}, not of {settings.method}."
            )
    return settings


def read_name(argument: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """``METHOD:MODEL``, either of which may be missing, and settings as texts → keyword arguments.

    ``cot:openai:gpt-5-mini`` → ``{"method": "cot", "model": "openai:gpt-5-mini"}``.

    Raises:
        UnknownSetting: there is no setting of that name.
        UsageError: a text cannot be read, or something is said twice.
    """
    first, _, rest = argument.partition(":")
    options: dict[str, Any] = {"method": first} if first in METHODS else {}
    model = rest if options else argument
    if model:
        options["model"] = model
    _check_model(str(options.get("model") or texts.get("model", "embedded")))
    for name, text in texts.items():
        if name not in _KINDS:
            raise UnknownSetting(name, _KINDS)
        if name in options:
            raise UsageError(
                f"prompted agent: its name says {name}={options[name]}, and the settings {name}={text}."
            )
        try:
            options[name] = _KINDS[name](text)
        except ValueError:
            raise UsageError(f"prompted agent: {name} cannot be '{text:.80}'.") from None
    return options


def _check_model(spec: str) -> None:
    try:
        check_name(spec)
    except UnknownModel as error:
        raise UnknownPrompting(spec.partition(":")[0], [*METHODS, *error.known]) from None


def shown_name(argument: str) -> tuple[str, str]:
    """What stands behind ``prompted:``, without recordings: with the model's options, and for leaderboards without.

    ``cot:record:FILE=openai:m?timeout=5`` → ``("cot:openai:m?timeout=5", "cot:openai:m")``.

    Raises:
        UsageError: the model's name is incomplete, or names a recording that is not there.
    """
    first, _, rest = argument.partition(":")
    method, model = (first, rest) if first in METHODS else ("", argument)
    forms = (unwrapped(model), plain_name(model)) if model else ("", "")
    full, plain = (":".join(filter(None, (method, form))) for form in forms)
    return full, plain


def identity(options: Mapping[str, Any]) -> str:
    """What is behind keyword arguments, as one text that changes whenever the agent may act differently.

    Raises:
        UsageError: they cannot be used.
    """
    settings = make_settings({name: v for name, v in options.items() if name not in ("model", "threads")})
    prompts = load_prompts(settings.prompts, settings.variant)
    parts = [
        settings.method,
        same_replies(str(options.get("model", "embedded"))),
        *([settings.mode] if settings.mode else []),
    ]
    parts += [f"{name}={value}" for name, value in settings.changed().items()]
    return " ".join([*parts, f"prompts:{prompts.variant}:{prompts.digest(sections(settings.method))}"])


def sections(method: str) -> tuple[str, ...]:
    """The sections of a prompt file that a method uses."""
    return ("system", "speak", *_OWN_SECTIONS.get(method, ()))


def _one_of(what: str, value: str, known: Mapping[str, Any] | tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"prompted agent: {what} must be one of {', '.join(known)}, not '{value}'.")


def _at_least(what: str, value: float | None, least: int) -> None:
    if value is not None and not value >= least:
        raise UsageError(f"prompted agent: {what} must be at least {least}, not {value}.")
