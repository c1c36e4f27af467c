"""The llm user: a chat model plays the persona, and the kernel keeps score.

The model gets the paper's kind of prompt (who you are, what is hidden about you, how such talks end). In mode
``write`` it answers in fields: what it says, what it does with that, whether it is done. Control is taken from the
fields alone; what it says is read back by the task's understanding, so that the score rests on acts, as ever. In mode
``choose``, for models that are poor writers, it chooses its turn by its own probabilities from what *anybody* might say
here, the right thing among much that this persona would never say (but the talk ends only where the kernel has it end).

The kernel follows: it knows what this persona could do in answer to each turn. Two things are never let through, and
are asked for again, then an error: words that leak (:mod:`dialog_envs.simulators.users.guard`, or more facts at once
than anybody asked for), and consent that this persona would not give now. Everything else that does not fit the
persona is let through, counted, and reported as fidelity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dialog_envs.core.dialogue import Act, TurnView, UserTurn
from dialog_envs.errors import SimulatorError, UsageError
from dialog_envs.simulators.llm import ChatModel, ChatReply, ChatRequest, Choice, ChoiceRequest
from dialog_envs.simulators.llm.structured import appended
from dialog_envs.simulators.users.acting import user_acts
from dialog_envs.simulators.users.following import Branch, Crowd, Following, keys
from dialog_envs.simulators.users.guard import Secrets, leak, persona_keys
from dialog_envs.simulators.users.played import Asking, ModelPlayedUser
from dialog_envs.simulators.users.prompting import card, chat, fill, short_brief

MAX_TOKENS = 1_000
"""Room for a reply in its form, and for what a reasoning model thinks before."""
LONGEST = 1_200
"""Characters of a turn. What is longer is no turn of a talk, but a model that does not stop."""
MODES = ("write", "choose")
MOST_OPTIONS = 12
"""Turns to choose from."""
MOST_UNASKED = 1
"""Facts that may be told in one turn beyond those that the agent's turn elicits."""


@dataclass(frozen=True, slots=True)
class _Refused:
    """A reply that cannot be used.

    Attributes:
        problem: what is wrong, for the model.
        note: which of the user's notes counts it.
        consent: whether consent is what was wrong: the next reply cannot choose it.
    """

    problem: str
    note: str
    consent: bool = False


