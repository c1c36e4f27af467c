"""Writing TOML: what the standard library can read but not write. Only what a run's ``config.toml`` needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["to_toml"]


def to_toml(data: Mapping[str, Any], prefix: str = "") -> str:
    """TOML of nested mappings whose leaves are strings, numbers, booleans and lists of these.

    ``None`` is left out, because TOML has none. Keys keep their order; tables come after plain keys.
    """
    plain = {
        key: value for key, value in data.items() if not isinstance(value, Mapping) and value is not None
    }
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for key, value in data.items():
        if isinstance(value, Mapping):
            name = f"{prefix}{_key(key)}"
            lines += ["", f"[{name}]", to_toml(value, f"{name}.").rstrip("\n")]
    return "\n".join(lines).strip("\n") + "\n"


def _key(text: str) -> str:
    bare = text and all(
        character.isascii() and (character.isalnum() or character in "-_") for character in text
    )
    return text if bare else _value(text)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # A JSON string is a TOML basic string, but for the delete character, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    raise TypeError(f"no TOML for {type(value).__name__}")
