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
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dialog_envs.agents.language_model import DialogueModel
from dialog_envs.errors import UsageError


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

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.top_k < 1 or self.max_tokens < 1 or not 0 <= self.min_p <= 1:
            raise UsageError(
                f"temperature={self.temperature}, top_k={self.top_k}, max_tokens={self.max_tokens}, "
                f"min_p={self.min_p}: the first must be 0 or more, the next two at least 1, the last from 0 to 1."
            )


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


@torch.no_grad()
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
        uniforms: (batch, max_tokens) numbers in [0, 1).
        config: see above.

    Returns:
        For each prefix the new ids, ``<|end|>`` left out.
    """
    device = model.policy.device
    state = _Prefixes(model, prefixes, values=bool(config.beta))
    forbidden = torch.tensor([i for i in model.role_ids.values() if i != model.end_id], device=device)
    k = min(config.top_k, model.vocabulary - len(forbidden))
    output: list[list[int]] = [[] for _ in prefixes]
    alive = list(range(len(prefixes)))
    for step in range(config.max_tokens):
        policy_hidden, value_hidden = state.hidden
        logits = model.logits(policy_hidden).float()  # (alive, vocabulary)
        logits[:, forbidden] = -torch.inf
        candidates = logits.topk(k, dim=-1).indices.sort(dim=-1).values  # (alive, k)
        q = (
            model.heads.decoding_values(value_hidden, candidates, logits)
            if model.heads and config.beta
            else None
        )
        cumulated = perturb(logits.gather(-1, candidates), q, candidates, config).cumsum(-1).cpu().numpy()
        draws = uniforms[alive, step] * cumulated[:, -1]
        chosen = np.minimum((cumulated <= draws[:, None]).sum(-1), k - 1)
        tokens = candidates.cpu().numpy()[np.arange(len(alive)), chosen]
        going = tokens != model.end_id
        for row, token in zip(np.array(alive)[going], tokens[going], strict=True):
            output[int(row)].append(int(token))
        if not going.any() or step + 1 == config.max_tokens:
            break
        if not going.all():
            alive = [row for row, more in zip(alive, going, strict=True) if more]
            state.keep(torch.from_numpy(np.flatnonzero(going)).to(device))
        state.extend(torch.from_numpy(tokens[going]).to(device))
    return output


class _Prefixes:
    """Cached keys and values of a batch of prefixes, for the policy and, if there is one, the separate value trunk."""

    def __init__(self, model: DialogueModel, prefixes: Sequence[Sequence[int]], values: bool) -> None:
        from transformers import DynamicCache

        device = model.policy.device
        self.trunks = [model.policy.base_model]
        if values and model.value_trunk is not None:
            self.trunks.append(model.value_trunk)
        lengths = torch.tensor([len(prefix) for prefix in prefixes], device=device)
        width = int(lengths.max())
        ids = torch.full((len(prefixes), width), model.pad_id, device=device)
        for row, prefix in enumerate(prefixes):
            ids[row, : len(prefix)] = torch.tensor(prefix, device=device)
        self.mask = (torch.arange(width, device=device) < lengths[:, None]).long()  # (batch, width)
        self.position = lengths  # of the next token
        self.caches = [DynamicCache() for _ in self.trunks]
        rows = torch.arange(len(prefixes), device=device)
        self.states = [
            # Causal attention never looks at padding on the right: no mask is needed to read the prefixes.
            trunk(input_ids=ids, past_key_values=cache, use_cache=True).last_hidden_state[rows, lengths - 1]
            for trunk, cache in zip(self.trunks, self.caches, strict=True)
        ]

    @property
    def hidden(self) -> tuple[Tensor, Tensor]:
        """Hidden states for the policy and for the value heads: (batch, width) each."""
        return self.states[0], self.states[-1]

    def keep(self, rows: Tensor) -> None:
        """Drops the dialogues that are finished."""
        self.mask, self.position = self.mask[rows], self.position[rows]
        for cache in self.caches:
            cache.batch_select_indices(rows)

    def extend(self, tokens: Tensor) -> None:
        """Reads one more token a row: (batch,)."""
        self.mask = torch.cat([self.mask, torch.ones_like(self.mask[:, :1])], dim=1)
        self.states = [
            trunk(
                input_ids=tokens[:, None], past_key_values=cache, use_cache=True,
                attention_mask=self.mask, position_ids=self.position[:, None],
            ).last_hidden_state[:, 0]
            for trunk, cache in zip(self.trunks, self.caches, strict=True)
        ]  # fmt: skip
        self.position = self.position + 1
