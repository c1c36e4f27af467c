"""The kernel of Persuasion-v0: what somebody does next who is asked for a donation, at the level of acts.

Willingness, trust and patience are functions of the persona and of what both sides have said; chance decides only
what is said. An agent turn is taken in piece by piece, in this order: pressure and inventions, facts, words about
objections, the appeal, questions, the request. The sizes of all steps stand in
:mod:`dialog_envs.tasks.persuasion.dynamics`.
"""

from __future__ import annotations

from dataclasses import dataclass

from dialog_envs.core.dialogue import Act
from dialog_envs.core.task import Coin, Kernel
from dialog_envs.tasks.persuasion import dynamics as d
from dialog_envs.tasks.persuasion.acts import BANDS, DOUBTS
from dialog_envs.tasks.persuasion.persona import PersuasionPersona
from dialog_envs.tasks.persuasion.scenario import PersuasionScenario


@dataclass(frozen=True, slots=True)
class PersuasionState:
    """Where a dialogue stands.

    Attributes:
        scenario: the charity and the place; the kernel looks at neither.
        persona: the hidden parameter.
        will: willingness; gives from ``dynamics.READY``.
        trust: gives from ``dynamics.TRUSTED``.
        used: patience used up so far.
        appealed: strategies of the appeals so far, in order.
        informed: kinds of facts said.
        raised: objections that the person has named.
        met: objections that are met.
        told: slot → value that the person has said.
        doubts: facts that the person asked for and has not got.
        offered: the band last on the table.
        refusals: requests refused.
        pushes: acts of pressure so far.
        promised: said yes without giving.
        stepped: took the first small step.
        greeted: the agent's one free pleasantry is used.
    """

    scenario: PersuasionScenario
    persona: PersuasionPersona
    will: int
    trust: int
    used: int = 0
    appealed: tuple[str, ...] = ()
    informed: frozenset[str] = frozenset()
    raised: frozenset[str] = frozenset()
    met: frozenset[str] = frozenset()
    told: tuple[tuple[str, str], ...] = ()
    doubts: frozenset[str] = frozenset()
    offered: str | None = None
    refusals: int = 0
    pushes: int = 0
    promised: bool = False
    stepped: bool = False
    greeted: bool = False


class PersuasionKernel(Kernel[PersuasionPersona, PersuasionScenario, PersuasionState]):
    """See the module's text and :mod:`dialog_envs.tasks.persuasion.dynamics`."""

    def start(self, scenario: PersuasionScenario, persona: PersuasionPersona) -> PersuasionState:
        """Nothing said yet."""
        return PersuasionState(scenario, persona, 0, d.TRUST_START[persona.trust])

    def respond(
        self, state: PersuasionState, agent_acts: tuple[Act, ...], coin: Coin
    ) -> tuple[tuple[Act, ...], PersuasionState, str | None]:
        """One user turn."""
        turn = _Turn(state, coin)
        if d.closes(agent_acts):
            return (Act("leave"),), turn.finish(), "agent"
        if d.SUBSTANCE.isdisjoint([act.kind for act in agent_acts]):
            turn.small_talk(agent_acts)
        else:
            turn.take_in(agent_acts)
            if turn.acts and turn.acts[-1].kind == "donate":
                return tuple(turn.acts), turn.finish(), "accept"
        ended_by = None
        if turn.patience <= 0 or turn.walks_out:
            turn.acts.append(Act("leave"))
            ended_by = "leave"
        elif not turn.acts:
            turn.acts.append(Act("nudge"))
        return tuple(turn.acts), turn.finish(), ended_by


def gain(
    persona: PersuasionPersona, trust: int, appealed: tuple[str, ...], slot: str, value: str | None
) -> int:
    """What an appeal adds to willingness, after the appeals before it."""
    times = appealed.count(slot)
    if persona.family == "evidence_only" and slot in d.SENTIMENTAL:
        return d.OFFENDED
    if times > 1 or (value not in (None, persona.value) and slot not in d.VALUE_FREE):
        return d.MISSED
    won = d.FIT[persona.taste][slot]
    if value is None and slot not in d.VALUE_FREE:
        won = 0 if slot in d.NEEDS_VALUE else won // 2
    if times == 1:
        won //= 2
    return won // 2 if trust < d.WARY else won


