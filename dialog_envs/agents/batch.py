"""A padded batch of token episodes, with the places where the agent acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dialog_envs.agents.sequences import TokenEpisode


@dataclass(frozen=True, slots=True)
class Batch:
    """Episodes padded on the right, and their N agent tokens as a flat list of transitions.

    Under a causal model padding on the right is never read by what stands before it, so no attention mask is needed.

    A transition is (state, action, reward, next state). The state before token ``t`` is the hidden state at ``t - 1``;
    the next state is the one before the next *agent* token, whatever notes and user words stand between.
    ``state`` lists the N states in which the agent acted, then the last states of truncated episodes, S in all.
    """

    ids: Tensor
    """(batch, time) token ids."""
    state: Tensor
    """(S,) positions in the flattened (batch * time) hidden states; the first N belong to the actions."""
    action: Tensor
    """(N,) token ids that the agent chose."""
    reward: Tensor
    """(N,) reward after each action."""
    next_state: Tensor
    """(N,) index into ``state``; 0, and of no meaning, where ``bootstrap`` is 0."""
    bootstrap: Tensor
    """(N,) 1.0 where a next state exists, 0.0 after the last action of a terminal episode."""
    turn_end: Tensor
    """(N,) 1.0 on the last token of an agent turn."""
    tokens: int
    """Useful tokens, padding not counted."""

    def to(self, device: torch.device | str) -> Batch:
        """The batch on another device."""
        moved = {f.name: getattr(self, f.name).to(device) for f in fields(self) if f.name != "tokens"}
        return replace(self, **moved)


def collate(episodes: Sequence[TokenEpisode], pad: int, end: int) -> Batch:
    """Pads episodes on the right with the token ``pad``; ``end`` is the token that closes an agent turn."""
    width = max(len(episode.ids) for episode in episodes)
    ids = np.full((len(episodes), width), pad, dtype=np.int64)
    states: list[NDArray[np.int64]] = []
    actions: list[NDArray[np.int64]] = []
    rewards: list[NDArray[np.float32]] = []
    nexts: list[NDArray[np.int64]] = []
    bootstraps: list[NDArray[np.float32]] = []
    extra: list[int] = []
    count = sum(int(episode.agent.sum()) for episode in episodes)
    seen = 0
    for row, episode in enumerate(episodes):
        length = len(episode.ids)
        ids[row, :length] = episode.ids
        positions = np.flatnonzero(episode.agent)
        n = len(positions)
        if n == 0:
            continue
        states.append(row * width + positions - 1)
        actions.append(episode.ids[positions])
        rewards.append(episode.rewards[positions])
        following = np.arange(seen + 1, seen + n + 1)
        has_next = np.ones(n, dtype=np.float32)
        if episode.terminal:
            following[-1], has_next[-1] = 0, 0.0
        else:
            following[-1] = count + len(extra)
            extra.append(row * width + length - 1)
        nexts.append(following)
        bootstraps.append(has_next)
        seen += n
    flat = np.concatenate(actions) if actions else np.zeros(0, dtype=np.int64)
    return Batch(
        ids=torch.from_numpy(ids),
        state=_tensor([*states, np.array(extra, dtype=np.int64)], np.int64),
        action=torch.from_numpy(flat),
        reward=_tensor(rewards, np.float32),
        next_state=_tensor(nexts, np.int64),
        bootstrap=_tensor(bootstraps, np.float32),
        turn_end=torch.from_numpy((flat == end).astype(np.float32)),
        tokens=sum(len(episode.ids) for episode in episodes),
    )


def _tensor(parts: Sequence[NDArray[Any]], dtype: type[np.generic]) -> Tensor:
    return (
        torch.from_numpy(np.concatenate(parts).astype(dtype))
        if parts
        else torch.zeros(0, dtype=torch.float32)
    )
