"""What users that a chat model plays have in common: marks, requests, usage, and replies of many users at once."""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections.abc import Generator, Hashable, Sequence
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

import numpy as np

from dialog_envs.core.dialogue import Act, TurnView, UserTurn
from dialog_envs.core.seeding import derive, stream
from dialog_envs.core.task import Task
from dialog_envs.errors import UsageError
from dialog_envs.simulators.llm import ChatModel, ChatReply, Choice, InFlight, Request, Usage, get_chat_model
from dialog_envs.simulators.llm.calls import FAILURES
from dialog_envs.simulators.users.prompting import Marks, fingerprint

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
IN_FLIGHT, LOCAL_BATCH = 64, 8
"""Dialogues at the same moment: with a server, and with a model in this process, whose memory of dialogues is short."""
Asking: TypeAlias = Generator[Request, ChatReply | Choice, T]
"""Something in the making: yields what it wants to know from the model, and returns what became of it."""


class ModelPlayedUser(ABC):
    """A user behind whom stands a chat model.

    Args:
        model: a chat model or its name, for example ``"openai:gpt-5-mini"``.
        attempts: how often a turn is asked for, the first time included, before the episode is given up.

    Attributes:
        nondeterministic: whether the same seed may give other words: the model is a server, or computes on a GPU.
        used: tokens and cost of this episode so far.
        notes: counts of this episode: ``calls``, ``again`` (asked again), ``leaks`` (held back), ``refused`` (ends
            that the kernel did not admit).
    """

    kind: ClassVar[str]
    prompts: ClassVar[tuple[str, ...]]

    def __init__(self, model: str | ChatModel = "embedded", attempts: int = 4) -> None:
        if attempts < 1:
            raise UsageError(f"a turn is asked for at least once, not {attempts} times.")
        self.model = shared_model(model) if isinstance(model, str) else model
        self.attempts = attempts
        self.small = self.model.name == "embedded"
        self.used = Usage()
        self.notes: dict[str, float] = {}

    @property
    def version(self) -> str:
        """Changes whenever the same seed may give another turn: simulator, prompts, model."""
        return f"{self.kind}-1 prompts:{fingerprint(*self.prompts)} model:{self.model.version}"

    @property
    def nondeterministic(self) -> bool:
        """Whether the same seed may give other words."""
        from dialog_envs.simulators.llm.replay import ReplayModel

        return not (self.small or isinstance(self.model, ReplayModel))

    def start(self, task: Task[Any, Any, Any], persona: Any, scenario: Any, rng: np.random.Generator) -> None:
        """Begin an episode."""
        self._task, self._persona, self._scenario = task, persona, scenario
        # As the scripted user draws, so that the same seed gives the same acts where the kernel chooses them.
        words = int(rng.integers(2**63))
        self._acts_rng, self._words_rng = rng, stream(words, "words")
        self._seed = derive(words, "model")
        self._marks = Marks.draw(stream(words, "marks"))
        self._turn = 0
        self.used = Usage()
        self.notes = dict.fromkeys(("calls", "again", "leaks", "refused"), 0.0)
        self._begin()

    def opening(self) -> UserTurn:
        """A greeting in the task's own words: it tells nothing, and is the same whoever plays the user."""
        text = self._task.language.opening(self._persona, self._scenario, self._words_rng)
        return UserTurn(text, (Act("greet"),))

    def reply(self, dialogue: Sequence[TurnView]) -> UserTurn:
        """Answer the agent's last turn.

        Raises:
            SimulatorError: no turn could be had that is fit to be said, or the model failed.
        """
        return self.reply_batch([self], [dialogue])[0]

    @staticmethod
    def reply_batch(
        users: Sequence[ModelPlayedUser], dialogues: Sequence[Sequence[TurnView]]
    ) -> list[UserTurn]:
        """One reply an episode, in order; their requests are in flight together.

        Raises:
            SimulatorError: the first failure, once all have ended.
        """
        ended = reply_each(users, dialogues)
        for result in ended:
            if isinstance(result, Exception):
                raise result
        return [result for result in ended if isinstance(result, UserTurn)]

    def answering(self, dialogue: Sequence[TurnView]) -> Asking[UserTurn]:
        """The turn that answers ``dialogue``, as a generator of requests."""
        self._turn += 1
        result = yield from self._answer(dialogue)
        return result

    def spent(self, usage: Usage) -> None:
        """Count a call."""
        self.used += usage
        self.notes["calls"] += 1

    @property
    def label(self) -> str:
        """The episode's name in ledgers and recordings: made from its seed, so that a replayed run has the same."""
        return f"{self._task.id}:{self._seed:016x}"

    def _request_seed(self, attempt: int) -> int:
        return derive(self._seed, "turn", self._turn, attempt)

    @abstractmethod
    def _begin(self) -> None:
        """The rest of :meth:`start`."""

    @abstractmethod
    def _answer(self, dialogue: Sequence[TurnView]) -> Asking[UserTurn]:
        """See :meth:`answering`."""


