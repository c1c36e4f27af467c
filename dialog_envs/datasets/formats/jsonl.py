"""Anyone's dialogues: JSON lines of role and content, read through a mapping into a dataset of a task.

The task reads what was said (acts of both sides). A persona, where a line has one, lets the task's own score decide the
reward; otherwise the line must state it.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping as Json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialog_envs.core.dialogue import AGENT, USER, Turn, TurnView
from dialog_envs.datasets.files import file_trouble
from dialog_envs.datasets.reader import Dataset, read_dataset
from dialog_envs.datasets.schema import LARGEST, UNKNOWN, Critique, Episode, Provenance, parse_json
from dialog_envs.datasets.store import DatasetWriter
from dialog_envs.errors import DatasetError, DialogEnvsError


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where things stand in a line. Names with dots go deeper: ``meta.reward``.

    Attributes:
        messages: the list of messages.
        role, content: of a message.
        agent, user, system: the values of ``role``; the system's message is the brief.
        reward: a number, where lines state one.
        success: true or false, where lines state it; else a reward above 0 is a success.
        persona: the persona as the task writes it, where lines have one.
        scenario: the scenario as the task writes it, where there is no brief.
    """

    messages: str = "messages"
    role: str = "role"
    content: str = "content"
    agent: str = "assistant"
    user: str = "user"
    system: str = "system"
    reward: str = "reward"
    success: str = "success"
    persona: str = "persona"
    scenario: str = "scenario"


def import_jsonl(
    file: str | Path, task: str, out: str | Path, mapping: Mapping | None = None, *, source: str = "imported"
) -> Dataset:
    """Read a file of dialogues.

    Args:
        file: JSON lines.
        task: id of the task that they belong to.
        out: folder of the dataset.
        mapping: where things stand in a line.
        source: who spoke for the agent, for the provenance.

    Raises:
        DatasetError: a line cannot be read as a dialogue of the task; names file and line.
        UnknownTask: no such task.
    """
    from dialog_envs.registration import get_task

    found = get_task(task)
    with file_trouble(Path(file)):
        raw = Path(file).read_bytes().removeprefix(codecs.BOM_UTF8)
    lines = [(number, line) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip()]
    if not lines:
        raise DatasetError(f"'{file}' holds no line: there is nothing to import.")
    facts = {
        "task": found.id, "task_version": found.version, "user": UNKNOWN, "user_version": UNKNOWN,
        "reward_scheme": "binary", "mode": "imported", "imported_from": Path(file).name,
    }  # fmt: skip
    reader = _Reader(found, mapping or Mapping(), source)
    with DatasetWriter(out, facts) as writer:
        for number, line in lines:
            try:
                writer.write(reader.episode(number, parse_json(line)))
            except DialogEnvsError as error:
                raise DatasetError(f"'{file}' line {number}: {error}") from None
    return read_dataset(out)


