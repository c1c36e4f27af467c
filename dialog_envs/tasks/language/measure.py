"""Macro F1 of the understanding of agent text, over classes of acts, on labelled utterances.

``python -m dialog_envs.tasks.language.measure TASK_ID [FILE ...] [--json]`` prints a table of classes: precision,
recall and F1 of each, over all files together; and the macro F1 of each file, where there are several. A line of a file
is ``{"text", "acts", "history" or "dialogue"?, …}`` with what the task needs to know the scenario by; by default they
are the task's sealed sets, which were written without sight of the code.

A task takes part by a module ``language/labels.py`` that keeps the protocol :class:`Labels`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from ...core.dialogue import Act
from ...errors import DialogEnvsError, UnknownTask, UsageError

_VALUED = ("ask", "explain")
"""Acts whose values are counted apart."""
FOLDER = Path(__file__).resolve().parents[3] / "tests" / "tasks" / "understanding"
"""Where the sealed sets lie in a checkout of the repository."""


class Labels(Protocol):
    """How a task's labelled utterances are read and scored."""

    SEALED: tuple[str, ...]
    """Names of the sealed files in :data:`FOLDER`."""
    understand: Callable[[str, Any, Sequence[Any]], tuple[Act, ...]]

    def scene(self, row: Mapping[str, Any]) -> Any:
        """The scenario of a row; raises ``KeyError`` where the row lacks it."""

    def class_of(self, act: Act) -> str:
        """The class that an act counts for."""

    def key_of(self, act: Act) -> Hashable:
        """What must agree for an act to count as found."""


@dataclass(frozen=True, slots=True)
class Score:
    """How one class fares: counts over all utterances."""

    right: int
    said: int
    labelled: int

    def __add__(self, other: Score) -> Score:
        return Score(self.right + other.right, self.said + other.said, self.labelled + other.labelled)

    @property
    def precision(self) -> float:
        """The share right of what was found; 0 where nothing was."""
        return self.right / self.said if self.said else 0.0

    @property
    def recall(self) -> float:
        """The share found of what is labelled; 0 where nothing is."""
        return self.right / self.labelled if self.labelled else 0.0

    @property
    def f1(self) -> float:
        """2PR / (P + R): 1 where every label is found and nothing else, 0 where none is."""
        return 2 * self.right / (self.said + self.labelled) if self.said + self.labelled else 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """The measurement: a score a class (``ask(budget)``, ``suggest`` …) and over all utterances. Reports add up.

    Attributes:
        classes: a score each.
        utterances: how many there are.
        agreed: how many of them agree in all acts, values and items included.
        valued: questions and explanations (acts ``ask`` and ``explain``) that were rightly found.
        values_agreed: those of them whose value agrees, too.
    """

    classes: dict[str, Score]
    utterances: int
    agreed: int
    valued: int
    values_agreed: int

    def __add__(self, other: Report) -> Report:
        nothing = Score(0, 0, 0)
        names = (*self.classes, *(name for name in other.classes if name not in self.classes))
        return Report(
            {name: self.classes.get(name, nothing) + other.classes.get(name, nothing) for name in names},
            self.utterances + other.utterances,
            self.agreed + other.agreed,
            self.valued + other.valued,
            self.values_agreed + other.values_agreed,
        )

    @property
    def exact(self) -> float:
        """The share of utterances whose acts all agree."""
        return self.agreed / max(self.utterances, 1)

    @property
    def values(self) -> float:
        """The share of rightly found questions and explanations whose value agrees."""
        return self.values_agreed / max(self.valued, 1)

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the classes that the labels hold."""
        held = [score.f1 for score in self.classes.values() if score.labelled]
        return sum(held) / len(held) if held else 0.0

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        classes = {
            name: {
                "f1": round(s.f1, 4), "precision": round(s.precision, 4), "recall": round(s.recall, 4),
                "labelled": s.labelled, "said": s.said, "right": s.right,
            }
            for name, s in sorted(self.classes.items())
        }  # fmt: skip
        return {
            "macro_f1": round(self.macro_f1, 4), "utterances": self.utterances, "exact": round(self.exact, 4),
            "values": round(self.values, 4), "classes": classes,
        }  # fmt: skip

    def __str__(self) -> str:
        lines = [
            f"{'class':<20}{'precision':>10}{'recall':>8}{'F1':>7}{'labelled':>10}{'found':>7}{'right':>7}"
        ]
        for name, s in sorted(self.classes.items()):
            lines.append(f"{name:<20}{s.precision:>10.3f}{s.recall:>8.3f}{s.f1:>7.3f}"
                         f"{s.labelled:>10}{s.said:>7}{s.right:>7}")  # fmt: skip
        lines.append(f"macro F1 {self.macro_f1:.3f} over {self.utterances} utterances; every act right in "
                     f"{self.exact:.1%}; their values right in {self.values:.1%}")  # fmt: skip
        return "\n".join(lines)


def measure(labels: Labels, rows: Iterable[Mapping[str, Any]]) -> Report:
    """Understand every row's text and compare with its acts."""
    right, said, labelled = Counter[str](), Counter[str](), Counter[str]()
    count = agreed = valued = values_agreed = 0
    class_of, key_of = labels.class_of, labels.key_of
    for row in rows:
        truth = {Act.from_json(act) for act in row["acts"]}
        found = set(
            labels.understand(row["text"], labels.scene(row), row.get("history") or row.get("dialogue", ()))
        )
        labelled.update(class_of(act) for act in truth)
        said.update(class_of(act) for act in found)
        keys = {key_of(act) for act in found}
        for act in truth:
            if key_of(act) in keys:
                right[class_of(act)] += 1
                valued += act.kind in _VALUED
                values_agreed += act.kind in _VALUED and act in found
        count += 1
        agreed += truth == found
    classes = {name: Score(right[name], said[name], labelled[name]) for name in labelled | said}
    return Report(classes, count, agreed, valued, values_agreed)


