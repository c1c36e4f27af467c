"""Datasets in other people's formats, both ways: Hugging Face, Minari, TRL, and anyone's JSON lines."""

from __future__ import annotations

from dialog_envs.datasets.formats.huggingface import export_huggingface, import_huggingface
from dialog_envs.datasets.formats.jsonl import Mapping as JsonlMapping
from dialog_envs.datasets.formats.jsonl import import_jsonl
from dialog_envs.datasets.formats.messages import messages
from dialog_envs.datasets.formats.minari import export_minari, import_minari
from dialog_envs.datasets.formats.trl import export_trl

__all__ = [
    "JsonlMapping",
    "export_huggingface",
    "export_minari",
    "export_trl",
    "import_huggingface",
    "import_jsonl",
    "import_minari",
    "messages",
]
