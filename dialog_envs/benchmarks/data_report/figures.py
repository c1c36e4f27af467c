"""All figures of a report, as one record."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any

import numpy as np

from dialog_envs.benchmarks.data_report.reference import REFERENCES, entropies, reference_dialogues
from dialog_envs.benchmarks.stats import Interval, rate_interval
from dialog_envs.core.dialogue import AGENT
from dialog_envs.core.task import ActRoles, Task
from dialog_envs.datasets.beside import read_people
from dialog_envs.datasets.card import samples
from dialog_envs.datasets.coverage import ENOUGH, Coverage, LevelCoverage, StepRow, coverage
from dialog_envs.datasets.disclosure import Disclosure
from dialog_envs.datasets.diversity import SAMPLE, Lexical, Semantic, sample
from dialog_envs.datasets.embedding import AUTO, make_embedder
from dialog_envs.datasets.figures import Watch, main_figures
from dialog_envs.datasets.labels import Labels
from dialog_envs.datasets.people import Trait, personas, traits
from dialog_envs.datasets.reader import Dataset
from dialog_envs.datasets.schema import Episode
from dialog_envs.datasets.stats import Stats, known_task
from dialog_envs.errors import DatasetError, UnknownName


@dataclass(frozen=True, slots=True)
class Options:
    """What a report does beyond counting.

    Attributes:
        embedding: name of the embedding (:mod:`dialog_envs.datasets.embedding`).
        sample: most texts of a kind that are compared with each other.
        beliefs: dialogues whose exact posterior is followed; 0: none.
        references: scripted policies whose steps are looked up; ``None``: those of
            :data:`~dialog_envs.benchmarks.data_report.reference.REFERENCES` that the task has.
        reference_dialogues: dialogues that each of them plays; 0: none.
        seed: of all samples and of the references' dialogues.
    """

    embedding: str = AUTO
    sample: int = SAMPLE
    beliefs: int = 40
    references: tuple[str, ...] | None = None
    reference_dialogues: int = 40
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of values.

    Attributes:
        edges: bin ends, one more than counts; where they are the values themselves, as many as counts.
        counts: how many values.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def discrete(self) -> bool:
        """Whether each count belongs to one value."""
        return len(self.edges) == len(self.counts)


@dataclass(frozen=True)
class Report:
    """Everything that a report says; :meth:`to_json` for machines.

    Attributes:
        name: the dataset's folder.
        manifest: its manifest.
        options: what was asked for.
        known: whether the task is registered here.
        stats: counts and means.
        turns, returns, graded: distributions over episodes.
        success: with its interval, clustered by persona; so are the groups.
        by_policy, by_family: the same in groups.
        prior: family → share in the task's prior, among the families that may occur.
        per_persona: dialogues a persona.
        traits: of the different personas.
        disclosure: by turn.
        lexical: of ``agent`` and ``user``.
        semantic: of ``personas``, ``descriptions`` (if a model proposed people), ``dialogues`` and ``user turns``.
        labels: ``None`` if no dialogue was imagined under one.
        coverage: one a reference.
        notes: what could not be computed, and why.
        examples: a success and a failure.
    """

    name: str
    manifest: Mapping[str, Any]
    options: Options
    known: bool
    stats: Stats
    turns: Histogram
    returns: Histogram
    graded: Histogram | None
    success: Interval
    by_policy: Mapping[str, Interval]
    by_family: Mapping[str, Interval]
    prior: Mapping[str, float]
    per_persona: Histogram
    traits: Sequence[Trait]
    disclosure: Disclosure
    lexical: Mapping[str, Lexical]
    semantic: Mapping[str, Semantic]
    labels: Labels | None
    coverage: Sequence[Reference]
    notes: Sequence[str]
    examples: Sequence[Episode] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Every figure; the manifest's parts on critique, imagination and cost stand beside them."""
        data: dict[str, Any] = {
            "task": self.manifest["task"], "task_version": self.manifest.get("task_version"),
            "options": asdict(self.options), "stats": self.stats.to_json(),
        }  # fmt: skip
        names = (
            "turns", "returns", "graded", "success", "by_policy", "by_family", "prior", "per_persona", "traits",
            "disclosure", "lexical", "semantic", "labels", "coverage", "notes",
        )  # fmt: skip
        data |= {name: _plain(getattr(self, name)) for name in names}
        return data | {
            name: self.manifest[name] for name in ("critique", "imagination", "cost") if name in self.manifest
        }


