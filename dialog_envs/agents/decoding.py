"""Batched decoding with a KV cache: the policy, perturbed by the advantage.

The next token is drawn from::

    softmax((log pi(a | s) + beta * (Q(s, a) - V(s))) / temperature)   over the top-k tokens of pi

that have at least ``min_p`` of the most probable one's probability.

``pi`` is the behaviour policy and Q the minimum of both target heads (2206.11871, section 4.3). Top-k comes before the
perturbation, so a token that the data never showed here cannot win by an error of Q, and Q is needed at k tokens only.
V is the same for every token of a state and cancels in the softmax; it is not computed.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dialog_envs.agents.kv_cache import PrefixStore
from dialog_envs.agents.language_model import DialogueModel
from dialog_envs.agents.rows import StoredRows, padded
from dialog_envs.agents.trunks import Reader, reader_for
from dialog_envs.errors import UsageError

MEMORY = 1 << 29
"""Bytes for what has been read of dialogues: those of 2,000 episodes of 64 tokens with the default model."""


METHODS = ("perturb", "best-of-n")


@dataclass(frozen=True, slots=True)
class DecodingConfig:
    """How an agent speaks."""

    beta: float = 0.0
    """Weight of the advantage; without value heads it is not read."""
    temperature: float = 1.0
    """0 takes the most probable token."""
    top_k: int = 20
    min_p: float = 0.0
    """Tokens below this share of the most probable token's probability are left out: a constraint to the data's
    support, as in BCQ (Fujimoto et al., 1812.02900; discrete: 1910.01708). Q is an extrapolation where pi is small.
    Without value heads it is not read."""
    max_tokens: int = 40
    method: str = "perturb"
    """``perturb``: every token is drawn from the perturbed policy. ``best-of-n``: ``samples`` utterances are drawn from
    the policy itself, and the one of the best advantage is said: ``Q`` at its last token, less ``V`` before its first,
    which is the same for all of them. beta and min_p are not read then."""
    samples: int = 8
    """Utterances among which ``best-of-n`` chooses. 1 is the policy."""

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.top_k < 1 or self.max_tokens < 1 or not 0 <= self.min_p <= 1:
            raise UsageError(
                f"temperature={self.temperature}, top_k={self.top_k}, max_tokens={self.max_tokens}, "
                f"min_p={self.min_p}: the first must be 0 or more, the next two at least 1, the last from 0 to 1."
            )
        if self.method not in METHODS:
            raise UsageError(f"decoding='{self.method}' is unknown: choose {' or '.join(METHODS)}.")
        if self.samples < 1:
            raise UsageError(f"samples={self.samples} must be at least 1.")

    @property
    def drawn(self) -> int:
        """Utterances that are drawn for each that is said."""
        return self.samples if self.method == "best-of-n" else 1


def perturb(logits: Tensor, q: Tensor | None, candidates: Tensor, config: DecodingConfig) -> Tensor:
    """Probabilities of the candidates.

    Args:
        logits: the policy's at the candidates, (batch, k).
        q: action values at the candidates, (batch, k), or None.
        candidates: token ids, (batch, k), sorted: the order in which a uniform number is looked up.
        config: beta and temperature.

    Returns:
        (batch, k), float64. One-hot at temperature 0 (the lowest id wins ties).
    """
    scores = logits.double()
    if q is not None:
        unlikely = scores < scores.amax(-1, keepdim=True) + math.log(config.min_p) if config.min_p else None
        scores = scores + config.beta * q.double()
        if unlikely is not None:
            scores = scores.masked_fill(unlikely, -torch.inf)
    if config.temperature == 0:
        return torch.nn.functional.one_hot(scores.argmax(-1), candidates.shape[-1]).double()
    return torch.softmax(scores / config.temperature, dim=-1)


class Decoder:
    """Speaks with one model, and remembers what it has read: a dialogue that goes on is read on from where it stood.

    Args:
        model: in eval mode.
        memory: bytes for the keys and values of dialogues; 0 remembers nothing. A policy without a separate value
            trunk needs ``2 * layers * width * 4`` bytes a token: 4 KiB for the default model.
    """

    def __init__(self, model: DialogueModel, memory: int = MEMORY) -> None:
        self.model = model
        self.store = PrefixStore(memory)
        self._readers: dict[int, Reader | None] = {}

    @torch.no_grad()
    def generate(
        self,
        prefixes: Sequence[Sequence[int]],
        uniforms: NDArray[np.float64],
        config: DecodingConfig,
        keys: Sequence[Hashable] | None = None,
    ) -> list[list[int]]:
        """Continues each prefix until ``<|end|>`` or ``max_tokens``; see :func:`generate`.

        ``keys`` name the dialogues: under the same name their keys and values are found again. A name that stands for
        another dialogue costs time only.
        """
        if not prefixes:
            return []
        drawn = config.drawn
        chooses = drawn > 1 and self.model.heads is not None
        if drawn > 1 and not chooses:
            raise UsageError(
                "best-of-n chooses by value heads, which this agent does not have: train ilql, for one."
            )
        if config.method == "best-of-n":
            config = replace(config, beta=0.0)
        state = self._begin(prefixes, keys, config, drawn)
        sampler = _Sampler(self.model, config)
        output: list[list[int]] = [[] for _ in range(len(prefixes) * drawn)]
        scores = np.full(len(output), -np.inf)
        uniforms = uniforms.reshape(len(output), -1)
        alive = np.arange(len(output))
        for step in range(config.max_tokens):
            tokens = sampler.draw(*state.hidden, uniforms[alive, step])
            if chooses:
                scores[alive] = sampler.values(tokens)
            going = tokens != self.model.end_id
            for row, token in zip(alive[going], tokens[going], strict=True):
                output[row].append(int(token))
            if step + 1 == config.max_tokens:
                going[:] = False
            if not going.all():
                order = state.keep(going)
                alive, tokens = alive[order], tokens[order]
            if not len(alive):
                break
            state.extend(torch.from_numpy(tokens))
        best = scores.reshape(-1, drawn).argmax(-1)  # the first of equal ones
        return [output[row * drawn + int(which)] for row, which in enumerate(best)]

    def _begin(
        self,
        prefixes: Sequence[Sequence[int]],
        keys: Sequence[Hashable] | None,
        config: DecodingConfig,
        drawn: int,
    ) -> _Rows:
        trunks: list[nn.Module] = [self.model.policy.base_model]
        if (config.beta or drawn > 1) and self.model.value_trunk is not None:
            trunks.append(self.model.value_trunk)
        room = config.max_tokens
        readers = [self._reader(trunk) for trunk in trunks]
        usable = [reader for reader in readers if reader is not None]
        if len(usable) < len(trunks):
            repeated = [prefix for prefix in prefixes for _ in range(drawn)]
            return _UnstoredRows(trunks, repeated, self.model.pad_id)
        if keys is None or not self.store.limit:
            return StoredRows(usable, prefixes, room=room, drawn=drawn)
        self.store.check(trunks)
        return StoredRows(usable, prefixes, self.store, keys, room, drawn)

    def _reader(self, trunk: nn.Module) -> Reader | None:
        known = self._readers.get(id(trunk))
        if known is None or known.trunk is not trunk:
            self._readers[id(trunk)] = known = reader_for(trunk)
        return known


def generate(
    model: DialogueModel,
    prefixes: Sequence[Sequence[int]],
    uniforms: NDArray[np.float64],
    config: DecodingConfig,
) -> list[list[int]]:
    """Continues each prefix until ``<|end|>`` or ``max_tokens``.

    Prefixes are padded on the right and the padding is masked, so that a prefix alone gives the same numbers as in a
    batch, as far as floating point allows. Each token takes one uniform number, by inversion of the cumulated
    probabilities, so that a difference in the last digits changes a token about never.

    Args:
        model: in eval mode.
        prefixes: token ids that end in ``<|agent|>``; at least one id each.
        uniforms: (batch, max_tokens) numbers in [0, 1); for best-of-n (batch, samples, max_tokens).
        config: see above.

    Returns:
        For each prefix the new ids, ``<|end|>`` left out.
    """
    return Decoder(model, memory=0).generate(prefixes, uniforms, config)


class _Sampler:
    """Draws one token a row."""

    def __init__(self, model: DialogueModel, config: DecodingConfig) -> None:
        self.model, self.config = model, config
        forbidden = [i for i in model.role_ids.values() if i != model.end_id]
        self.forbidden = torch.tensor(forbidden, device=model.policy.device)
        self.k = min(config.top_k, model.vocabulary - len(forbidden))

    def draw(self, policy: Tensor, value: Tensor, uniforms: NDArray[np.float64]) -> NDArray[np.int64]:
        """Token ids, (rows,), from hidden states, (rows, width) each, and a uniform number a row."""
        logits = self.model.logits(policy).float()  # (rows, vocabulary)
        logits[:, self.forbidden] = -torch.inf
        self._seen = value, logits
        candidates = logits.topk(self.k, dim=-1).indices.sort(dim=-1).values  # (rows, k)
        q = None
        if self.model.heads is not None and self.config.beta:
            q = self.model.heads.decoding_values(value, candidates, logits)
        chances = perturb(logits.gather(-1, candidates), q, candidates, self.config)
        cumulated = chances.cumsum(-1).cpu().numpy()
        chosen = (cumulated <= (uniforms * cumulated[:, -1])[:, None]).sum(-1)
        tokens: NDArray[np.int64] = candidates.cpu().numpy()[
            np.arange(len(policy)), np.minimum(chosen, self.k - 1)
        ]
        return tokens

    def values(self, tokens: NDArray[np.int64]) -> NDArray[np.float64]:
        """The values of the tokens that were drawn last, (rows,)."""
        value, logits = self._seen
        assert self.model.heads is not None
        chosen = torch.from_numpy(tokens).to(value.device)[:, None]
        values: NDArray[np.float64] = (
            self.model.heads.decoding_values(value, chosen, logits)[:, 0].double().cpu().numpy()
        )
        return values


class _Rows(Protocol):
    """A batch of dialogues whose next token is looked for."""

    @property
    def hidden(self) -> tuple[Tensor, Tensor]:
        """Hidden states for the policy and for the value heads: (rows, width) each."""

    def keep(self, going: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Drops the dialogues that are finished; returns which of the old rows are the new ones."""

    def extend(self, tokens: Tensor) -> None:
        """Reads one more token a row: (rows,)."""


