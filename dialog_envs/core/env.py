"""The Gymnasium environment that every task shares."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, ClassVar

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from dialog_envs.core.dialogue import AGENT, USER, Observation, Turn, TurnView, UserTurn
from dialog_envs.core.outcome import REWARDS, Outcome
from dialog_envs.core.seeding import derive, stream
from dialog_envs.core.spaces import MAX_TEXT, action_space, observation_space
from dialog_envs.core.task import Task
from dialog_envs.core.user import UserSimulator, make_user
from dialog_envs.errors import UsageError

_MAX_SEED = 2**31 - 1


class DialogEnv(gym.Env[Observation, str]):
    """A dialogue with a simulated user whose persona is hidden. Tasks subclass it and give it their page.

    Args:
        task: the HiP-MDP.
        user: who plays the user: ``"scripted"``, ``"grounded"``, ``"llm"``, a ``"module:attribute"`` or a
            :class:`UserSimulator` factory.
        reward: ``"binary"`` (the paper's), ``"graded"`` or ``"dense"``.
        reveal_persona: put ``persona``, ``scenario`` and ``turns`` with their acts into ``info``. For oracles and for
            people; an agent that is compared with others must not see them.
        render_mode: ``"ansi"``, ``"human"`` or ``"rgb_array"``.
        user_options: keyword arguments for the user's factory.
        model: the chat model behind a grounded or llm user, for example ``"openai:gpt-5-mini"``; the embedded one by
            default.

    Raises:
        UsageError: an argument has a value that cannot be used.
        ModelUnavailable: the chat model is not here.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]  # Gymnasium declares it an instance's
        "render_modes": ["ansi", "human", "rgb_array"],
        "render_fps": 1,
    }

    def __init__(
        self,
        task: Task[Any, Any, Any],
        user: Any = "scripted",
        reward: str = "binary",
        reveal_persona: bool = False,
        render_mode: str | None = None,
        user_options: Mapping[str, Any] | None = None,
        model: Any = None,
    ) -> None:
        if reward not in REWARDS:
            raise UsageError(f"reward must be one of {', '.join(REWARDS)}; got {reward!r:.80}")
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            modes = ", ".join(self.metadata["render_modes"])
            raise UsageError(f"render_mode must be one of {modes}; got {render_mode!r:.80}")
        self.task = task
        self.reward = reward
        self.reveal_persona = reveal_persona
        self.render_mode = render_mode
        self.observation_space = observation_space()  # type: ignore[assignment]
        self.action_space = action_space()
        self.user: UserSimulator = make_user(
            user, **(user_options or {}), **({} if model is None else {"model": model})
        )
        self._spec: EnvSpec | None = None
        self.turns: list[Turn] = []
        self.outcome: Outcome | None = None
        self.episode_seed = 0
        self._agent_turns = 0
        self._running = False

    @property
    def spec(self) -> EnvSpec | None:
        """What ``gym.make`` was given; nondeterministic wherever the user is, whatever the id was registered as."""
        return self._spec

    @spec.setter
    def spec(self, value: EnvSpec | None) -> None:
        if value is not None and getattr(self.user, "nondeterministic", False):
            value = copy(value)
            value.nondeterministic = True
        self._spec = value

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode. The user opens with one sentence; the agent speaks next.

        Args:
            seed: the same seed and options give the same episode, in any process and in any batch.
            options: ``{"family": name or "typical" or "hard", "persona": persona or its JSON, "scenario": …}``.

        Raises:
            UsageError, UnknownFamily: an option cannot be used.
        """
        super().reset(seed=seed)
        self._running = (
            False  # until everything is drawn: a reset that fails leaves no half-new episode to go on with
        )
        self.episode_seed = int(seed) if seed is not None else int(self.np_random.integers(_MAX_SEED))
        options = options or {}
        unknown = set(options) - {"family", "persona", "scenario"}
        if unknown:
            raise UsageError(
                f"reset options are family, persona and scenario; got {', '.join(sorted(unknown))}"
            )
        self.persona = self._persona(options)
        self.scenario = self._scenario(options)
        self.user.start(self.task, self.persona, self.scenario, stream(self.episode_seed, "user"))
        self.turns, self.outcome = [], None
        self._agent_turns, self._running = 0, True
        opening = self.user.opening()
        if opening is not None:
            self.turns.append(Turn(USER, opening.text, opening.acts))
        self._render_if_human()
        return self._observation(), self._info()

    def step(self, action: str) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """One agent turn and the user's reply.

        Returns:
            observation, reward, terminated (the user accepts or leaves, or the agent says goodbye), truncated
            (turn cap), info (at the end with ``outcome``).

        Raises:
            UsageError: the action is no text, or too long, or the episode is over.
            SimulatorError: the user could not answer; the episode has no score.
        """
        return self.finish_step(action, self.user.reply(self.begin_step(action)))

    def begin_step(self, action: str) -> tuple[TurnView, ...]:
        """First half of :meth:`step`: check the action; the dialogue that the user has to answer."""
        if not isinstance(action, str) or len(action) > MAX_TEXT:
            what = f"{len(action)} characters" if isinstance(action, str) else type(action).__name__
            raise UsageError(f"an action is a text of at most {MAX_TEXT} characters; got {what}")
        if not self._running:
            raise UsageError("the episode is over (or has not begun): call reset() before step()")
        return (*[turn.view() for turn in self.turns], {"speaker": AGENT, "text": action})

    def finish_step(
        self, action: str, reply: UserTurn
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Second half of :meth:`step`, given the user's reply. Apart, so that many users can reply together."""
        self.turns.append(Turn(AGENT, action, reply.agent_acts))
        self.turns.append(Turn(USER, reply.text, reply.acts))
        self._agent_turns += 1
        truncated = not reply.done and self._agent_turns >= self.task.max_turns
        reward = 0.0
        if reply.done or truncated or self.reward == "dense":
            ended_by = reply.ended_by or ("cap" if truncated else "")
            outcome = self.task.score(self.persona, self.scenario, self.turns, ended_by)
            reward = outcome.rewards(self.reward)[-1]
            if reply.done or truncated:
                self.outcome, self._running = outcome, False
        self._render_if_human()
        return self._observation(), reward, reply.done, truncated, self._info()

    def render(self) -> Any:
        """``ansi``: the dialogue as text; ``human``: printed as it goes; ``rgb_array``: (height, width, 3) of uint8."""
        if self.render_mode is None:
            gym.logger.warn("no render_mode was given to gym.make; render() shows nothing")
            return None
        from dialog_envs.core import rendering

        if self.render_mode == "rgb_array":
            return rendering.picture(self.turns)
        return rendering.as_text(self.turns, self.outcome) if self.render_mode == "ansi" else None

    def _persona(self, options: Mapping[str, Any]) -> Any:
        given = options.get("persona")
        if given is None:
            return self.task.prior.sample(stream(self.episode_seed, "persona"), options.get("family"))
        self.task.prior.group(options.get("family"))
        return self.task.persona_from_json(given) if isinstance(given, Mapping) else _record("persona", given)

    def _scenario(self, options: Mapping[str, Any]) -> Any:
        given = options.get("scenario")
        if given is None:
            return self.task.sample_scenario(stream(self.episode_seed, "scenario"))
        return (
            self.task.scenario_from_json(given) if isinstance(given, Mapping) else _record("scenario", given)
        )

    def _observation(self) -> Observation:
        # New dicts each time: users keep observations, and may change what they were handed.
        return {"brief": self.scenario.brief, "dialogue": tuple([turn.view() for turn in self.turns])}

    def _info(self) -> dict[str, Any]:
        info: dict[str, Any] = {}
        if self.outcome is not None:
            info["outcome"] = self.outcome.to_json(metrics=False)
        if self.reveal_persona:
            info["persona"] = self.persona.to_json()
            info["scenario"] = self.scenario.to_json()
            info["turns"] = [turn.to_json() for turn in self.turns]
        return info

    def _render_if_human(self) -> None:
        if self.render_mode == "human":
            from dialog_envs.core import rendering

            rendering.show(self.turns, self.outcome)


def _record(what: str, given: Any) -> Any:
    """A persona or scenario object as it is; anything else is refused here, before it fails somewhere deep."""
    if not callable(getattr(given, "to_json", None)):
        raise UsageError(f"option {what!r} must be a {what} of this task or its JSON; got {given!r:.80}")
    return given


def agent_seed(episode_seed: int) -> int:
    """The seed that an episode gives its agent: apart from the user's, and the same for every agent."""
    return derive(episode_seed, "agent")
