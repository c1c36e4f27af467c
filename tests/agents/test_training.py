"""The trainer and its checkpoints: reproducible, resumable, whole or not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from dialog_envs.agents import trainer
from dialog_envs.agents.algorithms import make_algorithm
from dialog_envs.agents.checkpoint import load_model, read_training
from dialog_envs.agents.filtered_bc import FilteredBC, FilteredBCConfig
from dialog_envs.agents.language_model import DialogueModel, ModelConfig
from dialog_envs.agents.learned import LearnedAgent
from dialog_envs.agents.sequences import TextEpisode
from dialog_envs.agents.training import train
from dialog_envs.errors import CheckpointError, DatasetError, UnknownAgent, UsageError
from tests.agents.toy import PlainView, ToyTask, corridor_episodes, episode

TINY = ModelConfig(layers=1, width=32, attention_heads=2, vocabulary=320, context=96)
QUICK = {"epochs": 1, "tokens_per_batch": 1024}
EPISODES = corridor_episodes(60)


def quick(algorithm: str, out: Path, episodes: list[dict[str, Any]] | None = None, **more: Any) -> Any:
    settings = QUICK | more.pop("settings", {})
    return train(
        algorithm, EPISODES if episodes is None else episodes, out, task=ToyTask(), settings=settings, model=TINY,
        progress=False, **more,
    )  # fmt: skip


def weights(path: Path) -> dict[str, torch.Tensor]:
    return load_model(path)[0].state_dict()


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    quick("bc", tmp_path / "a")
    quick("bc", tmp_path / "b", seed=1)
    first, second = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert any(not torch.equal(first[name], second[name]) for name in first)


def test_training_leaves_global_randomness_and_threads_alone(tmp_path: Path) -> None:
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    quick("ilql", tmp_path / "a", threads=1)
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("algorithm", ["bc", "ilql"])
def test_the_record_says_what_the_training_was_like(tmp_path: Path, algorithm: str) -> None:
    record = quick(algorithm, tmp_path / "a", settings={"epochs": 6}).record
    lines = [json.loads(line) for line in (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["algorithm"] == algorithm and "loss" in line]
    falling = "cql" if algorithm == "ilql" else "loss"  # goals of Q and V move while values grow
    assert steps[-1][falling] < steps[0][falling]
    assert record["report"]["steps"] == len(steps)
    assert record["report"]["validation"]["loss"] > 0
    assert record["task"] == "Toy-v0" and record["config"]["training"]["epochs"] == 6


@pytest.mark.parametrize("trunk", ["shared", "separate"])
def test_saving_and_loading_gives_equal_values(
    tmp_path: Path, trunk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[DialogueModel] = []
    fit = trainer.fit

    def keeping(algorithm: Any, model: DialogueModel, *rest: Any, **more: Any) -> Any:
        kept.append(model)
        return fit(algorithm, model, *rest, **more)

    monkeypatch.setattr(trainer, "fit", keeping)
    quick("ilql", tmp_path / "a", settings={"trunk": trunk})
    loaded, _ = load_model(tmp_path / "a")
    ids, last = torch.tensor([[3, 20, 30, 4]]), torch.tensor([1, 3])
    with torch.no_grad():
        for model in (kept[-1], loaded):
            assert model.heads is not None
        a, b = ((m.logits(m.states(ids, last)), *m.heads.action_values(m.value_states(ids, last)),
                 m.heads.values(m.value_states(ids, last)), m.heads.target_values(m.value_states(ids, last), last))
                for m in (kept[-1], loaded) if m.heads is not None)  # fmt: skip
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_a_separate_trunk_leaves_the_policy_as_bc_left_it(tmp_path: Path) -> None:
    quick("bc", tmp_path / "bc")
    quick("ilql", tmp_path / "ilql", init=tmp_path / "bc")
    before, after = weights(tmp_path / "bc"), weights(tmp_path / "ilql")
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert any(not torch.equal(value, after["value_trunk." + name.removeprefix("policy.gpt_neox.")])
               for name, value in before.items() if name.startswith("policy.gpt_neox."))  # fmt: skip


def test_the_policy_folder_is_one_of_transformers(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    quick("bc", tmp_path / "bc")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "bc")
    assert AutoTokenizer.from_pretrained(tmp_path / "bc").pad_token == "<|pad|>"
    again = train(
        "bc", EPISODES, tmp_path / "again", task=ToyTask(), settings=QUICK, progress=False,
        model=ModelConfig(backbone=str(tmp_path / "bc")),
    )  # fmt: skip
    assert model.config.hidden_size == 32 and again.record["vocabulary"] >= 256


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    assert quick("bc", tmp_path / "bc").trained
    stamp = (tmp_path / "bc" / "training.json").stat().st_mtime_ns
    assert not quick("bc", tmp_path / "bc").trained
    assert (tmp_path / "bc" / "training.json").stat().st_mtime_ns == stamp
    assert quick("bc", tmp_path / "bc", settings={"learning_rate": 1e-3}).trained
    assert quick("bc", tmp_path / "bc", episodes=EPISODES[:50]).trained


@pytest.mark.parametrize("before", [False, True])
def test_ctrl_c_leaves_what_was_there(tmp_path: Path, before: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if before:
        quick("bc", tmp_path / "bc")
        old = weights(tmp_path / "bc")

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(trainer, "clip_gradients", interrupted)
    with pytest.raises(KeyboardInterrupt):
        quick("bc", tmp_path / "bc", seed=5)
    assert [path.name for path in tmp_path.iterdir()] == (["bc"] if before else [])
    if before:
        assert all(torch.equal(value, old[name]) for name, value in weights(tmp_path / "bc").items())


def test_filtered_bc_keeps_the_good_episodes() -> None:
    episodes = [TextEpisode((), (float(r),), True, str(i)) for i, r in enumerate([0, 1, 0.5, 1, 0])]
    assert len(FilteredBC().select(episodes)) == 2
    best = FilteredBC(FilteredBCConfig(fraction=0.4)).select(episodes)
    assert [e.total_reward for e in best] == [1, 1]
    with pytest.raises(UsageError, match="lower it"):
        FilteredBC(FilteredBCConfig(threshold=2.0)).select(episodes)
    with pytest.raises(UsageError, match="fraction=0"):
        FilteredBC(FilteredBCConfig(fraction=0.0)).select(episodes)


def test_bad_input_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnknownAgent, match="Did you mean 'ilql'"):
        quick("ilq", tmp_path / "x")
    with pytest.raises(UsageError, match="no setting 'epoch'"):
        quick("bc", tmp_path / "x", settings={"epoch": 2})
    with pytest.raises(UsageError, match="expectile=2"):
        quick("ilql", tmp_path / "x", settings={"expectile": 2})
    with pytest.raises(UsageError, match="trunk='both'"):
        quick("ilql", tmp_path / "x", settings={"trunk": "both"})
    with pytest.raises(UsageError, match="precision='fp8'"):
        quick("bc", tmp_path / "x", settings={"precision": "fp8"})
    with pytest.raises(DatasetError, match="no agent turns"):
        quick("bc", tmp_path / "x", episodes=[episode(["hello"], [])])
    with pytest.raises(DatasetError, match="nowhere' does not exist: make one with"):
        train("bc", tmp_path / "nowhere", tmp_path / "x", task=ToyTask())
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        train(
            "bc", EPISODES, tmp_path / "x", task=ToyTask(), model=ModelConfig(backbone=str(tmp_path / "none"))
        )
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(CheckpointError, match="is no checkpoint"):
        quick("bc", tmp_path / "home")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_broken_checkpoints_say_what_to_do(tmp_path: Path) -> None:
    view = PlainView()
    with pytest.raises(CheckpointError, match="is no checkpoint"):
        LearnedAgent.from_pretrained(tmp_path, view=view)
    quick("ilql", tmp_path / "a")
    with pytest.raises(CheckpointError, match="was trained for Toy-v0, not for Other-v0"):
        LearnedAgent.from_pretrained(tmp_path / "a", task="Other-v0", view=view)
    other = PlainView()
    other.special_tokens = ("<1>", "<99>")
    with pytest.raises(CheckpointError, match="does not know the token '<99>'"):
        LearnedAgent.from_pretrained(tmp_path / "a", view=other)
    heads = tmp_path / "a" / "value_heads.safetensors"
    heads.write_bytes(heads.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="is damaged"):
        LearnedAgent.from_pretrained(tmp_path / "a", view=view)
    record = tmp_path / "a" / "training.json"
    record.write_text(record.read_text()[:-20])
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_training(tmp_path / "a")


def test_the_command_trains_from_a_dataset_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import typer
    from typer.testing import CliRunner

    from dialog_envs.benchmarks.cli import train as command

    (tmp_path / "data").mkdir()
    manifest = {"schema": 1, "task": "Toy-v0", "shards": []}
    (tmp_path / "data" / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setattr("dialog_envs.registration.get_task", lambda name: {"Toy-v0": ToyTask()}[name])
    monkeypatch.setattr(
        "dialog_envs.datasets.read_dataset", lambda path: type("D", (), {"episodes": EPISODES})
    )
    app = typer.Typer()
    command.register(app)
    app.callback()(lambda: None)
    arguments = [
        "train",
        "bc",
        "--data",
        str(tmp_path / "data"),
        "-o",
        str(tmp_path / "bc"),
        "--set",
        "epochs=1",
    ]
    first = CliRunner().invoke(app, arguments)
    assert first.exit_code == 0, first.output
    assert "bc trained" in first.stdout
    second = CliRunner().invoke(app, [*arguments, "--json"])
    assert json.loads(second.stdout)["config"]["training"]["epochs"] == 1
    assert "was trained before" in CliRunner().invoke(app, arguments).stdout
    wrong = CliRunner().invoke(app, [*arguments[:-1], "epochs"])
    assert isinstance(wrong.exception, UsageError) and "NAME=VALUE" in str(wrong.exception)


@pytest.mark.parametrize(
    ("algorithm", "settings", "part"),
    [
        ("bc", {"epochs": "two"}, "epochs must be a number"),
        ("bc", {"epochs": 0}, "above 0"),
        ("bc", {"validation": 1}, "below 1"),
        ("bc", {"parts": 1.5}, "parts must be a whole number"),
        ("ilql", {"bootstrap_truncated": 1}, "true or false"),
        ("ilql", {"trunk": 3}, "trunk must be a word"),
    ],
)
def test_a_setting_that_cannot_be_is_one_sentence(
    algorithm: str, settings: dict[str, Any], part: str
) -> None:
    with pytest.raises(UsageError, match=part):
        make_algorithm(algorithm, settings)


def test_a_device_that_is_not_here_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'nowhere' cannot be used here") as caught:
        quick("bc", tmp_path / "a", device="nowhere")
    assert "\n" not in str(caught.value)


def test_a_shipped_dataset_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(order: Any, episodes: Any) -> None:
        raise DatasetError(f"{len(episodes)} came")

    monkeypatch.setattr("dialog_envs.agents.training._run", run)
    with pytest.raises(DatasetError, match="300 came"):
        train("bc", "shipped:Instruction-v0/language-model", tmp_path / "bc", progress=False)
