"""Text to token ids and back, for the embedded model, from the vocabulary in its GGUF file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from dialog_envs.simulators.llm.base import Message

_CONTROL = 3  # GGUF's token type for special tokens


class ChatTokenizer:
    """Byte-level BPE in ChatML: ``<|im_start|>role\\ncontent<|im_end|>\\n``.

    Special tokens are only ever put by code: a message whose text spells one is encoded letter by letter, so that no
    speaker can close its own message and open another's.
    """

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        vocabulary: list[str] = metadata["tokenizer.ggml.tokens"]
        ids = {token: index for index, token in enumerate(vocabulary)}
        merges = [tuple(pair.split(" ")) for pair in metadata["tokenizer.ggml.merges"]]
        self._tokenizer = Tokenizer(models.BPE(vocab=ids, merges=merges))
        digits = pre_tokenizers.Digits(individual_digits=True)
        self._tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(False)])
        self._tokenizer.decoder = decoders.ByteLevel()
        self.start, self.end = ids["<|im_start|>"], ids["<|im_end|>"]
        kinds: list[int] = metadata["tokenizer.ggml.token_type"]
        self.special = frozenset(index for index, kind in enumerate(kinds) if kind == _CONTROL)
        self.header = (self.start, *self.encode("assistant\n"))
        """What stands before a reply."""
        self._newline = self.encode("\n")

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids of plain text."""
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, tokens: Sequence[int]) -> str:
        """Plain text of token ids; bytes that are no UTF-8 (yet) become U+FFFD."""
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=False))

    def message(self, message: Message) -> tuple[int, ...]:
        """Token ids of a whole message."""
        inside = self.encode(f"{message['role']}\n{message['content']}")
        return (self.start, *inside, self.end, *self._newline)

    def pieces(self, messages: Sequence[Message]) -> list[tuple[int, ...]]:
        """A chat as runs of tokens, cut after every system and user message.

        The cuts depend on the messages alone, so that the same chat is always computed in the same pieces.
        """
        pieces: list[tuple[int, ...]] = []
        run: tuple[int, ...] = ()
        for message in messages:
            run += self.message(message)
            if message["role"] != "assistant":
                pieces.append(run)
                run = ()
        return [*pieces, run] if run else pieces
