"""Ways to prompt that find a turn in at most two steps. :mod:`.gdp_zero` holds the one that plans."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from dialog_envs.agents.prompted.asking import Asking, Unusable, until_usable
from dialog_envs.agents.prompted.speaking import Moment, choose, say, spoken
from dialog_envs.simulators.llm import ChatReply

__all__ = ["chain_of_thought", "clam", "direct"]

_YES_NO = ("Yes", "No")


def direct(moment: Moment) -> Asking[str]:
    """The turn at once: from instructions alone (zero-shot), or with examples.

    Few-shot prompting is Brown et al., 2020, "Language Models are Few-Shot Learners" (arXiv 2005.14165).
    """
    return (yield from say(moment))


def chain_of_thought(moment: Moment) -> Asking[str]:
    """Reasons, then speaks. The reasoning is never said, and never seen again in later turns.

    Wei et al., 2022, "Chain-of-Thought Prompting Elicits Reasoning in Large Language Models" (arXiv 2201.11903), asked
    for without worked examples as by Kojima et al., 2022, "Large Language Models are Zero-Shot Reasoners"
    (arXiv 2205.11916).

    Written turns come with their reasoning as one structured reply; for a choice the reasoning is written first.
    """
    settings, text = moment.mind.settings, moment.mind.prompts.text
    room, heat = settings.thought_tokens or 400, settings.temperature or 0.0
    if settings.mode == "free":
        room += settings.max_tokens or 200
        request = moment.writing(text("think"), "think", max_tokens=room, temperature=heat, line=False)
        request = replace(request, schema=_thought_and_turn(moment))
        return (yield from until_usable(request, lambda reply: _aloud(reply, moment), settings.attempts))
    request = moment.writing(text("think"), "think", max_tokens=room, temperature=0.7, line=False)
    thoughts = yield from until_usable(request, _thoughts, settings.attempts)
    return (yield from say(moment, text("decide", thoughts=thoughts)))


def clam(moment: Moment) -> Asking[str]:
    """Selective clarification: detects whether something is unclear, and asks if it is, or else acts.

    Kuhn, Gal and Farquhar, 2022, "CLAM: Selective Clarification for Ambiguous Questions with Generative Language
    Models" (arXiv 2212.07769): classify the request as ambiguous or not by the probability of the answer, generate a
    clarifying question, and answer once it is clear. Here the request is the dialogue so far, the question is whether
    what is still hidden about the user would change the next step, and to answer is to go for the task's goal.

    Of a menu, only questions are open in the first case, and only other turns in the second.
    """
    settings, text = moment.mind.settings, moment.mind.prompts.text
    choice = yield from choose(moment.choosing(text("detect"), "detect", _YES_NO, 0.0))
    unclear = choice.index == 0
    if settings.threshold is not None and choice.logprobs:
        yes, no = choice.logprobs
        unclear = 1 / (1 + math.exp(no - yes)) >= settings.threshold
    if unclear:
        return (yield from say(moment, text("clarify"), moment.asks))
    return (yield from say(moment, text("proceed"), lambda said: not moment.asks(said)))


def _thought_and_turn(moment: Moment) -> dict[str, Any]:
    user = moment.mind.prompts.brief.user_name.lower()
    return {
        "type": "object",
        "properties": {
            "reasoning": {
                "type": "string",
                "description": f"private reasoning, which the {user} does not hear",
            },
            "utterance": {
                "type": "string",
                "description": f"what you say to the {user} next, and nothing else",
            },
        },
        "required": ["reasoning", "utterance"],
        "additionalProperties": False,
    }


def _aloud(reply: ChatReply, moment: Moment) -> str:
    """The utterance of a structured reply; a whole one, hence its own finish reason."""
    brief, said = moment.mind.prompts.brief, str(reply.data["utterance"])
    return spoken(replace(reply, text=said, finish_reason="stop"), brief.agent_name, brief.user_name)


def _thoughts(reply: ChatReply) -> str:
    thoughts = " ".join(reply.text.split())
    if not thoughts:
        raise Unusable("it was empty")
    return thoughts
