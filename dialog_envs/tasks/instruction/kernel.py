"""The kernel of Instruction-v0: what a student does next, at the level of acts.

A user turn reacts, in this order, to a correction, an explanation, a quiz and questions about the student; where there
is none of these, to whatever else the turn does. Learning is deterministic; coins decide only what the student lets
show. Every agent turn uses up attention; at zero the student leaves. A student that thinks it knows every idea ends
the lesson, right or wrong, unless the turn gives it something to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from dialog_envs.core.dialogue import Act
from dialog_envs.core.task import Coin, Kernel
from dialog_envs.tasks.instruction.lesson import (
    CONTENT_FROM,
    COST,
    TIRED,
    AgentTurn,
    Lesson,
    agent_turn,
    public_cost,
)
from dialog_envs.tasks.instruction.persona import InstructionPersona, project
from dialog_envs.tasks.instruction.scenario import InstructionScenario

KNOWN, UNKNOWN, MISCONCEIVED = "known", "unknown", "misconceived"
UNSETTLING = ("object", "puzzled", "show", "counter", "evade")
"""A turn in which the student does one of these does not end in contentment."""

_BEGIN = Lesson()


@dataclass(frozen=True, slots=True)
class InstructionState:
    """Where a lesson stands.

    Attributes:
        scenario: the concept.
        persona: the hidden parameter.
        status: what the student holds of each idea by now.
        believed: whether the student thinks it knows each idea.
        tried: kinds of explanation of each idea that were suitable without being the preferred one.
        used: attention used up so far, in points.
        lesson: the public record.
    """

    scenario: InstructionScenario
    persona: InstructionPersona
    status: tuple[str, ...]
    believed: tuple[bool, ...]
    tried: tuple[frozenset[str], ...]
    used: int = 0
    lesson: Lesson = _BEGIN

    @property
    def understood(self) -> bool:
        """Whether the student knows every idea."""
        return all(status == KNOWN for status in self.status)

    @property
    def satisfied(self) -> bool:
        """Whether the student thinks it knows every idea."""
        return all(self.believed)


@lru_cache(maxsize=256)
def misfit(background: str, style: str, kind: str) -> str:
    """What is wrong with a kind of explanation for somebody: ``"technical"``, ``"childish"`` or ``""``."""
    if kind == style:
        return ""
    if background == "child" and kind == "technical":
        return "technical"
    return "childish" if background == "professional" and kind == "analogy" else ""


def believes(persona: InstructionPersona, status: str) -> bool:
    """Whether somebody thinks at first that they know an idea."""
    manner = persona.manner.believes
    return manner == "over" or status == MISCONCEIVED or (manner == "honest" and status == KNOWN)


class InstructionKernel(Kernel[InstructionPersona, InstructionScenario, InstructionState]):
    """See the module's text, :data:`~dialog_envs.tasks.instruction.lesson.COST` and the page of the environment."""

    def start(self, scenario: InstructionScenario, persona: InstructionPersona) -> InstructionState:
        """Nothing said yet."""
        status = project(persona.ideas, scenario.needs)
        believed = tuple(believes(persona, each) for each in status)
        return InstructionState(scenario, persona, status, believed, (frozenset(),) * len(status))

    def respond(
        self, state: InstructionState, agent_acts: tuple[Act, ...], coin: Coin
    ) -> tuple[tuple[Act, ...], InstructionState, str | None]:
        """One user turn."""
        asked = agent_turn(agent_acts, state.scenario.items)
        turn = _Turn(state, asked, coin)
        turn.react()
        ended_by = turn.end()
        return tuple(turn.acts), turn.finish(), ended_by


