"""Prompt files: a set of prompts is one Markdown file with a section for each thing a model may be told.

A section begins with a heading of the first level that is one of :data:`SECTIONS`; what stands before the first one is
a comment. Sections that a file leaves out are those of the shipped ``plain.md``. In the texts, ``${goal}`` and the
other :data:`PLACEHOLDERS` are filled in from the task's :class:`~dialog_envs.core.brief.TaskBrief`, so that one file
serves every task.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import Template

from dialog_envs.core.brief import TaskBrief
from dialog_envs.errors import UnknownName, UsageError

__all__ = ["PLACEHOLDERS", "SECTIONS", "SHIPPED", "PromptSet", "load_prompts", "variant_names"]

SHIPPED = Path(__file__).parents[1] / "prompts"
DEFAULT = "plain"

SECTIONS = {
    "system": "the instructions at the head of every chat",
    "speak": "how a written turn looks; fills ${manner} in `system`",
    "think": "asks for private reasoning (cot)",
    "decide": "hands the reasoning back and asks for the turn (cot)",
    "detect": "asks whether something is unclear, for a Yes or No (clam)",
    "clarify": "asks for a question (clam)",
    "proceed": "asks for a step towards the goal (clam)",
    "user": "makes the model play the user (gdp-zero)",
    "value": "asks how likely a good end is (gdp-zero)",
    "carry": "asks to put a planned turn into words (gdp-zero)",
}
"""What a prompt file may hold, and what each section is for."""
_LATER = {"system": {"manner", "examples"}, "decide": {"thoughts"}, "carry": {"plan"}}
PLACEHOLDERS = (
    "agent", "user", "agent_name", "user_name", "agent_role", "user_role", "goal", "advice", "advice_list", "hidden",
    "success", "failure",
)  # fmt: skip
"""Placeholders of every section: the task's brief. ``agent`` and ``user`` are the speakers' names in lower case."""
_HEADING = re.compile(r"^# (\S.*?)\s*$", re.MULTILINE)
_BLANKS = re.compile(r"\n{3,}")


class UnknownVariant(UnknownName, UsageError):
    """There is no prompt file of that name."""

    kind = "prompt variant"


@dataclass(frozen=True)
class PromptSet:
    """The prompts of one file, completed by the shipped ones.

    Attributes:
        variant: the file's name without its ending.
        texts: section → template.
    """

    variant: str
    texts: Mapping[str, str]

    def digest(self, sections: Sequence[str]) -> str:
        """Eight digits that change whenever one of these sections does."""
        text = "\0".join(f"{name}\0{self.texts[name]}" for name in sorted(sections))
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def for_task(self, brief: TaskBrief) -> FilledPrompts:
        """The prompts of a task."""
        return FilledPrompts(self, brief)


@dataclass(frozen=True)
class FilledPrompts:
    """Prompts with a task's words in them."""

    prompts: PromptSet
    brief: TaskBrief

    def text(self, section: str, **later: str) -> str:
        """A section, filled in. Placeholders that only hold an empty text leave no gap."""
        filled = Template(self.prompts.texts[section]).substitute(self._values, **later)
        return _BLANKS.sub("\n\n", filled).strip()

    def system(self, examples: bool, written: bool) -> str:
        """The instructions: the same in every turn of every episode, so that servers need read them only once.

        Args:
            examples: show the task's example dialogues.
            written: say how a turn looks; not needed where turns are chosen.
        """
        shown = self._examples if examples else ""
        return self.text("system", manner=self.text("speak") if written else "", examples=shown)

    @cached_property
    def _values(self) -> dict[str, str]:
        brief = self.brief
        return {
            "agent": brief.agent_name.lower(),
            "user": brief.user_name.lower(),
            "agent_name": brief.agent_name,
            "user_name": brief.user_name,
            "agent_role": brief.agent_role,
            "user_role": brief.user_role,
            "goal": brief.goal,
            "advice": " ".join(brief.advice),
            "advice_list": "\n".join(f"- {sentence}" for sentence in brief.advice),
            "hidden": brief.hidden,
            "success": brief.outcomes[0],
            "failure": brief.outcomes[1],
        }

    @cached_property
    def _examples(self) -> str:
        shown = (f"Example {i}\n{self.brief.transcript(e)}" for i, e in enumerate(self.brief.examples, 1))
        return "\n\n".join(shown)


def variant_names(folder: str | Path | None = None) -> tuple[str, ...]:
    """The prompt files of a folder (of the shipped ones by default), the default first.

    Raises:
        UsageError: there is no such folder, or no prompt file in it.
    """
    place = Path(folder) if folder is not None else SHIPPED
    names = sorted(file.stem for file in place.glob("*.md")) if place.is_dir() else []
    if not names:
        raise UsageError(f"there are no prompt files (*.md) in the folder '{place}'.")
    return tuple(sorted(names, key=lambda name: name != DEFAULT))


def load_prompts(folder: str | Path | None = None, variant: str | None = None) -> PromptSet:
    """A set of prompts.

    Args:
        folder: where the prompt files are; the shipped ones by default.
        variant: the file's name without its ending; ``plain``, or the first one of the folder, by default.

    Raises:
        UnknownVariant: there is no such file.
        UsageError: the folder or file cannot be used; the message says what is wrong with it.
    """
    names = variant_names(folder)
    chosen = variant or names[0]
    if chosen not in names:
        raise UnknownVariant(chosen, names, f"(looked in {folder})" if folder is not None else "")
    texts = _read(SHIPPED / f"{DEFAULT}.md")
    if folder is not None or chosen != DEFAULT:
        texts |= _read(Path(folder or SHIPPED) / f"{chosen}.md")
    return PromptSet(chosen, texts)


def _read(file: Path) -> dict[str, str]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read the prompts '{file}': {reason}.") from error
    _, *parts = _HEADING.split(text)
    texts: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name not in SECTIONS or name in texts:
            wrong = "twice" if name in texts else f"and there is only: {', '.join(SECTIONS)}"
            raise UsageError(f"the prompts '{file}' have a section '# {name}', {wrong}.")
        texts[name] = _checked(body.strip(), name, file)
    if not texts:
        raise UsageError(f"the prompts '{file}' have no section: begin one with a line such as '# system'.")
    return texts


def _checked(text: str, section: str, file: Path) -> str:
    known = {*PLACEHOLDERS, *_LATER.get(section, ())}
    template = Template(text)
    if not template.is_valid():
        raise UsageError(
            f"the prompts '{file}', section '{section}': write $$ for a dollar sign, ${{name}} for a name."
        )
    if unknown := [name for name in template.get_identifiers() if name not in known]:
        raise UsageError(
            f"the prompts '{file}', section '{section}': nothing fills ${{{unknown[0]}}}. There is: "
            f"{', '.join(sorted(known))}."
        )
    return text
