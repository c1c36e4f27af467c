"""The search tree of GDP-Zero: open-loop Monte-Carlo tree search over the acts of an agent, without any model in it.

A node stands for a sequence of agent moves, not for a dialogue: the same moves can be answered in different ways, and a
node keeps the dialogues in which they were (its *realisations*). That is what *open-loop* means.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from dialog_envs.core.dialogue import Act, TurnView

__all__ = ["Node", "Realisation"]

Acts = tuple[Act, ...]


@dataclass(slots=True)
class Realisation:
    """One way in which a node's moves went.

    Attributes:
        dialogue: the whole of it.
        said: what the agent said last.
        visits, total: how often a simulation went through it, and the sum of the values it came to.
    """

    dialogue: tuple[TurnView, ...]
    said: str = ""
    visits: int = 0
    total: float = 0.0

    @property
    def value(self) -> float:
        """Mean value; 0 before the first visit."""
        return self.total / self.visits if self.visits else 0.0


@dataclass(slots=True)
class Node:
    """A sequence of agent moves.

    Attributes:
        realisations: the dialogues in which they were made.
        prior: move → the model's probability of it; empty until the node is expanded.
        children: moves that were tried.
        visits, total: of simulations that went on from here by this node's last move.
    """

    realisations: list[Realisation] = field(default_factory=list)
    prior: Mapping[Acts, float] = field(default_factory=dict)
    children: dict[Acts, Node] = field(default_factory=dict)
    visits: int = 0
    total: float = 0.0

    @property
    def value(self) -> float:
        """Mean value of the simulations through it; 0 before the first."""
        return self.total / self.visits if self.visits else 0.0

    def select(self, exploration: float) -> Acts:
        """The next move to look at: PUCT, as in AlphaZero (Silver et al., 2017). Of equals, the first.

            argmax over a of  Q(a) + c · P(a) · sqrt(Σ N) / (1 + N(a))

        A move that was not tried counts as the mean of those that were, so that a few simulations see more than one.

        Args:
            exploration: c.
        """
        tried = sum(child.visits for child in self.children.values())
        mean = sum(child.total for child in self.children.values()) / max(tried, 1)

        def score(move: Acts) -> float:
            child = self.children.get(move)
            visits, value = (child.visits, child.value) if child is not None and child.visits else (0, mean)
            return value + exploration * self.prior[move] * math.sqrt(max(tried, 1)) / (1 + visits)

        return max(self.prior, key=score)

    def child(self, move: Acts) -> Node:
        """The node behind a move, made at its first use."""
        return self.children.setdefault(move, Node())

    def best(self) -> tuple[Acts, Realisation]:
        """The move to make, the most visited one (of equals the more valuable, then the likelier), and its best way.

        Raises:
            ValueError: no move was tried.
        """

        def rank(move: Acts) -> tuple[int, float, float]:
            child = self.children[move]
            return child.visits, child.value, self.prior[move]

        tried = [move for move, child in self.children.items() if child.visits]
        move = max(tried, key=rank)
        return move, max(self.children[move].realisations, key=lambda way: (way.value, way.visits))


def back_up(path: list[tuple[Node, Realisation]], value: float) -> None:
    """Count a simulation's value for every node and realisation that it went through."""
    for node, realisation in path:
        node.visits += 1
        node.total += value
        realisation.visits += 1
        realisation.total += value
