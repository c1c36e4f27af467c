"""The kernel evaluated for every persona of the support at once.

:class:`Exchange` mirrors ``kernel._Turn`` step by step for a whole crowd. Where the kernel says an act, it compares it
with the next act that was really said (every persona has its own place in that list); where the kernel tosses a coin,
it weighs both sides.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.persuasion import dynamics as d
from dialog_envs.tasks.persuasion.acts import BANDS, DOUBTS
from dialog_envs.tasks.persuasion.crowd import (
    CODES,
    FAMILIES,
    NONE,
    REASON,
    TOLD,
    Bools,
    Crowd,
    Floats,
    Ints,
    Public,
    appeal_gain,
)
from dialog_envs.tasks.persuasion.persona import DOMAINS, EXPERIENCE, MANNERS

_COLUMN = {"values": "value", "means": "means", "experience": "trust"}
_ids: dict[tuple[str, str | None, str | None], int] = {}


def code(kind: str, slot: str | None = None, value: str | None = None) -> int:
    """A number for a user act."""
    return _ids.setdefault((kind, slot, value), len(_ids) + 1)


def _by_family(attribute: str) -> Floats:
    return np.array([float(getattr(MANNERS[name], attribute)) for name in FAMILIES])


_OPENNESS, _VOLUNTEERS = _by_family("openness"), _by_family("volunteers")
_CONFIDES, _PROMISES = _by_family("confides"), _by_family("promises")
_PATIENCE, _FOOT = _by_family("patience").astype(np.int16), _by_family("foot") > 0
_REACTANT = _by_family("reactant") > 0
_CONFIDES_AT = np.array([d.CONFIDES_AT.get(name, d.WARY) for name in FAMILIES], dtype=np.int16)
_EVIDENCE_ONLY, _YES_SAYER = FAMILIES.index("evidence_only"), FAMILIES.index("yes_sayer")


class Exchange:
    """One exchange, for the whole crowd: its likelihood, and the state it leads to.

    Attributes:
        crowd: the personas, with their state after the exchange.
        like: (points,) P(user acts | persona, agent acts, what went before).
        public: the public state after the exchange.
    """

    def __init__(
        self, crowd: Crowd, public: Public, agent_acts: tuple[Act, ...], user_acts: tuple[Act, ...]
    ) -> None:
        self.crowd, self.public = crowd.copy(), public
        self.agent_acts = agent_acts
        self.like: Floats = np.ones(len(crowd))
        codes = [code(act.kind, act.slot, act.value) for act in user_acts]
        self.said = np.array([*codes, *[0] * 24], dtype=np.int16)
        self.length = len(codes)
        self.place = np.zeros(len(crowd), dtype=np.int16)
        self.everybody = np.ones(len(crowd), dtype=bool)
        self.evaded = any(act.kind == "evade" for act in user_acts)
        self.before = (crowd.raised_spoken, crowd.raised_hidden)
        self.walks_out: Bools = ~self.everybody
        self.gave: Bools = ~self.everybody
        self._run(user_acts)

    # the kernel's verbs

    def next_is(self, codes: Ints | int) -> Bools:
        """Whether the next act that was said is this one."""
        return np.asarray(self.said[self.place] == codes)

    def say(self, who: Bools, codes: Ints | int) -> None:
        """``who`` say an act for sure."""
        self.like *= ~who | self.next_is(codes)
        self.place += who

    def toss(self, who: Bools, p: Floats | float, yes: Ints | int, no: Ints | int | None = None) -> Bools:
        """``who`` say ``yes`` with probability ``p``, else ``no`` (or nothing). Returns who said ``yes``."""
        took = who & self.next_is(yes)
        other = self.next_is(no) if no is not None else True
        self.like *= np.where(who, np.where(took, p, (1.0 - p) * other), 1.0)
        self.place += who if no is not None else took
        return took

    def charge(self, what: str, who: Bools | Ints | int = 1) -> None:
        """Use up patience; ``who`` may be a number of times."""
        self.crowd.used += np.asarray(d.COST[what] * who, dtype=np.int16)

    # the kernel's turn

    def _run(self, user_acts: tuple[Act, ...]) -> None:
        acts, crowd = self.agent_acts, self.crowd
        if d.closes(acts):
            self.say(self.everybody, code("leave"))
        elif d.SUBSTANCE.isdisjoint([act.kind for act in acts]):
            self._small_talk()
            self._end()
        else:
            self.charge("talk")
            self.charge("crowded", d.crowding(acts))
            self._length()
            self._resent()
            facts = self._learn([act.slot for act in d.unique(acts, "inform") if act.slot])
            self._weigh([act.slot for act in d.unique(acts, "address") if act.slot], facts)
            self._feel(*d.appeal_of(acts))
            band, commits = d.asked_for(acts, self.public.offered)
            if band is not None:
                self._decide(band, commits)
            else:
                self._answer([act.slot for act in d.unique(acts, "ask") if act.slot])
                if not d.offensive(acts):
                    self._volunteer()
            self._end()
        self.like *= self.place == self.length
        for act in user_acts:
            if act.kind == "counteroffer":
                self.public = _with(self.public, offered=act.value)
        self.crowd = crowd

    def _end(self) -> None:
        leaves = ~self.gave & ((self.crowd.used >= _PATIENCE[self.crowd.family]) | self.walks_out)
        silent = ~self.gave & ~leaves & (self.place == 0)
        self.say(leaves, code("leave"))
        self.say(silent, code("nudge"))

    def _small_talk(self) -> None:
        kinds = {act.kind for act in self.agent_acts}
        self._length()
        if not kinds - {"lengthy"} or kinds & {"unknown", "refuse"}:
            self.charge("not understood")
            self.say(self.everybody, code("clarify"))
        elif kinds <= {"greet", "acknowledge"} and not self.public.greeted:
            self.public = _with(self.public, greeted=True)
            self.say(self.everybody, code("greet" if "greet" in kinds else "nudge"))
        else:
            self.charge("idle")
            self.say(self.everybody, code("nudge"))

    def _length(self) -> None:
        lengths = [act.value for act in self.agent_acts if act.kind == "lengthy"]
        if lengths:
            self.charge("very_long" if "very_long" in lengths else "long")

    def _resent(self) -> None:
        crowd, reactant = self.crowd, _REACTANT[self.crowd.family]
        pushes = len([act for act in self.agent_acts if act.kind == "pressure"])
        inventions = len([act for act in self.agent_acts if act.kind == "fabricate"])
        if pushes:
            self.charge("pressure", (~reactant * pushes).astype(np.int16))
            self.charge("pressure on the reactant", (reactant * pushes).astype(np.int16))
            crowd.trust += np.where(reactant, d.PUSHED_REACTANT, d.PUSHED).astype(np.int16) * np.int16(pushes)
            self.public = _with(self.public, pushes=self.public.pushes + pushes)
            self.walks_out = reactant & (self.public.pushes > 1)
            voiced = np.where(reactant, 1.0, d.VOICED["pressure"])
            self.toss(self.everybody, voiced, code("bristle", "pressure"))
        if inventions:
            self.charge("invention", inventions)
            crowd.trust += np.int16(d.INVENTED * inventions)
            self.toss(self.everybody, d.VOICED["invention"], code("bristle", "invention"))

    def _learn(self, facts: list[str]) -> list[str]:
        crowd = self.crowd
        self.charge("extra fact", max(len(facts) - d.FACTS_A_TURN, 0))
        heard = facts[: d.FACTS_A_TURN]
        for fact in heard:
            if fact in self.public.informed:
                self.charge("repeated fact")
                continue
            self.charge("fact")
            doubts = self.public.doubts
            self.public = _with(self.public, informed=self.public.informed | {fact}, doubts=doubts - {fact})
            crowd.trust += np.int16(d.FACT_TRUST.get(fact, 0))
            gains = [d.FACT_WILL[taste].get(fact, 0) for taste in DOMAINS["taste"]]
            crowd.will += np.array(gains, dtype=np.int16)[crowd.taste]
            if fact in doubts:
                crowd.trust += np.int16(d.ANSWERED)
                self.say(self.everybody, code("resolved", fact))
        return heard

    def _weigh(self, addressed: list[str], facts: list[str]) -> None:
        crowd = self.crowd
        self.charge("planted", max(len(addressed) - d.ADDRESSED_A_TURN, 0))
        heard = addressed[: d.ADDRESSED_A_TURN]
        for slot in heard:
            spoken, hidden = (
                crowd.objection == CODES["objection"][slot],
                crowd.hidden == CODES["hidden"][slot],
            )
            met = (spoken & crowd.met_spoken) | (hidden & crowd.met_hidden)
            foreign = ~spoken & ~hidden
            self.charge("repeated address", met)
            self.charge("planted", foreign)
            crowd.trust += np.int16(d.PLANTED) * foreign
            open_ = ~met & ~foreign
            self.charge("address", open_)
            raised = (spoken & crowd.raised_spoken) | (hidden & crowd.raised_hidden)
            new = open_ & ~raised
            self.say(new, np.where(spoken, code("object", slot), code("reveal", slot)).astype(np.int16))
            crowd.raised_spoken |= new & spoken
            crowd.raised_hidden |= new & hidden
            self._judge(slot, open_ & raised, spoken)
        for mine, met, raised in (
            (crowd.objection, crowd.met_spoken, self.before[0]),
            (crowd.hidden, crowd.met_hidden, self.before[1]),
        ):
            for fact in facts:
                for slot in (
                    slot for slot, support in d.SUPPORT.items() if support == fact and slot not in heard
                ):
                    meets = (mine == CODES["objection"][slot]) & raised & ~met & (crowd.taste == REASON)
                    self._meet(slot, meets, met)

    def _judge(self, slot: str, who: Bools, spoken: Bools) -> None:
        crowd = self.crowd
        backed = d.SUPPORT[slot] is None or d.SUPPORT[slot] in self.public.informed
        meets = who & (backed | ((crowd.taste != REASON) & (crowd.trust >= d.TRUSTED)))
        fails = who & ~meets
        self.charge("unmet", fails)
        self.say(fails, code("object", slot))
        self._meet(slot, meets & spoken, crowd.met_spoken)
        self._meet(slot, meets & ~spoken, crowd.met_hidden)

    def _meet(self, slot: str, who: Bools, met: Bools) -> None:
        met |= who
        self.crowd.will += np.int16(d.RELIEF) * who
        self.say(who, code("resolved", slot))

    def _feel(self, slot: str | None, value: str | None, extra: int) -> None:
        if slot is None:
            return
        crowd = self.crowd
        self.charge("extra appeal", extra)
        gain = appeal_gain(crowd, slot, value, self.public.appealed)
        self.charge("appeal")
        self.public = _with(self.public, appealed=(*self.public.appealed, slot))
        crowd.will += gain
        if slot == "credibility":
            crowd.trust += np.int16(d.CREDIBLE) * (gain > 0)
        warm, cool = gain >= d.WARM, gain <= d.COOL
        self.charge("cool appeal", cool)
        said = np.where(warm, code("warm", slot), code("cool", slot)).astype(np.int16)
        self.say(warm | cool, said)

    def _answer(self, asked: list[str]) -> None:
        self.charge("extra question", max(len(asked) - 1, 0))
        if len(asked) > d.QUESTIONS_A_TURN:
            self.say(self.everybody, code("overwhelmed"))
            asked = asked[:1]
        crowd = self.crowd
        for slot in asked:
            self.charge("question")
            if slot == "concern":
                self._answer_concern()
            elif slot == "open":
                values, experience = ~crowd.told[0], crowd.told[0] & ~crowd.told[2]
                self._tell_or_evade("values", values, "open")
                self._tell_or_evade("experience", experience, "open")
                self.say(~values & ~experience, code("answer", "open", "none"))
            elif slot in TOLD:
                told = crowd.told[TOLD.index(slot)].copy()
                self.charge("repeated question", told)
                self.say(told, self._words("told", slot))
                self._tell_or_evade(slot, ~told, slot)

    def _words(self, kind: str, slot: str) -> Ints:
        """(points,) the code of each persona's answer about a slot."""
        factor = _COLUMN[slot]
        values = [EXPERIENCE[v] if slot == "experience" else v for v in DOMAINS[factor]]
        table = np.array([code(kind, slot, value) for value in values], dtype=np.int16)
        return np.asarray(table[self.crowd.column(factor)])

    def _tell_or_evade(self, slot: str, who: Bools, asked: str) -> None:
        openness = _OPENNESS[self.crowd.family]
        told = self.toss(who, openness, self._words("answer", slot), code("evade", asked))
        self.crowd.told[TOLD.index(slot)] |= told

    def _objection(self, kind: str, hidden: bool) -> Ints:
        """(points,) the code of naming the spoken or the hidden objection."""
        table = np.array([code(kind, slot) for slot in DOMAINS["objection"]], dtype=np.int16)
        return np.asarray(table[self.crowd.hidden if hidden else self.crowd.objection])

    def _answer_concern(self) -> None:
        crowd, openness = self.crowd, _OPENNESS[self.crowd.family]
        evade = code("evade", "concern")
        spoken = (crowd.objection != NONE) & ~crowd.raised_spoken
        hidden = ~spoken & (crowd.hidden != NONE) & ~crowd.raised_hidden
        shy = hidden & (crowd.trust < _CONFIDES_AT[crowd.family])
        rest = ~spoken & ~hidden
        named = self.toss(spoken, openness, self._objection("object", False), evade)
        revealed = self.toss(hidden & ~shy, openness, self._objection("reveal", True), evade)
        self.say(shy, evade)
        unmet_spoken = rest & (crowd.objection != NONE) & ~crowd.met_spoken
        unmet_hidden = rest & ~unmet_spoken & (crowd.hidden != NONE) & ~crowd.met_hidden
        self.charge("repeated question", unmet_spoken | unmet_hidden)
        self.say(unmet_spoken, self._objection("object", False))
        self.say(unmet_hidden, self._objection("object", True))
        self.say(rest & ~unmet_spoken & ~unmet_hidden, code("answer", "concern", "none"))
        crowd.raised_spoken |= named
        crowd.raised_hidden |= revealed

    def _decide(self, band: str, commits: bool) -> None:
        crowd = self.crowd
        self.public = _with(self.public, offered=band)
        if band == "token":
            self._step()
            return
        sham = (crowd.family == _YES_SAYER) & ~crowd.promised & (not commits)
        refuses = self._refuses(~sham)
        self.charge("refused", refuses)
        crowd.used += np.int16(d.COST["refused again"]) * np.minimum(crowd.refusals, 2) * refuses
        self.charge("hard sell", refuses & ~crowd.promised & commits)
        crowd.refusals += refuses
        crowd.trust += np.int16(d.PLANTED) * (refuses & _REACTANT[crowd.family])
        willing, limit = ~sham & ~refuses, crowd.limits()
        large = willing & (limit < BANDS.index(band))
        self.charge("too large", large)
        counter = np.array([code("counteroffer", None, name) for name in BANDS], dtype=np.int16)
        self.say(large, counter[limit])
        gives, promise, donate = willing & ~large, code("promise", None, band), code("donate", None, band)
        undecided = gives & ~crowd.promised & (not commits)
        promised = self.toss(undecided, _PROMISES[crowd.family], promise, donate)
        self.say(gives & ~undecided, donate)
        self.say(sham, promise)
        self.gave = gives & ~promised
        self.charge("promise", promised | sham)
        crowd.promised |= promised | sham

    def _step(self) -> None:
        crowd = self.crowd
        no = crowd.stepped | (crowd.trust < d.TOKEN_TRUST)
        self.charge("refused step", no)
        self.charge("step", ~no)
        self.say(self.everybody, np.where(no, code("decline"), code("agree", None, "token")).astype(np.int16))
        crowd.stepped |= ~no
        crowd.will += np.int16(d.FOOT) * (~no & _FOOT[crowd.family])

    def _refuses(self, who: Bools) -> Bools:
        """Who has something in the way; mirrors the kernel's order."""
        crowd, informed = self.crowd, self.public.informed
        blocked = ~who
        decline = code("decline")
        for name, here in crowd.unready(informed).items():
            now = here & ~blocked
            blocked = blocked | here
            if name == "spoken":
                self.say(now, self._objection("object", False))
                crowd.raised_spoken |= now
            elif name == "trust":
                self.say(now, self._wanted()[crowd.taste])
            elif name == "evidence":
                self.say(now, code("doubt", "evidence"))
            elif name == "will":
                self.say(now, decline)
            else:
                self.say(now & crowd.raised_hidden, self._objection("object", True))
                unsaid = now & ~crowd.raised_hidden
                confides = _CONFIDES[crowd.family]
                crowd.raised_hidden |= self.toss(unsaid, confides, self._objection("reveal", True), decline)
        asked = {slot for slot in DOUBTS if code("doubt", slot) in self.said[: self.length]}
        self.public = _with(self.public, doubts=self.public.doubts | asked)
        return np.asarray(blocked & who)

    def _wanted(self) -> Ints:
        """(tastes,) code of what the mistrustful ask for."""
        found = []
        for taste in DOMAINS["taste"]:
            left = [fact for fact in d.DOUBT_ORDER[taste] if fact not in self.public.informed]
            found.append(code("doubt", left[0]) if left else code("decline"))
        return np.array(found, dtype=np.int16)

    def _volunteer(self) -> None:
        if self.evaded:
            return
        crowd, p = self.crowd, _VOLUNTEERS[self.crowd.family]
        who = (p > 0) & (crowd.used < _PATIENCE[crowd.family])
        value = who & ~crowd.told[0]
        objection = who & crowd.told[0] & (crowd.objection != NONE) & ~crowd.raised_spoken
        told = self.toss(value, p, self._words("answer", "values"))
        named = self.toss(objection, p, self._objection("object", False))
        crowd.told[0] |= told
        crowd.raised_spoken |= named


def _with(public: Public, **changes: object) -> Public:
    return replace(public, **changes)  # type: ignore[arg-type]  # checked by the property test
