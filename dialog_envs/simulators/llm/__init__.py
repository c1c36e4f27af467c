"""Chat models: one protocol (:class:`ChatModel`), named by a string (:func:`get_chat_model`).

==============================  ========================================================================================
``embedded``                    SmolLM2-135M-Instruct, on this machine, without a network or a key
``openai:MODEL``                any server that speaks OpenAI's API (``OPENAI_API_KEY``, ``OPENAI_BASE_URL``)
``hf:ID_OR_PATH``               a model of Hugging Face's transformers in this process, on a GPU if there is one
``record:FILE=SPEC``            the model ``SPEC``, with every reply kept in ``FILE`` (or taken from it)
``replay:FILE``                 only the replies in ``FILE``; anything else is an error
``scripted``, ``flawed``        no model: imagines from the task itself
                                (:mod:`dialog_envs.simulators.imagination.scripted`)
==============================  ========================================================================================

Options stand behind a question mark: ``openai:my-model?base_url=http://127.0.0.1:8000/v1&transport=fast``.
"""

from __future__ import annotations

from dialog_envs.simulators.llm.base import (
    CallFailure,
    ChatModel,
    ChatReply,
    ChatRequest,
    Choice,
    ChoiceRequest,
    Message,
    Request,
    Result,
    Role,
    Usage,
)
from dialog_envs.simulators.llm.calls import ChatModelBase, InFlight
from dialog_envs.simulators.llm.registry import UnknownModel, get_chat_model

__all__ = [
    "CallFailure",
    "ChatModel",
    "ChatModelBase",
    "ChatReply",
    "ChatRequest",
    "Choice",
    "ChoiceRequest",
    "InFlight",
    "Message",
    "Request",
    "Result",
    "Role",
    "UnknownModel",
    "Usage",
    "get_chat_model",
]
