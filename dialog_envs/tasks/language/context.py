"""What the agent's last turn did: the context of a user's answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dialog_envs.core.dialogue import AGENT, Act, Turn

Understand = Callable[[str, Any, Sequence[Any]], tuple[Act, ...]]


def last_agent_acts(dialogue: Sequence[Any], scenario: Any, understand: Understand) -> tuple[Act, ...]:
    """Acts of the last agent turn, or () if nobody spoke or the user spoke last.

    Turns are views of speaker and text (then the text is understood), or records, whose acts are taken as they are.
    """
    if not dialogue:
        return ()
    last = dialogue[-1]
    if isinstance(last, Turn):
        return last.acts if last.speaker == AGENT else ()
    return understand(last["text"], scenario, dialogue[:-1]) if last["speaker"] == AGENT else ()


def texts(dialogue: Sequence[Any]) -> list[str]:
    """The words of all turns, the last first."""
    return [turn.text if isinstance(turn, Turn) else turn["text"] for turn in reversed(dialogue)]
