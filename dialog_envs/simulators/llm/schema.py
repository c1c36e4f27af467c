"""The part of JSON Schema that structured replies use: checked here, because not every server keeps to it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from dialog_envs.core.text import whole
from dialog_envs.errors import UsageError

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_CHECKED = frozenset(
    "type enum const properties required additionalProperties items minItems maxItems minLength maxLength minimum "
    "maximum anyOf".split()
)
_IGNORED = frozenset(("title", "description", "$schema", "default", "examples"))
KEYWORDS = _CHECKED | _IGNORED
"""What a schema may hold. Another keyword would go unchecked on some servers, hence it is refused."""
_FENCE = re.compile(r"\A```(?:json)?\s*\n(.*)\n\s*```\Z", re.DOTALL)


class NotTheSchema(ValueError):
    """A text is not one JSON value of the schema. Its message says what is wrong, to the model that wrote it."""


def check_schema(schema: Mapping[str, Any]) -> None:
    """Whether a schema can be checked.

    Raises:
        UsageError: it holds a keyword or type that this package does not check.
    """
    _check_text(json.dumps(schema, sort_keys=True))


@lru_cache(maxsize=256)
def _check_text(text: str) -> None:
    _check(json.loads(text), "the schema")


def _check(schema: Any, where: str) -> None:
    if not isinstance(schema, dict):
        raise UsageError(f"{where} of a structured reply must be an object, not {schema!r:.60}.")
    if unknown := sorted(set(schema) - KEYWORDS):
        raise UsageError(
            f"{where} of a structured reply uses {', '.join(unknown)}, which is not checked here. There is: "
            f"{', '.join(sorted(KEYWORDS))}."
        )
    kinds = schema.get("type", [])
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if kind not in TYPES:
            raise UsageError(f"{where} names the unknown type {kind!r}. There is: {', '.join(TYPES)}.")
    if schema.get("additionalProperties", False) not in (True, False):
        raise UsageError(f"{where}: additionalProperties must be true or false.")
    for name, inner in schema.get("properties", {}).items():
        _check(inner, f"{where}, property '{name}',")
    if "items" in schema:
        _check(schema["items"], f"{where}, items,")
    for inner in schema.get("anyOf", ()):
        _check(inner, f"{where}, anyOf,")


def parse(text: str, schema: Mapping[str, Any]) -> Any:
    """The JSON value that `text` is, all of it (one code fence around it is allowed).

    Raises:
        NotTheSchema: it is no JSON, or not what the schema admits.
    """
    text = text.strip()
    if fenced := _FENCE.match(text):
        text = fenced[1]
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise NotTheSchema("it is nested too deeply") from None
    except ValueError as error:
        raise NotTheSchema(f"it is not one JSON value ({error})") from None
    if wrong := problem(value, schema):
        raise NotTheSchema(wrong)
    return _whole(value) if "\\u" in text else value


def _whole(value: Any) -> Any:
    """The value with all its texts whole: escapes can spell half a character."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return {whole(name): _whole(one) for name, one in value.items()} if isinstance(value, dict) else value


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a property stands twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def problem(value: Any, schema: Mapping[str, Any], where: str = "the reply") -> str | None:
    """What is wrong with a value, for the model that wrote it; ``None`` if the schema admits it."""
    kinds = schema.get("type")
    if kinds is not None:
        allowed = [kinds] if isinstance(kinds, str) else list(kinds)
        if not any(_is(value, kind) for kind in allowed):
            return f"{where} must be of type {' or '.join(allowed)}, not {json.dumps(value)[:60]}"
    if "const" in schema and not _equal(value, schema["const"]):
        return f"{where} must be {json.dumps(schema['const'])}, not {json.dumps(value)[:60]}"
    if "enum" in schema and not any(_equal(value, one) for one in schema["enum"]):
        known = ", ".join(json.dumps(one, ensure_ascii=False) for one in schema["enum"])
        return f"{where} must be one of {known}, not {json.dumps(value, ensure_ascii=False)[:60]}"
    if (
        "anyOf" in schema
        and (inner := [problem(value, one, where) for one in schema["anyOf"]])
        and all(inner)
    ):
        return inner[0]
    if isinstance(value, dict):
        return _object_problem(value, schema, where)
    if isinstance(value, list):
        return _array_problem(value, schema, where)
    return _size_problem(value, schema, where)


def _object_problem(value: Mapping[str, Any], schema: Mapping[str, Any], where: str) -> str | None:
    properties: Mapping[str, Any] = schema.get("properties", {})
    if missing := [name for name in schema.get("required", ()) if name not in value]:
        return f"{where} lacks {', '.join(missing)}"
    if schema.get("additionalProperties", True) is False and (more := sorted(set(value) - set(properties))):
        return f"{where} must not hold {', '.join(more)[:80]}"
    for name, inner in properties.items():
        if name in value and (wrong := problem(value[name], inner, f"{name} in {where}")):
            return wrong
    return None


def _array_problem(value: Sequence[Any], schema: Mapping[str, Any], where: str) -> str | None:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return f"{where} has {len(value)} items, which is too {'many' if value else 'few'}"
    for index, one in enumerate(value):
        if wrong := problem(one, schema.get("items", {}), f"item {index + 1} of {where}"):
            return wrong
    return None


def _size_problem(value: Any, schema: Mapping[str, Any], where: str) -> str | None:
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            return f"{where} is too short: at least {schema['minLength']} characters"
        if len(value) > schema.get("maxLength", len(value)):
            return f"{where} is too long: at most {schema['maxLength']} characters"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < schema.get("minimum", value):
            return f"{where} must be at least {schema['minimum']}"
        if value > schema.get("maximum", value):
            return f"{where} must be at most {schema['maximum']}"
    return None


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES[kind])


def _equal(one: Any, other: Any) -> bool:
    """Equality in which ``True`` is not 1."""
    return type(one) is type(other) and bool(one == other)
