"""Spaces for text that anybody may write."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from dialog_envs.core.dialogue import AGENT, USER

MAX_TEXT = 20_000
"""Longest text of one turn, in characters. Longer actions are outside the space and refused with one clear error."""
MAX_BRIEF = 20_000
"""Longest brief, in characters."""

_SAMPLE_CHARACTERS = "etaoin shrdlucmfwypvbgkqjxz ETAOIN.,!?'-0123456789 áéíöüñß 你好 мир 🙂\n"


class UnicodeText(spaces.Text):
    """All strings up to a length: any Unicode character, spaces, new lines and the empty string included.

    The stock ``Text`` knows only the characters it was given, refuses the empty string, and looks at every
    character of every text (71 ns each); this one looks at the length alone.

    Args:
        max_length: most characters of a text.
        seed: seeds :meth:`sample`.
    """

    def __init__(self, max_length: int = MAX_TEXT, *, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(max_length, min_length=0, charset=_SAMPLE_CHARACTERS, seed=seed)

    def contains(self, x: Any) -> bool:
        """True for every ``str`` of at most ``max_length`` characters."""
        return isinstance(x, str) and len(x) <= self.max_length

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """A random text of at most 80 characters (a mask or probability goes to the stock space's method)."""
        if mask is not None or probability is not None:
            return super().sample(mask, probability)
        length = int(self.np_random.integers(0, min(80, self.max_length) + 1))
        return "".join(self.np_random.choice(self.character_list, size=length))

    def __repr__(self) -> str:
        return f"UnicodeText({self.max_length})"

    def __eq__(self, other: object, /) -> bool:
        return isinstance(other, UnicodeText) and self.max_length == other.max_length


def observation_space(max_brief: int = MAX_BRIEF, max_text: int = MAX_TEXT) -> spaces.Dict:
    """``{"brief": text, "dialogue": ({"speaker": 0 | 1, "text": text}, …)}``; speaker 0 is the agent, 1 the user."""
    turn = spaces.Dict({"speaker": spaces.Discrete(len((AGENT, USER))), "text": UnicodeText(max_text)})
    return spaces.Dict({"brief": UnicodeText(max_brief), "dialogue": spaces.Sequence(turn)})


def action_space(max_text: int = MAX_TEXT) -> UnicodeText:
    """One utterance of the agent."""
    return UnicodeText(max_text)
