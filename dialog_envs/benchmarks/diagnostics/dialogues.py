"""The dialogues that a checkpoint is looked at with: of a dataset, or of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dialog_envs.errors import UsageError

if TYPE_CHECKING:
    from dialog_envs.agents.diagnostics import Spoken
    from dialog_envs.agents.learned import LearnedAgent
    from dialog_envs.agents.sequences import TextEpisode, TokenEpisode

FIRST_SEED = 40_000_000
"""Of the dialogues that are played: apart from those of the suites and of trainings' validation."""


@dataclass(frozen=True, slots=True)
class Dialogues:
    """Dialogues as a checkpoint reads them, with its values.

    ``names``, ``texts``, ``tokens`` and ``spoken`` have one entry a dialogue, in the same order.
    """

    agent: LearnedAgent
    record: dict[str, Any]
    """Of the checkpoint's training."""
    source: str
    """In words."""
    names: list[str]
    texts: list[TextEpisode]
    tokens: list[TokenEpisode]
    spoken: list[Spoken]


def look(
    checkpoint: str | Path,
    *,
    data: str | Path | None = None,
    play: int = 0,
    names: Sequence[str] = (),
    limit: int | None = None,
    options: dict[str, Any] | None = None,
    users: str = "typical",
    task: Any = None,
) -> Dialogues:
    """Reads dialogues with a checkpoint's value heads.

    Args:
        checkpoint: its folder.
        data: a dataset. Of the one that the checkpoint learned from, only the held-out dialogues are taken.
        play: so many dialogues of the agent's own with scripted users, instead of a dataset's.
        names: ids of the dataset's dialogues to take, held out or not; all if empty.
        limit: at most so many of the dataset's.
        options: of :meth:`dialog_envs.agents.learned.LearnedAgent.from_pretrained`, such as ``beta``.
        users: the group of the users to play with.
        task: the task object, if it is not registered.

    Raises:
        UsageError: neither or both of ``data`` and ``play``; no value heads; no such dialogue.
    """
    from dialog_envs.agents.checkpoint import read_training
    from dialog_envs.agents.diagnostics import token_values
    from dialog_envs.agents.learned import LearnedAgent
    from dialog_envs.agents.sequences import encode_episode

    if (data is None) == (not play):
        raise UsageError(
            "say whose dialogues to look at: --data DATASET, or --play NUMBER for the agent's own."
        )
    record = read_training(checkpoint)
    agent = LearnedAgent.from_pretrained(checkpoint, task=task, **(options or {}))
    task = task if task is not None else _task(record)
    if data is not None:
        read, source = _of_dataset(data, task, record, names)
        read = read[:limit]
    else:
        read = _texts(task, played(agent, task, play, users))
        source = f"{play} dialogues of its own with {users} users"
    texts = [text for _, text in read]
    tokens = [encode_episode(agent.model.tokenizer, text, agent.model.context) for text in texts]
    config = record["config"]
    spoken = token_values(
        agent.model, tokens, float(config.get("discount", 1.0)), str(config.get("discount_on", "token"))
    )
    return Dialogues(agent, record, source, [name for name, _ in read], texts, tokens, spoken)


def _task(record: dict[str, Any]) -> Any:
    from dialog_envs.registration import get_task

    return get_task(record["task"])


def _texts(task: Any, episodes: Sequence[Any]) -> list[tuple[str, TextEpisode]]:
    from dialog_envs.agents.sequences import text_episode

    def brief(scenario: Any) -> str:
        return str((task.scenario_from_json(scenario) if isinstance(scenario, dict) else scenario).brief)

    found = []
    for episode in episodes:
        name = str(episode["id"] if isinstance(episode, dict) else episode.id)
        found.append((name, text_episode(episode, task.view, brief)))
    return found


def _of_dataset(
    data: str | Path, task: Any, record: dict[str, Any], names: Sequence[str]
) -> tuple[list[tuple[str, TextEpisode]], str]:
    """The dialogues asked for, or those that the training held out, or all if it did not learn from this dataset."""
    from dialog_envs.agents.sequences import split_by_group
    from dialog_envs.agents.training import data_hash
    from dialog_envs.datasets import read_dataset

    episodes: list[Any] = list(read_dataset(Path(data)).episodes)
    if names:
        known = {episode.id: episode for episode in episodes}
        missing = [name for name in names if name not in known]
        if missing:
            raise UsageError(
                f"'{data}' has no dialogue '{missing[0]}': its first is '{next(iter(known), '')}'."
            )
        return _texts(task, [known[name] for name in names]), str(data)
    read = _texts(task, episodes)
    if str(record.get("data", "")).rpartition(":")[2] != data_hash(data):
        return read, str(data)
    share = float(record["config"]["training"]["validation"])
    _, held_out = split_by_group(cast(Any, [text for _, text in read]), share, int(record["seed"]))
    kept = {text.group for text in held_out}
    if not kept:
        return read, f"{data}, which it learned from in full"
    return [pair for pair in read if pair[1].group in kept], f"{data}, what the training held out"


def played(agent: Any, task: Any, count: int, users: str, reward: str = "binary") -> list[dict[str, Any]]:
    """Dialogues of an agent with ``act_batch`` and scripted users, in the dataset's format. The same ones every time.

    A finished dialogue makes room for the next one at once.
    """
    from dialog_envs.core.env import DialogEnv, agent_seed

    families = task.prior.group(users)
    waiting = list(range(count))[::-1]
    free = [DialogEnv(task, reward=reward) for _ in range(min(count, 64))]
    running: dict[int, tuple[Any, Any, list[float]]] = {}
    done: dict[int, dict[str, Any]] = {}
    while waiting or running:
        while waiting and free:
            number, env = waiting.pop(), free.pop()
            seen, _ = env.reset(
                seed=FIRST_SEED + number, options={"family": families[number % len(families)]}
            )
            running[number] = (env, seen, [])
        order = sorted(running)
        seeds = [agent_seed(FIRST_SEED + number) for number in order]
        texts = agent.act_batch([running[number][1] for number in order], seeds)
        for number, text in zip(order, texts, strict=True):
            env, _, rewards = running[number]
            seen, value, terminated, truncated, _ = env.step(text)
            rewards.append(float(value))
            running[number] = (env, seen, rewards)
            if terminated or truncated:
                done[number] = _episode(number, env, rewards)
                free.append(running.pop(number)[0])
    return [done[number] for number in range(count)]


def _episode(number: int, env: Any, rewards: list[float]) -> dict[str, Any]:
    return {
        "id": f"play-{number:05d}",
        "persona": env.persona.to_json(),
        "scenario": env.scenario.to_json(),
        "turns": [turn.to_json() for turn in env.turns],
        "rewards": rewards,
        "outcome": env.outcome.to_json(metrics=False),
    }
