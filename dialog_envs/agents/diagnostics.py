"""What value heads believe, beside what happened: the values of every token that an agent said in given dialogues.

The advantage of a token is ``Q(s, a) - sum over a' of pi(a' | s) Q(s, a')``: how much better it is than what the policy
says here on average. Decoding adds beta times this to ``log pi`` (the second term cancels there). Every kind of head
has it; the V that ILQL trains is an upper expectile, against which most tokens would look bad.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dialog_envs.agents.batch import Batch, collate
from dialog_envs.agents.language_model import DialogueModel
from dialog_envs.agents.sequences import TokenEpisode, bucket
from dialog_envs.errors import UsageError

CONSIDERED = 64
"""Tokens of the policy over which an average is taken: all but a thousandth of its probability in a small model."""
TOKENS_PER_BATCH = 4_096


@dataclass(frozen=True, slots=True)
class Spoken:
    """The tokens that an agent said in one dialogue; all arrays have shape (tokens,)."""

    ids: NDArray[np.int64]
    positions: NDArray[np.int64]
    """In the dialogue's tokens."""
    turn: NDArray[np.int64]
    """Number of the agent turn, from 0."""
    last: NDArray[np.bool_]
    """The last token of its turn."""
    q: NDArray[np.float64]
    average: NDArray[np.float64]
    """Of Q under the policy."""
    chance: NDArray[np.float64]
    """Under the policy."""
    realised: NDArray[np.float64]
    """Discounted return that followed in the dialogue, the token's own reward included."""
    terminal: bool
    """False if the turn cap cut the dialogue off: what would have followed is unknown."""

    @property
    def advantage(self) -> NDArray[np.float64]:
        """See the module's text."""
        return self.q - self.average


@torch.no_grad()
def token_values(
    model: DialogueModel, episodes: Sequence[TokenEpisode], discount: float = 1.0, discount_on: str = "token"
) -> list[Spoken]:
    """The values of all agent tokens of some dialogues, in their order.

    Args:
        model: in eval mode, with value heads.
        episodes: as :func:`dialog_envs.agents.sequences.encode_episode` makes them.
        discount: of the training.
        discount_on: ``token`` or ``turn``, as in the training.

    Raises:
        UsageError: the model has no value heads.
    """
    if model.heads is None:
        raise UsageError(
            "this agent has no value heads to look at: take one that ilql, mc, cql or qsft trained."
        )
    found: dict[int, Spoken] = {}
    for part in bucket([len(episode.ids) for episode in episodes], TOKENS_PER_BATCH, None):
        chosen = [episodes[i] for i in part]
        batch = collate(chosen, model.pad_id, model.end_id).to(model.policy.device)
        figures = _figures(model, batch)
        begin = 0
        for i, episode in zip(part, chosen, strict=True):
            end = begin + int(episode.agent.sum())
            found[i] = _spoken(
                episode, [figure[begin:end] for figure in figures], model.end_id, discount, discount_on
            )
            begin = end
    return [found[i] for i in range(len(episodes))]


def _figures(model: DialogueModel, batch: Batch) -> tuple[NDArray[np.float64], ...]:
    """Q, its average, and the policy's probability of the N tokens said."""
    assert model.heads is not None
    n = len(batch.action)
    at = batch.state[:n]
    states = model.states(batch.ids, at)
    values = states if model.value_trunk is None else model.value_states(batch.ids, at)
    parts: list[tuple[torch.Tensor, ...]] = []
    for begin in range(0, n, 512):
        here = slice(begin, begin + 512)
        logits = model.logits(states[here]).float()
        action = batch.action[here, None]
        chances = torch.softmax(logits.double(), dim=-1)
        top = chances.topk(min(CONSIDERED, chances.shape[-1]), dim=-1)
        candidates = torch.cat([action, top.indices], dim=-1)
        q = model.heads.decoding_values(values[here], candidates, logits).double()
        known = torch.isfinite(
            q[:, 1:]
        )  # heads that were trimmed to the data's tokens do not value the others
        weights = top.values * known
        average = (weights * q[:, 1:].masked_fill(~known, 0.0)).sum(-1) / weights.sum(-1).clamp_min(1e-12)
        parts.append((q[:, 0], average, chances.gather(-1, action)[:, 0]))
    return (
        tuple(torch.cat(column).cpu().numpy() for column in zip(*parts, strict=True))
        if parts
        else (np.zeros(0),) * 3
    )


def _spoken(
    episode: TokenEpisode, figures: Sequence[NDArray[np.float64]], end: int, discount: float, discount_on: str
) -> Spoken:
    positions = np.flatnonzero(episode.agent)
    ids, rewards = episode.ids[positions], episode.rewards[positions].astype(np.float64)
    last = ids == end
    realised = np.zeros(len(ids))
    following = 0.0
    for i in reversed(range(len(ids))):
        following = rewards[i] + (discount if discount_on == "token" or last[i] else 1.0) * following
        realised[i] = following
    turn = np.concatenate([[0], np.cumsum(last)[:-1]]) if len(ids) else np.zeros(0)
    q, average, chance = figures
    return Spoken(ids, positions, turn.astype(np.int64), last, q, average, chance, realised, episode.terminal)


