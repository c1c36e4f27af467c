"""Reading a user's words back: do they say what the act says, no less, and nothing that it does not?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dialog_envs.core.dialogue import Act, TurnView
from dialog_envs.core.task import ActRoles, Task
from dialog_envs.simulators.users.following import FACT, Key, keys

LONGER = 2
"""How many times longer than the grammar's own phrasings words may be (and ten words more): who rambles adds."""


class ReadBack:
    """The check of one user turn.

    Words pass if they read as the acts do, or as one of the grammar's own phrasings of them does (which says how much
    of such acts can be read from words at all). Facts, consent, farewells and whatever is about a thing must all be
    there, and no other; of small talk the words need only not turn into one of these.

    Args:
        task: whose language reads.
        acts: what the user does.
        phrasings: the grammar's words for it.
        scenario: the public context.
        dialogue: up to the agent's turn.
    """

    def __init__(
        self,
        task: Task[Any, Any, Any],
        acts: tuple[Act, ...],
        phrasings: Sequence[str],
        scenario: Any,
        dialogue: Sequence[TurnView],
    ) -> None:
        self._task, self._scenario, self._dialogue = task, scenario, dialogue
        self._roles = task.act_roles
        self._meant = _weighty(acts, self._roles)
        self._readings = {self._meant} | {self._read(text) for text in phrasings}
        self._longest = LONGER * max(len(text.split()) for text in phrasings) + 10

    def faithful(self, text: str) -> bool:
        """Whether a text reads exactly as the acts."""
        return self._read(text) == self._meant

    def problem(self, text: str) -> str | None:
        """What is wrong with a text, for the model that wrote it; ``None`` if it passes."""
        if not text.strip():
            return "it is empty"
        if "\n" in text.strip():
            return "it is more than one line"
        if len(text.split()) > self._longest:
            return f"it is too long: at most {self._longest} words"
        read = self._read(text)
        if read in self._readings:
            return None
        lost, added = self._meant - read, read - self._meant
        words = []
        if lost:
            words.append(f"it does not clearly say {_in_words(lost)}")
        if added:
            words.append(f"it also says {_in_words(added)}, which is not meant")
        return " and ".join(words)

    def _read(self, text: str) -> frozenset[Key]:
        return _weighty(self._task.language.read(text, self._scenario, self._dialogue), self._roles)


def _weighty(acts: Sequence[Act], roles: ActRoles) -> frozenset[Key]:
    """The acts that may neither be lost nor be added."""
    ends = roles.accepts | roles.leaves
    return frozenset(
        key
        for act in acts
        if act.kind in ends or act.item or act.kind in roles.discloses or act.kind in roles.volunteers
        for key in keys((act,), roles)
    )


def _in_words(found: frozenset[Key]) -> str:
    return ", ".join(sorted(" ".join(key[1:] if key[0] == FACT else key).replace("_", " ") for key in found))
