"""A recorded run is played back without the model, and a broken-off one goes on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from dialog_envs.errors import ChatModelError, UsageError
from dialog_envs.simulators.llm import ChatReply, ChatRequest, Choice, ChoiceRequest, Usage, get_chat_model
from dialog_envs.simulators.llm.calls import LocalModel
from dialog_envs.simulators.llm.replay import RecordingModel, ReplayModel
from dialog_envs.simulators.llm.store import ReplyStore


@dataclass
class Stub(LocalModel):
    """Answers with the last message and the seed, and counts what it is asked."""

    name: str = "stub"
    version: str = "stub 1"
    asked: list[object] = field(default_factory=list)

    def write_batch(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        if any(request.messages[-1]["content"] == "fail" for request in requests):
            raise ChatModelError("no")
        self.asked += requests
        return [self.answer(request) for request in requests]

    def answer(self, request: ChatRequest) -> ChatReply:
        said = request.messages[-1]["content"]
        reason = "content_filter" if said == "filter" else "stop"
        return ChatReply(f"{said} é\u2028{request.seed}", Usage(1, 2, 0.1), reason, "s")

    def choose_batch(self, requests: Sequence[ChoiceRequest]) -> list[Choice]:
        self.asked += requests
        return [Choice(1, (-1.25, -0.1), Usage(3, 1)) for _ in requests]


def chat(text: str, seed: int = 0) -> ChatRequest:
    return ChatRequest(({"role": "user", "content": text},), seed=seed)


CHOICE = ChoiceRequest(({"role": "user", "content": "which?"},), ("a", "b"))


def test_replay_equals_the_recording(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "calls.sqlite"
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


def test_trials_are_told_apart_and_episodes_are_not(tmp_path: Path) -> None:
    recording = RecordingModel(tmp_path / "f", inner := Stub())
    recording.complete(
        [chat("one"), replace(chat("one"), trial=1), replace(chat("one"), episode="e", role="user")]
    )
    assert len(inner.asked) == 2


def test_errors_and_refusals_are_not_recorded(tmp_path: Path) -> None:
    recording = RecordingModel(tmp_path / "f", Stub())
    with pytest.raises(ChatModelError):
        recording.complete([chat("fail"), chat("fine")])
    recording.complete([chat("filter")])
    assert len(ReplyStore(tmp_path / "f")) == 1


def test_a_structured_reply_is_replayed(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}, "done": {"type": "boolean"}}}
    request = replace(chat("one"), schema=schema)
    recorded = RecordingModel(tmp_path / "f", Stub()).complete([request])
    assert recorded[0].data is not None and recorded[0].data["done"] is False
    assert ReplayModel(tmp_path / "f").complete([request]) == recorded


def test_files_that_are_no_recordings(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no recording"):
        ReplayModel(tmp_path / "missing")
    for content in (b"", b"hello\n", b"SQLite format 3\0 and then nonsense" * 99):
        (tmp_path / "f").write_bytes(content)
        with pytest.raises(UsageError, match="is no recording"):
            ReplayModel(tmp_path / "f")
    with closing(sqlite3.connect(tmp_path / "g")) as db, db:
        db.execute("create table about (format integer)")
        db.execute("insert into about values (9)")
    with pytest.raises(UsageError, match="format 9"):
        ReplayModel(tmp_path / "g")


def test_a_file_of_several_models_is_asked_for_one(tmp_path: Path) -> None:
    one, two = Stub(), Stub("stub", "stub 2")
    for model in (one, two):
        RecordingModel(tmp_path / "f", model).complete([chat("one")])
    with pytest.raises(UsageError, match=r"2 models \(stub 1; stub 2\)"):
        ReplayModel(tmp_path / "f")
    replay = get_chat_model(f"replay:{tmp_path / 'f'}?model=stub 2")
    assert (replay.version, len(one.asked), len(two.asked)) == ("stub 2", 1, 1)
    assert replay.complete([chat("one")])[0].text.startswith("one")


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    with pytest.raises(UsageError, match="cannot write"):
        RecordingModel(tmp_path / "f" / "g", Stub())


def test_a_recording_is_readable(tmp_path: Path) -> None:
    RecordingModel(tmp_path / "f", Stub()).complete([replace(chat("one"), role="user", episode="e7")])
    with closing(sqlite3.connect(tmp_path / "f")) as db:
        (row,) = db.execute("select role, episode, request, reply from replies")
    assert row[:2] == ("user", "e7")
    assert json.loads(row[2])["messages"] == [{"role": "user", "content": "one"}]
    assert json.loads(row[3])["text"] == "one é\u20280"


def test_a_replay_needs_no_right_to_write(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    recording = RecordingModel(folder / "f", Stub())
    recording.complete([chat("one")])
    recording.close()
    assert [path.name for path in folder.iterdir()] == ["f"]
    folder.chmod(0o500)
    try:
        assert ReplayModel(folder / "f").complete([chat("one")])[0].text.startswith("one")
    finally:
        folder.chmod(0o700)


def _record(file: str, start: int) -> list[str]:
    model = RecordingModel(file, Stub(version="stub 1"))
    return [model.complete([chat(f"message {i}")])[0].text for i in range(start, start + 60)]


def test_two_processes_record_into_one_file(tmp_path: Path) -> None:
    file = str(tmp_path / "f")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        first, second = pool.map(_record, [file, file], [0, 30])
    assert first[30:] == second[:30]
    assert len(ReplyStore(file, read_only=True)) == 90


def test_many_threads_share_a_recording_and_ask_once(tmp_path: Path) -> None:
    recording = RecordingModel(tmp_path / "f", Stub())
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda i: recording.complete([chat(str(i % 10))])[0].text, range(200)))
    assert texts == [f"{i % 10} é\u20280" for i in range(200)]
    assert len(ReplyStore(tmp_path / "f")) == 10
