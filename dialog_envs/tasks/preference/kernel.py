"""The kernel of PreferenceElicitation-v0: what a traveller does next, at the level of acts.

A user turn is put together in this order: a change of mind (one family, once), the answer to what was asked or the
verdict on what was suggested, and perhaps something unasked. Every agent turn uses up patience; at zero the user
leaves. The state is public except for the persona in it: everything else follows from the acts of both sides, which
is what makes the exact posterior possible.
"""

from __future__ import annotations

from dataclasses import dataclass

from dialog_envs.core.dialogue import Act
from dialog_envs.core.task import Coin, Kernel
from dialog_envs.tasks.preference.catalogue import item
from dialog_envs.tasks.preference.persona import CHANGE_AT, HARD, NO_PREFERENCE, SLOTS, PreferencePersona
from dialog_envs.tasks.preference.scenario import PreferenceScenario
from dialog_envs.tasks.preference.utility import SECOND_RATE, breaks, complaint, match, verdicts

COST = {
    "question": 0.3,
    "extra question": 0.75,
    "repeated question": 1.0,
    "bad suggestion": 2.0,
    "ignores what was said": 0.5,
    "suggested again": 1.0,
    "extra suggestion": 1.2,
    "too many suggestions": 1.5,
    "not understood": 1.0,
    "idle": 0.5,
}
"""What agent turns use up of the user's patience."""
SURVEY = 3
"""From this many questions in a turn on, only the first is answered."""
TOO_MANY = 4
"""From this many suggestions in a turn on, none is considered."""


@dataclass(frozen=True, slots=True)
class PreferenceState:
    """Where a dialogue stands.

    Attributes:
        scenario: what is on offer.
        persona: the hidden parameter (after a change of mind: the changed one).
        used: patience used up so far.
        told: slot → value that the user has said, in the order of saying.
        rejected: ids of activities that were refused.
        pondered: ids of activities that the user liked without deciding.
        turns: user turns so far.
        greeted: whether the agent's one free pleasantry is used.
        changed: whether the change of mind has happened.
    """

    scenario: PreferenceScenario
    persona: PreferencePersona
    used: float = 0.0
    told: tuple[tuple[str, str], ...] = ()
    rejected: frozenset[str] = frozenset()
    pondered: tuple[str, ...] = ()
    turns: int = 0
    greeted: bool = False
    changed: bool = False


class PreferenceKernel(Kernel[PreferencePersona, PreferenceScenario, PreferenceState]):
    """See the module's text and the constants above."""

    def start(self, scenario: PreferenceScenario, persona: PreferencePersona) -> PreferenceState:
        """Nothing said yet."""
        return PreferenceState(scenario, persona)

    def respond(
        self, state: PreferenceState, agent_acts: tuple[Act, ...], coin: Coin
    ) -> tuple[tuple[Act, ...], PreferenceState, str | None]:
        """One user turn."""
        turn = _Turn(state, coin)
        suggested = suggestions(agent_acts, state.pondered)
        if closes(agent_acts, suggested):
            return (Act("leave"),), turn.finish(), "agent"
        turn.change_of_mind()
        asked = questions(agent_acts)
        if suggested:
            accepted = turn.consider(suggested)
            if accepted:
                return tuple(turn.acts), turn.finish(), "accept"
            turn.charge_questions(len(asked))
        elif asked:
            turn.answer(asked)
        else:
            turn.react(agent_acts)
        turn.volunteer(bool(suggested or asked))
        ended_by = None
        if turn.patience <= 0:
            turn.acts.append(Act("leave"))
            ended_by = "leave"
        return tuple(turn.acts), turn.finish(), ended_by


def suggestions(agent_acts: tuple[Act, ...], pondered: tuple[str, ...]) -> list[str]:
    """Ids suggested in a turn, each once. "Shall we do that?" after a hesitation means what was hesitated about."""
    found = list(dict.fromkeys(act.item for act in agent_acts if act.kind == "suggest" and act.item))
    if not found and pondered and any(act.kind == "check" for act in agent_acts):
        return [pondered[-1]]
    return found


