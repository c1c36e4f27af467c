"""Rollouts with users that a chat model plays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dialog_envs.benchmarks.cli import main
from dialog_envs.core.dialogue import USER
from dialog_envs.errors import UsageError
from dialog_envs.simulators.imagination import imagine
from tests.faults.answering import answer
from tests.faults.chat_server import serve
from tests.simulators.stub_models import SaysModel, says_the_meaning

TASK = "PreferenceElicitation-v0"


def test_a_grounded_user_gives_the_same_data_in_other_words(tmp_path: Path) -> None:
    model = SaysModel(says_the_meaning)
    played = imagine(TASK, tmp_path / "played", 4, 7, critique=False, user="grounded", user_model=model)
    plain = imagine(TASK, tmp_path / "plain", 4, 7, critique=False)
    for ours, theirs in zip(played.episodes, plain.episodes, strict=True):
        assert [turn.acts for turn in ours.turns] == [turn.acts for turn in theirs.turns]
        assert ours.reward == theirs.reward and ours.provenance.user == "grounded"
    said = [turn.text for episode in played.episodes for turn in episode.turns if turn.speaker == USER]
    assert said != [turn.text for episode in plain.episodes for turn in episode.turns if turn.speaker == USER]
    manifest = played.manifest
    assert "stub-1" in manifest["user_version"] and "--user grounded --user-model stub" in manifest["command"]
    assert manifest["cost"]["usage"]["user"]["calls"] == len(model.asked) > 0
    assert manifest["cost"]["usd"] == pytest.approx(0.25 * len(model.asked))
    assert {request.role for request in model.asked} == {"user"}


def test_a_user_without_a_turn_that_can_be_used_is_no_dialogue(tmp_path: Path) -> None:
    count = iter(range(1000))

    def often_mute(request: Any) -> str:
        return says_the_meaning(request) if next(count) > 20 else "…"

    made = imagine(
        TASK, tmp_path / "data", 3, 7, critique=False, user="grounded", user_model=SaysModel(often_mute)
    )
    told = made.manifest["imagination"]
    assert (
        made.manifest["counts"]["episodes"] == 3
        and told["no_usable_reply"] == told["rejected"]["rollout"] > 0
    )


def test_agent_and_user_ask_a_server_on_the_command_line_and_the_replay_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["imagine", TASK, "-n", "3", "--model-share", "0.5", "--no-critique", "--user", "llm"]

    def make(out: str, model: str) -> int:
        return main([*words, "-o", out, "--model", model, "--user-model", model])

    with serve(answer) as server:
        name = f"openai:m?base_url={server.url}&price=1/1"
        assert make("recorded", f"record:calls.sqlite={name}") == 0, capsys.readouterr().err
        assert main([*words, "-o", "poor", "--user-model", name, "--max-cost", "0.001"]) == 2
        assert "larger --max-cost" in capsys.readouterr().err
    assert make("replayed", "replay:calls.sqlite") == 0
    for file in ("manifest.json", "episodes-00000.jsonl"):
        assert Path("recorded", file).read_bytes() == Path("replayed", file).read_bytes()


@pytest.mark.parametrize(
    "options",
    [{"user_model": "embedded"}, {"mode": "imagine", "imaginer": "embedded", "user": "llm"}],
)
def test_a_model_for_users_that_have_none_is_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--user"):
        imagine(TASK, tmp_path / "data", 1, 0, **options)
