"""Dialogues as text and as pictures."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialog_envs.core.dialogue import AGENT, Turn
from dialog_envs.core.outcome import Outcome
from dialog_envs.errors import UsageError

WIDTH = 88


def as_text(turns: Sequence[Turn], outcome: Outcome | None = None) -> str:
    """The dialogue as wrapped lines, with the result at the end if there is one."""
    lines = []
    for turn in turns:
        lead = "Agent  " if turn.speaker == AGENT else "User   "
        body = textwrap.wrap(turn.text, WIDTH - len(lead)) or ["(silence)"]
        lines += [lead + body[0], *(" " * len(lead) + line for line in body[1:])]
    if outcome is not None:
        result = "success" if outcome.success else "no success"
        lines.append(f"-- {result}, graded {outcome.graded:.2f}, ended by {outcome.ended_by}")
    return "\n".join(lines)


def show(turns: Sequence[Turn], outcome: Outcome | None) -> None:
    """Print what is new: the opening after a reset, the last exchange after a step, and the result."""
    sys.stdout.write(as_text(turns[-2:], outcome) + "\n")
    sys.stdout.flush()


def picture(turns: Sequence[Turn]) -> NDArray[np.uint8]:
    """The dialogue as an RGB picture, (720, 1280, 3) of uint8; the latest turns if it is long.

    Raises:
        UsageError: pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise UsageError("render_mode='rgb_array' needs pillow: pip install pillow") from error
    image: Any = Image.new("RGB", (1280, 720), (250, 250, 248))
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=20)
    y = 700
    for turn in reversed(turns):
        mine = turn.speaker == AGENT
        lines = textwrap.wrap(turn.text, 72)[:12] or [" "]
        height = 28 * len(lines) + 20
        y -= height + 10
        if y < 0:
            break
        left = 40 if mine else 360
        draw.rounded_rectangle(
            (left, y, left + 880, y + height), 14, fill=(222, 233, 250) if mine else (233, 240, 224)
        )
        for i, line in enumerate(lines):
            draw.text((left + 16, y + 10 + 28 * i), line, fill=(30, 30, 30), font=font)
    return np.asarray(image, dtype=np.uint8)
