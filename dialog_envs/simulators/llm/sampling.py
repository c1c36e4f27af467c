"""Drawing a token or a candidate from log-probabilities, with a numpy Generator of the request's own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def draw(
    logits: NDArray[np.floating], temperature: float, rng: np.random.Generator, top_p: float = 1.0
) -> int:
    """An index drawn from softmax(logits / temperature), restricted to the top `top_p` of the probability.

    Temperature 0 gives the largest logit (the first of equals) and draws no number.
    """
    if temperature <= 0.0:
        return int(np.argmax(logits))
    scaled = np.asarray(logits, np.float64) / temperature
    weights = np.exp(scaled - scaled.max())
    if top_p < 1.0:
        order = np.argsort(-weights, kind="stable")
        before = np.cumsum(weights[order]) - weights[order]
        weights[order[before >= top_p * weights.sum()]] = 0.0
    cumulative = np.cumsum(weights)
    return int(
        min(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"), len(weights) - 1)
    )