# ---- calibration -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bin:
    """Turns of about the same value."""

    turns: int
    q: float
    """Mean value."""
    realised: float
    """Mean return."""
    margin: float
    """Half of the 95 % interval of the mean return, dialogues taken as independent."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well values foretell returns. One point is one agent turn: the value of its last token, its return."""

    bins: tuple[Bin, ...]
    turns: int
    episodes: int
    left_out: int
    """Dialogues that the turn cap cut off."""
    error: float
    """Mean distance between value and return over the bins, by their turns (expected calibration error)."""
    bias: float
    """Mean value less mean return: above 0 the heads promise too much."""
    squared: float
    """Mean squared error, a turn."""
    constant: float
    """The same of the mean return in place of every value: what knowing nothing of the dialogue costs."""
    correlation: float
    """Of value and return; nan if one of them never varies."""
    by_turn: tuple[Bin, ...]
    """By the turn's number from 0, as far as ten dialogues go."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; nan as null."""
        from dataclasses import asdict

        data = asdict(self)
        return data | {"correlation": None if np.isnan(self.correlation) else self.correlation}


def calibration(dialogues: Sequence[Spoken], bins: int = 10) -> Calibration:
    """Values beside returns.

    Args:
        dialogues: of :func:`token_values`. Those that were cut off are left out.
        bins: of equal numbers of turns.

    Raises:
        UsageError: no dialogue came to an end.
    """
    ended = [d for d in dialogues if d.terminal and d.last.any()]
    if not ended:
        raise UsageError("no dialogue came to an end: there is no return to compare values with.")
    q = np.concatenate([d.q[d.last] for d in ended])
    realised = np.concatenate([d.realised[d.last] for d in ended])
    turn = np.concatenate([d.turn[d.last] for d in ended])
    who = np.repeat(np.arange(len(ended)), [int(d.last.sum()) for d in ended])
    parts = [part for part in np.array_split(np.argsort(q, kind="stable"), bins) if len(part)]
    made = tuple(_bin(q, realised, who, part) for part in parts)
    numbered = [np.flatnonzero(turn == number) for number in range(int(turn.max()) + 1)]
    varied = np.ptp(q) > 1e-9 and np.ptp(realised) > 1e-9
    return Calibration(
        bins=made,
        turns=len(q),
        episodes=len(ended),
        left_out=len(dialogues) - len(ended),
        error=float(sum(b.turns * abs(b.q - b.realised) for b in made) / len(q)),
        bias=float(q.mean() - realised.mean()),
        squared=float(np.square(q - realised).mean()),
        constant=float(realised.var()),
        correlation=float(np.corrcoef(q, realised)[0, 1]) if varied else float("nan"),
        by_turn=tuple(_bin(q, realised, who, part) for part in numbered if len(part) >= 10),
    )


def _bin(
    q: NDArray[np.float64], realised: NDArray[np.float64], who: NDArray[np.int64], part: NDArray[np.int64]
) -> Bin:
    means = [float(realised[part][who[part] == one].mean()) for one in np.unique(who[part])]
    margin = 1.96 * float(np.std(means, ddof=1)) / len(means) ** 0.5 if len(means) > 1 else float("nan")
    return Bin(len(part), float(q[part].mean()), float(realised[part].mean()), margin)


# ---- words -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """A word that the agent said, or the end of its turn."""

    text: str
    """With the space before it. Empty at the end of a turn."""
    turn: int
    advantage: float
    """Of all its tokens together."""
    q: float
    """After its last token."""
    chance: float
    """Of all its tokens together, under the policy."""


def words(model: DialogueModel, spoken: Spoken) -> Iterator[Word]:
    """The words of a dialogue's agent turns: tokens up to the next space are one."""
    group: list[int] = []
    for i in range(len(spoken.ids)):
        group.append(i)
        following = i + 1
        ends = following == len(spoken.ids) or bool(spoken.last[i]) or bool(spoken.last[following])
        if ends or str(model.tokenizer.decode([int(spoken.ids[following])]))[:1].isspace():
            ids = [int(spoken.ids[j]) for j in group if not spoken.last[j]]
            yield Word(
                str(model.tokenizer.decode(ids)) if ids else "",
                int(spoken.turn[i]),
                float(spoken.advantage[group].sum()),
                float(spoken.q[i]),
                float(spoken.chance[group].prod()),
            )
            group = []


def worst_word(said: Sequence[Word]) -> int | None:
    """Place of the word with the least advantage: the one that lost the sale, if the heads are right."""
    return int(np.argmin([word.advantage for word in said])) if said else None
