"""How transformers' ``generate`` keeps to requests: each row draws from its own generator and ends by its own rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor, StoppingCriteria

from dialog_envs.core.seeding import stream
from dialog_envs.simulators.llm.base import ChatRequest


class Drawing(LogitsProcessor):
    """Draws each row's next token, and leaves ``generate`` no other choice.

    Its own sampling takes torch's global random state, from which a row's numbers would depend on its neighbours.
    """

    def __init__(self, requests: Sequence[ChatRequest]) -> None:
        self._rngs = [stream(request.seed, "reply") for request in requests]
        self._temperatures = [request.temperature for request in requests]
        self._top_p = [request.top_p for request in requests]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """`scores`: (batch, vocabulary). The drawn token's becomes 0, all others' minus infinity."""
        device = scores.device
        heat = torch.tensor(self._temperatures, dtype=torch.float64, device=device)[:, None]
        chance = [[rng.random()] for rng in self._rngs]
        uniform = torch.tensor(chance, dtype=torch.float64, device=device)
        weights = (scores.double() / heat.clamp(min=1e-6)).softmax(-1)
        if min(self._top_p) < 1.0:
            weights = self._nucleus(weights)
        cumulative = weights.cumsum(-1)
        drawn = torch.searchsorted(cumulative, uniform * cumulative[:, -1:], right=True)
        drawn = drawn.clamp(max=scores.shape[-1] - 1)
        chosen = torch.where(heat > 0, drawn, scores.argmax(-1, keepdim=True))
        return torch.full_like(scores, float("-inf")).scatter(-1, chosen, 0.0)

    def _nucleus(self, weights: Tensor) -> Tensor:
        """Without the tokens outside the smallest set that has ``top_p`` of the probability."""
        top_p = torch.tensor(self._top_p, dtype=torch.float64, device=weights.device)[:, None]
        ordered, order = weights.sort(dim=-1, descending=True, stable=True)
        before = ordered.cumsum(-1) - ordered
        outside = torch.zeros_like(weights, dtype=torch.bool).scatter(-1, order, before >= top_p)
        return weights.masked_fill(outside, 0.0)


class Ending(StoppingCriteria):
    """Ends a row at its own limit of tokens, and where one of its stop texts has appeared."""

    def __init__(
        self,
        requests: Sequence[ChatRequest],
        room: Sequence[int],
        width: int,
        ends: Sequence[int],
        decode: Callable[[Sequence[int]], str],
    ) -> None:
        self._stops = [request.stop for request in requests]
        self._room, self._width, self._ends, self._decode = room, width, ends, decode

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        """`input_ids`: (batch, width + time). Which rows are done, (batch,)."""
        written = input_ids[:, self._width :]
        full = torch.tensor(self._room, device=input_ids.device) <= written.shape[1]
        for row, stops in enumerate(self._stops):
            if stops and not full[row]:
                tokens, _ = cut(written[row].tolist(), self._ends)
                text = self._decode(tokens)
                full[row] = any(stop in text for stop in stops)
        return full


def cut(tokens: Sequence[int], ends: Sequence[int]) -> tuple[list[int], bool]:
    """The tokens before the first one that ends a message, and whether there was one."""
    for index, token in enumerate(tokens):
        if token in ends:
            return list(tokens[:index]), True
    return list(tokens), False
