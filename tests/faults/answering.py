"""What a well-behaved model would answer to the requests of agents and users: enough to play any task through."""

from __future__ import annotations

import json
from typing import Any

from tests.faults.chat_server import Answer, completion

UTTERANCE = "What would you like best?"


def answer(number: int, request: dict[str, Any]) -> Answer:
    """The first candidate of a choice, a filled form where one is asked for, and otherwise a question."""
    form = request.get("response_format", {}).get("json_schema")
    if form is not None:
        return Answer(body=completion(json.dumps(filled(form["schema"]))))
    if "Reply with the number only" in request["messages"][-1]["content"]:
        return Answer(body=completion(str(1 + number % 2)))
    return Answer(body=completion(UTTERANCE))


def filled(schema: dict[str, Any]) -> Any:
    """The plainest value that a schema admits."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return filled(schema["anyOf"][0])
    kind = schema.get("type", "object")
    kind = kind if isinstance(kind, str) else kind[0]
    if kind == "object":
        return {name: filled(inner) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [filled(schema.get("items", {}))] * schema.get("minItems", 0)
    plain = {"string": UTTERANCE, "integer": int(schema.get("minimum", 0)), "number": 0.5, "boolean": False}
    return plain.get(kind)
