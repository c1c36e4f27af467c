"""Words of teachers about each idea, from the labelled utterances that train; :mod:`learning` gathers them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=1)
def heard() -> Mapping[str, Mapping[str, list[tuple[str, str]]]]:
    """Concept -> idea -> (kind of act, words) of each utterance."""
    path = files(__package__) / "grammar" / "heard.json"
    found: Mapping[str, Mapping[str, list[tuple[str, str]]]] = json.loads(path.read_text(encoding="utf-8"))
    return found
