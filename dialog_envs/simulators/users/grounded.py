"""The grounded user: the kernel chooses what is done, a chat model finds the words, and the words are read back.

The truth is the scripted user's, act for act: a seed gives the same acts, coins and end. The model that writes is told
what is meant and nothing else about the persona, so that there is nothing it could be talked into giving away; the
model that chooses sees the persona, and can say only what the grammar admits.
"""

from __future__ import annotations

from collections.abc import Sequence

from dialog_envs.core.dialogue import Act, TurnView, UserTurn
from dialog_envs.errors import SimulatorError, UsageError
from dialog_envs.simulators.llm import ChatModel, ChatReply, ChatRequest, Choice, ChoiceRequest, Message
from dialog_envs.simulators.llm.structured import appended
from dialog_envs.simulators.users.checking import ReadBack
from dialog_envs.simulators.users.guard import Secrets, leak
from dialog_envs.simulators.users.played import Asking, ModelPlayedUser
from dialog_envs.simulators.users.prompting import card, chat, fill

MODES = ("choose", "write", "both")
PHRASINGS = 6
"""Most phrasings of an act that the model chooses from, or is shown."""
MAX_TOKENS = 600
"""Room for a line, and for what a reasoning model thinks before."""
_DRAWS = 18


class GroundedUser(ModelPlayedUser):
    """See the module's text.

    Args:
        model: a chat model or its name.
        mode: ``"choose"`` among phrasings of the grammar; ``"write"`` freely, checked, and asked again with what was
            wrong; ``"both"``: write, and choose where nothing passes. By default choose for the embedded model.
        attempts: how often words are asked for; then the episode is unscored (or, with ``"both"``, chosen).
        temperature: of choosing (0.5 by default: mean log-probabilities a token lie close together) or writing (0.8).

    Raises:
        UsageError: an unknown mode.
        ModelUnavailable: the model is not here.
    """

    kind = "grounded"
    prompts = ("write", "write_turn", "write_again", "choose")

    def __init__(
        self,
        model: str | ChatModel = "embedded",
        mode: str | None = None,
        attempts: int = 4,
        temperature: float | None = None,
    ) -> None:
        super().__init__(model, attempts)
        self.mode = mode or ("choose" if self.small else "write")
        if self.mode not in MODES:
            raise UsageError(f"mode of the grounded user must be one of {', '.join(MODES)}, not '{mode}'.")
        self._temperature = temperature

    @property
    def version(self) -> str:
        """With the mode and temperatures, which change the words."""
        heat = "" if self._temperature is None else f" temperature:{self._temperature:g}"
        return f"{super().version} {self.mode}{heat}"

    def _begin(self) -> None:
        task, brief = self._task, self._task.task_brief
        self._state = task.kernel.start(self._scenario, self._persona)
        names = {"user_role": brief.user_role, "agent_role": brief.agent_role, "mark": self._marks.tag}
        self._write_prompt = fill("write", canary=self._marks.canary, **names)
        rows = task.persona_card(self._persona)
        self._choose_prompt = fill("choose", card=card(rows, task.prior.families), **names)
        prompt = "\n".join((self._write_prompt, fill("write_turn", meaning="", examples="")))
        self._secrets = Secrets(self._marks, prompt, self._scenario.brief, families=task.prior.families)

    def _answer(self, dialogue: Sequence[TurnView]) -> Asking[UserTurn]:
        task = self._task
        heard = task.language.understand(dialogue[-1]["text"], self._scenario, dialogue[:-1])
        acts, self._state, ended_by = task.kernel.step(self._state, heard, self._acts_rng)
        phrasings = self._phrasings(acts, dialogue)
        text = yield from self._words(acts, phrasings, dialogue)
        return UserTurn(text, acts, ended_by is not None, ended_by, heard)

    def _phrasings(self, acts: tuple[Act, ...], dialogue: Sequence[TurnView]) -> list[str]:
        """Different ways in which the grammar says this, in the persona's manner."""
        phrase = self._task.language.phrase
        found: dict[str, None] = {}
        for _ in range(_DRAWS):
            found[phrase(acts, self._persona, self._scenario, self._words_rng, dialogue)] = None
            if len(found) >= PHRASINGS:
                break
        return list(found)

    def _words(
        self, acts: tuple[Act, ...], phrasings: list[str], dialogue: Sequence[TurnView]
    ) -> Asking[str]:
        check = ReadBack(self._task, acts, phrasings, self._scenario, dialogue)
        reason = ""
        if self.mode != "choose":
            text, reason = yield from self._write(check, phrasings, dialogue)
            if text is not None:
                return text
        if self.mode != "write":
            return (yield from self._choose(check, phrasings, dialogue))
        raise SimulatorError(
            f"the grounded user ({self.model.name}) found no words for {', '.join(map(str, acts))} in "
            f"{self.attempts} attempts; the last time: {reason}. Use a stronger model, or the mode 'both'."
        )

    def _choose(self, check: ReadBack, phrasings: list[str], dialogue: Sequence[TurnView]) -> Asking[str]:
        candidates = tuple(text for text in phrasings if check.faithful(text)) or tuple(phrasings)
        if len(candidates) == 1:
            return candidates[0]
        messages = chat(self._choose_prompt, dialogue, self._marks)
        temperature = 0.5 if self._temperature is None else self._temperature
        choice = yield ChoiceRequest(
            messages,
            candidates,
            temperature,
            self._request_seed(self.attempts),
            role="user",
            episode=self.label,
        )
        assert isinstance(choice, Choice)
        return candidates[choice.index]

    def _write(
        self, check: ReadBack, phrasings: list[str], dialogue: Sequence[TurnView]
    ) -> Asking[tuple[str | None, str]]:
        """Words that pass the check, or ``None`` and what was wrong with the last ones."""
        meaning = next(filter(check.faithful, phrasings), phrasings[0])
        examples = "\n".join(f"- {text}" for text in phrasings[:3])
        task = fill("write_turn", meaning=meaning, examples=examples)
        messages = first = appended(chat(self._write_prompt, dialogue, self._marks), task)
        wrong = ""
        for attempt in range(self.attempts):
            reply = yield self._writing(messages, attempt)
            assert isinstance(reply, ChatReply)
            text = unquoted(reply.text)
            wrong = self._problem(check, text, reply.finish_reason)
            if not wrong:
                return text, ""
            self.notes["again"] += 1
            said: Message = {"role": "assistant", "content": text[:400] or "…"}
            again = fill("write_again", problem=wrong, meaning=meaning)
            messages = (*first, said, {"role": "user", "content": again})
        return None, wrong

    def _writing(self, messages: tuple[Message, ...], attempt: int) -> ChatRequest:
        temperature = 0.8 if self._temperature is None else self._temperature
        stop, seed = ("\n",) if self.small else (), self._request_seed(attempt)
        tokens = 80 if self.small else MAX_TOKENS
        return ChatRequest(
            messages,
            tokens,
            temperature,
            stop=stop,
            seed=seed,
            trial=attempt,
            role="user",
            episode=self.label,
        )

    def _problem(self, check: ReadBack, text: str, finish_reason: str) -> str:
        if finish_reason == "content_filter":
            return "it was withheld by a content filter"
        told = leak(text, self._secrets)
        if told is not None:
            self.notes["leaks"] += 1
            return told
        return check.problem(text) or ""


def unquoted(text: str) -> str:
    """A line without the quotation marks that models put around it."""
    stripped = text.strip()
    for left, right in (('"', '"'), ("“", "”"), ("'", "'")):
        inner = stripped[1:-1]
        if len(stripped) > 2 and stripped[0] == left and stripped[-1] == right and right not in inner:
            return inner.strip()
    return stripped
