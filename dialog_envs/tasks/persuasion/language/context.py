"""What the agent's last turn did: the context of a user's answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.language import context
from dialog_envs.tasks.persuasion.language.understanding import understand


def last_agent_acts(dialogue: Sequence[Any], scenario: Any) -> tuple[Act, ...]:
    """Acts of the last agent turn, or () if nobody spoke or the user spoke last.

    Turns are views of speaker and text (then the text is understood), or records, whose acts are taken as they are.
    """
    return context.last_agent_acts(dialogue, scenario, understand)
