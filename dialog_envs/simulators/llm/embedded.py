"""The embedded model: SmolLM2-135M-Instruct on this machine's processor, without a network or a key.

A turn of the prompted agent in choice mode (about 13 candidates, 90 tokens in their tree, 35 new tokens of dialogue
after 450 that are remembered) takes 0.2 s of one core (AMD Zen 5, bfloat16).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dialog_envs.core.seeding import stream
from dialog_envs.errors import UsageError
from dialog_envs.simulators.llm.base import ChatReply, ChatRequest, Choice, ChoiceRequest, Usage
from dialog_envs.simulators.llm.calls import ChatTooLong, LocalModel
from dialog_envs.simulators.llm.chat_tokens import ChatTokenizer
from dialog_envs.simulators.llm.embedded_file import MODEL_NAME, SHA256, checked_model_file
from dialog_envs.simulators.llm.gguf_file import GgufFile
from dialog_envs.simulators.llm.llama import Llama, Span
from dialog_envs.simulators.llm.prefix_cache import PrefixCache
from dialog_envs.simulators.llm.sampling import draw
from dialog_envs.simulators.llm.token_tree import TokenTree

_PACK = 1024  # most tokens of one forward pass, a memory bound: 1024 take about 60 MB of work space
_ROWS = 256  # most rows of logits at once: 50 MB
CONTEXT = 8192
"""Most tokens of a chat with its reply."""


@dataclass(frozen=True, slots=True)
class _Scoring:
    request: ChoiceRequest
    tree: TokenTree
    chain: tuple[Span, ...]


@dataclass(slots=True)
class _Writer:
    """A reply in the making: `tail` is the last span (reply's header and what was written), `hidden` its last state."""

    request: ChatRequest
    rng: np.random.Generator
    read: int
    tail: Span
    hidden: Tensor
    tokens: list[int] = field(default_factory=list)
    text: str = ""
    finish_reason: str = ""


def _check_length(tokens: int) -> None:
    if tokens > CONTEXT:
        raise ChatTooLong(
            f"a chat of {tokens} tokens (its reply included) is too long for the embedded model: "
            f"shorten it to {CONTEXT}."
        )


def _dtype(name: str) -> torch.dtype:
    known = {"bfloat16": torch.bfloat16, "float32": torch.float32}
    if name == "auto":
        return torch.bfloat16 if _multiplies_bfloat16() else torch.float32
    if name not in known:
        raise UsageError(f"unknown dtype '{name}': there is auto, {', '.join(known)}.")
    return known[name]


def _multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for it (without them bfloat16 is emulated, and slower)."""
    found: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # torch >= 2.11
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


class EmbeddedModel(LocalModel):
    """SmolLM2-135M-Instruct. The same request gives the same reply to the bit, alone or in a batch, warm or cold.

    Across machines replies may differ in rare close calls, because processors round differently; the number format
    is part of :attr:`version`.

    Args:
        threads: processor threads of a call. torch has one pool for the whole process: the number is set for the
            call and restored after it; ``None`` leaves it as it is. One by default: a second thread helps only where
            both cores are idle; beside other busy processes it was measured more than ten times slower, because the
            threads of a pool wait for each other at every step. Use two processes rather than two threads.
        dtype: ``"bfloat16"``, ``"float32"``, or ``"auto"``: bfloat16 where the processor multiplies it natively
            (three times as fast), float32 elsewhere.
        cache_tokens: tokens of earlier dialogues to remember, at 23 KB (bfloat16) or 46 KB (float32) each.

    Raises:
        ModelUnavailable: the model's file is missing or damaged; the message says how to get it.
    """

    _shared: ClassVar[dict[tuple[Any, ...], EmbeddedModel]] = {}
    _shared_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, threads: int | None = 1, dtype: str = "auto", cache_tokens: int = 16_384) -> None:
        if threads is not None and threads < 1:
            raise UsageError(f"threads must be at least 1, not {threads}.")
        self.threads = threads
        self._dtype = _dtype(dtype)
        file = GgufFile(checked_model_file())
        self.tokenizer = ChatTokenizer(file.metadata)
        with self._on_threads(), torch.inference_mode():
            self._llama = Llama(file, self._dtype)
        self._cache = PrefixCache(cache_tokens)
        self._lock = threading.Lock()

    @classmethod
    def shared(cls, **options: Any) -> EmbeddedModel:
        """One model a process and set of options: agents and users share its weights and its cache."""
        key = tuple(sorted(options.items()))
        with cls._shared_lock:
            if key not in cls._shared:
                cls._shared[key] = cls(**options)
            return cls._shared[key]

    @property
    def name(self) -> str:
        """``embedded``."""
        return "embedded"

    @property
    def version(self) -> str:
        """Model, weights and number format."""
        return f"{MODEL_NAME} sha256:{SHA256[:12]} {str(self._dtype).removeprefix('torch.')}"

    # ---- choosing ----------------------------------------------------------------------------------------------------

    def choose_batch(self, requests: Sequence[ChoiceRequest]) -> list[Choice]:
        """Score every candidate as the next message, and draw one by its length-normalised probability.

        A candidate's score is its mean log-probability a token, its end included; it is drawn with probability
        proportional to exp(score / temperature). Candidates' common beginnings are computed once.

        Raises:
            UsageError: a request has no candidates, or one twice.
            ChatTooLong: a chat is too long.
        """
        with self._lock, self._on_threads(), torch.inference_mode():
            return [choice for group in self._groups(requests) for choice in self._choose(group)]

    def _groups(self, requests: Sequence[ChoiceRequest]) -> Iterator[list[_Scoring]]:
        """Requests that go through the model together."""
        group: list[_Scoring] = []
        for request in requests:
            tree = self._tree(request)
            pieces = self.tokenizer.pieces(request.messages)
            _check_length(sum(map(len, pieces)) + len(tree.tokens))
            group.append(_Scoring(request, tree, self._cache.chain(pieces)))
            if self._cache.pending_tokens + sum(len(scoring.tree.tokens) for scoring in group) >= _PACK:
                yield group
                group = []
        if group:
            yield group

    def _tree(self, request: ChoiceRequest) -> TokenTree:
        if not request.candidates or len(set(request.candidates)) < len(request.candidates):
            raise UsageError("choice decoding needs at least one candidate, and each of them once.")
        encoded = [self.tokenizer.encode(text) for text in request.candidates]
        return TokenTree.build(self.tokenizer.header, [(*tokens, self.tokenizer.end) for tokens in encoded])

    def _choose(self, group: Sequence[_Scoring]) -> list[Choice]:
        hidden = self._forward(
            [Span(scoring.tree.tokens, scoring.chain, scoring.tree.parents) for scoring in group]
        )
        choices = []
        for scoring, states in zip(group, hidden, strict=True):
            request, tree = scoring.request, scoring.tree
            scores = tree.means(self._log_probs(states[len(self.tokenizer.header) - 1 :], tree))
            index = draw(scores, request.temperature, stream(request.seed, "choice"))
            read = sum(len(span.tokens) for span in scoring.chain) + len(tree.tokens)
            usage = Usage(read, len(self.tokenizer.encode(request.candidates[index])) + 1)
            choices.append(Choice(index, tuple(float(score) for score in scores), usage))
        return choices

    def _forward(self, spans: Sequence[Span]) -> list[Tensor]:
        """Hidden states of `spans`, after the dialogues that they follow were read into the cache."""
        new = list(self._cache.pending.values())
        hidden = self._llama.forward([*new, *spans])[len(new) :]
        self._cache.commit()
        return hidden

    def _log_probs(self, states: Tensor, tree: TokenTree) -> NDArray[np.float64]:
        """Log-probability of each edge of the tree. `states`: (rows of the tree, width)."""
        rows, tokens = torch.tensor(tree.edge_rows), torch.tensor(tree.edge_tokens)
        found = torch.empty(len(rows), dtype=torch.float64)
        for start in range(0, len(states), _ROWS):
            logits = self._llama.logits(states[start : start + _ROWS])
            here = (rows >= start) & (rows < start + _ROWS)
            row = rows[here] - start
            found[here] = (logits[row, tokens[here]] - logits.logsumexp(-1)[row]).double()
        return found.numpy()

    # ---- writing -----------------------------------------------------------------------------------------------------

    def write_batch(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        """Write a message for each chat, all of them together.

        Raises:
            ChatTooLong: a chat is too long.
        """
        with self._lock, self._on_threads(), torch.inference_mode():
            writers = [self._writer(request) for request in requests]
            while active := [writer for writer in writers if not writer.finish_reason]:
                self._step(active)
        return [self._reply(writer) for writer in writers]

    def _writer(self, request: ChatRequest) -> _Writer:
        pieces = self.tokenizer.pieces(request.messages)
        read = sum(map(len, pieces)) + len(self.tokenizer.header)
        _check_length(read + request.max_tokens)
        tail = Span(self.tokenizer.header, self._cache.chain(pieces))
        (hidden,) = self._forward([tail])
        return _Writer(request, stream(request.seed, "reply"), read, tail, hidden[-1])

    def _step(self, active: Sequence[_Writer]) -> None:
        """One token for each writer."""
        logits = self._llama.logits(torch.stack([writer.hidden for writer in active])).numpy()
        for writer, row in zip(active, logits, strict=True):
            self._accept(writer, draw(row, writer.request.temperature, writer.rng, writer.request.top_p))
        going = [writer for writer in active if not writer.finish_reason]
        if not going:
            return
        spans = [Span((writer.tokens[-1],), (*writer.tail.context, writer.tail)) for writer in going]
        for writer, span, hidden in zip(going, spans, self._llama.forward(spans), strict=True):
            writer.tail = writer.tail.followed_by(span)
            writer.hidden = hidden[-1]

    def _accept(self, writer: _Writer, token: int) -> None:
        if token in self.tokenizer.special:
            writer.finish_reason = "stop"
            return
        writer.tokens.append(token)
        text = self.tokenizer.decode(writer.tokens)
        ends = [text.index(stop) for stop in writer.request.stop if stop in text]
        writer.text = text[: min(ends)] if ends else text
        if ends:
            writer.finish_reason = "stop"
        elif len(writer.tokens) >= writer.request.max_tokens:
            writer.finish_reason = "length"

    def _reply(self, writer: _Writer) -> ChatReply:
        usage = Usage(writer.read, len(writer.tokens))
        return ChatReply(writer.text.strip(), usage, writer.finish_reason, self.version)

    @contextmanager
    def _on_threads(self) -> Iterator[None]:
        before = torch.get_num_threads()
        if self.threads is None or self.threads == before:
            yield
            return
        torch.set_num_threads(self.threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
