"""Episodes as token sequences, and sequences as batches.

An episode is written as a language model reads it, one role token a segment::

    <|note|> … <|user|> … <|note|> … <|agent|> … <|end|> <|user|> … <|agent|> … <|end|>

The agent's *actions* are the tokens after ``<|agent|>``, up to and including ``<|end|>``. Every other token is part of
the environment: it is read, never predicted. The reward of an agent turn stands on its last token.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from dialog_envs.agents.tokenizer import END, ROLES, encode_text, role_ids
from dialog_envs.core.dialogue import AGENT, TurnView
from dialog_envs.core.seeding import stream
from dialog_envs.errors import DatasetError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from dialog_envs.core.task import AgentView

CAP = "cap"
"""``outcome["ended_by"]`` of an episode that the turn cap cut off: truncated, not terminal."""


@dataclass(frozen=True, slots=True)
class TextEpisode:
    """One episode of a dataset, as segments of text."""

    segments: tuple[tuple[str, str], ...]
    rewards: tuple[float, ...]
    """One reward for each agent turn."""
    terminal: bool
    """False if the turn cap cut the episode off: its last state still has a value."""
    group: str
    """Equal for episodes of the same persona: validation splits never divide a group."""

    @property
    def total_reward(self) -> float:
        """The undiscounted return."""
        return float(sum(self.rewards))


@dataclass(frozen=True, slots=True)
class TokenEpisode:
    """One episode as tokens; all arrays have shape (time,)."""

    ids: NDArray[np.int64]
    agent: NDArray[np.bool_]
    """True where the token was the agent's choice."""
    rewards: NDArray[np.float32]
    """Reward that followed the token; zero except on the last token of agent turns."""
    terminal: bool
    group: str
    total_reward: float


def _get(record: Any, name: str, default: Any = None) -> Any:
    """A field of a mapping or of an object."""
    if isinstance(record, Mapping):
        return record.get(name, default)
    return getattr(record, name, default)


def _plain(record: Any) -> Any:
    """A JSON value for a persona or scenario that may be a dataclass with ``to_json``."""
    return record.to_json() if hasattr(record, "to_json") else record


def text_episode(episode: Any, view: AgentView, brief_of: Callable[[Any], str]) -> TextEpisode:
    """Writes one dataset episode (an object or a mapping in the dataset's JSON format) through an agent's view.

    What stands after the agent's last turn is dropped from terminal episodes, because nothing follows it. A truncated
    episode keeps it: its last state is bootstrapped from.

    Raises:
        DatasetError: the number of rewards differs from the number of agent turns.
    """
    turns = [
        cast(TurnView, {"speaker": int(_get(turn, "speaker")), "text": str(_get(turn, "text"))})
        for turn in _get(episode, "turns")
    ]
    rewards = tuple(float(r) for r in _get(episode, "rewards"))
    spoken = sum(turn["speaker"] == AGENT for turn in turns)
    if spoken != len(rewards):
        raise DatasetError(
            f"episode '{_get(episode, 'id', '?')}' has {spoken} agent turns but {len(rewards)} rewards: "
            "write one reward for each agent turn, or leave the episode out."
        )
    outcome = _get(episode, "outcome") or {}
    terminal = _get(outcome, "ended_by") != CAP
    segments = list(view.segments(brief_of(_get(episode, "scenario")), turns))
    if terminal:
        while segments and segments[-1][0] != "agent":
            segments.pop()
    persona = json.dumps(_plain(_get(episode, "persona")), sort_keys=True, default=str)
    group = hashlib.sha256(persona.encode()).hexdigest()[:16]
    return TextEpisode(tuple(segments), rewards, terminal, group)


