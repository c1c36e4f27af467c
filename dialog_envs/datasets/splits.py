"""Train and validation splits by persona: nobody talks in both."""

from __future__ import annotations

from collections.abc import Iterable

from dialog_envs.core.seeding import derive
from dialog_envs.datasets.schema import Episode
from dialog_envs.errors import UsageError


def split_by_persona(
    episodes: Iterable[Episode], share: float = 0.1, seed: int = 0
) -> tuple[list[Episode], list[Episode]]:
    """Training and validation episodes, in their order; all episodes of a persona fall on one side.

    Personas are ordered by a hash of themselves and the seed, so the split does not depend on the order of the
    episodes, and few personas change sides when a dataset grows.

    Args:
        episodes: what to split.
        share: share of *personas* held out, in [0, 1).
        seed: another seed, another split.

    Raises:
        UsageError: the share is out of range.
    """
    if not 0.0 <= share < 1.0:
        raise UsageError(f"the validation share must be at least 0 and below 1; got {share}")
    rows = [(episode.persona_key, episode) for episode in episodes]
    personas = sorted({key for key, _ in rows}, key=lambda key: (derive(seed, "split", key), key))
    count = min(round(share * len(personas)), max(len(personas) - 1, 0))
    held_out = set(personas[:count])
    train = [episode for key, episode in rows if key not in held_out]
    return train, [episode for key, episode in rows if key in held_out]
