"""How a dialogue becomes a chat: for the agent, and for the model of the user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from dialog_envs.core.dialogue import AGENT, TurnView
from dialog_envs.core.text import whole
from dialog_envs.simulators.llm import Message

__all__ = ["agent_chat", "user_chat"]

_START = "(You speak first.)"


def agent_chat(system: str, brief: str, dialogue: Sequence[TurnView]) -> tuple[Message, ...]:
    """The chat that the agent's model continues.

    What never changes stands first (instructions), then what changes with the episode (the brief), then the turns: each
    chat begins with the chat of the turn before it, which servers and the embedded model need not read again.
    """
    note, turns = f"[{brief}]", list(dialogue)
    if turns and turns[0]["speaker"] != AGENT:
        note += f"\n\n{turns.pop(0)['text']}"
    chat: list[Message] = [{"role": "system", "content": system}, {"role": "user", "content": note}]
    for turn in turns:
        role: Literal["assistant", "user"] = "assistant" if turn["speaker"] == AGENT else "user"
        chat.append({"role": role, "content": whole(turn["text"])})
    return tuple(chat)


def user_chat(system: str, dialogue: Sequence[TurnView]) -> tuple[Message, ...]:
    """The same dialogue from the other side: the model says what the user says."""
    chat: list[Message] = [{"role": "system", "content": system}]
    if not dialogue or dialogue[0]["speaker"] != AGENT:
        chat.append({"role": "user", "content": _START})
    for turn in dialogue:
        role: Literal["assistant", "user"] = "user" if turn["speaker"] == AGENT else "assistant"
        chat.append({"role": role, "content": whole(turn["text"])})
    return tuple(chat)
