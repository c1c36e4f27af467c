"""A person in the dialogue: as the agent against a simulated user, or as the user against an agent.

Both sides are scored by the task itself. Input and output are plain text streams, so a session can be piped in.
"""

from __future__ import annotations

import contextlib
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TextIO

from dialog_envs.agents.base import Agent
from dialog_envs.agents.registry import AgentSpec
from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.core.env import agent_seed
from dialog_envs.core.seeding import stream
from dialog_envs.core.text import shown, whole
from dialog_envs.errors import AgentError, DialogEnvsError

__all__ = ["Session", "play_as_agent", "play_as_user"]

_HELP = "Type what you say and press Enter. /brief shows the situation again, /quit ends, /help shows this."
_WIDTH = 100


@dataclass
class Session:
    """Where a person reads and writes.

    Attributes:
        reader: lines of the person; its end means that they left.
        writer: everything they see.
        prompt: what stands before their line.
    """

    reader: TextIO
    writer: TextIO
    prompt: str = "you> "
    brief: str = field(default="", init=False)

    def say(self, text: str = "", indent: str = "") -> None:
        """A paragraph or more, wrapped."""
        for line in shown(text).splitlines() or [""]:
            hang = " " * (len(indent) + (2 if line.startswith("- ") else 0))
            wrapped = textwrap.wrap(line.strip(), _WIDTH, initial_indent=indent, subsequent_indent=hang)
            self.writer.write("\n".join(wrapped) + "\n")
        self.writer.flush()

    def ask(self) -> str | None:
        """What the person says next; ``None`` when they leave."""
        while True:
            line = self._line()
            if line is None:
                self.writer.write("\n")
                return None
            text = whole(line.strip())  # what comes through a pipe may hold bytes that are no text
            if text == "/quit":
                return None
            if text == "/brief":
                self.say(self.brief)
            elif text == "/help":
                self.say(_HELP)
            elif text:
                return text

    def _line(self) -> str | None:
        if self.reader is sys.stdin and self.writer is sys.stdout and self.reader.isatty():
            with contextlib.suppress(ImportError):
                import readline  # noqa: F401  (gives input() a line editor)
            try:
                return input(self.prompt)
            except EOFError:
                return None
        self.writer.write(self.prompt)
        self.writer.flush()
        line = self.reader.readline()
        if line and not self.reader.isatty():
            self.writer.write(line.rstrip("\n") + "\n")  # nobody typed it here, so nobody has seen it
        return line or None


def play_as_agent(env: Any, session: Session, *, seed: int, family: str | None = None) -> dict[str, Any]:
    """A person plays the agent; persona and score are shown at the end.

    Args:
        env: the task's environment, with any user.
        session: where the person reads and writes.
        seed: of the episode.
        family: the user's family, or a group of families; all by default.

    Returns:
        ``{"task", "seed", "as", "persona", "turns", "outcome"}``; the outcome is ``None`` if the person left early.
    """
    observation, _ = env.reset(seed=seed, options={"family": family} if family else {})
    task = env.task
    _open(
        session, observation["brief"], "You are the agent: find out what the user would love, and suggest it."
    )
    over = False
    shown = 0
    while not over:
        dialogue = observation["dialogue"]
        for turn in dialogue[shown:]:
            if turn["speaker"] == USER:
                session.say(turn["text"], "user> ")
        shown = len(dialogue)
        text = session.ask()
        if text is None:
            break
        if not env.action_space.contains(text):
            session.say(f"(That is too long: {len(text):,} characters.)")
            continue
        observation, _, terminated, truncated, _ = env.step(text)
        over = terminated or truncated
    for turn in observation["dialogue"][shown:]:
        if turn["speaker"] == USER:
            session.say(turn["text"], "user> ")
    outcome = env.outcome.to_json() if over else None
    _close(session, task, env.persona, outcome, "Who the user was")
    return _result(task, seed, "agent", env.persona, env.turns, outcome)


