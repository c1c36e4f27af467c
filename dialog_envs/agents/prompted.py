"""Agents that are a chat model and a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dialog_envs.agents.base import Usage
from dialog_envs.core.dialogue import AGENT, Observation
from dialog_envs.core.seeding import derive, stream
from dialog_envs.errors import UsageError
from dialog_envs.simulators.llm import ChatModel, ChatRequest, ChoiceRequest, Message, get_chat_model

PROMPTS = Path(__file__).parent / "prompts"
MODES = ("choice", "free")
BRIEFS = ("names", "full")
DEFAULT_TASK = "PreferenceElicitation-v0"


class PromptedAgent:
    """A chat model with a few-shot prompt (Brown et al., 2020) that plays the agent.

    In mode ``"choice"`` the model chooses its utterance from the task's menu
    (:meth:`dialog_envs.core.task.Task.menu`), without what it said word for word before: the turn is always well
    formed, and its quality is all the model's. Local models draw an utterance by its own length-normalised
    probability, endpoints name its number. In mode ``"free"`` the model writes one sentence, which is said as it is.

    The random numbers of a turn come from the episode's seed and the number of agent turns so far, hence an episode
    played alone equals the same one in a batch (for local models; a server answers as it likes).

    Args:
        model: a chat model or its name, for example ``"openai:gpt-5-mini"``.
        mode: ``"choice"`` or ``"free"``; by default choice for the embedded model, which is a poor writer, else free.
        task: the task that is played, or its id.
        temperature: of the choice or the writing; by default 0.25 for choosing (mean log-probabilities a token lie
            close together) and 0.7 for writing.
        brief: how much of the brief's list the model reads: ``"names"`` (what stands before each colon) or ``"full"``.
            By default names for the embedded model, which takes 0.1 s for 100 tokens, else full.
        prompt: a Markdown file with the instructions instead of the built-in ones.
        threads: processor threads of a local model's calls; by default the model's own choice, which is one.

    Raises:
        UsageError: an argument has an unknown value, or the prompt cannot be read.
        ModelUnavailable: the model is not here; the message says how to get it.
    """

    def __init__(
        self,
        model: str | ChatModel = "embedded",
        mode: str | None = None,
        *,
        task: Any = None,
        temperature: float | None = None,
        brief: str | None = None,
        prompt: str | Path | None = None,
        threads: int | None = None,
    ) -> None:
        options = {} if threads is None else {"threads": threads}
        self.model = get_chat_model(model, **options) if isinstance(model, str) else model
        small = self.model.name == "embedded"
        self.mode = _one_of("mode", mode or ("choice" if small else "free"), MODES)
        self.brief = _one_of("brief", brief or ("names" if small else "full"), BRIEFS)
        self.task = _task(task)
        default = 0.25 if self.mode == "choice" else 0.7
        self.temperature = default if temperature is None else temperature
        self.prompt = _read(Path(prompt) if prompt else PROMPTS / f"{self.mode}.md")
        self._seed = 0
        self._used = Usage()

    @property
    def description(self) -> str:
        """For the leaderboard: the model and how it is used."""
        return f"{self.model.version}, {self.mode}"

    def start(self, brief: str, seed: int) -> None:
        """A new episode."""
        self._seed = seed
        self._used = Usage()

    def act(self, observation: Observation) -> str:
        """The next utterance."""
        return self.act_batch([observation], [self._seed])[0]

    def act_batch(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        """The next utterance of each dialogue.

        Raises:
            ChatModelError: the model gave no usable reply, after all retries.
        """
        turns = [
            sum(turn["speaker"] == AGENT for turn in observation["dialogue"]) for observation in observations
        ]
        turn_seeds = [derive(seed, "prompted", turn) for seed, turn in zip(seeds, turns, strict=True)]
        if self.mode == "choice":
            return self._choose(observations, turn_seeds)
        return self._write(observations, turn_seeds)

    def usage(self) -> Usage:
        """Tokens and cost since ``start``."""
        return self._used

    def messages(self, observation: Observation) -> tuple[Message, ...]:
        """The chat that the model continues: instructions, brief, and the dialogue from the agent's side."""
        chat: list[Message] = [{"role": "system", "content": self.prompt}]
        note = f"[{_short(observation['brief']) if self.brief == 'names' else observation['brief']}]"
        dialogue = list(observation["dialogue"])
        if dialogue and dialogue[0]["speaker"] != AGENT:
            note += f"\n\n{dialogue.pop(0)['text']}"
        chat.append({"role": "user", "content": note})
        for turn in dialogue:
            chat.append(
                {"role": "assistant" if turn["speaker"] == AGENT else "user", "content": turn["text"]}
            )
        return tuple(chat)

    def _choose(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        requests = []
        for observation, seed in zip(observations, seeds, strict=True):
            scenario, turns = self.task.menu(observation["brief"], observation["dialogue"])
            rng = stream(seed, "words")
            said = {turn["text"] for turn in observation["dialogue"] if turn["speaker"] == AGENT}
            texts = dict.fromkeys(self.task.language.say(acts, scenario, rng) for acts in turns)
            texts = {text: None for text in texts if text not in said} or texts
            requests.append(ChoiceRequest(self.messages(observation), tuple(texts), self.temperature, seed))
        choices = self.model.choose(requests)
        self._used = sum((choice.usage for choice in choices), self._used)
        return [request.candidates[choice.index] for request, choice in zip(requests, choices, strict=True)]

    def _write(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        requests = [
            ChatRequest(self.messages(observation), 60, self.temperature, stop=("\n",), seed=seed)
            for observation, seed in zip(observations, seeds, strict=True)
        ]
        replies = self.model.complete(requests)
        self._used = sum((reply.usage for reply in replies), self._used)
        return [reply.text for reply in replies]


def _one_of(what: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise UsageError(f"prompted agent: {what} must be one of {', '.join(known)}, not '{value}'.")
    return value


def _task(task: Any) -> Any:
    if task is not None and not isinstance(task, str):
        return task
    from dialog_envs.registration import get_task

    return get_task(task or DEFAULT_TASK)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(f"cannot read the prompt '{path}': {error.strerror}.") from error


def _short(brief: str) -> str:
    """The brief with each line of its list cut at the colon, on one line."""
    lines = brief.splitlines()
    names = [line[2:].partition(": ")[0] for line in lines if line.startswith("- ")]
    return " ".join([*(line for line in lines if not line.startswith("- ")), "; ".join(names)]).strip()
