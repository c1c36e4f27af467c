"""The batched environment: ``gym.make_vec(id, num_envs=n)``.

Users of all episodes are played together: where the simulator has ``reply_batch``
(:class:`dialog_envs.core.user.BatchedUser`) it gets all dialogues at once. As Gymnasium batches a ``Dict``, an
observation is ``{"brief": (n texts), "dialogue": (n dialogues)}``; :func:`unbatch` gives one observation an episode.
Actions are a sequence of ``n`` texts. Every sub-environment plays exactly the episode that it would play alone with
the same seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from dialog_envs.core.dialogue import Observation, UserTurn
from dialog_envs.core.env import DialogEnv
from dialog_envs.errors import UsageError


def batch(observations: Sequence[Observation]) -> dict[str, Any]:
    """One observation an episode → the batched observation."""
    return {
        "brief": tuple(observation["brief"] for observation in observations),
        "dialogue": tuple(observation["dialogue"] for observation in observations),
    }


def unbatch(observation: dict[str, Any]) -> list[Observation]:
    """The batched observation → one observation an episode, as agents take them."""
    return [
        {"brief": brief, "dialogue": dialogue}
        for brief, dialogue in zip(observation["brief"], observation["dialogue"], strict=True)
    ]


class DialogVectorEnv(VectorEnv[Any, Any, Any]):
    """``n`` dialogues side by side.

    Args:
        envs: environments of one task, all made with the same arguments.
        autoreset_mode: Gymnasium's mode: reset an ended episode with the next step (default), in the same step, or
            not at all (``reset(options={"reset_mask": mask})``).
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]  # Gymnasium declares it an instance's
        "render_modes": ["ansi", "rgb_array"],
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self, envs: Sequence[DialogEnv], autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP
    ) -> None:
        if not envs:
            raise UsageError("a batched environment needs num_envs of at least 1")
        self.envs = tuple(envs)
        self.num_envs = len(envs)
        mode = AutoresetMode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": mode}  # type: ignore[misc]
        self.autoreset_mode = mode
        self.render_mode = envs[0].render_mode
        self.single_observation_space = envs[0].observation_space
        self.single_action_space = envs[0].action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._ended = np.zeros(self.num_envs, dtype=np.bool_)
        self._observations: list[Observation] = []

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin all episodes, or those in ``options["reset_mask"]`` (bools, shape (n,)).

        Args:
            seed: one seed (episode i gets ``seed + i``) or a sequence of ``n``.
            options: as for a single environment.
        """
        options = dict(options or {})
        mask = np.asarray(options.pop("reset_mask", np.ones(self.num_envs)), dtype=np.bool_)
        if mask.shape != (self.num_envs,):
            raise UsageError(
                f"reset_mask must hold {self.num_envs} bools, one an episode; its shape is {mask.shape}"
            )
        if not self._observations and not mask.all():
            raise UsageError("the first reset must begin all episodes: leave reset_mask out")
        seeds = self._seeds(seed)
        infos: dict[str, Any] = {}
        observations: list[Any] = list(self._observations) or [None] * self.num_envs
        for i, env in enumerate(self.envs):
            if mask[i]:
                observations[i], info = env.reset(seed=seeds[i], options=dict(options))
                infos = self._add_info(infos, info, i)
                self._ended[i] = False
        self._observations = observations
        return batch(self._observations), infos

    def step(
        self, actions: Sequence[str]
    ) -> tuple[dict[str, Any], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """One agent turn in every running episode. Arrays have shape (n,)."""
        if isinstance(actions, str) or len(actions) != self.num_envs:
            raise UsageError(f"step takes {self.num_envs} texts, one an episode; got {actions!r:.80}")
        rewards = np.zeros(self.num_envs)
        terminated, truncated = np.zeros((2, self.num_envs), dtype=np.bool_)
        infos: dict[str, Any] = {}
        resets = (
            self._ended.copy()
            if self.autoreset_mode is AutoresetMode.NEXT_STEP
            else np.zeros_like(self._ended)
        )
        same_step = self.autoreset_mode is AutoresetMode.SAME_STEP
        running = [i for i in range(self.num_envs) if not resets[i]]
        replies = self._replies(running, actions)
        for i, env in enumerate(self.envs):
            if resets[i]:
                self._observations[i], info = env.reset()
            else:
                step = env.finish_step(actions[i], replies[i])
                self._observations[i], rewards[i], terminated[i], truncated[i], info = step
            if same_step and (terminated[i] or truncated[i]):  # reported as Gymnasium's SyncVectorEnv does
                final = {"final_obs": self._observations[i], "final_info": info}
                infos = self._add_info(infos, final, i)
                self._observations[i], info = env.reset()
            infos = self._add_info(infos, info, i)
        self._ended = np.zeros_like(terminated) if same_step else terminated | truncated
        return batch(self._observations), rewards, terminated, truncated, infos

    def _replies(self, running: Sequence[int], actions: Sequence[str]) -> dict[int, UserTurn]:
        """The users' replies, asked for together where the simulator can."""
        envs = [self.envs[i] for i in running]
        dialogues = [env.begin_step(actions[i]) for i, env in zip(running, envs, strict=True)]
        batched = getattr(type(envs[0].user), "reply_batch", None) if envs else None
        if batched is not None:
            replies = batched([env.user for env in envs], dialogues)
        else:
            replies = [env.user.reply(dialogue) for env, dialogue in zip(envs, dialogues, strict=True)]
        return dict(zip(running, replies, strict=True))

    def _seeds(self, seed: int | Sequence[int | None] | None) -> Sequence[int | None]:
        if seed is None or isinstance(seed, (int, np.integer)):
            return [None if seed is None else int(seed) + i for i in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise UsageError(
                f"{len(seed)} seeds for {self.num_envs} episodes; give one number or one seed each"
            )
        return seed

    def render(self) -> tuple[Any, ...]:
        """One rendering an episode."""
        return tuple(env.render() for env in self.envs)

    def close_extras(self, **kwargs: Any) -> None:
        """Close every sub-environment."""
        for env in self.envs:
            env.close()


def make_vector_env(
    id: str,
    num_envs: int = 1,
    autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    **kwargs: Any,
) -> DialogVectorEnv:
    """Entry point of ``gym.make_vec``: ``kwargs`` are those of ``gym.make``."""
    envs = []
    for _ in range(num_envs):
        env = gym.make(id, disable_env_checker=True, **kwargs).unwrapped
        if not isinstance(env, DialogEnv):
            raise UsageError(f"{id} is no dialogue environment")
        envs.append(env)
    return DialogVectorEnv(envs, autoreset_mode)
