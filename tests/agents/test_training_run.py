"""What stands around the training loop: early stopping, trackers, several processes, the model card, the hub."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from dialog_envs.agents import hub, trainer, training, validation
from dialog_envs.agents.algorithms import make_algorithm
from dialog_envs.agents.checkpoint import load_model, read_training
from dialog_envs.agents.language_model import DialogueModel, ModelConfig, build_model
from dialog_envs.agents.sequences import useful_share
from dialog_envs.agents.training import TrainResult, train
from dialog_envs.core.seeding import stream
from dialog_envs.errors import CheckpointError, UnknownName, UsageError
from tests.agents.toy import ToyTask, corridor_episodes

TINY = ModelConfig(layers=1, width=32, attention_heads=2, vocabulary=320, context=96)
QUICK = {"epochs": 2, "tokens_per_batch": 512, "precision": "fp32"}


def quick(algorithm: str, out: Path, **more: Any) -> TrainResult:
    settings = QUICK | more.pop("settings", {})
    return train(
        algorithm, corridor_episodes(60), out, task=ToyTask(), settings=settings, model=TINY, progress=False,
        threads=1, **more,
    )  # fmt: skip


# ---- early stopping --------------------------------------------------------------------------------------------------


def test_the_best_weights_are_kept_and_a_training_without_progress_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.2, 0.7, 0.5, 0.6, 0.4])
    seen: list[dict[str, torch.Tensor]] = []

    def score(model: DialogueModel) -> dict[str, float]:
        assert not model.training
        seen.append({name: value.clone() for name, value in model.state_dict().items()})
        return {"success": next(scores), "graded": 0.0}

    monkeypatch.setattr(validation, "episode_score", lambda *_: score)
    settings = {"stop_on": "episodes", "evaluate_every": 2, "patience": 2}
    record = quick("bc", tmp_path / "a", settings=settings).record
    assert record["report"]["kept_step"] == 4 and record["report"]["steps"] == 8
    kept = load_model(tmp_path / "a")[0].state_dict()
    assert all(torch.equal(value, kept[name]) for name, value in seen[1].items())
    lines = [json.loads(line) for line in (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "success" in line.get("validation", {})] == [2, 4, 6, 8]


def test_evaluating_changes_nothing_else(tmp_path: Path) -> None:
    quick("bc", tmp_path / "a")
    quick("bc", tmp_path / "b", settings={"stop_on": "loss", "evaluate_every": 3, "patience": 0})
    one, other = (
        [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        for name in "ab"
    )
    assert [x["loss"] for x in one if "loss" in x] == [x["loss"] for x in other if "loss" in x]
    report = read_training(tmp_path / "b")["report"]
    least = min((x["validation"]["loss"], x["step"]) for x in other if x.get("step") and "validation" in x)
    assert (report["validation"]["loss"], report["kept_step"]) == least


def test_validation_episodes_are_the_same_every_time() -> None:
    from dialog_envs.registration import get_task

    class Silent:
        calls = 0

        def act_batch(self, observations: list[Any], seeds: list[int]) -> list[str]:
            self.calls += 1
            return ["Goodbye." if len(o["dialogue"]) > 4 else "What do you like?" for o in observations]

    task, agent = get_task("PreferenceElicitation-v0"), Silent()
    first, second = (validation._play(agent, task, 5) for _ in range(2))
    assert [o.to_json(metrics=False) for o in first] == [o.to_json(metrics=False) for o in second]
    assert len(first) == 5 and agent.calls <= 2 * task.max_turns
    with pytest.raises(UsageError, match="choose stop_on=loss"):
        validation._play(agent, ToyTask(), 5)


def test_validation_episodes_are_spoken_as_the_trained_agent_will(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []
    monkeypatch.setattr(validation, "_play", lambda agent, *_: said.append(agent.decoding) or [])
    learner = make_algorithm("ilql", {"temperature": 0.5, "beta": 8.0, "min_p": 0.1})
    model = build_model(TINY, ["some words"], [])
    validation.episode_score(learner, ToyTask(), 4)(model)
    assert (said[0].temperature, said[0].beta, said[0].min_p) == (0.5, 8.0, 0.1)


def test_stopping_needs_something_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="stop_on='success' is unknown"):
        quick("bc", tmp_path / "a", settings={"stop_on": "success"})
    with pytest.raises(UsageError, match="needs held-out personas"):
        quick("bc", tmp_path / "a", settings={"stop_on": "loss", "validation": 0})
    with pytest.raises(UsageError, match="patience=-1"):
        quick("bc", tmp_path / "a", settings={"patience": -1})


# ---- batches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spread", [0.3, 0.6])
def test_nearly_all_of_a_batch_is_dialogue(spread: float) -> None:
    rng = stream(0, "lengths")
    lengths = [int(n) for n in rng.lognormal(5.0, spread, size=2000).clip(12, 1024)]
    plan = trainer._plan(lengths, trainer.TrainingConfig(epochs=1), 0)
    assert useful_share(lengths, [part for parts in plan for part in parts]) >= 0.95
    assert sorted(i for parts in plan for part in parts for i in part) == list(range(2000))


# ---- several processes -----------------------------------------------------------------------------------------------


ADAMW = {"optimizer": "adamw"}
"""Blocks in parts are moved by AdamW, so what they are compared with must be, too."""


def together(algorithm: str, out: Path, **environment: str) -> dict[str, Any]:
    """The record of a training by two processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    code = f"import sys, pathlib, {__name__} as t; t.quick('{algorithm}', pathlib.Path(sys.argv[1]))"
    shared = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(out)], cwd=Path(__file__).parents[2],
            env=os.environ | shared | environment | {"RANK": rank, "LOCAL_RANK": rank, "OMP_NUM_THREADS": "1"},
        )
        for rank in ("0", "1")
    ]  # fmt: skip
    assert [process.wait(timeout=300) for process in processes] == [0, 0]
    return read_training(out)