def questions(agent_acts: tuple[Act, ...]) -> list[Act]:
    """Questions of a turn, one an attribute: "What crowd suits you? A quiet one?" is one, and names a value."""
    found: dict[str | None, Act] = {}
    for act in agent_acts:
        if act.kind == "ask" and (act.slot not in found or act.value is not None):
            found[act.slot] = act
    return list(found.values())


def closes(agent_acts: tuple[Act, ...], suggested: list[str]) -> bool:
    """Whether the agent ends the talk. "I suggest the museum. Have a nice day!" still waits for what the user says."""
    return not suggested and any(act.kind == "close" for act in agent_acts)


def contradicts(name: str, told: dict[str, str]) -> bool:
    """Whether an activity goes against what the user has said: a known need or limit broken, or a wish unmet."""
    entry = item(name)
    for slot, value in told.items():
        if slot not in SLOTS or value == NO_PREFERENCE[slot]:
            continue
        if slot in HARD:
            if breaks(entry, slot, value):
                return True
        elif match(entry, slot, value) == 0.0:
            return True
    return False


class _Turn:
    """A user turn in the making: acts so far, and the state they lead to."""

    __slots__ = (
        "state", "persona", "manner", "coin", "acts", "told", "said", "used", "rejected", "pondered", "greeted",
        "changed",
    )  # fmt: skip

    def __init__(self, state: PreferenceState, coin: Coin) -> None:
        self.state = state
        self.persona = state.persona
        self.manner = state.persona.manner
        self.coin = coin
        self.acts: list[Act] = []
        self.told = dict(state.told)
        self.said: set[str] = set()
        self.used = state.used
        self.rejected = state.rejected
        self.pondered = state.pondered
        self.greeted = state.greeted
        self.changed = state.changed

    @property
    def patience(self) -> float:
        """What is left; the user leaves at 0. Rounded, because costs are sums of tenths."""
        return round(self.manner.patience - self.used, 6)

    def finish(self) -> PreferenceState:
        return PreferenceState(
            self.state.scenario,
            self.persona,
            self.used,
            tuple(self.told.items()),
            self.rejected,
            self.pondered,
            self.state.turns + 1,
            self.greeted,
            self.changed,
        )

    def charge(self, what: str, times: int = 1) -> None:
        self.used += COST[what] * times

    def say(self, kind: str, slot: str, value: str) -> None:
        self.acts.append(Act(kind, slot=slot, value=value))
        self.said.add(slot)
        self.told.pop(slot, None)
        self.told[slot] = value

    def change_of_mind(self) -> None:
        due = self.persona.family == "changeable" and not self.changed and self.state.turns + 1 == CHANGE_AT
        if due:
            self.persona = self.persona.changed()
            self.changed = True
            self.say("change", "theme", self.persona.theme)

    def charge_questions(self, count: int) -> None:
        if count:
            self.charge("question")
            self.charge("extra question", count - 1)

    def answer(self, asked: list[Act]) -> None:
        """Answer the questions of a turn: one gladly, two grudgingly, of a survey only the first."""
        self.charge_questions(len(asked))
        if len(asked) >= SURVEY:
            self.acts.append(Act("overwhelmed", value="questions"))
            asked = asked[:1]
        for act in asked:
            if act.slot == "open":
                self.answer_open()
            elif act.slot is not None:
                self.answer_slot(act.slot, named=act.value is not None)

    def answer_slot(self, slot: str, named: bool) -> None:
        """Answer about one attribute; a yes-or-no question (``named``) brings an answer half the time more."""
        if slot in self.said:
            return  # the open question, or the change of mind, of this very turn was the answer
        if slot in self.told:
            self.charge("repeated question")
            self.acts.append(Act("told", slot=slot, value=self.told[slot]))
            return
        openness = self.manner.openness
        if self.coin(openness + (1.0 - openness) / 2 if named else openness):
            self.say("answer", slot, self.persona.says(slot))
        else:
            self.acts.append(Act("evade", slot=slot))

    def answer_open(self) -> None:
        """What matters most and is not said yet, if openness allows; or that there is nothing more."""
        left = self.unsaid()
        if left is None:
            self.acts.append(Act("answer", slot="open", value="none"))
        elif self.coin(self.manner.openness):
            self.say("answer", left, self.persona.says(left))
        else:
            self.acts.append(Act("evade", slot="open"))

    def unsaid(self) -> str | None:
        """The weightiest soft slot that the persona has a preference on and has not talked about."""
        return next((slot for slot in self.persona.ranked() if slot not in self.told), None)

    def consider(self, names: list[str]) -> bool:
        """Judge the suggestions of a turn. True if one is accepted."""
        if len(names) >= TOO_MANY:
            self.charge("too many suggestions")
            self.acts.append(Act("overwhelmed", value="suggestions"))
            return False
        judged = verdicts(self.state.scenario.items, self.persona)
        fitting = [name for name in names if name in judged.acceptable]
        if fitting:
            return self.take_or_ponder(fitting[0], compared=len(names) > 1)
        told = dict(self.state.told)  # what is said in this very turn, nobody could have minded
        for rank, name in enumerate(names):
            self.charge("bad suggestion" if rank == 0 else "extra suggestion")
            if name in self.rejected:
                self.charge("suggested again")
            elif contradicts(name, told):
                self.charge("ignores what was said")
        worn_out = self.manner.settles and 0 < self.patience <= 1.0
        second_best = judged.utilities.get(names[0], 0.0)
        if worn_out and second_best > 0 and second_best >= SECOND_RATE * judged.best:
            self.acts.append(Act("accept", item=names[0]))
            return True
        self.reject(names)
        return False

    def take_or_ponder(self, name: str, compared: bool) -> bool:
        """Accept what fits; who cannot decide wants it set beside another, or a second push."""
        if (
            not compared
            and name not in self.pondered
            and self.manner.hesitates
            and self.coin(self.manner.hesitates)
        ):
            self.pondered = (*self.pondered, name)
            self.acts.append(Act("hesitate", item=name))
            return False
        self.acts.append(Act("accept", item=name))
        return True

    def reject(self, names: list[str]) -> None:
        """Refuse; the first with a reason that tells something (unless the persona keeps it to themselves)."""
        for rank, name in enumerate(names):
            slot = complaint(item(name), self.persona) if rank == 0 else None
            if slot is not None and self.coin(self.manner.reasons):
                value: str = getattr(self.persona, slot)
                self.acts.append(Act("reject", slot=slot, value=value, item=name))
                self.told.pop(slot, None)
                self.told[slot] = value
            else:
                self.acts.append(Act("reject", item=name))
        self.rejected = self.rejected | frozenset(names)

    def react(self, agent_acts: tuple[Act, ...]) -> None:
        """Neither question nor suggestion: small talk, facts, "are you satisfied?", refusals and nonsense."""
        kinds = {act.kind for act in agent_acts}
        if not kinds or kinds & {"unknown", "refuse"}:
            self.charge("not understood")
            self.acts.append(Act("clarify"))
        elif kinds <= {"greet", "acknowledge"} and not self.greeted:
            self.greeted = True
            self.acts.append(Act("greet" if "greet" in kinds else "nudge"))
        else:
            self.charge("idle")
            self.acts.append(Act("nudge"))

    def volunteer(self, engaged: bool) -> None:
        """Perhaps add something unasked: only after a question or suggestion, and only while patience lasts.

        Not right after "hard to say", which would take it back.
        """
        p = self.manner.volunteers
        if not (engaged and p) or any(act.kind == "evade" for act in self.acts):
            return
        slot = self.unsaid()
        if slot is not None and self.patience > 0 and self.coin(p):
            self.say("volunteer", slot, self.persona.says(slot))