def play_as_user(
    task: Any, spec: AgentSpec, session: Session, *, seed: int, family: str | None = None
) -> dict[str, Any]:
    """A person plays the user after a persona's card, against an agent.

    The person's words are read by the task; the dialogue ends when they accept a suggestion or take leave, and the
    agent is scored by what the *card* says of what was accepted.

    Raises:
        AgentError: the agent failed; the message says how.
    """
    persona = task.prior.sample(stream(seed, "persona"), family)
    scenario = task.sample_scenario(stream(seed, "scenario"))
    agent = spec.build(task)
    _open(session, scenario.brief, f"You are the user, and {spec.name} is the agent. Play this person:")
    _card(session, task, persona)
    session.say("Say hello. Accept a suggestion in your own words when you like it, or say goodbye.")
    turns: list[Turn] = []
    with _guarded(spec.name):
        agent.start(scenario.brief, agent_seed(seed))
        if getattr(agent, "needs_persona", False):
            agent.reveal(persona, scenario)  # type: ignore[attr-defined]
    ended_by = None
    while ended_by is None:
        text = session.ask()
        if text is None:
            break
        acts = _settled(task.language.read(text, scenario, _views(turns)), turns)
        turns.append(Turn(USER, text, acts))
        ended_by = next((act.kind for act in acts if act.kind in ("accept", "leave")), None)
        if ended_by is None and sum(turn.speaker == AGENT for turn in turns) >= task.max_turns:
            ended_by = "cap"
        if ended_by is not None:
            break
        said = _said(agent, {"brief": scenario.brief, "dialogue": tuple(_views(turns))}, spec.name)
        turns.append(Turn(AGENT, said, task.language.understand(said, scenario, _views(turns))))
        session.say(said, "agent> ")
    scored = ended_by is not None and any(turn.speaker == AGENT for turn in turns)
    outcome = task.score(persona, scenario, turns, ended_by).to_json() if scored else None
    _close(session, task, persona, outcome, "The person you played")
    return _result(task, seed, "user", persona, turns, outcome)


# ---- parts -----------------------------------------------------------------------------------------------------------


def _views(turns: list[Turn]) -> list[Any]:
    return [turn.view() for turn in turns]


def _settled(acts: tuple[Act, ...], turns: list[Turn]) -> tuple[Act, ...]:
    """The acts, in which "I'll take it" means the one thing that the agent suggested last."""
    last = next((turn for turn in reversed(turns) if any(act.kind == "suggest" for act in turn.acts)), None)
    items = {act.item for act in last.acts if act.kind == "suggest"} if last else set()
    if len(items) != 1:
        return acts
    return tuple(
        replace(act, item=next(iter(items))) if act.kind == "accept" and act.item is None else act
        for act in acts
    )


@contextlib.contextmanager
def _guarded(name: str) -> Iterator[None]:
    """What an agent raises, as an AgentError."""
    try:
        yield
    except DialogEnvsError:
        raise
    except Exception as error:
        raise AgentError(f"agent '{name}' failed: {type(error).__name__}: {error}") from error


def _said(agent: Agent, observation: Any, name: str) -> str:
    with _guarded(name):
        text: object = agent.act(observation)
    if not isinstance(text, str):
        raise AgentError(f"agent '{name}' returned {type(text).__name__}, not a str.")
    return whole(text)


def _open(session: Session, brief: str, task: str) -> None:
    session.brief = brief
    session.say(brief)
    session.say()
    session.say(task)
    session.say(_HELP)
    session.say()


def _card(session: Session, task: Any, persona: Any) -> None:
    cards = task.persona_card(persona)
    width = max(len(heading) for heading, _ in cards)
    for heading, text in cards:
        session.say(text, f"  {heading:<{width}}  ")


def _close(session: Session, task: Any, persona: Any, outcome: dict[str, Any] | None, heading: str) -> None:
    session.say()
    session.say(f"{heading}:")
    _card(session, task, persona)
    session.say()
    if outcome is None:
        session.say("No score: the dialogue was not finished.")
        return
    verdict = "success" if outcome["success"] else "no success"
    session.say(f"Score: {verdict} (graded {outcome['graded']:.2f}), ended by {outcome['ended_by']}.")
    metrics = outcome.get("metrics", {})
    shown = [f"{name.replace('_', ' ')} {value:.3g}" for name, value in metrics.items()]
    if shown:
        session.say("Measured: " + ", ".join(shown) + ".")


def _result(task: Any, seed: int, role: str, persona: Any, turns: Any, outcome: Any) -> dict[str, Any]:
    return {
        "task": task.id,
        "seed": seed,
        "as": role,
        "persona": persona.to_json(),
        "turns": [turn.to_json() for turn in turns],
        "outcome": outcome,
    }
