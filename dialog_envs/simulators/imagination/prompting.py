"""The engine's prompts: Markdown files filled in from the task's brief, each known by its hash.

A folder of one's own goes before the shipped one: a file of the same name replaces the shipped prompt, and every
``imagine.NAME.md`` is a variant of the prompt that imagines. In the texts, ``${goal}`` and the like are filled in;
:data:`PLACEHOLDERS` says which there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from dialog_envs.core.brief import TaskBrief
from dialog_envs.core.task import Task
from dialog_envs.errors import UsageError
from dialog_envs.simulators.users.prompting import card

FOLDER = Path(__file__).with_name("prompts")
VARIANT = "imagine."
"""What the names of the variants begin with."""

_BRIEF = frozenset(
    ("agent", "user", "agent_name", "user_name", "agent_role", "user_role", "goal", "advice", "hidden", "success",
     "failure")
)  # fmt: skip
_IMAGINE = frozenset(("brief", "persona", "outcome", "exchanges", "opening"))
_JUDGE = frozenset(("brief", "persona", "outcome", "dialogue", "mark"))
PLACEHOLDERS: Mapping[str, frozenset[str]] = {
    "reason": frozenset(("count", "examples", "manner", "taken")),
    "reason_manner": frozenset(("manner",)),
    "map": frozenset(("person", "who", "examples", "terms", "none", "family")),
    "again": frozenset(("problem",)),
    "small": _IMAGINE,
    "critique": _JUDGE | {"criteria"},
    "revise": _JUDGE | {"faults"},
    VARIANT: _IMAGINE,
}
"""Prompt → what it may hold beside the words of the task's brief."""


@dataclass(frozen=True)
class Prompts:
    """A set of prompts.

    Attributes:
        texts: name without ``.md`` → template.
        own: whether some of them are not the shipped ones.
    """

    texts: Mapping[str, str]
    own: bool = False

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the prompts that imagine a dialogue."""
        return tuple(name for name in self.texts if name.startswith(VARIANT))

    def hashes(self, names: Sequence[str]) -> dict[str, str]:
        """sha256 of some prompts, for a manifest."""
        return {name: hashlib.sha256(self.texts[name].encode()).hexdigest() for name in sorted(names)}

    def fill(self, name: str, task_brief: TaskBrief, **values: str) -> str:
        """A prompt with the task's words, and these, in it."""
        return Template(self.texts[name]).substitute({**brief_values(task_brief), **values})


def load_prompts(folder: str | Path | None = None) -> Prompts:
    """The shipped prompts, with those of a folder in their place.

    Raises:
        UsageError: the folder cannot be read, holds no prompt, or one with a placeholder that does not exist.
    """
    texts = {file.stem: file.read_text("utf-8").rstrip("\n") for file in sorted(FOLDER.glob("*.md"))}
    shipped = dict(texts)
    if folder is not None:
        texts |= _own(Path(folder))
    return Prompts(dict(sorted(texts.items())), texts != shipped)


def _own(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        raise UsageError(f"there is no folder of prompts '{folder}'.")
    found: dict[str, str] = {}
    for file in sorted(folder.glob("*.md")):
        known = PLACEHOLDERS.get(VARIANT if file.stem.startswith(VARIANT) else file.stem)
        if known is None:
            raise UsageError(
                f"'{file}' is no prompt of the imagination engine: there is {', '.join(PLACEHOLDERS)}NAME (each with "
                "the ending .md)."
            )
        try:
            text = file.read_text("utf-8").rstrip("\n")
            used = set(Template(text).get_identifiers())
            Template(text).substitute(dict.fromkeys(used, ""))
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise UsageError(f"cannot use the prompt '{file}': {error} (a bare $ is written $$).") from error
        if unknown := sorted(used - known - _BRIEF):
            raise UsageError(
                f"the prompt '{file}' holds ${{{unknown[0]}}}; it may hold {', '.join(sorted(known | _BRIEF))}."
            )
        found[file.stem] = text
    if not found:
        raise UsageError(f"'{folder}' holds no prompts: they are files like imagine.mine.md or critique.md.")
    return found


def brief_values(brief: TaskBrief) -> dict[str, str]:
    """The words of a task, by placeholder."""
    return {
        "agent": brief.agent_name.lower(),
        "user": brief.user_name.lower(),
        "agent_name": brief.agent_name,
        "user_name": brief.user_name,
        "agent_role": brief.agent_role,
        "user_role": brief.user_role,
        "goal": brief.goal,
        "advice": "\n".join(f"- {sentence}" for sentence in brief.advice),
        "hidden": brief.hidden,
        "success": brief.outcomes[0],
        "failure": brief.outcomes[1],
    }


def persona_text(task: Task[Any, Any, Any], persona: Any, who: str = "") -> str:
    """A persona as a prompt shows it: what somebody proposed in words, and the card that decides."""
    rows = card(task.persona_card(persona), task.prior.families)
    return f"- Who: {who}\n{rows}" if who else rows


def manner(task: Task[Any, Any, Any], persona: Any) -> str:
    """What the persona's family is like, as its card says it; its name where the card says nothing."""
    families = task.prior.families
    for _, text in task.persona_card(persona):
        name, colon, rest = text.partition(": ")
        if name in families:
            return rest if colon else name
    return str(getattr(persona, "family", ""))