@dataclass(frozen=True, slots=True)
class LevelRates:
    """:class:`~dialog_envs.datasets.coverage.LevelCoverage` with intervals, clustered by the reference's personas."""

    level: str
    different: int
    covered: Interval
    often: Interval
    stitched: Interval
    whole: Interval


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference policy: how it did, and what the data hold of it (:class:`~dialog_envs.datasets.coverage.Coverage`).

    The intervals say how far other dialogues of the policy could have come out otherwise; the dataset is as it is.
    """

    policy: str
    played: int
    success: Interval
    steps: int
    levels: tuple[LevelRates, ...]
    rows: tuple[StepRow, ...]


def make_report(dataset: Dataset, options: Options | None = None, watch: Watch = lambda text: None) -> Report:
    """Compute a report.

    Args:
        dataset: with at least one episode.
        options: what to compute, and how; :class:`Options` by default.
        watch: told what is being done.

    Raises:
        DatasetError: no episode, or an embedding is not installed.
        UnknownName: no such embedding or reference.
    """
    options = options or Options()
    rows = dataset.episodes
    if not rows:
        raise DatasetError(f"'{dataset.path}' holds no episode: there is nothing to describe.")
    embedder = make_embedder(options.embedding)
    task = known_task(dataset.task)
    references = _references(task, options)
    roles = task.act_roles if task is not None else ActRoles()
    notes = [] if task is not None else [f"{dataset.task} is not registered here: {_UNKNOWN}"]
    watch("counting")
    found = main_figures(
        rows, dataset.manifest, read_people(dataset.path), embedder=embedder, sample=options.sample,
        seed=options.seed, entropies=_entropies(task, rows, options, watch), watch=watch,
    )  # fmt: skip
    graded = [g for e in rows if isinstance(g := e.outcome.get("graded"), int | float)]
    return Report(
        name=dataset.path.name,
        manifest=dataset.manifest,
        options=options,
        known=task is not None,
        stats=found.stats,
        turns=histogram([len(episode.rewards) for episode in rows]),
        returns=histogram([episode.reward for episode in rows]),
        graded=histogram(graded, bins=10, reach=(0.0, 1.0)) if len(graded) == len(rows) else None,
        success=_success(rows),
        by_policy=_grouped(rows, lambda episode: episode.provenance.policy),
        by_family=_grouped(rows, lambda episode: episode.family),
        prior=_prior(task),
        per_persona=histogram(list(Counter(episode.persona_key for episode in rows).values())),
        traits=traits(list(personas(rows).values())),
        disclosure=found.disclosure,
        lexical=found.lexical,
        semantic=found.semantic,
        labels=found.labels,
        coverage=_coverage(task, rows, roles, references, options, watch, notes),
        notes=notes,
        examples=samples(rows),
    )


_UNKNOWN = "what acts are for is guessed, and there is no posterior and no reference policy."


def histogram(values: Sequence[float], bins: int = 20, reach: tuple[float, float] | None = None) -> Histogram:
    """Counts by value where there are few values, else in bins of one width.

    Args:
        values: at least one.
        bins: most bins.
        reach: ends of the first and the last bin; the least and the largest value by default.
    """
    counts = Counter(map(float, values))
    whole = all(value.is_integer() for value in counts)
    if reach is None and whole and max(counts) - min(counts) <= 2 * bins:
        edges = range(int(min(counts)), int(max(counts)) + 1)
        return Histogram(tuple(map(float, edges)), tuple(counts[float(value)] for value in edges))
    if reach is None and len(counts) <= bins // 2:
        return Histogram(tuple(sorted(counts)), tuple(counts[value] for value in sorted(counts)))
    found, ends = np.histogram(np.asarray(values, dtype=float), bins=bins, range=reach)
    return Histogram(tuple(ends.tolist()), tuple(found.tolist()))


def _success(rows: Sequence[Episode]) -> Interval:
    return rate_interval(
        [float(episode.outcome["success"]) for episode in rows], [episode.persona_key for episode in rows]
    )


def _grouped(rows: Sequence[Episode], key: Callable[[Episode], str]) -> dict[str, Interval]:
    found: dict[str, list[Episode]] = defaultdict(list)
    for episode in rows:
        found[key(episode)].append(episode)
    return {name: _success(found[name]) for name in sorted(found)}


def _prior(task: Task[Any, Any, Any] | None) -> dict[str, float]:
    if task is None:
        return {}
    total = sum(task.prior.weights[name] for name in task.prior.typical)
    return {name: task.prior.weights[name] / total for name in task.prior.typical}


def _entropies(
    task: Task[Any, Any, Any] | None, rows: Sequence[Episode], options: Options, watch: Watch
) -> list[list[float] | None]:
    if task is None or not options.beliefs:
        return []
    chosen = sample(rows, options.beliefs, options.seed, "beliefs")
    watch(f"the exact posterior of {len(chosen)} dialogues")
    return entropies(task, chosen)


def _references(task: Task[Any, Any, Any] | None, options: Options) -> list[str]:
    """The policies to look up. Raises UnknownName where the task has none of that name."""
    if task is None or not options.reference_dialogues:
        return []
    if options.references is None:
        return [name for name in REFERENCES if name in task.policies]
    for name in options.references:
        if name not in task.policies:
            raise UnknownName(name, task.policies, "These are the task's scripted policies.")
    return list(options.references)


def _coverage(
    task: Task[Any, Any, Any] | None,
    rows: Sequence[Episode],
    roles: ActRoles,
    names: Sequence[str],
    options: Options,
    watch: Watch,
    notes: list[str],
) -> list[Reference]:
    if task is None or not names:
        return []
    if not any(turn.acts for episode in rows for turn in episode.turns if turn.speaker == AGENT):
        notes.append("No agent turn has acts, so no step can be looked up.")
        return []
    found = []
    families = sorted({episode.family for episode in rows})
    for name in names:
        watch(f"{options.reference_dialogues} dialogues of {name}")
        played = reference_dialogues(task, name, families, options.reference_dialogues, options.seed)
        if not played:
            notes.append("No user is of a typical family, so no reference policy was played.")
            break
        found.append(_reference(coverage(rows, played, roles, name), _success(played)))
    return found


def _reference(found: Coverage, success: Interval) -> Reference:
    levels = tuple(_level_rates(level) for level in found.levels)
    return Reference(found.policy, found.played, success, found.steps, levels, found.rows)


def _level_rates(level: LevelCoverage) -> LevelRates:
    """Shares of steps and of dialogues, each with its interval; those who talk are the clusters."""
    counts = [(count, one.persona) for one in level.held for count in one.counts]
    steps, whose = [count for count, _ in counts], [persona for _, persona in counts]
    people = [one.persona for one in level.held]
    return LevelRates(
        level=level.level,
        different=level.different,
        covered=rate_interval([float(count > 0) for count in steps], whose),
        often=rate_interval([float(count >= ENOUGH) for count in steps], whose),
        stitched=rate_interval([float(all(one.counts)) for one in level.held], people),
        whole=rate_interval([float(one.whole) for one in level.held], people),
    )


def _plain(value: Any) -> Any:
    """Records as JSON, numbers rounded, NaN as null."""
    if isinstance(value, Interval):
        return value.to_json()
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
