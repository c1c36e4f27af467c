"""dialog-envs: train and compare goal-directed dialogue agents.

Importing this package registers its environments with Gymnasium::

    import gymnasium as gym
    import dialog_envs

    env = gym.make("PreferenceElicitation-v0")

The first open implementation of *Zero-Shot Goal-Directed Dialogue via RL on Imagined Conversations*
(Hong, Levine and Dragan, 2023, arXiv 2311.05584).
"""

from dialog_envs.core.dialogue import AGENT, USER, Act, Observation, Turn, UserTurn
from dialog_envs.core.outcome import Outcome
from dialog_envs.errors import DialogEnvsError
from dialog_envs.registration import get_task, register_task
from dialog_envs.registration import register_all as _register_all

__version__ = "0.1.0"
__all__ = [
    "AGENT",
    "USER",
    "Act",
    "DialogEnvsError",
    "Observation",
    "Outcome",
    "Turn",
    "UserTurn",
    "__version__",
    "get_task",
    "register_task",
]

_register_all()
