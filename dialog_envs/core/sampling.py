"""Drawing from small tables by one uniform number, so that every draw takes the same amount of randomness."""

from __future__ import annotations

from collections.abc import Mapping


def pick(weights: Mapping[str, float], point: float) -> str:
    """Inverse of the cumulative distribution: the name at ``point`` in [0, 1) of the table's whole weight.

    Args:
        weights: name → weight, at least one above 0; they need not sum to 1.
        point: a uniform number.
    """
    point *= sum(weights.values())
    for name, weight in weights.items():
        point -= weight
        if point < 0:
            return name
    return next(reversed(list(weights)))
