"""What stands beside the data where a model took part: who was proposed, what the critic said, what was thrown away."""

from __future__ import annotations

from collections.abc import Callable
from os.path import lexists
from pathlib import Path
from typing import Any

from dialog_envs.datasets.files import CRITIQUES, PERSONAS, REJECTED, read_file
from dialog_envs.datasets.schema import parse_json
from dialog_envs.datasets.shipped import locate
from dialog_envs.errors import DatasetError


def read_people(path: str | Path) -> list[dict[str, Any]]:
    """Everybody who was proposed, with ``name``, ``who`` and ``problem`` (why they take no part; empty if they do).

    Args:
        path: the dataset's folder. Nobody where it has no ``personas.json``.

    Raises:
        DatasetError: the file is damaged; names file and line.
    """
    file = locate(path) / PERSONAS
    if not lexists(file):
        return []
    data = _parsed(file, read_file(file), 1)
    people = data.get("proposals") if isinstance(data, dict) else None
    if not isinstance(people, list):
        raise _damaged(file, 1, "it holds no list 'proposals'")
    for number, one in enumerate(people, 1):
        if not isinstance(one, dict) or not all(
            isinstance(one.get(k), str) for k in ("name", "who", "problem")
        ):
            raise _damaged(file, 1, f"the {number}. of the proposals is no {{name, who, problem, …}}")
    return people


def read_critiques(path: str | Path) -> dict[str, list[dict[str, Any]]]:
    """The versions of each dialogue that a critic judged, by the episode's id: ``did``, ``criteria``, ``lines``.

    Args:
        path: the dataset's folder. Empty where it has no ``critiques.jsonl``.

    Raises:
        DatasetError: the file is damaged; names file and line.
    """
    rows = _lines(locate(path) / CRITIQUES, _is_critique, "{id, versions: [{did, criteria, lines}]}")
    return {row["id"]: row["versions"] for row in rows}


def read_rejected(path: str | Path) -> list[dict[str, Any]]:
    """Every reply that was thrown away: ``step``, ``problem``, ``text``, and where it was an attempt's, ``attempt``.

    Args:
        path: the dataset's folder. Empty where it has no ``rejected.jsonl``.

    Raises:
        DatasetError: the file is damaged; names file and line.
    """
    return _lines(locate(path) / REJECTED, _is_rejected, "{step, problem, text}")


def _lines(file: Path, good: Callable[[Any], bool], form: str) -> list[dict[str, Any]]:
    if not lexists(file):
        return []
    raw = read_file(file).split(b"\n")
    if raw.pop():
        raise _damaged(file, len(raw) + 1, "the line is cut off")
    rows = []
    for number, line in enumerate(raw, 1):
        row = _parsed(file, line, number)
        if not good(row):
            raise _damaged(file, number, f"a line is {form}")
        rows.append(row)
    return rows


def _is_critique(row: Any) -> bool:
    versions = row.get("versions") if isinstance(row, dict) else None
    return isinstance(versions, list) and isinstance(row.get("id"), str) and all(map(_is_version, versions))


def _is_version(data: Any) -> bool:
    if not isinstance(data, dict) or not isinstance(data.get("did"), str):
        return False
    criteria, lines = data.get("criteria"), data.get("lines")
    if not isinstance(criteria, list) or not isinstance(lines, list):
        return False
    judged = all(
        isinstance(c, dict) and type(c.get("passed")) is bool and _texts(c, "name", "reason")
        for c in criteria
    )
    return judged and all(
        isinstance(x, dict) and x.get("speaker") in (0, 1) and _texts(x, "text") for x in lines
    )


def _is_rejected(row: Any) -> bool:
    return isinstance(row, dict) and _texts(row, "step", "problem", "text")


def _texts(data: dict[str, Any], *names: str) -> bool:
    return all(isinstance(data.get(name), str) for name in names)


def _parsed(file: Path, raw: bytes, number: int) -> Any:
    try:
        return parse_json(raw)
    except DatasetError as error:
        raise _damaged(file, number, str(error)) from None


def _damaged(file: Path, number: int, what: str) -> DatasetError:
    return DatasetError(
        f"'{file}' line {number}: {what}. Restore the file, or remove it: it is no part of the data."
    )
