"""How much of the persona the user has told by turn k: what was elicited, what was volunteered, and in bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dialog_envs.core.dialogue import AGENT, USER, Act
from dialog_envs.core.task import ActRoles
from dialog_envs.datasets.schema import Episode


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Means over episodes after k = 0, 1, 2 … agent turns and their answers. An episode that has ended stays as it was.

    Attributes:
        episodes: how many.
        going_on: share of episodes that have a k-th agent turn.
        elicited: things told by then because of what the agent did, each counted when it was first told.
        volunteered: things told unasked.
        bits: share of the bits about the persona that the words have told (1 - entropy of the exact posterior after
            k turns / of the prior); empty where it was not computed.
        bits_episodes: of how many episodes.
        bits_prior: bits that an agent lacks at the beginning, mean.
        contradictory: episodes whose posterior cannot be computed, because no persona could have said all of it.
    """

    episodes: int
    going_on: tuple[float, ...]
    elicited: tuple[float, ...]
    volunteered: tuple[float, ...]
    bits: tuple[float, ...] = ()
    bits_episodes: int = 0
    bits_prior: float = 0.0
    contradictory: int = 0


def told(episode: Episode, roles: ActRoles) -> list[tuple[int, int]]:
    """(elicited, volunteered) after 0, 1, 2 … agent turns: different things told so far, the opening included."""
    rows = [(0, 0)]
    subjects: set[str] = set()
    counts = [0, 0]
    said: Sequence[Act] = ()
    for turn in episode.turns:
        if turn.speaker == AGENT:
            rows.append((counts[0], counts[1]))
            said = turn.acts
            continue
        for act in turn.acts:
            subject = roles.subject(act)
            if subject is not None and subject not in subjects:
                subjects.add(subject)
                counts[roles.unasked(act, said)] += 1
        rows[-1] = (counts[0], counts[1])
    return rows


def disclosure(
    episodes: Sequence[Episode],
    roles: ActRoles,
    entropies: Sequence[Sequence[float] | None] = (),
) -> Disclosure:
    """Disclosure by turn.

    Args:
        episodes: at least one.
        roles: what the task's acts are for.
        entropies: of some episodes, bits of the exact posterior before the first and after each exchange; ``None``
            where it cannot be computed.
    """
    rows = [told(episode, roles) for episode in episodes]
    longest = max(map(len, rows))
    known = [list(trace) for trace in entropies if trace]
    shares = [[1.0 - bits / trace[0] if trace[0] > 0 else 1.0 for bits in trace] for trace in known]
    return Disclosure(
        episodes=len(rows),
        going_on=tuple(sum(len(row) > k for row in rows) / len(rows) for k in range(longest)),
        elicited=_means([[one for one, _ in row] for row in rows], longest),
        volunteered=_means([[other for _, other in row] for row in rows], longest),
        bits=_means(shares, max(map(len, shares))) if shares else (),
        bits_episodes=len(shares),
        bits_prior=sum(trace[0] for trace in known) / len(known) if known else 0.0,
        contradictory=sum(trace is None for trace in entropies),
    )


def _means(rows: Sequence[Sequence[float]], length: int) -> tuple[float, ...]:
    """Mean at each place; a row that has ended counts with its last value."""
    return tuple(sum(row[min(k, len(row) - 1)] for row in rows) / len(rows) for k in range(length))


def user_turns(episode: Episode) -> list[str]:
    """What the user said, without the opening."""
    return [turn.text for turn in episode.turns[1:] if turn.speaker == USER]
