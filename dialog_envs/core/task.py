"""A task: a hidden-parameter MDP with an explicit kernel.

A task is data and pure functions: a persona prior, scenarios, a kernel at the level of acts, and a language that
joins acts to text. The environment, the simulated users, the imagination engine and the agents all use a task
through this one interface, so that a new task is one new package and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from dialog_envs.core.belief import EnumeratedBelief, belief_trace
from dialog_envs.core.brief import TaskBrief
from dialog_envs.core.dialogue import Act, Observation, Turn, TurnView
from dialog_envs.core.outcome import Outcome
from dialog_envs.core.persona import Persona, PersonaPrior

Coin = Callable[[float], bool]
"""``coin(p)`` is true with probability ``p``: the only source of chance that a kernel may use."""


class Scenario(Protocol):
    """The public context of an episode."""

    @property
    def brief(self) -> str:
        """The context in words, as the agent reads it."""

    def to_json(self) -> dict[str, Any]:
        """The scenario as plain JSON."""


Z = TypeVar("Z", bound=Persona)
C = TypeVar("C", bound=Scenario)
S = TypeVar("S")


class Kernel(Generic[Z, C, S]):
    """User dynamics at the level of acts: ``P(user acts, next state | state, agent acts, z)``.

    A kernel is one function, :meth:`respond`, whose only randomness is the coin that it is given. Sampling it
    (:meth:`step`) and enumerating it (:meth:`distribution`) are therefore the same code.
    """

    def start(self, scenario: C, persona: Z) -> S:
        """The state before the first agent turn."""
        raise NotImplementedError

    def respond(
        self, state: S, agent_acts: tuple[Act, ...], coin: Coin
    ) -> tuple[tuple[Act, ...], S, str | None]:
        """The user's acts, the next state, and who ended the episode (``None``: it goes on). Pure but for ``coin``."""
        raise NotImplementedError

    def step(
        self, state: S, agent_acts: tuple[Act, ...], rng: np.random.Generator
    ) -> tuple[tuple[Act, ...], S, str | None]:
        """Sample a response."""
        random = rng.random
        return self.respond(state, agent_acts, lambda p: bool(random() < p))

    def distribution(
        self, state: S, agent_acts: tuple[Act, ...]
    ) -> list[tuple[float, tuple[Act, ...], S, str | None]]:
        """Every possible response with its probability, by running :meth:`respond` on every sequence of coins."""
        results: list[tuple[float, tuple[Act, ...], S, str | None]] = []
        open_prefixes: list[tuple[bool, ...]] = [()]
        while open_prefixes:
            prefix = open_prefixes.pop()
            tosses: list[bool] = []
            probability = 1.0

            def coin(p: float, prefix: tuple[bool, ...] = prefix, tosses: list[bool] = tosses) -> bool:
                nonlocal probability
                side = prefix[len(tosses)] if len(tosses) < len(prefix) else p > 0.0
                if len(tosses) >= len(prefix) and 0.0 < p < 1.0:
                    open_prefixes.append((*tosses, False))
                tosses.append(side)
                probability *= p if side else 1.0 - p
                return side

            acts, after, ended_by = self.respond(state, agent_acts, coin)
            results.append((probability, acts, after, ended_by))
        return results


class Language(Protocol):
    """Joins acts to words, in both directions and for both speakers."""

    def understand(self, text: str, scenario: Any, dialogue: Sequence[TurnView]) -> tuple[Act, ...]:
        """Agent text → agent acts. Any text, by anybody; never raises."""

    def read(self, text: str, scenario: Any, dialogue: Sequence[TurnView]) -> tuple[Act, ...]:
        """User text → user acts, as an agent would that sees only the text."""

    def phrase(
        self,
        acts: tuple[Act, ...],
        persona: Any,
        scenario: Any,
        rng: np.random.Generator,
        dialogue: Sequence[TurnView],
    ) -> str:
        """User acts and the persona's manner → user text."""

    def opening(self, persona: Any, scenario: Any, rng: np.random.Generator) -> str:
        """The user's first sentence, which tells nothing that is hidden."""

    def say(self, acts: tuple[Act, ...], scenario: Any, rng: np.random.Generator) -> str:
        """Agent acts → agent text, for scripted policies."""


class Policy(Protocol):
    """A scripted agent at the level of acts. It sees only what an agent sees: the brief and the words."""

    def start(self, brief: str, rng: np.random.Generator) -> None:
        """Begin an episode."""

    def acts(self, observation: Observation) -> tuple[Act, ...]:
        """What to do now; :meth:`Language.say` finds the words."""


class AgentView(Protocol):
    """How a small learned agent reads and writes a dialogue of this task.

    Before every agent turn stands a *note*: what can be computed from the brief and the text so far, as in
    SimpleTOD (Hosseini-Asl et al., 2020), whose language model reads database results. Agent texts are
    delexicalised (Wen et al., 2015): a name becomes its rank in the note. Nothing hidden enters.
    """

    special_tokens: tuple[str, ...]

    def segments(self, brief: str, dialogue: Sequence[TurnView]) -> list[tuple[str, str]]:
        """``[(role, text), …]``, roles ``note``, ``user``, ``agent``; a note ends it unless the agent spoke last."""

    def realise(self, text: str, brief: str, dialogue: Sequence[TurnView]) -> str:
        """What an agent wrote in this view → what the user will read."""


