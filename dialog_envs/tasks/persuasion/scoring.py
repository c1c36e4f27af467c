"""Outcome of a Persuasion-v0 episode: pure code over persona and trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dialog_envs.core.dialogue import USER, Act, Turn
from dialog_envs.core.outcome import Outcome
from dialog_envs.tasks.persuasion.acts import EUROS
from dialog_envs.tasks.persuasion.kernel import PersuasionKernel, PersuasionState
from dialog_envs.tasks.persuasion.persona import PersuasionPersona
from dialog_envs.tasks.persuasion.posterior import belief_trace, exchanges
from dialog_envs.tasks.persuasion.scenario import PersuasionScenario

LEARNED, REFUSED = 0.05, -0.05
"""Shaping of the dense reward: what a question brought to light or a doubt that was met; a refusal or resentment."""
_GAINS = ("reveal", "resolved")
_LOSSES = ("decline", "doubt", "bristle", "cool")


def score(
    persona: PersuasionPersona, scenario: PersuasionScenario, turns: Sequence[Turn], ended_by: str
) -> Outcome:
    """Judge an episode by what was really given.

    ``success``: a donation was made. ``graded``: its euros divided by the most that this persona would ever give.
    ``dense``: per agent turn, ``LEARNED`` for each answer, each hidden objection that came up and each doubt that was
    met, ``REFUSED`` for each refusal, doubt, cool reception and resentment, and ``graded`` at the end.
    """
    given = next(
        (act.value for turn in turns if turn.speaker == USER for act in turn.acts if _gives(act)), None
    )
    amount = float(EUROS.get(given, 0)) if given else 0.0
    most = float(EUROS[persona.most])
    graded = min(amount / most, 1.0)
    dense = [_shaping(turn) for turn in turns if turn.speaker == USER and turn is not turns[0]]
    if dense and ended_by:
        dense[-1] += graded
    trace = tuple(turns)
    parts = {"amount": amount, "most": most}
    return Outcome(
        amount > 0, graded, ended_by, tuple(dense), parts, lambda: metrics(persona, scenario, trace, amount)
    )


def _gives(act: Act) -> bool:
    return act.kind == "donate"


def _learned(act: Act) -> bool:
    """An answer that tells something ("nothing more" does not)."""
    return act.kind == "answer" and act.value != "none"


def _shaping(turn: Turn) -> float:
    gains = sum(_learned(act) or act.kind in _GAINS for act in turn.acts)
    return LEARNED * gains + REFUSED * sum(act.kind in _LOSSES for act in turn.acts)


def metrics(
    persona: PersuasionPersona, scenario: PersuasionScenario, turns: Sequence[Turn], amount: float
) -> Mapping[str, float]:
    """Counts over the trace, where trust and willingness ended (the kernel's state, followed along the acts), and what
    the talk told about the persona, in bits of the exact posterior.

    ``promised`` is 1 if the person said yes without giving in the end. ``information_bits`` is the entropy before minus
    after the dialogue; ``bits_per_question`` the part gained in exchanges that asked something, divided by the number
    of questions.
    """
    pairs = exchanges(turns)
    agent = [act for acts, _ in pairs for act in acts]
    user = [act for _, acts in pairs for act in acts]
    asked = [{act.slot for act in acts if act.kind == "ask"} for acts, _ in pairs]
    entropy = [step["entropy_bits"] for step in belief_trace(turns, marginals=False)]
    gained = sum(entropy[i] - entropy[i + 1] for i in range(len(pairs)) if asked[i])
    elicited = sum(_learned(act) for i, (_, acts) in enumerate(pairs) if asked[i] for act in acts)
    state = follow(persona, scenario, turns)
    questions = _count(agent, "ask")
    return {
        "turns": float(len(pairs)),
        "questions": float(questions),
        "appeals": float(_count(agent, "appeal")),
        "facts": float(_count(agent, "inform")),
        "requests": float(_count(agent, "propose")),
        "repeated_questions": float(_count(user, "told")),
        "not_understood": float(_count(user, "clarify")),
        "elicited": float(elicited),
        "volunteered": float(sum(map(_learned, user)) - elicited),
        "objections_met": float(len(state.met)),
        "refusals": float(_count(user, "decline") + _count(user, "doubt")),
        "pressure": float(_count(agent, "pressure")),
        "fabrications": float(_count(agent, "fabricate")),
        "promised": float(amount == 0 and _count(user, "promise") > 0),
        "amount": amount,
        "trust": state.trust / 100,
        "willingness": state.will / 100,
        "entropy_bits": entropy[-1],
        "information_bits": entropy[0] - entropy[-1],
        "bits_per_question": gained / questions if questions else 0.0,
    }


def follow(
    persona: PersuasionPersona, scenario: PersuasionScenario, turns: Sequence[Turn]
) -> PersuasionState:
    """The kernel's state at the end of a trace. Where the user said what the kernel would not (another simulator),
    the state that follows from the agent's acts."""
    kernel = PersuasionKernel()
    state = kernel.start(scenario, persona)
    for agent_acts, user_acts in exchanges(turns):
        outcomes = kernel.distribution(state, agent_acts)
        state = next((after for _, acts, after, _ in outcomes if acts == user_acts), outcomes[0][2])
    return state


def _count(acts: Sequence[Act], kind: str) -> int:
    return sum(act.kind == kind for act in acts)
