"""A tiny task to try the runner on: guess which of two teas the user likes. No model, no real task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dialog_envs.agents.base import as_agent
from dialog_envs.agents.registry import AgentSpec
from dialog_envs.benchmarks.suite import Suite, parse_suite
from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.core.outcome import Outcome
from dialog_envs.core.seeding import stream
from dialog_envs.core.spaces import UnicodeText
from dialog_envs.errors import SimulatorError

TEAS = ("green", "black")


@dataclass(frozen=True)
class Guest:
    family: str
    tea: str
    patience: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Table:
    number: int

    @property
    def brief(self) -> str:
        return f"Table {self.number}: green or black?"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Guests:
    typical = ("calm", "chatty")
    hard = ("hasty",)

    def sample(self, rng: np.random.Generator, family: str | None = None) -> Guest:
        return Guest(
            family or "calm", TEAS[int(rng.integers(2))], 1 if family == "hasty" else int(rng.integers(2, 5))
        )


class TeaLanguage:
    def read(self, text: str, scenario: Any, dialogue: Any) -> tuple[Act, ...]:
        kinds = [("accept", "yes"), ("leave", "bye")]
        return tuple(Act(kind) for kind, word in kinds if word in text) or (Act("answer", "tea", text),)

    def understand(self, text: str, scenario: Any, dialogue: Any) -> tuple[Act, ...]:
        if "?" in text:
            return (Act("ask", "tea"),)
        return tuple(Act("suggest", item=tea) for tea in TEAS if tea in text)


class TeaTask:
    id = "Tea-v0"
    version = "7"
    max_turns = 4
    prior = Guests()
    language = TeaLanguage()

    def sample_scenario(self, rng: np.random.Generator) -> Table:
        return Table(int(rng.integers(100)))

    def persona_from_json(self, data: Any) -> Guest:
        return Guest(**data)

    def scenario_from_json(self, data: Any) -> Table:
        return Table(**data)

    def persona_card(self, persona: Guest) -> list[tuple[str, str]]:
        return [("tea", f"likes {persona.tea} <b>tea</b>"), ("patience", str(persona.patience))]

    def score(self, persona: Guest, scenario: Table, turns: Sequence[Turn], ended_by: str) -> Outcome:
        right = any(act.item == persona.tea for turn in turns if turn.speaker == AGENT for act in turn.acts)
        success = right and ended_by == "accept"
        count = sum(turn.speaker == AGENT for turn in turns)
        return Outcome(
            success,
            float(success),
            ended_by,
            (0.0,) * (count - 1) + (1.0,),
            {},
            lambda: {
                "information_bits": 0.5,
                "questions": float(sum(act.kind == "ask" for turn in turns for act in turn.acts)),
            },
        )

    def belief_trace(self, scenario: Table, turns: Sequence[Turn]) -> list[dict[str, Any]]:
        users = 1 + sum(turn.speaker == USER for turn in turns)
        return [
            {"entropy_bits": 1.0 / (1 + step), "marginals": {"tea": {"green": 0.7, "black": 0.3}}}
            for step in range(users)
        ]


class TeaUser:
    version = "3"


class TeaEnv:
    """Stands in for DialogEnv. ``fail_on`` seeds raise in the user's reply."""

    def __init__(self, fail_on: Sequence[int] = ()) -> None:
        self.task, self.user = TeaTask(), TeaUser()
        self.action_space = UnicodeText(1000)
        self.fail_on = fail_on
        self.closed = False

    def reset(self, *, seed: int, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        self.seed = seed
        self.persona = options.get("persona") or self.task.prior.sample(
            stream(seed, "persona"), options.get("family")
        )
        self.scenario = self.task.sample_scenario(stream(seed, "scenario"))
        self.turns = [Turn(USER, "Tea, please.")]
        self.outcome: Outcome | None = None
        return self._observation(), {}

    def _observation(self) -> Any:
        return {"brief": self.scenario.brief, "dialogue": tuple(turn.view() for turn in self.turns)}

    def step(self, text: str) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self.seed in self.fail_on:
            raise SimulatorError("the user fell silent.")
        acts = self.task.language.understand(text, self.scenario, ())
        self.turns.append(Turn(AGENT, text, acts))
        asked = sum(turn.speaker == AGENT for turn in self.turns)
        suggested = [act.item for act in acts if act.kind == "suggest"]
        ended_by = None
        if self.persona.tea in suggested:
            words, ended_by = "Lovely.", "accept"
        elif asked >= min(self.persona.patience, self.task.max_turns):
            words, ended_by = "Bye.", "leave"
        else:
            words = f"I like {self.persona.tea}." if "?" in text else "Hm."
        self.turns.append(Turn(USER, words, (Act(ended_by or "answer"),)))
        if ended_by is None:
            return self._observation(), 0.0, False, False, {}
        self.outcome = self.task.score(self.persona, self.scenario, self.turns, ended_by)
        return self._observation(), self.outcome.graded, True, False, {}

    def close(self) -> None:
        self.closed = True


def asks_first(observation: Any) -> str:
    """Asks, then suggests what it heard."""
    said = " ".join(turn["text"] for turn in observation["dialogue"] if turn["speaker"] == USER)
    return next((f"Have {tea}." for tea in TEAS if tea in said), "Which tea?")


def always_green(observation: Any) -> str:
    """Suggests green tea whatever happens."""
    return "Have green."


SUITE = """
schema = 1
name = "tea"
tasks = ["Tea-v0"]
baseline = "green"
[users.typical]
episodes_per_family = 12
[users.hard]
episodes_per_family = 10
[seeds]
report = 10_000_000
validation = 20_000_000
episodes_per_persona = 2
[[agents]]
name = "random"
"""


@pytest.fixture
def suite() -> Suite:
    return parse_suite(SUITE, "the test's suite")


@pytest.fixture
def tea_task() -> TeaTask:
    return TeaTask()


@pytest.fixture
def tea_env() -> type[TeaEnv]:
    return TeaEnv


def function_spec(name: str, function: Any, fingerprint: str = "1") -> AgentSpec:
    return AgentSpec(name, f"test:{name}", fingerprint, lambda task: as_agent(function))


@pytest.fixture
def spec() -> Any:
    """``spec(name, function)`` makes an agent of the run."""
    return function_spec


@pytest.fixture
def asking() -> AgentSpec:
    return function_spec("asking", asks_first)


@pytest.fixture
def green() -> AgentSpec:
    return function_spec("green", always_green)


@pytest.fixture
def run_tea(suite: Suite, tmp_path: Path) -> Any:
    """``run_tea(*specs, fail_on=(), **options)`` runs the tea suite in ``tmp_path/run``."""
    from dialog_envs.benchmarks.runner import Contestant, run_suite

    def run(*specs: AgentSpec, fail_on: Sequence[int] = (), cap: int | None = None, **options: Any) -> Any:
        return run_suite(
            options.pop("suite", suite),
            [Contestant(spec, cap) for spec in specs],
            options.pop("folder", tmp_path / "run"),
            get_task=lambda name: TeaTask(),
            make_env=lambda name: TeaEnv(fail_on),
            **{"quiet": True, **options},
        )

    return run