@dataclass(frozen=True, slots=True)
class ActRoles:
    """What a task's acts are for, so that code that knows no task can judge a dialogue by its acts.

    Attributes:
        discloses: user acts that tell something about the persona because of what the agent did, each with the
            field of the act that says about what: ``slot`` or ``item``.
        volunteers: the same for acts that tell it unasked.
        drawn_by: kinds of ``discloses`` that come unasked, too, each with the agent acts that draw them out:
            ``propose``, ``ask(open)`` (of that slot), ``ask(=)`` (of the very slot or item that is told of). Told after
            an agent turn with none of these, the thing was volunteered.
        accepts: user acts that end a talk as ``"accept"``.
        leaves: user acts that end it as ``"leave"``.
        moves: agent acts whose effect on the user can be learned from.
        asks: agent acts that find something out about the user, and do nothing else.
        lost: agent acts that say nothing a user can answer.
    """

    discloses: Mapping[str, str] = field(
        default_factory=lambda: {"answer": "slot", "change": "slot", "reject": "slot"}
    )
    volunteers: Mapping[str, str] = field(default_factory=lambda: {"volunteer": "slot"})
    drawn_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    accepts: frozenset[str] = frozenset(("accept",))
    leaves: frozenset[str] = frozenset(("leave",))
    moves: frozenset[str] = frozenset(("ask", "suggest"))
    asks: frozenset[str] = frozenset(("ask",))
    lost: frozenset[str] = frozenset(("unknown", "refuse"))

    def subject(self, act: Act) -> str | None:
        """What an act tells about: a slot or an item; ``None`` if it tells nothing."""
        name = self.discloses.get(act.kind) or self.volunteers.get(act.kind)
        return getattr(act, name) if name else None

    def unasked(self, act: Act, agent_acts: Sequence[Act] = ()) -> bool:
        """Whether an act that tells something comes unasked.

        Args:
            act: of the user; :meth:`subject` says what it tells about.
            agent_acts: of the agent's turn before it.
        """
        if act.kind in self.volunteers:
            return True
        ways = self.drawn_by.get(act.kind)
        if ways is None:
            return False
        subject = self.subject(act)
        return not any(_draws(way, other, subject) for way in ways for other in agent_acts)


def _draws(way: str, act: Act, subject: str | None) -> bool:
    """Whether an agent act is of a form of ``ActRoles.drawn_by``."""
    kind, _, inside = way.rstrip(")").partition("(")
    if act.kind != kind:
        return False
    return not inside or (subject if inside == "=" else inside) in (act.slot, act.item)


class Task(Generic[Z, C, S]):
    """Everything that defines a task. See the module's text.

    Attributes:
        id: Gymnasium id, for example ``"PreferenceElicitation-v0"``.
        version: changes whenever an episode's distribution changes.
        max_turns: most agent turns of an episode; then it is truncated.
        policies: scripted policies by name, good and bad; ``random``, ``heuristic``, ``information-gain`` and
            ``oracle`` (which has ``reveal(persona, scenario)``) are among them.
        behaviour_mixture: shares of the suboptimal policies that datasets are rolled out with.
        act_roles: which acts tell, accept, leave and so on.
        task_brief: the task in words, which every prompt for a language model is made from.
    """

    id: str
    version: str
    max_turns: int
    prior: PersonaPrior[Z]
    kernel: Kernel[Z, C, S]
    language: Language
    view: AgentView
    policies: Mapping[str, Callable[[], Policy]]
    behaviour_mixture: Mapping[str, float]
    description: str
    task_brief: TaskBrief
    act_roles: ActRoles = ActRoles()

    def sample_scenario(self, rng: np.random.Generator) -> C:
        """Draw the public context of an episode."""
        raise NotImplementedError

    def read_brief(self, brief: str) -> C:
        """The scenario that a brief describes. Raises :class:`dialog_envs.errors.UsageError` for another text."""
        raise NotImplementedError

    def persona_from_json(self, data: Mapping[str, Any]) -> Z:
        """Inverse of the persona's ``to_json``. Raises :class:`dialog_envs.errors.UsageError` for nonsense."""
        raise NotImplementedError

    def scenario_from_json(self, data: Mapping[str, Any]) -> C:
        """Inverse of the scenario's ``to_json``. Raises :class:`dialog_envs.errors.UsageError` for nonsense."""
        raise NotImplementedError

    def score(self, persona: Z, scenario: C, turns: Sequence[Turn], ended_by: str) -> Outcome:
        """The outcome: a pure function of persona and trace."""
        raise NotImplementedError

    def belief_trace(self, scenario: C, turns: Sequence[Turn]) -> list[dict[str, Any]]:
        """Exact posterior over the persona before the first and after each user turn, summarised.

        One dict a step: ``{"entropy_bits": float, "marginals": {factor: {value: probability}}}``. This enumerates the
        prior's support; a task with many personas brings a faster one.
        """
        return belief_trace(EnumeratedBelief(self, scenario), turns)

    def menu(self, brief: str, dialogue: Sequence[TurnView]) -> tuple[C, list[tuple[Act, ...]]]:
        """The scenario, and the turns that an agent may choose from now, each as acts for :meth:`Language.say`.

        Made from the text alone; about fourteen turns at most, so that a small language model can weigh them.
        """
        raise NotImplementedError

    def persona_card(self, persona: Z) -> list[tuple[str, str]]:
        """The persona in words, as ``(heading, text)`` pairs, for a person to read."""
        return [(name.replace("_", " "), str(value)) for name, value in persona.to_json().items()]
