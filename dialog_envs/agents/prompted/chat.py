"""How a dialogue becomes a chat: for the agent, for the model of the user, and what is added in private."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from dialog_envs.core.dialogue import AGENT, TurnView
from dialog_envs.core.text import whole
from dialog_envs.simulators.llm import Message

__all__ = ["agent_chat", "noted", "short_brief", "user_chat"]

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


def noted(chat: Sequence[Message], note: str) -> tuple[Message, ...]:
    """The chat with a private note at its end. Two messages of the user in a row are one: many templates want that."""
    if not note:
        return tuple(chat)
    if chat and chat[-1]["role"] == "user":
        last: Message = {"role": "user", "content": f"{chat[-1]['content']}\n\n{note}"}
        return (*chat[:-1], last)
    return (*chat, {"role": "user", "content": note})


def short_brief(brief: str) -> str:
    """The brief with each line of its list cut at the colon, on one line."""
    lines = brief.splitlines()
    names = [line[2:].partition(": ")[0] for line in lines if line.startswith("- ")]
    return " ".join([*(line for line in lines if not line.startswith("- ")), "; ".join(names)]).strip()
