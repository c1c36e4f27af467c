"""Value heads on a language model's hidden states: two Q heads, their Polyak-averaged targets, and one V head.

Heads are evaluated where they are needed only: Q and V on agent positions, targets at the one token that was taken,
Q while decoding at the few tokens that the policy considers.
"""

from __future__ import annotations

import abc
import copy
from typing import Any

import torch
from torch import Tensor, nn

CHUNK = 512
"""States whose full rows of action values are held at once where only their maximum is asked for."""


class Heads(nn.Module, abc.ABC):
    """What stands beside a policy's output layer and values its tokens."""

    @abc.abstractmethod
    def decoding_values(self, state: Tensor, tokens: Tensor, logits: Tensor) -> Tensor:
        """What decoding multiplies with beta: value states (B, width), candidates (B, k), logits of pi (B, vocabulary).

        Returns:
            (B, k); up to a constant a row, which cancels in the softmax.
        """

    @abc.abstractmethod
    def update_targets(self, rate: float) -> None:
        """Polyak average: target <- target + rate * (online - target)."""

    @abc.abstractmethod
    def shape(self) -> dict[str, Any]:
        """What a checkpoint must know to make the same heads again."""

    def saved(self) -> dict[str, Tensor]:
        """The tensors that a checkpoint for play holds."""
        return self.state_dict()


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
        value: Tensor = self.outer(self.features(state))
        return value

    def features(self, state: Tensor) -> Tensor:
        """The hidden layer: (N, width) -> (N, hidden)."""
        return torch.relu(self.inner(state))

    def at(self, state: Tensor, columns: Tensor) -> Tensor:
        """Only the outputs asked for: state (N, width) and columns (N,) or (N, k) -> values of columns' shape."""
        hidden = self.features(state)  # (N, hidden)
        weight = self.outer.weight[columns]  # (N, hidden) or (N, k, hidden)
        if columns.dim() == 2:
            hidden = hidden.unsqueeze(1)
        return (weight * hidden).sum(-1) + self.outer.bias[columns]


class ValueHeads(Heads):
    """Double Q, double target Q and V over hidden states of size ``width``.

    Args:
        width: size of the hidden states.
        vocabulary: number of tokens, the actions.
        hidden: size of the heads' hidden layer; twice ``width`` if 0, as published (2206.11871).
        actions: token ids that the Q heads value, (actions,); None is the whole vocabulary. What the data's agents
            never said needs no value: a backbone's 50,000 tokens become the few thousand of the task.
    """

    actions: Tensor
    column: Tensor

    def __init__(self, width: int, vocabulary: int, hidden: int = 0, actions: Tensor | None = None) -> None:
        super().__init__()
        self.width, self.vocabulary, self.hidden = width, vocabulary, hidden or 2 * width
        self.trimmed = actions is not None
        if actions is not None:
            column = torch.full((vocabulary,), -1)
            column[actions] = torch.arange(len(actions))
            self.register_buffer("actions", actions.long())
            self.register_buffer("column", column, persistent=False)
        outputs = vocabulary if actions is None else len(actions)
        self.q = nn.ModuleList(Head(width, self.hidden, outputs) for _ in range(2))
        self.v = Head(width, self.hidden, 1)
        self.target = copy.deepcopy(self.q)
        self.target.requires_grad_(False)

    def columns(self, tokens: Tensor) -> Tensor:
        """Columns of the Q heads, -1 for tokens that they do not value: shape of ``tokens``."""
        return self.column[tokens] if self.trimmed else tokens

    def values(self, state: Tensor) -> Tensor:
        """V of states: (S, width) -> (S,)."""
        value: Tensor = self.v(state).squeeze(-1)
        return value

    def action_values(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """Both Q heads at every action: (N, width) -> two of (N, actions)."""
        return self.q[0](state), self.q[1](state)

    @torch.no_grad()
    def target_values(self, state: Tensor, tokens: Tensor) -> Tensor:
        """The elementwise minimum of both target heads at ``tokens``, without gradient: shape of ``tokens``.

        Tokens without a column have no value: -inf.
        """
        columns = self.columns(tokens)
        first, second = (head.at(state, columns.clamp_min(0)) for head in _heads(self.target))
        least = torch.minimum(first, second)
        return least.masked_fill(columns < 0, -torch.inf) if self.trimmed else least

    @torch.no_grad()
    def target_expectation(self, state: Tensor, logits: Tensor | None) -> Tensor:
        """Of the minimum of both target heads over all actions, without gradient: (S, width) -> (S,).

        Args:
            state: (S, width).
            logits: a policy's, (S, vocabulary), for the mean under it; None for the maximum.
        """
        parts = []
        for begin in range(0, len(state), CHUNK):
            first, second = (head(state[begin : begin + CHUNK]) for head in _heads(self.target))
            least = torch.minimum(first, second)
            if logits is None:
                parts.append(least.amax(-1))
                continue
            row = logits[begin : begin + CHUNK].to(least.dtype)
            chance = torch.softmax(row[:, self.actions] if self.trimmed else row, dim=-1)
            parts.append((chance * least).sum(-1))
        return torch.cat(parts) if parts else state.new_zeros(0)

    @torch.no_grad()
    def decoding_values(self, state: Tensor, tokens: Tensor, logits: Tensor) -> Tensor:
        """The minimum of both target heads at the candidates; see :meth:`Heads.decoding_values`."""
        values = self.target_values(state, tokens)
        if self.trimmed:  # where the data knows none of the candidates the policy speaks alone
            values = values.masked_fill((values == -torch.inf).all(-1, keepdim=True), 0.0)
        return values

    @torch.no_grad()
    def update_targets(self, rate: float) -> None:
        """Polyak average: target <- target + rate * (online - target)."""
        target: list[Tensor] = list(self.target.parameters())
        torch._foreach_lerp_(target, list(self.q.parameters()), rate)

    def shape(self) -> dict[str, Any]:
        """The arguments."""
        return {
            "kind": "values",
            "hidden": self.hidden,
            "actions": len(self.actions) if self.trimmed else None,
        }


def _heads(modules: nn.ModuleList) -> list[Head]:
    return [module for module in modules if isinstance(module, Head)]
