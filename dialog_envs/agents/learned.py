"""The agent around a checkpoint: BC, filtered BC, ILQL and whatever else the trainer saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dialog_envs.agents.base import Usage
from dialog_envs.agents.checkpoint import check_task, load_model, read_training
from dialog_envs.agents.decoding import Decoder, DecodingConfig
from dialog_envs.agents.language_model import DialogueModel
from dialog_envs.agents.sequences import encode_segments, noted
from dialog_envs.agents.tokenizer import decode_text
from dialog_envs.core.dialogue import AGENT, Observation
from dialog_envs.core.seeding import stream
from dialog_envs.core.task import (
    AgentView,
)  # here, not for type checkers only: --agent-args reads the annotations
from dialog_envs.errors import CheckpointError

BATCH = 16
"""Dialogues decoded at once on a processor, whose caches would not hold more; see :func:`batch_on`."""
KNOWN_TEXTS = 4_096
"""Tokens of so many texts are remembered: a dialogue is encoded again before each of its turns."""


class LearnedAgent:
    """Speaks with a trained language model, whose advantage is weighted by ``beta`` where it has value heads.

    What the model writes is said as it is: an empty or broken sentence is the agent's own failure and is scored so.
    The random numbers of a turn come from the episode's seed and the number of agent turns so far, hence an episode
    played alone equals the same one in a batch.

    Args:
        model: in eval mode.
        view: how the task is read and written.
        decoding: beta, temperature, top-k, longest utterance.
        description: one line for the leaderboard.
        condition: a note that stands before every agent turn, such as the return that is asked for.
    """

    def __init__(
        self,
        model: DialogueModel,
        view: AgentView,
        decoding: DecodingConfig | None = None,
        description: str = "",
        condition: str | None = None,
    ) -> None:
        self.model, self.view = model, view
        self.condition = condition
        self.decoding = decoding or DecodingConfig()
        self.description = description
        self._seed = 0
        self._usage = Usage()
        self._decoder = Decoder(model)
        self._known: dict[str, list[int]] = {}

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path,
        *,
        beta: float | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        min_p: float | None = None,
        decoding: str | None = None,
        samples: int | None = None,
        task: Any = None,
        view: AgentView | None = None,
        device: str = "cpu",
    ) -> LearnedAgent:
        """Loads a checkpoint.

        Args:
            path: a folder made by ``dialog-envs train``.
            beta: weight of the advantage; None takes the one of the training.
            temperature: 0 speaks greedily; None takes the one of the training.
            top_k: tokens considered at each step; None takes the default.
            min_p: least share of the most probable token's probability; None takes the one of the training.
            decoding: ``perturb``, token by token, or ``best-of-n``: the best of several utterances of the policy.
            samples: how many those are; None takes the default, 8.
            task: a task or its id, which the checkpoint must have been trained for; None takes the checkpoint's.
            view: how the task is read, if not the task's own.
            device: where to compute.

        Raises:
            CheckpointError: missing, damaged, or trained for another task.
        """
        record = read_training(path)
        if task is not None:
            check_task(path, record, task if isinstance(task, str) else task.id)
        if view is None:
            view = _task_of(record, task).view
        model, record = load_model(path)
        _check_view(path, model, view)
        config = DecodingConfig(
            beta=float(record.get("beta", 0.0)),
            temperature=float(record.get("temperature", 1.0)),
            min_p=float(record.get("min_p", 0.0)),
        )
        given: dict[str, Any] = {
            "beta": beta, "temperature": temperature, "top_k": top_k, "min_p": min_p,
            "method": decoding, "samples": samples,
        }  # fmt: skip
        config = replace(config, **{name: value for name, value in given.items() if value is not None})
        text = f"{record['algorithm']}, {record['parameters'] / 1e6:.1f} M parameters"
        return cls(model.to(device), view, config, text, record.get("condition"))

    def start(self, brief: str, seed: int) -> None:
        """A new episode."""
        self._seed = seed
        self._usage = Usage()

    def act(self, observation: Observation) -> str:
        """The next utterance; equals what :meth:`act_batch` says with this episode's seed."""
        return self.act_batch([observation], [self._seed])[0]

    def usage(self) -> Usage:
        """Tokens read and written since ``start``."""
        return self._usage

    def act_batch(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        """One utterance for each dialogue, the same in whatever company.

        Between calls it keeps the count of tokens, and what was read of the dialogues, so that it need not be read
        again: this changes the time a turn takes and nothing else.
        """
        prefixes = [self._prefix(observation) for observation in observations]
        spoken = [sum(turn["speaker"] == AGENT for turn in o["dialogue"]) for o in observations]
        draws = (self.decoding.drawn, self.decoding.max_tokens)
        uniforms = np.zeros((len(prefixes), *draws))
        for i, (seed, turn) in enumerate(zip(seeds, spoken, strict=True)):
            uniforms[i] = stream(seed, "agent", turn).random(draws)
        order = sorted(range(len(prefixes)), key=lambda i: len(prefixes[i]))
        texts = [""] * len(prefixes)
        size = batch_on(self.model.policy.device.type)
        for begin in range(0, len(order), size):
            part = order[begin : begin + size]
            keys = [(seeds[i], observations[i]["brief"]) for i in part]
            outputs = self._decoder.generate([prefixes[i] for i in part], uniforms[part], self.decoding, keys)
            for i, ids in zip(part, outputs, strict=True):
                self._usage += Usage(len(prefixes[i]), len(ids))
                text = decode_text(self.model.tokenizer, ids)
                texts[i] = self.view.realise(text, observations[i]["brief"], observations[i]["dialogue"])
        return texts

    def _prefix(self, observation: Observation) -> list[int]:
        """Token ids up to ``<|agent|>``, the oldest left out where the model's context is too short."""
        segments = self.view.segments(observation["brief"], observation["dialogue"])
        if self.condition is not None:
            segments = noted(segments, [self.condition] * (len(segments) + 1), to_move=True)
        if len(self._known) > KNOWN_TEXTS:
            self._known.clear()
        ids, _, _ = encode_segments(self.model.tokenizer, segments, to_move=True, known=self._known)
        return ids[-max(1, self.model.context - self.decoding.max_tokens) :]


def batch_on(device: str) -> int:
    """How many dialogues are decoded at once; those of about the same length together."""
    return BATCH if device == "cpu" else 16 * BATCH


def _task_of(record: Mapping[str, Any], task: Any) -> Any:
    """The task object that is meant by ``task``, or by the checkpoint's record."""
    if task is not None and not isinstance(task, str):
        return task
    from dialog_envs.registration import get_task

    return get_task(task or record["task"])


def _check_view(path: str | Path, model: DialogueModel, view: AgentView) -> None:
    """Raises CheckpointError if the view has special tokens that the checkpoint's tokenizer does not know."""
    known = model.tokenizer.get_vocab()
    missing = [token for token in view.special_tokens if token not in known]
    if missing:
        raise CheckpointError(
            f"the checkpoint '{path}' does not know the token '{missing[0]}' that this version of the task writes: "
            "train the agent again."
        )
