"""Imagine: a whole dialogue in one reply (arXiv 2311.05584, section 4.1), read strictly.

The model is told the task, the situation, who the user is, and how it is to end, and writes the dialogue down line by
line. A line is ``NAME: words``. What does not keep to that is asked for again with what was wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dialog_envs.core.brief import TaskBrief
from dialog_envs.core.dialogue import AGENT, USER
from dialog_envs.core.seeding import derive, stream
from dialog_envs.core.spaces import MAX_TEXT
from dialog_envs.core.task import Task
from dialog_envs.simulators.imagination.asking import Asking, Rejected, Unusable, until_usable
from dialog_envs.simulators.imagination.prompting import Prompts, persona_text
from dialog_envs.simulators.llm import ChatReply, ChatRequest, Message
from dialog_envs.simulators.users.prompting import short_brief

Line = tuple[int, str]
"""Who speaks, and what they say."""
FEWEST = 2
"""Turns of the agent below which a dialogue is none."""
LONGEST_TURN = 1_200
"""Characters. People do not give lectures, and a reply that runs on has lost its form."""
_FENCE = re.compile(r"^\s*```.*$", re.MULTILINE)
_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)
_MARKUP = re.compile(r"[*_`#>]+")
_BLANK = re.compile(r"\[[A-Za-z][^\]\n]{0,40}\]|<[a-z_ ]{2,30}>|\{[a-z_ ]{2,30}\}|…{2,}")
_ASIDE = re.compile(r"\*[^*\n]{1,80}\*|\((?:[a-z][^()\n]{0,60})\)(?=\s|$)")


@dataclass(frozen=True)
class Scene:
    """One dialogue that is to be imagined.

    Attributes:
        task: the task.
        persona, scenario: the task's records.
        who: what somebody proposed in words, or nothing.
        label: whether it is to end in success.
        opening: the user's first sentence.
        seed: of the episode.
        small: the model is the embedded one: it reads slowly.
    """

    task: Task[Any, Any, Any]
    persona: Any
    scenario: Any
    who: str
    label: bool
    opening: str
    seed: int
    small: bool = False

    @property
    def outcome(self) -> str:
        """How it is to end, in words."""
        return self.task.task_brief.outcomes[0 if self.label else 1]

    def values(self) -> dict[str, str]:
        """What every prompt about this dialogue holds."""
        brief = self.scenario.brief
        return {
            "brief": short_brief(brief) if self.small else brief,
            "persona": persona_text(self.task, self.persona, self.who),
            "outcome": self.outcome,
        }

    def exchanges(self) -> int:
        """About how many turns of each speaker are asked for: from three to three quarters of what the task allows."""
        most = max(FEWEST + 1, self.task.max_turns * 3 // 4)
        return int(stream(self.seed, "length").integers(FEWEST + 1, most + 1))


def imagine_dialogue(
    scene: Scene,
    prompts: Prompts,
    variant: str,
    attempts: int,
    rejected: list[Rejected],
) -> Asking[tuple[Line, ...]]:
    """The dialogue, as lines.

    Raises:
        GivenUp: no reply could be used.
    """
    values = scene.values() | {"exchanges": str(scene.exchanges()), "opening": scene.opening}
    text = prompts.fill(variant, scene.task.task_brief, **values)
    messages: tuple[Message, ...] = ({"role": "user", "content": text},)
    if scene.small:
        messages = small_chat(scene, text)
    seed = derive(scene.seed, "imagine")
    request = ChatRequest(
        messages, 160 if scene.small else 1600, 0.6 if scene.small else 1.0, seed=seed, role="imagination",
        episode=str(scene.seed),
    )  # fmt: skip
    read = reader(scene)
    again = against(prompts, scene.task.task_brief, scene.small)
    return (yield from until_usable(request, read, again, "imagine", attempts, rejected))


def small_chat(scene: Scene, text: str) -> tuple[Message, ...]:
    """For a model that needs to be shown: the task's examples as conversations that it has written already."""
    brief = scene.task.task_brief
    found: list[Message] = [{"role": "system", "content": text}]
    for number, one in enumerate(brief.examples):
        found.append({"role": "user", "content": f"Write conversation {number + 1}."})
        found.append({"role": "assistant", "content": brief.transcript(one)})
    found.append(
        {
            "role": "user",
            "content": f"Write conversation {len(brief.examples) + 1}. It begins: {brief.user_name}: {scene.opening}",
        }
    )
    return tuple(found)


def against(prompts: Prompts, brief: TaskBrief, small: bool = False) -> Callable[[str], str]:
    """What the model is told of a reply that cannot be used; a small one, which would write about it, nothing."""
    return lambda problem: "" if small else prompts.fill("again", brief, problem=problem)


