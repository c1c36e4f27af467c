"""The exact posterior over the persona, from the kernel.

The support is a grid of tastes (seven factors and a priority, 29,160 points) for each of ten families. A user turn's
likelihood is evaluated for all of them at once with the kernel's own constants; a property test compares it with
Bayes' rule over :meth:`PreferenceKernel.distribution`. Points that a turn rules out are dropped, so that a dialogue
soon costs microseconds a turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialog_envs.core.belief import belief_trace as trace_of
from dialog_envs.core.dialogue import Act, Turn
from dialog_envs.tasks.preference.kernel import (
    COST,
    SURVEY,
    TOO_MANY,
    closes,
    contradicts,
    questions,
    suggestions,
)
from dialog_envs.tasks.preference.likelihood import Tastes, full_grid
from dialog_envs.tasks.preference.persona import CHANGE_AT, MANNERS, SLOTS, VALUES, PreferencePrior
from dialog_envs.tasks.preference.scenario import PreferenceScenario

Array = NDArray[np.float64]


class Belief:
    """P(persona | what was said so far), exact.

    Attributes:
        families: the families in the prior, in the order of the first axis of :attr:`mass`.
        mass: (families, tastes) probabilities that sum to 1.
        tastes: the taste points that are still possible, one a column of :attr:`mass`.
        impossible: user turns that no persona could have said (misread text, another simulator); they were left out.
    """

    def __init__(self, scenario: PreferenceScenario, families: Sequence[str] | None = None) -> None:
        """The prior. ``families``: which ones an agent reckons with (default: all)."""
        self.scenario = scenario
        self.families = tuple(families) if families is not None else PreferencePrior().families
        self.tastes, mass = _prior(self.families)
        self.mass: Array = mass
        self.told: dict[str, str] = {}
        self.rejected: set[str] = set()
        self.pondered: list[str] = []
        self.used = 0.0
        self.turns = 0
        self.greeted = False
        self.impossible = 0

    def update(self, agent_acts: tuple[Act, ...], user_acts: tuple[Act, ...]) -> None:
        """Bayes' rule for one exchange. A user turn that nobody could have said leaves the belief as it was."""
        likelihood = _Exchange(self, agent_acts, user_acts).likelihood()
        mass = self.mass * likelihood
        total = float(mass.sum())
        if total > 0:
            alive = np.asarray(mass.any(axis=0), dtype=np.bool_)
            self.mass = mass[:, alive] / total
            self.tastes = self.tastes.subset(alive)
        else:
            self.impossible += 1
        self._advance(agent_acts, user_acts)

    def entropy_bits(self) -> float:
        """Entropy of the tastes (families summed out), in bits."""
        p = self.mass.sum(axis=0)
        p = p[p > 0]
        return float(-(p * np.log2(p)).sum())

    def marginals(self) -> dict[str, dict[str, float]]:
        """Probability of each value of each factor, family included."""
        p = self.mass.sum(axis=0)
        found = {slot: self.tastes.marginal(slot, p) for slot in (*SLOTS, "priority")}
        family = self.mass.sum(axis=1)
        found["family"] = {name: float(q) for name, q in zip(self.families, family, strict=True)}
        return found

    def acceptance(self) -> Array:
        """(items,) probability that each activity is acceptable now."""
        total = self.now(self.mass, lambda tastes: tastes.acceptable(self.scenario.items))
        return np.asarray(total.sum(axis=0))

    def now(self, mass: Array, judge: Any) -> Array:
        """(tastes, items) joint mass of a taste point and ``judge(tastes)``, minding who has changed their mind."""
        shifted = self._shifted()
        result = mass[~shifted].sum(axis=0)[:, None] * judge(self.tastes)
        if shifted.any():
            result = result + mass[shifted].sum(axis=0)[:, None] * judge(self.tastes.changed())
        return np.asarray(result)

    def _shifted(self) -> NDArray[np.bool_]:
        """Families whose theme is the second one by now."""
        late = self.turns >= CHANGE_AT
        return np.array([late and name == "changeable" for name in self.families])

    def _advance(self, agent_acts: tuple[Act, ...], user_acts: tuple[Act, ...]) -> None:
        """Carry the public part of the kernel's state along, from acts alone."""
        self.used += _cost(self, agent_acts, user_acts)
        self.greeted = self.greeted or _is_pleasantry(agent_acts)
        for act in user_acts:
            telling = act.kind in ("answer", "volunteer", "change", "reject")
            if telling and act.slot in VALUES and act.value in VALUES[act.slot]:
                self.told.pop(act.slot, None)
                self.told[act.slot] = act.value
            if act.kind == "reject" and act.item:
                self.rejected.add(act.item)
            if act.kind == "hesitate" and act.item:
                self.pondered.append(act.item)
        self.turns += 1


