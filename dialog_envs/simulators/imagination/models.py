"""The models that take part in making a dataset, and which of them gets a request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from dialog_envs.errors import BudgetExceeded
from dialog_envs.simulators.llm import ChatModel, ChatReply, Choice, Request, Result, get_chat_model
from dialog_envs.simulators.llm.calls import ChatModelBase, ended

AT_ONCE, LOCAL_BATCH = 128, 8
"""Dialogues in the making at the same moment: with servers (twice the requests that are in flight by default, so that
the next ones wait while replies are read), and where a model computes in this process."""


@dataclass(frozen=True)
class Models:
    """Who is asked.

    Attributes:
        imaginer: proposes people and writes dialogues.
        critic: judges and revises.
        speakers: policy → the model behind it, of those that hand their requests over.
        user: plays the user in rollouts.
        given: the same models as they were given, before their replies were recorded.
    """

    imaginer: ChatModel | None
    critic: ChatModel | None
    speakers: Mapping[str, ChatModel] = field(default_factory=dict)
    given: tuple[ChatModel, ...] = ()
    user: ChatModel | None = None

    @classmethod
    def of(
        cls, mode: str, imaginer: str | ChatModel | None, critic: str | ChatModel | None, critique: bool,
        speakers: Mapping[str, Any], user: ChatModel | None = None,
    ) -> Models:  # fmt: skip
        """Models by name or as they are; in mode ``imagine`` the imaginer is the critic, unless another one is.

        The embedded model is none unless it is named: its verdicts are little better than chance."""
        first = get_chat_model(imaginer) if isinstance(imaginer, str) else imaginer
        second = get_chat_model(critic) if isinstance(critic, str) else critic
        if second is None and mode == "imagine" and first is not None and first.name != "embedded":
            second = first
        if not critique:
            second = None
        behind = {name: one.model for name, one in speakers.items() if hasattr(one, "asking")}
        found = (first, second, user, *behind.values())
        return cls(first, second, behind, tuple(one for one in found if one is not None), user)

    @property
    def any(self) -> bool:
        """Whether any model is asked."""
        return bool(self.given)

    @property
    def at_once(self) -> int:
        """How many dialogues are in the making at the same moment."""
        from dialog_envs.simulators.llm.calls import LocalModel

        local = [one for one in self.given if isinstance(_inner(one), LocalModel)]
        if local:
            return max(LOCAL_BATCH, *(int(getattr(_inner(one), "batch_size", 0)) for one in local), 0)
        return AT_ONCE

    def version(self, which: str) -> str | None:
        """The version of the imaginer or the critic."""
        model = getattr(self, which)
        return None if model is None else str(model.version)

    def name(self, which: str) -> str | None:
        """The name of the imaginer or the critic."""
        model = getattr(self, which)
        return None if model is None else str(model.name)

    def small(self, which: str) -> bool:
        """Whether it is the embedded model, which needs simpler words."""
        return self.name(which) == "embedded"

    def wrapped(self, record: Callable[[ChatModel], ChatModel]) -> Models:
        """The same, each with what ``record`` puts around it."""
        there = (self.imaginer, self.critic, self.user, *self.speakers.values())
        wrapped = {
            key: record(one) for key, one in {id(one): one for one in there if one is not None}.items()
        }

        def of(one: ChatModel | None) -> ChatModel | None:
            return None if one is None else wrapped[id(one)]

        speakers = {name: wrapped[id(one)] for name, one in self.speakers.items()}
        return replace(
            self, imaginer=of(self.imaginer), critic=of(self.critic), user=of(self.user), speakers=speakers
        )

    def router(self) -> ChatModel | None:
        """All of them as one model; ``None`` where there is none."""
        if not self.given:
            return None
        every = (self.imaginer, self.critic, self.user, *self.speakers.values())
        there = [one for one in every if one is not None]
        if len({id(one) for one in there}) == 1:
            return there[0]
        return Router(self)


class Till:
    """Money that calls may cost.

    Args:
        limit: US dollars.
        spent: what earlier parts of the same work have cost.
    """

    def __init__(self, limit: float, spent: float) -> None:
        self.limit, self.spent = limit, spent
        self._lock = threading.Lock()

    def add(self, cost_usd: float) -> None:
        """Count a call."""
        with self._lock:
            self.spent += cost_usd

    def refusal(self) -> BudgetExceeded | None:
        """Why no other call may be made, if so."""
        if self.spent < self.limit:
            return None
        return BudgetExceeded(
            f"model calls have cost ${self.spent:.4f} of the ${self.limit:g} that they may. What is done is kept: run "
            "the same command with a larger --max-cost to go on."
        )


class Limited(ChatModelBase):
    """A model that is asked as long as there is money. This goes by what replies say that they cost, for models that
    know of no budget; those that do stop before it is spent.

    Args:
        inner: who answers.
        till: where the money is counted; other models may share it.
    """

    def __init__(self, inner: ChatModel, till: Till) -> None:
        self._inner, self._till = inner, till

    @property
    def name(self) -> str:
        """The inner model's."""
        return self._inner.name

    @property
    def version(self) -> str:
        """The inner model's."""
        return self._inner.version

    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        """How each request ends, as long as there is money."""
        refusal = self._till.refusal()
        if refusal is not None:
            yield from ((index, refusal) for index in range(len(requests)))
            return
        for index, result in self._inner.each(requests):
            self._count(result)
            yield index, result

    def submit(self, request: Request) -> Future[Result] | None:
        """Start one request, if there is money."""
        refusal = self._till.refusal()
        if refusal is not None:
            return ended(refusal)
        future = self._inner.submit(request)
        if future is not None:
            future.add_done_callback(lambda done: None if done.exception() else self._count(done.result()))
        return future

    def _count(self, result: Result) -> None:
        if isinstance(result, (ChatReply, Choice)):
            self._till.add(result.usage.cost_usd)


class Router(ChatModelBase):
    """Several models as one: each request goes to the model of its role; an agent's to that of its policy.

    Args:
        models: all of them.
    """

    def __init__(self, models: Models) -> None:
        self._models = models

    @property
    def name(self) -> str:
        """All of them."""
        return " + ".join(dict.fromkeys(model.name for model in self._models.given))

    @property
    def version(self) -> str:
        """All of them."""
        return " + ".join(dict.fromkeys(model.version for model in self._models.given))

    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        """How each request ends, model by model."""
        groups: dict[int, tuple[ChatModel, list[int]]] = {}
        for index, request in enumerate(requests):
            model = self._of(request)
            groups.setdefault(id(model), (model, []))[1].append(index)
        for model, indices in groups.values():
            for number, result in model.each([requests[index] for index in indices]):
                yield indices[number], result

    def submit(self, request: Request) -> Future[Result] | None:
        """Start one request with its model."""
        return self._of(request).submit(request)

    def _of(self, request: Request) -> ChatModel:
        models = self._models
        if request.role == "agent":
            found: ChatModel | None = models.speakers.get(request.episode.partition("/")[0])
        else:
            found = {"critic": models.critic, "user": models.user}.get(request.role, models.imaginer)
        if found is None:
            raise LookupError(f"nobody answers requests of the role {request.role!r}")
        return found


def _inner(model: Any) -> Any:
    """The model behind a recording."""
    inner = getattr(model, "_inner", None)
    return model if inner is None else _inner(inner)
