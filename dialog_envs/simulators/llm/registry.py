"""Chat models by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from dialog_envs.errors import UnknownName, UsageError
from dialog_envs.simulators.llm.base import ChatModel
from dialog_envs.simulators.llm.spec import Spec, parse_spec, typed


class UnknownModel(UnknownName):
    """No chat model is named so."""

    kind = "chat model"


def _embedded(argument: str, options: Mapping[str, Any]) -> ChatModel:
    from dialog_envs.simulators.llm.embedded import EmbeddedModel

    if argument:
        raise UsageError(f"chat model 'embedded' takes no argument, but was given '{argument}'.")
    kinds: dict[str, Callable[[str], Any]] = {"threads": int, "dtype": str, "cache_tokens": int}
    return EmbeddedModel.shared(**typed(options, kinds, "embedded"))


def _openai(argument: str, options: Mapping[str, Any]) -> ChatModel:
    from dialog_envs.simulators.llm.openai_compatible import OPTIONS, OpenAICompatibleModel

    return OpenAICompatibleModel(argument, **typed(options, OPTIONS, f"openai:{argument}"))


def _transformers(argument: str, options: Mapping[str, Any]) -> ChatModel:
    from dialog_envs.simulators.llm.transformers_model import OPTIONS, TransformersModel

    return TransformersModel(argument, **typed(options, OPTIONS, f"hf:{argument}"))


def _replay(argument: str, options: Mapping[str, Any]) -> ChatModel:
    from dialog_envs.simulators.llm.replay import ReplayModel

    return ReplayModel(argument, **typed(options, {"model": str}, f"replay:{argument}"))


def _record(argument: str, options: Mapping[str, Any]) -> ChatModel:
    from dialog_envs.simulators.llm.replay import RecordingModel

    file, equals, inner = argument.partition("=")
    if not (file and equals and inner):
        raise UsageError(f"'record:{argument}' is incomplete: write record:FILE=MODEL.")
    return RecordingModel(file, get_chat_model(inner, **options))


def _scripted(argument: str, options: Mapping[str, Any], kind: str = "scripted") -> ChatModel:
    from dialog_envs.simulators.imagination.scripted import FLAWED, ScriptedImaginer

    if argument:
        raise UsageError(f"chat model '{kind}' takes no argument, but was given '{argument}'.")
    faults = dict.fromkeys(("tells", "contrary", "loops"), FLAWED if kind == "flawed" else 0.0)
    kinds: dict[str, Callable[[str], Any]] = {**dict.fromkeys(faults, float), "alike": int}
    return ScriptedImaginer(kind, **{**faults, **typed(options, kinds, kind)})


_MODELS: dict[str, tuple[str, Callable[[str, Mapping[str, Any]], ChatModel]]] = {
    "embedded": ("embedded", _embedded),
    "openai": ("openai:MODEL", _openai),
    "hf": ("hf:ID_OR_PATH", _transformers),
    "replay": ("replay:FILE", _replay),
    "record": ("record:FILE=MODEL", _record),
    "scripted": ("scripted", _scripted),
    "flawed": ("flawed", partial(_scripted, kind="flawed")),
}


def get_chat_model(spec: str, **options: Any) -> ChatModel:
    """The chat model that `spec` names (see :mod:`dialog_envs.simulators.llm`).

    Args:
        spec: for example ``"embedded"``, ``"openai:gpt-5-mini"`` or
            ``"openai:my-model?base_url=http://127.0.0.1:8000/v1&transport=fast"``.
        options: the same options as keyword arguments; they go before those in `spec`. With ``record:FILE=MODEL`` they
            are the inner model's.

    Raises:
        UnknownModel: no such kind of model; the message lists what there is.
        UsageError: the part after the colon is missing or wrong, or an option is.
        ModelUnavailable: the model, its engine or its key is not here; the message says how to get it.
    """
    parsed = check_name(spec)
    _, make = _MODELS[parsed.kind]
    return make(parsed.argument, {**parsed.options, **options})


def check_name(spec: str) -> Spec:
    """Take a chat model's name apart, without making the model.

    Raises:
        UnknownModel: no such kind of model; the message lists what there is.
        UsageError: the part after the colon is missing, or an option would hold a key.
    """
    parsed = parse_spec(spec)
    if parsed.kind not in _MODELS:
        raise UnknownModel(spec, [form for form, _ in _MODELS.values()])
    form, _ = _MODELS[parsed.kind]
    if ":" in form and not parsed.argument:
        raise UsageError(f"chat model '{spec}' is incomplete: write {form}.")
    return parsed
