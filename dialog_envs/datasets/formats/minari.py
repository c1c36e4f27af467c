"""Minari: offline RL's own format (HDF5), under an id such as ``dialog/PreferenceElicitation/imagined-v0``.

A step is an agent turn. Minari's spaces know no sequences of turns, so that an observation is
``{"brief": text, "dialogue": JSON text}``; actions are utterances. What else an episode holds stands in the infos and
in the episode's options, and comes back with :func:`import_minari`.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gymnasium import spaces

from dialog_envs.core.dialogue import AGENT
from dialog_envs.core.spaces import MAX_BRIEF, UnicodeText
from dialog_envs.datasets.formats.messages import brief
from dialog_envs.datasets.reader import Dataset, read_dataset
from dialog_envs.datasets.schema import Episode
from dialog_envs.datasets.store import DatasetWriter
from dialog_envs.errors import DatasetError, UsageError

_LONGEST = 1_000_000
"""Characters of a dialogue as JSON, at most."""


def _minari() -> Any:
    try:
        import minari
    except ImportError as error:
        raise UsageError(
            f"Minari's format needs its package ({error}): pip install 'dialog-envs[minari]'."
        ) from error
    return minari


def _place(minari: Any, id: str) -> Path:
    """Where Minari keeps a dataset. It would itself take any name, and then find none of its datasets any more."""
    from minari.storage.datasets_root_dir import get_dataset_path

    try:
        minari.dataset.minari_dataset.parse_dataset_id(id)
    except (ValueError, TypeError):  # of another form; without a version
        raise UsageError(
            f"'{id}' is no id of a Minari dataset: namespace/name-vN, as in dialog/Mine-v0."
        ) from None
    return Path(get_dataset_path(id))


def _quiet(make: Callable[..., Any], *parts: Any, **facts: Any) -> Any:
    """A call of Minari's without its advice on environments and authors, of which there are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return make(*parts, **facts)


def observation_space() -> spaces.Dict:
    """``{"brief": text, "dialogue": JSON text}``, in spaces that Minari can write down."""
    return spaces.Dict({"brief": UnicodeText(MAX_BRIEF), "dialogue": UnicodeText(_LONGEST)})


def export_minari(dataset: Dataset, id: str) -> str:
    """Write a dataset into Minari's local store (``MINARI_DATASETS_PATH``).

    Args:
        dataset: what to write.
        id: ``namespace/name-vN``.

    Returns:
        The id.

    Raises:
        UsageError: Minari is not installed, or refuses the id.
        DatasetError: there is a dataset of that id, or a text that HDF5 cannot hold.
    """
    minari = _minari()
    place = _place(minari, id)
    if place.exists():
        raise DatasetError(f"Minari has a dataset '{id}' already: choose another id.")
    if not dataset.episodes:
        raise DatasetError(f"'{dataset.path}' holds no episode, and Minari has no empty datasets.")
    buffers = [_buffer(minari, episode) for episode in dataset.episodes]
    facts = {name: value for name, value in dataset.manifest.items() if name not in ("shards", "dropped")}
    try:
        made = _quiet(
            minari.create_dataset_from_buffers,
            id,
            buffers,
            env=None,
            observation_space=observation_space(),
            action_space=UnicodeText(),
            algorithm_name=", ".join(dataset.manifest.get("policies", {})) or "unknown",
            author="dialog-envs",
            author_email="none",
            code_permalink="none",
            description=f"Dialogues of {dataset.task}. A step is an agent turn; 'dialogue' is JSON.",
        )
    except (ValueError, AssertionError, OSError) as error:
        shutil.rmtree(place, ignore_errors=True)
        raise UsageError(f"Minari refuses the dataset '{id}': {error}") from error
    made.storage.update_metadata({"dialog_envs": json.dumps(facts, ensure_ascii=False)})
    return id


def import_minari(id: str, out: str | Path) -> Dataset:
    """A dataset of ours out of one that :func:`export_minari` wrote.

    Raises:
        UsageError: Minari is not installed, or has no such dataset.
        DatasetError: it was not written by dialog-envs.
    """
    minari = _minari()
    place = _place(minari, id)
    if not place.exists():
        raise UsageError(f"Minari has no local dataset '{id}' ('{place}' does not exist).")
    try:
        found = minari.load_dataset(id)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"Minari cannot read its dataset '{id}': {error}") from error
    facts = json.loads(found.storage.metadata.get("dialog_envs", "null"))
    if not isinstance(facts, dict):
        raise DatasetError(f"Minari's dataset '{id}' was not written by dialog-envs.")
    plain = {name: value for name, value in facts.items() if name not in ("schema", "counts")}
    with DatasetWriter(out, plain) as writer:
        for episode in found.iterate_episodes():
            writer.write(Episode.from_json(json.loads(episode.infos["episode"][0])))
    return read_dataset(out)


def _buffer(minari: Any, episode: Episode) -> Any:
    views = [turn.view() for turn in episode.turns]
    acting = [i for i, turn in enumerate(episode.turns) if turn.speaker == AGENT]
    # What the agent saw before each of its turns, and at the end: one observation more than actions.
    seen = [views[:i] for i in acting] + [views]
    text = brief(episode.task, json.dumps(episode.scenario, sort_keys=True))
    actions = [views[i]["text"] for i in acting]
    if any("\0" in action or not _is_utf8(action) for action in actions):
        raise DatasetError(
            f"episode '{episode.id}' has a NUL character or half a surrogate pair in a turn, which HDF5 cannot hold."
        )
    steps = len(acting)
    last = [False] * (steps - 1)
    cut = episode.outcome["ended_by"] == "cap"
    record = json.dumps(episode.to_json())
    return minari.data_collector.EpisodeBuffer(
        seed=episode.seed,
        options={"family": episode.family},
        observations={
            "brief": [text] * (steps + 1),
            "dialogue": [json.dumps(turns) for turns in seen],
        },
        actions=actions,
        rewards=list(episode.rewards),
        terminations=[*last, not cut],
        truncations=[*last, cut],
        infos={"episode": [record, *[""] * steps]},
    )


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
