"""The imagination engine: makes dialogues, criticises them, and writes a dataset.

Two modes make the same kind of episode. ``rollout``: policies, a language model among them if one is given, talk with
the simulated user in the environment. ``imagine``: a language model proposes people, writes whole dialogues with them,
judges them and revises what fails (reason, imagine, critique: arXiv 2311.05584, section 4.1). Either way the reward is
the task's own, computed from persona and trace.

Everything about an attempt follows from the dataset's seed, the attempt's index and what the models reply, so the same
call gives the same bytes, whether it ran through or was killed and run again. ``imagine`` is one function a reader can
follow: reason → make (play or imagine, criticise, revise) → write.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dialog_envs.datasets.card import card
from dialog_envs.datasets.files import CARD, COMPRESSIONS, CRITIQUES, PERSONAS, REJECTED
from dialog_envs.datasets.reader import Dataset, read_dataset, read_manifest
from dialog_envs.datasets.store import DatasetWriter, check_free
from dialog_envs.errors import (
    BudgetExceeded,
    ChatModelError,
    DatasetError,
    DialogEnvsError,
    ModelUnavailable,
    UsageError,
)
from dialog_envs.registration import get_task
from dialog_envs.simulators.imagination import provenance
from dialog_envs.simulators.imagination.asking import Asking, Ended, add_up, drive
from dialog_envs.simulators.imagination.casting import choose_criteria, make_cast
from dialog_envs.simulators.imagination.critique import failed
from dialog_envs.simulators.imagination.journal import Journal
from dialog_envs.simulators.imagination.making import USER, Direction, Made, imagined, judged, rolled_out
from dialog_envs.simulators.imagination.models import Limited, Models, Till
from dialog_envs.simulators.imagination.prompting import Prompts, load_prompts
from dialog_envs.simulators.imagination.reasoning import Reasoned, Reasoning
from dialog_envs.simulators.imagination.report import critique_log, people_text, rejected_log
from dialog_envs.simulators.imagination.rollout import Attempt, Cast, play
from dialog_envs.simulators.llm import ChatModel

COHORT = 4096
"""Most attempts planned at once; those of a language model among them are made side by side."""
MOST_ATTEMPTS = 4
"""Attempts an episode after which the engine gives up: nearly everything is dropped."""
PATIENCE = 100
"""Attempts before which it does not."""
MOST_FAILURES = 8
"""Attempts in a row whose calls fail for good, after which the model is taken to be gone."""
MODES = ("rollout", "imagine")
PEOPLE, FEW_PEOPLE = 24, 4
"""People that are asked for in mode ``imagine``, unless somebody says otherwise; and of the embedded model."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the work is.

    Attributes:
        step: ``reason`` or ``dialogues``.
        done, wanted: people, or dialogues kept.
        attempts: dialogues made so far, those not kept included.
        rejected: replies thrown away.
        cost_usd: US dollars so far, of earlier parts of the same work, too.
    """

    step: str
    done: int
    wanted: int
    attempts: int = 0
    rejected: int = 0
    cost_usd: float = 0.0

    @property
    def expected_usd(self) -> float:
        """What the whole will have cost if it goes on like this."""
        return self.cost_usd * self.wanted / self.done if self.done and self.step == "dialogues" else 0.0


def imagine(
    task: str, out: str | Path, episodes: int, seed: int, policies: Mapping[str, float] | None = None,
    model: str | None = None, critique: bool = True, families: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None, *, speakers: Mapping[str, Any] | None = None,
    model_share: float = 0.1, user: str = "scripted", reward: str = "binary", replace_existing: bool = False,
    mode: str = "rollout", imaginer: str | ChatModel | None = None, critic: str | ChatModel | None = None,
    personas: int | None = None, success_share: float = 0.5, rounds: int = 1, attempts: int = 4,
    prompts: str | Path | None = None, max_cost: float | None = None, criteria: Sequence[str] | None = None,
    watch: Callable[[Standing], None] | None = None, compress: str | None = None,
    user_model: str | ChatModel | None = None,
) -> Dataset:  # fmt: skip
    """Make a dataset, or finish it, or return it if it is there: read back from disk.

    Args:
        task: the task's id.
        out: the dataset's folder.
        episodes: how many to keep (as many attempts are made as that takes).
        seed: of everything.
        policies: policy → weight; names of the task's scripted policies or of ``speakers``. By default the task's
            ``behaviour_mixture``, with ``model_share`` of it given to the speakers. In mode ``imagine``: prompt variant
            → weight, all alike by default.
        model: name of the language model behind the speakers, for the record; by default what they say of themselves.
        critique: drop, repair or revise dialogues that fail the criteria.
        families: typical families of users; all by default. Held-out ones are refused.
        progress: called as ``progress(kept so far, wanted)``.
        speakers: agents by policy name, with ``asking(observation, seed)`` (a generator of model requests),
            ``act_batch(observations, seeds)``, or ``start`` and ``act``: a language model's part in rollouts.
        model_share: the speakers' share when ``policies`` is not given.
        user: name of the user simulator, in rollouts.
        reward: scheme of the stored rewards: ``binary`` (the paper's), ``graded`` or ``dense``.
        replace_existing: make it again where ``out`` holds a dataset of other settings, instead of refusing.
        mode: ``"rollout"`` or ``"imagine"``.
        imaginer: a chat model or its name: who proposes people, and writes dialogues in mode ``imagine``.
        critic: a chat model that judges by the task's criteria, beside the rules; in mode ``imagine`` the imaginer by
            default (unless that is the embedded model), in rollouts nobody.
        personas: how many people the imaginer proposes; 0 draws personas from the prior. By default 24 (of
            the embedded model 4; never more than ``episodes``) in mode ``imagine``, else 0.
        success_share: share of imagined dialogues that are to end in success.
        rounds: how often an imagined dialogue is revised at most.
        attempts: how often a model is asked for a reply that can be used.
        prompts: a folder with prompts of one's own (:mod:`dialog_envs.simulators.imagination.prompting`).
        max_cost: US dollars that model calls may cost, over all parts of the work.
        criteria: judge by these only, as a dataset's manifest names them: ``gradual`` is a rule, ``model:gradual`` what
            the critic is asked.
        watch: called with the :class:`Standing` whenever something is done.
        compress: ``"xz"`` or ``"gz"``: shards are compressed.
        user_model: a chat model or its name: who plays ``grounded`` or ``llm`` users; the embedded one by default.

    Raises:
        UnknownTask, UnknownName, UsageError: a name or value cannot be used.
        DatasetError: ``out`` is taken or cannot be written, or nearly everything is dropped.
        SimulatorError, BudgetExceeded: a model did not answer, or no money is left; run again to go on from there.
    """
    out = Path(out)
    chosen = load_prompts(prompts)
    cast = make_cast(
        get_task(task), seed, policies, speakers or {}, model_share, families, user, reward, model,
        chosen.variants if mode == "imagine" else (), success_share, user_model,
    )  # fmt: skip
    models = Models.of(mode, imaginer, critic, critique, cast.speakers, cast.user_model)
    wanted_people = _check(mode, models, episodes, personas, rounds, attempts, compress)
    if mode == "imagine":
        cast = replace(cast, user=USER, models=dict.fromkeys(cast.mixture, str(models.version("imaginer"))))
    direction, models = _directed(cast, chosen, critique, models, rounds, attempts, criteria)
    settings = provenance.settings(direction, mode, models, wanted_people)
    packed = {} if compress is None else {"compress": compress}
    whole = provenance.settings_hash({**settings, "episodes": episodes, **packed})
    journal = Journal(out, provenance.settings_hash(settings))
    if (done := _finished(out, whole, replace_existing)) is not None:
        _clear(journal, done)
        return done
    with journal:
        direction, models, reasoned, made = _produce(
            direction, mode, models, journal, episodes, wanted_people, max_cost, progress, watch
        )
        facts = provenance.facts(direction, mode, models, settings, whole, episodes, made, reasoned, compress)
        _write(out, facts, made, reasoned, replace_existing, compress)
        journal.delete()
    return read_dataset(out)


def _directed(
    cast: Cast, prompts: Prompts, critique: bool, models: Models, rounds: int, attempts: int,
    criteria: Sequence[str] | None,
) -> tuple[Direction, Models]:  # fmt: skip
    """How dialogues are made and judged. A critic that is asked nothing is none."""
    rules, asked = choose_criteria(cast.task, criteria)
    if asked == ():
        models = replace(models, critic=None)
    direction = Direction(
        cast, prompts, critique, models.critic is not None, rounds, attempts, models.small("imaginer"),
        models.small("critic"), models.version("imaginer"), rules, asked,
    )  # fmt: skip
    return direction, models


def _produce(
    direction: Direction, mode: str, models: Models, journal: Journal, episodes: int, wanted_people: int,
    max_cost: float | None, progress: Callable[[int, int], None] | None, watch: Callable[[Standing], None] | None,
) -> tuple[Direction, Models, Reasoned | None, list[Made]]:  # fmt: skip
    """All dialogues, those of the journal among them."""
    with ExitStack() as stack:
        models = models.wrapped(journal.recorded)
        if max_cost is not None:
            models = _limited(models, max_cost, journal, stack)
        reasoned = _reason(direction, models, wanted_people, watch)
        if reasoned is not None:
            direction = replace(direction, cast=replace(direction.cast, people=reasoned.cast))
        work = _Work(direction, mode, models, journal, episodes, reasoned, progress, watch)
        made = [journal.made[index] for index in range(work.fill())]
    return direction, models, reasoned, made


def _check(
    mode: str, models: Models, episodes: int, personas: int | None, rounds: int, attempts: int,
    compress: str | None,
) -> int:  # fmt: skip
    """The number of people to propose. Raises :class:`UsageError`."""
    if mode not in MODES:
        raise UsageError(f"mode must be one of {', '.join(MODES)}; got {mode!r:.60}")
    if episodes < 1:
        raise UsageError(f"a dataset needs at least one episode; got {episodes}")
    if compress not in (None, *COMPRESSIONS):
        raise UsageError(f"compress must be one of {', '.join(COMPRESSIONS)}; got {compress!r:.20}")
    if rounds < 0 or attempts < 1:
        raise UsageError(f"there are at least 0 rounds and 1 attempt; got {rounds} and {attempts}")
    usual = min(FEW_PEOPLE if models.small("imaginer") else PEOPLE, episodes) if mode == "imagine" else 0
    people = usual if personas is None else personas
    if people < 0:
        raise UsageError(f"the number of personas must not be negative; got {people}")
    if models.imaginer is None and (mode == "imagine" or people):
        what = "dialogues are imagined" if mode == "imagine" else "people are proposed"
        raise UsageError(
            f"{what} by a language model: name one, as in --model openai:MODEL or --model embedded."
        )
    return people


def _reason(
    direction: Direction, models: Models, wanted: int, watch: Callable[[Standing], None] | None
) -> Reasoned | None:
    if not wanted:
        return None
    cast = direction.cast

    def told(found: int, of: int) -> None:
        if watch is not None:
            watch(Standing("reason", found, of))

    assert models.imaginer is not None
    step = Reasoning(
        cast.task, models.imaginer, direction.prompts, cast.families, cast.seed, direction.attempts,
        models.at_once, direction.small,
    )  # fmt: skip
    return step.people(wanted, told)


def _limited(models: Models, limit: float, journal: Journal, stack: ExitStack) -> Models:
    """Models that stop when so much is spent, what earlier parts of the work have cost included."""
    from dialog_envs.simulators.llm.budget import Budget, spending

    if not 0 <= limit < float("inf"):
        raise UsageError(f"the most that model calls may cost is an amount in US dollars, not {limit}")
    stack.enter_context(spending(Budget(limit, file=journal.purse)))
    till = Till(limit, sum(_dollars(made) for made in journal.made.values()))
    return models.wrapped(lambda model: Limited(model, till))


class _Work:
    """Attempts 0, 1, 2 … until enough of them are kept."""

    def __init__(
        self,
        direction: Direction,
        mode: str,
        models: Models,
        journal: Journal,
        wanted: int,
        reasoned: Reasoned | None,
        progress: Callable[[int, int], None] | None,
        watch: Callable[[Standing], None] | None,
    ) -> None:
        self._direction, self._mode, self._models, self._journal = direction, mode, models, journal
        self._wanted, self._progress, self._watch = wanted, progress, watch
        self._cost = _dollars(reasoned) + sum(_dollars(made) for made in journal.made.values())
        self._rejected = 0 if reasoned is None else len(reasoned.rejected)
        self._rejected += sum(len(made.rejected) for made in journal.made.values())
        self._kept = 0
        self._failures: list[DialogEnvsError] = []
        self._in_a_row = 0

    def fill(self) -> int:
        """How many attempts it took.

        Raises:
            DialogEnvsError: see :func:`imagine`.
        """
        count = 0
        while self._kept < self._wanted:
            if count > PATIENCE and count >= MOST_ATTEMPTS * self._wanted:
                raise self._hopeless(count)
            indices = range(count, count + min(self._wanted - self._kept, COHORT))
            self._kept += sum(self._journal.made[i].kept for i in indices if i in self._journal.made)
            missing = [self._direction.cast.attempt(i) for i in indices if i not in self._journal.made]
            for ended in drive(self._models.router(), self._jobs(missing), self._models.at_once):
                self._note(ended)
            if self._failures:
                raise self._failures[0]
            count = indices.stop
        return count

    def _jobs(self, attempts: Sequence[Attempt]) -> Iterator[tuple[int, Asking[Made]]]:
        """An attempt each, as long as it makes sense to begin another one."""
        direction = self._direction
        if self._mode == "imagine":
            for attempt in attempts:
                if self._stopped():
                    return
                yield attempt.index, imagined(direction, attempt)
            return
        by_index = {attempt.index: attempt for attempt in attempts}
        speakers = direction.cast.speakers
        played = direction.cast.user_model is not None
        asking = {i for i, one in by_index.items() if played or hasattr(speakers.get(one.policy), "asking")}
        for index, episode in play(direction.cast, [one for one in attempts if one.index not in asking]):
            yield index, judged(direction, by_index[index], episode)
            if self._stopped():
                return
        for index in sorted(asking):
            if self._stopped():
                return
            yield index, rolled_out(direction, by_index[index])

    def _note(self, ended: Ended[int, Made]) -> None:
        """Put an attempt that ended on record."""
        if ended.error is not None or ended.result is None:
            error = ended.error or DatasetError(f"attempt {ended.key} came to nothing")
            if not isinstance(error, (ChatModelError, BudgetExceeded)):
                raise error
            self._failures.append(error)
            self._in_a_row += 1
            return
        self._in_a_row = 0
        made = replace(ended.result, usage=ended.usage)
        self._journal.add(ended.key, made)
        self._cost += _dollars(made)
        self._rejected += len(made.rejected)
        self._kept += made.kept
        if self._progress is not None:
            self._progress(self._kept, self._wanted)
        if self._watch is not None:
            done = len(self._journal.made)
            self._watch(Standing("dialogues", self._kept, self._wanted, done, self._rejected, self._cost))

    def _stopped(self) -> bool:
        """Whether no other attempt shall begin; what is under way is finished."""
        fatal = (BudgetExceeded, ModelUnavailable)
        return self._in_a_row >= MOST_FAILURES or any(isinstance(error, fatal) for error in self._failures)

    def _hopeless(self, count: int) -> DatasetError:
        made = self._journal.made.values()
        reasons = Counter(name for one in made if one.episode is not None for name in failed(one.episode))
        reasons["no usable reply"] = sum(one.episode is None for one in made)
        named = ", ".join(f"{name} {number}" for name, number in reasons.most_common() if number)
        other = "other policies" if self._mode == "rollout" else "a stronger model"
        return DatasetError(
            f"of {count} dialogues the critique kept {self._kept} (failed: {named}): choose {other}, or turn it off "
            "with --no-critique."
        )


def _write(
    out: Path,
    facts: Mapping[str, Any],
    made: Sequence[Made],
    reasoned: Reasoned | None,
    replace_existing: bool,
    compress: str | None,
) -> None:
    episodes = [one.episode for one in made if one.episode is not None]
    with DatasetWriter(out, facts, replace=replace_existing, compress=compress) as writer:
        kept = [episode for episode in episodes if episode.critique.verdict != "dropped"]
        writer.write_all(kept)
        writer.write_dropped(episode for episode in episodes if episode.critique.verdict == "dropped")
        if reasoned is not None:
            writer.write_text(PERSONAS, people_text(reasoned))
        if any(one.versions for one in made):
            writer.write_text(CRITIQUES, critique_log(made))
        if "rejected" in facts.get("imagination", {}):
            writer.write_text(REJECTED, rejected_log(made, reasoned))
        proposals = [one.to_json() for one in reasoned.proposals] if reasoned is not None else []
        writer.write_text(CARD, card(writer.manifest(), kept, proposals))


def _clear(journal: Journal, done: Dataset) -> None:
    """Delete the journal that a kill in the very last moment left, unless a larger dataset is in the making there."""
    if journal.folder.exists():
        told = done.manifest.get("imagination") or done.manifest["critique"]
        with suppress(DatasetError), journal:  # another process may be at work
            if len(journal.made) <= told["attempts"]:
                journal.delete()


def _dollars(part: Made | Reasoned | None) -> float:
    return 0.0 if part is None else sum(spent.cost_usd for spent in add_up([part.usage]).values())


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
