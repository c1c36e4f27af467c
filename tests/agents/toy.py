"""Toy tasks: a few words, known values, and a view that reads them as they are."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dialog_envs.agents.learned import LearnedAgent

AGENT, USER = 0, 1


class PlainView:
    """Segments are the turns themselves; a note only where ``notes`` says so."""

    special_tokens: tuple[str, ...] = ("<1>", "<2>")

    def __init__(self, notes: bool = False) -> None:
        self.notes = notes

    def segments(self, brief: str, dialogue: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
        result = []
        for turn in dialogue:
            if turn["speaker"] == AGENT and self.notes:
                result.append(("note", brief))
            result.append(("agent" if turn["speaker"] == AGENT else "user", turn["text"]))
        if self.notes and (not dialogue or dialogue[-1]["speaker"] == USER):
            result.append(("note", brief))
        return result

    def realise(self, text: str, brief: str, dialogue: Sequence[Mapping[str, Any]]) -> str:
        return text.replace("<1>", "the first").replace("<2>", "the second")


@dataclass(frozen=True)
class ToyScenario:
    brief: str


class ToyTask:
    id = "Toy-v0"
    version = "1"

    def __init__(self, view: PlainView | None = None) -> None:
        self.view = view or PlainView()

    def scenario_from_json(self, data: Mapping[str, Any]) -> ToyScenario:
        return ToyScenario(data["brief"])


def episode(
    words: Sequence[str],
    rewards: Sequence[float],
    ended_by: str = "accept",
    persona: int = 0,
    first: int = USER,
) -> dict[str, Any]:
    """An episode in the dataset's format; speakers take turns, ``first`` begins."""
    turns = [{"speaker": (first + i) % 2, "text": word, "acts": []} for i, word in enumerate(words)]
    return {
        "id": f"e{persona}", "task": "Toy-v0", "seed": persona, "family": "toy", "persona": {"z": persona},
        "scenario": {"brief": "two ways"}, "turns": turns, "rewards": list(rewards), "reward": sum(rewards),
        "outcome": {"ended_by": ended_by},
    }  # fmt: skip


# ---- a dialogue MDP with known Q* ----------------------------------------------------------------------------------

WORDS = ("a", "b", "c")
FIRST_REPLY = {"a": "x", "b": "y", "c": "x"}
PAYS = {("x", "a"): 0.2, ("x", "b"): 0.6, ("x", "c"): 0.0, ("y", "a"): 1.0, ("y", "b"): 0.1, ("y", "c"): 0.3}


def known_episodes() -> list[dict[str, Any]]:
    """Every dialogue of the MDP once: the user greets, the agent says a word, the user answers, again, the end pays."""
    pairs = itertools.product(WORDS, WORDS)
    return [
        episode(["o", u, FIRST_REPLY[u], w], [0.0, PAYS[FIRST_REPLY[u], w]], persona=i)
        for i, (u, w) in enumerate(pairs)
    ]


def known_values(discount: float) -> dict[tuple[str, ...], float]:
    """Q* at word tokens, by hand: a word is followed by <|end|>, whose value is discounted once more."""
    second = {(u, w): discount * PAYS[FIRST_REPLY[u], w] for u in WORDS for w in WORDS}
    first = {(u,): discount**2 * max(second[u, w] for w in WORDS) for u in WORDS}
    return {**first, **second}


# ---- a corridor: no dialogue of the data goes all the way ---------------------------------------------------------

GOAL, CAP = 4, 7
WAY = ("left", "right", "right", "left")
"""What leads on, by place; the other word leads back."""


def moved(place: int, said: str) -> int:
    """The next place; any other word changes nothing."""
    if said not in ("left", "right"):
        return place
    return place + 1 if said == WAY[place] else max(place - 1, 0)


def corridor(act: Callable[[list[dict[str, Any]]], str], start: int, cap: int = CAP) -> dict[str, Any]:
    """Plays one episode: the user says where it stands, the agent says "left" or "right", the goal pays 1."""
    place, words, rewards = start, [f"at {start}"], []
    while True:
        said = act([{"speaker": (USER + i) % 2, "text": word} for i, word in enumerate(words)])
        place = moved(place, said)
        words.append(said)
        rewards.append(float(place == GOAL))
        if place == GOAL or len(rewards) == cap:
            return episode([*words, f"at {place}"], rewards, "accept" if place == GOAL else "cap")
        words.append(f"at {place}")


