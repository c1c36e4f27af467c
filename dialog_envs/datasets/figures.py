"""The figures that a dataset's card and its report have in common: counted once, for both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dialog_envs.core.dialogue import AGENT, USER
from dialog_envs.core.task import ActRoles, Task
from dialog_envs.datasets.disclosure import Disclosure, disclosure, user_turns
from dialog_envs.datasets.diversity import SAMPLE, Lexical, Semantic, lexical, semantic
from dialog_envs.datasets.embedding import Embedder, make_embedder
from dialog_envs.datasets.labels import Labels, labels
from dialog_envs.datasets.people import descriptions, persona_texts, personas
from dialog_envs.datasets.schema import Episode
from dialog_envs.datasets.stats import Stats, compute_stats, known_task

Watch = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Figures:
    """What can be said of some dialogues.

    Attributes:
        stats: counts and means.
        disclosure: by turn.
        lexical: of ``agent`` and ``user``.
        semantic: of ``personas``, ``descriptions`` (if a model proposed people), ``dialogues`` and ``user turns``.
        labels: ``None`` if no dialogue was imagined under one.
    """

    stats: Stats
    disclosure: Disclosure
    lexical: Mapping[str, Lexical]
    semantic: Mapping[str, Semantic]
    labels: Labels | None


def main_figures(
    episodes: Sequence[Episode],
    manifest: Mapping[str, Any] | None = None,
    proposals: Sequence[Mapping[str, Any]] = (),
    *,
    embedder: Embedder | None = None,
    sample: int = SAMPLE,
    seed: int = 0,
    entropies: Sequence[Sequence[float] | None] = (),
    watch: Watch = lambda text: None,
) -> Figures:
    """Describe some dialogues.

    Args:
        episodes: at least one.
        manifest: of their dataset, for the critique's counts.
        proposals: the people that a model proposed (:func:`dialog_envs.datasets.read_people`).
        embedder: how texts become vectors; ``tfidf``, which needs no extra, by default.
        sample: most texts of a kind that are compared with each other.
        seed: of the samples.
        entropies: bits of the exact posterior of some episodes, turn by turn (:func:`disclosure`).
        watch: told what is being done.
    """
    task = known_task(episodes[0].task)
    roles = task.act_roles if task is not None else ActRoles()
    return Figures(
        stats=compute_stats(episodes, manifest),
        disclosure=disclosure(episodes, roles, entropies),
        lexical=_lexical(episodes, seed),
        semantic=_semantic(
            _texts(task, episodes, proposals), embedder or make_embedder("tfidf"), sample, seed, watch
        ),
        labels=labels(episodes),
    )


def _lexical(rows: Sequence[Episode], seed: int) -> dict[str, Lexical]:
    said = {
        name: [turn.text for episode in rows for turn in episode.turns if turn.speaker == speaker]
        for name, speaker in (("agent", AGENT), ("user", USER))
    }
    return {name: lexical(texts, seed=seed) for name, texts in said.items() if texts}


def _texts(
    task: Task[Any, Any, Any] | None, rows: Sequence[Episode], proposals: Sequence[Mapping[str, Any]]
) -> dict[str, list[str]]:
    return {
        "personas": persona_texts(task, list(personas(rows).values())),
        "descriptions": descriptions(proposals),
        "dialogues": ["\n".join(turn.text for turn in episode.turns) for episode in rows],
        "user turns": [text for episode in rows for text in user_turns(episode)],
    }


def _semantic(
    texts: Mapping[str, Sequence[str]], embedder: Embedder, sample: int, seed: int, watch: Watch
) -> dict[str, Semantic]:
    found = {}
    for name, part in texts.items():
        if part:
            watch(f"{embedder.name}: {min(len(part), sample):,} of {len(part):,} {name}")
            found[name] = semantic(part, embedder, sample, seed, name)
    return found
