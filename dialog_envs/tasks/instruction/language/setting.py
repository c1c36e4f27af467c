"""What is known before a turn of a teacher is read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known before a turn is read: whether the student has just said something, which idea their last words
    may be mistaken about, and which idea was talked of last (-1: none)."""

    answered: bool = False
    doubt: int = -1
    focus: int = -1
