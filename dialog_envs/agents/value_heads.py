"""Value heads on a language model's hidden states: two Q heads, their Polyak-averaged targets, and one V head.

Heads are evaluated where they are needed only: Q and V on agent positions, targets at the one token that was taken,
Q while decoding at the few tokens that the policy considers.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class Head(nn.Module):
    """A two-layer perceptron, hidden state -> ``outputs`` values.

    The last layer starts at zero, so that values start at zero everywhere: untrained heads change no policy.
    """

    def __init__(self, width: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, hidden)
        self.outer = nn.Linear(hidden, outputs)
        nn.init.normal_(self.inner.weight, std=width**-0.5)
        nn.init.zeros_(self.inner.bias)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, state: Tensor) -> Tensor:
        """(N, width) -> (N, outputs)."""
        value: Tensor = self.outer(torch.relu(self.inner(state)))
        return value

    def at(self, state: Tensor, tokens: Tensor) -> Tensor:
        """Only the outputs asked for: state (N, width) and tokens (N,) or (N, k) -> values of tokens' shape."""
        hidden = torch.relu(self.inner(state))  # (N, hidden)
        weight = self.outer.weight[tokens]  # (N, hidden) or (N, k, hidden)
        if tokens.dim() == 2:
            hidden = hidden.unsqueeze(1)
        return (weight * hidden).sum(-1) + self.outer.bias[tokens]


class ValueHeads(nn.Module):
    """Double Q, double target Q and V over hidden states of size ``width``.

    Args:
        width: size of the hidden states.
        vocabulary: number of tokens, the actions.
        hidden: size of the heads' hidden layer; twice ``width`` if 0, as published (2206.11871).
    """

    def __init__(self, width: int, vocabulary: int, hidden: int = 0) -> None:
        super().__init__()
        self.width, self.vocabulary, self.hidden = width, vocabulary, hidden or 2 * width
        self.q = nn.ModuleList(Head(width, self.hidden, vocabulary) for _ in range(2))
        self.v = Head(width, self.hidden, 1)
        self.target = copy.deepcopy(self.q)
        self.target.requires_grad_(False)

    def values(self, state: Tensor) -> Tensor:
        """V of states: (S, width) -> (S,)."""
        value: Tensor = self.v(state).squeeze(-1)
        return value

    def action_values(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """Both Q heads at every token: (N, width) -> two of (N, vocabulary)."""
        return self.q[0](state), self.q[1](state)

    @torch.no_grad()
    def target_values(self, state: Tensor, tokens: Tensor) -> Tensor:
        """The elementwise minimum of both target heads at ``tokens``, without gradient: shape of ``tokens``."""
        first, second = (head.at(state, tokens) for head in _heads(self.target))
        return torch.minimum(first, second)

    @torch.no_grad()
    def update_targets(self, rate: float) -> None:
        """Polyak average: target <- target + rate * (online - target)."""
        for target, online in zip(self.target.parameters(), self.q.parameters(), strict=True):
            target.lerp_(online, rate)


def _heads(modules: nn.ModuleList) -> list[Head]:
    return [module for module in modules if isinstance(module, Head)]
