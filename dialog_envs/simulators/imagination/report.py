"""What stands beside a dataset's shards: who was proposed, what the critic said, what was thrown away."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dialog_envs.simulators.imagination.making import Made
from dialog_envs.simulators.imagination.reasoning import Reasoned


def people_text(reasoned: Reasoned) -> str:
    """``personas.json``: everybody who was proposed, and what became of them."""
    data = reasoned.facts() | {"proposals": [one.to_json() for one in reasoned.proposals]}
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def critique_log(made: Sequence[Made]) -> str:
    """``critiques.jsonl``: each dialogue that the critic judged, with all its versions and verdicts."""
    rows = (
        {"id": one.episode.id, "versions": [version.to_json() for version in one.versions]}
        for one in made
        if one.versions and one.episode is not None
    )
    return "".join(_line(row) for row in rows)


def rejected_log(made: Sequence[Made], reasoned: Reasoned | None) -> str:
    """``rejected.jsonl``: every reply that was thrown away, with the reason."""
    rows: list[dict[str, Any]] = [
        one.to_json() for one in (reasoned.rejected if reasoned is not None else ())
    ]
    rows += [{"attempt": index, **one.to_json()} for index, part in enumerate(made) for one in part.rejected]
    return "".join(_line(row) for row in rows)


def _line(row: Mapping[str, Any]) -> str:
    text = json.dumps(row, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = json.dumps(row)
    return text + "\n"
