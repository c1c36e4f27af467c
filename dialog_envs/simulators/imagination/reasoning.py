"""Reason: from a task's words to the people that dialogues are imagined of (arXiv 2311.05584, section 4.1).

The model proposes kinds of people in words. Each proposal is then written down in the terms of the task's persona space
(:mod:`dialog_envs.simulators.imagination.space`), and checked by the task: a persona that cannot occur, one that is
there already, or one of a held-out family is no part of the cast, but is kept with the reason. Families that training
may see get the same number of people; those that lack some are asked for again, by their manner.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dialog_envs.core.seeding import derive, stream
from dialog_envs.core.task import Task
from dialog_envs.errors import SimulatorError
from dialog_envs.simulators.imagination.asking import (
    Asking,
    GivenUp,
    Rejected,
    Spent,
    Unusable,
    add_up,
    drive,
    form,
    until_usable,
)
from dialog_envs.simulators.imagination.imagining import against
from dialog_envs.simulators.imagination.prompting import Prompts, manner, persona_text
from dialog_envs.simulators.imagination.space import FAMILY, NONE, PersonaSpace, persona_space
from dialog_envs.simulators.llm import ChatModel, ChatReply, ChatRequest, Message

AT_A_TIME = 8
"""Most people proposed in one reply. A small model proposes one."""
ROUNDS = 4
"""How often families that lack people are asked for again."""
EXAMPLES = 3
SHORTEST, LONGEST = 12, 800
"""Characters of what is said of somebody. Checked here: not every server takes lengths in a schema."""
_NAME = {"type": "string", "description": "a short name for this kind of person"}
_WHO = {
    "type": "string",
    "description": "who they are, how they talk, and what of the hidden things is true of them, in two sentences",
}
_PROPOSAL = {
    "type": "object",
    "properties": {"name": _NAME, "who": _WHO},
    "required": ["name", "who"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """Somebody who was proposed, and what became of them.

    Attributes:
        name, who: the model's words.
        asked: the family whose manner was asked for, if any.
        persona: as the task's JSON, if they could be mapped.
        family: the persona's.
        problem: why they are no part of the cast; empty if they are.
    """

    name: str
    who: str
    asked: str = ""
    persona: Mapping[str, Any] | None = None
    family: str = ""
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """By name."""
        return {
            "name": self.name, "who": self.who, "asked": self.asked, "family": self.family, "persona": self.persona,
            "problem": self.problem,
        }  # fmt: skip


@dataclass(frozen=True)
class Reasoned:
    """What reasoning came to.

    Attributes:
        wanted: how many people were asked for.
        proposals: everybody who was proposed, in order; the cast are those without a problem.
        rejected: replies that were thrown away.
        usage: what it took, by role.
    """

    wanted: int
    proposals: tuple[Proposal, ...]
    rejected: tuple[Rejected, ...] = ()
    usage: Mapping[str, Spent] = field(default_factory=dict)

    @property
    def cast(self) -> tuple[Proposal, ...]:
        """The people that dialogues are imagined of."""
        return tuple(one for one in self.proposals if not one.problem)

    def facts(self) -> dict[str, Any]:
        """For the manifest and the card."""
        problems = Counter(_kind(one.problem) for one in self.proposals if one.problem)
        return {
            "wanted": self.wanted,
            "proposed": len(self.proposals),
            "used": len(self.cast),
            "families": dict(sorted(Counter(one.family for one in self.cast).items())),
            "not_used": dict(problems.most_common()),
            "rejected_replies": len(self.rejected),
        }


def _kind(problem: str) -> str:
    return problem.partition(":")[0]


class Reasoning:
    """The step, for one task.

    Args:
        task: whose people are wanted.
        model: who proposes and maps.
        prompts: what it is told.
        families: typical families that may occur.
        seed: of everything.
        attempts: how often a reply is asked for.
        at_once: requests in flight.
        small: the model is the embedded one.
    """

    def __init__(
        self,
        task: Task[Any, Any, Any],
        model: ChatModel,
        prompts: Prompts,
        families: Sequence[str],
        seed: int,
        attempts: int = 4,
        at_once: int = 16,
        small: bool = False,
    ) -> None:
        self._task, self._model, self._prompts = task, model, prompts
        self._families, self._seed, self._attempts, self._at_once = tuple(families), seed, attempts, at_once
        self._small = small
        self._space: PersonaSpace = persona_space(task)
        rng = stream(seed, "reason", "examples")
        self._shown = [task.prior.sample(rng, name) for name in (*self._families, *self._families)]
        self._rejected: list[Rejected] = []
        self._usage: list[Mapping[str, Spent]] = []

    def people(self, wanted: int, progress: Callable[[int, int], None] | None = None) -> Reasoned:
        """``wanted`` different personas, as many of each family as of any other, or fewer where the model has no more.

        Raises:
            SimulatorError: the model failed, or nobody whom it proposed could be mapped.
            BudgetExceeded: there was no money left.
        """
        found: list[Proposal] = []
        for number in range(1 + ROUNDS):
            there = _sizes(found)
            lacking = {
                name: n - there[name]
                for name, n in _quota(wanted, self._families, there).items()
                if there[name] < n
            }
            if not lacking:
                break
            # At first anybody may come; afterwards those who are missing are asked for by their manner.
            orders = {"": sum(lacking.values())} if number == 0 else lacking
            fresh = [
                one for name, count in orders.items() for one in self._propose(name, count, number, found)
            ]
            for one in self._map(fresh, len(found)):
                found.append(self._admitted(one, found, wanted))
                if progress is not None:
                    progress(sum(not other.problem for other in found), wanted)
        if not any(not one.problem for one in found):
            reasons = ", ".join(dict.fromkeys(one.problem for one in found)) or "no reply could be used"
            raise SimulatorError(
                f"{self._model.name} proposed nobody for {self._task.id} who could be used ({reasons:.300}). Use a "
                "stronger model, or draw the personas from the task's prior with --personas 0."
            )
        return Reasoned(wanted, tuple(found), tuple(self._rejected), add_up(self._usage))

    # ---- in words ----------------------------------------------------------------------------------------------------

    def _propose(self, family: str, count: int, number: int, found: Sequence[Proposal]) -> list[Proposal]:
        """``count`` proposals; each request is told of those before, so that they differ."""
        fresh: list[Proposal] = []
        most = 1 if self._small else AT_A_TIME
        for place in range(0, count, most):
            size = min(most, count - place)
            thrown: list[Rejected] = []
            asking = self._proposals(family, size, (number, place), [*found, *fresh], thrown)
            (rows,) = self._run([asking], [thrown])
            fresh += [Proposal(row["name"], row["who"], family) for row in rows or ()]
        return fresh

    def _proposals(
        self,
        family: str,
        count: int,
        where: tuple[int, int],
        taken: Sequence[Proposal],
        thrown: list[Rejected],
    ) -> Asking[list[dict[str, str]]]:
        schema = _PROPOSAL if self._small else _people(count)
        shown = [one for one in self._shown if not family or one.family == family]
        like = manner(self._task, shown[0]) if family else ""
        names = [one.name for one in taken]
        text = self._prompts.fill(
            "reason",
            self._task.task_brief,
            count=str(count),
            examples="\n\n".join(persona_text(self._task, one) for one in shown[:EXAMPLES]),
            manner=self._prompts.fill("reason_manner", self._task.task_brief, manner=like) if like else "",
            taken="; ".join(names[-12:] if self._small else names) or "nobody",
        )
        seed = derive(self._seed, "reason", family, *where)
        request = self._request(
            text, schema, seed, 0.7 if self._small else 1.0, 150 if self._small else 200 + 150 * count
        )

        def read(reply: ChatReply) -> list[dict[str, str]]:
            data = form(reply, schema)
            rows: list[dict[str, str]] = [data] if self._small else data["people"]
            for row in rows:
                if not row["name"].strip() or not SHORTEST <= len(row["who"].strip()) <= LONGEST:
                    raise Unusable("somebody has no name, or is not described in two sentences")
            return rows

        return (yield from self._asked(request, read, "reason", [], thrown))

    # ---- in the task's terms -----------------------------------------------------------------------------------------

    def _map(self, proposals: Sequence[Proposal], offset: int) -> Iterator[Proposal]:
        """The proposals with their personas, in order."""
        thrown: list[list[Rejected]] = [[] for _ in proposals]
        askings = [self._mapped(one, offset + number, thrown[number]) for number, one in enumerate(proposals)]
        yield from self._run(askings, thrown)

    def _mapped(self, proposal: Proposal, number: int, thrown: list[Rejected]) -> Asking[Proposal]:
        space, task = self._space, self._task
        examples = "\n\n".join(
            f"{json.dumps(space.flat(one), ensure_ascii=False)}\n{persona_text(task, one)}"
            for one in self._shown[: 1 if self._small else len(self._families)]
        )
        text = self._prompts.fill(
            "map", task.task_brief, person=proposal.name, who=proposal.who, examples=examples, terms=space.terms(),
            none=NONE, family=FAMILY,
        )  # fmt: skip
        schema = space.schema()
        if self._families != task.prior.typical or self._small:
            names = [*self._families] if self._small else [*self._families, NONE]
            schema["properties"][FAMILY] = {"enum": names}
        seed = derive(self._seed, "map", number)
        request = self._request(text, schema, seed, 0.7 if self._small else 0.0, 400)

        def read(reply: ChatReply) -> Proposal:
            filled = form(reply, schema)
            if filled[FAMILY] == NONE:
                return replace(proposal, problem="not mapped: none of the typical families")
            persona = space.persona(filled)
            return replace(proposal, persona=persona.to_json(), family=persona.family)

        lost = replace(proposal, problem="not mapped: no reply gave a persona that can occur")
        return (yield from self._asked(request, read, "map", lost, thrown))

    def _admitted(self, one: Proposal, found: Sequence[Proposal], wanted: int) -> Proposal:
        """The proposal, or why it is no part of the cast."""
        if one.problem:
            return one
        there = _sizes(found)
        if any(other.persona == one.persona for other in found if not other.problem):
            return replace(one, problem="the same persona as another one")
        if one.family not in self._families or not _room(wanted, self._families, there, one.family):
            return replace(one, problem="its family has enough people")
        return one

    # ---- asking ------------------------------------------------------------------------------------------------------

    def _request(
        self, text: str, schema: Mapping[str, Any], seed: int, temperature: float, tokens: int
    ) -> ChatRequest:
        message: Message = {"role": "user", "content": text}
        return ChatRequest(
            (message,), tokens, temperature, seed=seed, schema=schema, role="imagination", episode="reason"
        )

    def _asked(
        self,
        request: ChatRequest,
        read: Callable[[ChatReply], Any],
        step: str,
        otherwise: Any,
        thrown: list[Rejected],
    ) -> Asking[Any]:
        again = against(self._prompts, self._task.task_brief, self._small)
        try:
            return (yield from until_usable(request, read, again, step, self._attempts, thrown))
        except GivenUp:
            return otherwise

    def _run(self, askings: Sequence[Asking[Any]], thrown: Sequence[list[Rejected]]) -> list[Any]:
        """What each of them came to, in order; what they used, and what they threw away, is noted in that order.

        Raises:
            DialogEnvsError: the first failure that is no matter of a reply.
        """
        ended = {one.key: one for one in drive(self._model, enumerate(askings), self._at_once)}
        found: list[Any] = []
        for number, rows in enumerate(thrown):
            if (error := ended[number].error) is not None:
                raise error
            self._usage.append(ended[number].usage)
            self._rejected += rows
            found.append(ended[number].result)
        return found


def _people(count: int) -> dict[str, Any]:
    people = {"type": "array", "items": _PROPOSAL, "minItems": 1, "maxItems": count}
    return {
        "type": "object",
        "properties": {"people": people},
        "required": ["people"],
        "additionalProperties": False,
    }


def _sizes(found: Sequence[Proposal]) -> Counter[str]:
    """People of each family in the cast."""
    return Counter(one.family for one in found if not one.problem)


def _quota(wanted: int, families: Sequence[str], there: Mapping[str, int]) -> dict[str, int]:
    """People of each family: the same number, and one more of those that have most, where it does not come out even."""
    fullest = sorted(families, key=lambda name: -there.get(name, 0))[: wanted % len(families)]
    even = wanted // len(families)
    return {name: even + (name in fullest) for name in families}


def _room(wanted: int, families: Sequence[str], there: Mapping[str, int], family: str) -> bool:
    """Whether another one of a family leaves the families even."""
    even, over = wanted // len(families), wanted % len(families)
    ahead = sum(there.get(name, 0) > even for name in families)
    size = there.get(family, 0)
    return size < even or (size == even and ahead < over)