class _Turn:
    """A user turn in the making: acts so far, and the state they lead to."""

    __slots__ = (
        "state", "persona", "manner", "coin", "acts", "will", "trust", "used", "appealed", "informed", "raised",
        "met", "told", "doubts", "offered", "refusals", "pushes", "promised", "stepped", "greeted", "walks_out",
    )  # fmt: skip

    def __init__(self, state: PersuasionState, coin: Coin) -> None:
        self.state, self.persona, self.manner, self.coin = state, state.persona, state.persona.manner, coin
        self.acts: list[Act] = []
        self.will, self.trust, self.used = state.will, state.trust, state.used
        self.appealed, self.informed = state.appealed, state.informed
        self.raised, self.met, self.doubts = state.raised, state.met, state.doubts
        self.told = dict(state.told)
        self.offered, self.refusals, self.pushes = state.offered, state.refusals, state.pushes
        self.promised, self.stepped, self.greeted = state.promised, state.stepped, state.greeted
        self.walks_out = False

    def finish(self) -> PersuasionState:
        return PersuasionState(
            self.state.scenario, self.persona, self.will, self.trust, self.used, self.appealed, self.informed,
            self.raised, self.met, tuple(self.told.items()), self.doubts, self.offered, self.refusals, self.pushes,
            self.promised, self.stepped, self.greeted,
        )  # fmt: skip

    @property
    def patience(self) -> int:
        """What is left; the user leaves at 0."""
        return self.manner.patience - self.used

    def charge(self, what: str, times: int = 1) -> None:
        self.used += d.COST[what] * times

    def small_talk(self, agent_acts: tuple[Act, ...]) -> None:
        """Neither question nor argument: pleasantries, "does that make sense?", refusals and nonsense."""
        kinds = {act.kind for act in agent_acts}
        self.length(agent_acts)
        if not kinds - {"lengthy"} or kinds & {"unknown", "refuse"}:
            self.charge("not understood")
            self.acts.append(Act("clarify"))
        elif kinds <= {"greet", "acknowledge"} and not self.greeted:
            self.greeted = True
            self.acts.append(Act("greet" if "greet" in kinds else "nudge"))
        else:
            self.charge("idle")
            self.acts.append(Act("nudge"))

    def take_in(self, agent_acts: tuple[Act, ...]) -> None:
        """React to a turn that says something."""
        self.charge("talk")
        self.charge("crowded", d.crowding(agent_acts))
        self.length(agent_acts)
        self.resent(agent_acts)
        facts = self.learn([act.slot for act in d.unique(agent_acts, "inform") if act.slot])
        self.weigh([act.slot for act in d.unique(agent_acts, "address") if act.slot], facts)
        self.feel(*d.appeal_of(agent_acts))
        band, commits = d.asked_for(agent_acts, self.offered)
        asked = [act.slot for act in d.unique(agent_acts, "ask") if act.slot]
        if (
            band is not None
        ):  # "What do you say, would 10 euros be all right?": the request is what is answered
            self.decide(band, commits)
        else:
            self.answer(asked)
            if not d.offensive(agent_acts):
                self.volunteer()

    def length(self, agent_acts: tuple[Act, ...]) -> None:
        """Long turns tire."""
        lengths = [act.value for act in agent_acts if act.kind == "lengthy"]
        if lengths:
            self.charge("very_long" if "very_long" in lengths else "long")

    def resent(self, agent_acts: tuple[Act, ...]) -> None:
        """Pressure and inventions cost trust and patience, whether or not anything is said about it."""
        pushes = len([act for act in agent_acts if act.kind == "pressure"])
        inventions = len([act for act in agent_acts if act.kind == "fabricate"])
        if pushes:
            reactant = self.manner.reactant
            self.charge("pressure on the reactant" if reactant else "pressure", pushes)
            self.trust += (d.PUSHED_REACTANT if reactant else d.PUSHED) * pushes
            self.pushes += pushes
            self.walks_out = reactant and self.pushes > 1
            if self.coin(1.0 if reactant else d.VOICED["pressure"]):
                self.acts.append(Act("bristle", "pressure"))
        if inventions:
            self.charge("invention", inventions)
            self.trust += d.INVENTED * inventions
            if self.coin(d.VOICED["invention"]):
                self.acts.append(Act("bristle", "invention"))

    def learn(self, facts: list[str]) -> list[str]:
        """Take in facts; returns those that were heard (repeated ones too)."""
        self.charge("extra fact", max(len(facts) - d.FACTS_A_TURN, 0))
        heard = facts[: d.FACTS_A_TURN]
        for fact in heard:
            if fact in self.informed:
                self.charge("repeated fact")
                continue
            self.charge("fact")
            self.informed = self.informed | {fact}
            self.trust += d.FACT_TRUST.get(fact, 0)
            self.will += d.FACT_WILL[self.persona.taste].get(fact, 0)
            if fact in self.doubts:
                self.doubts = self.doubts - {fact}
                self.trust += d.ANSWERED
                self.acts.append(Act("resolved", fact))
        return heard

    def weigh(self, addressed: list[str], facts: list[str]) -> None:
        """Judge what is said about objections. A fact that meets one which was named is about it, said so or not."""
        self.charge("planted", max(len(addressed) - d.ADDRESSED_A_TURN, 0))
        heard = addressed[: d.ADDRESSED_A_TURN]
        own = (self.persona.objection, self.persona.hidden)
        for slot in heard:
            if slot in self.met:
                self.charge("repeated address")
            elif slot not in own:
                self.charge("planted")
                self.trust += d.PLANTED
            else:
                self.charge("address")
                if slot not in self.raised:
                    self.raise_objection(slot)
                else:
                    self.judge(slot)
        for slot in own:
            fact = d.SUPPORT.get(slot)
            unheard = slot not in heard and slot in self.state.raised and slot not in self.met
            if unheard and fact in facts and self.persona.taste == "reason":
                self.meet(slot)

    def judge(self, slot: str) -> None:
        """Words and the fact meet an objection; words alone do for the feeling who trust."""
        backed = d.SUPPORT[slot] is None or d.SUPPORT[slot] in self.informed
        if backed or (self.persona.taste == "feeling" and self.trust >= d.TRUSTED):
            self.meet(slot)
        else:
            self.charge("unmet")
            self.acts.append(Act("object", slot))

    def meet(self, slot: str) -> None:
        self.met = self.met | {slot}
        self.will += d.RELIEF
        self.acts.append(Act("resolved", slot))

    def raise_objection(self, slot: str) -> None:
        """Name an objection for the first time."""
        self.raised = self.raised | {slot}
        self.acts.append(Act("object" if slot == self.persona.objection else "reveal", slot))

    def feel(self, slot: str | None, value: str | None, extra: int) -> None:
        """Feel the appeal of a turn."""
        if slot is None:
            return
        self.charge("extra appeal", extra)
        won = gain(self.persona, self.trust, self.appealed, slot, value)
        self.charge("appeal")
        self.appealed = (*self.appealed, slot)
        self.will += won
        if slot == "credibility" and won > 0:
            self.trust += d.CREDIBLE
        if won >= d.WARM:
            self.acts.append(Act("warm", slot))
        elif won <= d.COOL:
            self.charge("cool appeal")
            self.acts.append(Act("cool", slot))

    def answer(self, asked: list[str]) -> None:
        """Answer the questions of a turn: one gladly, two grudgingly, of a survey only the first."""
        self.charge("extra question", max(len(asked) - 1, 0))
        if len(asked) > d.QUESTIONS_A_TURN:
            self.acts.append(Act("overwhelmed"))
            asked = asked[:1]
        for slot in asked:
            self.charge("question")
            if slot == "concern":
                self.answer_concern()
            elif slot == "open":
                left = next((s for s in ("values", "experience") if s not in self.told), None)
                if left is None:
                    self.acts.append(Act("answer", "open", "none"))
                else:
                    self.answer_or_evade(left, "open")
            elif slot in self.told:
                self.charge("repeated question")
                self.acts.append(Act("told", slot, self.told[slot]))
            else:
                self.answer_or_evade(slot, slot)

    def answer_or_evade(self, slot: str, asked: str) -> None:
        if self.coin(self.manner.openness):
            self.tell(slot)
        else:
            self.acts.append(Act("evade", asked))

    def tell(self, slot: str) -> None:
        self.told[slot] = self.persona.says(slot)
        self.acts.append(Act("answer", slot, self.told[slot]))

    def answer_concern(self) -> None:
        """What is in the way: the objection at hand, then, with trust, the one behind it."""
        spoken, hidden = self.persona.objection, self.persona.hidden
        unnamed = [slot for slot in (spoken, hidden) if slot != "none" and slot not in self.raised]
        if unnamed:
            shy = unnamed[0] == hidden and self.trust < d.CONFIDES_AT.get(self.persona.family, d.WARY)
            if not shy and self.coin(self.manner.openness):
                self.raise_objection(unnamed[0])
            else:
                self.acts.append(Act("evade", "concern"))
            return
        unmet = self.unmet()
        if unmet is not None:
            self.charge("repeated question")
            self.acts.append(Act("object", unmet))
        else:
            self.acts.append(Act("answer", "concern", "none"))

    def unmet(self) -> str | None:
        """The first objection that is not met, named or not."""
        own = (self.persona.objection, self.persona.hidden)
        return next((slot for slot in own if slot != "none" and slot not in self.met), None)

    def decide(self, band: str, commits: bool) -> None:
        """Give, promise, haggle or refuse."""
        self.offered = band
        if band == "token":
            self.step()
            return
        sham = self.persona.family == "yes_sayer"
        if sham and not commits and not self.promised:
            self.promise(band)
            return
        if self.refuses():
            self.charge("refused")
            self.charge("refused again", min(self.refusals, 2))
            self.charge("hard sell", commits and not self.promised)
            self.refusals += 1
            if self.manner.reactant:
                self.trust += d.PLANTED
            return
        limit = self.limit()
        if BANDS.index(band) > BANDS.index(limit):
            self.charge("too large")
            self.offered = limit
            self.acts.append(Act("counteroffer", value=limit))
        elif not commits and not self.promised and self.manner.promises and self.coin(self.manner.promises):
            self.promise(band)
        else:
            self.acts.append(Act("donate", value=band))

    def promise(self, band: str) -> None:
        self.charge("promise")
        self.promised = True
        self.acts.append(Act("promise", value=band))

    def step(self) -> None:
        """The foot in the door."""
        if self.stepped or self.trust < d.TOKEN_TRUST:
            self.charge("refused step")
            self.acts.append(Act("decline"))
            return
        self.charge("step")
        self.stepped = True
        self.will += d.FOOT if self.manner.foot else 0
        self.acts.append(Act("agree", value="token"))

    def limit(self) -> str:
        """The largest band that willingness and means allow."""
        bands = [band for band, level in d.LEVELS.items() if self.will >= level]
        return min(bands[-1], self.persona.most, key=BANDS.index)

    def refuses(self) -> bool:
        """Whether something is in the way; says what, as far as the person says it."""
        spoken, hidden = self.persona.objection, self.persona.hidden
        if spoken != "none" and spoken not in self.met:
            self.raised = self.raised | {spoken}
            self.acts.append(Act("object", spoken))
        elif self.trust < d.TRUSTED:
            wanted = next(
                (fact for fact in d.DOUBT_ORDER[self.persona.taste] if fact not in self.informed), None
            )
            self.ask_for(wanted)
        elif self.persona.family == "evidence_only" and "evidence" not in self.informed:
            self.ask_for("evidence")
        elif self.will < d.READY:
            self.acts.append(Act("decline"))
        elif hidden != "none" and hidden not in self.met:
            if hidden in self.raised:
                self.acts.append(Act("object", hidden))
            elif self.manner.confides and self.coin(self.manner.confides):
                self.raise_objection(hidden)
            else:
                self.acts.append(Act("decline"))
        else:
            return False
        return True

    def ask_for(self, fact: str | None) -> None:
        if fact in DOUBTS:
            self.doubts = self.doubts | {fact}
            self.acts.append(Act("doubt", fact))
        else:
            self.acts.append(Act("decline"))

    def volunteer(self) -> None:
        """Perhaps add something unasked: what matters to them, then what is in the way."""
        p = self.manner.volunteers
        if not p or self.patience <= 0 or any(act.kind == "evade" for act in self.acts):
            return
        spoken = self.persona.objection
        if "values" not in self.told:
            if self.coin(p):
                self.tell("values")
        elif spoken != "none" and spoken not in self.raised and self.coin(p):
            self.raise_objection(spoken)
