"""Leaderboard, Markdown and page: figures by hand, the JSON's shape, and nothing that could run in a browser."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from dialog_envs.agents.registry import AgentSpec
from dialog_envs.benchmarks.evaluation import write_leaderboard
from dialog_envs.benchmarks.html import html_page
from dialog_envs.benchmarks.journal import read_episodes
from dialog_envs.benchmarks.tables import markdown, print_leaderboard
from dialog_envs.benchmarks.toml_text import to_toml
from dialog_envs.benchmarks.transcripts import choose, transcript_data

EVIL = '</script><script>alert(1)</script><img src=x onerror="alert(2)">'


@pytest.fixture
def board(run_tea: Any, asking: AgentSpec, green: AgentSpec, spec: Any) -> Any:
    def evil(observation: Any) -> str:
        if len(observation["dialogue"]) > 2:
            raise ValueError(EVIL)
        return EVIL

    run = run_tea(asking, green, spec(f"evil {EVIL[9:]}", evil))
    return run.leaderboard, read_episodes(run.folder)


def test_rows_say_what_happened(board: Any) -> None:
    leaderboard, records = board
    for users in ("typical", "hard", "calm"):
        mine = [r for r in records if r.agent == "green" and users in (r.users, r.family)]
        row = leaderboard.row("Tea-v0", "green", users)
        assert row.episodes == len(mine)
        assert row.success.mean == pytest.approx(sum(r.outcome["success"] for r in mine) / len(mine))
        assert row.figures["turns"].mean == pytest.approx(sum(r.agent_turns for r in mine) / len(mine))
    assert leaderboard.row("Tea-v0", "asking", "typical").success.mean == 1
    assert leaderboard.row("Tea-v0", "asking", "typical").figures["questions"].mean == 1
    assert (
        leaderboard.row("Tea-v0", "asking", "hard").success.mean == 0
    )  # a hasty guest leaves after one turn


def test_pairs_are_on_the_same_episodes(board: Any) -> None:
    leaderboard, records = board
    assert leaderboard.baseline == "green"
    pair = leaderboard.pair("Tea-v0", "asking", "typical")
    theirs = {r.seed: r.outcome["success"] for r in records if r.agent == "green"}
    mine = [r for r in records if r.agent == "asking" and r.users == "typical"]
    expected = sum(r.outcome["success"] - theirs[r.seed] for r in mine) / len(mine)
    assert (pair.episodes, pair.difference.mean) == (24, pytest.approx(expected))


def test_sorted_by_success_on_hard_users(board: Any) -> None:
    leaderboard, _ = board
    means = [leaderboard.row("Tea-v0", agent, "hard").success.mean for agent in leaderboard.agents("Tea-v0")]
    assert means == sorted(means, reverse=True)
    assert leaderboard.users("Tea-v0")[:2] == ("typical", "hard")


def test_json_is_as_published(board: Any) -> None:
    data = json.loads(json.dumps(board[0].to_json(), allow_nan=False))
    assert list(data) == [
        "schema", "suite", "versions", "rows", "paired", "overall", "track", "across", "fidelity",
    ]  # fmt: skip
    assert data["schema"] == 1
    assert set(data["rows"][0]) == {
        "agent", "task", "users", "track", "episodes", "unscored", "success", "return", "turns", "questions",
        "information_bits", "seconds_per_episode", "tokens", "cost_usd",
    }  # fmt: skip
    assert set(data["rows"][0]["success"]) == {"mean", "low", "high"}
    assert set(data["paired"][0]) == {"agent", "baseline", "task", "users", "track", "difference"}
    assert data["versions"]["tasks"] == {"Tea-v0": "7"}
    assert data["versions"]["users"] == {"scripted": "3"}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_page_runs_nothing_and_loads_nothing(board: Any, tea_task: Any) -> None:
    page = html_page(*board, lambda name: tea_task)
    tags = _Tags()
    tags.feed(page)
    names = [name for name, _ in tags.seen]
    assert names.count("script") == 2  # the data and the one script
    assert not {"img", "iframe", "object", "link", "base", "form"} & set(names)
    for _, attributes in tags.seen:
        assert not [key for key in attributes if key.startswith("on") or key in ("src", "style", "srcdoc")]
    assert "alert(1)</script>" not in page
    assert "http://" not in page and "https://" not in page
    policy = next(a["content"] for n, a in tags.seen if n == "meta" and "http-equiv" in a)
    assert policy is not None and policy.startswith("default-src 'none'") and "unsafe" not in policy


def test_page_holds_whole_dialogues_with_beliefs(board: Any, tea_task: Any) -> None:
    page = html_page(*board, lambda name: tea_task)
    found = re.search(r'id="transcripts">(.*?)</script>', page)
    assert found is not None
    episodes = json.loads(found.group(1))
    assert {episode["family"] for episode in episodes} == {"calm", "chatty", "hasty"}
    assert all(len(episode["plays"]) == 3 for episode in episodes)
    play = next(p for p in episodes[0]["plays"] if p["agent"] == "asking")
    assert [turn["who"] for turn in play["turns"]] == [1, 0, 1, 0, 1]
    assert play["turns"][1]["acts"] == ["ask(tea)"]
    assert play["turns"][2]["belief"]["bits"] == 0.5
    assert episodes[0]["card"][0] in [["tea", f"likes {tea} <b>tea</b>"] for tea in ("green", "black")]


def test_chosen_dialogues_show_disagreement(board: Any) -> None:
    groups = choose(board[1], ["green", "asking"])
    assert len(groups) == 6
    assert [record.agent for record in groups[0]][:2] == ["green", "asking"]
    calm = [group for group in groups if group[0].family == "calm"]
    assert len({bool(record.outcome["success"]) for record in calm[1]}) == 2


def test_transcripts_of_a_task_that_is_gone(board: Any) -> None:
    from dialog_envs.registration import get_task

    data = transcript_data(choose(board[1]), get_task)
    assert data[0]["card"][0][0] == "family"
    assert "belief" not in data[0]["plays"][0]["turns"][0]


def test_markdown_keeps_to_its_cells(board: Any) -> None:
    text = markdown(board[0])
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all("<script" not in line for line in tables)
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in tables[:5]}
    assert widths == {12}
    assert "| asking | 100 [" in text


def test_terminal_table(board: Any) -> None:
    from rich.console import Console

    console = Console(width=200, record=True, file=io.StringIO())
    print_leaderboard(board[0], console)
    text = console.export_text()
    assert "asking" in text and "100 [" in text and "difference" in text


def test_files_are_written_once(board: Any, tmp_path: Path, monkeypatch: Any, tea_task: Any) -> None:
    monkeypatch.setattr("dialog_envs.registration.get_task", lambda name: tea_task)
    assert write_leaderboard(tmp_path, *board)
    assert not write_leaderboard(tmp_path, *board)
    assert write_leaderboard(tmp_path, *board, always=True)
    assert sorted(file.suffix for file in tmp_path.glob("leaderboard.*")) == [".html", ".json", ".md"]


def test_no_episode_at_all() -> None:
    from dialog_envs.benchmarks.leaderboard import Leaderboard

    empty = Leaderboard("tea", {}, (), ())
    assert "Leaderboard" in html_page(empty, [])
    assert "Leaderboard" in markdown(empty)


def test_toml_is_read_back() -> None:
    import tomllib

    inner = {"deep er": {"x": "y"}, "k": -1}
    data = {"a": 1, "b": [1.5, True, "x"], 't"\n': 'quote " and \\ and \x7f é', "in": inner}
    assert tomllib.loads(to_toml(data)) == data
