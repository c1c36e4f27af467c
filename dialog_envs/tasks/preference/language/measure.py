"""Macro F1 of the understanding of agent text, over acts and slots, on labelled utterances.

``python -m dialog_envs.tasks.preference.language.measure [FILE] [--json]`` prints a table of classes; ``FILE`` is
JSON lines ``{"text", "acts", "scenario_items", "history"?}``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....core.dialogue import Act
from .understanding import understand

DEFAULT = Path(__file__).resolve().parents[4] / "tests" / "tasks" / "understanding" / "test_set.jsonl"


@dataclass(frozen=True, slots=True)
class _Scene:
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How one class fares: counts over all utterances."""

    right: int
    said: int
    labelled: int

    @property
    def f1(self) -> float:
        """2PR / (P + R): 1 where every label is found and nothing else, 0 where none is."""
        return 2 * self.right / (self.said + self.labelled) if self.said + self.labelled else 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """The measurement: a score a class (``ask(budget)``, ``suggest`` …) and over all utterances.

    ``exact`` is the share of utterances whose acts all agree, values and items included; ``values`` the share of
    rightly found questions whose yes/no value agrees too.
    """

    classes: dict[str, Score]
    utterances: int
    exact: float
    values: float

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the classes that the labels hold; a suggestion counts only with the right activity."""
        held = [score.f1 for score in self.classes.values() if score.labelled]
        return sum(held) / len(held) if held else 0.0

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        classes = {
            name: {"f1": round(s.f1, 4), "labelled": s.labelled, "said": s.said, "right": s.right}
            for name, s in sorted(self.classes.items())
        }
        return {
            "macro_f1": round(self.macro_f1, 4), "utterances": self.utterances, "exact": round(self.exact, 4),
            "values": round(self.values, 4), "classes": classes,
        }  # fmt: skip

    def __str__(self) -> str:
        lines = [f"{'class':<14}{'F1':>7}{'labelled':>10}{'found':>7}{'right':>7}"]
        for name, s in sorted(self.classes.items()):
            lines.append(f"{name:<14}{s.f1:>7.3f}{s.labelled:>10}{s.said:>7}{s.right:>7}")
        lines.append(f"macro F1 {self.macro_f1:.3f} over {self.utterances} utterances; every act right in "
                     f"{self.exact:.1%}; values of questions right in {self.values:.1%}")  # fmt: skip
        return "\n".join(lines)


def measure(rows: Iterable[Mapping[str, Any]]) -> Report:
    """Understand every row's text and compare with its acts."""
    right, said, labelled = Counter[str](), Counter[str](), Counter[str]()
    count = exact = asked = valued = 0
    for row in rows:
        scene = _Scene(tuple(row["scenario_items"]))
        truth = {Act.from_json(act) for act in row["acts"]}
        found = set(understand(row["text"], scene, row.get("history", ())))
        labelled.update(_class(act) for act in truth)
        said.update(_class(act) for act in found)
        keys = {_key(act) for act in found}
        for act in truth:
            if _key(act) in keys:
                right[_class(act)] += 1
                asked += act.kind == "ask"
                valued += act.kind == "ask" and act in found
        count += 1
        exact += truth == found
    classes = {name: Score(right[name], said[name], labelled[name]) for name in labelled | said}
    return Report(classes, count, exact / max(count, 1), valued / max(asked, 1))


def _class(act: Act) -> str:
    return f"ask({act.slot})" if act.kind == "ask" else act.kind


def _key(act: Act) -> tuple[str, str | None, str | None]:
    return act.kind, act.slot, act.item


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="measure", description="Macro F1 of understanding over acts and slots."
    )
    parser.add_argument(
        "file", nargs="?", type=Path, default=DEFAULT, help="labelled utterances (JSON lines)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        rows = [
            json.loads(line) for line in options.file.read_text(encoding="utf-8").splitlines() if line.strip()
        ]
    except OSError as error:
        print(
            f"cannot read labelled utterances from {options.file}: {error.strerror}; name a file",
            file=sys.stderr,
        )
        return 2
    report = measure(rows)
    print(json.dumps(report.to_json(), indent=2) if options.json else report)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
