"""Several users in one run: each scored apart, compared pairwise, and added to a folder that is there already."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dialog_envs.benchmarks.cli import main
from dialog_envs.benchmarks.evaluation import evaluate
from dialog_envs.benchmarks.journal import read_episodes
from dialog_envs.benchmarks.record import EpisodeRecord
from dialog_envs.benchmarks.suite import Suite, load_suite, parse_suite
from dialog_envs.benchmarks.tracks import Track
from dialog_envs.errors import ConfigError, RunFolderError

PLAYED = "tests.simulators.stub_models:first_choice"
SUITE = f"""
schema = 1
name = "two"
tasks = ["PreferenceElicitation-v0"]
baseline = "heuristic"
information_per_family = 0
[users.typical]
episodes_per_family = 3
families = ["easygoing", "focused"]
[users.hard]
episodes_per_family = 3
families = ["terse"]
[seeds]
report = 10_000_000
validation = 20_000_000
[[agents]]
name = "random"
[[agents]]
name = "heuristic"
[[tracks]]
name = "played"
user = "{PLAYED}"
agents = ["heuristic"]
episodes_per_family = 2
"""


@pytest.fixture
def suite() -> Suite:
    return parse_suite(SUITE, "here")


def test_a_run_holds_several_tracks_and_keeps_them_apart(suite: Suite, tmp_path: Path) -> None:
    run = evaluate(suite, out=tmp_path, quiet=True)
    assert (run.played, run.missing) == (2 * 9 + 6, 0)
    board = run.leaderboard
    assert board.tracks == ("scripted", "played")
    task = board.tasks[0]
    here = board.on("played")
    assert (board.agents(task), here.agents(task)) == (("heuristic", "random"), ("heuristic",))
    assert board.row(task, "heuristic", "hard").episodes == 3  # type: ignore[union-attr]
    assert here.row(task, "heuristic", "hard").episodes == 2  # type: ignore[union-attr]
    assert here.row(task, "random", "hard") is None
    assert [(one.track, one.users, one.episodes) for one in board.across] == [
        ("played", "typical", 4),
        ("played", "hard", 2),
    ]
    (row,) = board.fidelity
    assert (row.track, row.episodes, row.consistency.mean) == ("played", 6, 1.0)
    assert row.variety is not None and row.variety > 0.5
    assert {record.track for record in read_episodes(tmp_path)} == {"scripted", "played"}
    played = [record for record in read_episodes(tmp_path) if record.track == "played"]
    assert all(record.user["calls"] >= 1 and record.user["tokens"] >= 6 for record in played)
    text = (tmp_path / "leaderboard.md").read_text("utf-8")
    assert "users: played" in text and "Who plays the user" in text and "Consistency" in text
    page = (tmp_path / "leaderboard.html").read_text("utf-8")
    assert "users: played" in page and "Who plays the user" in page
    config = (tmp_path / "config.toml").read_text("utf-8")
    assert "[tracks.played]" in config and "stub-1" in config
    again = evaluate(suite, out=tmp_path, quiet=True)
    assert again.played == 0 and again.leaderboard == board


def test_a_track_is_added_to_a_folder_that_is_there(suite: Suite, tmp_path: Path) -> None:
    plain = parse_suite(SUITE.partition("[[tracks]]")[0], "here")
    evaluate(plain, out=tmp_path, quiet=True)
    run = evaluate(plain, ["heuristic"], out=tmp_path, only=True, quiet=True, user=PLAYED, episodes=1)
    assert run.played == 3
    assert run.leaderboard.tracks == ("scripted", Track.of(PLAYED).name)
    assert run.leaderboard.track == "scripted"
    assert len(run.leaderboard.across) == 2


def test_other_versions_of_a_user_are_refused(suite: Suite, tmp_path: Path) -> None:
    evaluate(suite, out=tmp_path, quiet=True)
    config = tmp_path / "config.toml"
    config.write_text(config.read_text("utf-8").replace("stub-1", "stub-0"), "utf-8")
    with pytest.raises(RunFolderError, match="on the track 'played'"):
        evaluate(suite, out=tmp_path, quiet=True)


def test_files_of_before_there_were_tracks_are_read(tmp_path: Path) -> None:
    plain = parse_suite(SUITE.partition("[[tracks]]")[0], "here")
    before = evaluate(plain, out=tmp_path, quiet=True)
    episodes, config = tmp_path / "episodes.jsonl", tmp_path / "config.toml"
    lines = [json.loads(line) for line in episodes.read_text("utf-8").splitlines()]
    for line in lines:
        del line["track"], line["user"]
    assert EpisodeRecord.from_json(lines[0]).track == "scripted"
    episodes.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    head, _, _ = config.read_text("utf-8").partition("[tracks]")
    agents = config.read_text("utf-8").partition("[agents]")[2]
    old = head.replace("tasks =", 'track = "scripted"\nusers = ["scripted scripted-1"]\ntasks =')
    config.write_text(f"{old}[agents]{agents}", "utf-8")
    after = evaluate(plain, out=tmp_path, quiet=True)
    assert after.played == 0 and after.leaderboard == before.leaderboard


def test_runs_side_by_side(suite: Suite, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = parse_suite(SUITE.partition("[[tracks]]")[0], "here")
    evaluate(plain, out=tmp_path / "a", quiet=True)
    evaluate(plain, ["heuristic"], out=tmp_path / "b", only=True, quiet=True, user=PLAYED)
    assert main(["board", str(tmp_path / "a"), str(tmp_path / "b"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert {row["track"] for row in data["rows"]} == {"scripted", Track.of(PLAYED).name}
    assert [one["episodes"] for one in data["across"]] == [6, 3]


def test_settings_in_suites(suite: Suite) -> None:
    assert [track.name for track in suite.tracks] == ["scripted", "played"]
    assert suite.fingerprint() == parse_suite(SUITE.partition("[[tracks]]")[0], "here").fingerprint()
    with pytest.raises(ConfigError, match="unknown key 'color'"):
        parse_suite(SUITE + "color = 1\n", "here")
    with pytest.raises(ConfigError, match="lacks the key 'user'"):
        parse_suite(SUITE.replace(f'user = "{PLAYED}"\n', ""), "here")
    with pytest.raises(ConfigError, match="two tracks called 'played'"):
        _ = parse_suite(SUITE + f'[[tracks]]\nname = "played"\nuser = "{PLAYED}"\n', "here").tracks
    with pytest.raises(ConfigError, match="no model"):
        parse_suite(SUITE + '[[tracks]]\nuser = "scripted"\nmodel = "embedded"\n', "here")


def test_user_and_model_of_the_command_line(suite: Suite) -> None:
    llm = load_suite("quick").played_by("llm", "openai:gpt-5-mini?base_url=http://127.0.0.1/v1")
    assert [track.name for track in llm.tracks] == ["llm (openai:gpt-5-mini)"]
    assert load_suite("quick").played_by(None, None) == load_suite("quick")
    with pytest.raises(ConfigError, match="scripted users only"):
        parse_suite(SUITE.partition("[[tracks]]")[0], "here").played_by(None, "embedded")
    with pytest.raises(ConfigError, match="no model"):
        suite.played_by("scripted", "embedded")
    both = parse_suite(SUITE + '[[tracks]]\nuser = "llm"\n', "here").played_by(None, "openai:m")
    assert [(track.name, track.model) for track in both.tracks] == [
        ("scripted", None), ("played", "openai:m"), ("llm (openai:m)", "openai:m"),
    ]  # fmt: skip


def test_an_optional_track_without_its_model_is_left_out(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Track, "available", lambda self: None if self.scripted else "it is not here.")
    text = SUITE + "optional = true\n"
    run = evaluate(parse_suite(text, "here"), out=tmp_path)
    assert run.leaderboard.tracks == ("scripted",) and run.missing == 0
    assert "track played: left out: it is not here." in capsys.readouterr().err
