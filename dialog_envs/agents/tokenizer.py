"""A small byte-level BPE tokenizer, trained on the dialogues that an agent learns from.

A byte-level vocabulary writes every text, in any script, without an unknown token. Small is fast: in a model of one
million parameters the output layer is the largest matrix, so 1,000 tokens are the default.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dialog_envs.errors import UsageError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

PAD, END = "<|pad|>", "<|end|>"
ROLES = {"note": "<|note|>", "user": "<|user|>", "agent": "<|agent|>"}
"""Role of a segment -> the token that opens it."""
ROLE_TOKENS = (PAD, END, *ROLES.values())

SMALLEST_VOCABULARY = 300
"""256 bytes, the role tokens, and room for a task's own special tokens."""


def with_spaced(special_tokens: Iterable[str]) -> list[str]:
    """Each special token bare and with a leading space: " <3>" is then one token, and text survives a round trip."""
    return [form for token in special_tokens for form in (token, f" {token}")]


def train_tokenizer(
    texts: Iterable[str], vocabulary: int = 1024, special_tokens: Sequence[str] = ()
) -> PreTrainedTokenizerFast:
    """Trains a byte-level BPE tokenizer.

    Args:
        texts: the texts of all segments, agents' and users'.
        vocabulary: number of tokens in the end, role and special tokens included.
        special_tokens: strings of the task that shall be one token each, such as ``"<1>"``.

    Raises:
        UsageError: ``vocabulary`` has no room for all bytes and special tokens.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    added = [*ROLE_TOKENS, *with_spaced(special_tokens)]
    smallest = max(SMALLEST_VOCABULARY, 256 + len(added))
    if vocabulary < smallest:
        raise UsageError(
            f"vocabulary={vocabulary} is too small: choose at least {smallest} (1024 is the default)."
        )
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[AddedToken(token, normalized=False, special=True) for token in added],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(
        (f" {text.strip()}" for text in texts), trainer=trainer
    )  # as encode_text reads it
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        bos_token=END,
        clean_up_tokenization_spaces=False,
    )


def extend_tokenizer(tokenizer: PreTrainedTokenizerBase, special_tokens: Sequence[str] = ()) -> int:
    """Adds role and special tokens to a backbone's own tokenizer. Returns how many tokens were new."""
    from tokenizers import AddedToken

    added = [*ROLE_TOKENS, *with_spaced(special_tokens)]
    new = tokenizer.add_tokens([AddedToken(token, normalized=False, special=True) for token in added], True)
    tokenizer.pad_token, tokenizer.eos_token = PAD, END
    return int(new)


def role_ids(tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """Ids of the role tokens, by the tokens' own text."""
    known = tokenizer.get_vocab()
    return {token: known[token] for token in ROLE_TOKENS}


def encode_text(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids of one segment's text.

    A leading space gives the first word the same token that it has elsewhere. What a speaker types can never become
    a role token: ``<|`` is taken apart.
    """
    text = text.replace("<|", "< |").strip()
    return list(tokenizer.encode(f" {text}", add_special_tokens=False)) if text else []


def decode_text(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    """The text of agent tokens, without surrounding space. Inverse of :func:`encode_text` on stripped text."""
    return str(
        tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
    ).strip()
