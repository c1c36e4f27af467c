"""One agent turn: what the model is shown, what it may choose from, and how what it writes becomes what is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

from dialog_envs.agents.prompted.asking import Asking, Unusable, until_usable
from dialog_envs.agents.prompted.chat import agent_chat
from dialog_envs.agents.prompted.prompts import FilledPrompts
from dialog_envs.agents.prompted.settings import Settings
from dialog_envs.core.dialogue import AGENT, Act, TurnView
from dialog_envs.core.seeding import derive, stream
from dialog_envs.simulators.llm import ChatReply, ChatRequest, Choice, ChoiceRequest, Message
from dialog_envs.simulators.llm.structured import appended
from dialog_envs.simulators.users.prompting import short_brief

__all__ = ["Acts", "Mind", "Moment", "choose", "say", "spoken"]

Acts: TypeAlias = tuple[Act, ...]
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)]*(?=\s|$)")
_QUOTES = {'"': '"', "“": "”", "'": "'", "«": "»"}


@dataclass(frozen=True)
class Mind:
    """What an agent brings to every turn.

    Attributes:
        task: the task.
        settings: resolved ones.
        prompts: in the task's words.
        small: the model is the embedded one: it reads slowly, and rambles after a line's end.
    """

    task: Any
    settings: Settings
    prompts: FilledPrompts
    small: bool

    @cached_property
    def system(self) -> str:
        """The instructions."""
        return self.prompts.system(self.settings.method != "zero-shot", self.settings.mode == "free")

    @property
    def stop(self) -> tuple[str, ...]:
        """Where writing one line stops. Servers get none: a reply may begin with a line's end, and some refuse it."""
        return ("\n",) if self.small else ()


@dataclass(frozen=True)
class Moment:
    """A turn that the agent has to find.

    Attributes:
        mind: whose turn.
        brief: the episode's.
        dialogue: so far.
        episode: the episode's seed.
        seed: the turn's.
    """

    mind: Mind
    brief: str
    dialogue: tuple[TurnView, ...]
    episode: int
    seed: int

    @cached_property
    def chat(self) -> tuple[Message, ...]:
        """What the model reads."""
        names_only = self.mind.settings.brief == "names"
        brief = short_brief(self.brief, longest=None) if names_only else self.brief
        return agent_chat(self.mind.system, brief, self.dialogue)

    @cached_property
    def menu(self) -> Mapping[str, Acts]:
        """The utterances that the task offers now, each with its acts, without what was said word for word before."""
        task = self.mind.task
        scenario, turns = task.menu(self.brief, self.dialogue)
        rng = stream(self.seed, "words")
        texts: dict[str, Acts] = {}
        for acts in turns:
            texts.setdefault(task.language.say(acts, scenario, rng), acts)
        said = {turn["text"] for turn in self.dialogue if turn["speaker"] == AGENT}
        return {text: acts for text, acts in texts.items() if text not in said} or texts

    def asks(self, text: str) -> bool:
        """Whether an utterance of the menu does nothing but ask."""
        kinds = self.mind.task.act_roles.asks
        return all(act.kind in kinds for act in self.menu[text])

    def writing(
        self, note: str, purpose: str, *, max_tokens: int, temperature: float, line: bool
    ) -> ChatRequest:
        """A request to write.

        Args:
            note: a private note at the end of the chat.
            purpose: names the request's random numbers within the turn; ``""`` takes the turn's own.
            max_tokens: longest reply.
            temperature: of the writing.
            line: one line is enough.
        """
        return ChatRequest(
            appended(self.chat, note),
            max_tokens,
            temperature,
            stop=self.mind.stop if line else (),
            seed=self.seed_for(purpose),
            episode=str(self.episode),
        )

    def choosing(
        self, note: str, purpose: str, candidates: Sequence[str], temperature: float
    ) -> ChoiceRequest:
        """A request to choose; the arguments are as in :meth:`writing`."""
        seed = self.seed_for(purpose)
        chat = appended(self.chat, note)
        return ChoiceRequest(chat, tuple(candidates), temperature, seed, episode=str(self.episode))

    def seed_for(self, purpose: str) -> int:
        """The seed of one of the turn's requests."""
        return derive(self.seed, purpose) if purpose else self.seed


def say(moment: Moment, note: str = "", among: Callable[[str], bool] | None = None) -> Asking[str]:
    """The turn, chosen or written.

    Args:
        moment: where it is to be said.
        note: what the model is told in private about this turn.
        among: which utterances of the menu fit; all where none does. Plays no part in writing.
    """
    settings = moment.mind.settings
    temperature = settings.temperature or 0.0
    if settings.mode == "choice":
        texts = [text for text in moment.menu if among is None or among(text)] or list(moment.menu)
        choice = yield from choose(moment.choosing(note, "", texts, temperature))
        return texts[choice.index]
    request = moment.writing(
        note, "", max_tokens=settings.max_tokens or 200, temperature=temperature, line=True
    )
    names = moment.mind.prompts.brief.agent_name, moment.mind.prompts.brief.user_name
    return (yield from until_usable(request, lambda reply: spoken(reply, *names), settings.attempts))


def choose(request: ChoiceRequest) -> Asking[Choice]:
    """One choice."""
    (choice,) = yield (request,)
    assert isinstance(choice, Choice)
    return choice


@lru_cache(maxsize=64)
def _begins_turn(speaker: str, other: str) -> re.Pattern[str]:
    return re.compile(rf"\n\s*(?:{re.escape(other)}|{re.escape(speaker)})\s*:")


def spoken(reply: ChatReply, speaker: str, other: str) -> str:
    """What a written reply says aloud: without a name in front or quotation marks around it, one line, whole sentences.

    Args:
        reply: as the model wrote it.
        speaker, other: names of who speaks, and of the one spoken to, whose turn is not the model's to write.

    Raises:
        Unusable: there is nothing left to say.
    """
    own_turn = _begins_turn(speaker, other).split(f"\n{reply.text}", maxsplit=2)
    text = next((part for part in own_turn if part.strip()), "")
    text = " ".join(text.split())
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1] and text.count(text[-1]) <= 2:
        text = text[1:-1].strip()
    if text and reply.finish_reason == "length":
        ends = [found.end() for found in _SENTENCE_END.finditer(text)]
        if not ends:
            raise Unusable("it was cut off in the middle of its first sentence, so be shorter")
        text = text[: ends[-1]]
    if not text:
        raise Unusable("there was nothing in it that could be said")
    return text
