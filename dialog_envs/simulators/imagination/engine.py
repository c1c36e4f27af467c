"""The imagination engine: rolls out policies, criticises what they made, and writes a dataset.

Everything about an attempt follows from the dataset's seed and the attempt's index, so the same call gives the same
bytes, whether it ran through or was killed and run again. ``imagine`` is one function a reader can follow:
plan → play → criticise → revise → write.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dialog_envs.datasets.files import CARD
from dialog_envs.datasets.reader import Dataset, read_dataset, read_manifest
from dialog_envs.datasets.store import DatasetWriter, check_free
from dialog_envs.errors import DatasetError, UsageError
from dialog_envs.registration import get_task
from dialog_envs.simulators.imagination import provenance
from dialog_envs.simulators.imagination.casting import make_cast
from dialog_envs.simulators.imagination.critique import criticise, failed
from dialog_envs.simulators.imagination.journal import Journal
from dialog_envs.simulators.imagination.report import card
from dialog_envs.simulators.imagination.revise import revise
from dialog_envs.simulators.imagination.rollout import Cast, play

COHORT = 4096
"""Most attempts planned at once; those of a language model among them are played side by side."""
MOST_ATTEMPTS = 4
"""Attempts an episode after which the engine gives up: the critique drops nearly everything."""


def imagine(
    task: str,
    out: str | Path,
    episodes: int,
    seed: int,
    policies: Mapping[str, float] | None = None,
    model: str | None = None,
    critique: bool = True,
    families: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    speakers: Mapping[str, Any] | None = None,
    model_share: float = 0.1,
    user: str = "scripted",
    reward: str = "binary",
    replace_existing: bool = False,
) -> Dataset:
    """Make a dataset, or finish it, or return it if it is there.

    Args:
        task: the task's id.
        out: the dataset's folder.
        episodes: how many to keep (as many attempts are made as that takes).
        seed: of everything.
        policies: policy → weight; names of the task's scripted policies or of ``speakers``. By default the task's
            ``behaviour_mixture``, with ``model_share`` of it given to the speakers.
        model: name of the language model behind the speakers, for the record; by default what they say of themselves.
        critique: drop or repair dialogues that fail the criteria.
        families: typical families of users; all by default. Held-out ones are refused.
        progress: called as ``progress(kept so far, wanted)``.
        speakers: agent-like objects by policy name: ``act_batch(observations, seeds) -> texts``, or ``start`` and
            ``act``. This is how a language model takes part.
        model_share: the speakers' share when ``policies`` is not given.
        user: name of the user simulator.
        reward: scheme of the stored rewards: ``binary`` (the paper's), ``graded`` or ``dense``.
        replace_existing: make it again where ``out`` holds a dataset of other settings, instead of refusing.

    Returns:
        The dataset, read back from disk.

    Raises:
        UnknownTask, UnknownName, UsageError: a name or value cannot be used.
        DatasetError: ``out`` is taken or cannot be written, or the critique drops nearly everything.
        SimulatorError: a language model did not answer; run again to go on from there.
    """
    out = Path(out)
    cast = make_cast(
        get_task(task), seed, policies, speakers or {}, model_share, families, user, reward, model
    )
    if episodes < 1:
        raise UsageError(f"a dataset needs at least one episode; got {episodes}")
    settings = provenance.settings(cast, critique)
    whole = provenance.settings_hash({**settings, "episodes": episodes})
    done = _finished(out, whole, replace_existing)
    if done is not None:
        return done
    with Journal(out, provenance.settings_hash(settings)) as journal:
        count = _fill(cast, journal, episodes, critique, progress)
        attempts = [journal.episodes[index] for index in range(count)]
        facts = provenance.facts(cast, settings, whole, episodes, critique, attempts)
        with DatasetWriter(out, facts, replace=replace_existing) as writer:
            writer.write_all(episode for episode in attempts if episode.critique.verdict != "dropped")
            writer.write_dropped(episode for episode in attempts if episode.critique.verdict == "dropped")
            writer.write_text(CARD, card(writer.manifest(), attempts))
        journal.delete()
    return read_dataset(out)


def _fill(
    cast: Cast, journal: Journal, wanted: int, critique: bool, progress: Callable[[int, int], None] | None
) -> int:
    """Play attempts 0, 1, 2 … until ``wanted`` of them are kept. Returns how many that took."""
    count = kept = 0
    while kept < wanted:
        if count > 100 and count >= MOST_ATTEMPTS * wanted:
            reasons = Counter(name for episode in journal.episodes.values() for name in failed(episode))
            named = ", ".join(f"{name} {number}" for name, number in reasons.most_common())
            raise DatasetError(
                f"of {count} dialogues the critique kept {kept} (failed: {named}): choose other policies, or turn it "
                "off with --no-critique."
            )
        indices = range(count, count + min(wanted - kept, COHORT))
        kept += sum(
            journal.episodes[index].critique.verdict != "dropped"
            for index in indices
            if index in journal.episodes
        )
        missing = [cast.attempt(index) for index in indices if index not in journal.episodes]
        for index, episode in play(cast, missing):
            if critique:
                episode = revise(cast.task, criticise(episode, cast.task.act_roles), cast.reward)
            journal.add(index, episode)
            kept += episode.critique.verdict != "dropped"
            if progress is not None:
                progress(kept, wanted)
        count = indices.stop
    return count


def _finished(out: Path, whole: str, replace_existing: bool) -> Dataset | None:
    """The dataset, if it is there and is the one asked for.

    Raises:
        DatasetError: something else is there.
    """
    try:
        check_free(out)
        return None
    except DatasetError:
        check_free(out, replace=True)
    manifest = read_manifest(out)
    if manifest.get("settings_hash") == whole:
        return read_dataset(out)
    if replace_existing:
        return None
    raise DatasetError(
        f"'{out}' holds another dataset (made by: {manifest.get('command', 'unknown')}; task version "
        f"{manifest.get('task_version')}). Choose another folder with --out, or replace it with --replace."
    )
