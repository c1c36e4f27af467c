"""Texts that anybody may have written, made fit to be kept and shown."""

from __future__ import annotations

import re

__all__ = ["shown", "whole"]

_HALF = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def whole(text: str) -> str:
    """``text`` with U+FFFD for each half of a character (a lone surrogate), which no file in UTF-8 can hold.

    Models write them: JSON's escapes can spell half an emoji, and a reply may be cut between its halves.
    """
    return text if text.isascii() else _HALF.sub("\ufffd", text)


def shown(text: str) -> str:
    """``text`` without what would steer a terminal (escape sequences, overrides of direction); lines stay lines."""
    return _CONTROL.sub("\ufffd", text)
