"""``dialog-envs data`` as people use it: the way there and back, and mistakes, each of which is one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dialog_envs.benchmarks.cli import main
from dialog_envs.core.dialogue import AGENT
from dialog_envs.datasets import DatasetWriter, Episode, read_dataset, validate
from dialog_envs.datasets.card import dataset_card

TASK = "PreferenceElicitation-v0"
ODD = ("lone \ud800 surrogate", "a\u2028b\r\n| pipe ``` fence", "日本語 \U0001f469\u200d\U0001f469 \x00")
Make = Callable[..., Episode]


@pytest.fixture
def here(imagined: Path, tmp_path: Path, make_episode: Make, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the dataset ``small`` and others that are empty, of another task, full of odd texts, or none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    small = read_dataset(imagined)
    facts = {name: small.manifest[name] for name in ("task", "task_version", "reward_scheme")}
    with DatasetWriter("empty", facts):
        pass
    with DatasetWriter("theirs", {"task": "Theirs-v0"}) as writer:
        writer.write(make_episode(0, task="Theirs-v0"))
    with DatasetWriter("odd ünï", facts) as writer:
        for episode, text in zip(small.episodes, ODD, strict=False):
            turns = (episode.turns[0], replace(episode.turns[1], text=text), *episode.turns[2:])
            writer.write(replace(episode, turns=turns))
    (tmp_path / "file.txt").write_text("hello\n", "utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "minari").mkdir()
    _lines(tmp_path / "chat.jsonl", [_chat(small.episodes[0])])
    return tmp_path


def _chat(episode: Episode, **facts: Any) -> dict[str, Any]:
    from dialog_envs.datasets.formats import messages

    return {"messages": messages(episode), "reward": 1.0} | facts


def _lines(file: Path, rows: list[Any]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


def _mistakes() -> Iterator[tuple[str, str]]:
    for verb in ("show", "stats", "report", "card", "validate"):
        yield f"{verb} nowhere", "'nowhere' does not exist"
        yield f"{verb} folder", "'folder' is no dataset"
    yield "show file.txt", "'file.txt' is no dataset"
    yield "show shipped:nothing", "no dataset 'nothing' is shipped"
    yield "show", "Missing argument"
    yield "show empty", "has no dialogue"
    yield "show small --id nobody", "has no dialogue with id 'nobody'"
    yield "stats empty", "holds no episode"
    yield "report empty", "holds no episode"
    yield "report small --embedding bert", "unknown name 'bert'"
    yield "report small --embedding tfidf --reference nobody", "the task's scripted policies"
    yield "report small --embedding tfidf -o file.txt", "cannot read or write 'file.txt'"
    yield "validate theirs", "unknown task 'Theirs-v0'"
    yield "diff small nowhere", "'nowhere' does not exist"
    yield "merge small -o new", "two datasets or more"
    yield "merge small theirs -o new", "only datasets that agree on it can be merged"
    yield "merge small small -o folder/../small", "there is a dataset"
    yield "merge small small -o file.txt", "is no dataset"
    yield "merge small small -o shipped:new", "is not written to"
    yield "split small --train new --validation new", "cannot hold both parts"
    yield "split small --train new --validation file.txt", "'file.txt' exists and is no dataset"
    yield "split small --train new --validation newer --share 1.5", "at least 0 and below 1"
    yield "export small --to parquet -o new", "--to must be one of"
    yield "export small --to trl -o file.txt", "exists already"
    yield "export small --to trl -o file.txt/new", "cannot read or write"
    yield "export small --to huggingface -o file.txt/new", "cannot read or write"
    yield "export theirs --to trl -o new", "unknown task"
    yield "export theirs --to huggingface -o new", "unknown task"
    yield "import nowhere -o new", "is no folder here"
    yield "import folder -o new", "has no data/*.jsonl"
    yield "import small -o new", "is a dataset of dialog-envs already"
    yield "import file.txt -o new", "'file.txt' line 1: no JSON"
    yield "import chat.jsonl -o new", "'chat.jsonl' row 1: a row is no episode"
    yield "import chat.jsonl --from csv -o new", "--from must be one of"
    yield "import chat.jsonl --from jsonl -o new", "needs --task"
    yield f"import nowhere --from jsonl --task {TASK} -o new", "No such file"
    yield f"import folder --from jsonl --task {TASK} -o new", "Is a directory"
    yield "import chat.jsonl --from jsonl --task Persuasion-v0 -o new", "line 1: not a brief of Persuasion-v0"
    yield "import chat.jsonl --from jsonl --task Nobody-v0 -o new", "unknown task"
    yield f"import chat.jsonl --from jsonl --task {TASK} --map a=b -o new", "no --map FIELD=NAME"


def _fails(command: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, exit code 2, and nothing new is left behind."""
    before = sorted(path.name for path in Path().rglob("*"))
    assert main(["data", *command.split()]) == 2
    shown = capsys.readouterr()
    (line,) = shown.err.splitlines()
    assert line.startswith("error: ") and says in line and not shown.out
    assert sorted(path.name for path in Path().rglob("*")) == before


