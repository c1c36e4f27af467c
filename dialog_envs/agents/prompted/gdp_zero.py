"""Planning ahead with the model as policy, user and judge."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

from dialog_envs.agents.prompted.asking import Asking, until_usable
from dialog_envs.agents.prompted.chat import user_chat
from dialog_envs.agents.prompted.speaking import Acts, Moment, say, spoken
from dialog_envs.agents.prompted.tree import Node, Realisation, back_up
from dialog_envs.core.dialogue import AGENT, USER, TurnView
from dialog_envs.core.seeding import derive, stream
from dialog_envs.simulators.llm import ChatRequest, Choice, ChoiceRequest

__all__ = ["gdp_zero"]

GRADES = ("Certainly not", "Probably not", "Perhaps", "Probably", "Certainly")
"""What the model may judge, worth 0, 0.25, … 1."""
_USER_TOKENS = 60
_SMALL_USER_TOKENS = 24
_USER_TEMPERATURE = 1.0


def gdp_zero(moment: Moment) -> Asking[str]:
    """Tries turns out in imagined dialogues, and says the one that most of them went on with.

    Yu, Chen and Yu, 2023, "Prompt-Based Monte-Carlo Tree Search for Goal-oriented Dialogue Policy Planning" (arXiv
    2305.13660). Open-loop Monte-Carlo tree search over dialogue acts: the same model is the policy's prior (its
    probabilities over the task's menu), the user (it plays the user's next turn) and the value function (it judges how
    likely a good end is). Each simulation walks down the tree by PUCT, adds one node, and hands its value back; each
    node keeps up to ``realisations`` ways in which its moves went. At the end the most visited move is made, in the
    words of its most valuable realisation.

    Differences to the paper: acts are the turns of the task's menu, which follows the dialogue, instead of a fixed
    list; the prior and the value are read off the model's probabilities where it tells them, and sampled (``samples``
    times) where not; in imagined dialogues the agent speaks in the task's words, and a planned turn is put into the
    model's own words at the end (mode ``free``).
    """
    if len(moment.menu) == 1:
        return (yield from _put_into_words(moment, next(iter(moment.menu))))
    root = Node([Realisation(moment.dialogue)])
    root.prior = yield from _prior(moment, "root")
    for number in range(moment.mind.settings.simulations or 1):
        yield from _simulate(moment, root, number)
    _, way = root.best()
    return (yield from _put_into_words(moment, way.said))


def _simulate(moment: Moment, root: Node, number: int) -> Asking[None]:
    """One walk down the tree, to its first unexpanded node or the end of what the task admits."""
    settings = moment.mind.settings
    rng = stream(moment.seed, "walk", number)
    node, way, path = root, root.realisations[0], list[tuple[Node, Realisation]]()
    for depth in range(_turns_left(moment)):
        move = node.select(settings.exploration)
        node, before = node.child(move), way
        if len(node.realisations) < settings.realisations:
            way = yield from _realise(moment, move, before, derive(moment.seed, "realise", number, depth))
            node.realisations.append(way)
        else:
            way = node.realisations[int(rng.integers(len(node.realisations)))]
        path.append((node, way))
        if not node.prior:
            break
    here = replace(moment, dialogue=way.dialogue, seed=derive(moment.seed, "node", number))
    value, prior = yield from _judge(here, expand=not node.prior)
    node.prior = node.prior or prior
    back_up(path, value)


def _turns_left(moment: Moment) -> int:
    spoken_turns = sum(turn["speaker"] == AGENT for turn in moment.dialogue)
    return max(1, int(moment.mind.task.max_turns) - spoken_turns)


def _realise(moment: Moment, move: Acts, before: Realisation, seed: int) -> Asking[Realisation]:
    """The agent makes a move, and the model answers as the user."""
    task, prompts = moment.mind.task, moment.mind.prompts
    here = replace(moment, dialogue=before.dialogue)
    scenario, _ = task.menu(here.brief, here.dialogue)
    said = next((text for text, acts in here.menu.items() if acts == move), None)
    said = said or task.language.say(move, scenario, stream(seed, "words"))
    dialogue = (*before.dialogue, TurnView(speaker=AGENT, text=said))
    request = ChatRequest(
        user_chat(prompts.text("user"), dialogue),
        _SMALL_USER_TOKENS if moment.mind.small else _USER_TOKENS,
        _USER_TEMPERATURE,
        stop=moment.mind.stop,
        seed=derive(seed, "user"),
        episode=str(moment.episode),
    )
    names = prompts.brief.user_name, prompts.brief.agent_name
    answer = yield from until_usable(
        request, lambda reply: spoken(reply, *names), moment.mind.settings.attempts
    )
    return Realisation((*dialogue, TurnView(speaker=USER, text=answer)), said)


# ---- the model as prior and as judge ---------------------------------------------------------------------------------


def _prior(moment: Moment, purpose: str) -> Asking[dict[Acts, float]]:
    """The model's probability of each turn on the menu."""
    request = _prior_request(moment, purpose)
    (choice,) = yield (request,)
    weights = yield from _weights(choice, request, moment)
    return dict(zip(moment.menu.values(), weights, strict=True))


def _judge(moment: Moment, expand: bool) -> Asking[tuple[float, dict[Acts, float]]]:
    """How well it stands, 0 to 1, and the prior of what may be said next if that is wanted."""
    question = moment.mind.prompts.text("value")
    judging = moment.choosing(question, "value", GRADES, 1.0)
    asked = [judging, *([_prior_request(moment, "prior")] if expand else [])]
    judged, *others = yield tuple(asked)
    grades = yield from _weights(judged, judging, moment)
    value = sum(weight * grade / (len(GRADES) - 1) for grade, weight in enumerate(grades))
    prior: dict[Acts, float] = {}
    for other in others:
        prior = dict(zip(moment.menu.values(), (yield from _weights(other, asked[1], moment)), strict=True))
    return value, prior


def _prior_request(moment: Moment, purpose: str) -> ChoiceRequest:
    return moment.choosing("", purpose, tuple(moment.menu), 1.0)


def _weights(first: object, request: ChoiceRequest, moment: Moment) -> Asking[list[float]]:
    """Each candidate's probability: told by the model, or counted over samples with one added to each.

    Told ones are sharpened as choices are: mean log-probabilities a token lie close together.
    """
    assert isinstance(first, Choice)
    if first.logprobs:
        top = max(first.logprobs)
        odds = [math.exp((score - top) / _SHARPNESS) for score in first.logprobs]
        return [one / sum(odds) for one in odds]
    more = range(1, moment.mind.settings.samples)
    again = tuple(replace(request, seed=derive(request.seed, "sample", i), trial=i) for i in more)
    rest = (yield again) if again else ()
    counts = Counter(choice.index for choice in (first, *rest) if isinstance(choice, Choice))
    total = sum(counts.values()) + len(request.candidates)
    return [(counts[i] + 1) / total for i in range(len(request.candidates))]


_SHARPNESS = 0.25


def _put_into_words(moment: Moment, plan: str) -> Asking[str]:
    if moment.mind.settings.mode == "choice":
        return plan
    return (yield from say(moment, moment.mind.prompts.text("carry", plan=plan)))