class _Exchange:
    """The likelihood of one user turn given one agent turn, for every persona on the grid at once."""

    def __init__(self, belief: Belief, agent_acts: tuple[Act, ...], user_acts: tuple[Act, ...]) -> None:
        self.belief = belief
        self.agent_acts = agent_acts
        self.left = list(user_acts)
        self.told = dict(belief.told)
        self.due = belief.turns + 1 == CHANGE_AT

    def likelihood(self) -> Array:
        """(families, tastes)."""
        rows = [self._family(name) for name in self.belief.families]
        return np.stack(rows)

    def _family(self, family: str) -> Array:
        """(tastes,) likelihood under one family; mirrors ``PreferenceKernel.respond`` step by step."""
        belief, manner = self.belief, MANNERS[family]
        acts, told, tastes = list(self.left), dict(self.told), belief.tastes
        like = np.ones(len(tastes))
        suggested = suggestions(self.agent_acts, tuple(belief.pondered))
        if closes(self.agent_acts, suggested):
            return like if [act.kind for act in acts] == ["leave"] else like * 0
        said: set[str] = set()
        if family == "changeable" and belief.turns + 1 >= CHANGE_AT:
            tastes = tastes.changed()
            if self.due:
                head = acts.pop(0) if acts and acts[0].kind == "change" else None
                if head is None or head.value is None:
                    return like * 0
                like = like * tastes.equals("theme", head.value)
                told["theme"] = head.value
                said.add("theme")
        if acts and acts[0].kind == "change":
            return like * 0
        asked = questions(self.agent_acts)
        used = belief.used + _cost(belief, self.agent_acts, tuple(self.left))
        patience = round(manner.patience - used, 6)
        if suggested:
            like = like * self._considered(family, tastes, suggested, acts, told)
        elif asked:
            like = like * _answered(family, tastes, asked, acts, told, said)
        else:
            like = like * _reacted(belief, self.agent_acts, acts)
        if not acts or acts[0].kind != "accept":
            engaged = bool(suggested or asked) and not any(act.kind == "evade" for act in self.left)
            like = like * _ending(family, tastes, acts, told, patience, engaged)
        return np.asarray(like)

    def _considered(
        self, family: str, tastes: Tastes, names: list[str], acts: list[Act], told: dict[str, str]
    ) -> Array:
        """Likelihood of the verdict on suggestions; leaves what follows in ``acts`` (an ``accept`` stays there)."""
        belief, manner = self.belief, MANNERS[family]
        if len(names) >= TOO_MANY:
            ok = bool(acts) and acts.pop(0).kind == "overwhelmed"
            return np.full(len(tastes), float(ok))
        if not acts:
            return np.zeros(len(tastes))
        fits = tastes.acceptable(belief.scenario.items, names)
        first = np.where(fits.any(axis=1), fits.argmax(axis=1), -1)
        weighs = len(names) == 1 and names[0] not in belief.pondered
        kind, about = acts[0].kind, acts[0].item
        if kind == "hesitate":
            acts.pop(0)
            hit = first == names.index(about) if about in names else np.zeros(len(tastes), bool)
            return hit * (manner.hesitates if weighs else 0.0)
        spare = round(manner.patience - belief.used - _refusal_cost(belief, names), 6)
        worn = tastes.second_rate(belief.scenario.items, names[0]) & (first < 0)
        worn = worn if manner.settles and 0 < spare <= 1.0 else np.zeros(len(tastes), bool)
        if kind == "accept":
            hit = first == names.index(about) if about in names else np.zeros(len(tastes), bool)
            return hit * (1.0 - manner.hesitates if weighs else 1.0) + (worn if about == names[0] else 0.0)
        refused = acts[: len(names)]
        if [act.item for act in refused] != names or any(act.kind != "reject" for act in refused):
            return np.zeros(len(tastes))
        del acts[: len(names)]
        like = ((first < 0) & ~worn).astype(float)
        slot, value = refused[0].slot, refused[0].value
        if slot is not None and value is not None:
            told[slot] = value
            return like * tastes.complains(names[0], slot) * tastes.equals(slot, value) * manner.reasons
        return like * np.where(tastes.complains(names[0], None), 1.0, 1.0 - manner.reasons)


def _answered(
    family: str, tastes: Tastes, asked: list[Act], acts: list[Act], told: dict[str, str], said: set[str]
) -> Array:
    """Likelihood of the answers; consumes them from ``acts``, notes them in ``told`` and (this turn) ``said``."""
    openness = MANNERS[family].openness
    like = np.ones(len(tastes))
    if len(asked) >= SURVEY:
        if not acts or acts.pop(0).kind != "overwhelmed":
            return like * 0
        asked = asked[:1]
    for act in asked:
        if act.slot in said:
            continue
        if not acts:
            return like * 0
        got = acts.pop(0)
        if got.kind == "answer" and got.slot is not None:
            said.add(got.slot)
        if act.slot == "open":
            like = like * _open_answer(family, tastes, got, told)
        elif act.slot in told:
            like = like * float(got.kind == "told" and got.slot == act.slot)
        else:
            p = openness if act.value is None else openness + (1.0 - openness) / 2
            if (
                got.kind == "answer"
                and got.slot is not None
                and got.slot == act.slot
                and got.value is not None
            ):
                like = like * tastes.says(family, got.slot, got.value) * p
                told[got.slot] = got.value
            else:
                like = like * ((1.0 - p) * (got.kind == "evade" and got.slot == act.slot))
    return like


