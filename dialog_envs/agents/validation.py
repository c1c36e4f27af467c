"""Looking at a training while it runs: the loss on held-out personas, or episodes with simulated users.

The episodes are played with scripted users of the typical families, under seeds that no benchmark reports on. What was
best is kept, and a training that does not get better any more ends early.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dialog_envs.agents.state import copied
from dialog_envs.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from dialog_envs.agents.language_model import DialogueModel
    from dialog_envs.agents.trainer import Algorithm, TrainingConfig

FIRST_SEED = 30_000_000
"""Of the episodes; the suites report on seeds from 10,000,000 and choose settings on seeds from 20,000,000."""

Score = Callable[["DialogueModel"], Mapping[str, float]]
"""What plays episodes with a model in eval mode: ``{"success": …, "graded": …}``."""


class Watch:
    """Decides which weights are kept, and when a training ends early.

    Args:
        config: ``stop_on``, ``evaluate_every`` and ``patience``.
        steps: of the whole training.
        state: of an earlier process, to go on from.
        best: the weights that did best there.
    """

    def __init__(
        self,
        config: TrainingConfig,
        steps: int,
        state: Mapping[str, Any] | None = None,
        best: Mapping[str, Tensor] | None = None,
    ) -> None:
        state = state or {}
        self.on, self.steps, self.patience = config.stop_on, steps, config.patience
        self.every = config.evaluate_every or max(1, round(steps / 10))
        self.score: float | None = state.get("score")
        """Of the best weights; higher is better."""
        self.step: int | None = state.get("step")
        """At which they were reached."""
        self.worse: int = state.get("worse", 0)
        self.best: dict[str, Tensor] = dict(best or {})

    def to_json(self) -> dict[str, Any]:
        """For a state."""
        return {"score": self.score, "step": self.step, "worse": self.worse}

    def due(self, step: int) -> bool:
        """Whether to evaluate after ``step`` steps."""
        return self.on != "never" and (step % self.every == 0 or step == self.steps)

    def note(self, step: int, figures: Mapping[str, float], model: DialogueModel) -> None:
        """Notes an evaluation, and keeps the weights if they are the best so far."""
        score = -figures["loss"] if self.on == "loss" else figures["success"] + figures["graded"]
        if self.score is None or score > self.score:
            self.score, self.step, self.worse, self.best = score, step, 0, copied(model)
        else:
            self.worse += 1

    @property
    def stopped(self) -> bool:
        """Whether the training ends here."""
        return 0 < self.patience <= self.worse

    def restore_best(self, model: DialogueModel) -> None:
        """Puts the weights that did best back on the model."""
        if self.best:
            model.load_state_dict(self.best)


def episode_score(algorithm: Algorithm[Any], task: Any, episodes: int) -> Score:
    """Plays ``episodes`` dialogues with the task's typical scripted users, the same ones every time.

    Args:
        algorithm: says how its agent speaks.
        task: must be one that can be played, not only a dataset's name.
        episodes: how many; their success is known to about ``0.5 / sqrt(episodes)``.
    """

    def score(model: DialogueModel) -> dict[str, float]:
        from dialog_envs.agents.decoding import DecodingConfig
        from dialog_envs.agents.learned import LearnedAgent

        how = algorithm.speaking()
        decoding = DecodingConfig(
            beta=float(how.get("beta", 0.0)),
            min_p=float(how.get("min_p", 0.0)),
            temperature=algorithm.config.training.temperature,
        )
        agent = LearnedAgent(model, task.view, decoding, condition=how.get("condition"))
        outcomes = _play(agent, task, episodes)
        return {
            "success": sum(bool(outcome.success) for outcome in outcomes) / episodes,
            "graded": sum(float(outcome.graded) for outcome in outcomes) / episodes,
        }

    return score


def _play(agent: Any, task: Any, episodes: int) -> list[Any]:
    """Outcomes of the episodes, all of which are played side by side."""
    from dialog_envs.core.env import DialogEnv, agent_seed

    if not hasattr(task, "prior"):
        raise UsageError(f"no users of {task.id} can be drawn to play with: choose stop_on=loss.")
    envs = [DialogEnv(task, reward="graded") for _ in range(episodes)]
    families = task.prior.group("typical")
    seen = {
        i: env.reset(seed=FIRST_SEED + i, options={"family": families[i % len(families)]})[0]
        for i, env in enumerate(envs)
    }
    while seen:
        order = sorted(seen)
        texts = agent.act_batch([seen[i] for i in order], [agent_seed(FIRST_SEED + i) for i in order])
        for i, text in zip(order, texts, strict=True):
            seen[i], _, terminated, truncated, _ = envs[i].step(text)
            if terminated or truncated:
                del seen[i]
    return [env.outcome for env in envs]
