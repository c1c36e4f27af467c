"""Agents by name, as the command line and a suite write them.

==============================  ========================================================================================
``ilql``                        a built-in agent (:data:`BUILT_IN`), or an installed package's entry point (group
                                ``dialog_envs.agents``); a learned one is read from ``CHECKPOINTS/TASK/NAME`` for
                                each task, or from ``CHECKPOINTS/NAME``
``prompted:cot:openai:gpt-4o``  a built-in agent with an argument (for ``prompted``: the method, the chat model, or
                                both)
``ilql=runs/mine/ilql``         a learned agent from this checkpoint folder
``path/my_agent.py:MyAgent``    a class, instance or function in a file
``package.module:MyAgent``      the same in an importable module
``http://host:port/act``        an agent behind HTTP (:class:`dialog_envs.agents.remote.HttpAgent`)
``name=…``                      any of these under a name of your own, which the leaderboard shows
==============================  ========================================================================================
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from dialog_envs.agents.algorithms import ALGORITHMS
from dialog_envs.agents.arguments import read_arguments
from dialog_envs.agents.base import Agent, as_agent
from dialog_envs.agents.checkpoint import TRAINING, read_training
from dialog_envs.errors import AgentError, CheckpointError, DialogEnvsError, UnknownAgent, UsageError
from dialog_envs.simulators.llm.redact import redact_url

__all__ = ["BUILT_IN", "ENTRY_POINT_GROUP", "LEARNED", "AgentSpec", "agent_names", "resolve_agent"]

ENTRY_POINT_GROUP = "dialog_envs.agents"

BUILT_IN: dict[str, str] = {
    "random": "dialog_envs.agents.scripted:RandomAgent",
    "heuristic": "dialog_envs.agents.scripted:HeuristicAgent",
    "information-gain": "dialog_envs.agents.scripted:InformationGainAgent",
    "oracle": "dialog_envs.agents.scripted:OracleAgent",
    "prompted": "dialog_envs.agents.prompted:PromptedAgent",
    **dict.fromkeys(ALGORITHMS, "dialog_envs.agents.learned:LearnedAgent"),
}
"""Name → where it is. Strings, so that looking at the table imports nothing heavy."""

LEARNED = tuple(ALGORITHMS)
"""Built-in agents that are read from a checkpoint folder."""

_LEARNED_CLASS = BUILT_IN["bc"]
_PROMPTED = "prompted"
_PLAIN = ("random", "heuristic", "information-gain", "oracle")


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """A resolved agent name: how to make the agent, and what exactly it is.

    Attributes:
        name: what the leaderboard calls it.
        source: what was asked for, for example ``my_agent.py:MyAgent``.
        fingerprint: changes whenever the agent may act differently (its file, its checkpoint's weights).
        build: ``task -> agent``; a fresh one a call, unless ``shared``.
        shared: ``build`` always returns the same object (an instance found in a module).
        elsewhere: the name under which another process finds the same agent, if it is one that may well play in
            several processes at once (it computes, and holds nothing that is scarce).
    """

    name: str
    source: str
    fingerprint: str
    build: Callable[[Any], Agent]
    shared: bool = False
    elsewhere: str | None = None


def agent_names() -> tuple[str, ...]:
    """The built-in names, then those of installed plug-ins."""
    return (*BUILT_IN, *sorted(_plugins()))


def resolve_agent(
    text: str, checkpoints: Sequence[str | Path] = (), settings: Mapping[str, str] | None = None
) -> AgentSpec:
    """Find the agent that ``text`` names (see the module's table).

    Args:
        text: the name, as on the command line.
        checkpoints: folders that may hold a learned agent's checkpoint under its name.
        settings: texts by name, which the agent's class takes as keyword arguments.

    Raises:
        UnknownAgent: no such name; the message lists what there is, the closest first.
        UsageError: the agent has no such setting, or not that value of it.
        AgentError: the file, module or attribute cannot be used.
        CheckpointError: a learned agent has no checkpoint.
    """
    label, rest = _split_label(text)
    given = dict(settings or {})
    if _is_url(rest):
        _refuse_settings(rest, given)
        return _remote(label or _url_label(rest), rest)
    if label and Path(rest).is_dir():
        return _from_checkpoint(label, Path(rest), given)
    head, _, argument = rest.partition(":")
    if head in BUILT_IN:
        if head in LEARNED:
            return _learned(label or head, head, argument, checkpoints, given)
        return _built_in(label, head, argument, given)
    if rest in _plugins():
        return _plugin(label or rest, _plugins()[rest], given)
    if ":" in rest:
        return _custom(label, rest, given)
    if label in LEARNED:
        raise CheckpointError(f"there is no checkpoint folder '{rest}' for agent '{label}'.")
    raise UnknownAgent(
        rest,
        agent_names(),
        "Your own: my_agent.py:MyAgent, package.module:MyAgent, http://host:port/act, or a checkpoint: NAME=FOLDER.",
    )


# ---- the forms of a name ---------------------------------------------------------------------------------------------


def _split_label(text: str) -> tuple[str, str]:
    left, equals, right = text.partition("=")
    if equals and left and right and not any(mark in left for mark in ":/\\."):
        return left, right
    return "", text


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _url_label(url: str) -> str:
    return url.split("://", 1)[1].split("?", 1)[0].rstrip("/").rpartition("@")[2]


def _plugins() -> dict[str, metadata.EntryPoint]:
    return {point.name: point for point in metadata.entry_points(group=ENTRY_POINT_GROUP)}


def _plugin(label: str, point: metadata.EntryPoint, settings: Mapping[str, str]) -> AgentSpec:
    try:
        thing = point.load()
    except Exception as error:
        raise AgentError(
            f"agent '{point.name}' cannot be loaded from {point.value}: {type(error).__name__}: {error}"
        ) from error
    version = point.dist.version if point.dist is not None else ""
    return _from_object(label, point.name, thing, version, settings)


def _remote(label: str, url: str) -> AgentSpec:
    def build(task: Any) -> Agent:
        from dialog_envs.agents.remote import HttpAgent

        return HttpAgent(url, task=task)

    shown = redact_url(url)
    return AgentSpec(label, shown, f"url:{shown}", build)


def _built_in(label: str, name: str, argument: str, settings: Mapping[str, str]) -> AgentSpec:
    if name == _PROMPTED:
        return _prompted(label, argument, settings)

    def build(task: Any) -> Agent:
        factory = _load(BUILT_IN[name], f"built-in agent '{name}'")
        return as_agent(_call_factory(factory, task, argument, name))

    _refuse_settings(name, settings)
    fingerprint = f"built-in:{name}:{argument}:{_version()}"
    source = f"{name}:{argument}" if argument else name
    label = label or source
    return AgentSpec(
        label, source, fingerprint, build, elsewhere=f"{label}={source}" if name in _PLAIN else None
    )


def _prompted(label: str, argument: str, settings: Mapping[str, str]) -> AgentSpec:
    """Its name and settings are checked now, its model is loaded when it is built."""
    from dialog_envs.agents.prompted import PromptedAgent

    options = PromptedAgent.read_name(argument, settings)
    fingerprint = f"built-in:{_PROMPTED}:{PromptedAgent.identity(options)}:{_version()}"
    full, plain = (":".join(filter(None, (_PROMPTED, form))) for form in PromptedAgent.shown_name(argument))
    return AgentSpec(label or plain, full, fingerprint, lambda task: PromptedAgent(task=task, **options))


def _refuse_settings(agent: str, settings: Mapping[str, str]) -> None:
    if settings:
        raise UsageError(f"agent '{agent}' has no settings, but was given {next(iter(settings))}=….")


def _version() -> str:
    from dialog_envs import __version__

    return __version__


def _learned(
    label: str, name: str, argument: str, checkpoints: Sequence[str | Path], settings: Mapping[str, str]
) -> AgentSpec:
    places = [Path(argument)] if argument else [Path(folder) for folder in checkpoints]
    for place in places:
        if (place / TRAINING).is_file():
            return _from_checkpoint(label, place, settings)
        if found := _checkpoints_in(place, name):
            return _from_checkpoints(label, found, f"{label}={name}:{place.resolve()}", place, settings)
    looked = ", ".join(str(place / name) for place in places) or "no checkpoint folder was given"
    raise CheckpointError(
        f"agent '{name}' needs a trained checkpoint (looked in: {looked}). "
        f"Train one with 'dialog-envs train {name}', or point to it: --agent {name}=FOLDER."
    )


def _checkpoints_in(place: Path, name: str) -> dict[str, Path]:
    """Task id → checkpoint of an agent, from ``place/NAME`` and ``place/TASK/NAME``."""
    folders = [place / name, *sorted(place.glob(f"*/{name}"))]
    return {read_training(f)["task"]: f for f in folders if (f / TRAINING).is_file()}


def _from_checkpoint(label: str, folder: Path, settings: Mapping[str, str]) -> AgentSpec:
    found = {str(read_training(folder).get("task")): folder}
    return _from_checkpoints(label, found, f"{label}={folder.resolve()}", folder, settings)


def _from_checkpoints(
    label: str, found: Mapping[str, Path], elsewhere: str, source: Path, settings: Mapping[str, str]
) -> AgentSpec:
    """An agent with a checkpoint for each of several tasks. Another process cannot be told its settings."""
    decoding: dict[str, Any] = {}
    if settings:
        decoding = read_arguments(
            _load(_LEARNED_CLASS, "the learned agents").from_pretrained, settings, label
        )

    def build(task: Any) -> Agent:
        folder = found.get(task.id)
        if folder is None:
            raise CheckpointError(
                f"agent '{label}' has no checkpoint for {task.id} in '{source}', only for {', '.join(found)}: "
                f"train one, or leave the task out with --task."
            )
        loader = _load(_LEARNED_CLASS, "the learned agents")
        accepted = _parameters(loader.from_pretrained)
        options = {**({"task": task} if "task" in accepted else {}), **decoding}
        return as_agent(loader.from_pretrained(str(folder), **options))

    digests = "+".join(_folder_digest(folder) for _, folder in sorted(found.items()))
    fingerprint = f"checkpoint:{digests}{_marked(settings)}"
    return AgentSpec(label, str(source), fingerprint, build, elsewhere=None if settings else elsewhere)


def _marked(settings: Mapping[str, str]) -> str:
    """What settings add to a fingerprint."""
    return "".join(f" {name}={text}" for name, text in sorted(settings.items()))


def _custom(label: str, text: str, settings: Mapping[str, str]) -> AgentSpec:
    where, _, attribute = text.rpartition(":")
    name = label or attribute.rpartition(".")[2]
    path = Path(where)
    if where.endswith(".py") or path.is_file():
        if not path.is_file():
            raise AgentError(f"there is no file '{where}' (asked for agent '{text}').")
        module = _load_file(path)
    else:
        module = _load_module(where, text)
    thing: Any = module
    for part in attribute.split("."):
        if not hasattr(thing, part):
            raise UnknownAgent(attribute, _candidates(module), f"(looked in {where})")
        thing = getattr(thing, part)
    file = inspect.getsourcefile(module) or ""
    digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16] if file and Path(file).is_file() else ""
    return _from_object(name, text, thing, digest, settings)


def _from_object(name: str, source: str, thing: Any, digest: str, settings: Mapping[str, str]) -> AgentSpec:
    fingerprint = f"object:{source.rpartition(':')[2]}:{digest}{_marked(settings)}"
    if isinstance(thing, type):
        given = read_arguments(thing, settings, name)
        return AgentSpec(
            name, source, fingerprint, lambda task: as_agent(_call_factory(thing, task, "", name, given))
        )
    _refuse_settings(name, settings)
    agent = as_agent(thing)
    return AgentSpec(name, source, fingerprint, lambda task: agent, shared=not inspect.isfunction(thing))


# ---- loading ---------------------------------------------------------------------------------------------------------


def _load_file(path: Path) -> ModuleType:
    """Run a user's file as a module; its own folder comes first on the path, so that it may import its neighbours."""
    name = f"dialog_envs_agent_{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise AgentError(f"'{path}' is no Python file.")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    sys.modules[name] = module  # dataclasses look their module up by name
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise AgentError(f"'{path}' cannot be imported: {type(error).__name__}: {error}") from error
    return module


def _load_module(name: str, asked: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise UnknownAgent(asked, agent_names(), f"(no module named '{error.name}')") from error
        raise AgentError(f"'{name}' cannot be imported: {error}") from error
    except DialogEnvsError:
        raise
    except Exception as error:
        raise AgentError(f"'{name}' cannot be imported: {type(error).__name__}: {error}") from error


def _load(entry: str, what: str) -> Any:
    where, _, attribute = entry.partition(":")
    try:
        return getattr(importlib.import_module(where), attribute)
    except (ImportError, AttributeError) as error:
        raise AgentError(f"{what} cannot be loaded from {entry}: {error}") from error


def _call_factory(
    factory: Any, task: Any, argument: str, name: str, settings: Mapping[str, Any] | None = None
) -> Any:
    accepted = _parameters(factory)
    options: dict[str, Any] = {**({"task": task} if "task" in accepted else {}), **(settings or {})}
    if argument:
        if "model" not in accepted:
            raise AgentError(f"agent '{name}' takes no argument, but was given '{argument}'.")
        options["model"] = argument
    try:
        return factory(**options)
    except DialogEnvsError:
        raise
    except Exception as error:
        raise AgentError(f"agent '{name}' cannot be made: {type(error).__name__}: {error}") from error


def _parameters(factory: Any) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(factory).parameters)
    except (TypeError, ValueError):
        return frozenset()


def _candidates(module: ModuleType) -> list[str]:
    own = (
        name for name, thing in vars(module).items() if getattr(thing, "__module__", None) == module.__name__
    )
    return [name for name in own if not name.startswith("_")]


def _folder_digest(folder: Path) -> str:
    """Over every file's relative name and bytes: two checkpoints agree only if they are the same."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(folder)).encode() + b"\0")
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]