_models: weakref.WeakValueDictionary[str, ChatModel] = weakref.WeakValueDictionary()


def shared_model(spec: str) -> ChatModel:
    """The chat model of that name that other users of this process have, as long as any has it."""
    model = _models.get(spec)
    if model is None:
        model = _models[spec] = get_chat_model(spec)
    return model


class Replies(Generic[K]):
    """Replies under way, each ended by itself: whoever is done can speak to the agent, and be asked again, at once.

    All users must have the same model. Errors are handed over, not raised.
    """

    def __init__(self, model: ChatModel) -> None:
        self._flight: InFlight[K] = InFlight(model)
        self._open: dict[K, tuple[ModelPlayedUser, Asking[UserTurn]]] = {}
        self._ended: list[tuple[K, UserTurn | Exception]] = []
        self.at_once = LOCAL_BATCH if model.name == "embedded" else IN_FLIGHT

    def __bool__(self) -> bool:
        return len(self) > 0

    def __len__(self) -> int:
        """Replies asked for and not handed over."""
        return len(self._open) + len(self._ended)

    def ask(self, key: K, user: ModelPlayedUser, dialogue: Sequence[TurnView]) -> None:
        """Begin a reply."""
        self._open[key] = (user, user.answering(dialogue))
        self._go_on(key, None)

    def wait_for_some(
        self, patience: float = 0.01, first: float | None = None
    ) -> list[tuple[K, UserTurn | Exception]]:
        """The next reply that is done, and those that come within ``patience`` seconds after it; perhaps none.

        Args:
            patience: seconds for each after the first.
            first: seconds for the first; ``None`` waits until there is one.
        """
        found: list[tuple[K, UserTurn | Exception]] = []
        try:
            while self:
                found.append(self.wait(patience if found else first))
        except TimeoutError:
            pass
        return found

    def wait(self, timeout: float | None = None) -> tuple[K, UserTurn | Exception]:
        """The next reply that is done.

        Raises:
            LookupError: none is under way.
            TimeoutError: none was done within ``timeout`` seconds.
        """
        while not self._ended:
            key, result = self._flight.wait(timeout)
            user, asking = self._open[key]
            if isinstance(result, FAILURES):
                asking.close()
                self._end(key, result)
            else:
                user.spent(result.usage)
                self._go_on(key, result)
        return self._ended.pop(0)

    def _go_on(self, key: K, result: ChatReply | Choice | None) -> None:
        asking = self._open[key][1]
        try:
            request = next(asking) if result is None else asking.send(result)
        except StopIteration as stop:
            self._end(key, stop.value)
        except Exception as error:  # noqa: BLE001  (whatever a user raises ends its own episode only)
            self._end(key, error)
        else:
            self._flight.ask(key, request)

    def _end(self, key: K, result: UserTurn | Exception) -> None:
        del self._open[key]
        self._ended.append((key, result))


def reply_each(
    users: Sequence[ModelPlayedUser], dialogues: Sequence[Sequence[TurnView]]
) -> list[UserTurn | Exception]:
    """How each reply ends, in order."""
    ended: dict[int, UserTurn | Exception] = {}
    models = {id(user.model): user.model for user in users}
    for identity, model in models.items():  # one, unless somebody mixes users
        replies: Replies[int] = Replies(model)
        for number, (user, dialogue) in enumerate(zip(users, dialogues, strict=True)):
            if id(user.model) == identity:
                replies.ask(number, user, dialogue)
        while replies:
            number, result = replies.wait()
            ended[number] = result
    return [ended[number] for number in range(len(users))]
