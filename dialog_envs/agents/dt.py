"""Return conditioning: a language model told how well each dialogue went on, and asked for the best at play.

Source: the decision transformer (Chen and others, arXiv 2106.01345). Before each agent turn stands a note with the
return from there on, in ten steps from the lowest of the dataset to its highest; at play the note is the one asked for
(``target``). Rewards that fall before the end cannot be taken off: no agent sees its rewards here.

It is supervised learning, so it finds good dialogues of the dataset and imitates them, luck included; it does not join
parts of several, which none of its training examples shows (Brandfonbrener and others, arXiv 2206.01079).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dialog_envs.agents.bc import BC, BCConfig
from dialog_envs.agents.sequences import TextEpisode, noted
from dialog_envs.agents.trainer import TrainingConfig
from dialog_envs.errors import UsageError


@dataclass(frozen=True, slots=True)
class DTConfig(BCConfig):
    """Settings of return conditioning. Loss: ``-mean log pi(a | s, return to go)`` over agent tokens, as in BC."""

    levels: int = 10
    """Steps between the lowest and the highest return, at most ten: a level is one digit."""
    target: float = 1.0
    """The return asked for at play: 0 is the dataset's lowest, 1 its highest."""
    training: TrainingConfig = field(default_factory=TrainingConfig)


def level_note(value: float, low: float, high: float, levels: int) -> str:
    """The note for a return: its step, from ``0`` (``low`` and below) to ``levels - 1`` (``high`` and above)."""
    share = (value - low) / (high - low) if high > low else 1.0
    return str(min(levels - 1, max(0, int(share * levels))))


class DT(BC):
    """Imitates every agent turn, knowing what came of it."""

    name = "dt"
    config_class = DTConfig
    config: DTConfig
    condition: str | None = None
    """The note at play, known once the dataset is."""

    def select(self, episodes: Sequence[TextEpisode]) -> list[TextEpisode]:
        """All episodes, with a note on the return to go before each agent turn.

        Raises:
            UsageError: a setting is out of its range.
        """
        config = self.config
        if not 2 <= config.levels <= 10 or not 0 <= config.target <= 1:
            raise UsageError(
                f"levels={config.levels} must lie from 2 to 10, target={config.target} from 0 to 1."
            )
        returns = [[sum(e.rewards[i:]) for i in range(len(e.rewards))] for e in episodes]
        known = [value for row in returns for value in row] or [0.0]
        low, high = min(known), max(known)
        self.condition = level_note(low + config.target * (high - low), low, high, config.levels)
        result = []
        for episode, row in zip(episodes, returns, strict=True):
            notes = [level_note(value, low, high, config.levels) for value in row]
            result.append(replace(episode, segments=tuple(noted(episode.segments, notes, to_move=False))))
        return result

    def speaking(self) -> dict[str, Any]:
        """The note that the agent at play reads before each of its turns."""
        return {"condition": self.condition}
