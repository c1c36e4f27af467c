"""Critique by a model: the task's criteria → verdicts with reasons → a revised dialogue (arXiv 2311.05584, 4.1).

The criteria are those of the task's brief: the paper's two, then the task's own. The critic sees the situation, the
persona and the stated outcome; the dialogue stands between tags that exist in this request only, because what is said
in it is data and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from dialog_envs.core.brief import Criterion as Question
from dialog_envs.core.seeding import derive, stream
from dialog_envs.datasets.schema import Criterion
from dialog_envs.simulators.imagination.asking import Asking, GivenUp, Rejected, form, until_usable
from dialog_envs.simulators.imagination.imagining import Line, Scene, against, reader
from dialog_envs.simulators.imagination.prompting import Prompts
from dialog_envs.simulators.llm import ChatReply, ChatRequest, Message
from dialog_envs.simulators.users.prompting import Marks, cut

BY_MODEL = "model:"
"""Stands before the names of criteria that a model judged, which rules judge under the same names."""
NO_VERDICT = "the critic gave no verdict"
LONGEST_REASON = 300
_WORD = re.compile(r"\W+")
_TEMPLATE = re.compile(
    r"<\|.*?\|>|</?\s*said\b[^>]*>|\[/?INST\]|</?s>|<(?:start|end)_of_turn>", re.IGNORECASE
)


def chosen(questions: Sequence[Question], names: Sequence[str] | None) -> tuple[Question, ...]:
    """Those of the names, as datasets call them; all where nobody chose."""
    return tuple(q for q in questions if names is None or criterion_name(q) in names)


def criterion_name(question: Question) -> str:
    """The name of a model's criterion in a dataset."""
    return f"{BY_MODEL}{question.name}"


def model_criteria(questions: Sequence[Question]) -> tuple[str, ...]:
    """The names of all criteria that a model judges."""
    return tuple(criterion_name(question) for question in questions)


def judge(
    scene: Scene,
    lines: Sequence[Line],
    prompts: Prompts,
    attempts: int,
    rejected: list[Rejected],
    version: int = 0,
    names: Sequence[str] | None = None,
) -> Asking[tuple[Criterion, ...]]:
    """The critic's verdict under each criterion.

    Args:
        scene: of the dialogue; its ``label`` is the outcome that the end is held against.
        lines: the dialogue.
        prompts: what the critic is told.
        attempts: how often it is asked.
        rejected: takes replies that were thrown away.
        version: how often the dialogue was revised.
        names: criteria to judge by, as datasets call them; all by default.

    Returns:
        a row a criterion, with the reason in any case. A critic who gives no verdict passes nothing.
    """
    questions = chosen(scene.task.task_brief.all_criteria(), names)
    fields = {_WORD.sub("_", question.name).strip("_"): question for question in questions}
    text = prompts.fill(
        "critique",
        scene.task.task_brief,
        criteria="\n".join(f"- {name}: {question.text}" for name, question in fields.items()),
        **_about(scene, lines, version),
    )
    schema = _schema(fields)
    message: Message = {"role": "user", "content": text}
    seed = derive(scene.seed, "critique", version)
    tokens = 60 if scene.small else 120 + 120 * len(fields)
    request = ChatRequest(
        (message,), tokens, 0.0, seed=seed, schema=schema, role="critic", episode=str(scene.seed)
    )

    def read(reply: ChatReply) -> tuple[Criterion, ...]:
        data = form(reply, schema)
        return tuple(
            Criterion(
                criterion_name(question), bool(data[name]), str(data[f"{name}_reason"])[:LONGEST_REASON]
            )
            for name, question in fields.items()
        )

    again = against(prompts, scene.task.task_brief, scene.small)
    try:
        return (yield from until_usable(request, read, again, "critique", attempts, rejected))
    except GivenUp:
        return tuple(Criterion(criterion_name(question), False, NO_VERDICT) for question in questions)


def revise_dialogue(
    scene: Scene, lines: Sequence[Line], faults: Sequence[Criterion], prompts: Prompts, attempts: int,
    rejected: list[Rejected], version: int,
) -> Asking[tuple[Line, ...]]:  # fmt: skip
    """The dialogue written anew, so that it meets what it failed.

    Raises:
        GivenUp: no reply could be used.
    """
    questions = {criterion_name(question): question.text for question in scene.task.task_brief.all_criteria()}
    told = [
        f"- {questions.get(fault.name, fault.name.replace('-', ' '))} No: {fault.reason}" for fault in faults
    ]
    text = prompts.fill(
        "revise", scene.task.task_brief, faults="\n".join(told), **_about(scene, lines, version)
    )
    message: Message = {"role": "user", "content": text}
    request = ChatRequest(
        (message,), 220 if scene.small else 1600, 0.7, seed=derive(scene.seed, "revise", version), role="critic",
        episode=str(scene.seed),
    )  # fmt: skip
    again = against(prompts, scene.task.task_brief, scene.small)
    return (yield from until_usable(request, reader(scene), again, "revise", attempts, rejected))


def _about(scene: Scene, lines: Sequence[Line], version: int) -> dict[str, str]:
    """The dialogue between tags of its own, and what it is about."""
    mark = Marks.draw(stream(scene.seed, "marks", version)).tag.replace("said", "talk")
    brief = scene.task.task_brief
    said = brief.transcript([{"speaker": who, "text": _harmless(text, mark)} for who, text in lines])
    return scene.values() | {"dialogue": said, "mark": mark}


def _harmless(text: str, mark: str) -> str:
    return " ".join(_TEMPLATE.sub(" ", cut(text, 2_000)).replace(mark, " ").split())


def _schema(fields: dict[str, Question]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name, question in fields.items():
        reason = f"the reason in one sentence: {question.text}"
        properties[f"{name}_reason"] = {"type": "string", "description": reason}
        properties[name] = {"type": "boolean", "description": f"true for yes, false for no: {question.text}"}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