def corridor_episodes(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Random walks from 0, 1 and 2, without those that lead from 0 to the goal: only stitching gets there."""
    rng = np.random.default_rng(seed)
    kept: list[dict[str, Any]] = []
    while len(kept) < count:
        start = int(rng.integers(3))
        walk = corridor(lambda _: "right" if rng.random() < 0.5 else "left", start)
        if start or not walk["reward"]:
            kept.append(walk | {"persona": {"z": len(kept)}})
    return kept


def corridor_success(agent: LearnedAgent, episodes: int) -> float:
    """Share of episodes from 0 that reach the goal, the dialogues played one batch a turn."""
    walks = [_Walk(seed) for seed in range(episodes)]
    while open_walks := [walk for walk in walks if not walk.done]:
        observations = [{"brief": "two ways", "dialogue": tuple(walk.dialogue)} for walk in open_walks]
        for walk, said in zip(
            open_walks, agent.act_batch(observations, [w.seed for w in open_walks]), strict=True
        ):
            walk.step(said)
    return float(np.mean([walk.place == GOAL for walk in walks]))


class _Walk:
    def __init__(self, seed: int) -> None:
        self.seed, self.place, self.steps = seed, 0, 0
        self.dialogue: list[dict[str, Any]] = [{"speaker": USER, "text": "at 0"}]

    @property
    def done(self) -> bool:
        return self.place == GOAL or self.steps == CAP

    def step(self, said: str) -> None:
        self.place = moved(self.place, said)
        self.steps += 1
        self.dialogue += [{"speaker": AGENT, "text": said}, {"speaker": USER, "text": f"at {self.place}"}]


# ---- three short tales in which algorithms must differ -------------------------------------------------------------

Outcomes = list[tuple[float, str | None, float]]
"""(probability, next place or None for the end, reward)."""

TALES: dict[str, dict[str, Outcomes]] = {
    # Stitching: no dialogue from x leads further than n, and those from y show what to do there.
    "x": {"stay": [(0.4, None, 1.0), (0.6, None, 0.0)], "go": [(1.0, "m", 0.0)]},
    "y": {"walk": [(1.0, "m", 0.0)]},
    "m": {"up": [(1.0, "n", 0.0)], "down": [(1.0, "d", 0.0)]},
    "n": {"yes": [(1.0, None, 1.0)], "no": [(1.0, None, 0.0)]},
    "d": {"sit": [(1.0, None, 0.0)], "lie": [(1.0, None, 0.0)]},
    # Luck: the best that ever came of betting is more than what saving pays, its mean is less.
    "l": {"bet": [(0.3, None, 1.0), (0.7, None, 0.0)], "save": [(1.0, None, 0.7)]},
    # Risk: after "deep" the data's agents mostly fail, though nothing forces them to.
    "r": {"safe": [(1.0, None, 0.5)], "deep": [(1.0, "q", 0.0)]},
    "q": {"good": [(1.0, None, 1.0)], "bad": [(1.0, None, 0.0)]},
}
HABIT = {"good": 0.25, "bad": 0.75, "walk": 1.0}
"""How often the data's agents say a word; otherwise both alike."""
STARTS = {"stitch": "x", "middle": "y", "luck": "l", "risk": "r"}
LONGEST = {"x": 2}
"""Turns of the data's dialogues from there: those that went from x are cut off, without a reward."""


def tales(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Dialogues of a careless agent, a quarter of them from each start."""
    rng = np.random.default_rng(seed)
    starts = list(STARTS.values())
    return [_tale(starts[i % len(starts)], rng, i) for i in range(count)]


def _tale(start: str, rng: np.random.Generator, persona: int) -> dict[str, Any]:
    place: str | None = start
    words, rewards = [f"at {start}"], []
    while place is not None and len(rewards) < LONGEST.get(start, 9):
        choices = TALES[place]
        word = str(rng.choice(list(choices), p=[HABIT.get(word, 0.5) for word in choices]))
        outcomes = choices[word]
        place, reward = outcomes[int(rng.choice(len(outcomes), p=[o[0] for o in outcomes]))][1:]
        words += [word, f"at {place}"]
        rewards.append(reward)
    return episode(words, rewards, "accept" if place is None else "cap", persona)


def tale_score(agent: LearnedAgent, start: str, episodes: int = 64) -> float:
    """Mean reward to expect of what the agent says from a start: chance in the outcomes is averaged out."""
    total = 0.0
    dialogues = [[{"speaker": USER, "text": f"at {start}"}] for _ in range(episodes)]
    places: list[str | None] = [start] * episodes
    while going := [i for i, place in enumerate(places) if place is not None]:
        observations = [{"brief": "two ways", "dialogue": tuple(dialogues[i])} for i in going]
        for i, word in zip(going, agent.act_batch(observations, going), strict=True):
            outcomes = TALES[str(places[i])].get(word, [(1.0, None, 0.0)])
            total += sum(chance * reward for chance, _, reward in outcomes)
            places[i] = outcomes[0][1]
            dialogues[i] += [{"speaker": AGENT, "text": word}, {"speaker": USER, "text": f"at {places[i]}"}]
    return total / episodes
