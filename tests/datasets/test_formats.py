"""Other people's formats: nothing is lost on the way out and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dialog_envs.datasets import Dataset, formats, read_dataset
from dialog_envs.datasets.combine import diff, merge, split
from dialog_envs.errors import DatasetError, UsageError
from dialog_envs.simulators.imagination import imagine

TASK = "PreferenceElicitation-v0"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: Any) -> Dataset:
    return imagine(TASK, tmp_path_factory.mktemp("made") / "data", 30, 3)


def test_messages_are_a_chat(dataset: Dataset) -> None:
    chat = formats.messages(dataset.episodes[0])
    assert chat[0]["role"] == "system" and "You are a travel agent" in chat[0]["content"]
    assert [row["role"] for row in chat[1:4]] == ["user", "assistant", "user"]
    assert [row["content"] for row in chat[1:]] == [turn.text for turn in dataset.episodes[0].turns]


def test_hugging_face_and_back(dataset: Dataset, tmp_path: Path) -> None:
    folder = formats.export_huggingface(dataset, tmp_path / "hub")
    front = (folder / "README.md").read_text("utf-8")
    assert front.startswith("---\n") and "path: data/train.jsonl" in front
    back = formats.import_huggingface(folder, tmp_path / "back")
    assert diff(dataset.path, back.path).equal
    assert back.manifest["policies"] == dataset.manifest["policies"]
    with pytest.raises(DatasetError, match="exists already"):
        formats.export_huggingface(dataset, folder)


def test_the_datasets_package_reads_it(dataset: Dataset, tmp_path: Path, monkeypatch: Any) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = formats.export_huggingface(dataset, tmp_path / "hub")
    rows = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))["train"]
    assert len(rows) == 30 and rows[0]["messages"][1]["role"] == "user"
    assert diff(dataset.path, formats.import_huggingface(rows, tmp_path / "back").path).equal


def test_what_is_known_comes_from_the_hub_with_the_rows(
    dataset: Dataset, tmp_path: Path, monkeypatch: Any
) -> None:
    datasets, hub = pytest.importorskip("datasets"), pytest.importorskip("huggingface_hub")
    folder = formats.export_huggingface(dataset, tmp_path / "hub")
    rows = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))["train"]
    monkeypatch.setattr(datasets, "load_dataset", lambda name, split: rows)
    monkeypatch.setattr(hub, "hf_hub_download", lambda name, file, repo_type: str(folder / file))
    back = formats.import_huggingface("somebody/dialogues", tmp_path / "back")
    assert back.manifest["policies"] == dataset.manifest["policies"]

    def missing(*_: Any, **__: Any) -> str:
        raise hub.errors.EntryNotFoundError("there is no such file")

    monkeypatch.setattr(hub, "hf_hub_download", missing)
    assert len(formats.import_huggingface("somebody/dialogues", tmp_path / "bare")) == len(dataset)

    def unreachable(*_: Any, **__: Any) -> str:
        raise hub.errors.LocalEntryNotFoundError("the Hub cannot be reached")

    monkeypatch.setattr(hub, "hf_hub_download", unreachable)
    with pytest.raises(DatasetError, match="cannot be reached"):
        formats.import_huggingface("somebody/dialogues", tmp_path / "nothing")


@pytest.fixture()
def minari_store(tmp_path: Path, monkeypatch: Any) -> Iterator[Any]:
    minari = pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    yield minari


@pytest.mark.filterwarnings("ignore::UserWarning:minari")
def test_minari_and_back(dataset: Dataset, minari_store: Any, tmp_path: Path) -> None:
    id = "dialog/PreferenceElicitation/imagined-v0"
    assert formats.export_minari(dataset, id) == id
    found = minari_store.load_dataset(id)
    assert found.total_episodes == 30
    episode, ours = next(iter(found.iterate_episodes())), dataset.episodes[0]
    assert list(episode.actions) == [turn.text for turn in ours.turns if turn.speaker == 0]
    assert (
        list(episode.rewards) == list(ours.rewards)
        and len(episode.observations["brief"]) == len(ours.rewards) + 1
    )
    assert json.loads(episode.observations["dialogue"][0]) == [ours.turns[0].view()]
    assert diff(dataset.path, formats.import_minari(id, tmp_path / "back").path).equal
    with pytest.raises(DatasetError, match="already"):
        formats.export_minari(dataset, id)
    with pytest.raises(UsageError, match="no local dataset"):
        formats.import_minari("dialog/none-v0", tmp_path / "none")


def test_trl(dataset: Dataset, tmp_path: Path) -> None:
    chat = formats.export_trl(dataset, tmp_path / "chat.jsonl")
    assert json.loads(chat.read_text("utf-8").splitlines()[0])["messages"] == formats.messages(
        dataset.episodes[0]
    )
    lines = formats.export_trl(dataset, tmp_path / "kto.jsonl", "unpaired").read_text("utf-8").splitlines()
    first = json.loads(lines[0])
    assert len(lines) == sum(episode.agent_turns for episode in dataset.episodes)
    assert first["completion"][0]["role"] == "assistant" and first["prompt"][-1]["role"] == "user"
    assert first["label"] is bool(dataset.episodes[0].outcome["success"])
    with pytest.raises(UsageError, match="chat, unpaired"):
        formats.export_trl(dataset, tmp_path / "other.jsonl", "dpo")


def test_anyones_json_lines(dataset: Dataset, tmp_path: Path) -> None:
    ours = dataset.episodes[0]
    turns = [{"who": "bot" if turn.speaker == 0 else "human", "says": turn.text} for turn in ours.turns]
    turns.insert(0, {"who": "brief", "says": formats.messages(ours)[0]["content"]})
    line = {"chat": turns, "meta": {"score": 1.0}}
    file = tmp_path / "logs.jsonl"
    file.write_text(json.dumps(line) + "\n" + json.dumps({**line, "persona": ours.persona}) + "\n", "utf-8")
    mapping = formats.JsonlMapping("chat", "who", "says", "bot", "human", "brief", reward="meta.score")
    stated, scored = formats.import_jsonl(file, TASK, tmp_path / "in", mapping).episodes
    assert (stated.family, stated.reward, stated.provenance.mode) == ("unknown", 1.0, "imported")
    assert (scored.family, scored.reward) == (ours.family, ours.reward)
    assert scored.turns == ours.turns  # the acts were read from the words
    file.write_text(json.dumps(line) + "\n" + json.dumps({"chat": turns[1:]}) + "\n", "utf-8")
    with pytest.raises(DatasetError, match=r"line 2: there is neither"):
        formats.import_jsonl(file, TASK, tmp_path / "bad", mapping)
    assert not (tmp_path / "bad").exists()


def test_merge_undoes_split(dataset: Dataset, tmp_path: Path) -> None:
    train, validation = split(dataset.path, tmp_path / "train", tmp_path / "validation", 0.3)
    personas = [{episode.persona_key for episode in part.episodes} for part in (train, validation)]
    assert personas[0].isdisjoint(personas[1]) and len(validation) > 0
    whole = merge([train.path, validation.path], tmp_path / "whole")
    found = diff(dataset.path, whole.path)
    assert found.equal and found.same == 30 and "policies" in found.facts
    twice = merge([dataset.path, dataset.path], tmp_path / "twice")
    assert len(twice) == 60 and len(read_dataset(tmp_path / "twice").episodes) == 60
    assert len(diff(dataset.path, twice.path).only_right) == 30
    with pytest.raises(DatasetError, match="two datasets"):
        merge([dataset.path], tmp_path / "one")
