"""``dialog-envs imagine``: make an offline dataset."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from dialog_envs.benchmarks.cli.options import UserModelOption
from dialog_envs.errors import UsageError

if TYPE_CHECKING:
    from dialog_envs.benchmarks.progress import Progress
    from dialog_envs.datasets import Dataset
    from dialog_envs.simulators.imagination.engine import Standing

LANGUAGE_MODEL = "language-model"
"""Name of the policy that a prompted language model plays."""


class Mode(StrEnum):
    """How dialogues are made."""

    rollout = "rollout"
    imagine = "imagine"


class OnOff(StrEnum):
    """A switch that is written out."""

    on = "on"
    off = "off"


class _Command(typer.core.TyperCommand):
    """``--critique`` alone means ``--critique on``, and ``--no-critique`` ``--critique off``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        found: list[str] = []
        for number, text in enumerate(args):
            if text == "--no-critique":
                found += ["--critique", "off"]
                continue
            found.append(text)
            if text == "--critique" and args[number + 1 : number + 2] not in (["on"], ["off"]):
                found.append("on")
        return list(super().parse_args(ctx, found))


def make_dataset(
    task: str,
    out: str | Path,
    episodes: int,
    seed: int,
    *,
    model: str | None = None,
    model_share: float = 0.1,
    model_options: Mapping[str, Any] | None = None,
    policies: Mapping[str, float] | None = None,
    critique: bool = True,
    families: Sequence[str] | None = None,
    reward: str = "binary",
    replace: bool = False,
    quiet: bool = False,
    mode: str = "rollout",
    critic: str | None = None,
    personas: int | None = None,
    success_share: float = 0.5,
    rounds: int = 1,
    prompts: str | Path | None = None,
    max_cost: float | None = None,
    criteria: Sequence[str] | None = None,
    compress: str | None = None,
    user: str = "scripted",
    user_model: str | None = None,
) -> Dataset:
    """:func:`dialog_envs.simulators.imagination.imagine` with a language model by name, and progress on stderr.

    Args:
        task, out, episodes, seed, policies, critique, families, reward, mode, critic, personas, success_share, rounds,
            prompts, max_cost, criteria, compress, user, user_model: as there.
        model: a chat model's name, for example ``"embedded"``: in rollouts it plays the policy ``language-model``, in
            mode ``imagine`` it imagines.
        model_share: its share of the dialogues, unless ``policies`` says otherwise.
        model_options: keyword arguments of :class:`dialog_envs.agents.prompted.PromptedAgent`.
        replace: make the dataset again where one of other settings is.
        quiet: no progress.

    Raises:
        UsageError, UnknownTask, UnknownName: an argument cannot be used.
        DatasetError: the folder is taken or cannot be written.
        ModelUnavailable: the model is not here; the message says how to get it.
        BudgetExceeded: ``max_cost`` is reached.
    """
    from dialog_envs.registration import get_task
    from dialog_envs.simulators.imagination import imagine

    get_task(task)  # a wrong id is told before a model is loaded
    speakers: dict[str, Any] = {}
    imaginer: Any = model
    if model is not None and mode == "rollout":
        from dialog_envs.agents.prompted import PromptedAgent

        speakers[LANGUAGE_MODEL] = speaker = PromptedAgent(model, task=task, **(model_options or {}))
        imaginer = speaker.model if personas else None
    with _Bars(quiet) as bars:
        return imagine(
            task, out, episodes, seed, policies, critique=critique, families=families, watch=bars.show,
            speakers=speakers, model_share=model_share, reward=reward, replace_existing=replace, mode=mode,
            imaginer=imaginer, critic=critic, personas=personas, success_share=success_share, rounds=rounds,
            prompts=prompts, max_cost=max_cost, criteria=criteria, compress=compress, user=user, user_model=user_model,
        )  # fmt: skip


