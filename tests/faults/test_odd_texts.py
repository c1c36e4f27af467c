"""Texts that nobody should write, from models and from agents: half a character, escape sequences, no end of it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from dialog_envs.benchmarks.cli import main
from dialog_envs.benchmarks.journal import read_episodes
from dialog_envs.benchmarks.play import Session
from dialog_envs.core.dialogue import USER
from dialog_envs.core.env import DialogEnv
from dialog_envs.registration import get_task
from dialog_envs.simulators.llm import ChatRequest, get_chat_model
from dialog_envs.simulators.users.llm import LONGEST, LLMUser
from tests.faults.answering import answer
from tests.faults.chat_server import Answer, ChatServer, completion, serve
from tests.simulators.stub_models import SaysModel

HALF = "half \ud83d, whole 👩‍👩‍👧, مرحبا\u202e, z̴a̵l̶g̷o"
MENDED = HALF.replace("\ud83d", "\ufffd")
FORM = {"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"]}


@pytest.fixture
def url() -> Any:
    def behave(number: int, request: dict[str, Any]) -> Answer:
        text = json.dumps({"said": HALF}) if "response_format" in request else HALF
        return Answer(body=completion(text, id=f"chatcmpl-{number:012d}"))

    with serve(behave) as server:
        yield server.url


@pytest.mark.parametrize("transport", ["sdk", "fast"])
def test_half_a_character_is_mended_wherever_it_comes_from(url: str, transport: str, tmp_path: Path) -> None:
    pytest.importorskip("orjson")
    model = get_chat_model(f"record:{tmp_path}/calls.sqlite=openai:m?base_url={url}&transport={transport}")
    asked = ({"role": "user", "content": HALF},)
    plain, structured = model.complete([ChatRequest(asked), ChatRequest(asked, schema=FORM)])  # type: ignore[arg-type]
    assert plain.text == MENDED and structured.data == {"said": MENDED}
    again = get_chat_model(f"replay:{tmp_path}/calls.sqlite")
    assert again.complete([ChatRequest(asked)])[0].text == MENDED  # type: ignore[arg-type]


def test_an_agent_that_says_half_a_character_and_users_with_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("odd.py").write_text(
        "def odd(observation):\n    return 'What \\ud83d \\x00 \\x1b[31m do you like?'\n"
    )

    def run(server: ChatServer) -> int:
        words = "eval --suite quick -t PreferenceElicitation-v0 -a odd.py:odd --only --episodes 1 -q".split()
        model = f"openai:m?base_url={server.url}"
        assert main([*words, "-o", "scripted"]) == 0
        return main([*words, "-o", "played", "--user", "llm", "--user-model", model])

    with serve(answer) as server:
        assert run(server) == 0, capsys.readouterr().err
    for folder in ("scripted", "played"):
        assert all("\ufffd" in record.turns[1].text for record in read_episodes(folder))


def test_a_terminal_is_not_steered() -> None:
    written = io.StringIO()
    Session(io.StringIO(), written).say("red \x1b[31m alert\x07, \u202eback\ud83d\nnext line", "user> ")
    assert written.getvalue() == "user> red �[31m alert�, �back�\nuser> next line\n"


def test_a_user_that_does_not_stop_is_asked_again() -> None:
    said = iter(["on and on " * LONGEST, "I like painting."])
    user = LLMUser(SaysModel(lambda request: {"text": next(said), "act": "answer", "done": False}))
    env = DialogEnv(get_task("PreferenceElicitation-v0"), user=lambda: user)
    env.reset(seed=1)
    env.step("What do you like?")
    assert [turn.text for turn in env.turns if turn.speaker == USER][1] == "I like painting."
    assert user.notes["long"] == user.notes["again"] == 1