def _roles(tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """Ids of the role tokens, asked for once a tokenizer: reading its whole vocabulary takes a millisecond."""
    roles: dict[str, int] | None = tokenizer.__dict__.get("_dialog_envs_roles")
    if roles is None:
        roles = tokenizer.__dict__["_dialog_envs_roles"] = role_ids(tokenizer)
    return roles


def encode_segments(
    tokenizer: PreTrainedTokenizerBase,
    segments: Sequence[tuple[str, str]],
    to_move: bool,
    known: dict[str, list[int]] | None = None,
) -> tuple[list[int], list[bool], list[int]]:
    """Token ids, which of them are the agent's choice, and the position of each agent turn's last token.

    ``to_move`` appends ``<|agent|>``: the agent is about to speak. ``known`` remembers texts: most notes and many
    turns of a dataset are the same.
    """
    roles = _roles(tokenizer)
    ids: list[int] = []
    agent: list[bool] = []
    ends: list[int] = []
    for role, text in segments:
        words = known.get(text) if known is not None else None
        if words is None:
            words = encode_text(tokenizer, text)
            if known is not None:
                known[text] = words
        ids.append(roles[ROLES[role]])
        agent.append(False)
        if role == "agent":
            words = [*words, roles[END]]
            ends.append(len(ids) + len(words) - 1)
        ids.extend(words)
        agent.extend([role == "agent"] * len(words))
    if to_move:
        ids.append(roles[ROLES["agent"]])
        agent.append(False)
    return ids, agent, ends


def encode_episode(
    tokenizer: PreTrainedTokenizerBase,
    episode: TextEpisode,
    context: int,
    known: dict[str, list[int]] | None = None,
) -> TokenEpisode:
    """One episode as tokens, the oldest left out where it is longer than ``context`` tokens."""
    ids, agent, ends = encode_segments(tokenizer, episode.segments, not episode.terminal, known)
    rewards = np.zeros(len(ids), dtype=np.float32)
    rewards[ends] = episode.rewards
    keep = slice(max(0, len(ids) - context), None)
    mask = np.array(agent, dtype=bool)[keep]
    if mask.size:
        mask[0] = False  # the first token has no state before it
    return TokenEpisode(
        np.array(ids, dtype=np.int64)[keep],
        mask,
        rewards[keep],
        episode.terminal,
        episode.group,
        episode.total_reward,
    )


def noted(segments: Sequence[tuple[str, str]], notes: Sequence[str], to_move: bool) -> list[tuple[str, str]]:
    """The segments with a note directly before each agent turn, the i-th before the i-th turn.

    ``to_move``: the agent is about to speak, so that a note stands at the end, too.
    """
    following = iter(notes)
    result: list[tuple[str, str]] = []
    for role, text in segments:
        if role == "agent":
            result.append(("note", next(following)))
        result.append((role, text))
    if to_move:
        result.append(("note", next(following)))
    return result


def split_by_group(
    episodes: Sequence[TokenEpisode], share: float, seed: int
) -> tuple[list[TokenEpisode], list[TokenEpisode]]:
    """Training and validation episodes; no persona stands in both. ``share`` is the validation share of personas."""
    groups = sorted({episode.group for episode in episodes})
    count = min(len(groups) - 1, round(share * len(groups))) if groups else 0
    order = stream(seed, "validation").permutation(len(groups))
    held_out = {groups[i] for i in order[:count]}
    train = [episode for episode in episodes if episode.group not in held_out]
    return train, [episode for episode in episodes if episode.group in held_out]


def bucket(lengths: Sequence[int], tokens_per_batch: int, rng: np.random.Generator | None) -> list[list[int]]:
    """Batches of indices with similar lengths, each at most ``tokens_per_batch`` tokens, padding included.

    With a generator, ties are broken at random, the first batch is cut short at random, and batches come in random
    order: no epoch repeats the batches of another. Without one the order is fixed.
    """
    jitter = rng.random(len(lengths)) if rng is not None else np.zeros(len(lengths))
    budget = tokens_per_batch if rng is None else int(tokens_per_batch * rng.uniform(0.3, 1.0))
    order = sorted(range(len(lengths)), key=lambda i: (lengths[i] + 4.0 * jitter[i], i))
    batches: list[list[int]] = []
    longest = 0
    for i in order:
        longest = max(longest, lengths[i])
        if batches and longest * (len(batches[-1]) + 1) > budget:
            batches.append([])
            longest, budget = lengths[i], tokens_per_batch
        elif not batches:
            batches.append([])
        batches[-1].append(i)
    if rng is not None:
        batches = [batches[i] for i in rng.permutation(len(batches))]
    return batches


def useful_share(lengths: Sequence[int], batches: Iterable[Sequence[int]]) -> float:
    """Share of a padded batch that is not padding, over all batches."""
    used = room = 0
    for batch in batches:
        used += sum(lengths[i] for i in batch)
        room += len(batch) * max(lengths[i] for i in batch)
    return used / room if room else 1.0
