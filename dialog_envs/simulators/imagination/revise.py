"""Revision: a dialogue that fails the critique is repaired where code can do it without inventing anything.

The only repair is to leave out exchanges in which the agent repeats itself. What remains must be a dialogue that could
have happened: every user turn possible under the kernel for this persona, every agent turn understood as before, the
same end. Patience remembers, so many repetitions cannot be left out; those dialogues are dropped.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from dialog_envs.core.dialogue import Turn
from dialog_envs.core.task import Task
from dialog_envs.datasets.replay import exchanges, impossible_turn, misread_turn
from dialog_envs.datasets.schema import Criterion, Critique, Episode
from dialog_envs.simulators.imagination.critique import CRITERIA, REPEATED, act_text, failed, plain

REPAIRABLE = frozenset(("no-loops",))
"""Criteria that leaving out exchanges can satisfy."""


def revise(task: Task[Any, Any, Any], episode: Episode, reward: str = "binary") -> Episode:
    """A dropped episode repaired (verdict ``revised``), or as it was.

    Args:
        task: whose kernel and score decide.
        episode: with its critique.
        reward: scheme of the rewards.
    """
    if episode.critique.verdict != "dropped" or not set(failed(episode)) <= REPAIRABLE:
        return episode
    pairs = exchanges(episode.turns)
    if pairs is None:
        return episode
    texts = [plain(agent.text) for agent, _ in pairs]
    acts = [act_text(agent) for agent, _ in pairs]
    for kept in [*_candidates(texts), *_candidates(acts)]:
        candidate = _rebuilt(task, episode, [pairs[i] for i in kept], reward)
        if candidate is not None:
            left_out = [i + 1 for i in range(len(pairs)) if i not in kept]
            return replace(candidate, critique=_noted(episode.critique, left_out))
    return episode


def _candidates(texts: list[str]) -> list[list[int]]:
    """Exchanges to keep, the gentlest repair first: each at most twice, or once. The last one always stays."""
    found = []
    for allowed in range(REPEATED - 1, 0, -1):
        left = Counter(dict.fromkeys(texts, allowed))
        left[texts[-1]] -= 1
        keep = []
        for i, text in enumerate(texts[:-1]):
            if left[text] > 0:
                left[text] -= 1
                keep.append(i)
        keep.append(len(texts) - 1)
        if len(keep) < len(texts):
            found.append(keep)
    return found


def _rebuilt(
    task: Task[Any, Any, Any], episode: Episode, pairs: list[tuple[Turn, Turn]], reward: str
) -> Episode | None:
    """The episode with these exchanges only, scored anew; ``None`` if it could not have happened, or fails again."""
    opening = episode.turns[: len(episode.turns) % 2]
    turns = (*opening, *(turn for pair in pairs for turn in pair))
    persona, scenario = task.persona_from_json(episode.persona), task.scenario_from_json(episode.scenario)
    ended_by = str(episode.outcome["ended_by"])
    if impossible_turn(task, persona, scenario, turns, ended_by) or misread_turn(task, scenario, turns):
        return None
    outcome = task.score(persona, scenario, turns, ended_by)
    rewards = outcome.rewards(reward)
    changed = replace(
        episode,
        turns=turns,
        rewards=rewards,
        reward=float(sum(rewards)),
        outcome=outcome.to_json(metrics=False),
    )
    return None if any(rule(changed, task.act_roles) for rule in CRITERIA.values()) else changed


def _noted(critique: Critique, left_out: list[int]) -> Critique:
    """The verdicts with what was done."""
    note = f"; left out exchange{'s' if len(left_out) > 1 else ''} {', '.join(map(str, left_out))}"
    criteria = tuple(
        row if row.passed else Criterion(row.name, False, row.reason + note) for row in critique.criteria
    )
    return Critique("revised", criteria)
