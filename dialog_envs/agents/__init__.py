"""Agents: the policies under test. :mod:`.base` says what an agent is, :mod:`.registry` finds one by name."""

from __future__ import annotations

from dialog_envs.agents.base import Agent, Usage, as_agent
from dialog_envs.agents.registry import AgentSpec, agent_names, resolve_agent

__all__ = ["Agent", "AgentSpec", "Usage", "agent_names", "as_agent", "resolve_agent"]
