"""Datasets that come with the package: two for each task, so that training needs no model and no server.

They stand in ``dialog_envs/data/TASK/NAME`` and are named ``shipped:TASK/NAME`` wherever a dataset's folder is asked
for. Each was made by the command that its card and its manifest state; ``make datasets`` makes them again.
"""

from __future__ import annotations

from pathlib import Path

from dialog_envs.datasets.files import MANIFEST
from dialog_envs.errors import DatasetError

PREFIX = "shipped:"
ROOT = Path(__file__).parents[1] / "data"


def shipped() -> list[str]:
    """The names of all of them, as in ``"PreferenceElicitation-v0/scripted"``."""
    return sorted(file.parent.relative_to(ROOT).as_posix() for file in ROOT.glob(f"*/*/{MANIFEST}"))


def locate(path: str | Path) -> Path:
    """The folder of a dataset: ``path`` itself, or where ``shipped:TASK/NAME`` stands.

    Raises:
        DatasetError: no dataset of that name is shipped; names those that are.
    """
    text = path if isinstance(path, str) else path.as_posix()
    if not text.startswith(PREFIX):
        return Path(path)
    name = text.removeprefix(PREFIX).strip("/")
    names = shipped()
    if name not in names:
        raise DatasetError(f"no dataset '{name}' is shipped. {told(names)}")
    return ROOT / name


def told(names: list[str]) -> str:
    """What there is, in a sentence."""
    return f"There is {', '.join(PREFIX + name for name in names)}." if names else "None is."
