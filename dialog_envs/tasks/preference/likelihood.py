"""The grid of tastes, and the kernel's judgements evaluated on all of its points at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialog_envs.tasks.preference.catalogue import Item, item
from dialog_envs.tasks.preference.persona import (
    HARD,
    OPPOSITE,
    PRIOR,
    PRIORITY,
    SECOND_THEME,
    SLOTS,
    SOFT,
    VALUES,
)
from dialog_envs.tasks.preference.utility import (
    CLOSE,
    EXCUSES,
    FLOOR,
    PRIORITY_BONUS,
    SECOND_RATE,
    WEIGHTS,
    breaks,
    match,
)

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
CODES = {slot: {value: i for i, value in enumerate(values)} for slot, values in VALUES.items()} | {
    "priority": {slot: i for i, slot in enumerate(SOFT)}
}
_ANY = {slot: CODES[slot].get("any", -1) for slot in SOFT}


@dataclass(frozen=True, eq=False)
class Tastes:
    """Points of the taste grid: for each factor an integer column of shape (points,)."""

    columns: dict[str, NDArray[np.int8]]
    cache: dict[str, Any] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.columns["theme"])

    def subset(self, alive: Mask) -> Tastes:
        """The points where ``alive`` holds."""
        return self if alive.all() else Tastes({name: column[alive] for name, column in self.columns.items()})

    def changed(self) -> Tastes:
        """The same persons after a change of mind."""
        if "changed" not in self.cache:
            table = np.array(
                [CODES["theme"][SECOND_THEME[theme]] for theme in VALUES["theme"]], dtype=np.int8
            )
            self.cache["changed"] = Tastes(self.columns | {"theme": table[self.columns["theme"]]})
        changed: Tastes = self.cache["changed"]
        return changed

    def equals(self, slot: str, value: str) -> Mask:
        """(points,) whether the factor has this value."""
        if slot not in CODES:
            return np.zeros(len(self), bool)
        return np.asarray(self.columns[slot] == CODES[slot].get(value, -2))

    def marginal(self, slot: str, p: Array) -> dict[str, float]:
        """Probability of each value of a factor under the weights ``p`` (points,)."""
        names = list(CODES[slot])
        sums = np.bincount(self.columns[slot], weights=p, minlength=len(names))
        return dict(zip(names, sums.tolist(), strict=True))

    def prior(self, family: str) -> Array:
        """(points,) prior probability within a family; sums to 1."""
        p = np.ones(len(self))
        for slot in SLOTS:
            p = p * np.array([PRIOR[slot][value] for value in VALUES[slot]])[self.columns[slot]]
        weights = np.stack([self._wants(slot) * PRIORITY[slot] for slot in SOFT])
        p = (
            p
            * np.take_along_axis(weights, self.columns["priority"][None].astype(np.int64), 0)[0]
            / weights.sum(0)
        )
        if family == "cost_averse":
            p = p * self.equals("budget", "low")
        if family == "contradictory":
            p = p * (self._wants("setting") | self._wants("pace") | self._wants("crowd"))
        return np.asarray(p / p.sum())

    def says(self, family: str, slot: str, value: str) -> Array:
        """(points,) 1 where the persona's answer about ``slot`` is ``value`` (see ``PreferencePersona.says``)."""
        if slot not in SLOTS:
            return np.zeros(len(self))
        truth = self.equals(slot, value)
        if family == "cost_averse" and slot == "budget":
            return np.full(len(self), float(value == "any"))
        if family == "contradictory" and slot in ("crowd", "pace", "setting"):
            lies = self._lies(slot)
            truth = np.where(lies, self.equals(slot, OPPOSITE.get(value, "")), truth)
        return truth.astype(float)

    def next_is(self, told: dict[str, str], slot: str | None) -> Mask:
        """(points,) whether ``slot`` is the weightiest wish not talked about (``None``: nothing is left)."""
        left = {name: self._wants(name) & (name not in told) for name in SOFT}
        if slot is None:
            return ~np.logical_or.reduce(list(left.values()))
        if slot not in left:
            return np.zeros(len(self), bool)
        first = left[slot] & self.equals("priority", slot)
        ahead = np.zeros(len(self), bool)
        for name in SOFT:
            ahead |= left[name] & self.equals("priority", name)
            if name == slot:
                break
        earlier = np.zeros(len(self), bool)
        for name in SOFT[: SOFT.index(slot)]:
            earlier |= left[name]
        for name in SOFT[SOFT.index(slot) + 1 :]:
            ahead |= left[name] & self.equals("priority", name)
        return np.asarray(first | (left[slot] & ~ahead & ~earlier))

    def acceptable(self, items: tuple[str, ...], names: Sequence[str] | None = None) -> Mask:
        """(points, items or names) whether an activity meets the constraints and is among the best of ``items``."""
        utilities = self.utilities(items)
        good = (utilities > 0) & (utilities >= utilities.max(axis=1, keepdims=True) - CLOSE)
        if names is None:
            return np.asarray(good)
        columns = [items.index(name) if name in items else -1 for name in names]
        return np.stack([good[:, c] if c >= 0 else np.zeros(len(self), bool) for c in columns], axis=1)

    def second_rate(self, items: tuple[str, ...], name: str) -> Mask:
        """(points,) whether an activity is what somebody settles for."""
        if name not in items:
            return np.zeros(len(self), bool)
        utilities = self.utilities(items)
        own = utilities[:, items.index(name)]
        return np.asarray((own > 0) & (own >= SECOND_RATE * utilities.max(axis=1)))

    def utilities(self, items: tuple[str, ...]) -> Array:
        """(points, items) the kernel's utilities."""
        if (
            self.cache.get("items") != items
        ):  # one scenario at a time: the full grid lives as long as the process
            self.cache["utilities"] = np.stack([self._utility(item(name)) for name in items], axis=1)
            self.cache["items"] = items
        return np.asarray(self.cache["utilities"])

    def complains(self, name: str, slot: str | None) -> Mask:
        """(points,) whether ``slot`` is what speaks most against an activity (``None``: nothing does)."""
        entry = item(name)
        broken = {hard: self._breaks(entry, hard) for hard in HARD}
        any_broken = np.logical_or.reduce(list(broken.values()))
        unmet = {soft: self._match(entry, soft) < 1.0 for soft in EXCUSES}
        if slot is None:
            return np.asarray(~any_broken & ~np.logical_or.reduce(list(unmet.values())))
        if slot not in CODES or slot == "priority":
            return np.zeros(len(self), bool)
        order, found = (HARD, broken) if slot in HARD else (EXCUSES, unmet)
        hit = found[slot] & (~any_broken if slot in EXCUSES else True)
        for earlier in order[: order.index(slot)]:
            hit = hit & ~found[earlier]
        return np.asarray(hit)

    def _wants(self, slot: str) -> Mask:
        return np.asarray(self.columns[slot] != _ANY[slot])

    def _lies(self, slot: str) -> Mask:
        """Where a contradictory persona says the opposite about ``slot``: the first of crowd, pace, setting."""
        order = ("crowd", "pace", "setting")
        lies = self._wants(slot)
        for name in order[: order.index(slot)]:
            lies = lies & ~self._wants(name)
        return lies

    def _weight(self, slot: str) -> Array:
        extra = self.equals("priority", slot) * PRIORITY_BONUS
        return np.asarray(self._wants(slot) * (WEIGHTS[slot] + extra))

    def _match(self, entry: Item, slot: str) -> Array:
        return np.array([match(entry, slot, value) for value in VALUES[slot]])[self.columns[slot]]

    def _breaks(self, entry: Item, slot: str) -> Mask:
        table = np.array([breaks(entry, slot, value) for value in VALUES[slot]])
        return np.asarray(table[self.columns[slot]])

    def _utility(self, entry: Item) -> Array:
        total = np.zeros(len(self))
        got = np.zeros(len(self))
        for slot in SOFT:
            share = self._weight(slot)
            total += share
            got += share * self._match(entry, slot)
        fits = ~np.logical_or.reduce([self._breaks(entry, hard) for hard in HARD])
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(fits, FLOOR + (1.0 - FLOOR) * got / total, 0.0))


@lru_cache(maxsize=1)
def full_grid() -> Tastes:
    """All tastes whose priority is something the persona has a preference on."""
    names = (*SLOTS, "priority")
    mesh = np.indices([len(CODES[name]) for name in names], dtype=np.int8).reshape(len(names), -1)
    grid = Tastes({name: mesh[i] for i, name in enumerate(names)})
    wants = np.stack([grid._wants(slot) for slot in SOFT])
    fine = np.take_along_axis(wants, grid.columns["priority"][None].astype(np.int64), 0)[0]
    return Tastes({name: np.ascontiguousarray(column[fine]) for name, column in grid.columns.items()})