class _Reader:
    """Lines of a file → episodes of a task."""

    def __init__(self, task: Any, mapping: Mapping, source: str) -> None:
        self.task, self.mapping, self.source = task, mapping, source

    def episode(self, number: int, line: Any) -> Episode:
        """One line."""
        if not isinstance(line, dict):
            raise DatasetError("a line is a JSON object")
        names = self.mapping
        rows = _at(line, names.messages)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise DatasetError(f"'{names.messages}' must be a list of messages")
        scenario = self._scenario(line, rows)
        turns = self._turns(rows, scenario)
        given = _at(line, names.persona)
        if isinstance(given, Json):
            return self._scored(number, self.task.persona_from_json(given), scenario, turns)
        return self._stated(number, line, scenario, turns)

    def _scenario(self, line: Json[str, Any], rows: Sequence[Json[str, Any]]) -> Any:
        names = self.mapping
        given = _at(line, names.scenario)
        if isinstance(given, Json):
            return self.task.scenario_from_json(given)
        briefs = [row.get(names.content) for row in rows if row.get(names.role) == names.system]
        if not briefs or not isinstance(briefs[0], str):
            raise DatasetError(
                f"there is neither a '{names.scenario}' nor a message of role '{names.system}' with the task's brief"
            )
        return self.task.read_brief(briefs[0])

    def _turns(self, rows: Sequence[Json[str, Any]], scenario: Any) -> tuple[Turn, ...]:
        names, language = self.mapping, self.task.language
        speakers = {names.agent: AGENT, names.user: USER}
        turns: list[Turn] = []
        views: list[TurnView] = []
        for row in rows:
            role, text = row.get(names.role), row.get(names.content)
            if role == names.system:
                continue
            if not isinstance(role, str) or role not in speakers or not isinstance(text, str):
                raise DatasetError(
                    f"a message is {{{names.role}: {names.agent} or {names.user}, {names.content}: text}}; "
                    f"got {dict(row)!r:.120}"
                )
            read = language.understand if speakers[role] == AGENT else language.read
            turns.append(Turn(speakers[role], text, read(text, scenario, tuple(views))))
            views.append(turns[-1].view())
        if not any(turn.speaker == AGENT for turn in turns):
            raise DatasetError("the agent does not speak")
        return tuple(turns)

    def _scored(self, number: int, persona: Any, scenario: Any, turns: tuple[Turn, ...]) -> Episode:
        outcome = self.task.score(persona, scenario, turns, self._ended_by(turns))
        rewards = outcome.rewards("binary")
        agent_turns = sum(turn.speaker == AGENT for turn in turns)
        if len(rewards) != agent_turns:
            raise DatasetError("agent and user do not take turns")
        return self._made(
            number,
            persona.family,
            persona.to_json(),
            scenario,
            turns,
            rewards,
            outcome.to_json(metrics=False),
        )

    def _stated(self, number: int, line: Json[str, Any], scenario: Any, turns: tuple[Turn, ...]) -> Episode:
        names = self.mapping
        reward = _at(line, names.reward)
        if isinstance(reward, bool) or not isinstance(reward, int | float):
            raise DatasetError(f"a line without '{names.persona}' must state a number '{names.reward}'")
        if not abs(reward) < LARGEST:
            raise DatasetError(f"'{names.reward}' is too large a number: {reward!r:.60}")
        stated = _at(line, names.success)
        if stated is not None and not isinstance(stated, bool):
            raise DatasetError(f"'{names.success}' must be true or false, or not there; got {stated!r:.60}")
        success = stated if isinstance(stated, bool) else reward > 0
        rewards = [0.0] * sum(turn.speaker == AGENT for turn in turns)
        rewards[-1] = float(reward)
        outcome = {"success": success, "graded": float(reward), "ended_by": self._ended_by(turns)}
        return self._made(number, UNKNOWN, {}, scenario, turns, tuple(rewards), outcome)

    def _ended_by(self, turns: Sequence[Turn]) -> str:
        kinds = {act.kind for act in turns[-1].acts} if turns[-1].speaker == USER else set()
        roles = self.task.act_roles
        return "accept" if kinds & roles.accepts else "leave" if kinds & roles.leaves else "cap"

    def _made(
        self, number: int, family: str, persona: Json[str, Any], scenario: Any, turns: tuple[Turn, ...],
        rewards: tuple[float, ...], outcome: Json[str, Any],
    ) -> Episode:  # fmt: skip
        return Episode(
            id=f"{number:06d}", task=self.task.id, seed=0, family=family, persona=persona,
            scenario=json.loads(json.dumps(scenario.to_json())), turns=turns, rewards=rewards,
            reward=float(sum(rewards)), outcome=outcome, critique=Critique(),
            provenance=Provenance("imported", self.source, UNKNOWN),
        )  # fmt: skip


def _at(data: Any, path: str) -> Any:
    """What stands at ``a.b.c``; ``None`` where nothing does."""
    for name in path.split("."):
        data = data.get(name) if isinstance(data, Json) else None
    return data
