"""The label under which a dialogue was imagined: how often it is true, and as its reward, as in arXiv 2311.05584."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from dialog_envs.datasets.schema import Episode
from dialog_envs.errors import DatasetError

REWARD_SOURCES = ("kernel", "label")
"""Whose reward is trained on: the task's own, as it stands in the dataset, or the label's."""


def by_label(episodes: Iterable[Episode]) -> list[Episode]:
    """The episodes with 1 at their end where they were to end in success, else 0, whatever the kernel found.

    Raises:
        DatasetError: an episode has no label: it was played, not imagined.
    """
    return [_labelled(episode) for episode in episodes]


def _labelled(episode: Episode) -> Episode:
    label = episode.outcome.get("label")
    if not isinstance(label, bool):
        raise DatasetError(
            f"episode '{episode.id}' has no label, because it was not imagined under one: train on the kernel's reward "
            "(leave --reward away), or make a dataset with 'dialog-envs imagine --mode imagine'."
        )
    rewards = (*(0.0 for _ in episode.rewards[1:]), float(label))
    return replace(episode, rewards=rewards, reward=float(label))


@dataclass(frozen=True, slots=True)
class Labels:
    """The outcome that dialogues were imagined with, and the kernel's.

    Attributes:
        episodes: that have a label.
        agree: share in which both are the same.
        kappa: Cohen's kappa: the same beyond chance; NaN where one of them never varies.
        table: (label, kernel) → episodes, for ``success`` and ``failure``.
    """

    episodes: int
    agree: float
    kappa: float
    table: Mapping[str, int]


def labels(rows: Sequence[Episode]) -> Labels | None:
    """How label and kernel agree; ``None`` where no episode has a label."""
    pairs = Counter(
        (bool(episode.outcome["label"]), bool(episode.outcome["success"]))
        for episode in rows
        if isinstance(episode.outcome.get("label"), bool)
    )
    total = sum(pairs.values())
    if not total:
        return None
    agree = (pairs[True, True] + pairs[False, False]) / total
    asked = (pairs[True, True] + pairs[True, False]) / total
    found = (pairs[True, True] + pairs[False, True]) / total
    chance = asked * found + (1 - asked) * (1 - found)
    return Labels(
        episodes=total,
        agree=agree,
        kappa=(agree - chance) / (1 - chance) if chance < 1 else math.nan,
        table={
            f"label {_word(label)}, kernel {_word(kernel)}": pairs[label, kernel]
            for label in (True, False)
            for kernel in (True, False)
        },
    )


def _word(success: bool) -> str:
    return "success" if success else "failure"
