"""What is known before a turn of a teacher is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Manner = Literal["", "asks", "wonders", "nods", "reasons", "states"]
"""Not known; an open question; one to say yes or no to; hardly a word; a reason; anything else."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known before a turn is read.

    Attributes:
        answered: whether the student has just said something.
        doubt: the idea that their last words may be mistaken about, or -1.
        focus: the idea that was talked of last, or -1.
        manner: how the student spoke.
    """

    answered: bool = False
    doubt: int = -1
    focus: int = -1
    manner: Manner = ""