def test_mistakes_are_one_sentence(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command, says in _mistakes():
        _fails(command, says, capsys)


def test_lines_that_are_no_dialogues(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of somebody else's file, mixed ones too: the line is named, blank lines are counted, and nothing is made."""
    good = _chat(read_dataset("small").episodes[0])
    said = good["messages"]
    for row, says in (
        ([1], "a line is a JSON object"),
        ({"prompt": [], "completion": []}, "'messages' must be a list of messages"),
        (read_dataset("small").episodes[0].to_json(), "'messages' must be a list of messages"),
        ({"messages": said}, "must state a number 'reward'"),
        (good | {"reward": "1"}, "must state a number 'reward'"),
        (good | {"reward": 1e305}, "too large a number"),
        (good | {"reward": 10**400}, "too large a number"),
        (good | {"success": "yes"}, "'success' must be true or false"),
        (good | {"messages": said[1:]}, "neither a 'scenario' nor a message of role 'system'"),
        (good | {"messages": said[:2]}, "the agent does not speak"),
        (good | {"messages": [*said, {"role": "tool", "content": "x"}]}, "a message is {role"),
        (good | {"messages": [*said, {"role": "user", "content": [{"text": "x"}]}]}, "a message is {role"),
        (good | {"messages": [*said, {"role": ["user"], "content": "x"}]}, "a message is {role"),
        (good | {"persona": {"a": 1}}, "a persona needs exactly the fields"),
        (good | {"scenario": {"a": 1}}, "a scenario needs exactly the fields"),
    ):
        text = f"{json.dumps(good)}\n\n{json.dumps(row)}\n"
        (here / "chat.jsonl").write_text(text, "utf-8")
        _fails(
            f"import chat.jsonl --from jsonl --task {TASK} -o new",
            "'chat.jsonl' line 3: ",
            capsys,
        )
        _fails(f"import chat.jsonl --from jsonl --task {TASK} -o new", says, capsys)
    (here / "chat.jsonl").write_text("\n", "utf-8")
    _fails(f"import chat.jsonl --from jsonl --task {TASK} -o new", "holds no line", capsys)


def test_dialogues_of_people_that_nobody_knows(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A byte-order mark and other line ends are no mistake; what comes in is valid, and each user is another one."""
    rows = [_chat(episode) for episode in read_dataset("small").episodes[:6]]
    text = "\ufeff" + "\r\n".join(json.dumps(row) for row in rows)
    (here / "chat.jsonl").write_text(text, "utf-8")
    assert main(["data", "import", "chat.jsonl", "--from", "jsonl", "--task", TASK, "-o", "new"]) == 0
    assert validate("new").valid and len(read_dataset("new")) == 6
    parts = ["--train", "one", "--validation", "other", "--share", "0.5"]
    assert main(["data", "split", "new", *parts]) == 0
    assert len(read_dataset("one")) == len(read_dataset("other")) == 3
    capsys.readouterr()
    assert main(["data", "card", "new"]) == 0
    card = capsys.readouterr().out
    assert "those that came with the dialogues" in card and "| personas " not in card


def test_there_and_back_with_odd_texts(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in (["show", "-n", "9"], ["stats"], ["card"]):
        assert main(["data", verb[0], "odd ünï", *verb[1:]]) == 0
    assert "ünï" not in capsys.readouterr().err
    assert main(["data", "export", "odd ünï", "--to", "huggingface", "-o", "hub ü"]) == 0
    assert main(["data", "import", "hub ü", "-o", "back"]) == 0
    assert main(["data", "diff", "odd ünï", "back"]) == 0
    assert main(["data", "export", "odd ünï", "--to", "trl", "-o", "chat/new.jsonl"]) == 0
    rows = [json.loads(line) for line in Path("chat/new.jsonl").read_text("utf-8").splitlines()]
    said = [next(m["content"] for m in row["messages"] if m["role"] == "assistant") for row in rows]
    assert said == list(ODD)
    readme = (here / "hub ü" / "README.md").read_text("utf-8")
    assert readme.startswith("---\npretty_name: ") and "\n## Disclosure by turn\n" in readme


def test_merging_what_was_merged(here: Path) -> None:
    for sources, out in ((["small", "small"], "twice"), (["twice", "twice", "empty"], "more")):
        assert main(["data", "merge", *sources, "-o", out]) == 0
    merged = read_dataset("more")
    assert len({episode.id for episode in merged.episodes}) == len(merged) == 160
    assert "160 dialogues" in dataset_card(merged) and dataset_card(read_dataset("empty"))


def test_a_part_of_what_was_imagined_has_a_card(here: Path) -> None:
    """Its manifest no longer says which model imagined it; and no text ends the block that it stands in."""
    episode = read_dataset("small").episodes[0]
    with DatasetWriter("whole", {"task": TASK, "mode": "imagined", "models": {"imaginer": "m"}}) as writer:
        writer.write(replace(episode, persona=episode.persona | {"note": "a\n```\nb"}))
    assert "(`m`) in" in dataset_card(read_dataset("whole"))
    assert main(["data", "merge", "whole", "whole", "-o", "sum"]) == 0
    card = dataset_card(read_dataset("sum"))
    assert "imagined by a language model in" in card and "\n````text\n" in card


def test_facts_of_a_manifest_that_are_of_another_kind(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Or not there, which is no mistake: somebody else may have written it."""
    with DatasetWriter("one", {"task": TASK, "critique": None, "models": None, "cost": {}}) as writer:
        writer.write(read_dataset("small").episodes[0])
    file = here / "one" / "manifest.json"
    facts = json.loads(file.read_text("utf-8"))
    del facts["families"]
    file.write_text(json.dumps(facts), "utf-8")
    for verb in ("card one", "stats one", "report one --beliefs 0 --reference-dialogues 0 --embedding tfidf"):
        assert main(["data", *verb.split()]) == 0 and capsys.readouterr().out
    for name in ("policies", "imagination", "models", "cost", "critique", "families"):
        file.write_text(json.dumps({**facts, name: [3]}), "utf-8")
        _fails("card one", f"'{name}' is an object, or not there", capsys)


def test_facts_beside_rows_are_an_object(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "export", "small", "--to", "huggingface", "-o", "hf"]) == 0
    capsys.readouterr()
    for text, says in (("[]", "is no JSON object"), ("{", "no JSON (")):
        (here / "hf" / "dialog_envs.json").write_text(text, "utf-8")
        _fails("import hf -o new", "'hf/dialog_envs.json'", capsys)
        _fails("import hf -o new", says, capsys)


def test_minari_refuses_in_words(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It takes any name for a folder, and then finds no dataset any more."""
    pytest.importorskip("minari")
    for id in ("bad", "../x-v0", "bad/id/"):
        _fails(f"export small --to minari -o {id}", "is no id of a Minari dataset", capsys)
        _fails(f"import {id} --from minari -o new", "is no id of a Minari dataset", capsys)
    _fails("export empty --to minari -o dialog/Empty-v0", "no empty datasets", capsys)
    _fails("import dialog/Nothing-v0 --from minari -o new", "no local dataset", capsys)
    assert main(["data", "export", "odd ünï", "--to", "minari", "-o", "dialog/Odd-v0"]) == 2
    assert "which HDF5 cannot hold" in capsys.readouterr().err
    with DatasetWriter("few", read_dataset("small").manifest) as writer:
        writer.write_all(read_dataset("small").episodes[:3])
    assert main(["data", "export", "few", "--to", "minari", "-o", "dialog/Few-v0"]) == 0
    assert main(["data", "import", "dialog/Few-v0", "--from", "minari", "-o", "back"]) == 0
    assert main(["data", "diff", "few", "back"]) == 0 and not capsys.readouterr().err
    _fails("export few --to minari -o dialog/Few-v0", "already", capsys)
    assert {turn.speaker for turn in read_dataset("back").episodes[0].turns} >= {AGENT}
