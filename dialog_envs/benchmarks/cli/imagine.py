"""``dialog-envs imagine``: make an offline dataset."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialog_envs.errors import UsageError

if TYPE_CHECKING:
    from dialog_envs.datasets import Dataset

LANGUAGE_MODEL = "language-model"
"""Name of the policy that a prompted language model plays."""


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
) -> Dataset:
    """:func:`dialog_envs.simulators.imagination.imagine` with a language model by name, and progress on stderr.

    Args:
        task, out, episodes, seed, policies, critique, families, reward: as there.
        model: a chat model's name, for example ``"embedded"``: it plays the policy ``language-model``.
        model_share: its share of the dialogues, unless ``policies`` says otherwise.
        model_options: keyword arguments of :class:`dialog_envs.agents.prompted.PromptedAgent`.
        replace: make the dataset again where one of other settings is.
        quiet: no progress.

    Raises:
        UsageError, UnknownTask, UnknownName: an argument cannot be used.
        DatasetError: the folder is taken or cannot be written.
        ModelUnavailable: the model is not here; the message says how to get it.
    """
    from dialog_envs.benchmarks.progress import Progress
    from dialog_envs.registration import get_task
    from dialog_envs.simulators.imagination import imagine

    get_task(task)  # a wrong id is told before a model is loaded
    speakers: dict[str, Any] = {}
    if model is not None:
        from dialog_envs.agents.prompted import PromptedAgent

        speakers[LANGUAGE_MODEL] = PromptedAgent(model, task=task, **(model_options or {}))
    bar: Progress | None = None

    def progress(kept: int, wanted: int) -> None:
        nonlocal bar
        bar = bar or Progress("imagine", wanted, "dialogues", quiet=quiet)
        bar.advance(kept - bar.done)

    try:
        return imagine(
            task, out, episodes, seed, policies, critique=critique, families=families, progress=progress,
            speakers=speakers, model_share=model_share, reward=reward, replace_existing=replace,
        )  # fmt: skip
    finally:
        if bar is not None:
            bar.close(interrupted=bar.done < episodes)


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

    @app.command("imagine")
    def command(
        task: Annotated[str, typer.Argument(help="Task id.")],
        out: Annotated[Path, typer.Option("--out", "-o", help="The dataset's folder.")],
        episodes: Annotated[int, typer.Option("--episodes", "-n", min=1, help="Dialogues to keep.")] = 1000,
        seed: Annotated[int, typer.Option(min=0, help="Of everything.")] = 0,
        model: Annotated[
            str | None, typer.Option(help="Chat model that speaks in some of them: embedded, openai:MODEL …")
        ] = None,
        model_share: Annotated[float, typer.Option(help="Its share of the dialogues.")] = 0.1,
        policy: Annotated[
            list[str] | None,
            typer.Option("--policy", help="NAME=WEIGHT instead of the task's mixture; repeatable."),
        ] = None,
        family: Annotated[
            list[str] | None,
            typer.Option("--family", help="A typical user family; repeatable. [default: all]"),
        ] = None,
        reward: Annotated[
            str, typer.Option(help="Scheme of the stored rewards: binary, graded, dense.")
        ] = "binary",
        critique: Annotated[
            bool, typer.Option("--critique/--no-critique", help="Drop or repair bad ones.")
        ] = True,
        replace: Annotated[
            bool, typer.Option("--replace", help="Take the place of another dataset.")
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
    ) -> None:
        """Roll out suboptimal policies with simulated users, criticise the dialogues, and write a dataset.

        Running the same command again goes on where it stopped; a finished dataset is left as it is.
        """
        dataset = make_dataset(
            task, out, episodes, seed, model=model, model_share=model_share, policies=parse_policies(policy or []),
            critique=critique, families=family, reward=reward, replace=replace,
        )  # fmt: skip
        if as_json:
            sys.stdout.write(json.dumps(dataset.manifest, indent=1, ensure_ascii=False) + "\n")
        else:
            sys.stdout.write("\n".join(summary(dataset)) + "\n")


def summary(dataset: Dataset) -> list[str]:
    """What was made, and what the critique did."""
    from dialog_envs.datasets.card import critique_lines

    counts, reward = dataset.manifest["counts"], dataset.manifest["reward"]
    return [
        f"{dataset.path}: {counts['episodes']:,} dialogues, {counts['turns']:,} turns, "
        f"{reward['success']:.1%} end in success",
        "",
        *critique_lines(dataset.manifest.get("critique", {})),
        "",
        f"read more: {dataset.path / 'card.md'}",
    ]