class _UnstoredRows:
    """Rows of trunks that only transformers' own cache serves: sliding windows, recurrent states."""

    def __init__(self, trunks: Sequence[Any], prefixes: Sequence[Sequence[int]], pad: int) -> None:
        from transformers import DynamicCache

        self.trunks = trunks
        device = next(trunks[0].parameters()).device
        lengths = torch.tensor([len(prefix) for prefix in prefixes], device=device)
        ids = padded(prefixes, pad).to(device)
        self.mask = (torch.arange(ids.shape[1], device=device) < lengths[:, None]).long()  # (rows, width)
        self.position = lengths  # of the next token
        self.caches = [DynamicCache(config=trunk.config) for trunk in trunks]
        rows = torch.arange(len(prefixes), device=device)
        self.states = [
            # Causal attention never looks at padding on the right: no mask is needed to read the prefixes.
            trunk(input_ids=ids, past_key_values=cache, use_cache=True).last_hidden_state[rows, lengths - 1]
            for trunk, cache in zip(self.trunks, self.caches, strict=True)
        ]

    @property
    def hidden(self) -> tuple[Tensor, Tensor]:
        return self.states[0], self.states[-1]

    def keep(self, going: NDArray[np.bool_]) -> NDArray[np.int64]:
        order = np.flatnonzero(going)
        rows = torch.from_numpy(order).to(self.mask.device)
        self.mask, self.position = self.mask[rows], self.position[rows]
        for cache in self.caches:
            cache.batch_select_indices(rows)
        return order

    def extend(self, tokens: Tensor) -> None:
        self.mask = torch.cat([self.mask, torch.ones_like(self.mask[:, :1])], dim=1)
        self.states = [
            trunk(
                input_ids=tokens[:, None].to(self.mask.device), past_key_values=cache, use_cache=True,
                attention_mask=self.mask, position_ids=self.position[:, None],
            ).last_hidden_state[:, 0]
            for trunk, cache in zip(self.trunks, self.caches, strict=True)
        ]  # fmt: skip
        self.position = self.position + 1
