"""What a dataset is like, in numbers that a person reads before training on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

from dialog_envs.core.dialogue import AGENT, USER
from dialog_envs.core.task import ActRoles, Task
from dialog_envs.datasets.disclosure import told
from dialog_envs.datasets.diversity import near_duplicates
from dialog_envs.datasets.people import personas
from dialog_envs.datasets.schema import Episode
from dialog_envs.errors import UnknownTask

LONG = 6
"""User turns of more words than this are expected to differ; shorter ones ("Yes, please.") may well repeat."""


@dataclass(frozen=True, slots=True)
class Group:
    """Episodes with one thing in common.

    Attributes:
        episodes: how many.
        reward: their mean reward.
        success: their share of successes.
        agent_turns: mean number of agent turns.
    """

    episodes: int
    reward: float
    success: float
    agent_turns: float

    @classmethod
    def of(cls, episodes: Sequence[Episode]) -> Group:
        """The means of some episodes."""
        return cls(
            len(episodes),
            fmean(episode.reward for episode in episodes),
            fmean(bool(episode.outcome["success"]) for episode in episodes),
            fmean(len(episode.rewards) for episode in episodes),
        )

    def to_json(self) -> dict[str, float]:
        """By name, rounded."""
        return {
            name: round(getattr(self, name), 4) for name in ("episodes", "reward", "success", "agent_turns")
        }


@dataclass(frozen=True, slots=True)
class Stats:
    """See the fields' names; all shares are in [0, 1].

    Attributes:
        whole: all episodes.
        by_policy, by_family, by_end: groups of them.
        turns: agent and user turns together.
        agent_turns_median, agent_turns_most: of an episode.
        words: mean number of words a turn, by speaker.
        acts: number of acts by speaker and kind.
        elicited, volunteered: different things told because of what the agent did, and unasked, per episode.
        personas, scenarios: different ones.
        distinct_user_turns: share of user turns that are unlike every other.
        repeated_long_user_turns: share of user turns of more than six words that stand elsewhere word for word.
        near_duplicates: episodes that share four fifths of their word triples with an earlier one (estimated).
        critique: the manifest's critique counts.
    """

    whole: Group
    by_policy: Mapping[str, Group]
    by_family: Mapping[str, Group]
    by_end: Mapping[str, Group]
    turns: int
    agent_turns_median: float
    agent_turns_most: int
    words: Mapping[str, float]
    acts: Mapping[str, Mapping[str, int]]
    elicited: float
    volunteered: float
    personas: int
    scenarios: int
    distinct_user_turns: float
    repeated_long_user_turns: float
    near_duplicates: int
    critique: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        data: dict[str, Any] = {"whole": self.whole.to_json()}
        for name in ("by_policy", "by_family", "by_end"):
            data[name] = {key: group.to_json() for key, group in getattr(self, name).items()}
        rest = [name for name in self.__slots__ if name not in data]
        for name in rest:
            value = getattr(self, name)
            data[name] = round(value, 4) if isinstance(value, float) else value
        return data


def compute_stats(episodes: Iterable[Episode], manifest: Mapping[str, Any] | None = None) -> Stats:
    """Describe some episodes.

    Args:
        episodes: at least one.
        manifest: of their dataset, for the critique's counts.
    """
    rows = list(episodes)
    acts, words, texts = _language(rows)
    counts = [len(episode.rewards) for episode in rows]
    task = known_task(rows[0].task)
    roles = task.act_roles if task is not None else ActRoles()
    elicited, volunteered = zip(*(told(episode, roles)[-1] for episode in rows), strict=True)
    long = [text for text in texts if len(text.split()) > LONG]
    return Stats(
        whole=Group.of(rows),
        by_policy=_groups(rows, lambda episode: episode.provenance.policy),
        by_family=_groups(rows, lambda episode: episode.family),
        by_end=_groups(rows, lambda episode: str(episode.outcome["ended_by"])),
        turns=sum(len(episode.turns) for episode in rows),
        agent_turns_median=float(median(counts)),
        agent_turns_most=max(counts),
        words={name: round(total / max(number, 1), 2) for name, (total, number) in words.items()},
        acts={name: dict(counter.most_common()) for name, counter in acts.items()},
        elicited=fmean(elicited),
        volunteered=fmean(volunteered),
        personas=len(personas(rows)),
        scenarios=len({str(sorted(episode.scenario.items())) for episode in rows}),
        distinct_user_turns=_once(texts),
        repeated_long_user_turns=1.0 - _once(long) if long else 0.0,
        near_duplicates=near_duplicates([" ".join(turn.text for turn in episode.turns) for episode in rows]),
        critique=dict((manifest or {}).get("critique") or {}),
    )


def known_task(name: str) -> Task[Any, Any, Any] | None:
    """A task by its id; ``None`` if it is not registered here."""
    from dialog_envs.registration import get_task

    try:
        return get_task(name)
    except UnknownTask:
        return None


def _language(
    rows: Sequence[Episode],
) -> tuple[dict[str, Counter[str]], dict[str, tuple[int, int]], list[str]]:
    """Acts by speaker and kind; (words, turns) by speaker; the user's texts after the opening."""
    acts: dict[str, Counter[str]] = {"agent": Counter(), "user": Counter()}
    words = {"agent": (0, 0), "user": (0, 0)}
    texts = []
    for episode in rows:
        for i, turn in enumerate(episode.turns):
            name = "agent" if turn.speaker == AGENT else "user"
            total, number = words[name]
            words[name] = (total + len(turn.text.split()), number + 1)
            if i == 0 and turn.speaker == USER:
                continue  # the opening
            acts[name].update(act.kind for act in turn.acts)
            if turn.speaker == USER:
                texts.append(turn.text)
    return acts, words, texts


def _groups(rows: Sequence[Episode], key: Any) -> dict[str, Group]:
    found: dict[str, list[Episode]] = defaultdict(list)
    for episode in rows:
        found[key(episode)].append(episode)
    return {name: Group.of(found[name]) for name in sorted(found)}


def _once(texts: Sequence[str]) -> float:
    """Share of texts that occur once only."""
    counts = Counter(texts)
    return sum(number == 1 for number in counts.values()) / max(len(texts), 1)
