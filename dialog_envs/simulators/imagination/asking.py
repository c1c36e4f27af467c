"""Many things in the making at once, each a generator of requests to a model.

A step of the engine is written as if it were alone: it yields the requests that it needs next and is sent their
replies. :func:`drive` runs any number of such generators together, so that the requests of all dialogues are in flight
at the same moment (a server) or computed as one batch (a local model), and counts what each of them used.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeAlias, TypeVar

from dialog_envs.core.seeding import derive
from dialog_envs.errors import DialogEnvsError
from dialog_envs.simulators.llm import ChatModel, ChatReply, ChatRequest, Choice, InFlight, Request
from dialog_envs.simulators.llm.calls import FAILURES
from dialog_envs.simulators.llm.schema import NotTheSchema, parse
from dialog_envs.simulators.llm.structured import UnusableReply, appended

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
Reply: TypeAlias = ChatReply | Choice
Asking: TypeAlias = Generator[tuple[Request, ...], tuple[Reply, ...], T]
"""Yields requests that can be answered side by side, is sent their replies in that order, returns what came of it. A
request that fails is thrown into it."""
TEXT_KEPT = 2_000
"""Characters that are kept of a reply that was thrown away."""


class Unusable(ValueError):
    """A reply cannot be used. The message tells the model, and the report, why."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A reply that was thrown away.

    Attributes:
        step: ``reason``, ``map``, ``imagine``, ``critique`` or ``revise``.
        problem: what was wrong with it.
        text: the reply, or its beginning.
    """

    step: str
    problem: str
    text: str

    def to_json(self) -> dict[str, str]:
        """By name."""
        return {"step": self.step, "problem": self.problem, "text": self.text}


class GivenUp(DialogEnvsError):
    """No reply could be used, as often as it was asked for. What was thrown away is noted elsewhere."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What calls took: how many, tokens read and written, US dollars."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.calls + other.calls,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.cost_usd + other.cost_usd,
        )

    def to_json(self) -> dict[str, float]:
        """By name; money to a hundred-millionth."""
        return {
            "calls": self.calls,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "cost_usd": round(self.cost_usd, 8),
        }


def add_up(parts: Iterable[Mapping[str, Spent]]) -> dict[str, Spent]:
    """Sums by role."""
    found: dict[str, Spent] = {}
    for part in parts:
        for role, spent in part.items():
            found[role] = found.get(role, Spent()) + spent
    return dict(sorted(found.items()))


def until_usable(
    request: ChatRequest,
    read: Callable[[ChatReply], T],
    again: Callable[[str], str],
    step: str,
    attempts: int,
    rejected: list[Rejected],
) -> Asking[T]:
    """Ask until ``read`` accepts the reply, each time with what was wrong with the last one.

    Args:
        request: what is asked.
        read: takes the reply apart; raises :class:`Unusable`.
        again: what is wrong → the words in which the model is told; nothing: it is only asked once more.
        step: for what is put on record.
        attempts: how often it is asked for, the first time included.
        rejected: takes what was thrown away.

    Raises:
        GivenUp: no reply could be used.
    """
    asked, wrong = request, ""
    for attempt in range(attempts):
        text = ""
        try:
            (reply,) = yield (asked,)
            assert isinstance(reply, ChatReply)
            text = reply.text
            if reply.finish_reason == "content_filter":
                raise Unusable("a content filter took it away")
            return read(reply)
        except (Unusable, UnusableReply) as error:
            wrong = str(error)
            rejected.append(Rejected(step, wrong, text[:TEXT_KEPT]))
            told = again(wrong)
            messages = appended(request.messages, told)
            seed = derive(request.seed, "again", attempt)
            asked = replace(request, messages=messages, seed=seed, trial=attempt + 1)
    raise GivenUp(f"no reply could be used in {attempts} attempts at '{step}'; the last one: {wrong}")


def form(reply: ChatReply, schema: Mapping[str, Any]) -> Any:
    """The value of a structured reply; read from its text where the model did not check it itself.

    Raises:
        Unusable: it is none of the schema.
    """
    if reply.data is not None:
        return reply.data
    try:
        return parse(reply.text, schema)
    except NotTheSchema as error:
        raise Unusable(str(error)) from None


@dataclass(frozen=True, slots=True)
class Ended(Generic[K, T]):
    """How one of them ended.

    Attributes:
        key: the caller's.
        result: what it returned, unless it failed.
        error: why it failed.
        usage: what it used, by role.
    """

    key: K
    result: T | None
    error: DialogEnvsError | None
    usage: Mapping[str, Spent]


@dataclass(slots=True)
class _Open(Generic[T]):
    asking: Asking[T]
    requests: tuple[Request, ...] = ()
    replies: list[Reply | None] = field(default_factory=list)
    waiting: int = 0
    failure: DialogEnvsError | None = None
    usage: dict[str, Spent] = field(default_factory=dict)


def drive(
    model: ChatModel | None, jobs: Iterable[tuple[K, Asking[T]]], at_once: int
) -> Iterator[Ended[K, T]]:
    """Run them all, ``at_once`` at the same moment, and hand each over as it ends.

    Args:
        model: who is asked; ``None`` where nobody asks anything.
        jobs: under keys of the caller's; taken as there is room.
        at_once: how many are open at the same moment.
    """
    flight: InFlight[tuple[K, int]] | None = None if model is None else InFlight(model)
    open_jobs: dict[K, _Open[T]] = {}
    queue, left = iter(jobs), True

    def go_on(key: K) -> Ended[K, T] | None:
        job = open_jobs[key]
        try:
            if job.failure is not None:
                failure, job.failure = job.failure, None
                requests = job.asking.throw(failure)
            elif not job.requests:
                requests = next(job.asking)
            else:
                requests = job.asking.send(tuple(reply for reply in job.replies if reply is not None))
        except StopIteration as stop:
            del open_jobs[key]
            return Ended(key, stop.value, None, job.usage)
        except DialogEnvsError as error:
            del open_jobs[key]
            return Ended(key, None, error, job.usage)
        job.requests, job.replies, job.waiting = requests, [None] * len(requests), len(requests)
        assert flight is not None
        for place, request in enumerate(requests):
            flight.ask((key, place), request)
        return None

    while True:
        while left and len(open_jobs) < at_once:
            one = next(queue, None)
            if one is None:
                left = False
                break
            open_jobs[one[0]] = _Open(one[1])
            if (ended := go_on(one[0])) is not None:
                yield ended
        if not open_jobs:
            return
        assert flight is not None
        (key, place), result = flight.wait()
        job = open_jobs[key]
        job.waiting -= 1
        if isinstance(result, FAILURES):
            job.failure = job.failure or result
        else:
            role, usage = job.requests[place].role, result.usage
            spent = Spent(1, usage.tokens_in, usage.tokens_out, usage.cost_usd)
            job.usage[role] = job.usage.get(role, Spent()) + spent
            job.replies[place] = result
        if job.waiting == 0 and (ended := go_on(key)) is not None:
            yield ended
