"""Chats as token ids, by the chat template that comes with a model of transformers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import TemplateError

from dialog_envs.errors import ModelUnavailable
from dialog_envs.simulators.llm.base import Message

_PROBE: list[Message] = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]


class ChatTemplate:
    """A tokenizer's chat template. What speakers wrote never becomes a control token, whatever it spells.

    Args:
        tokenizer: of transformers.
        model: for messages.
        variables: given to the template.

    Raises:
        ModelUnavailable: there is no template: the model was not made for chats.
    """

    def __init__(self, tokenizer: Any, model: str, variables: Mapping[str, Any]) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise ModelUnavailable(
                f"'hf:{model}' has no chat template, so it was not made for dialogue: take one tuned for instructions."
            )
        self._tokenizer, self._variables = tokenizer, dict(variables)
        self._sanitizes = (
            "sanitize_control_tokens" in inspect.signature(tokenizer.apply_chat_template).parameters
        )
        self.end = int(tokenizer.eos_token_id)
        """What ends a message."""

    def tokens(self, messages: Sequence[Message], *, reply_follows: bool = True) -> list[int]:
        """A chat up to where the reply begins. A template without a system role gets it in the first message."""
        try:
            return self._render(list(messages), reply_follows)
        except TemplateError:
            if not messages or messages[0]["role"] != "system":
                raise
        first, *rest = messages
        if rest and rest[0]["role"] == "user":
            both: Message = {"role": "user", "content": f"{first['content']}\n\n{rest[0]['content']}"}
            return self._render([both, *rest[1:]], reply_follows)
        return self._render([{"role": "user", "content": first["content"]}, *rest], reply_follows)

    def _render(self, messages: list[Message], reply_follows: bool) -> list[int]:
        options = dict(self._variables)
        if self._sanitizes:
            options["sanitize_control_tokens"] = True
        else:
            messages = [{"role": one["role"], "content": self._broken_up(one["content"])} for one in messages]
        ids = self._tokenizer.apply_chat_template(
            messages, add_generation_prompt=reply_follows, tokenize=True, return_dict=False, **options
        )
        return [int(token) for token in ids]

    def encode(self, text: str) -> list[int]:
        """Token ids of plain text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))

    def end_tokens(self, config: Any) -> list[int]:
        """All tokens at which a reply ends, the template's own first; sets :attr:`end`."""
        told = getattr(config, "eos_token_id", None)
        known = [self.end, *(told if isinstance(told, list) else [] if told is None else [told])]
        used = [token for token in self.tokens(_PROBE, reply_follows=False) if token in known]
        self.end = used[-1] if used else self.end
        return list(dict.fromkeys([self.end, *known]))

    def _broken_up(self, text: str) -> str:
        """For older transformers: a space within everything that spells a control token."""
        for token in self._tokenizer.added_tokens_decoder.values():
            if token.special and len(token.content) > 1:
                text = text.replace(token.content, f"{token.content[0]} {token.content[1:]}")
        return text
