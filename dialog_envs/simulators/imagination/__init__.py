"""Offline datasets made by the suite itself: dialogues are rolled out or imagined, critiqued, revised or dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dialog_envs.simulators.imagination.engine import imagine as imagine

__all__ = ["imagine"]


def __getattr__(name: str) -> Any:
    if name == "imagine":
        from dialog_envs.simulators.imagination.engine import imagine

        return imagine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
