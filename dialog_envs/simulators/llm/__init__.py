"""Chat models: one protocol (:class:`ChatModel`), named by a string (:func:`get_chat_model`).

==============================  ========================================================================================
``embedded``                    SmolLM2-135M-Instruct, on this machine, without a network or a key
``openai:MODEL``                any server that speaks OpenAI's API (``OPENAI_API_KEY``, ``OPENAI_BASE_URL``)
``record:FILE=SPEC``            the model ``SPEC``, with every reply written to ``FILE`` (or taken from it)
``replay:FILE``                 only the replies in ``FILE``; anything else is an error
==============================  ========================================================================================
"""

from __future__ import annotations

from dialog_envs.simulators.llm.base import (
    ChatModel,
    ChatReply,
    ChatRequest,
    Choice,
    ChoiceRequest,
    Message,
    Usage,
    get_chat_model,
)

__all__ = [
    "ChatModel",
    "ChatReply",
    "ChatRequest",
    "Choice",
    "ChoiceRequest",
    "Message",
    "Usage",
    "get_chat_model",
]
