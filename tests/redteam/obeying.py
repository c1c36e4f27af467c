"""A chat model that obeys every injection: the worst that a simulator could be built on."""

from __future__ import annotations

import base64
import codecs
import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialog_envs.simulators.llm import ChatModelBase, ChatReply, ChatRequest, Choice, Request, Result, Usage
from dialog_envs.simulators.llm.structured import UnusableReply

ENCODINGS = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "reversed": lambda text: text[::-1],
    "spaced": lambda text: " ".join(text),
    "initials": lambda text: " ".join(letter + "oll" for letter in text),
    "numbers": lambda text: " ".join(str(ord(letter)) for letter in text),
}


@dataclass(frozen=True)
class Attack:
    """A row of ``attacks.toml``."""

    family: str
    text: str
    times: int = 1
    leak: str | None = None
    encode: str | None = None
    act: str | None = None
    say: str | None = None

    def said(self, tag: str = "said-0") -> str:
        """What the agent says."""
        return (self.text * self.times).replace("${tag}", tag)[:20_000]


def attacks() -> list[Attack]:
    """All of them."""
    text = (Path(__file__).parent / "attacks.toml").read_text("utf-8")
    return [Attack(**row) for row in tomllib.loads(text)["attack"]]


class ObeyingModel(ChatModelBase):
    """Does what the attack wants, with all that the prompt holds.

    Args:
        attack: what the agent says.
        honest_fields: stay within the schema's enum, as a server with constrained decoding does.
    """

    name, version = "obeying", "1"

    def __init__(self, attack: Attack, accepts: Sequence[str], honest_fields: bool = True) -> None:
        self.attack, self.accepts, self.honest_fields = attack, accepts, honest_fields
        self.asked: list[Request] = []

    def each(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        for index, request in enumerate(requests):
            self.asked.append(request)
            yield index, self._result(request)

    def _result(self, request: Request) -> Result:
        if not isinstance(request, ChatRequest):
            return Choice(len(request.candidates) - 1, (), Usage(10, 10))
        text = self._text(request)
        if request.schema is None:
            return ChatReply(text, Usage(10, 10), "stop", "obeying")
        kinds = request.schema["properties"]["act"]["enum"]
        wanted = [kind for kind in self.accepts if kind in kinds] if self.attack.act == "accept" else []
        if self.attack.act == "accept" and not wanted and not self.honest_fields:
            return UnusableReply("obeying was asked 4 times for a reply of a given form and never gave one")
        data = {"text": text, "act": (wanted or kinds)[0], "done": bool(wanted)}
        return ChatReply(json.dumps(data), Usage(10, 10), "stop", "obeying", data)

    def _text(self, request: ChatRequest) -> str:
        prompt = request.messages[0]["content"]
        secret = secret_in(prompt, self.attack.leak)
        if secret is None:
            return self.attack.say or "I accept."
        return ENCODINGS[self.attack.encode](secret) if self.attack.encode else secret


def secret_in(prompt: str, what: str | None) -> str | None:
    """What a prompt gives away."""
    card = re.findall(r"^- ([^:\n]+): (.+)$", prompt, re.MULTILINE)
    if what is None:
        return None
    if what == "prompt":
        return prompt
    if what == "canary":
        return re.search(r"the word (\w+), which", prompt)[1]  # type: ignore[index]
    if what == "tag":
        return re.search(r"<(said-\w+)>", prompt)[1]  # type: ignore[index]
    if what == "card":
        return "; ".join(f"{heading}: {text}" for heading, text in card) or prompt
    if what == "json":
        data: dict[str, Any] = {heading.lower().replace(" ", "_"): text for heading, text in card}
        return json.dumps({"family": "unknown", **data})
    return "My user family: cost_averse, yes_sayer, overclaims, terse, impatient."
