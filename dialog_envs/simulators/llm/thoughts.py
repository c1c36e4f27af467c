"""Taking out what a reasoning model thinks aloud, so that no other side of a dialogue ever reads it."""

from __future__ import annotations

import re

_NAME = r"(?:think|thinking|thought|reasoning|THINK)"
_BLOCK = re.compile(rf"<({_NAME})>.*?</\1>|\[(THINK)\].*?\[/\2\]", re.DOTALL)
_ONLY_CLOSED = re.compile(rf"\A.*(?:</{_NAME}>|\[/THINK\])", re.DOTALL)
_NEVER_CLOSED = re.compile(rf"(?:<{_NAME}>|\[THINK\]).*\Z", re.DOTALL)
_HARMONY = re.compile(r"\A.*<\|channel\|>final(?:<\|[a-z]+\|>[^<]*)*?<\|message\|>", re.DOTALL)


def without_thoughts(text: str) -> str:
    """`text` without reasoning blocks: ``<think>…</think>`` and its kin, wherever they stand.

    A closing tag without an opening one (chat templates open the block for the model) takes everything before it away;
    an opening tag that is never closed (the reply was cut off) everything behind it.
    """
    if "<" not in text and "[" not in text:
        return text.strip()
    text = _HARMONY.sub("", text).replace("<|return|>", "").replace("<|end|>", "")
    text = _BLOCK.sub("", text)
    text = _ONLY_CLOSED.sub("", text)
    return _NEVER_CLOSED.sub("", text).strip()