def assert_same_training(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert two["processes"] == 2 and two["tokens"] == one["tokens"] and two["steps"] == one["steps"]
    assert two["losses"] == pytest.approx(one["losses"], abs=2e-3)
    assert two["validation"] == pytest.approx(one["validation"], abs=2e-3)


@pytest.mark.slow
def test_two_processes_give_the_same_training_as_one(tmp_path: Path) -> None:
    two = together("ilql", tmp_path / "two")["report"]
    one = quick("ilql", tmp_path / "one").record["report"]
    assert_same_training(one, two)
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two"}


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["ilql", "qsft"])
def test_two_processes_with_half_of_the_blocks_each_give_the_same_training(
    tmp_path: Path, algorithm: str
) -> None:
    record = together(algorithm, tmp_path / "two", ACCELERATE_USE_FSDP="true")
    one = quick(algorithm, tmp_path / "one", settings=ADAMW).record
    assert record["report"]["sharded"] and not one["report"]["sharded"]
    assert record["report"]["optimizer"] == one["report"]["optimizer"] == "adamw"
    assert_same_training(one["report"], record["report"])
    assert record["parameters"] == one["parameters"] and record["learning"] == one["learning"]
    # The checkpoint is whole, and plays like the other.
    whole, expected = (load_model(tmp_path / name)[0].state_dict() for name in ("two", "one"))
    assert whole.keys() == expected.keys()
    assert all(torch.allclose(whole[name], expected[name], atol=5e-3) for name in expected)


def test_several_processes_need_accelerate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(UsageError, match=r"needs accelerate: pip install"):
        quick("bc", tmp_path / "a")


def test_auto_takes_what_is_there(tmp_path: Path) -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert quick("bc", tmp_path / "a", device="auto").record["report"]["device"] == expected