class _Turn:
    """A user turn in the making: acts so far, and the state they lead to."""

    __slots__ = (
        "state",
        "turn",
        "coin",
        "manner",
        "lesson",
        "items",
        "acts",
        "status",
        "believed",
        "tried",
        "used",
    )

    def __init__(self, state: InstructionState, turn: AgentTurn, coin: Coin) -> None:
        self.state = state
        self.turn = turn
        self.coin = coin
        self.manner = state.persona.manner
        self.lesson = state.lesson
        self.items = state.scenario.items
        self.acts: list[Act] = []
        self.status = list(state.status)
        self.believed = list(state.believed)
        self.tried = list(state.tried)
        self.used = state.used + public_cost(state.lesson, turn)

    def finish(self) -> InstructionState:
        lesson = self.lesson.after(self.turn, tuple(self.acts), self.items)
        return InstructionState(
            self.state.scenario,
            self.state.persona,
            tuple(self.status),
            tuple(self.believed),
            tuple(self.tried),
            self.used,
            lesson,
        )

    def say(
        self, kind: str, idea: int | None = None, slot: str | None = None, value: str | None = None
    ) -> None:
        self.acts.append(Act(kind, slot, value, None if idea is None else self.items[idea]))

    def react(self) -> None:
        """Everything but how the turn ends."""
        turn = self.turn
        if turn.length:
            self.used += COST[turn.length] * (3 if self.manner.restless else 1)
        argued = turn.correct is not None and self.corrected(turn.correct)
        if turn.explain is not None and not argued:
            self.explained(turn.explain, turn.kind)
        if turn.quiz is not None:
            self.quizzed(turn.quiz)
        for slot, idea in turn.asks:
            self.asked(slot, idea)
        if turn.encourage:
            self.encouraged()
        if not turn.teaches and not turn.ends:
            self.small_talk()

    def corrected(self, idea: int) -> bool:
        """A misconception met head-on. True if the student goes on arguing and does not listen further."""
        if self.status[idea] != MISCONCEIVED:
            self.used += COST["no mistake there"]
            self.say("claim", idea, value=KNOWN if self.believed[idea] else UNKNOWN)
            return False
        if self.manner.stubborn and idea not in self.lesson.exposed:
            self.say("object", idea)
            return True
        self.status[idea], self.believed[idea] = UNKNOWN, False
        self.say("insight", idea)
        return False

    def explained(self, idea: int, kind: str) -> None:
        """An explanation: what it teaches, and what the student lets show."""
        status = self.status[idea]
        if self.turn.length == "very_long" or (self.turn.length and self.manner.restless):
            self.say("puzzled", idea, slot="long")
        elif status == MISCONCEIVED:
            pretends = self.manner.stubborn or self.coin(self.manner.nods)
            self.say("follow" if pretends else "object", idea)
        elif self.believed[idea]:
            self.used += COST["known already"]
            self.say("claim", idea, value=KNOWN)
        elif status == KNOWN:
            self.say("follow", idea)
        else:
            self.teach(idea, kind)

    def teach(self, idea: int, kind: str) -> None:
        """Explain what the student knows it does not know."""
        persona = self.state.persona
        missing = next((need for need in self.state.scenario.needs[idea] if self.status[need] != KNOWN), None)
        wrong = misfit(persona.background, persona.style, kind)
        if missing is not None:
            self.used += COST["no basis"]
            self.lost(idea, missing, "basis")
        elif wrong:
            self.used += COST["wrong level"]
            self.lost(idea, idea, wrong)
        elif kind == persona.style or self.tried[idea] - {kind}:
            self.status[idea] = KNOWN
            self.believed[idea] = self.manner.believes != "under"
            self.say("follow", idea)
        else:
            self.tried[idea] = self.tried[idea] | {kind}
            self.used += COST["not the style"]
            self.say("follow" if self.coin(self.manner.nods) else "puzzled", idea)

    def lost(self, idea: int, about: int, why: str) -> None:
        """An explanation failed: the student nods, says why, or only that it did not get it."""
        if self.coin(self.manner.nods):
            self.say("follow", idea)
        elif self.coin(self.manner.frank):
            self.say("puzzled", about, slot=why)
        else:
            self.say("puzzled", idea)

    def quizzed(self, idea: int) -> None:
        """A check shows the truth, to both."""
        if self.manner.deflects and idea not in self.lesson.checked:
            self.say("counter", idea)
        elif self.status[idea] == KNOWN:
            self.believed[idea] = True
            self.say("show", idea, value="right")
        elif self.status[idea] == UNKNOWN:
            self.believed[idea] = False
            self.say("show", idea, value="gap")
        else:
            self.say("show", idea, value="misconception")

    def asked(self, slot: str, idea: int | None) -> None:
        """A question about the student."""
        if slot == "open":
            self.asked_openly("evade")
        elif idea is not None:
            open_ = not self.manner.deflects and self.coin(self.manner.openness)
            own = KNOWN if self.believed[idea] else UNKNOWN
            self.say("claim", idea, value=own if open_ else "unsure")
        elif slot in self.lesson.told or self.coin(self.manner.openness):
            persona = self.state.persona
            self.say("answer", slot=slot, value=persona.background if slot == "background" else persona.style)
        else:
            self.say("evade", slot=slot)

    def asked_openly(self, otherwise: str) -> None:
        """Name the first idea that is unclear, if openness allows; or say that all is known."""
        unclear = next((i for i, believed in enumerate(self.believed) if not believed), None)
        if unclear is None:
            self.say("claim", value=KNOWN)
        elif self.coin(self.manner.openness):
            self.say("claim", unclear, value=UNKNOWN)
        else:
            self.say(otherwise, slot="open" if otherwise == "evade" else None)

    def encouraged(self) -> None:
        """Who knows something that was gone through, and did not dare to think so, does now."""
        for idea in self.lesson.touched | ({self.turn.explain} if self.turn.explain is not None else set()):
            self.believed[idea] = self.believed[idea] or self.status[idea] == KNOWN

    def small_talk(self) -> None:
        """Neither taught nor asked about anything by name."""
        turn, last = self.turn, self.lesson.last
        if turn.confirm and last is not None:
            self.confirmed(last)
        elif turn.confirm or turn.recap:
            self.asked_openly("nudge")
        elif turn.encourage:
            self.say("thanks")
        elif turn.puzzling:
            self.say("clarify")
        elif turn.pleasant and turn.greets:
            self.say("greet")
        else:
            self.say("nudge")

    def confirmed(self, idea: int) -> None:
        """ "Does that make sense?", about what was explained last."""
        if self.believed[idea]:
            self.say("follow", idea)
        elif self.status[idea] == KNOWN:
            self.say("claim", idea, value="unsure")
        else:
            self.say("follow" if self.coin(self.manner.nods) else "puzzled", idea)

    def end(self) -> str | None:
        """How the turn ends, and who ends the lesson."""
        satisfied, left = all(self.believed), self.manner.attention - self.used
        if self.turn.ends:
            self.say("thanks" if satisfied else "leave")
            return "agent"
        calm = not any(act.kind in UNSETTLING for act in self.acts)
        rests = self.state.satisfied and not self.turn.challenges and self.lesson.turns + 1 >= CONTENT_FROM
        if satisfied and calm and (rests or left <= 0):
            self.say("content")
            return "accept"
        if left <= 0:
            self.say("leave")
            return "leave"
        if left <= TIRED < self.manner.attention - self.state.used:
            self.say("tired")
        return None
