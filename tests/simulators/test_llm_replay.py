"""A recorded run is played back without the model, and a broken-off one goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dialog_envs.errors import ChatModelError, UsageError
from dialog_envs.simulators.llm import ChatReply, ChatRequest, Choice, ChoiceRequest, Usage
from dialog_envs.simulators.llm.replay import RecordingModel, ReplayModel


@dataclass
class Stub:
    """Answers with the last message and the seed, and counts what it is asked."""

    name: str = "stub"
    version: str = "stub 1"
    asked: list[object] = field(default_factory=list)

    def complete(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        if any(request.messages[-1]["content"] == "fail" for request in requests):
            raise ChatModelError("no")
        self.asked += requests
        return [
            ChatReply(f"{r.messages[-1]['content']} é\u2028{r.seed}", Usage(1, 2, 0.1), "stop", "s")
            for r in requests
        ]

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[Choice]:
        self.asked += requests
        return [Choice(1, (-1.25, -0.1), Usage(3, 1)) for _ in requests]


def chat(text: str, seed: int = 0) -> ChatRequest:
    return ChatRequest(({"role": "user", "content": text},), seed=seed)


CHOICE = ChoiceRequest(({"role": "user", "content": "which?"},), ("a", "b"))


def test_replay_equals_the_recording(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "calls.jsonl"
    recording = RecordingModel(file, Stub())
    replies = recording.complete([chat("one"), chat("two"), chat("one", seed=1)])
    choices = recording.choose([CHOICE])
    replay = ReplayModel(file)
    assert (replay.name, replay.version) == ("stub", "stub 1")
    assert replay.complete([chat("one", seed=1), chat("two"), chat("one")]) == [
        replies[2],
        replies[1],
        replies[0],
    ]
    assert replay.choose([CHOICE]) == choices


def test_what_was_never_recorded_is_an_error(tmp_path: Path) -> None:
    RecordingModel(tmp_path / "f", Stub()).complete([chat("one")])
    with pytest.raises(ChatModelError, match=r"no reply to this request .*two"):
        ReplayModel(tmp_path / "f").complete([chat("two")])


def test_what_is_known_is_not_asked_again(tmp_path: Path) -> None:
    RecordingModel(tmp_path / "f", Stub()).complete([chat("one")])
    inner = Stub()
    again = RecordingModel(tmp_path / "f", inner)
    replies = again.complete([chat("one"), chat("two"), chat("two")])
    assert inner.asked == [chat("two")]
    assert replies[1] == replies[2]


def test_errors_are_not_recorded(tmp_path: Path) -> None:
    recording = RecordingModel(tmp_path / "f", Stub())
    with pytest.raises(ChatModelError):
        recording.complete([chat("fail")])
    assert len((tmp_path / "f").read_text().splitlines()) == 1


def test_a_broken_off_line_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "f"
    RecordingModel(file, Stub()).complete([chat("one"), chat("two")])
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    again = RecordingModel(file, Stub())
    again.complete([chat("two")])
    assert file.read_bytes() == whole


def test_files_that_are_no_recordings(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no recording"):
        ReplayModel(tmp_path / "missing")
    for content in (
        b"",
        b"hello\n",
        b"[1]\n",
        b'{"record": 1}\n',
        b'{"record": 9, "model": "a", "version": "b"}\n',
    ):
        (tmp_path / "f").write_bytes(content)
        with pytest.raises(UsageError, match=r"no recording|format 9"):
            ReplayModel(tmp_path / "f")


def test_one_file_is_for_one_model(tmp_path: Path) -> None:
    RecordingModel(tmp_path / "f", Stub())
    with pytest.raises(UsageError, match="choose another file"):
        RecordingModel(tmp_path / "f", Stub(version="stub 2"))


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    with pytest.raises(UsageError, match="cannot write"):
        RecordingModel(tmp_path / "f" / "g", Stub())


def test_a_recording_is_readable(tmp_path: Path) -> None:
    RecordingModel(tmp_path / "f", Stub()).complete([chat("one")])
    header, line = map(json.loads, (tmp_path / "f").read_text(encoding="utf-8").split("\n")[:2])
    assert header == {"record": 1, "model": "stub", "version": "stub 1"}
    assert line["request"]["messages"] == [{"role": "user", "content": "one"}]
    assert line["reply"]["text"] == "one é\u20280"
