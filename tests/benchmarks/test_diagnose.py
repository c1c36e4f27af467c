"""Diagnostics: values beside returns, the word that lost, and a sweep, on tasks small enough to know the answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dialog_envs.agents.diagnostics import Spoken, Word, calibration, token_values, words, worst_word
from dialog_envs.agents.language_model import ModelConfig
from dialog_envs.agents.learned import LearnedAgent
from dialog_envs.agents.sequences import encode_episode, text_episode
from dialog_envs.agents.training import train
from dialog_envs.benchmarks.cli import main
from dialog_envs.benchmarks.diagnostics import dialogues, sweep, transcript
from dialog_envs.errors import UsageError
from tests.agents import toy
from tests.agents.test_decoding import new_model

SMALL = ModelConfig(layers=2, width=32, attention_heads=2, vocabulary=320, context=64)


def made_up(q: list[float], returns: list[float], terminal: bool = True) -> Spoken:
    n = len(q)
    zeros = np.zeros(n)
    last = np.ones(n, dtype=bool)
    numbers = np.arange(n)
    return Spoken(numbers, numbers, numbers, last, np.array(q), zeros, zeros, np.array(returns), terminal)


def test_calibration_of_known_figures() -> None:
    right = [made_up([0.0, 1.0], [0.0, 1.0]) for _ in range(20)]
    found = calibration(right, bins=2)
    assert found.error == found.bias == found.squared == 0.0 and found.correlation == pytest.approx(1.0)
    assert [one.turns for one in found.bins] == [20, 20] and found.constant == pytest.approx(0.25)
    high = [made_up([0.9], [1.0 * (i % 2)]) for i in range(20)] + [made_up([0.5], [0.0], terminal=False)]
    found = calibration(high, bins=3)
    assert found.left_out == 1 and found.bias == pytest.approx(0.4) and found.to_json()["correlation"] is None
    assert 0.4 <= found.error < 0.45 and 0.15 < found.by_turn[0].margin < 0.25
    with pytest.raises(UsageError, match="came to an end"):
        calibration([made_up([0.5], [0.0], terminal=False)])


def test_values_of_the_tokens_that_were_said() -> None:
    model = new_model("shared")
    with torch.no_grad():
        assert model.heads is not None
        table = torch.linspace(-1.0, 1.0, model.vocabulary).double()
        for head in model.heads.target:
            head.outer.weight.zero_()
            head.outer.bias.copy_(table)
    read = [text_episode(e, toy.PlainView(), lambda s: s["brief"]) for e in toy.known_episodes()]
    tokens = [encode_episode(model.tokenizer, text, 64) for text in read]
    spoken = token_values(model, tokens, discount=0.9)
    for one, episode, whole in zip(spoken, tokens, toy.known_episodes(), strict=True):
        assert (
            one.ids.tolist() == episode.ids[episode.agent].tolist()
            and one.turn[-1] == 1
            and one.last.sum() == 2
        )
        assert one.q == pytest.approx(table[one.ids].numpy(), abs=1e-6)
        later = np.arange(len(one.ids))[::-1]
        assert one.realised == pytest.approx(whole["reward"] * 0.9**later)
        at = torch.from_numpy(one.positions) - 1
        with torch.no_grad():
            chances = torch.softmax(
                model.logits(model.states(torch.from_numpy(episode.ids)[None], at)).double(), -1
            )
        top = chances.topk(64, dim=-1)
        average = (top.values * table[top.indices]).sum(-1) / top.values.sum(-1)
        assert one.average == pytest.approx(average.numpy(), abs=1e-5)
        assert one.chance == pytest.approx(
            chances.gather(-1, torch.from_numpy(one.ids)[:, None])[:, 0].numpy(), rel=1e-4
        )
        said = list(words(model, one))
        assert [(word.text.strip(), word.turn) for word in said] == [
            (whole["turns"][1]["text"], 0), ("", 0), (whole["turns"][3]["text"], 1), ("", 1)
        ]  # fmt: skip
        assert sum(word.advantage for word in said) == pytest.approx(one.advantage.sum())
        assert worst_word(said) == int(np.argmin([word.advantage for word in said]))
    assert worst_word([]) is None
    turnwise = token_values(model, tokens[:1], discount=0.9, discount_on="turn")[0]
    assert turnwise.realised[-1] == pytest.approx(turnwise.realised[0] / 0.9)
    model.heads = None
    with pytest.raises(UsageError, match="no value heads"):
        token_values(model, tokens)


def test_the_page_and_the_text_show_the_worst_word_and_escape_what_was_said() -> None:
    said = (
        Word("Good", 0, 0.1, 0.5, 0.5),
        Word(" <b>day</b>", 0, -0.4, 0.1, 0.25),
        Word("", 0, 0.0, 0.1, 1.0),
    )
    one = transcript.Read(
        "e1", 0.0, (("user", "hi <i>"), ("agent", "Good <b>day</b>")), said, worst_word(said)
    )
    page, text = transcript.as_page([one], "T<"), transcript.as_text(one)
    assert "<b>" not in page and "<i>" not in page and "T&lt;" in page
    assert 'class="w b5 worst"' in page and 'class="w g1"' in page and "script" not in page
    assert "[<b>day</b> -0.400]" in text and "turn 1, advantage -0.400" in text
    better = transcript.Read("e2", 1.0, one.segments, said, 1)
    assert transcript.losses([better, one], 1) == [one]


def test_a_sweep_trains_and_plays_every_point_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _dataset(tmp_path)
    grid = sweep.Grid(
        betas=(0.0, 8.0),
        expectiles=(0.5, 0.9),
        sizes=(6,),
        play=4,
        settings=(("epochs", 0.5), ("validation", 0.0)),
    )
    told: list[str] = []
    cells = list(sweep.sweep(folder, tmp_path / "out", grid, tell=told.append))
    assert [(c.episodes, c.expectile, c.beta) for c in cells] == [
        (6, t, b) for t in (0.5, 0.9) for b in (0.0, 8.0)
    ]
    assert (
        cells[0].success == cells[2].success
    )  # without beta the policy alone speaks, which BC made for both
    assert len((tmp_path / "out" / sweep.FILE).read_text().splitlines()) == 4
    assert sweep.table(cells).count("\n") == 6 and sum(text.startswith("bc") for text in told) == 2
    with pytest.raises(UsageError, match="6 dialogues"):
        next(sweep.sweep(folder, tmp_path / "out", sweep.Grid(sizes=(7,))))


def _dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    command = ["imagine", "PreferenceElicitation-v0", "--episodes", "6", "-o", str(folder), "--seed", "1"]
    assert main(command) == 0
    return folder


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = _dataset(tmp_path), tmp_path / "ilql"
    train("ilql", folder, out, settings={"epochs": 0.5}, model=SMALL, progress=False, save_every=0)
    capsys.readouterr()
    picture = tmp_path / "picture.svg"
    assert main(["diagnose", "calibration", str(out), "--play", "3", "--plot", str(picture), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["episodes"] + found["left_out"] == 3 and picture.read_bytes()[:5] == b"<?xml"
    page = tmp_path / "page.html"
    assert main(["diagnose", "advantages", str(out), "--data", str(folder), "-n", "1", "-o", str(page)]) == 0
    assert "worst word" in capsys.readouterr().out and "worst:" in page.read_text("utf-8")
    assert main(["diagnose", "calibration", str(out)]) == 2
    assert "--play NUMBER" in capsys.readouterr().err
    assert main(["diagnose", "advantages", str(out), "--data", str(folder), "-e", "nobody"]) == 2
    assert "no dialogue 'nobody'" in capsys.readouterr().err
    assert len(dialogues.played(LearnedAgent.from_pretrained(out), _task(), 2, "hard")) == 2


def _task() -> Any:
    from dialog_envs.registration import get_task

    return get_task("PreferenceElicitation-v0")