class LLMUser(ModelPlayedUser):
    """See the module's text.

    Args:
        model: a chat model or its name.
        mode: ``"write"`` or ``"choose"``; by default choose for the embedded model.
        attempts: how often a turn is asked for; then the episode is unscored.
        temperature: of writing (0.8 by default) or choosing (0.1: mean log-probabilities a token lie close together).

    Raises:
        UsageError: an unknown mode.
        ModelUnavailable: the model is not here.
    """

    kind = "llm"
    prompts = ("llm", "llm_again", "glossary")

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
            raise UsageError(f"mode of the llm user must be one of {', '.join(MODES)}, not '{mode}'.")
        default = 0.1 if self.mode == "choose" else 0.8
        self.temperature = default if temperature is None else float(temperature)

    @property
    def version(self) -> str:
        """With mode and temperature, which change the words."""
        return f"{super().version} {self.mode} temperature:{self.temperature:g}"

    def _begin(self) -> None:
        task, brief = self._task, self._task.task_brief
        self._following = Following(task, self._persona, self._scenario)
        self._people = Crowd(task, self._scenario, self._words_rng) if self.mode == "choose" else None
        self._kinds = user_acts(task)
        rows, families = task.persona_card(self._persona), task.prior.families
        scene = self._scenario.brief
        values = {
            "user_role": brief.user_role,
            "agent_role": brief.agent_role,
            "success": brief.outcomes[0],
            "failure": brief.outcomes[1],
            "mark": self._marks.tag,
            "canary": self._marks.canary,
        }
        bare = fill("llm", card="", brief="", **values)
        self._prompt = fill(
            "llm", card=card(rows, families), brief=short_brief(scene) if self.small else scene, **values
        )
        if self.mode == "write" and not self.small:  # which would say the examples
            self._prompt += "\n" + fill("glossary", glossary=self._glossary())
        data = persona_keys(self._persona.to_json())
        self._secrets = Secrets(self._marks, bare, scene, data, tuple(rows), families)

    def _glossary(self) -> str:
        brief, roles = self._task.task_brief, self._task.act_roles
        told = dict(self._kinds)
        told |= dict.fromkeys(roles.accepts, f"ends the talk: {brief.outcomes[0]}")
        told |= dict.fromkeys(roles.leaves, f"ends the talk: {brief.outcomes[1]}")
        return "\n".join(f"- {kind}: {text}" if text else f"- {kind}" for kind, text in told.items())

    def _schema(self, consent: bool) -> dict[str, Any]:
        roles = self._task.act_roles
        kinds = [kind for kind in self._kinds if consent or kind not in roles.accepts]
        what = f"what {self._task.task_brief.user_role} does with this turn, one of: {', '.join(kinds)}"
        properties: dict[str, Any] = {
            "text": {"type": "string", "description": "what you say to them, one or two short sentences"},
            "act": {"type": "string", "enum": kinds, "description": what},
        }
        if not self.small:  # which would toss a coin; the act says it all
            properties["done"] = {
                "type": "boolean",
                "description": "true only if you end the talk with this turn",
            }
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    def _answer(self, dialogue: Sequence[TurnView]) -> Asking[UserTurn]:
        heard = self._task.language.understand(dialogue[-1]["text"], self._scenario, dialogue[:-1])
        branches = self._following.branches(heard)
        if self._people is not None:
            turn = yield from self._choose(self._people, heard, branches, dialogue)
            self._people.follow(heard, turn)
        else:
            turn = yield from self._write(heard, branches, dialogue)
        self._following.follow(heard, turn.acts, turn.ended_by)
        return turn

    # ---- choosing ------------------------------------------------------------------------------------------------

    def _choose(
        self, people: Crowd, heard: tuple[Act, ...], branches: Sequence[Branch], dialogue: Sequence[TurnView]
    ) -> Asking[UserTurn]:
        """A turn out of what anybody might say. Others' ends of the talk are left out: they have other reasons."""
        own = [(branch.acts, branch.ended_by) for branch in branches]
        others = [(acts, ended_by) for acts, ended_by in people.responses(heard) if ended_by is None]
        options: dict[str, UserTurn] = {}
        for acts, ended_by in dict.fromkeys([*own, *others]):
            text = self._task.language.phrase(acts, self._persona, self._scenario, self._words_rng, dialogue)
            options.setdefault(text, UserTurn(text, acts, ended_by is not None, ended_by, heard))
            if len(options) >= MOST_OPTIONS:
                break
        texts = tuple(options)
        if len(texts) == 1:
            return options[texts[0]]
        messages, seed = chat(self._prompt, dialogue, self._marks), self._request_seed(0)
        choice = yield ChoiceRequest(messages, texts, self.temperature, seed, role="user", episode=self.label)
        assert isinstance(choice, Choice)
        return options[texts[choice.index]]

    # ---- writing -------------------------------------------------------------------------------------------------

    def _write(
        self, heard: tuple[Act, ...], branches: Sequence[Branch], dialogue: Sequence[TurnView]
    ) -> Asking[UserTurn]:
        messages = chat(self._prompt, dialogue, self._marks)
        refused: _Refused | None = None
        consent = True
        for attempt in range(self.attempts):
            asked = messages
            if refused is not None:
                asked = appended(messages, fill("llm_again", problem=refused.problem))
            reply = yield self._request(asked, attempt, consent)
            assert isinstance(reply, ChatReply)
            result = self._turn_of(reply, heard, branches, dialogue)
            if isinstance(result, UserTurn):
                return result
            refused = result
            consent = consent and not refused.consent
            self.notes["again"] += 1
            self.notes[refused.note] = self.notes.get(refused.note, 0.0) + 1
        raise SimulatorError(
            f"the llm user ({self.model.name}) gave no turn that can be used in {self.attempts} attempts; the last "
            f"time: {refused.problem if refused else ''}. Use a stronger model."
        )

    def _request(self, messages: Any, attempt: int, consent: bool) -> ChatRequest:
        return ChatRequest(
            messages,
            60 if self.small else MAX_TOKENS,
            self.temperature,
            seed=self._request_seed(attempt),
            schema=self._schema(consent),
            trial=attempt,
            role="user",
            episode=self.label,
        )

    def _turn_of(
        self,
        reply: ChatReply,
        heard: tuple[Act, ...],
        branches: Sequence[Branch],
        dialogue: Sequence[TurnView],
    ) -> UserTurn | _Refused:
        """The turn that a reply makes, or why it makes none."""
        if reply.finish_reason == "content_filter" or reply.data is None:
            return _Refused("it was withheld by a content filter", "withheld")
        text, kind = " ".join(str(reply.data["text"]).split()), str(reply.data["act"])
        if not text:
            return _Refused("it says nothing", "empty")
        if len(text) > LONGEST:
            return _Refused(f"it is too long: at most {LONGEST:,} characters, as people talk", "long")
        told = leak(text, self._secrets)
        if told is not None:
            return _Refused(told, "leaks")
        roles = self._task.act_roles
        read = self._task.language.read(text, self._scenario, dialogue)
        if self._tells_too_much(heard, read, dialogue):
            return _Refused("it tells more about you than was asked", "leaks")
        if kind in roles.accepts:
            return self._consent(text, kind, read, heard, branches)
        goes_on = tuple(act for act in read if act.kind not in roles.accepts | roles.leaves)
        if branches and all(branch.ended_by == "agent" for branch in branches):  # the agent has said goodbye
            leaving = tuple(act for act in branches[0].acts if act.kind in roles.leaves)
            return UserTurn(text, (*goes_on, *leaving), True, "agent", heard)
        if kind in roles.leaves or bool(reply.data.get("done", False)):
            left = Act(kind if kind in roles.leaves else min(roles.leaves))
            return UserTurn(text, (*goes_on, left), True, "leave", heard)
        return UserTurn(text, goes_on, False, None, heard)

    def _consent(
        self,
        text: str,
        kind: str,
        read: tuple[Act, ...],
        heard: tuple[Act, ...],
        branches: Sequence[Branch],
    ) -> UserTurn | _Refused:
        """The end that the field says, if the kernel admits it: consent to what was offered, or to nothing."""
        roles = self._task.act_roles
        said = keys((act for act in read if act.kind in roles.accepts), roles)
        for branch in branches:
            given = tuple(act for act in branch.acts if act.kind in roles.accepts)
            specific = {key for key in said if len(key) > 1}
            if branch.ended_by == "accept" and specific <= keys(given, roles):
                others = tuple(act for act in read if act.kind not in roles.accepts | roles.leaves)
                return UserTurn(text, (*others, *given), True, "accept", heard)
        return _Refused(
            f"this person would not do that now ({kind.replace('_', ' ')})", "refused", consent=True
        )

    def _tells_too_much(
        self, heard: tuple[Act, ...], read: tuple[Act, ...], dialogue: Sequence[TurnView]
    ) -> bool:
        verdict = self._following.judge(heard, read, dialogue)
        return len(verdict.volunteered) > MOST_UNASKED
