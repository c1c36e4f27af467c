"""Candidates as a tree of tokens: what they begin with in common is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TokenTree:
    """A root text, then every candidate's tokens but its last one (which nothing follows).

    Row 0 is the root's last token, row i the i-th token after the root. An *edge* is a pair (row, next token) that
    occurs in a candidate.

    Attributes:
        tokens: root and tree, (time,).
        parents: each token's parent in `tokens`, -1 for the first.
        edge_rows: row whose token the edge leaves, (edges,).
        edge_tokens: token that the edge leads to, (edges,).
        paths: for each candidate, its edges.
    """

    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    edge_rows: tuple[int, ...]
    edge_tokens: tuple[int, ...]
    paths: tuple[tuple[int, ...], ...]

    @classmethod
    def build(cls, root: Sequence[int], candidates: Sequence[Sequence[int]]) -> TokenTree:
        """The tree of `candidates` (each at least one token) after the text `root` (at least one token)."""
        tokens, parents = list(root), list(range(-1, len(root) - 1))
        edges: dict[tuple[int, int], int] = {}
        inner: dict[int, int] = {}  # edge -> the row that it leads to
        paths = []
        for candidate in candidates:
            row, path = 0, []
            for at, token in enumerate(candidate):
                edge = edges.setdefault((row, token), len(edges))
                path.append(edge)
                if at + 1 < len(candidate):
                    if edge not in inner:
                        parents.append(row + len(root) - 1)
                        tokens.append(token)
                        inner[edge] = len(tokens) - len(root)
                    row = inner[edge]
            paths.append(tuple(path))
        rows, nexts = zip(*edges, strict=True)
        return cls(tuple(tokens), tuple(parents), rows, nexts, tuple(paths))

    def means(self, edge_logprobs: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """Each candidate's mean log-probability a token, from those of the edges."""
        return np.array([edge_logprobs[list(path)].mean() for path in self.paths])