class _Bars:
    """Progress on stderr: people first, then dialogues, with what they cost so far and will cost in all."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Progress | None = None
        self._step = ""

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.close(interrupted=exc[0] is not None)

    def show(self, now: Standing) -> None:
        """Something was done."""
        from dialog_envs.benchmarks.progress import Progress

        if self._bar is None or now.step != self._step:
            if self._bar is not None:
                self._bar.close()
            label, unit = ("reason", "people") if now.step == "reason" else ("imagine", "dialogues")
            self._bar, self._step = Progress(label, now.wanted, unit, quiet=self._quiet), now.step
        notes = [f"{now.attempts - now.done:,} dropped"] if now.attempts > now.done else []
        notes += [f"{now.rejected:,} replies thrown away"] if now.rejected else []
        if now.cost_usd > 0:
            notes.append(f"${now.cost_usd:.4f} of about ${now.expected_usd:.2f}")
        self._bar.advance(now.done - self._bar.done, "; ".join(notes))


def parse_policies(assignments: Sequence[str]) -> dict[str, float] | None:
    """``["hasty=2", "competent=1"]`` → weights by name; ``None`` for an empty list.

    Raises:
        UsageError: one is no ``NAME=WEIGHT``.
    """
    weights: dict[str, float] = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        try:
            weights[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise UsageError(
                f"'{text}' is no policy with its weight: write --policy NAME=WEIGHT, as in hasty=2."
            )
    return weights or None


def register(app: typer.Typer) -> None:
    """Adds the command ``imagine`` to the application."""

    @app.command("imagine", cls=_Command)
    def command(
        task: Annotated[str, typer.Argument(help="Task id.")],
        out: Annotated[Path, typer.Option("--out", "-o", help="The dataset's folder.")],
        episodes: Annotated[int, typer.Option("--episodes", "-n", min=1, help="Dialogues to keep.")] = 1000,
        seed: Annotated[int, typer.Option(min=0, help="Of everything.")] = 0,
        model: Annotated[
            str | None,
            typer.Option(
                help="Chat model that imagines, or speaks in some rollouts: embedded, openai:MODEL …"
            ),
        ] = None,
        mode: Annotated[
            Mode, typer.Option(help="imagine: a model writes whole dialogues. rollout: policies play.")
        ] = Mode.rollout,
        model_share: Annotated[float, typer.Option(help="The model's share of rollouts.")] = 0.1,
        user: Annotated[
            str, typer.Option(help="Who plays the users of rollouts: scripted, grounded, llm.")
        ] = "scripted",
        user_model: UserModelOption = None,
        policy: Annotated[
            list[str] | None,
            typer.Option("--policy", help="NAME=WEIGHT instead of the usual mixture; repeatable."),
        ] = None,
        family: Annotated[
            list[str] | None,
            typer.Option("--family", help="A typical user family; repeatable. [default: all]"),
        ] = None,
        reward: Annotated[
            str, typer.Option(help="Scheme of the stored rewards: binary, graded, dense.")
        ] = "binary",
        critique: Annotated[
            OnOff, typer.Option("--critique", help="Drop, repair or revise bad ones. Also --no-critique.")
        ] = OnOff.on,
        criterion: Annotated[
            list[str] | None, typer.Option(help="Criticise by this one only; repeatable. [default: all]")
        ] = None,
        critic: Annotated[
            str | None, typer.Option(help="Chat model that judges, too. [imagine: the model itself]")
        ] = None,
        personas: Annotated[
            int | None,
            typer.Option(min=0, help="People that the model proposes; 0: from the prior. [imagine: 24]"),
        ] = None,
        success_share: Annotated[
            float, typer.Option(help="Share of imagined dialogues that are to end in success.")
        ] = 0.5,
        rounds: Annotated[int, typer.Option(min=0, help="Most revisions of an imagined dialogue.")] = 1,
        prompts: Annotated[Path | None, typer.Option(help="Folder with prompts of one's own.")] = None,
        max_cost: Annotated[
            float | None, typer.Option(min=0, help="Most that model calls may cost, US dollars.")
        ] = None,
        compress: Annotated[str | None, typer.Option(help="Compressed shards: xz or gz.")] = None,
        replace: Annotated[
            bool, typer.Option("--replace", help="Take the place of another dataset.")
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
    ) -> None:
        """Imagine dialogues, or roll out suboptimal policies with simulated users; criticise them; write a dataset.

        Running the same command again goes on where it stopped; a finished dataset is left as it is.
        """
        dataset = make_dataset(
            task, out, episodes, seed, model=model, model_share=model_share, policies=parse_policies(policy or []),
            critique=critique is OnOff.on, families=family, reward=reward, replace=replace, mode=mode.value,
            critic=critic, personas=personas, success_share=success_share, rounds=rounds, prompts=prompts,
            max_cost=max_cost, criteria=criterion or None, compress=compress, user=user, user_model=user_model,
        )  # fmt: skip
        if as_json:
            sys.stdout.write(json.dumps(dataset.manifest, indent=1, ensure_ascii=False) + "\n")
        else:
            sys.stdout.write("\n".join(summary(dataset)) + "\n")


def summary(dataset: Dataset) -> list[str]:
    """What was made, and what the critique did."""
    from dialog_envs.datasets.markdown import critique_lines

    counts, reward = dataset.manifest["counts"], dataset.manifest["reward"]
    return [
        f"{dataset.path}: {counts['episodes']:,} dialogues, {counts['turns']:,} turns, "
        f"{reward['success']:.1%} end in success",
        "",
        *critique_lines(dataset.manifest.get("critique", {})),
        "",
        *_made_by_model(dataset.manifest),
        f"read more: {dataset.path / 'card.md'}",
    ]


def _made_by_model(manifest: Mapping[str, Any]) -> list[str]:
    """Labels, what was thrown away, and the cost, in a line each; nothing where no model took part."""
    told = manifest.get("imagination")
    if told is None:
        return []
    lines = []
    if "personas" in told:
        people = told["personas"]
        lines.append(f"people: {people['used']} of {people['proposed']} proposed")
    if "label" in told:
        lines.append(f"label and the kernel's reward agree in {told['label']['agree']:.1%}")
    thrown = sum(told["rejected"].values())
    lines.append(f"thrown away: {thrown:,} replies; {told['no_usable_reply']} attempts without a dialogue")
    usage = manifest["cost"]["usage"].values()
    tokens = sum(row["tokens_in"] + row["tokens_out"] for row in usage)
    lines.append(f"cost: ${manifest['cost']['usd']:.4f}, {tokens:,} tokens")
    return [*lines, ""]
