"""The label under which a dialogue was imagined, as its reward: what the paper trains on (arXiv 2311.05584)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

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
