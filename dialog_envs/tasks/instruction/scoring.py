"""Outcome of an Instruction-v0 episode: pure code over persona and trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from dialog_envs.core.belief import exchanges
from dialog_envs.core.dialogue import USER, Act, Turn
from dialog_envs.core.outcome import Outcome
from dialog_envs.tasks.instruction.kernel import KNOWN, MISCONCEIVED, InstructionKernel, InstructionState
from dialog_envs.tasks.instruction.lesson import agent_turn
from dialog_envs.tasks.instruction.persona import InstructionPersona
from dialog_envs.tasks.instruction.posterior import belief_trace
from dialog_envs.tasks.instruction.scenario import InstructionScenario

GAINED, SUCCEEDED = 0.5, 0.5
"""Shares of the dense reward: for what was learnt, turn by turn, and for a success at the end."""
_KERNEL = InstructionKernel()


def states(
    persona: InstructionPersona, scenario: InstructionScenario, turns: Sequence[Turn]
) -> Iterator[InstructionState]:
    """The student's state before the first exchange and after each.

    What a student learns does not hang on the kernel's coins, so a trace by any user simulator can be followed.
    """
    state = _KERNEL.start(scenario, persona)
    yield state
    for agent_acts, user_acts in exchanges(turns):
        state = follow(state, agent_acts, user_acts)
        yield state


def follow(
    state: InstructionState, agent_acts: tuple[Act, ...], user_acts: tuple[Act, ...]
) -> InstructionState:
    """The student's state after an exchange in which the user, whoever played it, did ``user_acts``."""
    after = _KERNEL.respond(state, agent_acts, lambda p: p > 0)[1]
    items = state.scenario.items
    return replace(after, lesson=state.lesson.after(agent_turn(agent_acts, items), user_acts, items))


def score(
    persona: InstructionPersona, scenario: InstructionScenario, turns: Sequence[Turn], ended_by: str
) -> Outcome:
    """Judge an episode by what the student knows, and thinks to know, at the end.

    ``success``: every idea is understood, and the student is content: it thinks so too, and did not leave.
    ``graded``: how many of the ideas missing at first are understood. ``dense``: half of that, turn by turn as it is
    gained, and half a success at the end.
    """
    path = list(states(persona, scenario, turns))
    missing = [sum(status != KNOWN for status in state.status) for state in path]
    last, ideas = path[-1], len(scenario.items)
    content = last.satisfied and ended_by != "leave"
    success = content and last.understood and bool(ended_by)
    graded = max(0.0, (missing[0] - missing[-1]) / missing[0])
    dense = [GAINED * (before - after) / missing[0] for before, after in pairwise(missing)]
    if dense and success:
        dense[-1] += SUCCEEDED
    parts = {
        "understood": (ideas - missing[-1]) / ideas,
        "content": float(content),
        "missing_at_first": float(missing[0]),
        "missing_at_the_end": float(missing[-1]),
    }
    trace = tuple(turns)
    return Outcome(
        success, graded, ended_by, tuple(dense), parts, lambda: metrics(persona, scenario, trace, ended_by)
    )


def metrics(
    persona: InstructionPersona, scenario: InstructionScenario, turns: Sequence[Turn], ended_by: str
) -> Mapping[str, float]:
    """Counts over the trace, what was understood, and what the trace told about the persona in bits.

    ``falsely_content`` is 1 if the student ended content without understanding. ``information_bits`` is the entropy of
    the exact posterior before minus after the dialogue; ``bits_per_question`` the part gained in exchanges that asked
    or quizzed, divided by the number of questions and quizzes.
    """
    pairs = exchanges(turns)
    agent = [act for acts, _ in pairs for act in acts]
    user = [act for turn in turns if turn.speaker == USER for act in turn.acts]
    entropy = [step["entropy_bits"] for step in belief_trace(scenario, turns, marginals=False)]
    asking = [any(act.kind in ("ask", "quiz") for act in acts) for acts, _ in pairs]
    questions = sum(act.kind in ("ask", "quiz") for act in agent)
    gained = sum(entropy[i] - entropy[i + 1] for i, asks in enumerate(asking) if asks)
    *_, last = states(persona, scenario, turns)
    content = last.satisfied and ended_by != "leave"
    understood = sum(status == KNOWN for status in last.status)
    return {
        "turns": float(len(pairs)),
        "understood": understood / len(scenario.items),
        "content": float(content),
        "falsely_content": float(content and not last.understood),
        "misconceptions_left": float(sum(status == MISCONCEIVED for status in last.status)),
        "questions": float(sum(act.kind == "ask" for act in agent)),
        "quizzes": float(sum(act.kind == "quiz" for act in agent)),
        "explanations": float(sum(act.kind == "explain" for act in agent)),
        "corrections": float(sum(act.kind == "correct" for act in agent)),
        "puzzled": float(sum(act.kind == "puzzled" for act in user)),
        "attention_used": float(last.used),
        "entropy_bits": entropy[-1],
        "information_bits": entropy[0] - entropy[-1],
        "bits_per_question": gained / questions if questions else 0.0,
    }
