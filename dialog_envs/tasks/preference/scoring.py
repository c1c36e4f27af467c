"""Outcome of a PreferenceElicitation-v0 episode: pure code over persona and trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dialog_envs.core.belief import exchanges
from dialog_envs.core.dialogue import USER, Turn
from dialog_envs.core.outcome import Outcome
from dialog_envs.tasks.preference.persona import SLOTS, PreferencePersona
from dialog_envs.tasks.preference.posterior import belief_trace
from dialog_envs.tasks.preference.scenario import PreferenceScenario
from dialog_envs.tasks.preference.utility import verdicts

LEARNED, REFUSED = 0.05, -0.05
"""Shaping of the dense reward: an answer that a question brought, and a refused suggestion."""


def score(
    persona: PreferencePersona, scenario: PreferenceScenario, turns: Sequence[Turn], ended_by: str
) -> Outcome:
    """Judge an episode by what the persona (after a change of mind: the changed one) thinks of what they accepted.

    ``success``: the accepted activity meets the constraints and is among the best. ``graded``: its utility divided by
    the best utility on offer; 0 if nothing was accepted. ``dense``: per agent turn, ``LEARNED`` for each answer,
    ``REFUSED`` for each refusal, and ``graded`` at the end.
    """
    user_acts = [act for turn in turns if turn.speaker == USER for act in turn.acts]
    taken = next((act.item for act in user_acts if act.kind == "accept" and act.item), None)
    if persona.family == "changeable" and any(act.kind == "change" for act in user_acts):
        persona = persona.changed()
    judged = verdicts(scenario.items, persona)
    success = taken in judged.acceptable
    utility = judged.utilities.get(taken, 0.0) if taken else 0.0
    graded = utility / judged.best if utility else 0.0
    dense = [_shaping(turn) for turn in turns if turn.speaker == USER and turn is not turns[0]]
    if dense and ended_by:
        dense[-1] += graded
    parts = {
        "utility": utility,
        "best_utility": judged.best,
        "acceptable_items": float(len(judged.acceptable)),
    }
    trace = tuple(turns)
    return Outcome(success, graded, ended_by, tuple(dense), parts, lambda: metrics(scenario, trace))


def _shaping(turn: Turn) -> float:
    kinds = [
        act.kind for act in turn.acts if act.kind != "answer" or act.slot in SLOTS
    ]  # "nothing else" is no answer
    return LEARNED * kinds.count("answer") + REFUSED * kinds.count("reject")


def metrics(scenario: PreferenceScenario, turns: Sequence[Turn]) -> Mapping[str, float]:
    """Counts over the trace, and what it told about the persona, in bits of the exact posterior.

    ``information_bits`` is the entropy before minus after the dialogue; ``bits_per_question`` the part gained in
    exchanges that asked something, divided by the number of questions.
    """
    pairs = exchanges(turns)
    agent = [act for acts, _ in pairs for act in acts]
    user = [act for _, acts in pairs for act in acts]
    entropy = [step["entropy_bits"] for step in belief_trace(scenario, turns, marginals=False)]
    questions = sum(act.kind == "ask" for act in agent)
    gained = sum(
        entropy[i] - entropy[i + 1]
        for i, (acts, _) in enumerate(pairs)
        if any(act.kind == "ask" for act in acts)
    )
    return {
        "turns": float(len(pairs)),
        "questions": float(questions),
        "suggestions": float(sum(act.kind == "suggest" for act in agent)),
        "repeated_questions": float(sum(act.kind == "told" for act in user)),
        "not_understood": float(sum(act.kind == "clarify" for act in user)),
        "elicited": float(sum(act.kind == "answer" and act.slot in SLOTS for act in user)),
        "volunteered": float(sum(act.kind == "volunteer" for act in user)),
        "refusals": float(sum(act.kind == "reject" for act in user)),
        "entropy_bits": entropy[-1],
        "information_bits": entropy[0] - entropy[-1],
        "bits_per_question": gained / questions if questions else 0.0,
    }