# ---- trackers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["trackio", "wandb"])
def test_a_tracker_is_told_the_figures(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    fake = SimpleNamespace(
        init=lambda **settings: told.append(settings), log=told.append, finish=lambda: told.append("end")
    )
    monkeypatch.setitem(sys.modules, name, fake)
    quick("ilql", tmp_path / "a", track=[name])
    begin, *logged, end = told
    assert (
        begin["project"] == "dialog-envs" and begin["name"] == "a" and begin["config"]["algorithm"] == "ilql"
    )
    assert end == "end"
    assert {"bc/loss", "ilql/loss", "ilql/cql", "ilql/lr", "ilql/tokens_per_second"} <= set().union(*logged)
    assert any("ilql/validation/loss" in figures for figures in logged)


def test_tensorboard_gets_event_files(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    quick("bc", tmp_path / "a", track=["tensorboard"])
    (events,) = (tmp_path / "tensorboard" / "a").iterdir()
    assert b"bc/loss" in events.read_bytes()


def test_a_tracker_that_is_not_there_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'wandb'"):
        quick("bc", tmp_path / "a", track=["wand"])
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UsageError, match="not installed: pip install wandb"):
        quick("bc", tmp_path / "a", track=["wandb"])
    assert not list(tmp_path.iterdir())


# ---- model card and hub ----------------------------------------------------------------------------------------------


def test_the_model_card_says_what_the_model_is(tmp_path: Path) -> None:
    import yaml

    result = quick("ilql", tmp_path / "a")
    text = (tmp_path / "a" / "README.md").read_text(encoding="utf-8")
    _, front, body = text.split("---\n", 2)
    assert set(yaml.safe_load(front)["tags"]) >= {"dialog-envs", "ilql", "Toy-v0"}
    assert result.record["data"] in body and result.record["fingerprint"] in body
    assert 'LearnedAgent.from_pretrained("a")' in body and '"expectile": 0.7' in body
    assert "| ilql | cql |" in body and "| bc | loss |" in body
    assert "| optimiser | Muon, and AdamW beside it |" in body


@pytest.fixture
def uploads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What would have gone to the hub."""
    from huggingface_hub import HfApi

    sent: list[tuple[str, Any]] = []

    def upload(self: Any, *, repo_id: str, folder_path: Any, **_: Any) -> str:
        sent.append((repo_id, {path.name for path in Path(folder_path).iterdir()}))
        return f"https://hub/{repo_id}/commit/1"

    monkeypatch.setattr(HfApi, "create_repo", lambda self, repo, **_: sent.append(("make", repo)))
    monkeypatch.setattr(HfApi, "upload_folder", upload)
    return sent


def test_a_checkpoint_goes_to_the_hub_and_is_not_trained_again_for_it(
    tmp_path: Path, uploads: list[tuple[str, Any]]
) -> None:
    assert (
        quick("bc", tmp_path / "a", push_to_hub="someone/toy").address == "https://hub/someone/toy/commit/1"
    )
    again = quick("bc", tmp_path / "a", push_to_hub="someone/toy")
    assert not again.trained and again.address and len(uploads) == 4
    assert uploads[0] == ("make", "someone/toy")
    assert {"README.md", "model.safetensors", "training.json", "tokenizer.json"} <= uploads[1][1]
    assert not [name for name in uploads[1][1] if name.startswith(".")]


def test_what_the_hub_refuses_is_one_sentence(
    tmp_path: Path, uploads: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import HfApi

    with pytest.raises(UsageError, match="write OWNER/NAME"):
        quick("bc", tmp_path / "a", push_to_hub="some one/toy")
    assert not list(tmp_path.iterdir())
    with pytest.raises(CheckpointError, match="is no checkpoint"):
        hub.push_to_hub(tmp_path, "someone/toy")
    quick("bc", tmp_path / "a")

    def refuse(self: Any, *_: Any, **__: Any) -> None:
        raise ConnectionError("no route to the hub")

    monkeypatch.setattr(HfApi, "create_repo", refuse)
    with pytest.raises(CheckpointError, match=r"could not be uploaded .*hf auth login"):
        hub.push_to_hub(tmp_path / "a", "someone/toy")


def test_the_command_hands_on_its_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import typer
    from typer.testing import CliRunner

    from dialog_envs.benchmarks.cli import train as command

    calls: list[dict[str, Any]] = []
    report = {"steps": 3, "seconds": 1.0}

    def fake(*arguments: Any, **options: Any) -> training.TrainResult:
        calls.append(options)
        return training.TrainResult(tmp_path, True, {"report": report}, "https://hub/x")

    monkeypatch.setattr(command, "train", fake)
    app = typer.Typer()
    command.register(app)
    app.callback()(lambda: None)
    options = ["--backbone=embedded", "--lora-rank=8", "--device=auto", "--save-every=50"]
    more = ["--track=tensorboard", "--track=wandb", "--push-to-hub=a/b"]
    found = CliRunner().invoke(app, ["train", "bc", "--data=x", "-o", "y", *options, *more])
    assert found.exit_code == 0 and "uploaded to https://hub/x" in found.stdout
    assert calls[0]["model"] == ModelConfig(backbone="embedded", lora_rank=8)
    assert calls[0]["device"] == "auto" and calls[0]["save_every"] == 50
    assert calls[0]["track"] == ["tensorboard", "wandb"] and calls[0]["push_to_hub"] == "a/b"
