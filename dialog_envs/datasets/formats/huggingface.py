"""Hugging Face: a folder that ``datasets.load_dataset(folder)`` reads, and that can be uploaded as it is.

Rows have a ``messages`` column in the usual chat form, numbers as numbers, and everything else that an episode holds as
JSON text, so that nothing is lost on the way back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dialog_envs.datasets.card import dataset_card
from dialog_envs.datasets.files import MANIFEST, file_trouble, whole
from dialog_envs.datasets.formats.messages import free_folder, messages, turns_from_messages
from dialog_envs.datasets.reader import Dataset, read_dataset
from dialog_envs.datasets.schema import Episode, parse_json
from dialog_envs.datasets.store import DatasetWriter
from dialog_envs.errors import DatasetError, ModelUnavailable

FACTS = "dialog_envs.json"
"""The manifest's facts, beside the data."""
_TEXTS = ("persona", "scenario", "outcome", "critique", "provenance")
"""Fields that rows hold as JSON text: their shape differs from task to task."""


def row(episode: Episode) -> dict[str, Any]:
    """An episode as a row of columns."""
    data = episode.to_json()
    acts = [[act.to_json() for act in turn.acts] for turn in episode.turns]
    return {
        "id": episode.id,
        "task": episode.task,
        "family": episode.family,
        "seed": episode.seed,
        "messages": messages(episode),
        "reward": episode.reward,
        "rewards": list(episode.rewards),
        "success": bool(episode.outcome["success"]),
        "acts": json.dumps(acts),
        **{name: json.dumps(data[name], ensure_ascii=False) for name in _TEXTS},
    }


def episode_from_row(data: Mapping[str, Any]) -> Episode:
    """Inverse of :func:`row`.

    Raises:
        DatasetError: a column is missing or damaged; the message says which.
    """
    try:
        parts = {name: parse_json(data[name]) for name in _TEXTS}
        acts = parse_json(data["acts"])
        said = turns_from_messages(data["messages"])
        turns = [
            {"speaker": speaker, "text": text, "acts": found}
            for (speaker, text), found in zip(said, acts, strict=True)
        ]
        plain = {name: data[name] for name in ("id", "task", "family", "seed", "reward")}
        return Episode.from_json({**plain, **parts, "turns": turns, "rewards": list(data["rewards"])})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(f"a row is no episode of dialog-envs ({type(error).__name__}: {error})") from error


def export_huggingface(dataset: Dataset, out: str | Path) -> Path:
    """Write a dataset as a folder of Hugging Face's kind: ``README.md`` with front matter, ``data/train.jsonl``.

    Raises:
        DatasetError: the place is taken or cannot be written.
    """
    folder = free_folder(out)
    with whole(folder) as new:
        (new / "data").mkdir(parents=True)
        with (new / "data" / "train.jsonl").open("w", encoding="utf-8") as file:
            for episode in dataset.episodes:
                file.write(json.dumps(row(episode), ensure_ascii=True) + "\n")
        facts = {name: value for name, value in dataset.manifest.items() if name not in ("shards", "dropped")}
        (new / FACTS).write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
        (new / "README.md").write_text(_readme(dataset), "utf-8", "replace")
    return folder


def import_huggingface(source: str | Path | Iterable[Mapping[str, Any]], out: str | Path) -> Dataset:
    """A dataset of ours out of what :func:`export_huggingface` wrote, from its folder, the Hub, or rows in memory.

    Raises:
        DatasetError: the rows are no episodes; names the row.
        ModelUnavailable: a name on the Hub, and the package ``datasets`` is not installed.
    """
    facts, rows = _open(source)
    episodes = []
    for number, data in enumerate(rows, 1):
        try:
            episodes.append(episode_from_row(data))
        except DatasetError as error:
            raise DatasetError(f"'{source!s:.200}' row {number}: {error}. {_OTHERS}") from None
    if not episodes:
        raise DatasetError(f"'{source!s:.200}' holds no rows.")
    facts = {"task": episodes[0].task, **{k: v for k, v in facts.items() if k not in ("schema", "counts")}}
    with DatasetWriter(out, facts) as writer:
        writer.write_all(episodes)
    return read_dataset(out)


def _open(source: Any) -> tuple[dict[str, Any], Iterator[Mapping[str, Any]]]:
    if not isinstance(source, str | Path):
        return {}, iter(source)
    folder = Path(source)
    if not folder.exists():
        try:
            from datasets import load_dataset
        except ImportError as error:
            raise ModelUnavailable(
                f"there is no folder '{source}', and to look on the Hugging Face Hub the package datasets is needed: "
                "pip install 'dialog-envs[hub]'."
            ) from error
        try:
            return _facts_on_hub(str(source)), iter(load_dataset(str(source), split="train"))
        except DatasetError:
            raise
        except Exception as error:  # not there, not reachable, no such split: of many classes
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise DatasetError(
                f"'{source}' is no folder here, and cannot be loaded from the Hugging Face Hub ({reason:.200})."
            ) from error
    facts: dict[str, Any] = {}
    with file_trouble(folder):
        files = sorted((folder / "data").glob("*.jsonl")) if folder.is_dir() else [folder]
        if not files:
            own = " It is a dataset of dialog-envs already." if (folder / MANIFEST).is_file() else ""
            raise DatasetError(f"'{folder}' has no data/*.jsonl.{own}")
        if (folder / FACTS).is_file():
            facts = _facts(folder / FACTS)
        rows = [row for file in files for row in _rows(file)]
    return facts, iter(rows)


def _facts_on_hub(name: str) -> dict[str, Any]:
    """The manifest's facts beside a dataset on the Hub; none where its maker put none there."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        return _facts(Path(hf_hub_download(name, FACTS, repo_type="dataset")))
    except LocalEntryNotFoundError:  # the Hub was not reached
        raise
    except EntryNotFoundError:
        return {}


def _facts(file: Path) -> dict[str, Any]:
    """The manifest's facts. Raises DatasetError, which names the file."""
    try:
        data = parse_json(file.read_bytes())
    except DatasetError as error:
        raise DatasetError(f"'{file}': {error}. {_OTHERS}") from None
    if not isinstance(data, dict):
        raise DatasetError(f"'{file}' is no JSON object. {_OTHERS}")
    return data


def _rows(file: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a file of JSON lines. Raises DatasetError, which names file and line."""
    for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
        if not line:
            continue
        try:
            data = parse_json(line)
        except DatasetError as error:
            raise DatasetError(f"'{file}' line {number}: {error}. {_OTHERS}") from None
        if not isinstance(data, dict):
            raise DatasetError(f"'{file}' line {number}: a row is a JSON object. {_OTHERS}")
        yield data


_OTHERS = "Only what dialog-envs exported comes back this way; anyone's lines of role and content come --from jsonl."
_SCALES = ((1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"), (float("inf"), "n>1M"))
"""The Hub's names for sizes."""


def _readme(dataset: Dataset) -> str:
    size = len(dataset)
    scale = next(text for most, text in _SCALES if size < most)
    front = [
        "---",
        f"pretty_name: {dataset.task} dialogues",
        "language: [en]",
        "task_categories: [text-generation, reinforcement-learning]",
        "tags: [dialogue, offline-rl, dialog-envs]",
        f"size_categories: [{scale}]",
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - split: train",
        "    path: data/train.jsonl",
        "---",
        "",
    ]
    return "\n".join(front) + dataset_card(dataset)
