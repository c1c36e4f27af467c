"""What the agent's last turn asked and suggested: the context of a user's answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.language import context
from dialog_envs.tasks.preference.language.understanding import understand


def last_agent_acts(dialogue: Sequence[Any], scenario: Any) -> tuple[Act, ...]:
    """Acts of the last agent turn; see :func:`dialog_envs.tasks.language.context.last_agent_acts`."""
    return context.last_agent_acts(dialogue, scenario, understand)
