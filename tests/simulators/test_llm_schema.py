"""What a structured reply may look like: the checked part of JSON Schema, and thoughts that are taken out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog_envs.errors import UsageError
from dialog_envs.simulators.llm.schema import NotTheSchema, check_schema, parse
from dialog_envs.simulators.llm.thoughts import without_thoughts

PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 5},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "likes": {"type": "array", "items": {"enum": ["tea", 1]}, "maxItems": 2},
        "other": {"anyOf": [{"type": "null"}, {"const": "yes"}]},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Ada", "age": 36}',
        ' \n{"name": "Ada", "age": 36.0, "likes": ["tea", 1], "other": null}\n',
        '```json\n{"name": "Ada", "age": 0, "other": "yes"}\n```',
        '```\n{"name": "A", "age": 120, "likes": []}\n```',
    ],
)
def test_what_is_admitted(text: str) -> None:
    assert parse(text, PERSON)["name"][0] == "A"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "not one JSON value"),
        ('Here: {"name": "Ada", "age": 36}', "not one JSON value"),
        ('{"name": "Ada", "age": 36} Bye!', "not one JSON value"),
        ('{"name": "Ada", "age": 36, "age": 37}', "stands twice"),
        ('{"name": "Ada", "age": NaN}', "no JSON"),
        ("[1]", "of type object"),
        ('{"age": 36}', "lacks name"),
        ('{"name": "", "age": 36}', "too short"),
        ('{"name": "Augusta", "age": 36}', "too long"),
        ('{"name": "Ada", "age": true}', "of type integer"),
        ('{"name": "Ada", "age": "36"}', "of type integer"),
        ('{"name": "Ada", "age": 36.5}', "of type integer"),
        ('{"name": "Ada", "age": -1}', "at least 0"),
        ('{"name": "Ada", "age": 121}', "at most 120"),
        ('{"name": "Ada", "age": 1, "likes": ["tea", true]}', "item 2 of likes"),
        ('{"name": "Ada", "age": 1, "likes": ["tea", 1, 1]}', "too many"),
        ('{"name": "Ada", "age": 1, "other": 0}', "of type null"),
        ('{"name": "Ada", "age": 1, "admin": true}', "must not hold admin"),
        ("[" * 100_000, "not one JSON value|nested too deeply"),
    ],
)
def test_what_is_not_admitted_and_why(text: str, wrong: str) -> None:
    with pytest.raises(NotTheSchema, match=wrong):
        parse(text, PERSON)


JSON = st.none() | st.booleans() | st.integers() | st.text(max_size=20)


@settings(max_examples=50)
@given(st.recursive(JSON, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_json_value_is_read_as_it_is(value: Any) -> None:
    assert parse(json.dumps(value), {}) == value


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "text"},
        {"pattern": "a"},
        {"properties": {"a": {"format": "date"}}},
        {"items": {"$ref": "#"}},
        {"properties": {"a": 1}},
        {"additionalProperties": {"type": "string"}},
    ],
)
def test_schemas_that_would_go_unchecked_are_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        check_schema(schema)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello.", "Hello."),
        ("<think>hm\n</think>\n\nHello.", "Hello."),
        ("hm, perhaps\n</think>\nHello.", "Hello."),
        ("<think>a</think>One. <think>b</think>Two.", "One. Two."),
        ("Hello. <think>and now", "Hello."),
        ("<think>never ends", ""),
        ("<thinking>a</thinking> <reasoning>b</reasoning> Hello.", "Hello."),
        ("[THINK]a[/THINK]Hello.", "Hello."),
        (
            "<|channel|>analysis<|message|>secret<|end|><|start|>assistant<|channel|>final<|message|>Hello.",
            "Hello.",
        ),
        ("5 < 6, I [think] <3", "5 < 6, I [think] <3"),
    ],
)
def test_thoughts_never_reach_the_other_side(text: str, said: str) -> None:
    assert without_thoughts(text) == said
