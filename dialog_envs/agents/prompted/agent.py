"""The agent that is a chat model and a prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dialog_envs.agents.base import Answer, Usage
from dialog_envs.agents.prompted.asking import Asking, Turns
from dialog_envs.agents.prompted.gdp_zero import gdp_zero
from dialog_envs.agents.prompted.methods import chain_of_thought, clam, direct
from dialog_envs.agents.prompted.prompts import load_prompts
from dialog_envs.agents.prompted.settings import identity, make_settings, read_name, sections, shown_name
from dialog_envs.agents.prompted.speaking import Mind, Moment
from dialog_envs.core.dialogue import AGENT, Observation
from dialog_envs.core.seeding import derive
from dialog_envs.simulators.llm import ChatModel, Message, get_chat_model

__all__ = ["PromptedAgent"]

DEFAULT_TASK = "PreferenceElicitation-v0"
_WAYS: Mapping[str, Callable[[Moment], Asking[str]]] = {
    "few-shot": direct,
    "zero-shot": direct,
    "cot": chain_of_thought,
    "clam": clam,
    "gdp-zero": gdp_zero,
}


class PromptedAgent:
    """A chat model with a prompt that plays the agent, in any task, by one of several published methods.

    What it is told is made from the task's brief in words (:class:`~dialog_envs.core.brief.TaskBrief`) by prompt files
    (:mod:`dialog_envs.agents.prompted.prompts`). In mode ``"choice"`` the model chooses its utterance from the task's
    menu (:meth:`dialog_envs.core.task.Task.menu`), without what it said word for word before: the turn is always well
    formed, and its quality is all the model's. Local models draw an utterance by its own length-normalised
    probability, endpoints name its number. In mode ``"free"`` the model writes its utterance, which is said without a
    speaker's name or quotation marks around it. A reply that cannot be used is asked for again, and is an error of the
    model in the end.

    The requests of all dialogues are in flight together. The random numbers of a turn come from the episode's seed and
    the number of agent turns so far, hence an episode played alone equals the same one in a batch (for local models; a
    server answers as it likes).

    Args:
        model: a chat model or its name, for example ``"openai:gpt-5-mini"``.
        mode: ``"choice"`` or ``"free"``; by default choice for the embedded model, which is a poor writer, else free.
        task: the task that is played, or its id.
        threads: processor threads of a local model's calls; by default the model's own choice, which is one.
        settings: see :class:`~dialog_envs.agents.prompted.settings.Settings`: ``method="cot"`` and the like.

    Raises:
        UsageError: a setting has an unknown value, or a prompt cannot be used.
        ModelUnavailable: the model is not here; the message says how to get it.
    """

    read_name = staticmethod(read_name)
    identity = staticmethod(identity)
    shown_name = staticmethod(shown_name)

    def __init__(
        self,
        model: str | ChatModel = "embedded",
        mode: str | None = None,
        *,
        task: Any = None,
        threads: int | None = None,
        **settings: Any,
    ) -> None:
        given = make_settings({"mode": mode, **settings})
        prompts = load_prompts(given.prompts, given.variant)
        options = {} if threads is None else {"threads": threads}
        self.model = get_chat_model(model, **options) if isinstance(model, str) else model
        small = self.model.name == "embedded"
        self.task = _task(task)
        self.settings = given.resolved(small)
        self._mind = Mind(self.task, self.settings, prompts.for_task(self.task.task_brief), small)
        self._way = _WAYS[self.settings.method]
        used = f"prompts {prompts.variant} {prompts.digest(sections(self.settings.method))}"
        extras = [f"{name} {value}" for name, value in given.changed().items()]
        parts = (self.model.version, self.settings.method, str(self.settings.mode), *extras, used)
        self.description = ", ".join(parts)
        """For the leaderboard: the model and how it is used."""
        self._seed = 0
        self._used = Usage()

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
            ChatModelError: the model gave no usable reply, after all retries: the first such failure, once all have
                ended.
            BudgetExceeded: there was no money left for a request.
        """
        answers = self.act_each(observations, seeds)
        for answer in answers:
            if answer.error is not None:
                raise answer.error
        return [answer.text for answer in answers]

    def act_each(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[Answer]:
        """The same, each with what it used, and with its failure where it failed: that costs the others nothing."""
        turns: Turns[int] = Turns(self.model)
        for number, (observation, seed) in enumerate(zip(observations, seeds, strict=True)):
            turns.begin(number, self.asking(observation, seed))
        ended: dict[int, Answer] = {}
        while turns:
            number, answer = turns.wait()
            ended[number] = answer
            self._used = self._used + answer.usage
        return [ended[number] for number in range(len(observations))]

    def asking(self, observation: Observation, seed: int) -> Asking[str]:
        """The same turn as a generator of requests to the model, for callers that have them answered themselves."""
        return self._way(self.moment(observation, seed))

    def usage(self) -> Usage:
        """Tokens and cost since ``start``, of everything that was asked: reasoning and simulations too."""
        return self._used

    def moment(self, observation: Observation, seed: int) -> Moment:
        """The turn that is to be found now; `seed` is the episode's."""
        said = sum(turn["speaker"] == AGENT for turn in observation["dialogue"])
        turn_seed = derive(seed, "prompted", said)
        return Moment(self._mind, observation["brief"], tuple(observation["dialogue"]), seed, turn_seed)

    def messages(self, observation: Observation) -> tuple[Message, ...]:
        """The chat that the model continues: instructions, brief, and the dialogue from the agent's side."""
        return self.moment(observation, self._seed).chat


def _task(task: Any) -> Any:
    if task is not None and not isinstance(task, str):
        return task
    from dialog_envs.registration import get_task

    return get_task(task or DEFAULT_TASK)
