"""Datasets made from datasets: merged, split by persona, and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dialog_envs.datasets.reader import Dataset, fingerprint, read_dataset
from dialog_envs.datasets.schema import Episode
from dialog_envs.datasets.splits import split_by_persona
from dialog_envs.datasets.store import DatasetWriter, check_free
from dialog_envs.errors import DatasetError

SAME = ("task", "task_version", "reward_scheme")
"""Facts that datasets must agree on to be one."""


def merge(sources: Sequence[str | Path], out: str | Path, *, replace_existing: bool = False) -> Dataset:
    """One dataset out of several of the same task. Ids that occur twice get their source's number in front.

    Args:
        sources: dataset folders, two or more.
        out: folder of the new one.
        replace_existing: take the place of a dataset that is there.

    Raises:
        DatasetError: fewer than two sources, or they differ in task, task version or reward scheme.
    """
    datasets = [read_dataset(source) for source in sources]
    if len(datasets) < 2:
        raise DatasetError("merging takes two datasets or more.")
    first = datasets[0].manifest
    for dataset in datasets[1:]:
        for key in SAME:
            if dataset.manifest.get(key) != first.get(key):
                raise DatasetError(
                    f"'{dataset.path}' has {key} {dataset.manifest.get(key)!r}, and '{datasets[0].path}' has "
                    f"{first.get(key)!r}: only datasets that agree on it can be merged."
                )
    facts = _facts(first) | {"merged": [_source(dataset) for dataset in datasets]}
    seen: set[str] = set()
    with DatasetWriter(out, facts, replace=replace_existing) as writer:
        for number, dataset in enumerate(datasets):
            for episode in dataset.episodes:
                id = episode.id
                while id in seen:
                    id = f"{number}/{id}"
                seen.add(id)
                writer.write(replace(episode, id=id))
    return read_dataset(out)


def split(
    source: str | Path, train: str | Path, validation: str | Path, share: float = 0.1, seed: int = 0
) -> tuple[Dataset, Dataset]:
    """Two datasets out of one, so that no persona talks in both.

    Args:
        source: the dataset's folder.
        train, validation: folders of the new ones.
        share: share of personas in the validation set.
        seed: another seed, another split.

    Raises:
        UsageError: the share is out of range.
        DatasetError: a folder cannot be read or written.
    """
    if Path(train).resolve() == Path(validation).resolve():
        raise DatasetError(
            f"'{train}' cannot hold both parts: give --train and --validation folders of their own."
        )
    for path in (train, validation):
        check_free(Path(path))
    dataset = read_dataset(source)
    parts = split_by_persona(dataset.episodes, share, seed)
    for path, name, episodes in zip((train, validation), ("train", "validation"), parts, strict=True):
        facts = _facts(dataset.manifest) | {
            "split": {"of": _source(dataset), "part": name, "share": share, "seed": seed}
        }
        with DatasetWriter(path, facts) as writer:
            writer.write_all(episodes)
    return read_dataset(train), read_dataset(validation)


def _facts(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What stays true of a part or a sum of a dataset."""
    names = (*SAME, "user", "user_version", "mode")
    return {name: manifest[name] for name in names if name in manifest}


def _source(dataset: Dataset) -> dict[str, Any]:
    return {"name": dataset.path.name, "fingerprint": fingerprint(dataset), "episodes": len(dataset)}


@dataclass(frozen=True, slots=True)
class Difference:
    """How two datasets differ.

    Attributes:
        facts: manifest entries that differ: name → (left, right).
        only_left, only_right: ids that stand in one of them.
        changed: ids that stand in both with other content.
        same: how many stand in both, equal.
    """

    facts: Mapping[str, tuple[Any, Any]]
    only_left: tuple[str, ...]
    only_right: tuple[str, ...]
    changed: tuple[str, ...]
    same: int

    @property
    def equal(self) -> bool:
        """Whether both hold the same episodes."""
        return not (self.only_left or self.only_right or self.changed)

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "equal": self.equal,
            "same": self.same,
            "changed": list(self.changed),
            "only_left": list(self.only_left),
            "only_right": list(self.only_right),
            "facts": {name: list(pair) for name, pair in self.facts.items()},
        }


def diff(left: str | Path, right: str | Path) -> Difference:
    """Compare two datasets, episode by episode. Raises DatasetError where one cannot be read."""
    first, second = read_dataset(left), read_dataset(right)
    rows, others = _by_id(first), _by_id(second)
    both = [id for id in rows if id in others]
    changed = tuple(id for id in both if rows[id] != others[id])
    names = sorted((set(first.manifest) | set(second.manifest)) - {"shards", "dropped", "code"})
    facts = {
        name: (first.manifest.get(name), second.manifest.get(name))
        for name in names
        if first.manifest.get(name) != second.manifest.get(name)
    }
    return Difference(
        facts,
        tuple(id for id in rows if id not in others),
        tuple(id for id in others if id not in rows),
        changed,
        len(both) - len(changed),
    )


def _by_id(dataset: Dataset) -> dict[str, Episode]:
    return {episode.id: episode for episode in dataset.episodes}
