"""Filtered behaviour cloning: imitate the episodes that went well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dialog_envs.agents.bc import BC, BCConfig
from dialog_envs.agents.sequences import TextEpisode
from dialog_envs.agents.trainer import TrainingConfig
from dialog_envs.errors import UsageError


@dataclass(frozen=True, slots=True)
class FilteredBCConfig(BCConfig):
    """Behaviour cloning on a part of the dataset: returns above ``threshold``, or the best ``fraction`` of episodes.

    With ``fraction`` set, ``threshold`` is not read (top-p % BC); ties at the border are all kept.
    """

    threshold: float = 0.5
    fraction: float | None = None
    training: TrainingConfig = field(default_factory=TrainingConfig)


class FilteredBC(BC):
    """Imitates the agent turns of successful episodes."""

    name = "filtered-bc"
    config_class = FilteredBCConfig
    config: FilteredBCConfig

    def select(self, episodes: Sequence[TextEpisode]) -> list[TextEpisode]:
        """The episodes that pass.

        Raises:
            UsageError: none does.
        """
        returns = sorted((episode.total_reward for episode in episodes), reverse=True)
        fraction = self.config.fraction
        if fraction is not None:
            if not 0 < fraction <= 1:
                raise UsageError(f"fraction={fraction} must lie above 0 and at most at 1.")
            border = returns[max(1, round(fraction * len(returns))) - 1] if returns else 0.0
            return [episode for episode in episodes if episode.total_reward >= border]
        kept = [episode for episode in episodes if episode.total_reward > self.config.threshold]
        if not kept:
            best = f"{returns[0]:g}" if returns else "none"
            raise UsageError(
                f"no episode has a return above threshold={self.config.threshold} (the best: {best}): lower it, "
                "or choose fraction instead."
            )
        return kept