def labels_of(task_id: str) -> Labels:
    """The ``language/labels.py`` of a task.

    Raises:
        UnknownTask: no such task is registered.
        UsageError: it has no such module.
    """
    from ...registration import TASKS

    if task_id not in TASKS:
        raise UnknownTask(task_id, TASKS)
    name = f"{TASKS[task_id].partition(':')[0].rpartition('.')[0]}.language.labels"
    try:
        return cast(Labels, import_module(name))
    except ModuleNotFoundError as error:
        raise UsageError(f"{task_id} has no labelled utterances: its package lacks {name}") from error


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status: 0, or 2 where the task or the file cannot be used."""
    parser = argparse.ArgumentParser(
        prog="measure", description="Precision, recall and macro F1 of understanding, over classes of acts."
    )
    parser.add_argument("task", help="id of the task, for example PreferenceElicitation-v0")
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="labelled utterances (JSON lines)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        labels = labels_of(options.task)
    except DialogEnvsError as error:
        print(error, file=sys.stderr)
        return 2
    alone: dict[str, Report] = {}
    for file in options.files or [FOLDER / name for name in labels.SEALED]:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
            rows = [json.loads(line) for line in lines if line.strip()]
            alone[file.name if file.parent == FOLDER else str(file)] = measure(labels, rows)
        except OSError as error:
            print(
                f"cannot read labelled utterances from {file}: {error.strerror}; name a file", file=sys.stderr
            )
            return 2
        except (ValueError, KeyError, TypeError) as error:
            print(
                f"{file} holds a line that is no labelled utterance of {options.task}: {error!r}",
                file=sys.stderr,
            )
            return 2
    first, *others = alone.values()
    report = sum(others, start=first)
    if options.json:
        files = {
            name: {"macro_f1": round(one.macro_f1, 4), "utterances": one.utterances}
            for name, one in alone.items()
        }
        print(json.dumps({**report.to_json(), "files": files}, indent=2))
        return 0
    if len(alone) > 1:
        for name, one in alone.items():
            print(f"{name}: macro F1 {one.macro_f1:.3f} over {one.utterances} utterances")
    print(report)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
