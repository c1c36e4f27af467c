"""What a chat model's name stands for: the model, without the files, addresses and options of one's own machine.

Leaderboards show it and compare by it: a recording, and the replay of it, are the recorded model.
"""

from __future__ import annotations

from dialog_envs.errors import UsageError
from dialog_envs.simulators.llm.registry import check_name
from dialog_envs.simulators.llm.spec import Spec, typed

__all__ = ["plain_name", "same_replies", "unwrapped"]


def unwrapped(name: str) -> str:
    """The name without a recording around it: ``record:FILE=openai:m?timeout=5`` → ``openai:m?timeout=5``.

    Raises:
        UsageError: it is incomplete, or names a recording that is not there.
    """
    spec = check_name(name)
    if spec.kind == "replay":
        return _recorded(spec)[0]
    if spec.kind != "record":
        return name
    file, equals, inner = name.removeprefix("record:").partition("=")
    if not (file and equals and inner):
        raise UsageError(f"'{name}' is incomplete: write record:FILE=MODEL.")
    return unwrapped(inner)


def plain_name(name: str) -> str:
    """The model alone, as a leaderboard shows it: ``openai:m``.

    Raises:
        UsageError: as :func:`unwrapped`.
    """
    return unwrapped(name).partition("?")[0]


def same_replies(name: str) -> str:
    """A text that differs between models that may reply differently, as far as that shows before they are made.

    Where a server stands and what shapes its replies counts; how it is reached, how patiently, and at what price does
    not. A model, its recording, and the replay of that have the same.

    Raises:
        UsageError: as :func:`unwrapped`, or an option cannot be used.
    """
    from dialog_envs.simulators.llm.openai_compatible import OPTIONS, version_of

    spec = check_name(name)
    if spec.kind == "replay":
        return _recorded(spec)[1]
    inner = unwrapped(name)
    spec = check_name(inner) if inner != name else spec
    if spec.kind != "openai":
        return inner
    options = typed(spec.options, OPTIONS, f"openai:{spec.argument}")
    shaping = {key: options[key] for key in ("base_url", "reasoning_tokens", "extra") if key in options}
    return version_of(spec.argument, **shaping)


def _recorded(spec: Spec) -> tuple[str, str]:
    """Name and version of the model whose replies a file holds."""
    from dialog_envs.simulators.llm.replay import ReplayModel

    recording = ReplayModel(spec.argument, **typed(spec.options, {"model": str}, f"replay:{spec.argument}"))
    try:
        return recording.name, recording.version
    finally:
        recording.close()
