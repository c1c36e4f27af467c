"""Datasets of dialogues: episodes as JSON lines with a manifest. Read, write, split, validate, describe."""

from __future__ import annotations

from dialog_envs.datasets.beside import read_critiques, read_people, read_rejected
from dialog_envs.datasets.reader import (
    Dataset,
    fingerprint,
    iterate_dataset,
    load,
    read_dataset,
    read_dropped,
    read_manifest,
)
from dialog_envs.datasets.schema import SCHEMA_VERSION, Criterion, Critique, Episode, Provenance
from dialog_envs.datasets.shipped import shipped
from dialog_envs.datasets.splits import split_by_persona
from dialog_envs.datasets.stats import Stats, compute_stats
from dialog_envs.datasets.store import DatasetWriter
from dialog_envs.datasets.validate import Validation, validate

__all__ = [
    "SCHEMA_VERSION",
    "Criterion",
    "Critique",
    "Dataset",
    "DatasetWriter",
    "Episode",
    "Provenance",
    "Stats",
    "Validation",
    "compute_stats",
    "fingerprint",
    "iterate_dataset",
    "load",
    "read_critiques",
    "read_dataset",
    "read_dropped",
    "read_manifest",
    "read_people",
    "read_rejected",
    "shipped",
    "split_by_persona",
    "validate",
]