def reader(scene: Scene) -> Callable[[ChatReply], tuple[Line, ...]]:
    """Takes a reply apart into the lines of a dialogue."""

    def read(reply: ChatReply) -> tuple[Line, ...]:
        cut = reply.finish_reason == "length"
        brief = scene.task.task_brief
        if scene.small:
            return parse_dialogue(sound_part(reply.text, brief, scene.opening, cut), brief, scene.opening)
        if cut:
            raise Unusable("it was cut off before its end, so be shorter")
        return parse_dialogue(reply.text, brief, scene.opening)

    return read


def sound_part(text: str, brief: TaskBrief, opening: str, cut: bool) -> str:
    """What a small model wrote until it lost the thread: the lines that begin with a name, one speaker after the other,
    behind the opening that it was given.

    Args:
        text: the reply.
        brief: for the speakers' names.
        opening: the user's first sentence.
        cut: the last line is not whole.
    """
    rows = [row.strip() for row in text.strip().splitlines()]
    rows = rows[:-1] if cut else rows
    names = (brief.user_name, brief.agent_name)
    found = [f"{brief.user_name}: {opening}"]
    for number, row in enumerate(row for row in rows if row):
        name = next((name for name in names if row.startswith(f"{name}:")), None)
        if number == 0 and name == brief.user_name:
            continue
        if name is None or found[-1].startswith(f"{name}:") or not row.removeprefix(f"{name}:").strip():
            break
        found.append(row)
    return "\n".join(found)


def parse_dialogue(text: str, brief: TaskBrief, opening: str = "") -> tuple[Line, ...]:
    """A dialogue that was written line by line.

    Allowed beside it are a code fence, bold names, and one line before the first turn ("Here it is:"). Where the agent
    speaks first, the opening that the prompt gave goes before it.

    Args:
        text: the reply.
        brief: for the speakers' names.
        opening: the user's first sentence, as the prompt gave it.

    Raises:
        Unusable: it is none; says why, in words for the model.
    """
    names = {brief.agent_name.casefold(): AGENT, brief.user_name.casefold(): USER}
    either = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    label = re.compile(rf"^[\s*_#>\-\d.]*({either})[\s*_]*[::](?:\*\*|__|[*_](?=\s))?\s*", re.IGNORECASE)
    lines: list[Line] = []
    before = 0
    for row in _FENCE.sub("", _THOUGHT.sub("", text)).splitlines():
        if not row.strip():
            continue
        found = label.match(row)
        if found is not None:
            lines.append((names[found[1].casefold()], row[found.end() :].strip()))
        elif not lines:
            before += 1
        else:
            lines[-1] = (lines[-1][0], f"{lines[-1][1]} {row.strip()}".strip())
    if not lines:
        raise Unusable(f"no line of it begins with '{brief.user_name}:' or '{brief.agent_name}:'")
    if before > 1:
        raise Unusable("there are lines before the first turn")
    if lines and lines[0][0] == AGENT and opening:
        lines.insert(0, (USER, opening))
    inside = re.compile(rf"\b(?:{either})\s?:", re.IGNORECASE)
    return _checked([(who, _plain(said)) for who, said in lines], brief, inside)


def _plain(text: str) -> str:
    text = " ".join(_MARKUP.sub("", _ASIDE.sub(" ", text)).split())
    return text[1:-1].strip() if len(text) > 2 and text[0] in '"“' and text[-1] in '"”' else text


def _checked(lines: list[Line], brief: TaskBrief, inside: re.Pattern[str]) -> tuple[Line, ...]:
    def name(who: int) -> str:
        return brief.agent_name if who == AGENT else brief.user_name

    if not lines or lines[0][0] != USER:
        raise Unusable(f"it does not begin with a turn of {brief.user_name}")
    for number, (who, said) in enumerate(lines):
        if number and who == lines[number - 1][0]:
            raise Unusable(f"{name(who)} speaks twice in a row (lines {number} and {number + 1})")
        if not re.search(r"\w", said):
            raise Unusable(f"line {number + 1} says nothing")
        if len(said) > min(LONGEST_TURN, MAX_TEXT):
            raise Unusable(f"line {number + 1} is too long")
        if blank := _BLANK.search(said):
            raise Unusable(f"line {number + 1} holds a blank to fill in ({blank[0]})")
        if inside.search(said):
            raise Unusable(f"line {number + 1} holds the turns of both speakers")
    if sum(who == AGENT for who, _ in lines) < FEWEST:
        raise Unusable(f"it has fewer than {FEWEST} turns of {brief.agent_name}")
    if sum(who == USER for who, _ in lines) <= FEWEST:
        raise Unusable(f"{brief.user_name} has fewer than {FEWEST + 1} turns")
    return tuple(lines)
