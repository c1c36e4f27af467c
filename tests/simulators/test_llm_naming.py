"""What a model's name stands for: a recording and its replay are the recorded model."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialog_envs.agents.registry import resolve_agent
from dialog_envs.benchmarks.tracks import Track
from dialog_envs.errors import UsageError
from dialog_envs.simulators.llm import ChatRequest
from dialog_envs.simulators.llm.naming import plain_name, same_replies, unwrapped
from dialog_envs.simulators.llm.openai_compatible import OpenAICompatibleModel
from dialog_envs.simulators.llm.replay import RecordingModel
from tests.faults.chat_server import Answer, completion, serve

HERE = "base_url=http://127.0.0.1:9/v1"


@pytest.fixture
def recording(tmp_path: Path) -> str:
    """A file with one reply of ``openai:m``; returns ``record:FILE=MODEL``."""
    file = tmp_path / "calls.sqlite"
    with serve(lambda number, request: Answer(body=completion("Hello."))) as server:
        model = RecordingModel(file, OpenAICompatibleModel("m", base_url=server.url))
        model.complete([ChatRequest(({"role": "user", "content": "Hi."},))])
        model.close()
        return f"record:{file}=openai:m?base_url={server.url}&timeout=5"


def test_names_without_files_addresses_and_options(recording: str) -> None:
    file = recording.removeprefix("record:").partition("=")[0]
    assert unwrapped(recording) == recording.partition("=")[2]
    assert [plain_name(name) for name in (recording, f"replay:{file}", f"replay:{file}?model=m")] == [
        "openai:m"
    ] * 3
    assert plain_name("embedded?threads=2") == "embedded"
    assert plain_name("hf:some/model?device=cpu") == "hf:some/model"
    for wrong in (
        "record:x.sqlite",
        "record:=openai:m",
        f"replay:{file}.not-there",
        f"replay:{file}?model=n",
    ):
        with pytest.raises(UsageError):
            plain_name(wrong)


def test_what_shapes_replies_and_what_does_not(recording: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = recording.removeprefix("record:").partition("=")[0]
    model = recording.partition("=")[2]
    assert same_replies(recording) == same_replies(f"replay:{file}") == same_replies(model)
    assert same_replies(model) == same_replies(f"{model}&transport=fast&max_in_flight=3&price=1/2&attempts=2")
    others = [f"openai:m?{HERE}", f"openai:n?{HERE}", f"openai:m?{HERE}&reasoning_tokens=9"]
    others += [f'openai:m?{HERE}&extra={{"top_k":1}}', "openai:m", "embedded", "hf:m"]
    assert len({same_replies(other) for other in others}) == len(others)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert same_replies("openai:m") == same_replies(f"openai:m?{HERE}")


def test_a_recording_and_its_replay_are_one_track_and_one_agent(recording: str) -> None:
    file = recording.removeprefix("record:").partition("=")[0]
    names = (recording, f"replay:{file}", recording.partition("=")[2])
    assert {Track.of("llm", name).name for name in names} == {"llm (openai:m)"}
    agents = [resolve_agent(f"prompted:cot:{name}") for name in names]
    assert {agent.name for agent in agents} == {"prompted:cot:openai:m"}
    assert len({agent.fingerprint for agent in agents}) == 1
    assert all(file not in f"{agent.source} {agent.fingerprint}" for agent in agents)