def _open_answer(family: str, tastes: Tastes, got: Act, told: dict[str, str]) -> Array:
    """Likelihood of the answer to an open question: the weightiest thing not said yet."""
    openness = MANNERS[family].openness
    nothing_left = tastes.next_is(told, None)
    if got.kind == "evade":
        return (~nothing_left).astype(np.float64) * ((1.0 - openness) * (got.slot == "open"))
    if got.slot == "open":
        return nothing_left.astype(float)
    if got.slot is None or got.value is None or got.kind != "answer":
        return np.zeros(len(tastes))
    like = tastes.next_is(told, got.slot) * tastes.says(family, got.slot, got.value) * openness
    told[got.slot] = got.value
    return like


def _reacted(belief: Belief, agent_acts: tuple[Act, ...], acts: list[Act]) -> Array:
    """Small talk tells nothing about tastes; it only has to be what the kernel would say."""
    kinds = {act.kind for act in agent_acts}
    if not kinds or kinds & {"unknown", "refuse"}:
        expected = "clarify"
    elif kinds <= {"greet", "acknowledge"} and not belief.greeted:
        expected = "greet" if "greet" in kinds else "nudge"
    else:
        expected = "nudge"
    ok = bool(acts) and acts.pop(0).kind == expected
    return np.full(len(belief.tastes), float(ok))


def _ending(
    family: str, tastes: Tastes, acts: list[Act], told: dict[str, str], patience: float, engaged: bool
) -> Array:
    """Likelihood of what comes last: something volunteered or not, and leaving when patience is gone."""
    p = MANNERS[family].volunteers
    if patience <= 0:
        return np.full(len(tastes), float([act.kind for act in acts] == ["leave"]))
    if not engaged or not p:
        return np.full(len(tastes), float(not acts))
    if not acts:
        return np.where(tastes.next_is(told, None), 1.0, 1.0 - p)
    last = acts[0]
    if len(acts) > 1 or last.kind != "volunteer" or last.slot is None or last.value is None:
        return np.zeros(len(tastes))
    return tastes.next_is(told, last.slot) * tastes.says(family, last.slot, last.value) * p


def _question_cost(count: int) -> float:
    return COST["question"] + COST["extra question"] * (count - 1) if count else 0.0


def _cost(belief: Belief, agent_acts: tuple[Act, ...], user_acts: tuple[Act, ...]) -> float:
    """Patience that an exchange used up: a function of what both said, the same for every persona."""
    kinds = [act.kind for act in user_acts]
    names = suggestions(agent_acts, tuple(belief.pondered))
    if closes(agent_acts, names):
        return 0.0
    asks = len(questions(agent_acts))
    if names:
        if "accept" in kinds:
            return 0.0  # the episode is over
        total = _question_cost(asks)
        if len(names) >= TOO_MANY:
            return total + COST["too many suggestions"]
        if "hesitate" in kinds:
            return total
        return total + _refusal_cost(belief, names)
    if asks:
        return _question_cost(asks) + COST["repeated question"] * kinds.count("told")
    if "clarify" in kinds:
        return COST["not understood"]
    return 0.0 if _is_pleasantry(agent_acts) and not belief.greeted else COST["idle"]


def _refusal_cost(belief: Belief, names: list[str]) -> float:
    """What refused suggestions use up, given what the user had said before."""
    total = 0.0
    for rank, name in enumerate(names):
        total += COST["bad suggestion" if rank == 0 else "extra suggestion"]
        if name in belief.rejected:
            total += COST["suggested again"]
        elif contradicts(name, belief.told):
            total += COST["ignores what was said"]
    return total


def _is_pleasantry(agent_acts: tuple[Act, ...]) -> bool:
    return bool(agent_acts) and {act.kind for act in agent_acts} <= {"greet", "acknowledge"}


@lru_cache(maxsize=8)
def _prior(families: tuple[str, ...]) -> tuple[Tastes, Array]:
    """The grid and the prior mass on it, normalised over ``families``."""
    tastes = full_grid()
    mass = np.stack([tastes.prior(name) * PreferencePrior.weights[name] for name in families])
    return tastes, mass / mass.sum()


def belief_trace(
    scenario: PreferenceScenario, turns: Sequence[Turn], marginals: bool = True
) -> list[dict[str, Any]]:
    """The belief before the first exchange and after each: entropy in bits, and marginals if wanted."""
    return trace_of(Belief(scenario), turns, marginals)
