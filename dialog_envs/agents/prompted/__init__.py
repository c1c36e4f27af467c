"""Agents that are a chat model and a prompt: ``prompted``, ``prompted:METHOD``, ``prompted:METHOD:MODEL``.

==================  ====================================================================================================
``few-shot``        instructions and example dialogues (the default)
``zero-shot``       instructions alone
``cot``             reasons in private before each turn
``clam``            detects that something is unclear, asks, then acts
``gdp-zero``        plans: searches a tree of dialogue acts with the model as prior, user and judge
==================  ====================================================================================================

No method knows a task: prompts are files filled from the task's brief (:mod:`.prompts`), and what may be said comes
    from the task's menu.
"""

from __future__ import annotations

from dialog_envs.agents.prompted.agent import PromptedAgent
from dialog_envs.agents.prompted.prompts import variant_names
from dialog_envs.agents.prompted.settings import METHODS, Settings

__all__ = ["METHODS", "PromptedAgent", "Settings", "variant_names"]
